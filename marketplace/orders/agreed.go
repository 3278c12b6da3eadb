package orders

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/pricing"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// From is the rule by which a price came.
type From string

// The rules: what was agreed on goes before the prices of a buyer's group, and
// those before what everybody pays.
const (
	FromPublic    From = "public"
	FromList      From = "list"
	FromAgreement From = "agreement"
)

// price is what one of a line costs, and by which rule. What is no longer on
// offer, or agreed on, keeps the price shown last.
func (m Market) price(l Line) (money.Money, From) {
	if l.Agreement != "" {
		if a := m.agreement(l.Agreement); a != nil {
			if deal, ok := a.Line(l.Variant); ok {
				return money.Dirhams(deal.Price), FromAgreement
			}
		}
		return money.Dirhams(l.Price), FromAgreement
	}
	item, there := m.Items[l.Variant]
	if !there {
		return money.Dirhams(l.Price), FromPublic
	}
	price, better := pricing.Best(m.Own, item.Seller, l.Variant, l.Quantity, item.PriceOf(l.Quantity))
	if better {
		return price, FromList
	}
	return price, FromPublic
}

// agreement is one by which a line is sold.
func (m Market) agreement(agreement string) *agreements.Agreement {
	i := slices.IndexFunc(m.Agreed, func(a agreements.Agreement) bool { return a.ID == agreement })
	if i < 0 {
		return nil
	}
	return &m.Agreed[i]
}

// agreedIn are the agreements of lines, each once.
func agreedIn(lines []Line) []string {
	out := []string{}
	for _, l := range lines {
		if l.Agreement != "" && !slices.Contains(out, l.Agreement) {
			out = append(out, l.Agreement)
		}
	}
	return out
}

// deal is what was agreed on a line, if that holds for its buyer now.
func (m Market) deal(l Line) (agreements.Line, bool) {
	a := m.agreement(l.Agreement)
	if a == nil || !a.Holds(m.Buyer, m.At) || a.Seller != m.Items[l.Variant].Seller {
		return agreements.Line{}, false
	}
	return a.Line(l.Variant)
}

// allowed refuses a line that is not as it was agreed. Another's agreement does
// not exist.
func (m Market) allowed(l Line) error {
	a := m.agreement(l.Agreement)
	if a == nil || a.Buyer != m.Buyer {
		return agreements.ErrNotFound.At("/agreement", agreements.ErrNotFound.Text)
	}
	deal, ok := m.deal(l)
	switch {
	case !ok:
		return agreements.ErrEnded.At("/agreement", "Take the article out of the basket; then put it in at its price of today.")
	case l.Quantity < deal.Least || l.Quantity > deal.Most:
		return agreements.ErrQuantity.At("/quantity", bounds(deal))
	}
	return nil
}

// bounds says how many were agreed on.
func bounds(l agreements.Line) string {
	if l.Least == l.Most {
		return fmt.Sprintf("%d were agreed on.", l.Most)
	}
	return fmt.Sprintf("From %d to %d were agreed on.", l.Least, l.Most)
}

// unagreed says what of a line is not as it was agreed.
func (m Market) unagreed(i int, l Line) []Problem {
	if l.Agreement == "" {
		return nil
	}
	p := Problem{Pointer: fmt.Sprintf("/lines/%d", i), Variant: l.Variant, Blocking: true}
	name := named(m.Items[l.Variant].OfferNames, "This article")
	deal, ok := m.deal(l)
	switch {
	case !ok:
		p.Code, p.Detail = "agreement_ended", "What was agreed on "+name+" does not hold any more, or was ordered already; take it out of the basket."
	case l.Quantity < deal.Least || l.Quantity > deal.Most:
		p.Code, p.Detail = "agreement_quantity", name+": "+bounds(deal)
	default:
		return nil
	}
	return []Problem{p}
}

