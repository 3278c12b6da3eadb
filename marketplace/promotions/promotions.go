// Package promotions is what sellers take off their own goods: by a code or by
// itself, for some goods or all, while it lasts and as often as the seller says.
// Orders asks it for quotes, and redeems one in the unit of work that orders.
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

// A Promotion is what a seller takes off its goods.
type Promotion struct {
	ID         string
	Seller     string
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
	Used       int // of Total; without one it is not counted
	MadeAt     time.Time
	EndedAt    *time.Time
}

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
}

// Why is why a promotion takes nothing off; "" when it does.
type Why string

// The reasons.
const (
	NotNow  Why = "not_now"       // its time has not come, or is over
	Minimum Why = "below_minimum" // the goods are not worth enough
	Others  Why = "other_goods"   // it is for others
	UsedUp  Why = "used_up"       // by all, or by this buyer
)

// Discount is what the promotion takes off each line of a seller's parcel, whose
// delivery costs so much: by largest remainder in proportion to their totals. It
// never takes off all of the goods' price.
func (a Available) Discount(lines []Line, fee int64, at time.Time) (off []int64, why Why) {
	switch {
	case at.Before(a.Since) || !at.Before(a.Until):
		return nil, NotNow
	case a.Total != nil && a.Used >= *a.Total, a.PerBuyer != nil && a.Mine >= *a.PerBuyer:
		return nil, UsedUp
	}
	weights := make([]int64, len(lines))
	var all, meant int64
	for i, l := range lines {
		all += l.Total
		if a.means(l) {
			weights[i] = l.Total
			meant += l.Total
		}
	}
	switch {
	case meant == 0:
		return nil, Others
	case meant < a.Minimum:
		return nil, Minimum
	}
	n := a.worth(meant, fee)
	if a.Most != nil {
		n = min(n, *a.Most)
	}
	if n = min(n, meant, all-1); n <= 0 {
		return nil, Others
	}
	return money.Allocate(n, weights...), ""
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
