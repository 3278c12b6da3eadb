package members

import (
	"context"

	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// ListInput says which organisations are looked for. What is left out is any.
type ListInput struct {
	State   State  `query:"state" enum:"draft,submitted,under_review,changes_requested,active,suspended,terminated"`
	Region  string `query:"region" maxLength:"5" description:"MA-01 to MA-12."`
	Account string `query:"account" enum:"pending" description:"Only those with a bank account that somebody must verify."`
	rest.Paging
}

// list lists organisations, the newest first; the operator asks.
func (s *Service) list(ctx context.Context, in ListInput) (p rest.Page[View], err error) {
	below, err := in.After(id.Organisation)
	if err != nil {
		return p, err
	}
	all, err := organisations(ctx, s.db, in, below)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, view, func(v View) any { return v.ID }), nil
}

// Waiting is how many organisations ask to be admitted, and how many bank
// accounts must be verified, each counted up to 100.
func (s *Service) Waiting(ctx context.Context, db pg.DB) (asking, accounts int, err error) {
	w, err := waiting(ctx, db)
	return w.Asking, w.Accounts, err
}

// A Lookalike is a member that another may be taken for.
type Lookalike struct {
	ID      string `json:"id" required:"true"`
	Kind    Kind   `json:"kind" required:"true"`
	Names   Texts  `json:"names" required:"true"`
	Commune string `json:"commune" required:"true"`
	State   State  `json:"state" required:"true" enum:"active,suspended"`
}

// LookalikesView are a few members that an organisation may be taken for.
type LookalikesView struct {
	Data []Lookalike `json:"data" required:"true"`
}

// mostAlike is how many of them are named: one is reason enough to look.
const mostAlike = 5

// lookalikes says whom an organisation may be taken for: members of its region with
// a name that looks like one of its own. Whoever admits it asks.
func (s *Service) lookalikes(ctx context.Context, in One) (v LookalikesView, err error) {
	if _, err := s.may(ctx, "organisations.lookalikes", in.Org); err != nil {
		return v, err
	}
	o, err := load(ctx, s.db, in.Org)
	if err != nil {
		return v, err
	}
	v.Data, err = lookalikes(ctx, s.db, o, mostAlike)
	if v.Data == nil {
		v.Data = []Lookalike{}
	}
	return v, err
}
