package orders

import (
	"context"
	"slices"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// timerRest is when the rest of an order should have left, by order.
const timerRest = "orders.rest"

// Prepare says that the seller is packing an order. It is told to the buyer and
// changes nothing else. Saying it twice is harmless.
func (s *Service) Prepare(ctx context.Context, tx *pg.Tx, in One) (v View, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, "prepare")
	if err != nil {
		return v, err
	}
	if o.State != Accepted {
		return v, ErrState.Say("This order is %s; to prepare it, it must be accepted.", words(o.State)).At("/state", string(o.State))
	}
	if o.PreparingAt == nil {
		at := tx.Now()
		o.PreparingAt = &at
		o.Version++
		save(tx, o)
		note(ctx, tx, o.ID, "preparing")
		audit.Record(tx, "orders.prepare", o.ID, policy, nil)
		if err := tx.Publish(ctx, OrderPreparing{Moved{o.ID, o.Group, o.Seller, o.Buyer}}); err != nil {
			return v, err
		}
	}
	return s.view(ctx, tx, in.Order)
}

// SendParcel says that some of an order left, or all that had not. With the first
// parcel the order is on its way; a cash order leaves in one.
func (s *Service) SendParcel(ctx context.Context, tx *pg.Tx, in ParcelInput) (v ShipmentView, err error) {
	o, policy, err := s.lock(ctx, tx, in.Order, "ship_part")
	if err != nil {
		return v, err
	}
	if in.Method == "carrier" && in.Carrier == "" {
		return v, ErrShipmentLines.At("/carrier", "Say which carrier has it.")
	}
	sh, lines, err := s.pack(ctx, tx, o, Shipment{Method: in.Method, Carrier: in.Carrier, Tracking: in.Tracking}, in.Lines)
	if err != nil {
		return v, err
	}
	audit.Record(tx, "orders.ship_part", sh.ID, policy, map[string]string{"order": o.ID})
	return sh.view(lines, nil), nil
}

// pack writes a parcel down. The first has the order leave.
func (s *Service) pack(ctx context.Context, tx *pg.Tx, o Order, sh Shipment, want []Wanted) (Shipment, []Wanted, error) {
	if o.State != Accepted && o.State != Shipped {
		_, err := o.Do(Ship)
		return sh, nil, err
	}
	if o.Digital == All {
		return sh, nil, ErrByBuyer
	}
	bought, err := orderLines(ctx, tx, o.ID)
	if err != nil {
		return sh, nil, err
	}
	bought = slices.DeleteFunc(bought, boughtLine.digital)
	before, err := sentOff(ctx, tx, o.ID)
	if err != nil {
		return sh, nil, err
	}
	earlier, err := shipmentsOf(ctx, tx, o.ID)
	if err != nil {
		return sh, nil, err
	}
	lines, all, err := packed(bought, before, want)
	switch {
	case err != nil:
		return sh, nil, err
	case len(lines) == 0:
		return sh, nil, ErrShipmentState.Say("All of this order has left already.")
	case o.Cash() && !all:
		return sh, nil, ErrOneParcel
	}
	sh.ID, sh.Order, sh.Place, sh.State, sh.ShippedAt = id.New(id.Shipment), o.ID, len(earlier)+1, OnItsWay, tx.Now()
	if sh.Place > 1 {
		sh.Code = newCode() // whoever brought the first has heard the order's
	}
	insertShipment(tx, sh, lines)
	if all {
		job.Clear(tx, timerRest, o.ID)
	} else {
		job.Set(tx, timerRest, o.ID, later(o.promised(), tx.Now().Add(shipWithin)))
	}
	if o.State == Accepted {
		o.Carrier, o.Tracking = sh.Carrier, sh.Tracking
		if err := s.step(ctx, tx, o, Ship); err != nil {
			return sh, nil, err
		}
		if err := s.Escrows.Shipped(ctx, tx, o.ID, tx.Now()); err != nil {
			return sh, nil, err
		}
	} else {
		note(ctx, tx, o.ID, "shipped")
	}
	return sh, lines, s.tellShipment(ctx, tx, o, sh)
}

