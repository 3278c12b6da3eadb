package orders

import (
	"context"
	"errors"
	"time"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// ConfirmWithin is how long the buyer of a cash order has to confirm it; its
// goods are reserved as long.
const ConfirmWithin = 72 * time.Hour

const (
	timerConfirm     = "orders.confirm"     // the buyer has not confirmed
	timerUncollected = "orders.uncollected" // nobody says what became of the parcel
)

// collectWithin is how long a cash parcel may be on its way before the operator
// and the seller are told that nobody has said what became of it.
const collectWithin = 15 * 24 * time.Hour

// Confirm says that the buyer of a cash order wants it: its goods leave the
// stock. Confirming twice is harmless.
func (s *Service) Confirm(ctx context.Context, in One) (View, error) {
	return s.act(ctx, in.Order, Confirm, func(tx *pg.Tx, o Order) error {
		if o.Did(Confirm) {
			return nil
		}
		if err := s.step(ctx, tx, o, Confirm); err != nil {
			return err
		}
		return s.Catalogue.Take(ctx, tx, o.ID)
	})
}

// unconfirmed ends a cash order that nobody confirmed in time.
func (s *Service) unconfirmed(ctx context.Context, tx *pg.Tx, order string) error {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 || all[0].State != ToConfirm {
		return err
	}
	o := all[0]
	if _, err := s.Charges.Refuse(ctx, tx, o.ID, "not confirmed in time", false); err != nil {
		return err
	}
	if err := s.step(ctx, tx, o, Lapse); err != nil {
		return err
	}
	if err := s.Catalogue.Unreserve(ctx, tx, o.ID); err != nil {
		return err
	}
	return s.unpaid(ctx, tx, o)
}

// CollectInput says how much was collected at the door.
type CollectInput struct {
	Order  string      `path:"order"`
	Amount money.Money `json:"amount" required:"true" description:"The whole, or less when only a part of the goods was taken."`
}

// Collect says that whoever brought a cash order has the buyer's money: the
// goods are there, and the time for sending them back begins. The money is owed
// by its carrier, and nothing of it is released before it is remitted. The
// seller who sent it says so, or the operator; saying the same twice is
// harmless.
func (s *Service) Collect(ctx context.Context, tx *pg.Tx, in CollectInput) (v View, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, Collect)
	if err != nil {
		return v, err
	}
	if in.Amount.Currency() != o.Currency {
		return v, charges.ErrCash.At("/amount/currency", "the order is in "+o.Currency)
	}
	first := o.State == Shipped
	if first {
		if _, err := o.Do(Collect); err != nil {
			return v, err
		}
	} else if !o.Cash() || o.State != Delivered && o.State != Completed {
		_, err := o.Do(Collect)
		return v, err
	}
	if _, err := s.Charges.Collect(ctx, tx, o.ID, in.Amount.Centimes()); err != nil {
		return v, err
	}
	if first {
		endShipments(tx, o.ID, "cash", who(ctx))
		if err := s.step(ctx, tx, o, Collect); err != nil {
			return v, err
		}
		if err := s.Escrows.Delivered(ctx, tx, o.ID, tx.Now()); err != nil {
			return v, err
		}
		audit.Record(tx, "orders.collect", o.ID, policy, map[string]string{"amount": in.Amount.String()})
	}
	return s.view(ctx, tx, in.Order)
}

// uncollected tells of a cash order that left, and of which nobody has said that
// it was collected or refused. Only people end it: its goods may be lost, or its
// cash kept.
func (s *Service) uncollected(ctx context.Context, tx *pg.Tx, order string) error {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 || all[0].State != Shipped {
		return err
	}
	o := all[0]
	note(ctx, tx, o.ID, "uncollected")
	return tx.Publish(ctx, OrderUncollected{Moved{o.ID, o.Group, o.Seller, o.Buyer}})
}

// RefuseInput says why a cash order was not taken.
type RefuseInput struct {
	Order  string `path:"order"`
	Reason string `json:"reason" required:"true" minLength:"1" maxLength:"200" description:"Such as absent, refused, unreachable, wrong_address. Once the goods have left, the operator says lost, damaged or late: the carrier is to blame, and is not paid."`
}

// carriersFault are the reasons for which a carrier is not paid for bringing
// goods in vain.
var carriersFault = map[string]bool{"lost": true, "damaged": true, "late": true}

