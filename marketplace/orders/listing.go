package orders

import (
	"context"
	"time"

	"tiwiza/marketplace/delivery"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// An Article is what an order in a list has, to know it by.
type Article struct {
	Offer    string            `json:"offer" required:"true"`
	Variant  string            `json:"variant" required:"true"`
	Names    map[string]string `json:"names" required:"true"`
	Quantity int               `json:"quantity" required:"true"`
}

// Listed is an order in a list.
type Listed struct {
	Summary
	Articles   []Article    `json:"articles" required:"true"`
	Share      *money.Money `json:"share,omitempty" description:"What its seller has of it when nothing goes back; its buyer does not see it."`
	Held       money.Money  `json:"held" required:"true" description:"What waits in escrow."`
	Released   money.Money  `json:"released" required:"true" description:"What its escrow let go."`
	ReleasesAt *time.Time   `json:"releases_at,omitempty" description:"When the money goes to the seller by itself, once the goods are there."`
	Preparing  *time.Time   `json:"preparing_since,omitempty"`
	Case       *CaseView    `json:"case,omitempty"`
}

// shareFor is what the seller has of the order, for those who may know: its fees
// are taken off, and what it brings itself is its own.
func (o Order) shareFor(p auth.Principal) *money.Money {
	if p.Role != auth.Seller && p.Role != auth.Operator {
		return nil
	}
	n := o.Legs.Seller + o.Legs.Reserve + o.Bonus
	if o.Method == string(delivery.Own) {
		n += o.Legs.Carrier
	}
	m := money.FromCentimes(n, o.Currency)
	return &m
}

// List lists the caller's orders, the newest first: a seller's own, a buyer's
// own, and for the operator all.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[Listed], err error) {
	below, err := in.After(id.Order)
	if err != nil {
		return p, err
	}
	who := auth.From(ctx)
	seller, buyers := who.Sides()
	all, err := listOrders(ctx, s.db, seller, buyers, string(in.State), below, in.Limit+1)
	if err != nil {
		return p, err
	}
	ids := make([]string, len(all))
	for i, o := range all {
		ids[i] = o.ID
	}
	articles, err := articlesOf(ctx, s.db, ids)
	if err != nil {
		return p, err
	}
	holds, err := s.Escrows.OfOrders(ctx, s.db, ids)
	if err != nil {
		return p, err
	}
	cases, err := s.Escrows.CaseOf(ctx, s.db, ids)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, func(o Order) Listed {
		return listed(o, who, articles[o.ID], holds[o.ID], caseView(cases, o.ID))
	}, func(v Listed) any { return v.ID }), nil
}

func listed(o Order, who auth.Principal, articles []Article, h escrow.Hold, c *CaseView) Listed {
	e := escrowView(h, o.Currency)
	return Listed{
		Summary: summary(o), Articles: append([]Article{}, articles...), Share: o.shareFor(who), Held: e.Held, Released: e.Released,
		ReleasesAt: rest.UTC(h.ReleaseDue), Preparing: rest.UTC(o.PreparingAt), Case: c,
	}
}
