package charter

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/pg"
)

// The bounds of the trail of refusals at one hub: of one member for one action a row
// in a while, and so many rows in all. What is left out is counted in the next row.
const (
	refusalEach = time.Minute
	refusalMost = 60 // rows in refusalEach, of all members
)

// A denied thing is what one member was refused.
type denied struct{ org, action, policy string }

// refusals bounds what is written of refusals by the charter.
type refusals struct {
	rows chan row

	mu   sync.Mutex
	seen map[denied]bool // in this while
	rest int             // refusals of which nothing was written since the last row
}

// A row is a refusal to be written down.
type row struct {
	authz.Refusal
	more int // refusals before it of which nothing was written
}

func newRefusals() *refusals {
	return &refusals{rows: make(chan row, refusalMost), seen: map[denied]bool{}}
}

// Refused hears of a refusal by the charter. It never waits: Record writes it down.
func (s *Service) Refused(r authz.Refusal) { s.refusals.hear(r) }

// hear queues a refusal unless there were too many lately.
func (f *refusals) hear(r authz.Refusal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := denied{r.Who.Subject, r.Action, r.Policy}
	if f.seen[key] || len(f.seen) >= refusalMost {
		f.rest++
		return
	}
	select {
	case f.rows <- row{r, f.rest}:
		f.seen[key], f.rest = true, 0
	default:
		f.rest++
	}
}

// anew begins another while.
func (f *refusals) anew() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.seen)
}

// Record writes refusals by the charter into the trail, each under whoever was
// refused, until ctx ends; then it writes what is left.
func (s *Service) Record(ctx context.Context) {
	tick := time.NewTicker(refusalEach)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.refusals.anew()
			continue
		case r := <-s.refusals.rows:
			s.record(context.WithoutCancel(ctx), r)
			continue
		case <-ctx.Done():
		}
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		for {
			select {
			case r := <-s.refusals.rows:
				s.record(last, r)
			default:
				return
			}
		}
	}
}

func (s *Service) record(ctx context.Context, r row) {
	ctx, cancel := context.WithTimeout(auth.With(ctx, r.Who), 10*time.Second)
	defer cancel()
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		audit.Record(tx, "charter.forbids", r.Who.Subject, r.Policy, map[string]any{
			"action": r.Action, "version": r.Who.Charter, "seller": r.Resource.Seller, "buyer": r.Resource.Buyer, "unwritten_before": r.more,
		})
		return nil
	})
	if err != nil {
		slog.WarnContext(ctx, "a refusal by the charter could not be written down", "policy", r.Policy, "action", r.Action, "error", err)
	}
}
