package orders

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"

	"tiwiza/marketplace/promotions"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A Discount is what one promotion takes off the goods of its seller.
type Discount struct {
	Promotion string            `json:"promotion" required:"true"`
	Code      string            `json:"code,omitempty" description:"Left out when it is for every buyer."`
	Names     map[string]string `json:"names" required:"true"`
	Seller    Party             `json:"seller" required:"true"`
	Amount    money.Money       `json:"amount" required:"true"`

	counted, each bool // it can be used so often and no more, by all or by one buyer
}

var codeText = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{2,29}$`)

// typed brings codes to the form they are kept in, each once.
func typed(codes []string) ([]string, error) {
	out := []string{}
	for i, c := range codes {
		c = promotions.Code(c)
		if !codeText.MatchString(c) {
			return nil, ErrInvalid.At(fmt.Sprintf("/codes/%d", i), "A code has 3 to 30 letters from A to Z, digits and hyphens.")
		}
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out, nil
}

// discount takes off a seller's goods what its best promotion does: one, never
// several, and of two alike the older.
func (m Market) discount(q *Quote, seller Party, fee money.Money) {
	var at []int
	var lines []promotions.Line
	for i, l := range q.Lines {
		if l.Seller.ID == seller.ID && l.Agreement == "" { // what was agreed on is the price
			at, lines = append(at, i), append(lines, promotions.Line{Offer: l.Offer, Category: l.category, Total: l.Total.Centimes()})
		}
	}
	var best promotions.Available
	var off []int64
	var most int64
	for _, p := range m.Offs { // by id
		if p.Seller != seller.ID {
			continue
		}
		parts, _ := p.Discount(lines, fee.Centimes(), m.At)
		if sum := total(parts); sum > most {
			best, off, most = p, parts, sum
		}
	}
	if most == 0 {
		return
	}
	for k, i := range at {
		q.Lines[i].Discount = money.Dirhams(off[k])
	}
	q.Discounts = append(q.Discounts, Discount{best.ID, best.Code, best.Names, seller, money.Dirhams(most), best.Total != nil, best.PerBuyer != nil})
	q.Totals.Discount = q.Totals.Discount.Add(money.Dirhams(most))
}

func total(parts []int64) (sum int64) {
	for _, n := range parts {
		sum += n
	}
	return sum
}

// judgeCodes says of each code that was typed and takes nothing off, why. One
// that another promotion is better than is no problem.
func (m Market) judgeCodes(q *Quote) {
	for i, code := range m.Codes {
		why, known := m.judge(*q, code)
		if known && why == "" {
			continue
		}
		p := Problem{Pointer: fmt.Sprintf("/codes/%d", i), Code: "code_unknown", Detail: "No seller in this basket has a promotion with the code " + code + "."}
		if known {
			p.Code, p.Detail = "code_"+string(why), "The code "+code+" "+refusals[why]
		}
		q.Problems = append(q.Problems, p)
	}
}

var refusals = map[promotions.Why]string{
	promotions.NotNow:  "does not hold today.",
	promotions.Minimum: "is for more goods of its seller than these.",
	promotions.Others:  "is for other goods.",
	promotions.UsedUp:  "has been used as often as it can be.",
}

// judge says why none of the promotions of a code takes anything off.
func (m Market) judge(q Quote, code string) (why promotions.Why, known bool) {
	for _, p := range m.Offs {
		if p.Code != code {
			continue
		}
		var lines []promotions.Line
		for _, l := range q.Lines {
			if l.Seller.ID == p.Seller && l.Agreement == "" {
				lines = append(lines, promotions.Line{Offer: l.Offer, Category: l.category, Total: l.Total.Centimes()})
			}
		}
		var fee int64
		for _, f := range q.Fees {
			if f.Seller.ID == p.Seller && f.Kind == "delivery" {
				fee = f.Amount.Centimes()
			}
		}
		known = true
		if _, why = p.Discount(lines, fee, m.At); why == "" {
			return "", true
		}
	}
	return why, known
}

// redeem uses the promotions of the drafts, in the order of their ids.
func (s *Service) redeem(tx *pg.Tx, drafts []Draft) {
	used := slices.DeleteFunc(slices.Clone(drafts), func(d Draft) bool { return d.Off.Promotion == "" })
	slices.SortFunc(used, func(a, b Draft) int { return cmp.Compare(a.Off.Promotion, b.Off.Promotion) })
	for _, d := range used {
		s.Offs.Redeem(tx, promotions.Use{
			Promotion: d.Off.Promotion, Order: d.ID, Buyer: d.Buyer, Amount: d.Discount, Counted: d.Off.counted, Each: d.Off.each,
		})
	}
}

// unpaid frees what an order used that ended before its buyer paid.
func (s *Service) unpaid(ctx context.Context, tx *pg.Tx, o Order) error {
	if o.Discount > 0 {
		s.Offs.GiveBack(tx, o.ID)
	}
	if o.Agreed {
		return s.Agreed.GiveBack(ctx, tx, o.ID)
	}
	return nil
}

// paid is what the buyer paid for a line.
func (l boughtLine) paid() int64 { return l.Total - l.Discount }

// cost is what the buyer paid for n of a line's pieces after the first ones: all
// pieces together cost what the line did, to the centime.
func (l boughtLine) cost(first, n int) int64 {
	upTo := func(n int) int64 { return l.paid() * int64(n) / int64(l.Quantity) }
	return upTo(first+n) - upTo(first)
}
