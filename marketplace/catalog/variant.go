package catalog

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"tiwiza/pkg/money"
)

// A Variant is what is bought: one size, colour or weight of an offer, or one
// date of a service.
type Variant struct {
	ID       string
	SKU      string
	Names    map[string]string
	Unit     string
	WeightG  int
	Net      Net
	Price    money.Money
	Tiers    []Tier // by rising number
	Policy   Policy
	LeadDays int        // until it leaves, when it is made to order
	Weekly   int        // how many are made in a week, at most
	Booked   int        // of these, how many were ordered this week
	StartsAt *time.Time // when the date of a service begins
	Minutes  int        // how long it takes
	OnHand   int        // at all places
	Reserved int
	Least    int // what buyers hold, and what lies at named places besides
	Free     int // how many a buyer can have, as it was read
}

// A Policy says where a variant comes from when it is ordered.
type Policy string

// The policies.
const (
	Stocked     Policy = "stocked"
	MadeToOrder Policy = "made_to_order" // so many a week, besides what is there
	Unlimited   Policy = "unlimited"     // as files are
)

// Available is how many a buyer can have.
func (v Variant) Available() int { return max(v.Free, 0) }

// A Net is how much there is in one of a variant, without its packaging.
type Net struct {
	Quantity int
	Unit     string
}

// measures say which unit prices are compared by, and how many of it a unit is:
// parts of per.
var measures = map[string]struct {
	per   string
	parts int64 // of one unit
	whole int64 // of one per
}{
	"g": {"kg", 1, 1000}, "kg": {"kg", 1000, 1000},
	"ml": {"l", 1, 1000}, "cl": {"l", 10, 1000}, "l": {"l", 1000, 1000},
	"cm": {"m", 1, 100}, "m": {"m", 100, 100},
	"cm2": {"m2", 1, 10_000}, "m2": {"m2", 10_000, 10_000},
	"piece": {"piece", 1, 1},
}

// UnitPrice is the price of one kilogram, litre, metre, square metre or piece,
// to the nearest centime, half a centime up; false when the net quantity is not
// known.
func (v Variant) UnitPrice() (price money.Money, per string, ok bool) {
	m, ok := measures[v.Net.Unit]
	if !ok || v.Net.Quantity <= 0 {
		return money.Money{}, "", false
	}
	parts := int64(v.Net.Quantity) * m.parts
	c := (2*v.Price.Centimes()*m.whole + parts) / (2 * parts)
	return money.FromCentimes(c, v.Price.Currency()), m.per, true
}

// A Tier is the price of each, for whoever takes that many or more.
type Tier struct {
	From  int   `json:"from"`
	Price int64 `json:"price"` // centimes
}

// at is the price of each when n are taken.
func at(price money.Money, tiers []Tier, n int) money.Money {
	for _, t := range tiers {
		if n >= t.From {
			price = money.FromCentimes(t.Price, price.Currency())
		}
	}
	return price
}

// sameWords says that two variants would be written alike, apart from their
// stock.
func (v Variant) sameWords(o Variant) bool {
	moment := func(a, b *time.Time) bool { return a == nil && b == nil || a != nil && b != nil && a.Equal(*b) }
	return v.SKU == o.SKU && maps.Equal(v.Names, o.Names) && v.Unit == o.Unit && v.WeightG == o.WeightG && v.Price.Equal(o.Price) &&
		v.Net == o.Net && slices.Equal(v.Tiers, o.Tiers) && v.Policy == o.Policy && v.LeadDays == o.LeadDays && v.Weekly == o.Weekly &&
		moment(v.StartsAt, o.StartsAt) && v.Minutes == o.Minutes
}

