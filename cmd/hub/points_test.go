package main

import (
	"fmt"
	"testing"
)

// pointed has a buyer earn points with what was bought, and lose its part of them
// with what goes back of it after the release.
func pointed(t *testing.T, r *rig, _ trade) {
	op, s := r.operator(), r.seller(t)
	w := r.ware(t, s, 6, "100.00")
	post := func(key, path string, body any) {
		t.Helper()
		r.ask(t, req{key: key, method: "POST", path: path, body: body, idem: once()}).into(t, nil)
	}
	post(op, "/v1/loyalty/rules", map[string]any{"per_dirham": "2", "seller": s.org})
	r.ask(t, req{key: op, method: "GET", path: "/v1/loyalty/rules"}).into(t, nil)
	post(op, "/v1/loyalty/tiers", map[string]any{"code": "argent", "names": map[string]string{"fr": "Argent"}, "spend": dirhams("900000.00"), "bonus": 10})
	post(op, "/v1/loyalty/terms", map[string]any{"worth": 1, "months": 12, "least": 500, "voucher_days": 30, "since": "2099-01-01T00:00:00Z"})

	sold := r.sold(t, w, goodCard, true)
	r.complete(t, sold, s)
	var v struct {
		Person string
		Points int
		Next   struct{ Code string } `json:"next_tier"`
	}
	has := func(points int) {
		t.Helper()
		r.until(t, fmt.Sprintf("%d points", points), func() bool {
			r.ask(t, req{key: sold.buyer, method: "GET", path: "/v1/loyalty"}).into(t, &v)
			return v.Points == points
		})
	}
	has(200) // two for each dirham of goods, none for their delivery
	if v.Next.Code != "argent" {
		t.Errorf("the next tier is %q", v.Next.Code)
	}
	r.ask(t, refunding(sold, op, "65.00")).into(t, nil) // half of all
	has(100)
	post(op, "/v1/loyalty/adjustments", map[string]any{"person": v.Person, "points": 7, "reason": "Geste (exemple)"})
	has(107)
	var l struct {
		Data []struct {
			Kind   string
			Points int
		}
	}
	r.ask(t, req{key: sold.buyer, method: "GET", path: "/v1/loyalty/entries"}).into(t, &l)
	if got, want := fmt.Sprint(l.Data), "[{adjusted 7} {taken_back -100} {earned 200}]"; got != want {
		t.Errorf("entries %s, want %s", got, want)
	}
	r.ask(t, req{key: op, method: "GET", path: "/v1/loyalty/liability"}).into(t, nil)

	post(op, "/v1/loyalty/adjustments", map[string]any{"person": v.Person, "points": 893, "reason": "Geste (exemple)"})
	has(1000)
	var spent struct{ Code string }
	r.ask(t, req{key: sold.buyer, method: "POST", path: "/v1/loyalty/burn", body: map[string]int{"points": 1000}, idem: once()}).into(t, &spent)
	has(0)
	off := func(key string) string {
		t.Helper()
		var q struct {
			Totals struct{ Discount moneyView }
		}
		body := map[string]any{"delivery": map[string]string{"method": "carrier", "commune": "Rabat"}, "codes": []string{spent.Code}}
		r.ask(t, req{key: key, method: "POST", path: "/v1/baskets/" + r.basket(t, key, map[string]int{w.variant: 1}) + "/quotes", body: body}).into(t, &q)
		return q.Totals.Discount.Amount()
	}
	if mine, other := off(sold.buyer), off(r.buyer(t)); mine != "10.00" || other != "0.00" {
		t.Errorf("the code takes %s off for whoever spent the points, %s for another", mine, other)
	}
}
