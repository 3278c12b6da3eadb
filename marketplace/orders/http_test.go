package orders_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
)

// TestTwoParcelsGoTheirWay is the main job: goods of two sellers, one proved
// and received, the other received without proof.
func TestTwoParcelsGoTheirWay(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, b, me := h.shop("145.00", 5, ""), h.shop("60.00", 5, "perishable"), h.buyer()
	c := h.buy(me, 2, a, b)
	if len(c.Orders) != 2 || c.Charge.Status != charges.Accepted || c.Charge.Amount.Amount() != "470.00" || c.Charge.NextAction.Type != "form" {
		t.Fatalf("checkout = %+v, want two orders and 470.00 to pay by form", c)
	}
	if s := h.stock(a); s.OnHand != 5 || s.Reserved != 2 {
		t.Errorf("stock = %+v, want 2 of 5 reserved", s)
	}
	h.pay(c)
	if s := h.stock(a); s.OnHand != 3 || s.Reserved != 0 {
		t.Errorf("stock once paid = %+v, want 3 and none reserved", s)
	}
	first, second := c.Orders[0].ID, c.Orders[1].ID
	if c.Orders[0].Seller.ID != a.id {
		first, second = second, first
	}
	v := h.show(me, first)
	if v.State != orders.Paid || v.Escrow.State != "funded" || v.Escrow.Held.Amount() != "320.00" || v.Totals.Delivery.Amount() != "30.00" {
		t.Errorf("order = %+v, want it paid with 320.00 held", v)
	}
	h.want(200, nil, a.key, "POST", "/v1/orders/"+first+"/accept", "")
	h.want(200, nil, a.key, "POST", "/v1/orders/"+first+"/ship", `{"carrier":"Colis (exemple)","tracking":"EX1"}`)
	var done orders.View
	h.want(200, &done, a.key, "POST", "/v1/orders/"+first+"/deliver", fmt.Sprintf(`{"code":%q}`, v.Delivery.Code))
	if done.State != orders.Delivered || done.Escrow.Held.Amount() != "320.00" {
		t.Errorf("proved: %s with %s held, want delivered with 320.00: proof lets no money go", done.State, done.Escrow.Held)
	}
	h.want(200, nil, b.key, "POST", "/v1/orders/"+second+"/accept", "{}")
	h.want(200, nil, b.key, "POST", "/v1/orders/"+second+"/ship", `{"carrier":"Colis (exemple)","tracking":"EX2"}`)
	for i, o := range []string{first, second} {
		h.want(200, &done, me, "POST", "/v1/orders/"+o+"/receive", "", o)
		want := []string{"320.00", "150.00"}[i]
		if done.State != orders.Completed || !done.Escrow.Held.IsZero() || done.Escrow.Released.Amount() != want {
			t.Errorf("received: %s, %+v, want completed with %s released", done.State, done.Escrow, want)
		}
	}
	h.deliver() // the escrows' own news changes nothing any more
	var what []string
	for _, e := range h.show(h.boss, first).Timeline {
		what = append(what, e.Actor+" "+e.What)
	}
	if got, want := strings.Join(what, ", "), "buyer placed, system paid, seller accepted, seller shipped, seller delivered, buyer received"; got != want {
		t.Errorf("timeline = %s, want %s", got, want)
	}
	var g orders.GroupView
	h.want(200, &g, me, "GET", "/v1/order-groups/"+c.Group, "")
	if len(g.Orders) != 2 || g.Total.Amount() != "470.00" || g.Charge.ID != c.Charge.ID {
		t.Errorf("group = %+v", g)
	}
}

