package escrow

import (
	"context"
	"slices"
	"time"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// A Case is a dispute (dsp_…), a chargeback (cbk_…) or a return (ret_…) that
// keeps an escrow as it is while it is open.
type Case struct {
	ID       string
	Kind     string // dispute, chargeback or return
	State    string // as its own domain calls it
	Deadline *time.Time
}

// Freeze stops timers, releases and new refunds while a case is open. Freezing
// again for the same case tells its new state and deadline.
func (s *Service) Freeze(ctx context.Context, tx *pg.Tx, order string, c Case) (Hold, error) {
	h, err := lockOrder(ctx, tx, order)
	if err != nil {
		return h, err
	}
	return s.freeze(ctx, tx, h, c)
}

func (s *Service) freeze(ctx context.Context, tx *pg.Tx, h Hold, c Case) (Hold, error) {
	putCase(tx, h.Order, c, tx.Now())
	if slices.Contains(h.Cases, c.ID) {
		return h, nil
	}
	if err := h.may(MoveFreeze); err != nil {
		return h, err
	}
	if !h.frozen() {
		at := tx.Now()
		h.FrozenAt = &at
		job.Clear(tx, timerRelease, h.Order)
		job.Clear(tx, TimerUndelivered, h.Order)
	}
	h.Cases = append(slices.Clone(h.Cases), c.ID)
	h = save(tx, h)
	return h, tx.Publish(ctx, Frozen{h.ID, h.Order, c.ID, c.Kind})
}

// Thaw drops a case. Once the last one is gone the timers go on where they
// stood. Dropping it twice is harmless.
func (s *Service) Thaw(ctx context.Context, tx *pg.Tx, order, caseID string) (Hold, error) {
	h, err := lockOrder(ctx, tx, order)
	if err != nil || !slices.Contains(h.Cases, caseID) {
		return h, err
	}
	if h, err = s.thaw(ctx, tx, h, caseID); err != nil {
		return h, err
	}
	return save(tx, h), nil
}

// thaw drops a case of a hold that the caller saves.
func (s *Service) thaw(ctx context.Context, tx *pg.Tx, h Hold, caseID string) (Hold, error) {
	if err := h.may(MoveThaw); err != nil {
		return h, err
	}
	endCase(tx, h.Order, caseID, tx.Now())
	h.Cases = slices.DeleteFunc(slices.Clone(h.Cases), func(c string) bool { return c == caseID })
	if !h.frozen() {
		since := *h.FrozenAt
		h.FrozenAt = nil
		lots, err := delayLots(ctx, tx, h.Order, since, tx.Now())
		if err != nil {
			return h, err
		}
		for _, l := range lots {
			job.Set(tx, timerReserve, l.ID, l.Due)
		}
		h = h.goOn(tx, since)
	}
	return h, tx.Publish(ctx, Thawed{h.ID, h.Order, caseID})
}

// goOn sets the timers of a hold anew after it stood still since a moment.
func (h Hold) goOn(tx *pg.Tx, since time.Time) Hold {
	if h.State != Funded {
		return h
	}
	switch {
	case h.ReleaseDue != nil:
		due := paused(*h.ReleaseDue, time.Duration(h.WaitS)*time.Second, since, tx.Now())
		h.ReleaseDue = &due
		job.Set(tx, timerRelease, h.Order, due)
	case h.SignDue != nil:
		due := paused(*h.SignDue, signWithin, since, tx.Now())
		h.SignDue = &due
		job.Set(tx, TimerUndelivered, h.Order, maxTime(due, tx.Now()))
	}
	return h
}

// paused puts off what is due a wait after its start by a pause, as far as that
// came after the start. Earlier pauses are in due, and so in the start that is
// reckoned from it: it is never later than the end of the last of them.
func paused(due time.Time, wait time.Duration, since, now time.Time) time.Time {
	return due.Add(now.Sub(maxTime(since, due.Add(-wait))))
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// CaseOf returns the open case of each order that has one, the newest if there
// are several.
func (s *Service) CaseOf(ctx context.Context, db pg.DB, orders []string) (map[string]Case, error) {
	rows, err := openCases(ctx, db, orders)
	by := make(map[string]Case, len(rows))
	for _, r := range rows { // the newest comes last
		by[r.OrderID] = r.Case
	}
	return by, err
}
