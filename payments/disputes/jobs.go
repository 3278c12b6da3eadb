package disputes

import (
	"context"
	"errors"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// timerDue is the deadline of whoever is to speak next, by dispute.
const timerDue = "disputes.due"

// again is when something is looked at anew that could not be done.
const again = 24 * time.Hour

// Work registers the timers of disputes, and those of escrows that end in one.
func (s *Service) Work(t *job.Timers) {
	t.Handle(timerDue, s.due)
	t.Handle(escrow.TimerUndelivered, s.undelivered)
	t.Handle(escrow.TimerCap, s.tooLong)
}

// Subscribe has disputes hear of the money they are about.
func Subscribe(bus *event.Bus, s *Service) { event.Subscribe(bus, "disputes", s.ended) }

// due acts on a deadline that has passed: a seller who did not answer has lost,
// an agent who did not rule is told of, and cannot rule alone after a month.
func (s *Service) due(ctx context.Context, tx *pg.Tx, dispute string) error {
	d, h, err := s.lock(ctx, tx, dispute)
	if err != nil || d.Deadline == nil {
		return err
	}
	if d.Deadline.After(tx.Now()) {
		job.Set(tx, timerDue, d.ID, *d.Deadline)
		return nil
	}
	two := d.OpenedAt.Add(TwoAfter)
	switch {
	case h.Held() == 0:
		return s.moot(ctx, tx, d, h)
	case d.State == Open && (len(h.Cases) > 1 || h.Cash && !h.Settled): // its money cannot move yet
		job.Set(tx, timerDue, d.ID, tx.Now().Add(again))
		return nil
	case d.State == Open:
		_, err := s.decide(ctx, tx, d, h, toBuyer(h, "the seller did not answer", "hub"))
		return err
	case d.State == Answered && tx.Now().Before(two):
		d.Deadline = &two
		if _, err := s.keep(ctx, tx, d); err != nil {
			return err
		}
		return tx.Publish(ctx, Overdue{d.ID, d.Order})
	case d.State == Answered:
		if d, err = d.Escalate(); err != nil {
			return err
		}
		_, err = s.keep(ctx, tx, d)
		return err
	}
	return nil
}

// ended ends the dispute of an order whose money is all gone: a chargeback took
// it, for nothing else moves while a case is open.
func (s *Service) ended(ctx context.Context, tx *pg.Tx, e escrow.Ended) error {
	h, err := s.escrows.LockOrder(ctx, tx, e.Order)
	if err != nil || h.Held() > 0 {
		return err
	}
	d, err := openOf(ctx, tx, e.Order)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.moot(ctx, tx, d, h)
}

// undelivered opens a dispute about an order of which nothing says that it
// arrived. It never releases anything.
func (s *Service) undelivered(ctx context.Context, tx *pg.Tx, order string) error {
	h, err := s.escrows.LockOrder(ctx, tx, order)
	if err != nil || h.Held() == 0 || h.ReleaseDue != nil || len(h.Cases) > 0 {
		return err
	}
	_, err = s.Open(ctx, tx, Opening{Order: order, Reason: Lost, Wish: "refund", Text: "Nothing says that the goods arrived."})
	return err
}

// tooLong brings money that has been held for as long as it may be before two
// people. Nothing goes silently.
func (s *Service) tooLong(ctx context.Context, tx *pg.Tx, order string) error {
	h, err := s.escrows.LockOrder(ctx, tx, order)
	if err != nil || h.Held() == 0 {
		return err
	}
	d, err := openOf(ctx, tx, order)
	if errors.Is(err, ErrNotFound) && len(h.Cases) > 0 { // a chargeback or a return is being decided
		job.Set(tx, escrow.TimerCap, order, tx.Now().Add(again))
		return nil
	}
	if errors.Is(err, ErrNotFound) {
		d, err = s.Open(ctx, tx, Opening{Order: order, Reason: TooLong, Wish: "decision", Text: "The money was held for as long as it may be."})
	}
	if err != nil || d.State == Mediation {
		return err
	}
	if d, err = d.Escalate(); err != nil {
		return err
	}
	_, err = s.keep(ctx, tx, d)
	return err
}
