// Package promotions is what is taken off goods: by a code or by itself, for some
// goods or all, while it lasts and as often as its maker says. Sellers take it off
// their own; what the market takes off anybody's it pays to their sellers, out of
// a budget. Orders asks it for quotes, and redeems it in the unit of work that
// orders.
package promotions

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/money"
)

// Errors of promotions.
var (
	ErrNotFound = fault.New(fault.NotFound, "promotions.not_found", "There is no such promotion.")
	ErrInvalid  = fault.New(fault.Invalid, "promotions.invalid", "This promotion cannot be; see errors.")
	ErrMany     = fault.New(fault.Conflict, "promotions.too_many", "You have 50 promotions already; end one of them first.")
	ErrCode     = fault.New(fault.Conflict, "promotions.code_taken", "Another of your promotions has this code; end it first, or choose another code.")
	ErrState    = fault.New(fault.Conflict, "promotions.ended", "This promotion has ended; make a new one.")
	ErrChanged  = fault.New(fault.Conflict, "promotions.changed", "This promotion has ended, or its time is over; make it anew.")
	ErrPayer    = fault.New(fault.Denied, "promotions.payer", "Only the operator can say what the market pays.")
	ErrUsed     = fault.New(fault.Conflict, "promotions.used", "This was used for an order already; it cannot be taken back.")
	ErrUsedUp   = fault.New(fault.Conflict, "promotions.used_up", "A promotion of this quote was just used up; ask for a new quote and look at it.")
)

// Kind is how much a promotion takes off.
type Kind string

// The kinds of promotions.
const (
	Percent      Kind = "percent"
	Amount       Kind = "amount"
	FreeDelivery Kind = "free_delivery" // as much as the delivery costs: its carrier is paid all the same
)

// A Payer is whose money a promotion is.
type Payer string

// The payers.
const (
	Seller Payer = "seller" // it asks less for its goods
	Market Payer = "market" // its seller gets from us what the buyer does not pay
)

// A Promotion is what is taken off goods.
type Promotion struct {
	ID         string
	Payer      Payer
	Seller     string // "": of the market's
	Person     string // who alone may use it; "": everybody
	MadeFor    string // what a person was given it for
	Code       string // "": by itself
	Names      map[string]string
	Kind       Kind
	Percent    decimal.Decimal
	Amount     int64  // centimes
	Most       *int64 // it takes off no more
	Minimum    int64  // for goods worth this much
	Offers     []string
	Categories []string // of either; all goods when there are none
	Since      time.Time
	Until      time.Time
	Total      *int // how often it can be used
	PerBuyer   *int
	Used       int    // of Total; without one, or a budget, it is not counted
	Budget     *int64 // centimes: what the market pays in all
	Spent      int64  // of it
	MadeBy     string // of the market's people, who alone decided on it
	MadeAt     time.Time
	AgreedAt   *time.Time // from when it can be used
	EndedAt    *time.Time
}

// counted says whether each use of it is counted.
func (p Promotion) counted() bool { return p.Total != nil || p.Budget != nil }

// An Available promotion is one that the buyer used so often.
type Available struct {
	Promotion
	Mine int
}

// A Line is some of a seller's goods in a basket.
type Line struct {
	Offer    string
	Category string
	Total    int64 // centimes
	Off      int64 // what its seller takes off already
}

// Why is why a promotion takes nothing off; "" when it does.
type Why string

// The reasons.
const (
	NotNow  Why = "not_now"       // its time has not come, or is over
	Minimum Why = "below_minimum" // the goods are not worth enough
	Others  Why = "other_goods"   // it is for others
	OwnShop Why = "own_goods"     // the buyer works for their seller
	UsedUp  Why = "used_up"       // by all, or by this buyer; or its budget is
	NoRoom  Why = "no_room"       // what the buyer pays must cover delivery and fees
)

// Discount is what a seller's promotion takes off each line of its parcel, whose
// delivery costs so much: by largest remainder in proportion to their totals. It
// never takes off all of the goods' price.
func (a Available) Discount(lines []Line, fee int64, at time.Time) (off []int64, why Why) {
	most := int64(-1)
	for _, l := range lines {
		most += l.Total
	}
	return a.take(lines, fee, most, at)
}

// Pays is what a promotion of the market's takes off each line of a parcel, and
// the market pays to its seller, after what the seller takes off itself. It is no
// more than room: so much the seller gets of what the buyer pays, after delivery
// and fees. What its budget does not cover whole it does not take off.
func (a Available) Pays(lines []Line, fee, room int64, at time.Time) (off []int64, why Why) {
	off, why = a.take(lines, fee, room, at)
	if why == Others && room <= 0 {
		return nil, NoRoom
	}
	if a.Budget != nil && sum(off) > *a.Budget-a.Spent {
		return nil, UsedUp
	}
	return off, why
}

// take is what is taken off each line, at most so much of all. How much goods
// are worth, for a minimum, is their price before anything is taken off.
func (a Available) take(lines []Line, fee, most int64, at time.Time) (off []int64, why Why) {
	switch {
	case at.Before(a.Since) || !at.Before(a.Until):
		return nil, NotNow
	case a.Total != nil && a.Used >= *a.Total, a.PerBuyer != nil && a.Mine >= *a.PerBuyer:
		return nil, UsedUp
	}
	weights := make([]int64, len(lines))
	var meant, worth int64
	for i, l := range lines {
		if a.means(l) {
			weights[i] = l.Total - l.Off
			meant += weights[i]
			worth += l.Total
		}
	}
	switch {
	case meant <= 0:
		return nil, Others
	case worth < a.Minimum:
		return nil, Minimum
	}
	n := a.worth(meant, fee)
	if a.Most != nil {
		n = min(n, *a.Most)
	}
	if n = min(n, meant, most); n <= 0 {
		return nil, Others
	}
	return money.Allocate(n, weights...), ""
}

func sum(parts []int64) (n int64) {
	for _, p := range parts {
		n += p
	}
	return n
}

func (a Available) means(l Line) bool {
	return len(a.Offers)+len(a.Categories) == 0 || slices.Contains(a.Offers, l.Offer) || slices.Contains(a.Categories, l.Category)
}

func (a Available) worth(goods, fee int64) int64 {
	switch a.Kind {
	case Percent:
		return money.Dirhams(goods).Rate(a.Percent).Centimes()
	case FreeDelivery:
		return fee
	}
	return a.Amount
}

// Code brings a code, however typed, to the form it is kept in.
func Code(s string) string { return strings.ToUpper(strings.Map(latin.Digit, strings.TrimSpace(s))) }
