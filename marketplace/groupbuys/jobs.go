package groupbuys

import (
	"context"
	"time"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// frozen is how long the difference to a lower price waits for a case about its
// order to end, before it is looked at again.
const frozen = time.Hour

const (
	timerClose = "group_buys.close" // by group buy: its deadline, or all is sold
	timerCarry = "group_buys.carry" // by order: what was decided is done
)

// Work registers the timers of group buys, whose orders are o's.
func (s *Service) Work(t *job.Timers, o Orders) {
	s.orders = o
	t.Handle(timerClose, s.close)
	t.Handle(timerCarry, s.carry)
}

// close decides what becomes of a group buy. While payments are on their way it
// looks again when they have come, and at the latest when the grace is over.
func (s *Service) close(ctx context.Context, tx *pg.Tx, group string) error {
	g, err := lock(ctx, tx, group)
	if err != nil {
		return err
	}
	if g.State == Asked { // its seller has said nothing
		if tx.Now().Before(g.Deadline) {
			job.Set(tx, timerClose, g.ID, g.Deadline)
			return nil
		}
		g, _ = g.do(Decline)
		g.Why = "silent"
		_, err := s.keep(ctx, tx, g)
		return err
	}
	if !g.Gathers() {
		return nil
	}
	sellers, err := s.Sellers.Sellers(ctx, tx, []string{g.Seller})
	if err != nil {
		return err
	}
	next, done := g.Decide(tx.Now(), sellers[g.Seller].Active)
	if !done {
		again := g.Deadline
		if !tx.Now().Before(again) {
			again = again.Add(Grace)
		}
		job.Set(tx, timerClose, g.ID, again)
		return nil
	}
	_, err = s.decided(ctx, tx, next)
	return err
}

// decided has what was decided done, for each order by itself.
func (s *Service) decided(ctx context.Context, tx *pg.Tx, g GroupBuy) (GroupBuy, error) {
	job.Clear(tx, timerClose, g.ID)
	if g.Buyers > 0 {
		all, err := seated(ctx, tx, g.ID)
		if err != nil {
			return g, err
		}
		var due job.Times
		for _, order := range all {
			due.Add(order, tx.Now())
		}
		job.SetAll(tx, timerCarry, due)
	}
	return s.keep(ctx, tx, g)
}

// carry does for one order what was decided on its group. Each part of it that
// was done is not done again.
func (s *Service) carry(ctx context.Context, tx *pg.Tx, order string) error {
	g, st, err := seatOf(ctx, tx, order)
	switch {
	case err != nil:
		return err
	case st.State == Late || st.State == Seated && g.State == Failed:
		return s.orders.CallOff(ctx, tx, timerCarry, order, reason(g, st))
	case g.Final == nil || st.Squared:
		return nil
	}
	if st.State == Seated {
		if went, err := s.orders.Proceed(ctx, tx, order); err != nil || !went {
			return err
		}
	}
	paid, err := s.orders.PayBack(ctx, tx, order, int64(st.Quantity)*(g.Price-*g.Final))
	if err != nil {
		return err
	}
	if paid.Waits { // for a case about the order to end
		job.Set(tx, timerCarry, order, tx.Now().Add(frozen))
	}
	return s.sent(ctx, tx, order, paid.Centimes, !paid.Waits)
}

// reason is why the order of a seat is cancelled.
func reason(g GroupBuy, s Seat) string {
	switch {
	case s.State == Late:
		return "group_closed"
	case g.Why == missed:
		return "group_missed"
	}
	return "group_cancelled"
}

// sent writes down that an order is with its seller, and what was paid back. The
// seat is locked after its order, as everywhere.
func (s *Service) sent(ctx context.Context, tx *pg.Tx, order string, back int64, squared bool) error {
	_, st, err := lockSeat(ctx, tx, "order_id", order)
	if err != nil {
		return err
	}
	if st.State == Seated {
		at := tx.Now()
		st.State, st.GoneOn = Going, &at
	}
	st.PaidBack, st.Squared = back, squared
	saveSeat(tx, st)
	return nil
}
