package orders

import (
	"crypto/subtle"
	"fmt"
	"slices"
	"time"

	"tiwiza/pkg/fault"
)

// Errors of parcels.
var (
	ErrNoShipment    = fault.New(fault.NotFound, "shipments.not_found", "There is no such parcel.")
	ErrShipmentState = fault.New(fault.Conflict, "shipments.state", "The parcel's state does not allow this now.")
	ErrShipmentLines = fault.New(fault.Invalid, "shipments.lines", "Not all of this can be sent; see errors.")
	ErrParcels       = fault.New(fault.Conflict, "orders.parcels", "This order travels in several parcels; prove each one.")
	ErrOneParcel     = fault.New(fault.Conflict, "orders.one_parcel", "A cash order leaves in one parcel: its cash is collected once. Ship all of it.")
	ErrProof         = fault.New(fault.Invalid, "shipments.proof", "A proof is the buyer's code, or a photograph with the place where it was taken; see errors.")
)

// ShipmentState is where a parcel stands.
type ShipmentState string

// The states. A parcel is missed when it was brought in vain, and comes again;
// after three times it is undeliverable.
const (
	OnItsWay      ShipmentState = "on_its_way" // also ready to be fetched
	Missed        ShipmentState = "missed"
	Undeliverable ShipmentState = "undeliverable"
	Brought       ShipmentState = "delivered"
)

// mostAttempts is how often a parcel is brought.
const mostAttempts = 3

// photoGrace is how much longer money waits after a delivery that only a
// photograph proves: time for the buyer to say that nothing came.
const photoGrace = 72 * time.Hour

// A Shipment is one parcel of an order.
type Shipment struct {
	ID          string
	Order       string `db:"order_id"`
	Place       int
	Method      string
	Carrier     string
	Tracking    string
	Code        string // "" is the order's own
	CodeTries   int
	State       ShipmentState
	Attempts    int
	AgainOn     *time.Time
	ShippedAt   time.Time
	DeliveredAt *time.Time
	Proof       string // code, photo, buyer or cash
	Photo       string
	Lat         *float64
	Lng         *float64
	AccuracyM   *int `db:"accuracy_m"`
	DeviceAt    *time.Time
	Actor       string
	Version     int64
}

// Spot is where somebody stood, by the word of a device.
type Spot struct {
	Lat       float64 `json:"lat" required:"true" minimum:"-90" maximum:"90"`
	Lng       float64 `json:"lng" required:"true" minimum:"-180" maximum:"180"`
	AccuracyM int     `json:"accuracy_m" required:"true" minimum:"0" maximum:"100000" description:"How far it may be off."`
}

// A Scene is where and when something was done: by the hub's clock, and by that
// of a device that may have been without a network.
type Scene struct {
	Spot     *Spot
	DeviceAt *time.Time
	At       time.Time
	Actor    string
}

// says why the device's time cannot be, or nil: before the parcel left, or in
// the future. Clocks of phones may be off by a little.
func (c Scene) says(left time.Time) error {
	const off = 15 * time.Minute
	if c.DeviceAt != nil && (c.DeviceAt.After(c.At.Add(off)) || c.DeviceAt.Before(left.Add(-off))) {
		return ErrProof.At("/device_at", "The device's clock is wrong: the parcel left at "+left.UTC().Format(time.RFC3339)+".")
	}
	return nil
}

func (s Shipment) in(states ...ShipmentState) error {
	if !slices.Contains(states, s.State) {
		return ErrShipmentState.Say("This parcel is %s.", words(State(s.State))).At("/state", string(s.State))
	}
	return nil
}

// Come says that a parcel is there, and what proves it.
func (s Shipment) Come(proof, photo string, c Scene) (Shipment, error) {
	if err := s.in(OnItsWay, Missed); err != nil {
		return s, err
	}
	if err := c.says(s.ShippedAt); err != nil {
		return s, err
	}
	s.State, s.Proof, s.Photo, s.AgainOn, s.DeliveredAt = Brought, proof, photo, nil, &c.At
	s.DeviceAt, s.Actor = c.DeviceAt, c.Actor
	if c.Spot != nil {
		s.Lat, s.Lng, s.AccuracyM = &c.Spot.Lat, &c.Spot.Lng, &c.Spot.AccuracyM
	}
	return s, nil
}

// Miss says that a parcel was brought in vain, and on which day it comes again.
func (s Shipment) Miss(again *time.Time, c Scene) (Shipment, error) {
	if err := s.in(OnItsWay, Missed); err != nil {
		return s, err
	}
	if err := c.says(s.ShippedAt); err != nil {
		return s, err
	}
	s.Attempts++
	s.State, s.AgainOn = Missed, again
	if s.Attempts == mostAttempts {
		s.State, s.AgainOn = Undeliverable, nil
	}
	return s, nil
}

// try checks a code that somebody gave with a parcel. A wrong one counts.
func (s Shipment) try(code string) (Shipment, error) {
	if s.CodeTries >= codeTries {
		return s, ErrCodeLocked
	}
	if subtle.ConstantTimeCompare([]byte(digits(code)), []byte(s.Code)) == 1 {
		return s, nil
	}
	s.CodeTries++
	return s, ErrCode.At("/code", fmt.Sprintf("Ask the buyer again for the four digits; tries left: %d.", codeTries-s.CodeTries))
}

// packed says what is in a parcel, of an order of which so much left before: what
// is asked for, or all the rest. It says whether nothing is left then.
func packed(bought []boughtLine, before map[string]int, want []Wanted) (lines []Wanted, all bool, err error) {
	if len(want) == 0 {
		for _, l := range bought {
			if n := l.Quantity - before[l.Variant]; n > 0 {
				lines = append(lines, Wanted{l.Variant, n})
			}
		}
		return lines, true, nil
	}
	wrong := ErrShipmentLines
	in := map[string]int{}
	for i, w := range want {
		j := slices.IndexFunc(bought, func(l boughtLine) bool { return l.Variant == w.Variant })
		switch {
		case j < 0:
			wrong = wrong.At(fmt.Sprintf("/lines/%d/variant", i), "This article is not in the order.")
		case in[w.Variant] > 0:
			wrong = wrong.At(fmt.Sprintf("/lines/%d/variant", i), "Name each article once.")
		case w.Quantity > bought[j].Quantity-before[w.Variant]:
			wrong = wrong.At(fmt.Sprintf("/lines/%d/quantity", i), fmt.Sprintf("%d of it have not left.", bought[j].Quantity-before[w.Variant]))
		}
		in[w.Variant] += w.Quantity
	}
	if len(wrong.Details) > 0 {
		return nil, false, wrong
	}
	all = !slices.ContainsFunc(bought, func(l boughtLine) bool { return before[l.Variant]+in[l.Variant] < l.Quantity })
	return want, all, nil
}
