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

// A Discount is what one promotion takes off the goods of a seller.
type Discount struct {
	Promotion string            `json:"promotion" required:"true"`
	Code      string            `json:"code,omitempty" description:"Left out when it is for every buyer."`
	Names     map[string]string `json:"names" required:"true"`
	Seller    Party             `json:"seller" required:"true"`
	PaidBy    promotions.Payer  `json:"paid_by" required:"true" enum:"seller,market" description:"Who has less for it: the market pays its seller what the buyer does not."`
	Amount    money.Money       `json:"amount" required:"true"`

	of promotions.Promotion
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
	at, lines := q.linesOf(seller.ID)
	var best promotions.Available
	var off []int64
	var most int64
	for _, p := range m.Offs { // by id
		if p.Payer == promotions.Market || p.Seller != seller.ID {
			continue
		}
		parts, _ := p.Discount(lines, fee.Centimes(), m.At)
		if sum := total(parts); sum > most {
			best, off, most = p, parts, sum
		}
	}
	if most > 0 {
		q.takeOff(best.Promotion, seller, at, off)
	}
}

// takeOff takes what a promotion does off the lines of a seller.
func (q *Quote) takeOff(p promotions.Promotion, seller Party, at []int, off []int64) {
	for k, i := range at {
		q.Lines[i].Discount = q.Lines[i].Discount.Add(money.Dirhams(off[k]))
		if p.Payer == promotions.Market {
			q.Lines[i].MarketPays = q.Lines[i].MarketPays.Add(money.Dirhams(off[k]))
		}
	}
	sum := money.Dirhams(total(off))
	q.Discounts = append(q.Discounts, Discount{p.ID, p.Code, p.Names, seller, p.Payer, sum, p})
	q.Totals.Discount = q.Totals.Discount.Add(sum)
	if p.Payer == promotions.Market {
		q.Totals.MarketPays = q.Totals.MarketPays.Add(sum)
	}
}

// linesOf are a seller's lines as promotions see them, and where they are.
func (q Quote) linesOf(seller string) (at []int, lines []promotions.Line) {
	for i, l := range q.Lines {
		if l.Seller.ID == seller && l.Agreement == "" { // what was agreed on is the price
			at = append(at, i)
			lines = append(lines, promotions.Line{Offer: l.Offer, Category: l.category, Total: l.Total.Centimes(), Off: l.Discount.Sub(l.MarketPays).Centimes()})
		}
	}
	return at, lines
}

// A bid is what one promotion of the market's would take off one parcel.
type bid struct {
	of  int // which promotion
	fee Fee
	at  []int
	off []int64
	sum int64
}

// subsidise takes off what the market pays, one promotion a parcel beside its
// seller's own: the dearest first, as often and as far as each promotion goes.
func (m Market) subsidise(q *Quote) {
	offs := slices.DeleteFunc(slices.Clone(m.Offs), func(p promotions.Available) bool { return p.Payer != promotions.Market })
	if len(offs) == 0 {
		return
	}
	parcels := slices.DeleteFunc(slices.Clone(q.Fees), func(f Fee) bool { return f.Kind != "delivery" || m.works(f.Seller.ID) })
	for len(parcels) > 0 {
		var best bid
		for _, f := range parcels { // by seller
			at, lines := q.linesOf(f.Seller.ID)
			room := m.room(*q, f)
			for i, p := range offs { // by id
				off, _ := p.Pays(lines, f.Amount.Centimes(), room, m.At)
				if sum := total(off); sum > best.sum {
					best = bid{i, f, at, off, sum}
				}
			}
		}
		if best.sum == 0 {
			return
		}
		q.takeOff(offs[best.of].Promotion, best.fee.Seller, best.at, best.off)
		offs[best.of].Used, offs[best.of].Mine, offs[best.of].Spent = offs[best.of].Used+1, offs[best.of].Mine+1, offs[best.of].Spent+best.sum
		parcels = slices.DeleteFunc(parcels, func(f Fee) bool { return f.Seller.ID == best.fee.Seller.ID })
	}
}

