package main

import (
	"context"

	"tiwiza/marketplace/members"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/pg"
)

// accounts answers payouts from members.
type accounts struct{ members *members.Service }

// PayoutAccounts are where members are paid; one that has no account is left out.
func (a accounts) PayoutAccounts(ctx context.Context, db pg.DB, orgs ...string) (map[string]payouts.Account, error) {
	found, err := a.members.PayoutAccounts(ctx, db, orgs...)
	if err != nil {
		return nil, err
	}
	barred, err := a.members.Suspended(ctx, db, orgs...)
	out := make(map[string]payouts.Account, len(found))
	for org, m := range found {
		p := payouts.Account{RIB: m.RIB, Holder: m.Holder, Verified: m.Verified(), Suspended: barred[org]}
		if !m.First && m.Since != nil {
			p.Since = *m.Since
		}
		out[org] = p
	}
	return out, err
}
