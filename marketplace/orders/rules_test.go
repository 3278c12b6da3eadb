package orders_test

import (
	"fmt"
	"net/http"
	"testing"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// TestRule3_2_MoneyThatCameTooLateIsSeenWithItsOrder has a refund of no order, which
// its buyer finds with the order it paid for; the seller, whom it is not from, does
// not.
func TestRule3_2_MoneyThatCameTooLateIsSeenWithItsOrder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c, other := h.buy(me, 1, s), h.buy(me, 1, s)
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	h.till.none = map[string][]charges.Refund{c.Group: {{ID: "rfd_1", Charge: c.Charge.ID, State: charges.RefundAwaiting, Amount: 12000, Currency: money.MAD}}}
	for _, k := range []auth.Key{me, h.boss} {
		if v := h.show(k, c.ids()[0]); len(v.Refunds) != 1 || v.Refunds[0].ID != "rfd_1" || v.Refunds[0].State != charges.RefundAwaiting {
			t.Errorf("the order shows %+v, want the refund that waits for an account", v.Refunds)
		}
	}
	if v := h.show(me, other.ids()[0]); len(v.Refunds) != 0 {
		t.Errorf("another order shows %+v", v.Refunds)
	}
	if v := h.show(s.key, c.ids()[0]); len(v.Refunds) != 0 {
		t.Errorf("the seller sees %+v", v.Refunds)
	}
}

// TestRule3_5_OneOfTwoEndsIsAnOrders has a seller accept, prepare and ship an
// order while its buyer and its seller cancel it: whoever comes first decides, and
// the goods are either on their way or on offer again, never both.
func TestRule3_5_OneOfTwoEndsIsAnOrders(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	const rounds = 6
	s, me := h.shop("100.00", rounds, ""), h.buyer()
	away := 0
	for range rounds {
		c := h.buy(me, 1, s)
		h.pay(c)
		at := "/v1/orders/" + c.ids()[0]
		steps := []struct {
			key        auth.Key
			path, body string
		}{
			{s.key, "/accept", ""},
			{s.key, "/ship", shipping},
			{me, "/cancel", `{"reason":"changed_mind"}`},
			{s.key, "/cancel", `{"reason":"out_of_stock"}`},
			{me, "/cancel", `{"reason":"changed_mind"}`},
			{s.key, "/ship", shipping},
		}
		answers := make([]int, len(steps))
		race(len(steps), func(i int) {
			answers[i] = h.ask(steps[i].key, "POST", at+steps[i].path, steps[i].body, fresh()).Code
		})
		for i, code := range answers {
			if code != http.StatusOK && code != http.StatusConflict {
				t.Errorf("%s is answered %d", steps[i].path, code)
			}
		}
		v := h.show(me, c.ids()[0])
		ends := 0
		for _, l := range v.Timeline {
			if l.What == "cancelled" || l.What == "shipped" {
				ends++
			}
		}
		switch v.State {
		case orders.Accepted, orders.Shipped:
			away++
		case orders.Cancelled, orders.Refunded:
		default:
			t.Errorf("the order is %s", v.State)
		}
		if (ends == 0) != (v.State == orders.Accepted) || ends > 1 {
			t.Errorf("an order that is %s has %+v", v.State, v.Timeline)
		}
	}
	if st := h.stock(s); st.OnHand != rounds-away || st.Reserved != 0 {
		t.Errorf("stock = %+v, with %d of %d away", st, away, rounds)
	}
}

// TestRule3_8_ListsAskAFixedNumberOfQueries compares pages of one row with pages
// of many, of each list that grows with the trade.
func TestRule3_8_ListsAskAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	c := &trips{}
	h := openHub(t, pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 4, Tracer: c}))
	s, me := h.shop("100.00", 50, ""), h.buyer()
	var last string
	trade := func() {
		last = h.home(me, 2, s).ids()[0]
		at := "/v1/orders/" + last
		h.want(201, nil, me, "POST", at+"/reviews", stars(s, 5, "Très bon."), fresh())
		h.sendBack(me, s, last, 1, "withdrawal")
		disputed := h.home(me, 1, s).ids()[0]
		h.want(201, nil, me, "POST", "/v1/orders/"+disputed+"/disputes", `{"reason":"other","text":"Rien."}`)
	}
	trade()
	for i := range 5 {
		h.want(201, nil, me, "POST", "/v1/orders/"+last+"/messages", fmt.Sprintf(`{"text":"Bonjour %d"}`, i), fresh())
	}
	first := last
	for range 5 {
		trade()
	}
	for _, list := range []struct {
		who  auth.Key
		path string
	}{
		{me, "/v1/orders"},
		{s.key, "/v1/orders"},
		{h.boss, "/v1/orders"},
		{me, "/v1/returns"},
		{s.key, "/v1/returns"},
		{h.boss, "/v1/returns"},
		{s.key, "/v1/reviews"},
		{auth.Key{}, "/v1/offers/" + s.offer + "/reviews"},
		{me, "/v1/disputes"},
		{s.key, "/v1/disputes"},
		{me, "/v1/orders/" + first + "/messages"},
	} {
		page := func(limit int) (queries, rows int) {
			var v struct{ Data []any }
			path := fmt.Sprintf("%s?limit=%d", list.path, limit)
			h.want(200, &v, list.who, "GET", path, "") // the statements are prepared now
			before := c.n.Load()
			h.want(200, &v, list.who, "GET", path, "")
			return int(c.n.Load() - before), len(v.Data)
		}
		one, _ := page(1)
		many, rows := page(100)
		if rows < 5 || one != many {
			t.Errorf("%s: %d round trips for one row, %d for %d", list.path, one, many, rows)
		}
	}
}

// TestRule3_12_ASellerSuspendedAfterTheSaleDeliversIt suspends a seller at each
// step of an order's life: nothing more is sold, and what was sold goes its way
// to the end, its money released. (Of the payout a second person decides.)
func TestRule3_12_ASellerSuspendedAfterTheSaleDeliversIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me := h.buyer()
	for _, when := range []string{"pending", "paid", "accepted", "shipped", "delivered"} {
		s := h.shop("100.00", 5, "")
		b := h.fill(me, 1, s)
		q := h.quote(me, b)
		bought := h.buy(me, 1, s)
		at := "/v1/orders/" + bought.ids()[0]
		suspended := false
		reached := func(step string) {
			if step != when {
				return
			}
			suspended = true
			h.want(200, nil, h.boss, "POST", "/v1/organisations/"+s.id+"/suspend", `{"note":"papers"}`)
			h.refused(409, "orders.seller_unavailable", "/lines/0", me, "POST", "/v1/checkouts", order(b, q.Hash), fresh())
			h.refused(403, "catalog.seller_inactive", "", s.key, "POST", "/v1/offers/"+s.offer+"/publish", "")
		}
		reached("pending")
		h.pay(bought)
		reached("paid")
		h.want(200, nil, s.key, "POST", at+"/accept", "")
		reached("accepted")
		h.want(200, nil, s.key, "POST", at+"/ship", shipping)
		reached("shipped")
		h.want(200, nil, s.key, "POST", at+"/deliver", fmt.Sprintf(`{"code":%q}`, h.show(me, bought.ids()[0]).Delivery.Code))
		reached("delivered")
		h.want(200, nil, me, "POST", at+"/receive", "", fresh())
		h.deliver()
		if v := h.show(me, bought.ids()[0]); !suspended || v.State != orders.Completed || !v.Escrow.Held.IsZero() {
			t.Errorf("suspended when %s, the order is %s and holds %s, want completed and nothing", when, v.State, v.Escrow.Held)
		}
	}
}
