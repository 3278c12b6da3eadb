package orders

import (
	"context"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// ErrTooSoon says that a date begins too soon for its buyer to give it up.
var ErrTooSoon = fault.New(fault.Conflict, "orders.begins_soon", "What was booked begins in less than a day, or has begun; ask its seller to cancel it.")

// freeUntil is how long before a date that was booked its buyer may still cancel:
// until then its seller can hope to give the seats to others.
const freeUntil = 24 * time.Hour

// daysUntil is how many days pass until a date is over: its seller serves it then
// and not before.
func daysUntil(starts time.Time, minutes int, at time.Time) int {
	left := starts.Add(time.Duration(minutes) * time.Minute).Sub(at)
	if left <= 0 {
		return 0
	}
	return int((left + day - 1) / day)
}

// inTime refuses a buyer who cancels what begins soon. Before its seller has
// accepted it nobody has prepared anything.
func (s *Service) inTime(ctx context.Context, tx *pg.Tx, o Order) error {
	if auth.From(ctx).Role != auth.Buyer || o.State != Accepted {
		return nil
	}
	lines, err := orderLines(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	for _, l := range lines {
		if l.StartsAt != nil && tx.Now().Add(freeUntil).After(*l.StartsAt) {
			return ErrTooSoon.At("/state", l.StartsAt.UTC().Format(time.RFC3339))
		}
	}
	return nil
}
