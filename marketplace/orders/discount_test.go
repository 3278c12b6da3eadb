package orders_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/promotions"
	"tiwiza/payments/charges"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// promote has a seller take something off; more is further JSON.
func (h *hub) promote(key auth.Key, code, more string) (promotion string) {
	h.t.Helper()
	var v struct{ ID string }
	now := time.Now()
	h.want(201, &v, key, "POST", "/v1/promotions", fmt.Sprintf(`{"code":%q,"names":{"fr":"Remise (exemple)"},"from":%q,"to":%q,%s}`,
		code, now.AddDate(0, -1, 0).Format(time.DateOnly), now.AddDate(0, 3, 0).Format(time.DateOnly), more), id.New("idem"))
	return v.ID
}

func (h *hub) used(key auth.Key) (n int) {
	h.t.Helper()
	var p struct{ Data []promotions.View }
	h.want(200, &p, key, "GET", "/v1/promotions", "")
	for _, v := range p.Data {
		if v.Used != nil {
			n += *v.Used
		}
	}
	return n
}

func (h *hub) quotedBy(key auth.Key, basket string, codes ...string) (q quote) {
	h.t.Helper()
	list, err := json.Marshal(append([]string{}, codes...))
	must(h.t, err)
	h.want(201, &q, key, "POST", "/v1/baskets/"+basket+"/quotes", `{"delivery":{"method":"carrier","commune":"Fès"},"codes":`+string(list)+`}`)
	return q
}

func TestSellersTakeOffTheirOwnGoodsOnly(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("33.33", 99, ""), h.shop("20.00", 99, "")
	h.promote(a.key, "", `"kind":"percent","percent":"10"`)
	h.promote(a.key, "DIX", `"kind":"amount","amount":{"amount":"10.01","currency":"MAD"}`)
	h.promote(b.key, "LIVRE", `"kind":"free_delivery","minimum":{"amount":"60.00","currency":"MAD"}`)
	basket := h.fill(me, 1, a, b)
	q := h.quotedBy(me, basket)
	if got := q.Totals; got.Discount.Amount() != "3.33" || got.Total.Amount() != "110.00" { // 33.33 + 20.00 + 60.00 - 3.33
		t.Errorf("totals %+v", got)
	}
	q = h.quotedBy(me, basket, "dix", "livre", "jamais")
	if q.Totals.Discount.Amount() != "10.01" || fmt.Sprint(problems(q)) != "[/codes/1 code_below_minimum /codes/2 code_unknown]" {
		t.Errorf("%s off, problems %v", q.Totals.Discount, problems(q))
	}
	h.put(me, basket, b, 3)
	q = h.quotedBy(me, basket, "DIX", "LIVRE")
	if q.Totals.Discount.Amount() != "40.01" || len(q.Discounts) != 2 || len(q.Problems) != 0 {
		t.Fatalf("%+v", q)
	}
	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", order(basket, q.Hash), basket)
	h.pay(c)
	for _, o := range c.Orders {
		v := h.show(me, o.ID)
		goods, off := v.Totals.Goods, v.Totals.Discount
		if !v.Totals.Total.Equal(goods.Sub(off).Add(v.Totals.Delivery)) || !v.Escrow.Held.Equal(v.Totals.Total) || !v.Lines[0].Discount.Equal(off) {
			t.Errorf("an order of %+v holds %+v", v.Totals, v.Escrow)
		}
		s := map[string]shop{a.id: a, b.id: b}[o.Seller.ID]
		h.want(200, nil, s.key, "POST", "/v1/orders/"+o.ID+"/accept", "")
		h.want(200, nil, s.key, "POST", "/v1/orders/"+o.ID+"/ship", `{"carrier":"Exemple","tracking":"T"}`)
		h.want(200, nil, me, "POST", "/v1/orders/"+o.ID+"/receive", "", o.ID)
	}
	if got := h.balance("payable:carrier:demo"); got != 6000 {
		t.Errorf("carriers have %d: a free delivery is paid all the same", got)
	}
	h.sound()
}

