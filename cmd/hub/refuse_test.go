package main

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tiwiza/pkg/auth"
)

// unreadable sends what no client library would. Each is refused where it is
// wrong, and the basket it speaks of stays as it was.
func unreadable(t *testing.T, r *rig, _ trade) {
	key := r.buyer(t)
	w := r.ware(t, r.seller(t), 5, "20.00")
	basket := r.basket(t, key, map[string]int{w.variant: 2})
	at := "/v1/baskets/" + basket
	before := r.shows(t, key, at)
	line, huge := at+"/lines/"+w.variant, strings.Repeat(" ", 3<<20)
	for _, c := range []struct {
		name     string
		req      req
		status   int
		code     string
		pointers []string
	}{
		{"a text for a number", req{method: "PUT", path: line, body: `{"quantity":"3"}`}, 400, "request.malformed", []string{"/quantity"}},
		{"a fraction of a piece", req{method: "PUT", path: line, body: `{"quantity":1.5}`}, 400, "request.malformed", []string{"/quantity"}},
		{"nothing for a number", req{method: "PUT", path: line, body: `{"quantity":null}`}, 400, "request.malformed", []string{"/quantity"}},
		{"an unknown field", req{method: "PUT", path: line, body: `{"quantity":3,"discount":50}`}, 400, "request.malformed", []string{"/discount"}},
		{"a field given twice", req{method: "PUT", path: line, body: `{"quantity":3,"quantity":4}`}, 400, "request.malformed", []string{"/quantity"}},
		{"a field left out", req{method: "PUT", path: line, body: `{}`}, 400, "request.malformed", []string{"/quantity"}},
		{"a list for an object", req{method: "PUT", path: line, body: `[3]`}, 400, "request.malformed", []string{""}},
		{"JSON that is cut off", req{method: "PUT", path: line, body: `{"quantity":3`}, 400, "request.malformed", []string{""}},
		{"two values", req{method: "PUT", path: line, body: `{"quantity":3}{"quantity":4}`}, 400, "request.malformed", []string{""}},
		{"no body", req{method: "PUT", path: line, body: ``}, 400, "request.malformed", []string{""}},
		{"text that is not UTF-8", req{method: "PUT", path: line, body: "{\"quantity\":3,\"a\":\"\xff\"}"}, 400, "request.malformed", []string{""}},
		{"a huge body", req{method: "PUT", path: line, body: `{"quantity":3` + huge + `}`}, 413, "request.too_large", nil},
		{"another media type", req{method: "PUT", path: line, body: `quantity=3`, media: "application/x-www-form-urlencoded"}, 415, "request.media_type", nil},
		{"too many", req{method: "PUT", path: line, body: `{"quantity":1000}`}, 422, "request.invalid", []string{"/quantity"}},
		{"fewer than none", req{method: "PUT", path: line, body: `{"quantity":-1}`}, 422, "request.invalid", []string{"/quantity"}},
		{"an unknown parameter", req{method: "GET", path: "/v1/orders?status=paid"}, 400, "request.malformed", []string{"?status"}},
		{"a parameter twice", req{method: "GET", path: "/v1/orders?limit=3&limit=4"}, 400, "request.malformed", []string{"?limit"}},
		{"a limit that is no number", req{method: "GET", path: "/v1/orders?limit=all"}, 400, "request.malformed", []string{"?limit"}},
		{"a limit above the most", req{method: "GET", path: "/v1/orders?limit=101"}, 422, "request.invalid", []string{"?limit"}},
		{"a cursor that is none", req{method: "GET", path: "/v1/orders?cursor=%20x"}, 400, "request.malformed", []string{"?cursor"}},
		{"a method that is not there", req{method: "DELETE", path: at}, 405, "request.method", nil},
		{"an address that is not there", req{method: "GET", path: "/v1/nothing"}, 404, "request.no_such_path", nil},
	} {
		c.req.key = key
		a := r.ask(t, c.req)
		if a.refused(t, c.status, c.code, c.pointers...); t.Failed() {
			t.Logf("… for %s", c.name)
			return
		}
	}
	if after := r.shows(t, key, at); after != before {
		t.Errorf("refused requests changed the basket from %s to %s", before, after)
	}
}

