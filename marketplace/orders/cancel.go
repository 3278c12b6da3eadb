package orders

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// How long sellers have: to accept a paid order, and to ship an accepted one
// besides the days that its goods are made, after which its buyer is told and,
// later, it is cancelled by itself.
const (
	acceptWithin = 48 * time.Hour
	shipWithin   = 96 * time.Hour
	cancelAfter  = 192 * time.Hour
)

const (
	timerSilent    = "orders.silent"    // the seller has said nothing
	timerLate      = "orders.late"      // the goods have not left
	timerUnshipped = "orders.unshipped" // nor will they
)

// Timers registers the timers of orders. Each re-checks what it finds.
func Timers(t *job.Timers, s *Service) {
	t.Handle(timerSilent, func(ctx context.Context, tx *pg.Tx, order string) error {
		return s.overdue(ctx, tx, timerSilent, order, "seller_silent", Paid, Confirmed)
	})
	t.Handle(timerUnshipped, func(ctx context.Context, tx *pg.Tx, order string) error {
		return s.overdue(ctx, tx, timerUnshipped, order, "not_shipped", Accepted)
	})
	t.Handle(timerLate, s.late)
	t.Handle(timerReturn, s.returnDue)
	t.Handle(timerRest, s.restLate)
	t.Handle(timerConfirm, s.unconfirmed)
	t.Handle(timerUncollected, s.uncollected)
	t.Handle(timerRemind, s.remind)
	t.Handle(timerUnopened, s.unopened)
}

// CancelInput says why an order is cancelled.
type CancelInput struct {
	Order  string `path:"order"`
	Reason string `json:"reason" required:"true" minLength:"1" maxLength:"500"`
}

// Cancel ends an order that was not shipped: what is held for it goes back to
// the buyer and its goods into stock. The buyer calls it, the seller who refuses
// the order, and the operator. One of which something was released is
// ErrReleased, whoever asks. Cancelling twice is harmless.
func (s *Service) Cancel(ctx context.Context, tx *pg.Tx, in CancelInput) (v View, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, Cancel)
	if err != nil {
		return v, err
	}
	if !o.Did(Cancel) {
		if err := s.cancel(ctx, tx, o, in.Reason); err != nil {
			return v, err
		}
		audit.Record(tx, "orders.cancel", o.ID, policy, map[string]string{"reason": in.Reason})
	}
	return s.view(ctx, tx, in.Order)
}