// TestRule3_3PromotionsThatChangeAreShownNotTaken ends one after the quote, and
// begins a better one.
func TestRule3_3PromotionsThatChangeAreShownNotTaken(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("100.00", 99, "")
	first := h.promote(a.key, "", `"kind":"percent","percent":"10"`)
	basket := h.fill(me, 1, a)
	q := h.quotedBy(me, basket)
	h.want(200, nil, a.key, "POST", "/v1/promotions/"+first+"/end", "", "e1")
	h.want(200, nil, a.key, "POST", "/v1/promotions/"+first+"/end", "", "e2") // harmless
	w := h.ask(me, "POST", "/v1/checkouts", order(basket, q.Hash), "1")
	if w.Code != 409 || !strings.Contains(w.Body.String(), "0.00 MAD instead of 10.00 MAD") {
		t.Errorf("%d %s, want to be told what is taken off now and was before", w.Code, w.Body)
	}
	q = h.quotedBy(me, basket)
	h.promote(a.key, "", `"kind":"percent","percent":"20"`)
	h.refused(409, "orders.quote_changed", "/discounts", me, "POST", "/v1/checkouts", order(basket, q.Hash), "2")
	h.want(201, nil, me, "POST", "/v1/checkouts", order(basket, h.quotedBy(me, basket).Hash), "3")
	other := h.shop("1.00", 1, "")
	h.refused(404, "promotions.not_found", "", other.key, "POST", "/v1/promotions/"+first+"/end", "", "x")
}

// TestRule3_7TwoHundredAtOnceUseFiveSlots has all quotes given before anybody
// orders.
func TestRule3_7TwoHundredAtOnceUseFiveSlots(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a := h.shop("100.00", 999, "")
	h.promote(a.key, "CINQ", `"kind":"percent","percent":"50","total":5,"per_buyer":1`)
	const buyers, each = 40, 5 // of each buyer five baskets at once, of which one at most gets it
	type try struct {
		key          auth.Key
		basket, hash string
	}
	var tries []try
	for range buyers {
		key := h.buyer()
		for range each {
			b := h.fill(key, 1, a)
			tries = append(tries, try{key, b, h.quotedBy(key, b, "CINQ").Hash})
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	got, by := map[string]int{}, map[string]int{}
	for _, x := range tries {
		wg.Go(func() {
			w := h.ask(x.key, "POST", "/v1/checkouts", order(x.basket, x.hash), x.basket)
			var p problem
			_ = json.Unmarshal(w.Body.Bytes(), &p)
			mu.Lock()
			defer mu.Unlock()
			got[fmt.Sprint(w.Code, " ", p.Code)]++
			if w.Code == 201 {
				by[x.key.ID]++
			}
		})
	}
	wg.Wait()
	if got["201 "] != 5 || got["409 promotions.used_up"]+got["409 orders.quote_changed"] != 195 {
		t.Errorf("200 at once: %v, want 5 orders and 195 told to look again", got)
	}
	for key, n := range by {
		if n > 1 {
			t.Errorf("%s used it %d times, want once", key, n)
		}
	}
	if n := h.used(a.key); n != 5 {
		t.Errorf("it was used %d times, want 5", n)
	}
	if s := h.stock(a); s.Reserved != 5 {
		t.Errorf("%d are reserved, want 5: the refused ones hold nothing", s.Reserved)
	}
	for _, sql := range []string{`update promotions.promotion set used = 6`, `update promotions.buyer set used = 2`} {
		if _, err := h.db.Exec(t.Context(), sql); pg.Code(err) != "23514" {
			t.Errorf("%s: %v, want the database to refuse it", sql, err)
		}
	}
}

func TestRule3_7WhatEndsUnpaidIsGivenBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("100.00", 99, "")
	h.promote(a.key, "UNE", `"kind":"percent","percent":"50","total":1`)
	buy := func(key auth.Key, payment string) (c checkout) {
		b := h.fill(key, 1, a)
		q := h.quotedBy(key, b, "UNE")
		if q.Totals.Discount.Amount() != "50.00" {
			t.Fatalf("%s is taken off, want 50.00: %v", q.Totals.Discount, problems(q))
		}
		h.want(201, &c, key, "POST", "/v1/checkouts", strings.Replace(order(b, q.Hash), `"method":"card"`, `"method":"`+payment+`"`, 1), b)
		return c
	}
	c := buy(me, "card")
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error { _, err := h.escrows.Expire(t.Context(), tx, c.Charge.ID); return err }))
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	h.deliver() // again is harmless
	if n := h.used(a.key); n != 0 || h.show(me, c.Orders[0].ID).State != orders.Expired {
		t.Fatalf("%d uses after the order expired", n)
	}
	for _, end := range []string{"refuse", "cancel"} {
		c = buy(h.buyer(), "cash_on_delivery")
		h.want(200, nil, h.boss, "POST", "/v1/orders/"+c.Orders[0].ID+"/"+end, `{"reason":"exemple"}`, end)
		h.want(200, nil, h.boss, "POST", "/v1/orders/"+c.Orders[0].ID+"/"+end, `{"reason":"exemple"}`, end+"2")
		if n := h.used(a.key); n != 0 {
			t.Fatalf("%d uses after a cash order ended by %s", n, end)
		}
	}
	c = buy(h.buyer(), "cash_on_delivery")
	h.advance(orders.ConfirmWithin + time.Minute)
	if n := h.used(a.key); n != 0 {
		t.Fatalf("%d uses after nobody confirmed", n)
	}
	h.sound()
	// What was paid and goes back is what was paid, and the use stays used.
	c = buy(me, "card")
	h.pay(c)
	h.want(200, nil, me, "POST", "/v1/orders/"+c.Orders[0].ID+"/cancel", `{"reason":"Plus besoin"}`, "c")
	if got := fmt.Sprint(h.till.gone()); got != "[80.00 Plus besoin]" {
		t.Errorf("what went back: %s, want the 50.00 and 30.00 that were paid", got)
	}
	if n := h.used(a.key); n != 1 {
		t.Errorf("%d uses, want the paid one", n)
	}
	b := h.fill(me, 1, a)
	if got := problems(h.quotedBy(me, b, "UNE")); fmt.Sprint(got) != "[/codes/0 code_used_up]" {
		t.Errorf("problems %v", got)
	}
}

