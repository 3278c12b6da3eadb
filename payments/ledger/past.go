package ledger

import (
	"context"
	"log/slog"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// far is a time that everything counts by and is known by.
var far = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// BalanceAt is what stood in an account at a time, as the books knew it at
// another: the sum of the entries that count by at and were recorded by known.
// A zero time leaves that side open.
func (b *Books) BalanceAt(ctx context.Context, db pg.DB, code, currency string, at, known time.Time) (int64, error) {
	return balanceAt(ctx, db, code, currency, orFar(at), orFar(known))
}

func orFar(t time.Time) time.Time {
	if t.IsZero() {
		return far
	}
	return t
}

// Snapshots are taken of a day once it is this long over; what is recorded later
// than that from before the day's end runs again with a new time.
const settleDay = 10 * time.Minute

// KeepDays takes the snapshots that past balances are summed from, of the last
// day that is over, and finishes closed periods. It is called again and again by
// any number of hubs; each call does what can be done by now, without a lock on
// the books, and says whether there is more to do at once.
//
// An entry's time is that of its transaction's beginning, so the time before a
// day's end is complete only once every transaction has ended that began before.
// First the horizon is set (kept): the database refuses entries from before it.
// A transaction that may not have seen that has a number below the fence, which
// is drawn afterwards; when all those have ended, nothing can come any more.
func (b *Books) KeepDays(ctx context.Context) (more bool, err error) {
	err = b.db.InTx(ctx, func(tx *pg.Tx) error {
		more, err = keep(ctx, tx)
		return err
	})
	if err != nil || more {
		return more, err
	}
	err = b.db.InTx(ctx, func(tx *pg.Tx) error {
		more, err = b.finish(ctx, tx)
		return err
	})
	return more, err
}

// Keep calls KeepDays about every ten seconds until ctx ends.
func (b *Books) Keep(ctx context.Context) {
	ctx = auth.With(ctx, auth.Hub)
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		more, err := b.KeepDays(ctx)
		for more && err == nil {
			more, err = b.KeepDays(ctx)
		}
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "the books' days cannot be kept", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// keep moves the horizon on, draws the fence, or takes the snapshots; one step a
// call.
func keep(ctx context.Context, tx *pg.Tx) (more bool, err error) {
	h, err := lockHorizon(ctx, tx)
	if err != nil || h.Busy {
		return false, err
	}
	day := tx.Now().Add(-settleDay).Truncate(24 * time.Hour)
	switch {
	case h.Kept == nil || h.Kept.Before(day) && h.done():
		setKept(tx, day)
	case h.done():
		return false, nil
	case h.Fence == nil:
		drawFence(tx)
	case h.Passed:
		takeSnapshots(tx, *h.Kept)
	default:
		return false, nil // a transaction is still at work
	}
	return true, nil
}

// A horizon is how far back the books are shut.
type horizon struct {
	Kept   *time.Time
	Done   *time.Time
	Fence  *string
	Passed bool // whether all transactions below the fence have ended
	Busy   bool // whether another hub is at it
}

func (h horizon) done() bool { return h.Done != nil && !h.Done.Before(*h.Kept) }
