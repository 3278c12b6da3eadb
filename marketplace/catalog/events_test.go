package catalog_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/pg"
)

// told are the events of a type with what a test knows of them, in order.
func (m *market) told(kind string, wants ...string) {
	m.Helper()
	got := m.said(kind)
	if len(got) != len(wants) {
		m.Fatalf("%d events %s, want %d: %v", len(got), kind, len(wants), got)
	}
	for i, want := range wants {
		for part := range strings.SplitSeq(want, ", ") {
			if !strings.Contains(got[i], part) {
				m.Errorf("event %d of %s is %s, want %s in it", i, kind, got[i], part)
			}
		}
	}
}

// What is done to an offer is told once, with how it stands afterwards; what is
// refused or changes nothing is not told.
func TestEachChangeOfAnOfferIsTold(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var v catalog.View
	m.json(ourKey, "POST", "/v1/offers", `{"category":"oils","names":{"fr":"Huile"},"commune":"Rabat","variants":[{"sku":"H","price":{"amount":"10.00","currency":"MAD"},"on_hand":5}]}`).as(http.StatusCreated, &v)
	at := "/v1/offers/" + v.ID
	m.json(ourKey, "PATCH", at, `{"names":{"fr":"Huile d’olive"}}`).as(http.StatusOK, nil)
	m.json(ourKey, "PATCH", at, `{"names":{"fr":""}}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/names/fr")
	for _, step := range []string{"publish", "pause", "archive"} {
		m.json(ourKey, "POST", at+"/"+step, "").as(http.StatusOK, nil)
	}
	m.json(ourKey, "POST", at+"/publish", "").refused(http.StatusConflict, "catalog.wrong_state")
	m.told("catalog.offer_changed",
		`"what": "created", "state": "draft", "version": 1`, `"what": "updated", "version": 2`,
		`"what": "published", "state": "published"`, `"what": "paused"`, `"what": "archived", "state": "archived"`)
}

// Stock that is counted, moved, sold out and back is told of, article by article;
// what only lessens it is not a change of whether there is any.
func TestEachChangeOfStockIsTold(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(3, 4)
	stock := func(variant, body string) {
		t.Helper()
		m.json(ourKey, "PATCH", "/v1/variants/"+variant+"/stock", body).as(http.StatusOK, nil)
	}
	shop := m.place("Boutique")
	m.told("catalog.place_added", `"name": "Boutique"`)
	stock(v[0], `{"delta":2}`)
	stock(v[0], `{"on_hand":5}`) // as it is
	stock(v[0], fmt.Sprintf(`{"place":%q,"delta":1}`, shop))
	m.json(ourKey, "POST", "/v1/variants/"+v[0]+"/moves", fmt.Sprintf(`{"from":%q,"to":"","quantity":1}`, shop)).as(http.StatusOK, nil)
	m.told("catalog.stock_moved", `"quantity": 1, "to": ""`)
	stock(v[0], `{"on_hand":0}`)
	stock(v[0], `{"on_hand":3}`)
	m.told("catalog.stock_changed",
		`"by": 2, "on_hand": 5, "available": 5, "reason": "moved"`, `"by": 1, "on_hand": 6`,
		`"by": -6, "on_hand": 0, "available": 0, "reason": "counted"`, `"by": 3, "on_hand": 3`)
	m.told("catalog.availability_changed", `"available": false`, `"available": true`)

	// Two articles of one offer: one sells out and is back, the other stays.
	line := func(i, n int) catalog.Line { return catalog.Line{Variant: v[i], Quantity: n} }
	for order, lines := range map[string][]catalog.Line{"ord_1": {line(0, 3), line(1, 1)}, "ord_2": {line(1, 2)}} {
		if err := m.reserve(order, lines...); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.unreserve("ord_1"); err != nil {
		t.Fatal(err)
	}
	if err := m.reserve("ord_3", line(0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := m.take("ord_3"); err != nil {
		t.Fatal(err)
	}
	if err := m.tx(func(tx *pg.Tx) error { return m.s.Return(t.Context(), tx, "ord_3") }); err != nil {
		t.Fatal(err)
	}
	of := fmt.Sprintf(`"variant": %q`, v[0])
	m.told("catalog.availability_changed", of, of, of+`, "available": false`, of+`, "available": true`, of+`, "available": false`, of+`, "available": true`)
}
