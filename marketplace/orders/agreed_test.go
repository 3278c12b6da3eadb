package orders_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// agree has a shop sell n of its article to a buyer at a price, and gives the
// basket that is full of it.
func (h *hub) agree(s shop, buyer auth.Key, n int, price int64, to *agreements.Delivery) (a agreements.Agreement, basket string) {
	h.t.Helper()
	return h.agreeOn(buyer, agreements.Agreement{
		Seller: s.id, Delivery: to, Lines: []agreements.Line{{Variant: s.variant, Least: n, Most: n, Price: price}},
	})
}

func (h *hub) agreeOn(buyer auth.Key, want agreements.Agreement) (a agreements.Agreement, basket string) {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), auth.Hub)
	must(h.t, h.db.InTx(ctx, func(tx *pg.Tx) error {
		p, err := h.members.Holder(ctx, tx, buyer)
		if err != nil {
			return err
		}
		want.Kind, want.Source, want.Buyer, want.Until = "quotation", id.New("src"), p.Subject, tx.Now().Add(24*time.Hour)
		if a, err = h.agreed.Make(ctx, tx, want); err != nil {
			return err
		}
		basket = h.orders.Fill(tx, a)
		return nil
	}))
	return a, basket
}

func (h *hub) agreement(key auth.Key, id string) (v agreements.View) {
	h.t.Helper()
	h.want(200, &v, key, "GET", "/v1/agreements/"+id, "")
	return v
}

// What was agreed on is what is quoted, ordered and charged, whatever the price
// and the promotions of the day are; and the quote says by which rule.
func TestRule3_3_WhatWasAgreedIsWhatIsCharged(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	h.promote(s.key, "", `"kind":"percent","percent":"50"`)
	a, b := h.agree(s, me, 12, 8150, &agreements.Delivery{Method: "own", Amount: 4500, LeadDays: 3, Commune: "Fès", Region: "MA-03"})
	h.reprice(s, "120.00")
	q := h.quote(me, b)
	if l := q.Lines[0]; l.Price.Amount() != "81.50" || l.PriceFrom != orders.FromAgreement || l.Agreement != a.ID || !l.Discount.IsZero() || len(q.Problems) != 0 {
		t.Errorf("line %+v with problems %+v", l, q.Problems)
	}
	if f := q.Fees[0]; f.Amount.Amount() != "45.00" || f.Method != "own" || f.LeadDays != 3 {
		t.Errorf("delivery %+v", f)
	}
	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", order(b, q.Hash), "1")
	if c.Charge.Amount.Amount() != "1023.00" {
		t.Errorf("charged %s", c.Charge.Amount)
	}
	if v := h.agreement(me, a.ID); v.State != agreements.Used || v.Order != c.Orders[0].ID {
		t.Errorf("agreement %+v", v)
	}
	h.pay(c)
	l := h.show(me, c.Orders[0].ID).Lines[0]
	if l.PriceFrom != orders.FromAgreement || l.Agreement != a.ID || l.Price.Amount() != "81.50" {
		t.Errorf("the order's line %+v", l)
	}
	plain := h.buy(me, 1, s)
	if l := h.show(me, plain.Orders[0].ID).Lines[0]; l.PriceFrom != orders.FromPublic {
		t.Errorf("a public price came from %s", l.PriceFrom)
	}
}

// Ten checkouts by one agreement, from two baskets, make one order.
func TestRule3_7_AnAgreementIsUsedOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	a, one := h.agree(s, me, 3, 5000, nil)
	two := h.fill(me, 0)
	h.want(200, nil, me, "PUT", "/v1/baskets/"+two+"/lines/"+s.variant, fmt.Sprintf(`{"quantity":3,"agreement":%q}`, a.ID))
	hashes := map[string]string{one: h.quote(me, one).Hash, two: h.quote(me, two).Hash}
	var wg sync.WaitGroup
	got := make([]int, 10)
	for i := range got {
		b := []string{one, two}[i%2]
		wg.Go(func() { got[i] = h.ask(me, "POST", "/v1/checkouts", order(b, hashes[b]), fmt.Sprint(i)).Code })
	}
	wg.Wait()
	made := 0
	for _, code := range got {
		switch code {
		case http.StatusCreated:
			made++
		case http.StatusConflict:
		default:
			t.Errorf("a checkout answered %d", code)
		}
	}
	if made != 1 {
		t.Errorf("%d orders by one agreement", made)
	}
	if st := h.stock(s); st.Reserved != 3 {
		t.Errorf("%d are reserved", st.Reserved)
	}
}

