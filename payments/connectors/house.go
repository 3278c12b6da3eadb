package connectors

import (
	"context"
	"errors"

	"tiwiza/adapters/bank"
	"tiwiza/payments/files"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// House is the named partner as a bank that files go to, as it stands now; ""
// is the one that payouts leave from, while it may. It is read from the row each
// time, so that a change holds at all hubs at once.
func (s *Service) House(ctx context.Context, db pg.DB, name string) (files.House, bool, error) {
	var c Connector
	var err error
	if name == "" {
		c, err = payer(ctx, db)
	} else {
		c, err = load(ctx, db, name)
	}
	if errors.Is(err, ErrNotFound) || err == nil && c.Port != PortBank {
		return files.House{}, false, nil
	}
	if err != nil {
		return files.House{}, false, err
	}
	at, err := clock.Now(ctx, db)
	if err != nil {
		return files.House{}, false, err
	}
	barred := s.cfg.Policy.barred(c, at)
	if name == "" && barred != "" {
		return files.House{}, false, nil
	}
	h, err := s.house(ctx, db, c)
	h.Barred = barred
	return h, err == nil, err
}

// Houses are the banks whose messages are read: all that were ever live.
func (s *Service) Houses(ctx context.Context, db pg.DB) ([]files.House, error) {
	found, err := everLive(ctx, db, PortBank)
	if err != nil {
		return nil, err
	}
	var out []files.House
	var failed error
	for _, c := range found {
		h, err := s.house(ctx, db, c)
		if err != nil { // one that cannot be opened keeps the others not
			failed = errors.Join(failed, err)
			continue
		}
		out = append(out, h)
	}
	return out, failed
}

// A System is a bank that is plugged in, for what it does besides paying.
type System struct {
	Bank     *bank.Bank
	Features []string
	Barred   string // why nothing may leave there now; "" nothing stands against it
}

// System is the named partner as it stands now: ErrNotFound.
func (s *Service) System(ctx context.Context, db pg.DB, name string) (System, error) {
	c, err := load(ctx, db, name)
	if err != nil {
		return System{}, err
	}
	at, err := clock.Now(ctx, db)
	if err != nil {
		return System{}, err
	}
	b, err := s.bank(ctx, db, c)
	return System{b, c.Features, s.cfg.Policy.barred(c, at)}, err
}

func (s *Service) house(ctx context.Context, db pg.DB, c Connector) (files.House, error) {
	b, err := s.bank(ctx, db, c)
	return files.House{Bank: b, Safeguard: c.safeguard(), Operating: c.operating()}, err
}

// bank is the port of a connector, made ready once for each version of its row.
func (s *Service) bank(ctx context.Context, db pg.DB, c Connector) (*bank.Bank, error) {
	s.mu.Lock()
	have, ok := s.open[c.ID]
	s.mu.Unlock()
	if ok && have.version == c.Version {
		return have.bank, nil
	}
	o, _, err := s.opening(ctx, db, c)
	if err != nil {
		return nil, err
	}
	d, err := s.cfg.Line.Open(o)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.open[c.ID]; ok && have.version >= c.Version { // another was quicker
		return have.bank, nil
	}
	p := s.plug(c, c.ChangedAt)
	b := bank.New(c.ID, d, bank.Options{File: p.Pace(outbound.File, 2), Query: p.Pace(outbound.Query, 2), Metrics: s.cfg.Metrics})
	s.open[c.ID] = opened{c.Version, b}
	return b, nil
}
