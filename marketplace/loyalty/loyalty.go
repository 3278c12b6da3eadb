// Package loyalty is the points that buyers earn with what they bought: books of
// their own, where each point is issued once and spent, taken back or expired
// once. It hears of orders by their events and looks at the truth each time, so
// that late or repeated events change nothing.
package loyalty

import (
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/fault"
)

// Errors of loyalty.
var (
	ErrNotFound = fault.New(fault.NotFound, "loyalty.not_found", "There is no such person with points.")
	ErrInvalid  = fault.New(fault.Invalid, "loyalty.invalid", "Some of this is not right; see errors.")
	ErrPoints   = fault.New(fault.Conflict, "loyalty.points", "There are not as many points.")
	ErrChanged  = fault.New(fault.Conflict, "loyalty.changed", "These points changed at this moment; look at them and try again.")
	ErrDated    = fault.New(fault.Conflict, "loyalty.dated", "There is a row of that moment already; choose another one.")
)

// Kind is why points moved.
type Kind string

// The kinds of moves.
const (
	Earned    Kind = "earned"
	TakenBack Kind = "taken_back" // with money that went back
	Burnt     Kind = "burnt"
	GivenBack Kind = "given_back" // what was burnt in vain, or taken back in vain
	Expired   Kind = "expired"
	Adjusted  Kind = "adjusted" // by the operator
)

// side is the market's account that a kind of move is booked against.
func (k Kind) side() string {
	switch k {
	case Burnt, GivenBack:
		return "burnt"
	case Expired:
		return "expired"
	}
	return "issued"
}

// An Account is what a person has.
type Account struct {
	Person  string
	Points  int64
	Owed    int64 // taken back when they were spent already
	Version int64
}

// A Lot is points that expire together.
type Lot struct {
	Move      string
	Ref       string // what earned them
	Remains   int64
	ExpiresAt time.Time
}

// A Draw is what a move takes of a lot.
type Draw struct {
	Lot    string
	Points int64
}

// A Move is one change of a person's points. Points and Owed are what it adds to
// each.
type Move struct {
	ID     string
	Person string
	Kind   Kind
	Ref    string
	Note   string
	Points int64
	Owed   int64
	After  int64
	At     time.Time

	Draws   []Draw
	Expires time.Time // of the points that it adds
}

// Credit is a move that adds points: what is owed takes them first.
func (a Account) Credit(kind Kind, n int64) (Account, Move) {
	pays := min(n, a.Owed)
	m := Move{Person: a.Person, Kind: kind, Points: n - pays, Owed: -pays}
	return a.moved(m)
}

// Debit is a move that takes points out of lots, in their order. Of what is
// taken back, points that are not there are owed; for all else they must be.
func (a Account) Debit(kind Kind, n int64, lots []Lot) (Account, Move, error) {
	var draws []Draw
	left := n
	for _, l := range lots {
		if take := min(left, l.Remains); take > 0 {
			draws = append(draws, Draw{l.Move, take})
			left -= take
		}
	}
	if left > 0 && kind != TakenBack {
		return a, Move{}, ErrPoints
	}
	m := Move{Person: a.Person, Kind: kind, Points: left - n, Owed: left, Draws: draws}
	a, m = a.moved(m)
	return a, m, nil
}

func (a Account) moved(m Move) (Account, Move) {
	a.Points, a.Owed, a.Version = a.Points+m.Points, a.Owed+m.Owed, a.Version+1
	m.After = a.Points
	return a, m
}

// all has the lots that expire first in front.
func all(lots []Lot) []Lot { return lots }

// youngest has an order's own points in front, and then those that expire last:
// whoever buys and sends back does not make old points young.
func youngest(lots []Lot, ref string) []Lot {
	lots = slices.Clone(lots)
	slices.Reverse(lots)
	slices.SortStableFunc(lots, func(a, b Lot) int {
		switch {
		case a.Ref == ref && b.Ref != ref:
			return -1
		case a.Ref != ref && b.Ref == ref:
			return 1
		}
		return 0
	})
	return lots
}

// ended has the lots that are over, and how many points those are.
func ended(lots []Lot, at time.Time) (over []Lot, points int64) {
	for _, l := range lots {
		if !l.ExpiresAt.After(at) {
			over, points = append(over, l), points+l.Remains
		}
	}
	return over, points
}

// about is what a move's reference is about, without the version of a later look.
func about(ref string) string {
	name, _, _ := strings.Cut(ref, "/")
	return name
}

// A Rule is how many points a dirham earns.
type Rule struct {
	ID        string
	Seller    string // "" is all
	Category  string // "" is all
	PerDirham decimal.Decimal
	Since     time.Time
	Until     *time.Time
	MadeAt    time.Time
}

// narrow is how exactly a rule names what it is for.
func (r Rule) narrow() int {
	n := 0
	if r.Seller != "" {
		n += 2
	}
	if r.Category != "" {
		n++
	}
	return n
}

// rate is what a dirham of a seller's goods in a category earns, if it was
// ordered at a moment: by the rule that names them most exactly (the seller
// before the category), of two alike by the later one.
func rate(rules []Rule, seller, category string, at time.Time) decimal.Decimal {
	best := Rule{}
	found := false
	for _, r := range rules {
		switch {
		case r.Since.After(at) || r.Until != nil && !r.Until.After(at):
		case r.Seller != "" && r.Seller != seller, r.Category != "" && r.Category != category:
		case !found, r.narrow() > best.narrow(), r.narrow() == best.narrow() && r.Since.After(best.Since):
			best, found = r, true
		}
	}
	return best.PerDirham
}

// A Part is what a buyer paid for goods of one category, in centimes.
type Part struct {
	Category string
	Paid     int64
}

// worth is what an order earns: for each of its parts by its rule, together a
// tier's percentage more, whole points down.
func worth(rules []Rule, seller string, parts []Part, bonus int, at time.Time) int64 {
	sum := decimal.Zero
	for _, p := range parts {
		sum = sum.Add(decimal.New(p.Paid, -2).Mul(rate(rules, seller, p.Category, at)))
	}
	return sum.Mul(decimal.New(int64(100+bonus), -2)).Floor().IntPart()
}

// due is what of earned points stands while the buyer has kept so much of a
// total: in proportion, whole points down, and all of them only with all of it.
func due(earned, kept, total int64) int64 {
	whole, _ := decimal.NewFromInt(earned).Mul(decimal.NewFromInt(min(max(kept, 0), total))).QuoRem(decimal.NewFromInt(total), 0)
	return whole.IntPart()
}

// Terms are what a point is worth and how long it holds.
type Terms struct {
	Since       time.Time
	Worth       int // centimes
	Months      int
	Least       int64 // points that can be spent at once
	VoucherDays int
	MadeAt      time.Time
}

// A Tier is what those get who bought for so much within twelve months.
type Tier struct {
	Code   string
	Since  time.Time
	Names  map[string]string
	Spend  *int64 // centimes; nil where the tier ends
	Bonus  int    // percent
	MadeAt time.Time
}

// tierOf is the highest tier that somebody who bought for so much has; none has
// no code.
func tierOf(tiers []Tier, spent int64) (best Tier) {
	for _, t := range tiers {
		if t.Spend != nil && *t.Spend <= spent && (best.Spend == nil || *t.Spend > *best.Spend) {
			best = t
		}
	}
	return best
}
