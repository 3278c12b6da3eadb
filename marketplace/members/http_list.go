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
