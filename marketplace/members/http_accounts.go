package members

import (
	"context"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// AccountView is a bank account. Only the operator sees the whole number.
type AccountView struct {
	ID         string       `json:"id" required:"true"`
	RIB        string       `json:"rib" required:"true" description:"24 digits for the operator, the last four for others."`
	Holder     string       `json:"holder" required:"true"`
	State      AccountState `json:"state" required:"true" enum:"pending,current,former"`
	Verified   bool         `json:"verified" required:"true"`
	VerifiedAt *time.Time   `json:"verified_at,omitempty"`
	OpenFrom   *time.Time   `json:"open_from,omitempty" description:"When payouts may go to it."`
	CreatedAt  time.Time    `json:"created_at" required:"true"`
	GivenBy    string       `json:"given_by,omitempty" description:"Who gave it; another of the operator's people verifies it by giving the same."`
	VerifiedBy string       `json:"verified_by,omitempty"`
}

// NewAccountInput gives a bank account.
type NewAccountInput struct {
	Org    string `path:"org"`
	RIB    string `json:"rib" required:"true" maxLength:"40" description:"24 digits; spaces do not matter."`
	Holder string `json:"holder" required:"true" minLength:"2" maxLength:"140" description:"In whose name the account is."`
}

func accountView(ctx context.Context, a Account) AccountView {
	v := AccountView{a.ID, a.RIB, a.Holder, a.State, a.Verified(), a.Since, nil, a.CreatedAt.UTC(), a.GivenBy, a.VerifiedBy}
	if auth.From(ctx).Role != auth.Operator {
		v.RIB = mask(a.RIB)
	}
	if from := a.OpenFrom(); a.State == Current {
		v.OpenFrom = &from
	}
	return v
}

func (s *Service) listAccounts(ctx context.Context, in OfOrganisation) (p rest.Page[AccountView], err error) {
	var below string
	if err := s.listing(ctx, "bank_accounts.list", in, &below); err != nil {
		return p, err
	}
	all, err := accountsOf(ctx, s.db, in.Org, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	var out []AccountView
	for _, a := range all {
		out = append(out, accountView(ctx, a))
	}
	return rest.Cut(out, in.Limit, func(a AccountView) any { return a.ID }), nil
}

func (s *Service) createAccount(ctx context.Context, in NewAccountInput) (v AccountView, err error) {
	policy, err := s.may(ctx, "bank_accounts.create", in.Org)
	if err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		a, err := s.AddAccount(ctx, tx, in.Org, in.RIB, in.Holder)
		if err != nil {
			return err
		}
		audit.Record(tx, "bank_accounts.create", in.Org, policy, map[string]any{"account": a.ID, "rib": mask(a.RIB), "state": a.State})
		v = accountView(ctx, a)
		return nil
	})
	return v, err
}