func TestCheckoutRefusesBadInput(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	b := h.fill(me, 1, s)
	good := order(b, h.quote(me, b).Hash)
	other := h.fill(me, 1, s)
	swap := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the body", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for i, c := range []struct {
		name, body    string
		status        int
		code, pointer string
	}{
		{"wrong type", swap(`"method":"card"`, `"method":1`), 400, "request.malformed", "/payment/method"},
		{"unknown field", swap(`"payment"`, `"tip":1,"payment"`), 400, "request.malformed", "/tip"},
		{"duplicate field", swap(`"payment"`, `"basket":"x","payment"`), 400, "request.malformed", "/basket"},
		{"missing field", swap(`,"payment":{"method":"card"}`, ``), 400, "request.malformed", "/payment"},
		{"unknown commune", swap("Fès", "Nulle Part"), 422, "orders.invalid", "/delivery/commune"},
		{"no phone", swap("06 12 34 56 78", "12345"), 422, "orders.invalid", "/contact/phone"},
		{"no address", swap("Rue de l'Exemple 1", ""), 422, "orders.invalid", "/delivery/address"},
		{"other commune", swap("Fès", "Agadir"), 422, "orders.delivery_differs", "/delivery/commune"},
		{"other method", swap("carrier", "own"), 422, "orders.delivery_differs", "/delivery/method"},
		{"other way to pay", swap(`"card"`, `"wallet"`), 422, "charges.method", "/payment/method"},
		{"no such way to pay", swap(`"card"`, `"gold"`), 422, "request.invalid", "/payment/method"},
		{"no such quote", order(b, strings.Repeat("0", 64)), 422, "quotes.unknown", "/quote"},
		{"no quote at all", order(b, "x"), 422, "quotes.unknown", "/quote"},
		{"another basket's quote", swap(b, other), 422, "quotes.unknown", "/quote"},
		{"no such basket", swap(b, "bsk_01jd0000000000000000000000"), 404, "orders.no_basket", ""},
		{"no id", swap(b, "x"), 404, "orders.no_basket", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := *h
			h.t = t
			h.refused(c.status, c.code, c.pointer, me, "POST", "/v1/checkouts", c.body, fmt.Sprint("bad-", i))
		})
	}
	h.refused(400, "idempotency.missing", "", me, "POST", "/v1/checkouts", good)
	h.refused(404, "orders.no_basket", "", h.buyer(), "POST", "/v1/checkouts", good, "stranger")
	h.refused(403, "auth.denied", "", s.key, "POST", "/v1/checkouts", good, "seller")
	h.refused(401, "auth.missing", "", auth.Key{}, "POST", "/v1/checkouts", good, "nobody")
	if st := h.stock(s); st.Reserved != 0 {
		t.Errorf("%d reserved by refused checkouts", st.Reserved)
	}
	h.want(201, nil, me, "POST", "/v1/checkouts", good, "good")
}

func TestAQuoteExpires(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	b := h.fill(me, 1, s)
	body := order(b, h.quote(me, b).Hash)
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := clock.Advance(t.Context(), tx, orders.Validity)
		return err
	}))
	h.refused(409, "quotes.expired", "/quote", me, "POST", "/v1/checkouts", body, "late")
	h.want(201, nil, me, "POST", "/v1/checkouts", order(b, h.quote(me, b).Hash), "again")
}