// room is the most that the market pays of a seller's goods: what the buyer pays
// still covers delivery, the market's fees and their VAT, and something for the
// seller.
func (m Market) room(q Quote, delivery Fee) int64 {
	legs, _ := m.Fees.Share(q.sale(delivery.Seller.ID, delivery.Amount, m.At))
	return legs.Seller - 1
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
		if lost := q.wasted(code); lost > 0 {
			q.Problems = append(q.Problems, Problem{
				Pointer: fmt.Sprintf("/codes/%d", i), Code: "code_rest_lost",
				Detail: "The code " + code + " takes off less than it is worth, and is used up all the same: " + money.Dirhams(lost).String() + " of it would be lost. Keep it for a larger order, if you like.",
			})
		}
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
	promotions.NoRoom:  "takes nothing off these: what you pay must cover delivery and fees.",
	promotions.OwnShop: "is not for the goods of a seller that you work for.",
	promotions.NotNow:  "does not hold today.",
	promotions.Minimum: "is for more goods of its seller than these.",
	promotions.Others:  "is for other goods.",
	promotions.UsedUp:  "has been used as often as it can be.",
}

// wasted is how much of a person's own code is lost with a quote, in centimes.
func (q Quote) wasted(code string) int64 {
	for _, d := range q.Discounts {
		if d.Code == code && d.of.Person != "" && d.of.Kind == promotions.Amount {
			return d.of.Amount - d.Amount.Centimes()
		}
	}
	return 0
}

// judge says why none of the promotions of a code takes anything off.
func (m Market) judge(q Quote, code string) (why promotions.Why, known bool) {
	for _, p := range m.Offs {
		if p.Code != code {
			continue
		}
		known = true
		if slices.ContainsFunc(q.Discounts, func(d Discount) bool { return d.Promotion == p.ID }) {
			return "", true
		}
		for _, f := range q.Fees {
			if f.Kind != "delivery" || p.Payer == promotions.Seller && f.Seller.ID != p.Seller {
				continue
			}
			if why = m.refusal(q, p, f); why == "" {
				return "", true
			}
		}
	}
	return why, known
}

// refusal says why a promotion takes nothing off a parcel.
func (m Market) refusal(q Quote, p promotions.Available, f Fee) (why promotions.Why) {
	_, lines := q.linesOf(f.Seller.ID)
	if p.Payer == promotions.Market && m.works(f.Seller.ID) {
		return promotions.OwnShop
	}
	if p.Payer == promotions.Market {
		_, why = p.Pays(lines, f.Amount.Centimes(), m.room(q, f), m.At)
		return why
	}
	for i := range lines {
		lines[i].Off = 0 // it would take the place of what its seller takes off
	}
	_, why = p.Discount(lines, f.Amount.Centimes(), m.At)
	return why
}

// redeem uses the promotions of the drafts, in the order of their ids.
func (s *Service) redeem(ctx context.Context, tx *pg.Tx, drafts []Draft) error {
	var used []promotions.Use
	for _, d := range drafts {
		for _, off := range d.Offs {
			used = append(used, off.of.Use(d.ID, d.Buyer, off.Amount.Centimes()))
		}
	}
	slices.SortFunc(used, func(a, b promotions.Use) int {
		return cmp.Or(cmp.Compare(a.Promotion, b.Promotion), cmp.Compare(a.Order, b.Order))
	})
	for _, u := range used {
		if err := s.Offs.Redeem(ctx, tx, u); err != nil {
			return err
		}
	}
	return nil
}

// unpaid frees what orders used that ended before their buyer paid.
func (s *Service) unpaid(ctx context.Context, tx *pg.Tx, ended ...Order) error {
	var off []string
	for _, o := range ended {
		if o.Discount > 0 {
			off = append(off, o.ID)
		}
	}
	if len(off) > 0 {
		if err := s.Offs.GiveBack(ctx, tx, off...); err != nil {
			return err
		}
	}
	for _, o := range ended {
		if !o.Agreed {
			continue
		}
		if err := s.Agreed.GiveBack(ctx, tx, o.ID); err != nil {
			return err
		}
	}
	return nil
}

// paid is what the buyer paid for a line.
func (l boughtLine) paid() int64 { return l.Total - l.Discount }

// price is what the seller asks for a line: its own discount is off, and what the
// market pays is in it.
func (l boughtLine) price() int64 { return l.paid() + l.Bonus }

// cost is what the buyer paid for n of a line's pieces after the first ones: all
// pieces together cost what the line did, to the centime.
func (l boughtLine) cost(first, n int) int64 {
	upTo := func(n int) int64 { return l.paid() * int64(n) / int64(l.Quantity) }
	return upTo(first+n) - upTo(first)
}
