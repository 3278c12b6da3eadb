// Package pricing is what sellers ask of groups of their customers instead of
// their public prices: a price list has fixed prices, or percentages off, from a
// number on. Orders asks it for a buyer's prices and takes the best. Who is in a
// group only its seller and the operator know.
package pricing

import (
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of price lists.
var (
	ErrNoGroup    = fault.New(fault.NotFound, "pricing.no_group", "There is no such group of customers.")
	ErrNoList     = fault.New(fault.NotFound, "pricing.no_list", "There is no such price list.")
	ErrNoOffer    = fault.New(fault.NotFound, "pricing.no_offer", "There is no such offer.")
	ErrInvalid    = fault.New(fault.Invalid, "pricing.invalid", "This cannot be; see errors.")
	ErrManyGroups = fault.New(fault.Conflict, "pricing.too_many_groups", "You have 50 groups of customers already; end one of them first.")
	ErrManyLists  = fault.New(fault.Conflict, "pricing.too_many_lists", "You have 50 price lists already; end one of them first.")
	ErrFull       = fault.New(fault.Conflict, "pricing.group_full", "A group has at most 1,000 customers; make another one.")
	ErrEnded      = fault.New(fault.Conflict, "pricing.ended", "This has ended; make a new one.")
	ErrInUse      = fault.New(fault.Conflict, "pricing.group_in_use", "A price list is for this group; end that first.")
)

// A Group is some customers of a seller's.
type Group struct {
	ID      string
	Seller  string
	Name    string // for the seller alone
	Size    int
	MadeAt  time.Time
	EndedAt *time.Time
}

// A List is what a seller asks of a group.
type List struct {
	ID      string
	Seller  string
	Group   string `db:"grp"`
	Name    string
	Since   time.Time
	Until   time.Time
	MadeAt  time.Time
	EndedAt *time.Time
	Prices  []Price `db:"-"`
}

// A Price is what each of a variant costs from a number on, in centimes; or what
// is taken off its public price. Without a variant that is of all the seller's.
type Price struct {
	Variant string
	Least   int
	Percent decimal.Decimal
	Price   int64
}

// An Own price is one of a buyer's.
type Own struct {
	List   string
	Seller string
	Price
}

// Best is the lowest that a buyer with some own prices pays for each of so many
// of a seller's variant, if that is less than the public price.
func Best(own []Own, seller, variant string, n int, public money.Money) (price money.Money, better bool) {
	price = public
	for _, o := range own {
		if o.Seller != seller || o.Variant != "" && o.Variant != variant || n < o.Least {
			continue
		}
		p := money.FromCentimes(o.Price.Price, public.Currency())
		if o.Percent.Sign() > 0 {
			p = public.Sub(public.Rate(o.Percent))
		}
		if p.Sign() > 0 && p.Cmp(price) < 0 {
			price, better = p, true
		}
	}
	return price, better
}
