package orders

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tiwiza/marketplace/delivery"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// mostChoices is how many sellers a choice of delivery may name: no basket has
// goods of more.
const mostChoices = mostLines

var errAddress = ErrInvalid.At("/delivery/address", "Say where in the commune the parcel goes: a street, or a landmark.")

// brought says whether a method brings the goods to the buyer.
func brought(method string) bool {
	return method == string(delivery.Carrier) || method == string(delivery.Own)
}

// chosen checks the words of a choice of delivery.
func chosen(choices map[string]string) (map[string]string, error) {
	if len(choices) > mostChoices {
		return nil, ErrInvalid.At("/delivery/choices", fmt.Sprintf("At most %d sellers.", mostChoices))
	}
	for seller, way := range choices {
		if !id.Is(id.Organisation, seller) {
			return nil, ErrInvalid.At("/delivery/choices", "Choices are by the ids of sellers (org_…).")
		}
		if !id.Is(id.Way, way) && !slices.Contains([]string{"carrier", "own", "pickup", "relay"}, way) {
			return nil, ErrInvalid.At("/delivery/choices/"+seller, "A choice is a way of the quote's deliveries, or a method.")
		}
	}
	return choices, nil
}

// A Tariff says what the market's own delivery costs by weight, in centimes,
// where a seller has no way of that method of its own.
type Tariff struct {
	Method    string
	Base      int64 // up to IncludedG
	IncludedG int64 `db:"included_g"`
	PerKg     int64 `db:"per_kg"` // each kilogram begun above that
	Payee     string
	Offered   bool
}

// Fee is the price of a parcel.
func (t Tariff) Fee(grams int64) money.Money {
	c := t.Base
	if over := grams - t.IncludedG; over > 0 {
		c += (over + 999) / 1000 * t.PerKg
	}
	return money.Dirhams(c)
}

// A Choice is how one seller's parcel can reach its buyer.
type Choice struct {
	Seller Party   `json:"seller" required:"true"`
	Offers []Offer `json:"offers" required:"true"`
}

// An Offer is one way in which a parcel can go, and what it costs.
type Offer struct {
	Way      string            `json:"way" required:"true" description:"What to choose: a way of delivery, or a method of the market's own."`
	Method   string            `json:"method" required:"true" enum:"carrier,own,pickup,relay"`
	Names    map[string]string `json:"names,omitempty"`
	LeadDays int               `json:"lead_days" required:"true"`
	Amount   money.Money       `json:"amount" required:"true"`
	FreeFrom *money.Money      `json:"free_from,omitempty" description:"Goods of this seller worth this much travel free."`
	Fetch    *delivery.Spot    `json:"fetch,omitempty" description:"Where the buyer fetches the goods."`

	payee string
	why   delivery.Why
}

// A parcel is what one seller sends: its lines that travel, if any.
type parcel struct {
	delivery.Parcel
	seller  Party
	travels []int // indices of lines
	all     []int
}

// parcels gathers what each seller sends.
func (m Market) parcels(lines []QuoteLine, d Destination) map[string]parcel {
	out := map[string]parcel{}
	for i, l := range lines {
		if l.Seller.ID == "" {
			continue
		}
		p, ok := out[l.Seller.ID]
		if !ok {
			p.seller, p.Parcel = l.Seller, delivery.Parcel{}.To(d.Commune, d.Region)
		}
		p.all = append(p.all, i)
		p.Grams += l.weight
		p.Goods += l.Total.Centimes()
		if m.Items[l.Variant].Travels() {
			p.travels = append(p.travels, i)
		}
		out[l.Seller.ID] = p
	}
	return out
}

