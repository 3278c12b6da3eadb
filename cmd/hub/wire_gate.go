package main

import (
	"context"

	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/members"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

var errOwed = fault.New(fault.Conflict, "organisations.owed", "Money of this organisation, or a debt, is still with the market; settle that before its membership ends.")

// gate is what moves of organisations ask for: their papers, and at the end that
// nothing is owed.
type gate struct {
	enrolment *enrolment.Service
	payouts   *payouts.Service
}

// Passes says whether an organisation may be moved.
func (g gate) Passes(ctx context.Context, tx *pg.Tx, o members.Organisation, m members.Move) error {
	if m != members.Terminate {
		return g.enrolment.Passes(ctx, tx, o, m)
	}
	b, err := g.payouts.Balance(auth.With(ctx, auth.Principal{Role: auth.Seller, Subject: o.ID}), rest.None{})
	if err != nil {
		return err
	}
	for _, m := range []interface{ Sign() int }{b.Available, b.Pending, b.Bonus, b.Reserve, b.Receivable} {
		if m.Sign() != 0 {
			return errOwed
		}
	}
	return nil
}
