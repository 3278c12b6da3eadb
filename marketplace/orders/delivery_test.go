package orders_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/invariants"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// way has a seller offer a way of delivery.
func (h *hub) way(key auth.Key, body string) (way string) {
	h.t.Helper()
	var w struct{ ID string }
	h.want(201, &w, key, "POST", "/v1/delivery-ways", body, id.New("idem"))
	return w.ID
}

const byZone = `{"kind":"carrier","names":{"fr":"Messagerie (exemple)"},"lead_days":3,"free_from":{"amount":"500.00","currency":"MAD"},"zones":[
	{"communes":["Fès"],"steps":[{"up_to_g":1000,"price":{"amount":"15.00","currency":"MAD"}},{"up_to_g":5000,"price":{"amount":"22.00","currency":"MAD"}}]},
	{"regions":["MA-03"],"steps":[{"price":{"amount":"28.00","currency":"MAD"}}]}]}`

func (h *hub) quoted(key auth.Key, basket, delivery string) (q quote) {
	h.t.Helper()
	h.want(201, &q, key, "POST", "/v1/baskets/"+basket+"/quotes", `{"delivery":`+delivery+`}`)
	return q
}

// sound fails when the books or the orders contradict each other. The till that
// plays the acquirer keeps no charges.
func (h *hub) sound() {
	h.t.Helper()
	found, err := invariants.Check(auth.With(h.t.Context(), auth.Hub), h.db)
	must(h.t, err)
	for _, f := range found {
		if f.Count > 0 && f.ID != "R1" { // of charges
			h.t.Errorf("%s: %d rows", f.ID, f.Count)
		}
	}
}

func problems(q quote) (out []string) {
	for _, p := range q.Problems {
		out = append(out, p.Pointer+" "+p.Code)
	}
	return out
}

func TestSellersSetTheirOwnDelivery(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("10.00", 999, ""), h.shop("20.00", 50, "")
	way := h.way(a.key, byZone)
	basket := h.fill(me, 2, a, b) // 1,600 g of each
	for _, c := range []struct{ to, delivery, problems string }{
		{`{"method":"carrier","commune":"Fès"}`, "52.00", ""},
		{`{"method":"carrier","commune":"Taza"}`, "58.00", ""},
		{`{"method":"carrier","commune":"Agadir"}`, "", "/lines/0 not_delivered"},
		{`{"method":"carrier"}`, "", "/lines/0 commune_needed"},
		{`{"method":"pickup","commune":"Agadir"}`, "0.00", ""},
		{`{"method":"relay","commune":"Agadir"}`, "", "/lines/0 not_delivered, /lines/1 not_delivered"},
		{fmt.Sprintf(`{"method":"carrier","commune":"Agadir","choices":{%q:"own"}}`, a.id), "50.00", ""},
		{fmt.Sprintf(`{"method":"own","commune":"Fès","choices":{%q:%q}}`, a.id, way), "42.00", ""},
		{fmt.Sprintf(`{"method":"own","commune":"Fès","choices":{%q:%q}}`, b.id, way), "", "/lines/1 not_delivered"}, // another's
	} {
		q := h.quoted(me, basket, c.to)
		if a.variant > b.variant { // lines stand by variant
			c.problems = strings.NewReplacer("/lines/0", "/lines/1", "/lines/1", "/lines/0").Replace(c.problems)
		}
		got := problems(q)
		slices.Sort(got)
		if all := strings.Join(got, ", "); all != c.problems {
			t.Errorf("%s: problems %q, want %q", c.to, all, c.problems)
		}
		if c.delivery != "" && q.Totals.Delivery.Amount() != c.delivery {
			t.Errorf("%s: delivery costs %s, want %s", c.to, q.Totals.Delivery, c.delivery)
		}
	}
	// Above the last step of its zone, a parcel is too heavy; goods worth 500.00 travel free, where they travel at all.
	h.put(me, basket, a, 7)
	if got := problems(h.quoted(me, basket, `{"method":"carrier","commune":"Fès"}`)); len(got) != 1 || !strings.HasSuffix(got[0], "too_heavy") {
		t.Errorf("5,600 g to Fès: %v, want too_heavy", got)
	}
	h.put(me, basket, a, 50)
	if q := h.quoted(me, basket, `{"method":"carrier","commune":"Taza"}`); q.Totals.Delivery.Amount() != "30.00" {
		t.Errorf("goods worth 500.00 travel for %s, want only the other seller's 30.00", q.Totals.Delivery)
	}
}