// wrong sends checkouts that can be read and cannot be made.
func wrong(t *testing.T, r *rig, _ trade) {
	key := r.buyer(t)
	w := r.ware(t, r.seller(t), 5, "20.00")
	basket := r.basket(t, key, map[string]int{w.variant: 2})
	hash := r.quote(t, key, basket)
	for _, c := range []struct {
		name     string
		change   func(body, contact, delivery map[string]any)
		code     string
		pointers []string
	}{
		{"a commune that is not there", func(_, _, d map[string]any) { d["commune"] = "Atlantide" }, "orders.invalid", []string{"/delivery/commune"}},
		{"a phone that is none", func(_, c, _ map[string]any) { c["phone"] = "12" }, "orders.invalid", []string{"/contact/phone"}},
		{"no address", func(_, _, d map[string]any) { delete(d, "address") }, "orders.invalid", []string{"/delivery/address"}},
		{"all of these at once", func(_, c, d map[string]any) { c["phone"], d["commune"] = "12", "Atlantide" }, "orders.invalid", []string{"/contact/phone", "/delivery/commune"}},
		{"another way of delivery", func(_, _, d map[string]any) { d["method"] = "own" }, "orders.delivery_differs", []string{"/delivery/method"}},
		{"another town than quoted", func(_, _, d map[string]any) { d["commune"] = "Agadir" }, "orders.delivery_differs", []string{"/delivery/commune"}},
		{"a quote that is none", func(b, _, _ map[string]any) { b["quote"] = strings.Repeat("0", 64) }, "quotes.unknown", []string{"/quote"}},
		{"a wallet that cannot be one", func(b, _, _ map[string]any) {
			b["payment"] = map[string]string{"method": "wallet", "phone": "0522000000"}
		}, "charges.method", []string{"/payment/phone"}},
		{"a wallet's number that is none", func(b, _, _ map[string]any) { b["payment"] = map[string]string{"method": "wallet", "phone": "12"} }, "orders.invalid", []string{"/payment/phone"}},
		{"a way of paying that is none", func(b, _, _ map[string]any) { b["payment"] = map[string]string{"method": "barter"} }, "request.invalid", []string{"/payment/method"}},
		{"an address that is too long", func(_, _, d map[string]any) { d["address"] = strings.Repeat("x", 301) }, "request.invalid", []string{"/delivery/address"}},
	} {
		body := ordering(basket, hash)
		c.change(body, body["contact"].(map[string]any), body["delivery"].(map[string]any))
		if r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: body, idem: once()}).refused(t, 422, c.code, c.pointers...); t.Failed() {
			t.Fatalf("… for %s", c.name)
		}
	}
	var list struct{ Data []any }
	if r.ask(t, req{key: key, method: "GET", path: "/v1/orders"}).into(t, &list); len(list.Data) != 0 {
		t.Errorf("refused checkouts made %d orders", len(list.Data))
	}
	if got, want := r.left(t, w), 5; got != want {
		t.Errorf("refused checkouts leave %d of %d on sale", got, want)
	}
	r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, hash), idem: once()}).into(t, nil) // and rightly it goes
}

// left is how many of a ware can be bought.
func (r *rig) left(t testing.TB, w ware) int {
	t.Helper()
	var o struct{ Variants []struct{ Available int } }
	r.ask(t, req{method: "GET", path: "/v1/offers/" + w.offer}).into(t, &o)
	return o.Variants[0].Available
}

