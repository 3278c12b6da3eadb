package orders

import (
	"context"
	"errors"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// One names an order.
type One struct {
	Order string `path:"order"`
}

// ShipInput says how the goods travel.
type ShipInput struct {
	Order    string `path:"order"`
	Carrier  string `json:"carrier" required:"true" minLength:"1" maxLength:"100"`
	Tracking string `json:"tracking" required:"true" minLength:"1" maxLength:"100"`
}

// DeliverInput proves a delivery.
type DeliverInput struct {
	Order string `path:"order"`
	Code  string `json:"code" required:"true" minLength:"1" maxLength:"20" description:"The four digits that the buyer has."`
}

// Accept says that the seller will serve a paid order. Accepting twice is
// harmless.
func (s *Service) Accept(ctx context.Context, in One) (View, error) {
	return s.act(ctx, in.Order, Accept, func(tx *pg.Tx, o Order) error {
		if o.Did(Accept) {
			return nil
		}
		if o.Digital == All {
			return s.handOver(ctx, tx, o)
		}
		if o.Digital == Some {
			if err := s.hand(ctx, tx, o); err != nil {
				return err
			}
		}
		return s.step(ctx, tx, o, Accept)
	})
}

// Ship says that the goods left, and how. Saying the same twice is harmless.
func (s *Service) Ship(ctx context.Context, in ShipInput) (View, error) {
	return s.act(ctx, in.Order, Ship, func(tx *pg.Tx, o Order) error {
		if o.Did(Ship) {
			if o.Carrier == in.Carrier && o.Tracking == in.Tracking {
				return nil
			}
			return ErrShipped
		}
		_, _, err := s.pack(ctx, tx, o, Shipment{Method: "carrier", Carrier: in.Carrier, Tracking: in.Tracking}, nil)
		return err
	})
}

// Deliver proves by the buyer's code that the goods arrived. It starts the
// time after which the money goes; it never lets the money go itself. Five
// wrong codes close this way.
func (s *Service) Deliver(ctx context.Context, in DeliverInput) (View, error) {
	var refused error
	v, err := s.act(ctx, in.Order, Deliver, func(tx *pg.Tx, o Order) (err error) {
		refused = nil // the unit of work may run again
		if o.Digital == All {
			return ErrByBuyer
		}
		did := o.Did(Deliver)
		if !did {
			if _, err := o.Do(Deliver); err != nil {
				return err
			}
		}
		if err := s.together(ctx, tx, o); err != nil {
			return err
		}
		tried, err := o.Prove(in.Code)
		switch {
		case err != nil && did:
			return ErrState.Say("This order was delivered already.")
		case err != nil && tried.CodeTries != o.CodeTries:
			refused = err // the try itself is kept
			save(tx, tried)
			note(ctx, tx, o.ID, "wrong_code")
			return nil
		case err != nil || did:
			return err
		}
		endShipments(tx, o.ID, "code", who(ctx))
		if err := s.step(ctx, tx, o, Deliver); err != nil || o.Settled {
			return err
		}
		return s.Escrows.Delivered(ctx, tx, o.ID, tx.Now())
	})
	if refused != nil {
		return View{}, refused
	}
	return v, err
}

// Receive is the buyer's acceptance of the goods: it lets all the money of the
// order go. Receiving twice is harmless.
func (s *Service) Receive(ctx context.Context, tx *pg.Tx, in One) (v View, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, Receive)
	if err != nil {
		return v, err
	}
	if !o.Did(Receive) && !o.Received {
		if err := s.receive(ctx, tx, o); err != nil {
			return v, err
		}
		audit.Record(tx, "orders.receive", o.ID, policy, nil)
	}
	return s.view(ctx, tx, in.Order)
}

func (s *Service) receive(ctx context.Context, tx *pg.Tx, o Order) error {
	if _, err := o.Do(Receive); err != nil { // before any money moves
		return err
	}
	if !o.Settled {
		err := s.release(ctx, tx, o.ID)
		if errors.Is(err, escrow.ErrCash) {
			return s.receiveUnremitted(ctx, tx, o)
		}
		if err != nil {
			return err
		}
	}
	endShipments(tx, o.ID, "buyer", who(ctx))
	return s.step(ctx, tx, o, Receive)
}

