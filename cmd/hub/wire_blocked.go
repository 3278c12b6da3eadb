package main

import (
	"context"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// blocked answers payouts from escrow.
type blocked struct {
	escrows *escrow.Service
	charges *charges.Service
}

// check says whether sellers' payouts stop: for a chargeback that nothing covers,
// or for cash that a seller collected itself and keeps.
func (b blocked) check(ctx context.Context, tx *pg.Tx, all []payouts.Payout) (map[string][]payouts.Wait, error) {
	var sellers []string
	for _, p := range all {
		if p.Payee == payouts.Seller {
			sellers = append(sellers, p.Seller)
		}
	}
	if len(sellers) == 0 {
		return nil, nil
	}
	why, err := b.escrows.Blocked(ctx, tx, sellers...)
	if err != nil {
		return nil, err
	}
	cash, err := b.charges.Withheld(ctx, tx, money.MAD, sellers...)
	waits := map[string][]payouts.Wait{}
	for _, p := range all {
		if p.Payee != payouts.Seller {
			continue
		}
		if text := why[p.Seller]; text != "" {
			waits[p.ID] = append(waits[p.ID], payouts.Wait{Code: "escrow.blocked", Text: text})
		}
		if n := cash[p.Seller]; n > 0 {
			waits[p.ID] = append(waits[p.ID], payouts.Wait{Code: "cash_withheld", Text: money.FromCentimes(n, p.Currency).String() + " of cash that the seller collected more than seven days ago is not at the bank"})
		}
	}
	return waits, err
}