// strangers asks each route of the document without a key, and some with keys
// that are none.
func strangers(t *testing.T, r *rig, _ trade) {
	open := 0
	for _, route := range slices.Sorted(maps.Keys(watch.answers)) {
		method, path, _ := strings.Cut(route, " ")
		if watch.public[route] {
			if open++; open%2 == 0 {
				continue // wrong keys from one address are counted, and others of this hub's tests send some
			}
			r.ask(t, req{key: auth.NewKey().String(), method: method, path: path}).refused(t, 401, "auth.unknown")
			continue
		}
		r.ask(t, req{method: method, path: path, idem: once()}).refused(t, 401, "auth.missing")
	}
	good := r.buyer(t)
	for _, key := range []string{"key_0", good[:len(good)-1], good + "A", good[:40] + strings.Repeat("A", len(good)-40), strings.ToUpper(good)} {
		r.ask(t, req{key: key, method: "GET", path: "/v1/orders"}).refused(t, 401, "auth.unknown")
	}
	r.ask(t, req{key: good, method: "GET", path: "/v1/orders"}).into(t, nil)
}

// operatorsOnly tries the routes of operators with everybody else's keys.
func operatorsOnly(t *testing.T, r *rig, d trade) {
	org := "/v1/organisations/" + d.shops[0].org
	before := r.shows(t, r.operator(), org)
	for _, q := range []req{
		{method: "POST", path: "/v1/organisations"},
		{method: "POST", path: org + "/approve"},
		{method: "POST", path: org + "/request-changes"},
		{method: "POST", path: org + "/suspend"},
		{method: "POST", path: org + "/reactivate"},
		{method: "POST", path: "/v1/labels/lbl_01m804qv7w2wdypqkqvjftvdzt/verify"},
		{method: "POST", path: "/v1/labels/lbl_01m804qv7w2wdypqkqvjftvdzt/refuse"},
		{method: "POST", path: "/v1/labels/lbl_01m804qv7w2wdypqkqvjftvdzt/revoke"},
		{method: "POST", path: "/v1/changes/chn_01m804qv7w2wdypqkqvjftvdzt/approve"},
		{method: "POST", path: "/v1/changes/chn_01m804qv7w2wdypqkqvjftvdzt/reject"},
		{method: "GET", path: "/v1/partners"},
		{method: "GET", path: "/v1/operations"},
		{method: "GET", path: "/v1/operations/op_01m804qv7w2wdypqkqvjftvdzt"},
		{method: "POST", path: "/v1/operations/op_01m804qv7w2wdypqkqvjftvdzt/review"},
		{method: "GET", path: "/v1/approvals"},
		{method: "GET", path: "/v1/breaks"},
		{method: "POST", path: "/v1/statements"},
		{method: "POST", path: "/v1/demo/clock"},
		{method: "POST", path: "/v1/payouts/pay_01m804qv7w2wdypqkqvjftvdzt/approve"},
		{method: "GET", path: "/v1/payout-limits"},
		{method: "POST", path: "/v1/payout-limits"},
		{method: "GET", path: "/v1/treasury/moves"},
		{method: "POST", path: "/v1/treasury/top-ups"},
		{method: "POST", path: "/v1/treasury/sweeps"},
		{method: "GET", path: "/v1/halt"},
		{method: "POST", path: "/v1/halt"},
		{method: "GET", path: "/v1/ledger/trial-balance"},
		{method: "GET", path: "/v1/ledger/transfers"},
		{method: "GET", path: "/v1/ledger/accounts/fees"},
	} {
		for who, key := range map[string]string{"buyer": r.keys.Buyer.APIKey, "seller": d.shops[0].key, "insurer": r.keys.Insurer.APIKey, "bank": r.keys.Bank.APIKey} {
			if q.path == "/v1/statements" && who == "bank" {
				continue // a bank hands in its statements
			}
			q.key, q.idem = key, once()
			if r.ask(t, q).refused(t, 403, "auth.denied"); t.Failed() {
				t.Fatalf("… for the %s", who)
			}
		}
	}
	if after := r.shows(t, r.operator(), org); after != before {
		t.Errorf("refused requests changed %s to %s", before, after)
	}
}

