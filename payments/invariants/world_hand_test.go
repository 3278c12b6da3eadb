package invariants_test

import (
	"context"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// byHand has a person correct what an acquirer cost, by the lane.
func (w *world) byHand() {
	lane := ledger.NewLane(w.books, ledger.LaneOptions{})
	amount := money.Dirhams(5)
	_, err := lane.Take(w.t.Context(), rest.KeepFor(auth.Principal{Subject: "org_o", Role: auth.Operator}, "hand", []byte("hand"), 201), ledger.PostInput{
		Reference: "hand", Note: "a correction",
		Legs: []ledger.LegView{{Account: ledger.PSPCost, Side: "debit", Amount: amount}, {Account: ledger.Fees, Side: "credit", Amount: amount}},
	})
	w.ok(err)
	w.ok(lane.Close(context.Background()))
}