// An order that nobody pays gives the agreement back; it ends when its time is
// over, not while an order uses it.
func TestAnAgreementComesBackUnpaidAndEndsInTime(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	a, b := h.agree(s, me, 3, 5000, nil)
	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", order(b, h.quote(me, b).Hash), "1")
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	if v := h.agreement(s.key, a.ID); v.State != agreements.Open || v.Order != "" {
		t.Errorf("unpaid: %+v", v)
	}
	again := h.fill(me, 0)
	h.want(200, nil, me, "PUT", "/v1/baskets/"+again+"/lines/"+s.variant, fmt.Sprintf(`{"quantity":3,"agreement":%q}`, a.ID))
	h.advance(23*time.Hour + 50*time.Minute)
	q := h.quote(me, again)
	h.want(201, &c, me, "POST", "/v1/checkouts", order(again, q.Hash), "2")
	h.advance(time.Hour)
	if v := h.agreement(me, a.ID); v.State != agreements.Used {
		t.Errorf("used and late: %+v", v)
	}
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	third := h.fill(me, 0)
	h.refused(409, "agreements.ended", "/agreement", me, "PUT", "/v1/baskets/"+third+"/lines/"+s.variant, fmt.Sprintf(`{"quantity":3,"agreement":%q}`, a.ID))
	h.advance(time.Second)
	if v := h.agreement(me, a.ID); v.State != agreements.Ended {
		t.Errorf("unpaid and late: %+v", v)
	}
}

// An agreement that ends between the quote and the order stops it, with words.
func TestRule3_3_AnAgreementThatEndedIsAskedAbout(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	a, b := h.agree(s, me, 3, 5000, nil)
	q := h.quote(me, b)
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := h.agreed.End(t.Context(), tx, a.ID)
		return err
	}))
	h.refused(409, "agreements.ended", "/lines/0", me, "POST", "/v1/checkouts", order(b, q.Hash), "1")
	q = h.quote(me, b)
	if len(q.Problems) != 1 || q.Problems[0].Code != "agreement_ended" || !q.Problems[0].Blocking || q.Lines[0].Price.Amount() != "50.00" {
		t.Errorf("problems %+v of %+v", q.Problems, q.Lines)
	}
	h.refused(409, "agreements.ended", "/agreement", me, "PUT", "/v1/baskets/"+b+"/lines/"+s.variant, `{"quantity":3}`)
	h.put(me, b, s, 0)
	h.put(me, b, s, 3)
	if q = h.quote(me, b); q.Lines[0].PriceFrom != orders.FromPublic || q.Lines[0].Price.Amount() != "100.00" {
		t.Errorf("put in again it is %+v", q.Lines[0])
	}
}