// check reports each wrong field of a variant.
func (v Variant) check() findings {
	var f findings
	f.key("/sku", v.SKU)
	f.texts("/names", v.Names, longestName)
	if !short(v.Unit, longestKey) {
		f.add("/unit", "The unit is a short text of at most %d letters.", longestKey)
	}
	if v.WeightG < 0 || v.WeightG > mostWeight {
		f.add("/weight_g", "The weight is in grams, from 0 to %d.", mostWeight)
	}
	if c := v.Price.Centimes(); v.Price.Currency() != money.MAD || c <= 0 || c > mostPrice {
		f.add("/price", "The price must be above 0 and at most %s.", money.Dirhams(mostPrice))
	}
	if v.OnHand < 0 || v.OnHand > mostStock {
		f.add("/on_hand", "The stock is a whole number from 0 to %d.", mostStock)
	}
	f.net(v.Net)
	f.tiers(v.Price, v.Tiers)
	f.supply(v)
	return f
}

func (f *findings) net(n Net) {
	if n == (Net{}) {
		return
	}
	if _, ok := measures[n.Unit]; !ok {
		f.add("/net/unit", "Use g, kg, ml, cl, l, cm, m, cm2, m2 or piece.")
	}
	if n.Quantity < 1 || n.Quantity > mostNet {
		f.add("/net/quantity", "The net quantity is a whole number from 1 to %d; write 1.5 kg as 1500 g.", mostNet)
	}
}

func (f *findings) tiers(price money.Money, tiers []Tier) {
	if len(tiers) > mostTiers {
		f.add("/tiers", "A variant has at most %d prices by number.", mostTiers)
	}
	before := Tier{1, price.Centimes()}
	for i, t := range tiers {
		switch {
		case t.From <= before.From || t.From > mostStock:
			f.add(pointer("/tiers", i, "/from"), "Write the numbers from small to large, from 2 on.")
		case t.Price <= 0 || t.Price >= before.Price:
			f.add(pointer("/tiers", i, "/price"), "Each must cost less than with the number before: less than %s.", money.Dirhams(before.Price))
		}
		before = t
	}
}

// supply checks where the variant comes from.
func (f *findings) supply(v Variant) {
	switch v.Policy {
	case Stocked, Unlimited:
		if v.Weekly != 0 {
			f.add("/weekly", "Only what is made to order has a number a week.")
		}
	case MadeToOrder:
		if v.Weekly < 1 || v.Weekly > mostStock {
			f.add("/weekly", "Say how many are made in a week: from 1 to %d.", mostStock)
		} else if v.Weekly < v.Booked {
			f.add("/weekly", "%d were ordered this week already; from Monday on it can be less.", v.Booked)
		}
	default:
		f.add("/policy", "Use stocked, made_to_order or unlimited.")
	}
	if v.LeadDays < 0 || v.LeadDays > 365 {
		f.add("/lead_days", "The days until it leaves are from 0 to 365.")
	}
	if v.Minutes < 0 || v.Minutes > 60*24*31 {
		f.add("/minutes", "A date lasts at most 31 days, in minutes.")
	}
}

// suits checks a variant against what its offer is.
func (o Offer) suits(v Variant) findings {
	var f findings
	if o.Kind == Digital && v.WeightG != 0 {
		f.add("/weight_g", "A file weighs nothing.")
	}
	if o.Kind == Digital && v.Policy == MadeToOrder {
		f.add("/policy", "Files are unlimited; codes are stocked.")
	}
	switch {
	case v.StartsAt != nil && o.Way != ByBooking:
		f.add("/starts_at", "Only services that are booked have dates.")
	case v.StartsAt != nil && v.Policy != Stocked:
		f.add("/policy", "A date has its seats in stock; leave the policy out.")
	case v.StartsAt == nil && o.Way == ByBooking && v.Policy != MadeToOrder:
		f.add("/starts_at", "Say when this date begins, or how many can be booked a week (made_to_order).")
	}
	return f
}

// usual fills in the policy that goes without saying.
func (o Offer) usual(v Variant) Variant {
	if v.Policy == "" {
		v.Policy = Stocked
		if o.Kind == Digital {
			v.Policy = Unlimited
		}
	}
	if o.Way == ByQuote && v.Policy == Stocked { // what is asked for has no stock
		v.Policy = Unlimited
	}
	slices.SortStableFunc(v.Tiers, func(a, b Tier) int { return cmp.Compare(a.From, b.From) })
	return v
}
