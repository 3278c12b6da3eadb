package catalog

import (
	"context"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Errors of closures.
var (
	ErrNoClosure    = fault.New(fault.NotFound, "catalog.no_closure", "There is no such closure.")
	ErrManyClosures = fault.New(fault.Conflict, "catalog.many_closures", "You have said 50 times to come when you are away; end one of these first.")
	ErrClosureMeets = fault.New(fault.Conflict, "catalog.closure_meets", "You are closed then, or the day before or after; change that closure instead.")
)

// A Closure is when a seller is away: its offers stay in sight, and nothing of it
// can be ordered from the first day to the last.
type Closure struct {
	ID      string `json:"id" required:"true"`
	Seller  string `json:"seller" required:"true"`
	From    string `json:"from" required:"true" format:"date"`
	To      string `json:"to" required:"true" format:"date"`
	Reopens string `json:"reopens" required:"true" format:"date" description:"The first day on which it sells again."`
	Reason  string `json:"reason,omitempty"`
}

// check says what is wrong with a closure that is written today.
func (c Closure) check(today string) error {
	var f findings
	switch {
	case !day(c.From):
		f.add("/from", "Write the first day as 2026-01-31.")
	case c.From < today:
		f.add("/from", "That day is over; begin today or later.")
	}
	switch {
	case !day(c.To):
		f.add("/to", "Write the last day as 2026-01-31.")
	case c.To < c.From:
		f.add("/to", "The last day is before the first.")
	case day(c.From) && dayOf(c.To, 0).After(dayOf(c.From, longestClosure)):
		f.add("/to", "A closure lasts at most a year.")
	}
	if !short(c.Reason, longestName) {
		f.add("/reason", "The reason is a text of at most %d letters.", longestName)
	}
	return invalid(f)
}

const longestClosure = 366 // days

func today(at time.Time) string { return at.In(clock.Morocco).Format(time.DateOnly) }

// Close says when a seller is away.
func (s *Service) Close(ctx context.Context, in ClosureInput) (Closure, error) {
	seller, err := owner(ctx, in.Seller, "/seller")
	if err != nil {
		return Closure{}, err
	}
	c := Closure{ID: id.New(id.Closure), Seller: seller, From: in.From, To: in.To, Reason: tidy(in.Reason)}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if err := c.check(today(tx.Now())); err != nil {
			return err
		}
		if err := s.known(ctx, tx, seller); err != nil {
			return err
		}
		insertClosure(tx, c)
		return tx.Publish(ctx, Closed{c.ID, c.Seller, c.From, c.To})
	})
	c.Reopens = dayAfter(c.To)
	return c, err
}

// ListClosures lists those of a seller that are not over.
func (s *Service) ListClosures(ctx context.Context, in OfSeller) (ClosuresView, error) {
	seller, err := owner(ctx, in.Seller, "?seller")
	if err != nil {
		return ClosuresView{}, err
	}
	all, err := closuresOf(ctx, s.db, seller)
	if all == nil {
		all = []Closure{}
	}
	return ClosuresView{all}, err
}

// Reopen ends a closure: from today on, if it has begun, and altogether if not.
// Ending it again is harmless.
func (s *Service) Reopen(ctx context.Context, in ClosureID) (Closure, error) {
	var c Closure
	err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if c, err = lockClosure(ctx, tx, in.Closure); err != nil {
			return err
		}
		if _, err := owner(ctx, c.Seller, ""); err != nil {
			return ErrNoClosure
		}
		now := today(tx.Now())
		switch {
		case c.To < now:
			return nil
		case c.From >= now:
			deleteClosure(tx, c.ID)
		default:
			endClosure(tx, c.ID, now)
		}
		c.To, c.Reopens = dayBefore(now), now
		return tx.Publish(ctx, Closed{c.ID, c.Seller, c.From, c.To})
	})
	return c, err
}

func dayBefore(day string) string { return dayOf(day, -1).Format(time.DateOnly) }