func (s *Service) tellShipment(ctx context.Context, tx *pg.Tx, o Order, sh Shipment) error {
	return tx.Publish(ctx, ShipmentMoved{Moved{o.ID, o.Group, o.Seller, o.Buyer}, sh.ID, sh.State, sh.Attempts})
}

// parcel locks the order of a parcel for something that the caller does with it.
func (s *Service) parcel(ctx context.Context, tx *pg.Tx, shipment, action string) (o Order, all []Shipment, at int, policy string, err error) {
	order, err := orderOfShipment(ctx, tx, shipment)
	if err != nil {
		return o, nil, 0, "", err
	}
	locked, err := lockOrders(ctx, tx, []string{order})
	if err != nil {
		return o, nil, 0, "", err
	}
	o = locked[0]
	if policy, err = s.may(ctx, action, o.Seller, o.Buyer, ErrNoShipment); err != nil {
		return o, nil, 0, "", err
	}
	if p := auth.From(ctx); p.Role == auth.Courier && p.Key != shipment {
		return o, nil, 0, "", ErrNoShipment
	}
	all, err = shipmentsOf(ctx, tx, order)
	at = slices.IndexFunc(all, func(sh Shipment) bool { return sh.ID == shipment })
	return o, all, at, policy, err
}

// BringParcel says that a parcel came, with its proof: the buyer's code, or a
// photograph and the place. A wrong code counts, though it is refused. With the
// last parcel the order is delivered.
func (s *Service) BringParcel(ctx context.Context, k *rest.Keep, in BringInput) (v ShipmentView, err error) {
	var refused error
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		o, all, i, policy, err := s.parcel(ctx, tx, in.Shipment, "shipments.deliver")
		if err != nil {
			return err
		}
		if there, err := k.Recall(ctx, tx); there || err != nil {
			return err
		}
		if refused, err = s.bring(ctx, tx, o, all, i, in); err != nil || refused != nil {
			return err
		}
		audit.Record(tx, "shipments.deliver", in.Shipment, policy, map[string]string{"order": o.ID, "proof": all[i].Proof})
		f, err := loadFile(ctx, tx, id.Order, o.ID)
		if err != nil {
			return err
		}
		v = f.shipment(in.Shipment)
		if err := k.Is(v); err != nil {
			return err
		}
		rest.Save(tx, k)
		return nil
	})
	if rest.Taken(err) {
		_, err = k.Recall(ctx, s.db)
	}
	if err == nil {
		err = refused
	}
	return v, err
}

// bring proves a parcel, all[i]. What is refused, and still kept, is a wrong code.
func (s *Service) bring(ctx context.Context, tx *pg.Tx, o Order, all []Shipment, i int, in BringInput) (refused, err error) {
	sh, c := all[i], Scene{in.Spot, in.DeviceAt, tx.Now(), who(ctx)}
	proof := "code"
	switch {
	case o.Cash():
		return nil, ErrUncollected
	case in.Code != "" && in.Photo != "":
		return nil, ErrProof.At("/photo", "Give the code or a photograph; the code is enough.")
	case in.Code == "" && in.Photo == "":
		return nil, ErrProof.At("/code", "Give the buyer's code, or a photograph with its place.")
	case in.Photo != "" && in.Spot == nil:
		return nil, ErrProof.At("/place", "Say where the photograph was taken.")
	case in.Photo != "":
		proof = "photo"
	}
	if err := sh.in(OnItsWay, Missed); err != nil {
		return nil, err
	}
	if proof == "photo" {
		if _, err := s.Files.Use(ctx, tx, in.Photo, o.Seller, media.Proof, sh.ID); err != nil {
			return nil, wrongFile(err, "/photo")
		}
	} else if refused := s.tried(ctx, tx, o, sh, in.Code); refused != nil {
		return refused, nil
	}
	if sh, err = sh.Come(proof, in.Photo, c); err != nil {
		return nil, err
	}
	all[i] = saveShipment(tx, sh)
	if err := s.tellShipment(ctx, tx, o, sh); err != nil {
		return nil, err
	}
	return nil, s.arrived(ctx, tx, o, all)
}

