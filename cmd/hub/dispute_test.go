package main

import (
	"testing"

	"tiwiza/pkg/money"
)

// disputed plays a dispute over HTTP: the money stands still until an agent has
// shared it, and both shares arrive.
func disputed(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	sale := r.checkout(t, r.buyer(t), map[string]int{r.ware(t, s, 1, "100.00").variant: 1})
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	order := "/v1/orders/" + sale.Orders[0].ID
	complain := req{key: sale.buyer, method: "POST", path: order + "/disputes", body: map[string]string{"reason": "damaged", "wish": "partial_refund", "text": "Un pot est cassé."}}
	var d struct{ ID, State string }
	r.ask(t, complain).into(t, &d)
	r.ask(t, complain).refused(t, 409, "escrow.disputed")
	var o struct {
		Case   *struct{ ID, Kind, State string }
		Escrow struct {
			ID   string
			Held money.Money
		}
	}
	r.ask(t, req{key: s.key, method: "GET", path: order}).into(t, &o)
	if o.Case == nil || o.Case.ID != d.ID || o.Case.Kind != "dispute" || o.Case.State != "open" {
		t.Errorf("the order shows the case %+v, want %+v", o.Case, d)
	}
	r.ask(t, req{
		key: sale.buyer, method: "POST", path: "/v1/escrows/" + o.Escrow.ID + "/release", body: map[string]any{"amount": dirhams("1.00")}, idem: once(),
	}).refused(t, 409, "escrow.disputed")
	at := "/v1/disputes/" + d.ID
	r.ask(t, req{key: r.buyer(t), method: "GET", path: at}).refused(t, 404, "disputes.not_found")
	r.ask(t, req{key: s.key, method: "POST", path: at + "/rule", body: map[string]any{"refund": dirhams("0.00"), "release": o.Escrow.Held, "reason": "moi"}, idem: once()}).
		refused(t, 403, "auth.denied")
	r.ask(t, req{key: s.key, method: "POST", path: at + "/reply", body: map[string]string{"text": "Un pot sur deux."}, idem: once()}).into(t, &d)
	rest := o.Escrow.Held.Sub(money.MustParse("40.00", money.MAD))
	rule := req{key: r.operator(), method: "POST", path: at + "/rule", body: map[string]any{"refund": dirhams("40.00"), "release": o.Escrow.Held, "reason": "trop"}, idem: once()}
	r.ask(t, rule).refused(t, 422, "escrow.shares")
	rule.body, rule.idem = map[string]any{"refund": dirhams("40.00"), "release": rest, "reason": "Un pot sur deux."}, once()
	r.ask(t, rule).into(t, &d)
	if d.State != "resolved" {
		t.Errorf("after the ruling the dispute is %s, want resolved", d.State)
	}
	got := r.orderOf(t, sale.buyer, sale.Orders[0].ID).Escrow
	if !got.Held.IsZero() || !got.Released.Equal(rest) || got.Refunded.Amount() != "40.00" {
		t.Errorf("after the ruling the escrow is %+v, want %s released and 40.00 refunded", got, rest)
	}
	var list struct{ Data []struct{ ID string } }
	if r.ask(t, req{key: s.key, method: "GET", path: "/v1/disputes?state=resolved"}).into(t, &list); len(list.Data) != 1 || list.Data[0].ID != d.ID {
		t.Errorf("the seller's disputes are %+v", list.Data)
	}
	r.ask(t, req{key: sale.buyer, method: "GET", path: at}).into(t, &d)
}