func TestACheckoutKeepsTheWayThatWasQuoted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("10.00", 99, ""), h.shop("20.00", 50, "")
	way := h.way(a.key, byZone)
	point := h.way(h.boss, `{"kind":"relay","names":{"fr":"Point relais (exemple)"},"payee":"relais","lead_days":2,"commune":"Fès","address":"Près de Bab Boujloud (exemple)",
		"zones":[{"steps":[{"up_to_g":20000,"price":{"amount":"12.00","currency":"MAD"}}]}]}`)
	basket := h.fill(me, 1, a, b)
	to := fmt.Sprintf(`{"method":"carrier","commune":"Fès","choices":{%q:%q}}`, b.id, point)
	q := h.quoted(me, basket, to)
	if got := q.Totals.Delivery.Amount(); got != "27.00" {
		t.Fatalf("delivery costs %s, want 15.00 and 12.00", got)
	}
	body := func(delivery string) string {
		return fmt.Sprintf(`{"basket":%q,"quote":%q,"contact":{"name":"Acheteur (exemple)","phone":"0612345678"},"payment":{"method":"card"},"delivery":%s}`, basket, q.Hash, delivery)
	}
	there := strings.TrimSuffix(to, "}") + `,"address":"Derrière la mosquée"}`
	h.refused(422, "orders.invalid", "/delivery/address", me, "POST", "/v1/checkouts", body(to), "1")
	h.refused(422, "orders.delivery_differs", "/delivery/choices", me, "POST", "/v1/checkouts", body(strings.Replace(there, point, way, 1)), "2")
	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", body(there), "3")
	h.pay(c)
	for _, o := range c.Orders {
		v := h.show(me, o.ID)
		switch o.Seller.ID {
		case a.id:
			if d := v.Delivery; d.Method != "carrier" || d.Way != way || d.LeadDays != 3 || d.Fetch != nil || d.Address != "Derrière la mosquée" {
				t.Errorf("the parcel by zone goes as %+v", d)
			}
		case b.id:
			if d := v.Delivery; d.Method != "relay" || d.Way != point || d.Fetch == nil || d.Fetch.Address != "Près de Bab Boujloud (exemple)" {
				t.Errorf("the parcel to the relay point goes as %+v", d)
			}
			h.want(200, nil, b.key, "POST", "/v1/orders/"+o.ID+"/accept", "")
			h.want(200, nil, b.key, "POST", "/v1/orders/"+o.ID+"/ship", `{"carrier":"Relais","tracking":"R1"}`)
			h.want(200, nil, me, "POST", "/v1/orders/"+o.ID+"/receive", "", "r")
			if got := h.balance("payable:carrier:relais"); got != 1200 {
				t.Errorf("the relay point's carrier has %d, want 12.00", got)
			}
		}
	}
	h.sound()
}

