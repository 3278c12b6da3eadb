package orders

import (
	"context"
	"slices"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Placed says that a buyer checked out.
type Placed struct {
	Group  string   `json:"group"`
	Buyer  string   `json:"buyer"`
	Orders []string `json:"orders"`
}

// EventType names the event.
func (Placed) EventType() string { return "orders.placed" }

// Subject is the group.
func (e Placed) Subject() string { return e.Group }

// Moved is what is told of an order that went on.
type Moved struct {
	Order  string `json:"order"`
	Group  string `json:"group"`
	Seller string `json:"seller"`
	Buyer  string `json:"buyer"`
}

// Subject is the order.
func (e Moved) Subject() string { return e.Order }

// The events of an order's life.
type (
	OrderPaid      struct{ Moved } // the buyer paid
	OrderExpired   struct{ Moved } // the buyer did not pay in time
	OrderAccepted  struct{ Moved } // the seller will serve it
	OrderShipped   struct{ Moved } // the goods are on their way
	OrderDelivered struct{ Moved } // the goods are there, by proof
	OrderCompleted struct{ Moved } // the buyer has the goods, the seller the money
	OrderRefunded  struct{ Moved } // all the money went back
	OrderConfirmed struct{ Moved } // the buyer of a cash order wants it
	OrderRefused   struct{ Moved } // a cash order was not taken
	OrderCancelled struct{ Moved } // before it was shipped
	OrderLate      struct{ Moved } // accepted, and not shipped in time: its buyer may cancel

	// OrderUnserved is an alert: an order was not served in time, and some of its
	// money was released already. It cannot be cancelled; people decide.
	OrderUnserved struct {
		Moved
		State State `json:"state"`
	}

	// OrderUncollected is an alert: a cash order left long ago, and nobody says
	// what became of it.
	OrderUncollected struct{ Moved }
)

// ShipmentMoved says that a parcel went on.
type ShipmentMoved struct {
	Moved
	Shipment string        `json:"shipment"`
	State    ShipmentState `json:"state"`
	Attempts int           `json:"attempts"` // how often it was brought in vain
}

// EventType names the event.
func (ShipmentMoved) EventType() string { return "orders.shipment_moved" }

// OrderPreparing says that the seller packs an order.
type OrderPreparing struct{ Moved }

// EventType names the event.
func (OrderPreparing) EventType() string { return "orders.preparing" }

// InvoiceIssued says that a seller's invoice was made, or a credit note.
type InvoiceIssued struct {
	Moved
	Invoice string `json:"invoice"`
	Kind    string `json:"kind"`
	Number  string `json:"number"`
}

// EventType names the event.
func (InvoiceIssued) EventType() string { return "orders.invoice_issued" }

// ReviewMoved says that a review was written, answered, hidden or shown again.
type ReviewMoved struct {
	Review  string `json:"review"`
	Order   string `json:"order"`
	Offer   string `json:"offer"`
	Seller  string `json:"seller"`
	Buyer   string `json:"buyer"`
	Stars   int    `json:"stars"`
	State   string `json:"state"`
	Replied bool   `json:"replied"`
}

// EventType names the event.
func (ReviewMoved) EventType() string { return "orders.review_moved" }

// Subject is the review.
func (e ReviewMoved) Subject() string { return e.Review }

// MessageSent says that somebody wrote to the other side of an order.
type MessageSent struct {
	Moved
	Message string `json:"message"`
	Sender  string `json:"sender"`
}

// EventType names the event.
func (MessageSent) EventType() string { return "orders.message_sent" }

// ReturnMoved says that goods on their way back went on.
type ReturnMoved struct {
	Moved
	Return string      `json:"return"`
	State  ReturnState `json:"state"`
	Waits  string      `json:"waits"` // for what its money waits, as for the operator
	Over   bool        `json:"over"`  // the order's money goes its way again
}

// EventType names the event.
func (ReturnMoved) EventType() string { return "orders.return_moved" }

// EventType names the event.
func (OrderPaid) EventType() string { return "orders.paid" }

// EventType names the event.
func (OrderExpired) EventType() string { return "orders.expired" }

// EventType names the event.
func (OrderAccepted) EventType() string { return "orders.accepted" }

// EventType names the event.
func (OrderShipped) EventType() string { return "orders.shipped" }

// EventType names the event.
func (OrderDelivered) EventType() string { return "orders.delivered" }

// EventType names the event.
func (OrderCompleted) EventType() string { return "orders.completed" }

// EventType names the event.
func (OrderRefunded) EventType() string { return "orders.refunded" }

// EventType names the event.
func (OrderConfirmed) EventType() string { return "orders.confirmed" }

// EventType names the event.
func (OrderRefused) EventType() string { return "orders.refused" }

// EventType names the event.
func (OrderCancelled) EventType() string { return "orders.cancelled" }

// EventType names the event.
func (OrderLate) EventType() string { return "orders.late" }

// EventType names the event.
func (OrderUnserved) EventType() string { return "orders.unserved" }

// EventType names the event.
func (OrderUncollected) EventType() string { return "orders.uncollected" }

// TermsChanged says that the market's own terms change on a day: what delivery
// costs, or up to what orders may be paid how.
type TermsChanged struct {
	What   string `json:"what"`
	Method string `json:"method"`
	Seller string `json:"seller,omitempty"`
	Since  string `json:"since"`
}

// EventType names the event.
func (TermsChanged) EventType() string { return "orders.terms_changed" }

// Subject is what changes.
func (e TermsChanged) Subject() string { return e.What }

// news is the event of the state that an order came to.
func news(o Order) pg.Event {
	m := Moved{o.ID, o.Group, o.Seller, o.Buyer}
	switch o.State {
	case Paid:
		return OrderPaid{m}
	case Expired:
		return OrderExpired{m}
	case Accepted:
		return OrderAccepted{m}
	case Shipped:
		return OrderShipped{m}
	case Delivered:
		return OrderDelivered{m}
	case Refunded:
		return OrderRefunded{m}
	case Confirmed:
		return OrderConfirmed{m}
	case Refused:
		return OrderRefused{m}
	case Cancelled:
		return OrderCancelled{m}
	default:
		return OrderCompleted{m}
	}
}

// AgreementKept says that an order by an agreement is paid, or confirmed when it
// is paid at the door: nobody waits for it any more.
type AgreementKept struct{ Moved }

// EventType names the event.
func (AgreementKept) EventType() string { return "orders.agreement_kept" }

// OrderOpened says that a buyer opened files or codes of an order: these, or all.
type OrderOpened struct {
	Moved
	Variants []string `json:"variants"`
}

// EventType names the event.
func (OrderOpened) EventType() string { return "orders.opened" }

// OrderUnopened says that files and codes wait for a buyer who has not opened them.
type OrderUnopened struct{ Moved }

// EventType names the event.
func (OrderUnopened) EventType() string { return "orders.unopened" }

// Subscribe has orders hear of the money.
func Subscribe(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "orders", s.paid)
	event.Subscribe(bus, "orders", s.lapsed)
	event.Subscribe(bus, "orders", s.released)
	event.Subscribe(bus, "orders", s.returned)
	event.Subscribe(bus, "orders", s.remitted)
	event.Subscribe(bus, "orders", s.corrected)
}