// incomplete says which agreements are in a basket in part only.
func (m Market) incomplete(lines []Line) (out []Problem) {
	for _, agreement := range agreedIn(lines) {
		a := m.agreement(agreement)
		if a == nil {
			continue
		}
		in := func(l Line) bool { return l.Agreement == agreement }
		missing := slices.ContainsFunc(a.Lines, func(deal agreements.Line) bool {
			return !slices.ContainsFunc(lines, func(l Line) bool { return in(l) && l.Variant == deal.Variant })
		})
		if missing {
			i := slices.IndexFunc(lines, in)
			out = append(out, Problem{
				Pointer: fmt.Sprintf("/lines/%d", i), Variant: lines[i].Variant, Code: "agreement_incomplete", Blocking: true,
				Detail: "All that was agreed on together is ordered together; put the rest of it into the basket.",
			})
		}
	}
	return out
}

// deliverAgreed is the price of a parcel whose delivery was agreed on, if it was.
func (m Market) deliverAgreed(q *Quote, p parcel, d Destination) (f Fee, ok bool) {
	var a *agreements.Agreement
	for _, i := range p.all {
		if b := q.Lines[i].agreed; b != nil && b.Delivery != nil {
			a = b
			break
		}
	}
	if a == nil {
		return f, false
	}
	to := a.Delivery
	stop := func(code, text string) {
		for _, i := range p.all {
			if q.Lines[i].Agreement == a.ID {
				q.Problems = append(q.Problems, Problem{Pointer: fmt.Sprintf("/lines/%d", i), Variant: q.Lines[i].Variant, Code: code, Blocking: true, Detail: text})
			}
		}
	}
	switch {
	case slices.ContainsFunc(p.all, func(i int) bool { return q.Lines[i].Agreement != a.ID }):
		stop("agreement_alone", "This was agreed on with its delivery; order other goods of this seller in a basket of their own.")
	case d.Commune == "" && to.Commune != "":
		stop(string(delivery.NoCommune), "It was agreed to bring this to "+to.Commune+"; say your commune.")
	case to.Commune != "" && (d.Commune != to.Commune || d.Region != to.Region):
		stop(string(delivery.TooFar), "It was agreed to bring this to "+to.Commune+".")
	}
	return Fee{Kind: "delivery", Seller: p.seller, Method: to.Method, WeightG: p.Grams, Amount: money.Dirhams(to.Amount), LeadDays: to.LeadDays, Way: to.Way, Fetch: to.Spot}, true
}

// useAgreed uses the agreements of the drafts, in the order of their ids.
func (s *Service) useAgreed(ctx context.Context, tx *pg.Tx, drafts []Draft) error {
	type use struct {
		of    agreements.Agreement
		order string
	}
	var all []use
	for _, d := range drafts {
		for _, l := range d.Lines {
			if a := l.agreed; a != nil && !slices.ContainsFunc(all, func(u use) bool { return u.of.ID == a.ID }) {
				all = append(all, use{*a, d.ID})
			}
		}
	}
	slices.SortFunc(all, func(a, b use) int { return cmp.Compare(a.of.ID, b.of.ID) })
	for _, u := range all {
		if err := s.Agreed.Use(ctx, tx, u.of, u.order); err != nil {
			return err
		}
	}
	return nil
}

// FillAll is Fill of several agreements of one buyer, of which no two are about
// one article.
func (s *Service) FillAll(tx *pg.Tx, all []agreements.Agreement) (basket string) {
	b := Basket{ID: id.New(id.Basket), Buyer: all[0].Buyer, Version: 1}
	insertBasket(tx, b)
	for _, a := range all {
		for _, l := range a.Lines {
			putLine(tx, b.ID, Line{l.Variant, l.Most, l.Price, a.ID}, false)
		}
	}
	return b.ID
}

// Fill gives the buyer of an agreement a basket with all that was agreed on, a
// step of whoever made it.
func (s *Service) Fill(tx *pg.Tx, a agreements.Agreement) (basket string) {
	return s.FillAll(tx, []agreements.Agreement{a})
}
