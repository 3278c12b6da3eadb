package orders_test

import (
	"fmt"
	"testing"
	"time"

	"tiwiza/pkg/clock"
)

// A seller that closes while its goods lie in a basket, or were quoted, sells
// nothing until the day it says; one that is suspended sells nothing. Both are
// read again when the buyer checks out.
func TestRule3_12_SellersAreReadAgainAtCheckout(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	b := h.fill(me, 2, s)
	q := h.quote(me, b)
	now, err := clock.Now(t.Context(), h.db)
	must(t, err)
	day := func(n int) string { return now.In(clock.Morocco).AddDate(0, 0, n).Format(time.DateOnly) }
	var c struct{ ID string }
	h.want(201, &c, s.key, "POST", "/v1/closures", fmt.Sprintf(`{"from":%q,"to":%q}`, day(0), day(6)))
	h.refused(409, "orders.seller_closed", "/lines/0", me, "POST", "/v1/checkouts", order(b, q.Hash), "1")
	if p := h.quote(me, b).Problems; len(p) != 1 || p[0].Code != "seller_closed" || !p[0].Blocking || p[0].Opens != day(7) {
		t.Errorf("problems = %+v, want that it opens on %s", p, day(7))
	}
	h.want(200, nil, s.key, "POST", "/v1/closures/"+c.ID+"/reopen", "")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+s.id+"/suspend", `{"note":"papers"}`)
	h.refused(409, "orders.seller_unavailable", "/lines/0", me, "POST", "/v1/checkouts", order(b, q.Hash), "2")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+s.id+"/reactivate", "")
	bought := h.buy(me, 1, s)
	h.pay(bought)
	// What was ordered before is delivered and paid while the seller is away.
	h.want(201, nil, s.key, "POST", "/v1/closures", fmt.Sprintf(`{"from":%q,"to":%q}`, day(0), day(6)))
	at := "/v1/orders/" + bought.Orders[0].ID
	h.want(200, nil, s.key, "POST", at+"/accept", "")
	h.want(200, nil, s.key, "POST", at+"/ship", `{"carrier":"Exemple","tracking":"EX-1"}`)
	h.want(200, nil, me, "POST", at+"/receive", "", "3")
}

// What a quote says each costs is what is charged, by the number that is taken;
// taking more makes it cheaper in the basket already.
func TestRule3_3_PricesByNumberAreQuotedAndKept(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	tiers := func(amount string) {
		h.want(200, nil, s.key, "PATCH", "/v1/offers/"+s.offer, fmt.Sprintf(`{"variants":[{"sku":"S1","tiers":[{"from":10,"price":{"amount":%q,"currency":"MAD"}}]}]}`, amount))
	}
	tiers("90.00")
	b := h.fill(me, 9, s)
	if q := h.quote(me, b); q.Lines[0].Price.Amount() != "100.00" || q.Lines[0].Total.Amount() != "900.00" {
		t.Errorf("nine cost %+v", q.Lines[0])
	}
	h.put(me, b, s, 10)
	q := h.quote(me, b)
	if q.Lines[0].Price.Amount() != "90.00" || q.Lines[0].Total.Amount() != "900.00" || len(q.Problems) != 0 {
		t.Errorf("ten cost %+v, with problems %+v", q.Lines[0], q.Problems)
	}
	tiers("80.00")
	h.refused(409, "orders.quote_changed", "/lines/0", me, "POST", "/v1/checkouts", order(b, q.Hash), "1")
	q = h.quote(me, b)
	if p := q.Problems; len(p) != 1 || p[0].Was.Amount() != "90.00" || p[0].Now.Amount() != "80.00" {
		t.Errorf("problems %+v, want the old price of ten and the new", p)
	}
	h.want(201, nil, me, "POST", "/v1/checkouts", order(b, q.Hash), "2")
}

// Files and services need no parcel, and what is priced by quotation is not put
// into a basket.
func TestFilesHaveNoParcelAndQuotationsNoPrice(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	add := func(kind string) (v struct {
		ID       string
		Variants []struct{ ID string }
	},
	) {
		h.want(201, &v, s.key, "POST", "/v1/offers", `{`+kind+`,"category":"rugs","names":{"fr":"Patron"},"commune":"Rabat",
			"variants":[{"sku":"`+kind[len(kind)-4:len(kind)-1]+`","price":{"amount":"40.00","currency":"MAD"}}]}`)
		h.want(200, nil, s.key, "POST", "/v1/offers/"+v.ID+"/publish", "")
		return v
	}
	file, asked := add(`"kind":"digital"`), add(`"kind":"service","way":"quote"`)
	b := h.fill(me, 1)
	h.refused(409, "catalog.by_quote", "", me, "PUT", "/v1/baskets/"+b+"/lines/"+asked.Variants[0].ID, `{"quantity":1}`)
	h.want(200, nil, me, "PUT", "/v1/baskets/"+b+"/lines/"+file.Variants[0].ID, `{"quantity":1}`)
	q := h.quote(me, b)
	if q.Totals.Delivery.Amount() != "0.00" || q.Totals.Total.Amount() != "40.00" {
		t.Errorf("a file costs %+v", q.Totals)
	}
	if len(q.Problems) != 1 || q.Problems[0].Code != "not_ready" {
		t.Errorf("a file that its seller has not stored has %+v", q.Problems)
	}
	b = h.fill(me, 1, s)
	h.want(200, nil, me, "PUT", "/v1/baskets/"+b+"/lines/"+file.Variants[0].ID, `{"quantity":1}`)
	if q := h.quote(me, b); q.Totals.Delivery.IsZero() {
		t.Error("goods with a file go for nothing")
	}
}
