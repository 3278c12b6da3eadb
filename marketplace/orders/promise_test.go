package orders_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
)

func TestTheDaysThatGoodsAreMadeAreAddedToTheTimeToSend(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, quick := h.buyer(), h.shop("100.00", 5, "")
	s := h.shop("100.00", 5, "")
	making := func(days int) string {
		return fmt.Sprintf(`{"variants":[{"sku":"S1","policy":"made_to_order","weekly":50,"lead_days":%d}]}`, days)
	}
	h.want(200, nil, s.key, "PATCH", "/v1/offers/"+s.offer, making(10))
	b := h.fill(me, 1, s, quick)
	q := h.quote(me, b)
	days := map[string]int{q.Fees[0].Seller.ID: q.Fees[0].MakeDays, q.Fees[1].Seller.ID: q.Fees[1].MakeDays}
	if days[s.id] != 10 || days[quick.id] != 0 || q.Fees[0].ShipsBy == nil {
		t.Fatalf("the fees are %+v", q.Fees)
	}
	h.want(200, nil, s.key, "PATCH", "/v1/offers/"+s.offer, making(12))
	w := h.ask(me, "POST", "/v1/checkouts", order(b, q.Hash), fresh())
	if w.Code != 409 || !strings.Contains(w.Body.String(), "12 days to make instead of 10") {
		t.Errorf("the goods take longer now, and the quote is %d %s", w.Code, w.Body)
	}
	h.want(200, nil, s.key, "PATCH", "/v1/offers/"+s.offer, making(61))
	if q := h.quote(me, b); !slices.ContainsFunc(q.Problems, func(p orders.Problem) bool { return p.Code == "made_too_long" && p.Blocking }) {
		t.Errorf("61 days are longer than money is held: %+v", q.Problems)
	}
	h.want(200, nil, s.key, "PATCH", "/v1/offers/"+s.offer, making(10))

	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", order(b, h.quote(me, b).Hash), fresh())
	h.pay(c)
	slow, fast := c.Orders[0], c.Orders[1]
	if slow.Seller.ID != s.id {
		slow, fast = fast, slow
	}
	if got := slow.ShipsBy.Sub(slow.CreatedAt); got != 14*24*time.Hour || fast.ShipsBy.Sub(fast.CreatedAt) != 96*time.Hour {
		t.Errorf("promised after %s", got)
	}
	h.want(200, nil, s.key, "POST", "/v1/orders/"+slow.ID+"/accept", "")
	h.want(200, nil, quick.key, "POST", "/v1/orders/"+fast.ID+"/accept", "")
	if list := h.list(s.key); !list[0].ShipsBy.After(slow.ShipsBy) {
		t.Errorf("once accepted it leaves by %s in the seller's list, %s before", list[0].ShipsBy, slow.ShipsBy)
	}
	late := func(order string) bool {
		return slices.ContainsFunc(h.show(me, order).Timeline, func(e orders.Entry) bool { return e.What == "late" })
	}
	h.advance(97 * time.Hour)
	if !late(fast.ID) || late(slow.ID) {
		t.Errorf("after four days what is in stock is late: %v; what is made: %v", late(fast.ID), late(slow.ID))
	}
	h.advance(10 * 24 * time.Hour)
	if v := h.show(me, slow.ID); !late(slow.ID) || v.State != orders.Accepted {
		t.Errorf("after fourteen days it is %s: %+v", v.State, v.Timeline)
	}
	h.advance(96 * time.Hour)
	if v := h.show(me, slow.ID); v.State != orders.Cancelled {
		t.Errorf("four days later it is %s", v.State)
	}
}