// othersThings asks for what belongs to somebody else. The answer is the same
// as for what does not exist at all, and nothing changes.
func othersThings(t *testing.T, r *rig, d trade) {
	buyer, stranger, seller := r.keys.Buyer.APIKey, r.buyer(t), r.seller(t)
	mine := d.shops[0]
	w := r.ware(t, mine, 5, "20.00")
	basket := r.basket(t, buyer, map[string]int{w.variant: 1})
	hash := r.quote(t, buyer, basket)
	open := r.checkout(t, buyer, map[string]int{w.variant: 1})
	theirs := []req{
		{key: buyer, method: "GET", path: "/v1/baskets/" + basket},
		{key: buyer, method: "GET", path: "/v1/orders/" + open.Orders[0].ID},
		{key: mine.key, method: "GET", path: "/v1/offers/" + w.offer},
		{key: mine.key, method: "GET", path: "/v1/organisations/" + mine.org},
		{key: mine.key, method: "GET", path: "/v1/organisations/" + mine.org + "/bank-accounts"},
		{key: mine.key, method: "GET", path: "/v1/payouts/" + mine.payout},
		{key: buyer, method: "GET", path: "/v1/orders/" + mine.order},
	}
	var before []string
	for _, q := range theirs {
		before = append(before, r.shows(t, q.key, q.path))
	}
	var own struct{ Escrow struct{ ID string } }
	r.ask(t, req{key: buyer, method: "GET", path: "/v1/orders/" + open.Orders[0].ID}).into(t, &own)
	ship, code, account := map[string]string{"carrier": "X", "tracking": "Y"}, map[string]string{"code": "0000"}, map[string]string{"rib": number(24, 97), "holder": "Autre"}
	for _, q := range []req{
		{key: stranger, method: "GET", path: "/v1/baskets/" + basket},
		{key: stranger, method: "PUT", path: "/v1/baskets/" + basket + "/lines/" + w.variant, body: map[string]int{"quantity": 4}},
		{key: stranger, method: "POST", path: "/v1/baskets/" + basket + "/quotes"},
		{key: stranger, method: "POST", path: "/v1/checkouts", body: ordering(basket, hash)},
		{key: stranger, method: "GET", path: "/v1/orders/" + open.Orders[0].ID},
		{key: stranger, method: "POST", path: "/v1/orders/" + mine.order + "/receive"},
		{key: stranger, method: "GET", path: "/v1/order-groups/" + open.Group},
		{key: stranger, method: "GET", path: "/v1/charges/" + open.Charge.ID},
		{key: stranger, method: "GET", path: "/v1/escrows/" + own.Escrow.ID},
		{key: stranger, method: "POST", path: "/v1/escrows/" + own.Escrow.ID + "/release", body: map[string]any{"amount": dirhams("1.00")}},
		{key: seller.key, method: "GET", path: "/v1/orders/" + mine.order},
		{key: seller.key, method: "POST", path: "/v1/orders/" + mine.order + "/accept"},
		{key: seller.key, method: "POST", path: "/v1/orders/" + mine.order + "/ship", body: ship},
		{key: seller.key, method: "POST", path: "/v1/orders/" + mine.order + "/deliver", body: code},
		{key: seller.key, method: "GET", path: "/v1/escrows/" + d.escrows[0]},
		{key: seller.key, method: "GET", path: "/v1/payouts/" + mine.payout},
		{key: seller.key, method: "PATCH", path: "/v1/offers/" + w.offer, body: map[string]any{"names": map[string]string{"fr": "À moi"}}},
		{key: seller.key, method: "POST", path: "/v1/offers/" + w.offer + "/publish"},
		{key: seller.key, method: "POST", path: "/v1/offers/" + w.offer + "/pause"},
		{key: seller.key, method: "POST", path: "/v1/offers/" + w.offer + "/archive"},
		{key: seller.key, method: "PATCH", path: "/v1/variants/" + w.variant + "/stock", body: map[string]int{"on_hand": 0}},
		{key: seller.key, method: "GET", path: "/v1/organisations/" + mine.org},
		{key: seller.key, method: "POST", path: "/v1/organisations/" + mine.org + "/submit"},
		{key: seller.key, method: "GET", path: "/v1/organisations/" + mine.org + "/api-keys"},
		{key: seller.key, method: "POST", path: "/v1/organisations/" + mine.org + "/api-keys", body: map[string]string{"label": "mine"}},
		{key: seller.key, method: "DELETE", path: "/v1/organisations/" + mine.org + "/api-keys/" + strings.Split(mine.key, ".")[0]},
		{key: seller.key, method: "GET", path: "/v1/organisations/" + mine.org + "/bank-accounts"},
		{key: seller.key, method: "POST", path: "/v1/organisations/" + mine.org + "/bank-accounts", body: account},
	} {
		q.idem = once()
		theirs := r.ask(t, q)
		q.path, q.idem = nobodys(q.path), once()
		if body, ok := q.body.(map[string]any); ok && body["basket"] != nil {
			q.body = ordering(nobodys("/" + basket)[1:], hash)
		}
		nobodys := r.ask(t, q)
		if theirs.status != http.StatusNotFound || theirs.Code != nobodys.Code || theirs.Detail != nobodys.Detail || theirs.status != nobodys.status {
			t.Errorf("%s answers for another's: %d %s «%s», for nobody's: %d %s «%s»; want one 404",
				theirs.what, theirs.status, theirs.Code, theirs.Detail, nobodys.status, nobodys.Code, nobodys.Detail)
		}
	}
	for i, q := range theirs {
		if after := r.shows(t, q.key, q.path); after != before[i] {
			t.Errorf("others' requests changed %s from\n%s to\n%s", q.path, before[i], after)
		}
	}
}

