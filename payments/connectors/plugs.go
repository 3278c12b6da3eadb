package connectors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// Ports that connectors may have.
const (
	PortBank      = "bank"
	PortCard      = "card"
	PortInsurance = "insurance"
	PortCRM       = "crm"
	PortNotify    = "notify"
	PortWallet    = "wallet"
)

// settles says whether a connector takes money for us, and settles to our account.
func (c Connector) settles() bool { return settles(c.Port) }

func settles(port string) bool { return port == PortWallet || port == PortCard }

// Where what a customer relation system is told is kept.
const (
	InMorocco = "morocco"
	Abroad    = "abroad"
)

// A Plug is a connector of a port other than the bank's, as it stands now. It is read
// from the row each time, so that a change holds at all hubs at once; Version tells
// whether anything of it changed. Nothing is unsealed for it: what is needed to call
// it is its Opening.
type Plug struct {
	ID          string
	Features    []string
	WebhookKeys []string
	Version     int64
	Barred      string // why nothing may be made there now, or ""
	Hosted      string // of a customer relation system: InMorocco or Abroad
	// Of an acquirer or a wallet: the account that it pays us from, what its contract
	// lets it keep of a charge (nil where nobody said), and whether buyers are sent there
	// first.
	SettlesFrom string
	FeePercent  *decimal.Decimal
	First       bool

	port, url, roots string
	perSecond, burst int
}

// Pace is how fast a lane of a class calls a connector that is called in so many lanes,
// by what its manifest allows: see outbound.Within.
func (p Plug) Pace(class outbound.Class, lanes int) outbound.Settings {
	return outbound.Within(class, p.perSecond, p.burst, lanes)
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
	at, err := clock.Now(ctx, db)
	return s.plug(c, at), err
}

// Plugs are the connectors of a port that were ever live, by their names.
func (s *Service) Plugs(ctx context.Context, db pg.DB, port string) ([]Plug, error) {
	found, err := everLive(ctx, db, port)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	at, err := clock.Now(ctx, db)
	out := make([]Plug, len(found))
	for i, c := range found {
		out[i] = s.plug(c, at)
	}
	return out, err
}

func (s *Service) plug(c Connector, at time.Time) Plug {
	return Plug{
		ID: c.ID, Features: c.Features, WebhookKeys: c.WebhookKeys, Version: c.Version, Barred: s.cfg.Policy.barred(c, at), Hosted: c.Hosted,
		SettlesFrom: c.SettlesFrom, FeePercent: c.FeePercent, First: c.Pays, port: c.Port, url: c.URL, roots: c.Roots,
		perSecond: c.PerSecond, burst: c.Burst,
	}
}

// Any says whether a connector of a port may be live. It is false only where this hub
// has looked a moment ago and found none, and asks nobody.
func (s *Service) Any(port string) bool {
	known := s.known.Load()
	return known == nil || slices.Contains(*known, port)
}

// lookEvery is how old what Any says may be: a connector that goes live at another hub
// is chosen here that much later.
const lookEvery = 2 * time.Second

// Look brings up to date what Any says.
func (s *Service) Look(ctx context.Context) error {
	before := s.lives.Load()
	found, err := ports(ctx, s.db)
	if err != nil {
		s.known.Store(nil)
		return fmt.Errorf("look for plugged partners: %w", err)
	}
	if s.lives.Load() == before { // else one went live meanwhile
		s.known.Store(&found)
	}
	return nil
}

// KeepLooking looks again and again, until ctx ends.
func (s *Service) KeepLooking(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
		if err := s.Look(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "it is not known who is plugged in", "error", err)
		}
	}
}

// Opening is what is needed to call a connector: ErrNoKey, ErrSealed.
func (s *Service) Opening(ctx context.Context, db pg.DB, p Plug) (Opening, error) {
	o, _, err := s.opening(ctx, db, Connector{ID: p.ID, Port: p.port, URL: p.url, Roots: p.roots})
	return o, err
}

// OnNews has f hear the events of connectors of a port that one of their keys signed
// lately. It is called at start.
func (s *Service) OnNews(port string, f func(ctx context.Context, partner string, e webhook.Signed) error) {
	s.news[port] = f
}

// OnLive has f take part when a connector of a port is let live, in that unit of
// work. It is called at start.
func (s *Service) OnLive(port string, f func(ctx context.Context, tx *pg.Tx, p Plug) error) {
	s.live[port] = append(s.live[port], f)
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
