package agreements

import (
	"context"
	"net/http"
	"slices"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/agreements", "agreements.list", "List what one agreed on, the newest first", http.StatusOK, s.List),
		rest.Handle("GET", "/v1/agreements/{agreement}", "agreements.show", "Show what was agreed on", http.StatusOK, s.Show),
	}
}

// View is an agreement as its buyer, its seller and the operator see it.
type View struct {
	ID       string        `json:"id" required:"true"`
	Kind     string        `json:"kind" required:"true" description:"What it came of, as quotation."`
	Source   string        `json:"source" required:"true" description:"The id of that."`
	Seller   string        `json:"seller" required:"true"`
	State    State         `json:"state" required:"true" enum:"open,used,ended"`
	Order    string        `json:"order,omitempty" description:"That uses it."`
	Lines    []LineView    `json:"lines" required:"true"`
	Delivery *DeliveryView `json:"delivery,omitempty" description:"Left out: as any parcel of the seller."`
	Until    time.Time     `json:"until" required:"true"`
	MadeAt   time.Time     `json:"made_at" required:"true"`
}

// LineView is what was agreed on an article.
type LineView struct {
	Variant string      `json:"variant" required:"true"`
	Least   int         `json:"least" required:"true"`
	Most    int         `json:"most" required:"true"`
	Price   money.Money `json:"price" required:"true" description:"Of each."`
}

// DeliveryView is how the whole is brought, and for how much.
type DeliveryView struct {
	Method   string      `json:"method" required:"true" enum:"carrier,own,pickup"`
	Amount   money.Money `json:"amount" required:"true"`
	LeadDays int         `json:"lead_days" required:"true"`
	Commune  string      `json:"commune" required:"true"`
	Region   string      `json:"region" required:"true"`
}

// View is how the parties see the agreement.
func (a Agreement) View() View {
	v := View{
		ID: a.ID, Kind: a.Kind, Source: a.Source, Seller: a.Seller, State: a.State, Order: a.Order, Lines: make([]LineView, len(a.Lines)),
		Until: a.Until.UTC(), MadeAt: a.MadeAt.UTC(),
	}
	for i, l := range a.Lines {
		v.Lines[i] = LineView{l.Variant, l.Least, l.Most, money.Dirhams(l.Price)}
	}
	if d := a.Delivery; d != nil {
		v.Delivery = &DeliveryView{d.Method, money.Dirhams(d.Amount), d.LeadDays, d.Commune, d.Region}
	}
	return v
}

// One names an agreement.
type One struct {
	Agreement string `path:"agreement"`
}

// Show shows an agreement to its parties.
func (s *Service) Show(ctx context.Context, in One) (v View, err error) {
	a, err := byID(ctx, s.db, in.Agreement)
	if err != nil {
		return v, err
	}
	if !a.Concerns(auth.From(ctx)) {
		return v, ErrNotFound
	}
	return a.View(), nil
}

// Concerns says whether p is one of the two, or the operator.
func (a Agreement) Concerns(p auth.Principal) bool {
	seller, buyers := p.Sides()
	return (seller == "" || seller == a.Seller) && (buyers == nil || slices.Contains(buyers, a.Buyer))
}

// List lists the caller's agreements; the operator's list has all.
func (s *Service) List(ctx context.Context, in rest.Paging) (p rest.Page[View], err error) {
	below, err := in.After(id.Agreement)
	if err != nil {
		return p, err
	}
	seller, buyers := auth.From(ctx).Sides()
	all, err := list(ctx, s.db, seller, buyers, below, in.Limit+1)
	return rest.View(all, in.Limit, Agreement.View, func(v View) any { return v.ID }), err
}