// cancel cancels an order as a whole. Of one that is paid in cash nothing has
// come yet: its escrow is voided, and nothing is refunded.
func (s *Service) cancel(ctx context.Context, tx *pg.Tx, o Order, reason string) error {
	if _, err := o.Do(Cancel); err != nil { // before any money moves
		return err
	}
	if err := s.untouched(ctx, tx, o); err != nil {
		return err
	}
	if err := s.inTime(ctx, tx, o); err != nil {
		return err
	}
	if o.Cash() {
		if _, err := s.Charges.Refuse(ctx, tx, o.ID, reason, false); err != nil {
			return err
		}
		return s.cancelled(ctx, tx, o)
	}
	h, err := s.hold(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	if h.Released > 0 {
		return ErrReleased
	}
	if _, err := s.giveBack(ctx, tx, h, escrow.Back{Amount: h.Held(), Delivery: true, HeldOnly: true}, reason); err != nil {
		return err
	}
	return s.cancelled(ctx, tx, o)
}

// cancelled ends an order whose money is on its way back: its goods are free
// again.
func (s *Service) cancelled(ctx context.Context, tx *pg.Tx, o Order) (err error) {
	if o.State == ToConfirm {
		err = s.Catalogue.Unreserve(ctx, tx, o.ID)
	} else {
		err = s.Catalogue.Return(ctx, tx, o.ID)
	}
	if err != nil {
		return err
	}
	if o.Digital != "" {
		if err := s.Digital.Close(ctx, tx, o.ID, true); err != nil {
			return err
		}
	}
	if o.Cash() { // nothing was paid
		if err := s.unpaid(ctx, tx, o); err != nil {
			return err
		}
	}
	return s.step(ctx, tx, o, Cancel)
}

// hold locks an order's escrow, and its charge before it: partners' words come
// by the charge.
func (s *Service) hold(ctx context.Context, tx *pg.Tx, order string) (escrow.Hold, error) {
	holds, err := s.Escrows.OfOrders(ctx, tx, []string{order})
	if err != nil {
		return escrow.Hold{}, err
	}
	if err := s.Charges.Lock(ctx, tx, holds[order].Charge); err != nil {
		return escrow.Hold{}, err
	}
	return s.Escrows.LockOrder(ctx, tx, order)
}

// giveBack takes money out of an order's escrow and sends it to the buyer.
func (s *Service) giveBack(ctx context.Context, tx *pg.Tx, h escrow.Hold, b escrow.Back, reason string) (charges.Refund, error) {
	b.Order = h.Order
	if b.Refund == "" {
		b.Refund = id.New(id.Refund)
	}
	if _, err := s.Escrows.TakeBack(ctx, tx, b); err != nil {
		return charges.Refund{}, err
	}
	note(ctx, tx, h.Order, "refund")
	return s.Charges.Refund(ctx, tx, charges.RefundOrder{
		ID: b.Refund, Order: h.Order, Charge: h.Charge, Amount: money.FromCentimes(b.Amount, h.Currency), Reason: reason, By: who(ctx),
	})
}

// patience is how long a timer waits for a case about its order to end.
const patience = time.Hour

// overdue cancels an order that still stands where its seller should have moved
// it on from. While a case is open it waits. One of which something was released
// is for people: its buyer, its seller and the operator are told.
func (s *Service) overdue(ctx context.Context, tx *pg.Tx, timer, order, reason string, still ...State) error {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 || !slices.Contains(still, all[0].State) {
		return err
	}
	h, err := s.hold(ctx, tx, order)
	if err != nil {
		return err
	}
	gone := !all[0].Cash() && h.Held() == 0 && h.Released == 0 // on its way back: its end ends the order
	if len(h.Cases) > 0 || gone {
		job.Set(tx, timer, order, tx.Now().Add(patience))
		return nil
	}
	err = s.cancel(ctx, tx, all[0], reason)
	switch {
	case errors.Is(err, escrow.ErrFrozen):
		job.Set(tx, timer, order, tx.Now().Add(patience))
		return nil
	case errors.Is(err, ErrReleased):
		o := all[0]
		slog.WarnContext(ctx, "an order is not served, and its money was released", "order", o.ID, "seller", o.Seller, "why", reason)
		note(ctx, tx, o.ID, "unserved")
		return tx.Publish(ctx, OrderUnserved{Moved{o.ID, o.Group, o.Seller, o.Buyer}, o.State})
	}
	return err
}

// late tells the buyer that the goods have not left, and that the order may be
// cancelled.
func (s *Service) late(ctx context.Context, tx *pg.Tx, order string) error {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 || all[0].State != Accepted {
		return err
	}
	o := all[0]
	note(ctx, tx, o.ID, "late")
	return tx.Publish(ctx, OrderLate{Moved{o.ID, o.Group, o.Seller, o.Buyer}})
}

// watch sets the timers of what an order has come to, and clears those of what
// it has left.
func watch(tx *pg.Tx, o Order) {
	switch o.State {
	case Paid, Confirmed:
		job.Clear(tx, timerConfirm, o.ID)
		if !o.Waits {
			job.Set(tx, timerSilent, o.ID, tx.Now().Add(acceptWithin))
		}
	case Accepted:
		job.Clear(tx, timerSilent, o.ID)
		job.Set(tx, timerLate, o.ID, o.promised())
		job.Set(tx, timerUnshipped, o.ID, o.promised().Add(cancelAfter-shipWithin))
	case Shipped, Delivered, Cancelled, Refunded, Refused:
		for _, t := range []string{timerConfirm, timerSilent, timerLate, timerUnshipped, timerUncollected, timerRemind, timerUnopened} {
			job.Clear(tx, t, o.ID)
		}
		if o.State == Shipped && o.Cash() {
			job.Set(tx, timerUncollected, o.ID, tx.Now().Add(collectWithin))
		}
	}
}