// together refuses an order that does not travel in one parcel.
func (s *Service) together(ctx context.Context, tx *pg.Tx, o Order) error {
	all, err := shipmentsOf(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	more, err := s.unsent(ctx, tx, o.ID)
	if err == nil && (more || len(all) > 1) {
		err = ErrParcels
	}
	return err
}

// release lets go what is held, unless all of it went already and the news of
// it is on its way.
func (s *Service) release(ctx context.Context, tx *pg.Tx, order string) error {
	_, err := s.Escrows.ReleaseOrder(ctx, tx, order)
	if !errors.Is(err, escrow.ErrState) {
		return err
	}
	holds, herr := s.Escrows.OfOrders(ctx, tx, []string{order})
	if herr != nil {
		return herr
	}
	if h := holds[order]; h.State == escrow.Released || h.State == escrow.Closed && h.Released > 0 {
		return nil
	}
	return err
}

// act locks an order, asks whether the caller may move it, and shows it as it
// stands afterwards.
func (s *Service) act(ctx context.Context, order string, m Move, do func(tx *pg.Tx, o Order) error) (View, error) {
	err := s.db.InTx(ctx, func(tx *pg.Tx) error {
		o, policy, err := s.lock(ctx, tx, order, m)
		if err != nil {
			return err
		}
		if err := do(tx, o); err != nil {
			return err
		}
		audit.Record(tx, "orders."+string(m), o.ID, policy, nil)
		return nil
	})
	if err != nil {
		return View{}, err
	}
	return s.view(ctx, s.db, order)
}

// lock locks an order for a move of the caller's. To strangers there is no
// such order.
func (s *Service) lock(ctx context.Context, tx *pg.Tx, order string, m Move) (o Order, policy string, err error) {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil {
		return o, "", err
	}
	if len(all) == 0 {
		return o, "", ErrNotFound
	}
	policy, err = s.may(ctx, "orders."+string(m), all[0].Seller, all[0].Buyer, ErrNotFound)
	if p := auth.From(ctx); err == nil && p.Role == auth.Courier {
		if of, err := orderOfShipment(ctx, tx, p.Key); err != nil || of != order {
			return o, "", ErrNotFound
		}
	}
	return all[0], policy, err
}

// step moves an order, keeps it, and tells of it.
func (s *Service) step(ctx context.Context, tx *pg.Tx, o Order, m Move) error {
	o, err := o.Do(m)
	if err != nil {
		return err
	}
	if o.DeliveredAt == nil && (o.State == Delivered || o.State == Completed) {
		at := tx.Now()
		o.DeliveredAt = &at
		if err := s.issue(ctx, tx, o); err != nil {
			return err
		}
	}
	o = o.promise(tx.Now())
	save(tx, o)
	watch(tx, o)
	if err := s.follow(ctx, tx, o); err != nil {
		return err
	}
	note(ctx, tx, o.ID, told[m])
	if o.Agreed && (m == Pay || m == Confirm) {
		if err := tx.Publish(ctx, AgreementKept{Moved{o.ID, o.Group, o.Seller, o.Buyer}}); err != nil {
			return err
		}
	}
	return tx.Publish(ctx, news(o))
}

// told is how a move stands in the timeline.
var told = map[Move]string{
	Pay: "paid", Lapse: "expired", Accept: "accepted", Ship: "shipped", Deliver: "delivered", Receive: "received", Settle: "completed", Return: "refunded", Cancel: "cancelled",
	Confirm: "confirmed", Collect: "collected", Refuse: "refused",
}

// who is how the caller stands in the timeline: by role, for the other side
// reads it too.
func who(ctx context.Context) string { return string(auth.From(ctx).Role) }

// An Entry is one line of an order's timeline.
type Entry struct {
	At    time.Time `json:"at" required:"true"`
	Actor string    `json:"actor" required:"true" description:"The role of who did it."`
	What  string    `json:"what" required:"true"`
}
