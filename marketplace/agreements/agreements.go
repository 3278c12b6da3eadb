// Package agreements is what a seller and a buyer agreed on before the buyer
// orders: an offer that was accepted, or a place in a group that buys together.
// Whoever brought the two together makes the agreement; orders sells by it, in
// the unit of work that orders, and gives it back when nobody pays.
package agreements

import (
	"fmt"
	"slices"
	"time"

	"tiwiza/marketplace/delivery"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
)

// Errors of agreements.
var (
	ErrNotFound = fault.New(fault.NotFound, "agreements.not_found", "There is no such agreement.")
	ErrInvalid  = fault.New(fault.Invalid, "agreements.invalid", "This cannot be agreed on; see errors.")
	ErrUsed     = fault.New(fault.Conflict, "agreements.used", "An agreement of this quote was just used by another order, or has ended; ask for a new quote and look at it.")
	ErrEnded    = fault.New(fault.Conflict, "agreements.ended", "This agreement does not hold any more.")
	ErrQuantity = fault.New(fault.Invalid, "agreements.quantity", "Another number was agreed on.")
)

// State is where an agreement stands: open → used → open again when nobody paid,
// or ended.
type State string

// The states.
const (
	Open  State = "open"
	Used  State = "used" // by an order that is paid, or may yet be
	Ended State = "ended"
)

// An Agreement fixes what one buyer pays for articles of one seller, until when.
// All of its lines are bought, in one order.
type Agreement struct {
	ID       string
	Kind     string // what it came of, as "quotation"
	Source   string // the id of that
	Seller   string
	Buyer    string
	State    State
	Order    string `db:"order_id"` // that uses it
	Delivery *Delivery
	Until    time.Time
	MadeAt   time.Time
	Version  int
	Lines    []Line
}

// A Line fixes the price of each of an article, in centimes, and how many.
type Line struct {
	Variant string `json:"variant"`
	Least   int    `json:"least"`
	Most    int    `json:"most"`
	Price   int64  `json:"price"`
}

// A Delivery fixes what bringing the whole costs, in centimes, by whom, where to
// and how long it takes. Its fee is the seller's.
type Delivery struct {
	Method   string `json:"method"` // carrier, own or pickup
	Amount   int64  `json:"amount"`
	LeadDays int    `json:"lead_days"`
	Commune  string `json:"commune"`
	Region   string `json:"region"`

	Way  string         `json:"way,omitempty"`  // the seller's way of delivery that it is
	Spot *delivery.Spot `json:"spot,omitempty"` // where the buyer fetches it
}

// MostOfOne is how many of an article an agreement is about at most, and
// MostLines how many articles.
const (
	MostOfOne = 999
	MostLines = 50
	mostPrice = 1_000_000_00
	mostDays  = 60
)

// Line is what was agreed on an article.
func (a Agreement) Line(variant string) (Line, bool) {
	i := slices.IndexFunc(a.Lines, func(l Line) bool { return l.Variant == variant })
	if i < 0 {
		return Line{}, false
	}
	return a.Lines[i], true
}

// Holds says whether a buyer can order by it at a time.
func (a Agreement) Holds(buyer string, at time.Time) bool {
	return a.State == Open && a.Buyer == buyer && at.Before(a.Until)
}

// Check says all that is wrong with an agreement that is about to be made.
func (a Agreement) Check(now time.Time) error {
	var wrong *fault.Error
	say := func(pointer, text string) {
		if wrong == nil {
			wrong = ErrInvalid
		}
		wrong = wrong.At(pointer, text)
	}
	if n := len(a.Lines); n < 1 || n > MostLines {
		say("/lines", fmt.Sprintf("From 1 to %d articles.", MostLines))
	}
	seen := map[string]bool{}
	for i, l := range a.Lines {
		at := fmt.Sprintf("/lines/%d", i)
		switch {
		case !id.Is(id.Variant, l.Variant):
			say(at+"/variant", "The id of an article (var_…).")
		case seen[l.Variant]:
			say(at+"/variant", "This article stands twice; write it once.")
		case l.Least < 1 || l.Most < l.Least || l.Most > MostOfOne:
			say(at+"/quantity", fmt.Sprintf("From 1 to %d of an article.", MostOfOne))
		case l.Price < 1 || l.Price > mostPrice:
			say(at+"/price", "Above 0.00, at most 1000000.00.")
		}
		seen[l.Variant] = true
	}
	if d := a.Delivery; d != nil {
		if !slices.Contains([]string{"carrier", "own", "pickup"}, d.Method) {
			say("/delivery/method", "By carrier, by the seller (own), or fetched (pickup).")
		}
		if d.Amount < 0 || d.Amount > mostPrice {
			say("/delivery/amount", "From 0.00 to 1000000.00.")
		}
		if d.LeadDays < 0 || d.LeadDays > mostDays {
			say("/delivery/lead_days", fmt.Sprintf("From 0 to %d days.", mostDays))
		}
	}
	if !a.Until.After(now) {
		say("/until", "A time to come.")
	}
	if wrong != nil {
		return wrong
	}
	return nil
}