// nobodys replaces the first id of a path by one that nothing has. (The second,
// a variant, is public.)
func nobodys(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if len(p) > 20 && strings.Contains(p, "_") {
			parts[i] = p[:4] + "00000000000000000000000000"
			break
		}
	}
	return strings.Join(parts, "/")
}

// keysOfRequests tries what one can do wrong with an Idempotency-Key.
func keysOfRequests(t *testing.T, r *rig, _ trade) {
	key, other := r.buyer(t), r.buyer(t)
	w := r.ware(t, r.seller(t), 9, "20.00")
	basket := r.basket(t, key, map[string]int{w.variant: 1})
	q := req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, r.quote(t, key, basket))}
	for _, idem := range []string{"", "two words", "clé", strings.Repeat("x", 256)} {
		q.idem = idem
		r.ask(t, q).refused(t, 400, "idempotency.missing")
	}
	q.idem = once()
	first := r.ask(t, q).into(t, nil)
	again := r.ask(t, q).into(t, nil)
	if string(first.body) != string(again.body) || first.status != again.status {
		t.Errorf("a replay answers\n%s, want\n%s", again.body, first.body)
	}
	changed := q
	body := ordering(basket, "x")
	changed.body = body
	r.ask(t, changed).refused(t, 422, "idempotency.reused")
	q.key = other
	r.ask(t, q).refused(t, 404, "orders.no_basket") // its own key by the same name
	var list struct{ Data []any }
	if r.ask(t, req{key: key, method: "GET", path: "/v1/orders"}).into(t, &list); len(list.Data) != 1 {
		t.Errorf("one checkout made %d orders, want 1", len(list.Data))
	}
}