// Refuse says that a cash order was not taken at the door, or is given up before
// its goods left: its escrow is voided. Goods that never left are on offer again
// at once, those that did when they have come back (TakeBack). What the carrier
// earned by bringing them in vain is the seller's to pay. At the door
// the seller or the operator says so; before, the buyer too. Refusing twice is
// harmless.
func (s *Service) Refuse(ctx context.Context, tx *pg.Tx, in RefuseInput) (v View, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, Refuse)
	if err != nil {
		return v, err
	}
	if o.Did(Refuse) {
		return s.view(ctx, tx, in.Order)
	}
	next, err := o.Do(Refuse)
	if err != nil {
		return v, err
	}
	if o.State == Shipped && auth.From(ctx).Role == auth.Buyer {
		return v, ErrAtTheDoor
	}
	blamed := o.State == Shipped && carriersFault[in.Reason]
	if blamed && auth.From(ctx).Role != auth.Operator { // the seller would pay for it
		return v, ErrCarrier.At("/reason", ErrCarrier.Text)
	}
	if _, err := s.Charges.Refuse(ctx, tx, o.ID, in.Reason, o.State == Shipped && !blamed); err != nil {
		return v, err
	}
	loseShipments(tx, o.ID)
	switch {
	case o.State == ToConfirm:
		err = s.Catalogue.Unreserve(ctx, tx, o.ID)
	case o.State != Shipped:
		err = s.Catalogue.Return(ctx, tx, o.ID)
	case in.Reason != "lost":
		o.ComesBack = Awaited
	}
	if err != nil {
		return v, err
	}
	audit.Record(tx, "orders.refuse", next.ID, policy, map[string]string{"reason": in.Reason})
	if err := s.step(ctx, tx, o, Refuse); err != nil {
		return v, err
	}
	if err := s.unpaid(ctx, tx, o); err != nil {
		return v, err
	}
	return s.view(ctx, tx, in.Order)
}

// TakeBackInput says which goods came back so that they can be sold again.
type TakeBackInput struct {
	Order   string   `path:"order"`
	Restock []Wanted `json:"restock,omitempty" maxItems:"100" description:"What came back as it had left; it is on offer again. Left out: all of it; an empty list: none."`
}

// TakeBack says that the goods of an order that was refused at the door are in the
// seller's hands again, and puts those that are whole on offer. The seller says
// so, or the operator. Saying it twice is harmless; what is on its way to nobody
// is ErrState, more of an article than left ErrReturnLines.
func (s *Service) TakeBack(ctx context.Context, tx *pg.Tx, in TakeBackInput) (v View, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, TakeBack)
	switch {
	case err != nil:
		return v, err
	case o.ComesBack == Back:
		return s.view(ctx, tx, in.Order)
	case o.ComesBack != Awaited:
		return v, ErrState.Say("Nothing of this order is on its way back.")
	}
	if in.Restock == nil {
		err = s.Catalogue.Return(ctx, tx, o.ID)
	} else {
		err = s.restockSome(ctx, tx, o, in.Restock)
	}
	if err != nil {
		return v, err
	}
	o.ComesBack = Back
	o.Version++
	save(tx, o)
	note(ctx, tx, o.ID, "came_back")
	audit.Record(tx, "orders.take_back", o.ID, policy, map[string]string{"order": o.ID})
	return s.view(ctx, tx, in.Order)
}

func (s *Service) restockSome(ctx context.Context, tx *pg.Tx, o Order, whole []Wanted) error {
	lines, err := orderLines(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	left := map[string]int{}
	for _, l := range lines {
		left[l.Variant] += l.Quantity
	}
	again, err := sellable(left, whole)
	if err != nil {
		return err
	}
	return s.Catalogue.Restock(ctx, tx, o.ID, again)
}

// receiveUnremitted keeps the buyer's acceptance of a cash order until its money
// has come.
func (s *Service) receiveUnremitted(ctx context.Context, tx *pg.Tx, o Order) error {
	o.Received = true
	o.Version++
	save(tx, o)
	note(ctx, tx, o.ID, told[Receive])
	return nil
}

// remitted lets the money of a cash order go that its buyer has accepted. While
// a case is open it stays; the end of the case lets it go.
func (s *Service) remitted(ctx context.Context, tx *pg.Tx, e charges.CashRemitted) error {
	all, err := lockOrders(ctx, tx, []string{e.Order})
	if err != nil || len(all) == 0 {
		return err
	}
	o := all[0]
	note(ctx, tx, o.ID, "remitted")
	if !o.Received || o.Settled || o.State != Delivered {
		return nil
	}
	if err := s.release(ctx, tx, o.ID); err != nil {
		if errors.Is(err, escrow.ErrFrozen) {
			return nil
		}
		return err
	}
	return s.step(ctx, tx, o, Settle)
}
