package escrow

import (
	"cmp"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A Base is what a fee is a share of.
type Base string

// The bases.
const (
	OfGoods    Base = "goods"
	OfDelivery Base = "delivery"
	OfTotal    Base = "total"
)

// A Tariff is one fee of the market, valid from a day on until a later row of
// the same code and category takes its place. VAT comes on top.
type Tariff struct {
	Code     string
	Category string // of the goods it is for; "" is any that has no tariff of its own
	Base     Base
	Percent  decimal.Decimal
	Minimum  int64  // centimes
	Maximum  *int64 // centimes; nil is none
	Payer    string // seller: out of its share; buyer: on top of the order
	Since    time.Time
}

// A Rate is a percentage that holds from a day on.
type Rate struct {
	Kind    string // vat: on fees; reserve: of the seller's share of the goods
	Percent decimal.Decimal
	Since   time.Time
}

// A Sheet is all that says what the market takes.
type Sheet struct {
	Tariffs []Tariff
	Rates   []Rate
}

// A FeeLine is what one tariff makes of one order.
type FeeLine struct {
	Code   string
	Payer  string
	Amount int64 // centimes, before VAT
	VAT    int64
}

// A Sale is what fees are taken of.
type Sale struct {
	Goods    map[string]int64 // centimes by category
	Delivery int64
	At       time.Time
}

func (s Sale) goods() (sum int64) {
	for _, n := range s.Goods {
		sum += n
	}
	return sum
}

// rate is the percentage that holds at a time.
func (s Sheet) rate(kind string, at time.Time) decimal.Decimal {
	var best Rate
	for _, r := range s.Rates {
		if r.Kind == kind && !r.Since.After(at) && !r.Since.Before(best.Since) {
			best = r
		}
	}
	return best.Percent
}

// inForce are the tariffs that hold at a time, the newest of each code and
// category, in order.
func (s Sheet) inForce(at time.Time) []Tariff {
	newest := map[[2]string]Tariff{}
	for _, t := range s.Tariffs {
		k := [2]string{t.Code, t.Category}
		if old, ok := newest[k]; !t.Since.After(at) && (!ok || t.Since.After(old.Since)) {
			newest[k] = t
		}
	}
	out := make([]Tariff, 0, len(newest))
	for _, t := range newest {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b Tariff) int { return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Category, b.Category)) })
	return out
}

// base is what a tariff is a share of in a sale. A category with a tariff of its
// own is not in the general one of the same code.
func base(t Tariff, all []Tariff, sale Sale) int64 {
	if t.Base == OfDelivery {
		return sale.Delivery
	}
	var sum int64
	for category, n := range sale.Goods {
		special := slices.ContainsFunc(all, func(o Tariff) bool { return o.Code == t.Code && o.Category == category && category != "" })
		if category == t.Category || t.Category == "" && !special {
			sum += n
		}
	}
	if t.Base == OfTotal {
		sum += sale.Delivery
	}
	return sum
}

// Fees are the lines of a sale. Each is its share of the base, at least its
// minimum and at most its maximum; the lines of one payer are rounded together
// (half up), and the centimes go to them by largest remainder, and so is the VAT
// on them. What sellers pay is never more than their goods.
func (s Sheet) Fees(sale Sale) []FeeLine {
	var lines []FeeLine
	all, vat := s.inForce(sale.At), s.rate("vat", sale.At).Shift(-2)
	for _, payer := range []string{"seller", "buyer"} {
		var exact []decimal.Decimal
		first := len(lines)
		for _, t := range all {
			n := base(t, all, sale)
			if t.Payer != payer || n == 0 {
				continue
			}
			e := decimal.Max(decimal.NewFromInt(n).Mul(t.Percent).Shift(-2), decimal.NewFromInt(t.Minimum))
			if t.Maximum != nil {
				e = decimal.Min(e, decimal.NewFromInt(*t.Maximum))
			}
			exact, lines = append(exact, e), append(lines, FeeLine{Code: t.Code, Payer: payer})
		}
		if payer == "seller" {
			exact = capped(exact, decimal.NewFromInt(sale.goods()).Div(decimal.NewFromInt(1).Add(vat)).Floor())
		}
		taxes := make([]decimal.Decimal, len(exact))
		for i, n := range round(exact) {
			lines[first+i].Amount = n
			taxes[i] = decimal.NewFromInt(n).Mul(vat)
		}
		for i, n := range round(taxes) {
			lines[first+i].VAT = n
		}
	}
	return lines
}

// capped scales amounts down to a sum.
func capped(exact []decimal.Decimal, most decimal.Decimal) []decimal.Decimal {
	sum := decimal.Sum(decimal.Zero, exact...)
	if sum.LessThanOrEqual(most) {
		return exact
	}
	out := make([]decimal.Decimal, len(exact))
	for i, e := range exact {
		out[i] = e.Mul(most).Div(sum)
	}
	return out
}

// round makes centimes of exact amounts: their sum is rounded half up, and what
// rounding down leaves over goes by largest remainder, the earlier first on a
// tie.
func round(exact []decimal.Decimal) []int64 {
	out := make([]int64, len(exact))
	order := make([]int, len(exact))
	left := decimal.Sum(decimal.Zero, exact...).Round(0).IntPart()
	for i, e := range exact {
		out[i], order[i] = e.Floor().IntPart(), i
		left -= out[i]
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return exact[b].Sub(exact[b].Floor()).Cmp(exact[a].Sub(exact[a].Floor()))
	})
	for i := range order[:left] {
		out[order[i]]++
	}
	return out
}

// Share splits a sale: the seller's fees and the VAT on them are taken of the
// goods, the reserve of what is left of them; delivery goes to the carrier, or to
// the seller who delivers. What the buyer pays on top is ours.
func (s Sheet) Share(sale Sale) (Legs, []FeeLine) {
	lines := s.Fees(sale)
	l := Legs{Carrier: sale.Delivery}
	share := sale.goods()
	for _, f := range lines {
		l.Commission += f.Amount
		l.VAT += f.VAT
		if f.Payer == "seller" {
			share -= f.Amount + f.VAT
		}
	}
	l.Reserve = money.Dirhams(share).Rate(s.rate("reserve", sale.At)).Centimes()
	l.Seller = share - l.Reserve
	return l, lines
}

// OnTop is what the buyer pays besides goods and delivery, VAT included.
func OnTop(lines []FeeLine) (sum int64) {
	for _, f := range lines {
		if f.Payer == "buyer" {
			sum += f.Amount + f.VAT
		}
	}
	return sum
}

// Fees reads the market's sheet of fees and rates, past and to come, in the
// caller's batch.
func (s *Service) Fees(sheet *Sheet) pg.Read { return readSheet(sheet) }