// tried checks the code of a parcel; that of the first is its order's. A wrong
// one is written down.
func (s *Service) tried(ctx context.Context, tx *pg.Tx, o Order, sh Shipment, code string) error {
	if sh.Code != "" {
		tried, err := sh.try(code)
		if tried.CodeTries != sh.CodeTries {
			saveShipment(tx, tried)
			note(ctx, tx, o.ID, "wrong_code")
		}
		return err
	}
	tried, err := o.Prove(code)
	if tried.CodeTries != o.CodeTries {
		save(tx, tried)
		note(ctx, tx, o.ID, "wrong_code")
	}
	return err
}

// arrived delivers an order all of whose parcels have come. What a photograph
// alone proves leaves the buyer more time to say otherwise.
func (s *Service) arrived(ctx context.Context, tx *pg.Tx, o Order, all []Shipment) error {
	if o.State != Shipped || slices.ContainsFunc(all, func(sh Shipment) bool { return sh.State != Brought }) {
		return nil
	}
	more, err := s.unsent(ctx, tx, o.ID)
	if err != nil || more {
		return err
	}
	if err := s.step(ctx, tx, o, Deliver); err != nil || o.Settled {
		return err
	}
	at := tx.Now()
	if slices.ContainsFunc(all, func(sh Shipment) bool { return sh.Proof == "photo" }) {
		at = at.Add(photoGrace)
	}
	return s.Escrows.Delivered(ctx, tx, o.ID, at)
}

// unsent says whether some of an order has not left.
func (s *Service) unsent(ctx context.Context, tx *pg.Tx, order string) (bool, error) {
	bought, err := orderLines(ctx, tx, order)
	if err != nil {
		return false, err
	}
	sent, err := sentOff(ctx, tx, order)
	return slices.ContainsFunc(slices.DeleteFunc(bought, boughtLine.digital), func(l boughtLine) bool { return sent[l.Variant] < l.Quantity }), err
}

// MissParcel says that a parcel was brought in vain, and why. It comes again,
// three times in all.
func (s *Service) MissParcel(ctx context.Context, tx *pg.Tx, in MissInput) (v ShipmentView, err error) {
	o, all, i, policy, err := s.parcel(ctx, tx, in.Shipment, "shipments.fail")
	if err != nil {
		return v, err
	}
	var again *time.Time
	if in.AgainOn != "" {
		day, err := time.Parse(time.DateOnly, in.AgainOn)
		if err != nil || day.Before(tx.Now().Add(-24*time.Hour)) {
			return v, ErrShipmentLines.At("/again_on", "Give a day to come, as 2026-01-31.")
		}
		again = &day
	}
	c := Scene{in.Spot, in.DeviceAt, tx.Now(), who(ctx)}
	sh, err := all[i].Miss(again, c)
	if err != nil {
		return v, err
	}
	insertAttempt(tx, sh, in.Reason, in.Text, again, c)
	sh = saveShipment(tx, sh)
	note(ctx, tx, o.ID, "parcel_"+string(sh.State))
	audit.Record(tx, "shipments.fail", sh.ID, policy, map[string]string{"order": o.ID, "reason": in.Reason})
	if err := s.tellShipment(ctx, tx, o, sh); err != nil {
		return v, err
	}
	f, err := loadFile(ctx, tx, id.Order, o.ID)
	return f.shipment(sh.ID), err
}

// restLate tells the buyer that the rest of an order has not left.
func (s *Service) restLate(ctx context.Context, tx *pg.Tx, order string) error {
	all, err := lockOrders(ctx, tx, []string{order})
	if err != nil || len(all) == 0 || all[0].State != Shipped {
		return err
	}
	more, err := s.unsent(ctx, tx, order)
	if err != nil || !more {
		return err
	}
	o := all[0]
	note(ctx, tx, o.ID, "rest_late")
	return tx.Publish(ctx, OrderLate{Moved{o.ID, o.Group, o.Seller, o.Buyer}})
}
