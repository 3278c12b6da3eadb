package main

import (
	"net/http"
	"testing"
)

// Cash that only the seller says it has is no money at the bank: what went back
// of it would be other clients'.
func TestCashThatNobodyRemittedIsNotRefundedOutOfOthersMoney(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.credit(t, "20000.00", "argent d'autres clients")
	s := r.seller(t)
	sale := waySale{buyer: r.buyer(t)}
	basket := r.basket(t, sale.buyer, map[string]int{r.ware(t, s, 3, "4500.00").variant: 1})
	d := map[string]any{"method": "own", "commune": "Rabat"}
	var q struct{ Hash string }
	r.ask(t, req{key: sale.buyer, method: "POST", path: "/v1/baskets/" + basket + "/quotes", body: map[string]any{"delivery": d}}).into(t, &q)
	body := ordering(basket, q.Hash)
	d["address"] = "12, rue de l’Exemple"
	body["delivery"], body["payment"] = d, map[string]any{"method": "cash_on_delivery"}
	r.ask(t, req{key: sale.buyer, method: "POST", path: "/v1/checkouts", body: body, idem: once()}).into(t, &sale)
	at := r.brought(t, s, sale)
	r.collected(t, s, at, "4520.00")
	refund := map[string]any{"amount": dirhams("4520.00"), "reason": "x", "delivery": true}
	for _, key := range []string{s.key, r.operator()} {
		if a := r.ask(t, req{key: key, method: "POST", path: at + "/refunds", body: refund, idem: once()}); a.status != http.StatusConflict {
			t.Errorf("a refund of cash that nobody remitted: %d %s", a.status, a.body)
		}
	}
	r.verify(t)
}