// TestRule3_7OneOfABuyersOwn counts uses of one buyer where all have no limit,
// and gives them back.
func TestRule3_7OneOfABuyersOwn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("100.00", 99, "")
	h.promote(a.key, "", `"kind":"percent","percent":"10","per_buyer":1`)
	var tries [5]string
	var hashes [5]string
	for i := range tries {
		tries[i] = h.fill(me, 1, a)
		hashes[i] = h.quotedBy(me, tries[i]).Hash
	}
	var wg sync.WaitGroup
	var got sync.Map
	for i, b := range tries {
		wg.Go(func() {
			w := h.ask(me, "POST", "/v1/checkouts", order(b, hashes[i]), b)
			if w.Code == 201 {
				got.Store(b, w.Body.Bytes())
			}
		})
	}
	wg.Wait()
	var made []checkout
	got.Range(func(_, body any) bool {
		var c checkout
		must(t, json.Unmarshal(body.([]byte), &c))
		made = append(made, c)
		return true
	})
	if len(made) != 1 {
		t.Fatalf("%d orders of one buyer's one use", len(made))
	}
	b := h.fill(me, 1, a)
	if q := h.quotedBy(me, b); !q.Totals.Discount.IsZero() {
		t.Errorf("%s is taken off again", q.Totals.Discount)
	}
	h.tell(charges.Lapsed{Charge: made[0].Charge.ID, Group: made[0].Group, Orders: made[0].ids()})
	if q := h.quotedBy(me, b); q.Totals.Discount.Amount() != "10.00" {
		t.Errorf("%s is taken off once the use is given back, want 10.00", q.Totals.Discount)
	}
}
