package connectors

import (
	"context"
	"errors"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
)

// Ports that connectors may have.
const (
	PortBank      = "bank"
	PortInsurance = "insurance"
	PortCRM       = "crm"
	PortNotify    = "notify"
	PortWallet    = "wallet"
)

// settles says whether a connector takes money for us, and settles to our account.
func (c Connector) settles() bool { return c.Port == PortWallet }

// A Plug is a connector of a port other than the bank's, as it stands now: all that
// is needed to speak with it. It is read from the row each time, so that a change
// holds at all hubs at once; Version tells whether anything of it changed.
type Plug struct {
	Opening
	Features    []string
	WebhookKeys []string
	Version     int64
	Barred      string // why nothing may be made there now, or ""
	Hosted      string // of a customer relation system
	// Of a wallet: what it is to our books, and whether buyers are
	// sent there before any other.
	Settler
	First bool
}

// A Settler is who takes money for us and pays it to our account.
type Settler struct {
	SettlesFrom string           // the RIB it pays from
	FeePercent  *decimal.Decimal // what its contract lets it keep of a charge; nil where nobody said
}

// Settlers are those who take money for us, by name, that were ever live.
func (s *Service) Settlers(ctx context.Context, db pg.DB) (map[string]Settler, error) {
	found, err := all(ctx, db)
	out := map[string]Settler{}
	for _, c := range found {
		if c.settles() && c.State != Registered {
			out[c.ID] = Settler{c.SettlesFrom, c.FeePercent}
		}
	}
	return out, err
}

// Plug is a connector of a port: ErrNotFound for one of another.
func (s *Service) Plug(ctx context.Context, db pg.DB, port, name string) (Plug, error) {
	c, err := load(ctx, db, name)
	if err != nil {
		return Plug{}, err
	}
	if c.Port != port {
		return Plug{}, ErrNotFound
	}
	return s.plug(ctx, db, c)
}

// Plugs are the connectors of a port that were ever live, by their names. One that
// cannot be opened keeps the others not: it comes in the error.
func (s *Service) Plugs(ctx context.Context, db pg.DB, port string) (out []Plug, failed error) {
	found, err := everLive(ctx, db, port)
	if err != nil {
		return nil, err
	}
	for _, c := range found {
		p, err := s.plug(ctx, db, c)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		out = append(out, p)
	}
	return out, failed
}

func (s *Service) plug(ctx context.Context, db pg.DB, c Connector) (Plug, error) {
	at, err := clock.Now(ctx, db)
	if err != nil {
		return Plug{}, err
	}
	o, _, err := s.opening(ctx, db, c)
	return Plug{o, c.Features, c.WebhookKeys, c.Version, s.cfg.Policy.barred(c, at), c.Hosted, Settler{c.SettlesFrom, c.FeePercent}, c.Pays}, err
}

// Owner is the organisation that a connector of a port says it is of: as it named
// itself when it was found, or "" where nobody knows.
func (s *Service) Owner(ctx context.Context, db pg.DB, port, name string) (string, error) {
	c, err := load(ctx, db, name)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil || c.Port != port {
		return "", err
	}
	return c.Owner, nil
}