// changedSince changes the market between the quote and the checkout.
func changedSince(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	for _, c := range []struct {
		name   string
		change func(w ware)
		code   string
	}{
		{"the price", func(w ware) {
			var o struct{ Variants []struct{ SKU string } }
			r.ask(t, req{key: s.key, method: "GET", path: "/v1/offers/" + w.offer}).into(t, &o)
			r.ask(t, req{key: s.key, method: "PATCH", path: "/v1/offers/" + w.offer, body: map[string]any{
				"variants": []any{map[string]any{"sku": o.Variants[0].SKU, "price": dirhams("21.00")}},
			}}).into(t, nil)
		}, "orders.quote_changed"},
		{"the stock", func(w ware) {
			r.ask(t, req{key: s.key, method: "PATCH", path: "/v1/variants/" + w.variant + "/stock", body: map[string]int{"on_hand": 1}}).into(t, nil)
		}, "catalog.sold_out"},
		{"the offer", func(w ware) {
			r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers/" + w.offer + "/pause"}).into(t, nil)
		}, "orders.quote_changed"},
	} {
		key, w := r.buyer(t), r.ware(t, s, 2, "20.00")
		basket := r.basket(t, key, map[string]int{w.variant: 2})
		hash := r.quote(t, key, basket)
		c.change(w)
		a := r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, hash), idem: once()})
		if a.refused(t, 409, c.code, "/lines/0"); t.Failed() {
			t.Fatalf("… when %s changed", c.name)
		}
	}
	key, w := r.buyer(t), r.ware(t, s, 3, "20.00")
	basket := r.basket(t, key, map[string]int{w.variant: 1})
	hash := r.quote(t, key, basket)
	r.ask(t, req{key: key, method: "PUT", path: "/v1/baskets/" + basket + "/lines/" + w.variant, body: map[string]int{"quantity": 2}}).into(t, nil)
	r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, hash), idem: once()}).refused(t, 409, "orders.quote_changed", "/quote")
}

// suspended takes a seller out of the market while a buyer has its goods in a
// basket. What it has earned is its own, and paid once a second person looked.
func suspended(t *testing.T, r *rig, _ trade) {
	s, key := r.seller(t), r.buyer(t)
	r.earn(t, s, "60.00")
	w := r.ware(t, s, 2, "20.00")
	basket := r.basket(t, key, map[string]int{w.variant: 1})
	hash := r.quote(t, key, basket)
	org := "/v1/organisations/" + s.org
	r.ask(t, req{key: r.operator(), method: "POST", path: org + "/suspend", body: map[string]string{"note": "Contrôle (exemple)"}}).into(t, nil)
	r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, hash), idem: once()}).refused(t, 409, "orders.seller_unavailable", "/lines/0")
	var draft struct{ ID string }
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers", body: map[string]any{
		"category": "oils", "names": map[string]string{"fr": "Autre"}, "region": "MA-09", "variants": []any{map[string]any{"sku": "NEW", "price": dirhams("5.00"), "on_hand": 1, "weight_g": 10}},
	}}).into(t, &draft)
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers/" + draft.ID + "/publish"}).refused(t, 403, "catalog.seller_inactive")
	var list struct{ Data []any }
	if r.ask(t, req{method: "GET", path: "/v1/offers?seller=" + s.org}).into(t, &list); len(list.Data) != 0 {
		t.Errorf("a suspended seller shows %d offers, want none", len(list.Data))
	}
	p := r.payout(t, s, "40.00")
	if waits := r.shows(t, s.key, "/v1/payouts/"+p.ID); p.State != "draft" || !strings.Contains(waits, "second_person") {
		t.Errorf("a suspended seller's payout is %+v: %s; want a draft for a second person", p, waits)
	}
	r.ask(t, req{key: r.keys.SecondOperator.APIKey, method: "POST", path: "/v1/payouts/" + p.ID + "/approve", idem: once()}).into(t, nil)
	r.until(t, "the payout "+p.ID, func() bool { return r.payoutOf(t, s, p.ID).State == "paid" })
	r.ask(t, req{key: r.operator(), method: "POST", path: org + "/reactivate"}).into(t, nil)
	r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, hash), idem: once()}).into(t, nil)
}
