package main

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// helped plays over HTTP goods of which the market pays a part: the seller is
// paid out what they cost, and of what goes back the market has its part again.
func helped(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	w := r.ware(t, s, 9, "100.00")
	code := "AIDE-" + strings.ToUpper(strings.Trim(once()[:8], "-_")) + "X"
	code = strings.NewReplacer("_", "X", "-", "X").Replace(code)
	op := r.operator()
	var p struct {
		ID    string
		Spent moneyView
	}
	r.ask(t, req{key: op, method: "POST", path: "/v1/promotions", idem: once(), body: map[string]any{
		"paid_by": "market", "code": code, "names": map[string]string{"fr": "Aide (exemple)"}, "kind": "amount", "amount": dirhams("20.00"), "budget": dirhams("40.00"),
		"offers": []string{w.offer}, "from": time.Now().Format(time.DateOnly), "to": time.Now().AddDate(0, 10, 0).Format(time.DateOnly),
	}}).into(t, &p)
	type quote struct {
		Hash   string
		Totals struct {
			Total moneyView
			Pays  moneyView `json:"market_pays"`
		}
		Problems []struct{ Code string }
	}
	quoted := func(buyer, basket string) (q quote) {
		r.ask(t, req{key: buyer, method: "POST", path: "/v1/baskets/" + basket + "/quotes", body: map[string]any{"delivery": rabat(), "codes": []string{code}}}).into(t, &q)
		return q
	}
	sold := func() sale {
		one := sale{buyer: r.buyer(t)}
		basket := r.basket(t, one.buyer, map[string]int{w.variant: 1})
		q := quoted(one.buyer, basket)
		if q.Totals.Total.Amount() != "110.00" || q.Totals.Pays.Amount() != "20.00" {
			t.Errorf("the quote says %+v", q.Totals)
		}
		r.ask(t, req{key: one.buyer, method: "POST", path: "/v1/checkouts", body: ordering(basket, q.Hash), idem: once()}).into(t, &one)
		r.payBy(t, one, goodCard)
		r.paid(t, one)
		return one
	}
	added := func(one sale) string {
		var e struct {
			Given moneyView `json:"bonus_given"`
		}
		var o struct{ Escrow struct{ ID string } }
		r.ask(t, req{key: s.key, method: "GET", path: "/v1/orders/" + one.Orders[0].ID}).into(t, &o)
		r.ask(t, req{key: s.key, method: "GET", path: "/v1/escrows/" + o.Escrow.ID}).into(t, &e)
		return e.Given.Amount()
	}
	one := sold()
	r.complete(t, one, s)
	r.until(t, "the release", func() bool {
		return added(one) == "20.00" && r.available(t, s).Amount() == "94.00"
	})
	r.captured(t, one)
	paid := r.payout(t, s, "94.00")
	r.until(t, "the payout", func() bool { return r.payoutOf(t, s, paid.ID).State == "paid" })

	two := sold()
	r.complete(t, two, s)
	q := refunding(two, op, "110.00")
	maps.Copy(q.body.(map[string]any), map[string]any{"delivery": true})
	r.until(t, "the second release", func() bool { return r.available(t, s).Amount() == "94.00" })
	r.ask(t, q).into(t, nil)
	r.until(t, "the refund", func() bool {
		all := r.refundsOf(t, two.buyer, two.Orders[0].ID)
		return len(all) == 1 && all[0].State == "confirmed"
	})
	if left := r.available(t, s); added(two) != "0.00" || left.Amount() != "0.00" {
		t.Errorf("after all went back the seller has %s of the bonus, and %s", added(two), left)
	}
	buyer := r.buyer(t)
	if q := quoted(buyer, r.basket(t, buyer, map[string]int{w.variant: 1})); len(q.Problems) != 1 || q.Problems[0].Code != "code_used_up" {
		t.Errorf("above the budget: %+v", q)
	}
	var all struct {
		Data []struct {
			ID    string
			Spent moneyView
		}
	}
	r.ask(t, req{key: op, method: "GET", path: "/v1/promotions?paid_by=market&limit=100"}).into(t, &all)
	for _, v := range all.Data {
		if v.ID == p.ID && v.Spent.Amount() != "40.00" {
			t.Errorf("%s was spent", v.Spent)
		}
	}
	r.ask(t, req{key: buyer, method: "GET", path: "/v1/promotions"}).into(t, nil)
}
