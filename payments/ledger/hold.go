package ledger

import (
	"context"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Errors of keeping money back.
var (
	ErrNoHold  = fault.New(fault.NotFound, "ledger.no_hold", "Nothing is kept back under this name, or not as much.")
	ErrNoFloor = fault.New(fault.Invalid, "ledger.no_floor", "This account may go below zero, so that keeping money back in it means nothing.")
)

// A Hold keeps part of an account's balance back: it stays where it is and
// cannot be spent. ID makes holding it again harmless.
type Hold struct {
	ID       string
	Account  string
	Currency string
	Amount   int64
	Why      string
	Until    time.Time // when it lets go by itself; zero: never
}

// Hold keeps money back, as part of tx. What is not there cannot be kept back:
// ErrOverdraft. The same ID again changes nothing, or is ErrReused when it
// stands for something else. Like Post it is queued.
func (b *Books) Hold(ctx context.Context, tx *pg.Tx, h Hold) error {
	accounts, err := b.open(ctx, tx, Transfer{Currency: h.Currency, Legs: []Leg{{Account: h.Account}}})
	if err != nil {
		return err
	}
	k := accounts[0]
	if !k.Floor {
		return ErrNoFloor
	}
	insertHold(tx, k.ID, h)
	if !h.Until.IsZero() {
		job.Set(tx, holdTimer, h.ID, h.Until)
	}
	return nil
}

// HoldUpTo keeps back as much of h as there is, as part of tx, and answers how
// much that is; with nothing there it makes no hold. Asked again it answers
// what was kept back the first time.
func (b *Books) HoldUpTo(ctx context.Context, tx *pg.Tx, h Hold) (int64, error) {
	if _, err := b.open(ctx, tx, Transfer{Currency: h.Currency, Legs: []Leg{{Account: h.Account}}}); err != nil {
		return 0, err
	}
	before, free, err := lockFree(ctx, tx, h)
	if err != nil || before > 0 {
		return before, err
	}
	if h.Amount = min(h.Amount, free); h.Amount <= 0 {
		return 0, nil
	}
	return h.Amount, b.Hold(ctx, tx, h)
}

// Drop lets go of all that a hold still keeps back. Dropping it again changes
// nothing; one that never was is ErrNoHold.
func (b *Books) Drop(_ context.Context, tx *pg.Tx, id string) error {
	endHold(tx, id, "closed")
	return nil
}

// DropPart lets go of some of what a hold keeps back, and ends it with the last
// of it. More than it keeps back is ErrNoHold.
func (b *Books) DropPart(_ context.Context, tx *pg.Tx, id string, centimes int64) error {
	if centimes <= 0 {
		return ErrNoHold
	}
	shrinkHold(tx, id, centimes)
	return nil
}

// Held is what is kept back in an account, in centimes.
func (b *Books) Held(ctx context.Context, db pg.DB, code, currency string) (int64, error) {
	return held(ctx, db, code, currency)
}

const holdTimer = "ledger.hold"

// Work has holds end at their time. It is called at start.
func (b *Books) Work(timers *job.Timers) { timers.Handle(holdTimer, expire) }

// expire ends a hold whose time is over, if it has not ended otherwise.
func expire(_ context.Context, tx *pg.Tx, id string) error {
	endHold(tx, id, "expired")
	return nil
}