func TestWhatChangedSinceTheQuoteIsShownAndAsked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, other, me := h.shop("100.00", 5, ""), h.shop("10.00", 5, ""), h.buyer()
	b := h.fill(me, 2, s, other)
	q := h.quote(me, b)
	at := "/lines/0"
	if q.Lines[1].Seller.ID == s.id {
		at = "/lines/1"
	}
	h.reprice(s, "120.00")
	h.refused(409, "orders.quote_changed", at, me, "POST", "/v1/checkouts", order(b, q.Hash), "1")
	q = h.quote(me, b)
	if len(q.Problems) != 1 || q.Problems[0].Code != "price_changed" || q.Problems[0].Blocking || q.Problems[0].Was.Amount() != "100.00" {
		t.Errorf("problems = %+v, want the old price and the new", q.Problems)
	}
	if q = h.quote(me, b); len(q.Problems) != 0 {
		t.Errorf("problems = %+v, want none: the price has been shown", q.Problems)
	}
	h.put(me, b, s, 3)
	h.refused(409, "orders.quote_changed", "/quote", me, "POST", "/v1/checkouts", order(b, q.Hash), "2")
	q = h.quote(me, b)
	h.put(me, b, s, 3) // the same again changes nothing
	h.want(200, nil, s.key, "PATCH", "/v1/variants/"+s.variant+"/stock", `{"on_hand":2}`)
	h.refused(409, "catalog.sold_out", at, me, "POST", "/v1/checkouts", order(b, q.Hash), "3")
	h.want(200, nil, s.key, "PATCH", "/v1/variants/"+s.variant+"/stock", `{"on_hand":9}`)
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+s.id+"/suspend", `{"note":"papers"}`)
	h.refused(409, "orders.seller_unavailable", at, me, "POST", "/v1/checkouts", order(b, q.Hash), "4")
	if p := h.quote(me, b).Problems; len(p) != 1 || p[0].Code != "seller_unavailable" {
		t.Errorf("problems = %+v, want seller_unavailable", p)
	}
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+s.id+"/reactivate", "")
	h.want(200, nil, s.key, "POST", "/v1/offers/"+s.offer+"/pause", "")
	h.refused(409, "orders.quote_changed", at, me, "POST", "/v1/checkouts", order(b, q.Hash), "5")
	h.want(200, nil, s.key, "POST", "/v1/offers/"+s.offer+"/publish", "")
	h.want(201, nil, me, "POST", "/v1/checkouts", order(b, q.Hash), "6")
}

func TestDearerDeliveryIsAskedAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	b := h.fill(me, 1, s)
	q := h.quote(me, b)
	_, err := h.db.Exec(t.Context(), `insert into orders.tariff (method, since, base, included_g, per_kg, payee) values ('carrier', platform.now(), 9900, 0, 0, 'demo')`)
	must(t, err)
	h.refused(409, "orders.quote_changed", "/fees", me, "POST", "/v1/checkouts", order(b, q.Hash), "1")
	if got := h.quote(me, b).Totals.Delivery.Amount(); got != "99.00" {
		t.Errorf("delivery = %s, want 99.00", got)
	}
}

func TestBasketsAndQuotesRefuseBadInput(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, stranger := h.shop("100.00", 5, ""), h.buyer(), h.buyer()
	var b struct{ ID string }
	h.want(201, &b, me, "POST", "/v1/baskets", "{}")
	line := "/v1/baskets/" + b.ID + "/lines/" + s.variant
	h.refused(422, "orders.basket_empty", "", me, "POST", "/v1/baskets/"+b.ID+"/quotes", "")
	h.refused(400, "request.malformed", "/quantity", me, "PUT", line, `{"quantity":"2"}`)
	h.refused(400, "request.malformed", "/quantity", me, "PUT", line, `{}`)
	h.refused(422, "request.invalid", "/quantity", me, "PUT", line, `{"quantity":-1}`)
	h.refused(422, "request.invalid", "/quantity", me, "PUT", line, `{"quantity":1000}`)
	h.refused(404, "orders.no_variant", "", me, "PUT", line+"x", `{"quantity":1}`)
	h.refused(404, "orders.no_basket", "", stranger, "PUT", line, `{"quantity":1}`)
	h.refused(404, "orders.no_basket", "", stranger, "GET", "/v1/baskets/"+b.ID, "")
	h.refused(404, "orders.no_basket", "", me, "GET", "/v1/baskets/"+b.ID+"x", "")
	h.put(me, b.ID, s, 2)
	h.refused(404, "orders.no_basket", "", stranger, "POST", "/v1/baskets/"+b.ID+"/quotes", "")
	h.refused(422, "orders.invalid", "/delivery/commune", me, "POST", "/v1/baskets/"+b.ID+"/quotes", `{"delivery":{"method":"carrier","commune":"Atlantide"}}`)
	h.refused(422, "request.invalid", "/delivery/method", me, "POST", "/v1/baskets/"+b.ID+"/quotes", `{"delivery":{"method":"drone"}}`)
	var v orders.BasketView
	h.want(200, &v, me, "GET", "/v1/baskets/"+b.ID, "")
	if len(v.Lines) != 1 || v.Totals.Goods.Amount() != "200.00" || v.Version != 2 {
		t.Errorf("basket = %+v, want 200.00 in version 2", v)
	}
	h.put(me, b.ID, s, 0)
	h.put(me, b.ID, s, 0)
	h.want(200, &v, me, "GET", "/v1/baskets/"+b.ID, "")
	if len(v.Lines) != 0 || v.Version != 3 {
		t.Errorf("basket = %+v, want it empty in version 3", v)
	}
}