func TestAWayThatEndedIsNotOrdered(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("10.00", 99, "")
	way := h.way(a.key, byZone)
	basket := h.fill(me, 1, a)
	q := h.quote(me, basket)
	other := h.shop("1.00", 1, "")
	h.refused(404, "delivery.not_found", "", other.key, "POST", "/v1/delivery-ways/"+way+"/end", "", "x")
	h.want(200, nil, a.key, "POST", "/v1/delivery-ways/"+way+"/end", "", "1")
	h.want(200, nil, a.key, "POST", "/v1/delivery-ways/"+way+"/end", "", "2") // harmless
	h.refused(409, "orders.quote_changed", "/fees", me, "POST", "/v1/checkouts", order(basket, q.Hash), "3")
	var list struct{ Data []struct{ ID string } }
	if h.want(200, &list, a.key, "GET", "/v1/delivery-ways", ""); len(list.Data) != 0 {
		t.Errorf("an ended way is listed: %+v", list)
	}
	if h.want(200, &list, a.key, "GET", "/v1/delivery-ways?ended=true", ""); len(list.Data) != 1 {
		t.Errorf("what ended is not found: %+v", list)
	}
	if _, err := h.db.Exec(t.Context(), `update delivery.way set ended_at = null`); pg.Code(err) != "23514" {
		t.Errorf("an ended way begins again: %v", err)
	}
}

func TestTheMarketsTermsChangeFromADayOn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("10.00", 99, "")
	tariff := func(since string) string {
		return `{"method":"carrier","base":{"amount":"40.00","currency":"MAD"},"included_g":5000,"per_kg":{"amount":"1.00","currency":"MAD"},"payee":"demo","since":"` + since + `"}`
	}
	const tariffs, rules = "/v1/delivery-tariffs", "/v1/payment-rules"
	h.refused(422, "terms.invalid", "/since", h.boss, "POST", tariffs, tariff("2026-01-01"), "1")
	h.refused(403, "auth.denied", "", a.key, "POST", tariffs, tariff("2099-01-01"), "2")
	h.want(201, nil, h.boss, "POST", tariffs, tariff("2099-01-01"), "3")
	h.refused(409, "terms.taken", "", h.boss, "POST", tariffs, tariff("2099-01-01"), "4")
	rule := `{"method":"wallet","seller":"` + a.id + `","most":{"amount":"20000.01","currency":"MAD"},"since":"2099-01-01"}`
	h.refused(422, "terms.invalid", "/most/amount", h.boss, "POST", rules, rule, "5")
	h.want(201, nil, h.boss, "POST", rules, strings.Replace(rule, "20000.01", "0.00", 1), "6")
	h.refused(422, "terms.invalid", "/seller", h.boss, "POST", rules, strings.Replace(rule, a.id, "org_x", 1), "7")
	if got := h.quote(me, h.fill(me, 1, a)).Totals.Delivery.Amount(); got != "30.00" {
		t.Errorf("delivery costs %s today, want 30.00 still", got)
	}
	seen := 0
	for at := "?limit=1"; at != ""; seen++ {
		var page struct {
			Data []orders.TariffView
			Next *string
		}
		h.want(200, &page, me, "GET", tariffs+at, "")
		if seen == 0 && page.Data[0].Since != "2099-01-01" {
			t.Errorf("the first tariff is of %s", page.Data[0].Since)
		}
		if at = ""; page.Next != nil {
			at = "?limit=1&cursor=" + *page.Next
		}
	}
	if seen != 4 {
		t.Errorf("%d pages of tariffs, want 4", seen)
	}
	var all struct{ Data []orders.RuleView }
	if h.want(200, &all, me, "GET", rules, ""); len(all.Data) != 5 || all.Data[0].Seller != a.id {
		t.Errorf("rules: %+v", all)
	}
	if _, err := h.db.Exec(t.Context(), `insert into orders.tariff (method, since, base, included_g, per_kg, payee, offered)
		values ('own', '2026-01-01', 0, 0, 0, '', false), ('carrier', '2026-01-01', 4100, 5000, 0, 'demo', true)`); err != nil {
		t.Fatal(err)
	}
	if got := h.quote(me, h.fill(me, 1, a)).Totals.Delivery.Amount(); got != "41.00" {
		t.Errorf("delivery costs %s, want that of the later row", got)
	}
	if got := problems(h.quoted(me, h.fill(me, 1, a), `{"method":"own","commune":"Fès"}`)); fmt.Sprint(got) != "[/lines/0 not_delivered]" {
		t.Errorf("what the market offers no longer: %v", got)
	}
}
