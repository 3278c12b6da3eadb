// Package delivery knows the ways in which goods reach their buyers, and what
// each costs where: a carrier by weight and zone, the seller itself, a place
// where the buyer fetches them, a relay point. Orders asks it for quotes.
package delivery

import (
	"slices"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/geo"
)

// Errors of delivery.
var (
	ErrNotFound = fault.New(fault.NotFound, "delivery.not_found", "There is no such way of delivery.")
	ErrInvalid  = fault.New(fault.Invalid, "delivery.invalid", "This way of delivery cannot be; see errors.")
	ErrMany     = fault.New(fault.Conflict, "delivery.too_many", "There are 50 ways of delivery here already; end one of them first.")
	ErrState    = fault.New(fault.Conflict, "delivery.ended", "This way of delivery has ended; make a new one.")
)

// Kind is how goods travel.
type Kind string

// The kinds of ways.
const (
	Carrier Kind = "carrier" // a carrier that the seller hires
	Own     Kind = "own"     // the seller brings them
	Pickup  Kind = "pickup"  // the buyer fetches them where the seller says
	Relay   Kind = "relay"   // the buyer fetches them at a point of the operator's
)

// A Way is one of a seller's ways of delivery, or a relay point. It never
// changes: another takes its place.
type Way struct {
	ID       string
	Seller   string // "" for a relay point
	Kind     Kind
	Names    map[string]string
	Payee    string // the carrier a relay point's price goes to; "" is the seller
	LeadDays int    // how long the goods travel
	Spot     *Spot
	RadiusKm *int   // how far the seller itself goes
	FreeFrom *int64 // goods worth so many centimes travel free
	Zones    []Zone
	MadeAt   time.Time
	EndedAt  *time.Time
}

// A Spot is a place where goods are fetched, or from which they are brought.
type Spot struct {
	Place   string  `json:"place,omitempty" description:"The seller's place that it is, by its id."`
	Address string  `json:"address,omitempty" description:"A street, or a landmark."`
	Commune string  `json:"commune" required:"true"`
	Region  string  `json:"region" required:"true"`
	Lat     float64 `json:"lat" required:"true"`
	Lng     float64 `json:"lng" required:"true"`
}

// A Zone is where some prices hold. One without areas is everywhere else.
type Zone struct {
	Areas []Area `json:"areas"`
	Steps []Step `json:"steps"`
}

// An Area is a region, or one commune of it.
type Area struct {
	Region  string `json:"region"`
	Commune string `json:"commune,omitempty"`
}

// A Step is the price in centimes of parcels up to a weight; the last may be
// without a bound.
type Step struct {
	UpToG    *int64 `json:"up_to_g,omitempty"`
	Centimes int64  `json:"centimes"`
}

// A Parcel is what goes from one seller to one buyer.
type Parcel struct {
	Grams    int64
	Goods    int64 // centimes
	Commune  string
	Region   string
	Lat, Lng float64 // of the commune
}

// To is the parcel on its way to a commune; an unknown one leaves it without.
func (p Parcel) To(commune, region string) Parcel {
	if at, ok := geo.FindIn(commune, region); ok {
		p.Commune, p.Region, p.Lat, p.Lng = at.Name, at.Region, at.Lat, at.Lng
	}
	return p
}

// Why is why a way does not take a parcel; "" when it does.
type Why string

// The reasons.
const (
	NoCommune Why = "commune_needed" // it depends on where to, which is not said
	TooFar    Why = "not_delivered"  // it does not go there
	TooHeavy  Why = "too_heavy"
)

// Price is what the way takes for a parcel in centimes, or why it does not take
// it.
func (w Way) Price(p Parcel) (int64, Why) {
	if w.Kind == Pickup {
		return 0, ""
	}
	if w.RadiusKm != nil {
		switch {
		case p.Commune == "":
			return 0, NoCommune
		case geo.Distance(geo.Place{Lat: w.Spot.Lat, Lng: w.Spot.Lng}, geo.Place{Lat: p.Lat, Lng: p.Lng}) > float64(*w.RadiusKm):
			return 0, TooFar
		}
	}
	zone, why := w.zone(p)
	if why != "" {
		return 0, why
	}
	i := slices.IndexFunc(zone.Steps, func(s Step) bool { return s.UpToG == nil || p.Grams <= *s.UpToG })
	if i < 0 {
		return 0, TooHeavy
	}
	if w.FreeFrom != nil && p.Goods >= *w.FreeFrom {
		return 0, ""
	}
	return zone.Steps[i].Centimes, ""
}

// zone is the zone a parcel goes to: that of its commune before that of its
// region, and that before everywhere else.
func (w Way) zone(p Parcel) (best Zone, why Why) {
	rank := 0
	for _, z := range w.Zones {
		if r := z.holds(p); r > rank {
			best, rank = z, r
		}
	}
	everywhere := len(w.Zones) == 1 && len(w.Zones[0].Areas) == 0
	switch {
	case p.Commune == "" && !everywhere:
		return best, NoCommune
	case rank == 0:
		return best, TooFar
	}
	return best, ""
}

// holds says how closely a zone is a parcel's: 3 by its commune, 2 by its
// region, 1 as everywhere else, 0 not at all.
func (z Zone) holds(p Parcel) (rank int) {
	if len(z.Areas) == 0 {
		return 1
	}
	for _, a := range z.Areas {
		switch {
		case a.Region != p.Region:
		case a.Commune == p.Commune:
			return 3
		case a.Commune == "":
			rank = 2
		}
	}
	return rank
}

// served is who finds the way: its seller, or who is where the relay point is.
func (w Way) served() string {
	if w.Seller != "" {
		return w.Seller
	}
	return at(w.Spot.Region, w.Spot.Commune)
}

// at is what relay points of a commune are found by.
func at(region, commune string) string { return region + " " + commune }