func TestStrangersFindNoOrders(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, other, me, stranger := h.shop("100.00", 5, ""), h.shop("1.00", 1, ""), h.buyer(), h.buyer()
	c := h.buy(me, 1, s)
	o := "/v1/orders/" + c.Orders[0].ID
	h.pay(c)
	for _, k := range []auth.Key{stranger, other.key} {
		h.refused(404, "orders.not_found", "", k, "GET", o, "")
	}
	h.refused(404, "orders.no_group", "", stranger, "GET", "/v1/order-groups/"+c.Group, "")
	h.refused(404, "orders.not_found", "", other.key, "POST", o+"/accept", "")
	h.refused(404, "orders.not_found", "", other.key, "POST", o+"/ship", `{"carrier":"x","tracking":"y"}`)
	h.refused(404, "orders.not_found", "", other.key, "POST", o+"/deliver", `{"code":"1234"}`)
	h.refused(404, "orders.not_found", "", stranger, "POST", o+"/receive", "", "k")
	h.refused(403, "auth.denied", "", s.key, "POST", o+"/receive", "", "k")
	h.refused(403, "auth.denied", "", me, "POST", o+"/accept", "")
	h.refused(404, "orders.not_found", "", me, "GET", "/v1/orders/ord_01jd0000000000000000000000", "")
	h.refused(404, "orders.not_found", "", me, "GET", "/v1/orders/1", "")
	if v := h.show(s.key, c.Orders[0].ID); v.Delivery.Code != "" || v.Delivery.Contact == nil || v.Delivery.Contact.Phone != "+212612345678" {
		t.Errorf("the seller sees %+v, want the contact and no code", v.Delivery)
	}
}

func TestTheSellerLearnsTheAddressOncePaid(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	if v := h.show(s.key, c.Orders[0].ID); v.Delivery.Address != "" || v.Delivery.Contact != nil {
		t.Errorf("before payment the seller sees %+v", v.Delivery)
	}
	if v := h.show(me, c.Orders[0].ID); v.Delivery.Address == "" || len(v.Delivery.Code) != 4 {
		t.Errorf("the buyer sees %+v", v.Delivery)
	}
}

