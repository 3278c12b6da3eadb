package invariants

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Service publishes the promises with their live figures.
type Service struct {
	db   *pg.Store
	turn chan struct{} // held by the one who looks
	last atomic.Pointer[Report]
}

// New makes the service.
func New(db *pg.Store) *Service {
	return &Service{db: db, turn: make(chan struct{}, 1)}
}

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
	Findings []Finding
	Figures  Figures
	looked   time.Time
	took     time.Duration
}

// fresh is how old a report may be, at least; and looking never takes more than
// a tenth of one connection's time, however large the books are.
const fresh = 3 * time.Second

// stale says whether it is time to look again.
func (r *Report) stale(now time.Time) bool { return now.Sub(r.looked) >= max(fresh, 10*r.took) }

// Latest is a report of the last seconds. Whoever finds it stale looks anew;
// those who come meanwhile have the one before, and wait only when there is
// none.
func (s *Service) Latest(ctx context.Context) (Report, error) {
	before := s.last.Load()
	switch {
	case before == nil:
		select {
		case s.turn <- struct{}{}:
		case <-ctx.Done():
			return Report{}, ctx.Err()
		}
	case !before.stale(time.Now()):
		return *before, nil
	default:
		select {
		case s.turn <- struct{}{}:
		default:
			return *before, nil
		}
	}
	defer func() { <-s.turn }()
	if r := s.last.Load(); r != nil && !r.stale(time.Now()) {
		return *r, nil // it came while we waited for our turn
	}
	r, err := look(ctx, s.db)
	if err != nil {
		if before == nil {
			return Report{}, err
		}
		slog.WarnContext(ctx, "the invariants cannot be checked", "error", err, "last", before.At)
		return *before, nil // it says itself how old it is
	}
	s.last.Store(&r)
	return r, nil
}