// An agreement is its buyer's, for the numbers agreed on, all of it at once, and
// where its delivery was agreed on too, in a parcel of its own.
func TestAnAgreementIsForWhatWasAgreed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, other := h.shop("100.00", 50, ""), h.buyer(), h.buyer()
	all := h.assorted(s, 2, 50)
	more, third := all[0], all[1]
	a, b := h.agreeOn(me, agreements.Agreement{
		Seller: s.id, Delivery: &agreements.Delivery{Method: "carrier", Commune: "Fès", Region: "MA-03"},
		Lines: []agreements.Line{{Variant: s.variant, Least: 2, Most: 4, Price: 5000}, {Variant: more, Least: 1, Most: 1, Price: 90}},
	})
	at := "/v1/baskets/" + b + "/lines/"
	h.refused(422, "agreements.quantity", "/quantity", me, "PUT", at+s.variant, `{"quantity":5}`)
	h.want(200, nil, me, "PUT", at+s.variant, `{"quantity":2}`)
	if q := h.quote(me, b); len(q.Problems) != 0 || q.Totals.Total.Amount() != "100.90" {
		t.Errorf("%+v with %+v", q.Totals, q.Problems)
	}
	theirs := h.fill(other, 0)
	h.refused(404, "agreements.not_found", "/agreement", other, "PUT", "/v1/baskets/"+theirs+"/lines/"+s.variant, fmt.Sprintf(`{"quantity":2,"agreement":%q}`, a.ID))
	h.refused(404, "agreements.not_found", "", other, "GET", "/v1/agreements/"+a.ID, "")
	h.refused(404, "agreements.not_found", "", h.shop("1.00", 1, "").key, "GET", "/v1/agreements/"+a.ID, "")
	problem := func(code string) {
		t.Helper()
		q := h.quote(me, b)
		if len(q.Problems) == 0 || q.Problems[0].Code != code {
			t.Errorf("problems %+v, want %s", q.Problems, code)
		}
		w := h.ask(me, "POST", "/v1/checkouts", order(b, q.Hash), id.New("idem"))
		if w.Code != http.StatusConflict {
			t.Errorf("%s was sold: %d %s", code, w.Code, w.Body)
		}
	}
	h.want(200, nil, me, "PUT", at+more, `{"quantity":0}`)
	problem("agreement_incomplete")
	h.want(200, nil, me, "PUT", at+more, fmt.Sprintf(`{"quantity":1,"agreement":%q}`, a.ID))
	h.want(200, nil, me, "PUT", at+third, `{"quantity":1}`)
	problem("agreement_alone")
	h.want(200, nil, me, "PUT", at+third, `{"quantity":0}`)
	var q quote
	h.want(201, &q, me, "POST", "/v1/baskets/"+b+"/quotes", `{"delivery":{"method":"carrier","commune":"Rabat"}}`)
	if len(q.Problems) == 0 || q.Problems[0].Code != "not_delivered" {
		t.Errorf("to another commune: %+v", q.Problems)
	}
	var p struct{ Data []agreements.View }
	for key, n := range map[auth.Key]int{me: 1, s.key: 1, other: 0, h.boss: 1} {
		if h.want(200, &p, key, "GET", "/v1/agreements", ""); len(p.Data) != n {
			t.Errorf("%d agreements, want %d", len(p.Data), n)
		}
	}
	h.want(200, nil, me, "POST", "/v1/baskets/"+h.fill(me, 1, s)+"/merge", fmt.Sprintf(`{"from":%q}`, b), "m")
	if q := h.quote(me, b); len(q.Lines) != 2 || len(q.Problems) != 0 {
		t.Errorf("after pouring it out: %+v, %+v", q.Lines, q.Problems)
	}
}

// What is priced by quotation is bought by agreement.
func TestServicesByQuoteAreBoughtByAgreement(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	var o offerView
	h.want(201, &o, s.key, "POST", "/v1/offers", `{"kind":"service","way":"quote","category":"rugs","names":{"fr":"Réparation"},"commune":"Rabat",
		"variants":[{"sku":"R1","price":{"amount":"40.00","currency":"MAD"}}]}`)
	h.want(200, nil, s.key, "POST", "/v1/offers/"+o.ID+"/publish", "")
	s.offer, s.variant = o.ID, o.Variants[0].ID
	_, b := h.agree(s, me, 1, 77700, nil)
	q := h.quote(me, b)
	if len(q.Problems) != 0 || q.Totals.Total.Amount() != "777.00" {
		t.Fatalf("%+v with %+v", q.Totals, q.Problems)
	}
	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", order(b, q.Hash), "1")
	h.pay(c)
}

// A cash order that nobody takes gives its agreement back; one that is confirmed
// is told of as kept, once.
func TestCashOrdersKeepAgreementsOrGiveThemBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	a, b := h.agree(s, me, 3, 5000, nil)
	sell := func(basket string) (c checkout) {
		t.Helper()
		body := strings.Replace(order(basket, h.quote(me, basket).Hash), `"method":"card"`, `"method":"cash_on_delivery"`, 1)
		h.want(201, &c, me, "POST", "/v1/checkouts", body, id.New("idem"))
		return c
	}
	kept := func() int64 {
		t.Helper()
		n, err := pg.Value[int64](t.Context(), h.db, nil, `select count(*) from platform.event where type = 'orders.agreement_kept'`)
		must(t, err)
		return n
	}
	c := sell(b)
	h.want(200, nil, me, "POST", "/v1/orders/"+c.Orders[0].ID+"/cancel", `{"reason":"Plus besoin."}`, id.New("idem"))
	if v := h.agreement(me, a.ID); v.State != agreements.Open || kept() != 0 {
		t.Errorf("cancelled before it was confirmed: %+v", v)
	}
	again := h.fill(me, 0)
	h.want(200, nil, me, "PUT", "/v1/baskets/"+again+"/lines/"+s.variant, fmt.Sprintf(`{"quantity":3,"agreement":%q}`, a.ID))
	c = sell(again)
	at := "/v1/orders/" + c.Orders[0].ID
	h.want(200, nil, me, "POST", at+"/confirm", "")
	h.want(200, nil, me, "POST", at+"/confirm", "")
	if v := h.agreement(me, a.ID); v.State != agreements.Used || kept() != 1 {
		t.Errorf("confirmed: %+v, kept %d times", v, kept())
	}
}