func TestTransitionsAreSafeToRepeat(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	o := "/v1/orders/" + c.Orders[0].ID
	h.refused(409, "orders.state", "", s.key, "POST", o+"/accept", "")
	h.refused(409, "orders.state", "", me, "POST", o+"/receive", "", "early")
	h.pay(c)
	h.refused(409, "orders.state", "", s.key, "POST", o+"/ship", `{"carrier":"x","tracking":"y"}`)
	for range 2 {
		h.want(200, nil, s.key, "POST", o+"/accept", "")
	}
	for range 2 {
		h.want(200, nil, s.key, "POST", o+"/ship", `{"carrier":"x","tracking":"y"}`)
	}
	h.refused(409, "orders.shipped", "", s.key, "POST", o+"/ship", `{"carrier":"x","tracking":"z"}`)
	h.refused(409, "orders.state", "", s.key, "POST", o+"/accept", "")
	code := fmt.Sprintf(`{"code":%q}`, h.show(me, c.Orders[0].ID).Delivery.Code)
	for range 2 {
		h.want(200, nil, h.boss, "POST", o+"/deliver", code)
	}
	h.refused(409, "orders.state", "", s.key, "POST", o+"/deliver", `{"code":"x"}`)
	first := h.ask(me, "POST", o+"/receive", "", "k")
	again := h.ask(me, "POST", o+"/receive", "{}", "k2")
	if first.Code != 200 || again.Code != 200 || !same(first, again) {
		t.Errorf("received twice: %d %s and %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if n := len(h.show(me, c.Orders[0].ID).Timeline); n != 6 {
		t.Errorf("%d lines in the timeline, want 6: repeats leave none", n)
	}
}

func TestFiveWrongCodesCloseTheWay(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	o := "/v1/orders/" + c.Orders[0].ID
	h.pay(c)
	h.want(200, nil, s.key, "POST", o+"/accept", "")
	h.refused(409, "orders.state", "", s.key, "POST", o+"/deliver", `{"code":"0"}`)
	h.want(200, nil, s.key, "POST", o+"/ship", `{"carrier":"x","tracking":"y"}`)
	for range 5 {
		h.refused(422, "orders.wrong_code", "/code", s.key, "POST", o+"/deliver", `{"code":"0"}`)
	}
	code := h.show(me, c.Orders[0].ID).Delivery.Code
	h.refused(409, "orders.code_locked", "", s.key, "POST", o+"/deliver", fmt.Sprintf(`{"code":%q}`, code))
	var v orders.View
	h.want(200, &v, me, "POST", o+"/receive", "", "k")
	if v.State != orders.Completed {
		t.Errorf("state = %s, want completed: the buyer's word is always enough", v.State)
	}
}

func TestListsArePagedWithoutHolesOrRepeats(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	want := map[string]bool{}
	for range 5 {
		want[h.buy(me, 1, s).Orders[0].ID] = true
	}
	h.buy(h.buyer(), 1, s)
	h.buy(h.buyer(), 1, h.shop("1.00", 1, ""))
	var page struct {
		Data []orders.Summary
		Next *string
	}
	last, n, path := "~", 0, "/v1/orders?limit=2"
	for {
		h.want(200, &page, s.key, "GET", path, "")
		for _, o := range page.Data {
			if o.ID >= last {
				t.Errorf("%s comes after %s", o.ID, last)
			}
			last = o.ID
			n++
		}
		if page.Next == nil {
			break
		}
		path = "/v1/orders?limit=2&cursor=" + *page.Next
	}
	if n != 6 {
		t.Errorf("the seller's list has %d orders, want 6", n)
	}
	mine, err := h.orders.List(auth.With(t.Context(), h.who(me)), orders.ListInput{Paging: paging(10)})
	must(t, err)
	for _, o := range mine.Data {
		delete(want, o.ID)
	}
	if len(mine.Data) != 5 || len(want) != 0 {
		t.Errorf("the buyer's list has %d orders and lacks %v", len(mine.Data), want)
	}
	all, err := h.orders.List(auth.With(t.Context(), h.who(h.boss)), orders.ListInput{Paging: paging(10)})
	must(t, err)
	if len(all.Data) != 7 {
		t.Errorf("the operator's list has %d orders, want all 7", len(all.Data))
	}
	h.want(200, &page, s.key, "GET", "/v1/orders?state=paid", "")
	if page.Data == nil || len(page.Data) != 0 {
		t.Errorf("paid orders = %v, want an empty list", page.Data)
	}
	h.refused(400, "request.malformed", "?cursor", s.key, "GET", "/v1/orders?cursor=x", "")
	h.refused(422, "request.invalid", "?state", s.key, "GET", "/v1/orders?state=lost", "")
}

func TestAnOrderIsShownAsTheInterfaceSays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	var v map[string]json.RawMessage
	h.want(200, &v, me, "GET", "/v1/orders/"+c.Orders[0].ID, "")
	for _, field := range []string{"id", "state", "seller", "lines", "totals", "escrow", "delivery", "timeline", "order_group"} {
		if len(v[field]) == 0 || string(v[field]) == "null" {
			t.Errorf("%s = %s", field, v[field])
		}
	}
	var at struct{ Timeline []struct{ At time.Time } }
	h.want(200, &at, me, "GET", "/v1/orders/"+c.Orders[0].ID, "")
	if at.Timeline[0].At.IsZero() || at.Timeline[0].At.Location() != time.UTC {
		t.Errorf("time = %s, want UTC", at.Timeline[0].At)
	}
}