// deliver is the price of a parcel in the way that was chosen for it, or the
// cheapest of the method that was; a problem of each line, if nothing brings it
// there so.
func (m Market) deliver(q *Quote, p parcel, d Destination) Fee {
	if f, ok := m.deliverAgreed(q, p, d); ok {
		return f
	}
	want := cmp.Or(d.Choices[p.seller.ID], d.Method)
	if q.digitalOnly(p) {
		return Fee{Kind: "delivery", Seller: p.seller, Method: nothing, Amount: money.Dirhams(0)}
	}
	if len(p.travels) == 0 { // services, and files with them
		method := d.Method
		if method == string(delivery.Relay) {
			method = string(delivery.Pickup)
		}
		if method == nothing { // a service is done somewhere
			q.Problems = append(q.Problems, q.nowhere(p.all)...)
			method = string(delivery.Pickup)
		}
		return Fee{Kind: "delivery", Seller: p.seller, Method: method, WeightG: p.Grams, Amount: money.Dirhams(0), payee: m.tariff(method).Payee}
	}
	offers := m.offers(p)
	served := slices.DeleteFunc(slices.Clone(offers), func(o Offer) bool { return o.why != "" })
	q.Offers = append(q.Offers, Choice{p.seller, served})
	meant := func(o Offer) bool { return o.Way == want || o.Method == want }
	best := slices.IndexFunc(served, meant) // they stand by price
	if best >= 0 {
		o := served[best]
		f := Fee{Kind: "delivery", Seller: p.seller, Method: o.Method, WeightG: p.Grams, Amount: o.Amount, LeadDays: o.LeadDays, Names: o.Names, Fetch: o.Fetch, payee: o.payee}
		if id.Is(id.Way, o.Way) {
			f.Way = o.Way
		}
		return f
	}
	why := delivery.TooFar
	if i := slices.IndexFunc(offers, meant); i >= 0 {
		why = offers[i].why
	}
	for _, i := range p.travels {
		q.Problems = append(q.Problems, Problem{
			Pointer: fmt.Sprintf("/lines/%d", i), Variant: q.Lines[i].Variant, Code: string(why), Blocking: true, Detail: undelivered(q.Lines[i], why, served),
		})
	}
	return Fee{Kind: "delivery", Seller: p.seller, Method: d.Method, WeightG: p.Grams, Amount: money.Dirhams(0)}
}

// undelivered says why a line does not reach its buyer, and what would.
func undelivered(l QuoteLine, why delivery.Why, served []Offer) string {
	name := named(l.Names, "This article")
	if why == delivery.NoCommune {
		return "Where " + name + " can go, and for how much, depends on the commune; say yours."
	}
	text := name + " is not brought there in this way"
	if why == delivery.TooHeavy {
		text = "The parcel with " + name + " is too heavy for this way"
	}
	var methods []string
	for _, o := range served {
		if !slices.Contains(methods, o.Method) {
			methods = append(methods, o.Method)
		}
	}
	if len(methods) == 0 {
		return text + ", nor in any other; take it out of the basket, or choose another commune."
	}
	return text + "; choose another: " + strings.Join(methods, ", ") + "."
}

// offers are the ways in which a parcel could go, the cheapest first: those of
// its seller, relay points, and the market's own of methods that its seller has
// none of.
func (m Market) offers(p parcel) []Offer {
	var out []Offer
	has := map[string]bool{}
	for _, w := range m.Ways {
		if w.Seller != p.seller.ID && w.Seller != "" {
			continue
		}
		o := Offer{Way: w.ID, Method: string(w.Kind), Names: w.Names, LeadDays: w.LeadDays, payee: w.Payee}
		var c int64
		c, o.why = w.Price(p.Parcel)
		o.Amount = money.Dirhams(c)
		if w.FreeFrom != nil {
			from := money.Dirhams(*w.FreeFrom)
			o.FreeFrom = &from
		}
		if !brought(o.Method) {
			o.Fetch = w.Spot
		}
		has[o.Method] = true
		out = append(out, o)
	}
	for _, t := range m.Tariffs {
		if t.Offered && !has[t.Method] {
			out = append(out, Offer{Way: t.Method, Method: t.Method, Amount: t.Fee(p.Grams), payee: t.Payee})
		}
	}
	slices.SortStableFunc(out, func(a, b Offer) int { return cmp.Or(a.Amount.Cmp(b.Amount), cmp.Compare(a.Way, b.Way)) })
	return out
}

// tariff is the market's own price of a method.
func (m Market) tariff(method string) Tariff {
	for _, t := range m.Tariffs {
		if t.Method == method {
			return t
		}
	}
	return Tariff{Method: method}
}

// brought says whether some of the goods are brought to the buyer.
func (q Quote) brought() bool {
	return slices.ContainsFunc(q.Fees, func(f Fee) bool { return f.Kind == "delivery" && brought(f.Method) })
}