// paid takes the goods out of stock for orders whose charge is confirmed. The
// money of an order that expired before is for payments to send back.
func (s *Service) paid(ctx context.Context, tx *pg.Tx, e charges.Paid) error {
	all, err := lockOrders(ctx, tx, e.Orders)
	if err != nil {
		return err
	}
	for _, o := range all {
		switch o.State {
		case PendingPayment:
			if err := s.Catalogue.Take(ctx, tx, o.ID); err != nil { // stock is locked before a group
				return err
			}
			if err := s.step(ctx, tx, o, Pay); err != nil {
				return err
			}
			if err := s.ready(ctx, tx, o); err != nil {
				return err
			}
		case Expired:
			note(ctx, tx, o.ID, "paid_late")
		}
	}
	return nil
}

// lapsed puts the goods of orders that will not be paid back on offer.
func (s *Service) lapsed(ctx context.Context, tx *pg.Tx, e charges.Lapsed) error {
	all, err := lockOrders(ctx, tx, e.Orders)
	if err != nil {
		return err
	}
	var ended []Order
	for _, o := range all {
		if o.State != PendingPayment {
			continue
		}
		ended = append(ended, o)
		if err := s.Catalogue.Unreserve(ctx, tx, o.ID); err != nil {
			return err
		}
		if err := s.step(ctx, tx, o, Lapse); err != nil {
			return err
		}
	}
	return s.unpaid(ctx, tx, ended...)
}

// released completes an order of which nothing is held any more. One that has
// not been sent yet goes on, and completes when it arrives.
func (s *Service) released(ctx context.Context, tx *pg.Tx, e escrow.Let) error {
	if !e.Whole {
		return nil
	}
	all, err := lockOrders(ctx, tx, []string{e.Order})
	if err != nil || len(all) == 0 || all[0].Settled {
		return err
	}
	o := all[0]
	o.Settled = true
	if o.State == Shipped || o.State == Delivered {
		return s.step(ctx, tx, o, Settle)
	}
	save(tx, o)
	return nil
}

// returned ends an order whose money all went back to its buyer, unless it was
// cancelled for that.
func (s *Service) returned(ctx context.Context, tx *pg.Tx, e escrow.Ended) error {
	if e.State != escrow.Refunded {
		return nil
	}
	all, err := lockOrders(ctx, tx, []string{e.Order})
	if err != nil || len(all) == 0 {
		return err
	}
	o := all[0]
	o.Settled = true
	if o.Digital != "" {
		if err := s.Digital.Close(ctx, tx, o.ID, false); err != nil {
			return err
		}
	}
	if slices.Contains(moves[Return].from, o.State) {
		return s.step(ctx, tx, o, Return)
	}
	save(tx, o)
	return s.follow(ctx, tx, o)
}
