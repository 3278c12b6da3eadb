package invariants

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Service publishes the promises with their live figures.
type Service struct{ db *pg.Store }

// New makes the service.
func New(db *pg.Store) *Service { return &Service{db} }

// Figures say what the promises are about.
type Figures struct {
	Orders    int64       `json:"orders" required:"true" description:"Orders made, one for each seller."`
	Charged   money.Money `json:"charged" required:"true" description:"Taken from buyers."`
	Held      money.Money `json:"held" required:"true" description:"Kept for orders that are under way."`
	Released  money.Money `json:"released" required:"true" description:"Let go to those it belongs to."`
	Payable   money.Money `json:"payable" required:"true" description:"With sellers, not yet asked for."`
	InFlight  money.Money `json:"in_flight" required:"true" description:"On its way to sellers' banks."`
	PaidOut   money.Money `json:"paid_out" required:"true" description:"Arrived at sellers' banks."`
	Fees      money.Money `json:"fees" required:"true" description:"Earned by the platform, before VAT."`
	Matched   int64       `json:"matched" required:"true" description:"Lines of bank statements that the books explain."`
	Unmatched int64       `json:"unmatched" required:"true" description:"Lines that people must look at."`
	Unknown   int64       `json:"unknown" required:"true" description:"Partner calls whose outcome is being asked for."`
}

// A Report is one look at everything.
type Report struct {
	At       time.Time // the hub's time of the snapshot
	ProvedAt *time.Time
	Full     bool // the seals were read from their beginning
	Findings []Finding
	Figures  Figures
	Counts   map[string]int64
	took     time.Duration
}

var (
	errNotDue = errors.New("the next look is not due")
	errNone   = errors.New("nobody has looked yet")

	// ErrNotYet says that the hub is so young that nobody has looked.
	ErrNotYet = fault.New(fault.Unavailable, "guarantees.not_yet", "The promises are being looked at for the first time; ask again in a moment.")
)

// Watch looks every so often until ctx ends, whether each promise is kept. Any
// number of hubs do: one of them takes each look.
func (s *Service) Watch(ctx context.Context, every time.Duration) {
	ctx = auth.With(ctx, auth.Hub)
	tick := time.NewTicker(every / 4)
	defer tick.Stop()
	for {
		if _, err := s.Look(ctx, every); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "the invariants cannot be checked", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Look looks at everything if a look is due, and keeps what it found for every
// hub to show; the next is due after every, or later, so that looking takes no
// more than a tenth of one connection's time. It says whether it looked.
func (s *Service) Look(ctx context.Context, every time.Duration) (looked bool, err error) {
	var full bool
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		full, err = claim(ctx, tx, lease)
		return err
	})
	if errors.Is(err, errNotDue) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	r, err := look(ctx, s.db, full)
	if err != nil {
		return false, err
	}
	for _, f := range r.Findings {
		if f.Count > 0 {
			slog.ErrorContext(ctx, "a promise is broken", "invariant", f.ID, "promise", f.Promise, "violations", f.Count, "first", f.Rows[0])
		}
	}
	return true, s.db.InTx(ctx, func(tx *pg.Tx) error { return keep(tx, r, max(every, 10*r.took)) })
}

// lease is how long a look may take before another hub takes it up.
const lease = 30 * time.Second

// Latest is the last report. While nobody has looked, it waits a little for one
// and is then ErrNotYet.
func (s *Service) Latest(ctx context.Context) (Report, error) {
	for range 20 {
		r, err := last(ctx, s.db)
		if !errors.Is(err, errNone) {
			return r, err
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
	return Report{}, ErrNotYet
}
