package orders_test

import (
	"fmt"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/auth"
)

// workshop is a date of a seller's service with so many seats, in some days.
func (h *hub) workshop(s shop, seats int, in time.Duration) shop {
	h.t.Helper()
	var o offerView
	h.want(201, &o, s.key, "POST", "/v1/offers", fmt.Sprintf(`{"kind":"service","way":"booking","category":"rugs","names":{"fr":"Atelier"},"commune":"Rabat",
		"variants":[{"sku":"W1","price":{"amount":"150.00","currency":"MAD"},"on_hand":%d,"starts_at":%q,"minutes":120}]}`, seats, time.Now().Add(in).UTC().Format(time.RFC3339)))
	h.want(200, nil, s.key, "POST", "/v1/offers/"+o.ID+"/publish", "")
	return shop{s.key, s.id, o.ID, o.Variants[0].ID}
}

func TestSeatsOfADateAreBookedLikeStock(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	w := h.workshop(h.shop("100.00", 5, ""), 3, 20*24*time.Hour)
	me, other := h.buyer(), h.buyer()
	c := h.buy(me, 2, w)
	h.pay(c)
	o := c.ids()[0]
	h.want(200, nil, w.key, "POST", "/v1/orders/"+o+"/accept", "")
	if l := h.show(me, o).Lines[0]; l.Kind != "service" || l.StartsAt == nil || l.Minutes != 120 {
		t.Errorf("the order shows %+v", l)
	}
	q := h.quote(other, h.fill(other, 2, w))
	if len(q.Problems) != 1 || q.Problems[0].Code != "sold_out" || *q.Problems[0].Left != 1 {
		t.Errorf("two seats of one: %+v", q.Problems)
	}
	h.advance(15 * 24 * time.Hour) // an order of goods would be cancelled by now
	if v := h.show(me, o); v.State != orders.Accepted {
		t.Fatalf("five days before its date the order is %s", v.State)
	}
	h.want(200, nil, me, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"malade"}`, "k")
	if q := h.quote(other, h.fill(other, 3, w)); len(q.Problems) != 0 {
		t.Errorf("the seats that were given up: %+v", q.Problems)
	}
}

func TestADateThatBeginsSoonIsItsSellersToCancel(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	w := h.workshop(h.shop("100.00", 5, ""), 3, 30*time.Hour)
	me := h.buyer()
	c := h.buy(me, 1, w)
	h.pay(c)
	o := c.ids()[0]
	h.want(200, nil, w.key, "POST", "/v1/orders/"+o+"/accept", "")
	h.advance(7 * time.Hour)
	h.refused(409, "orders.begins_soon", "", me, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"malade"}`, "late")
	h.want(200, nil, w.key, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"d’accord"}`, "ok")
	h.advance(24 * time.Hour)
	if a := h.ask(auth.Key{}, "GET", "/v1/offers/"+w.offer, ""); a.Code != 200 {
		t.Fatal(a.Body)
	}
	if q := h.quote(me, h.fill(me, 1, w)); len(q.Problems) == 0 || q.Problems[0].Code != "sold_out" {
		t.Errorf("a date that is over: %+v", q.Problems)
	}
	far := h.workshop(h.shop("100.00", 5, ""), 3, 70*24*time.Hour)
	if q := h.quote(me, h.fill(me, 1, far)); len(q.Problems) != 1 || q.Problems[0].Code != "made_too_long" {
		t.Errorf("a date in seventy days: %+v", q.Problems)
	}
}

func TestWhatIsAskedForIsNeverSoldOut(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 5, "")
	var o struct {
		ID       string
		Variants []struct {
			ID, Policy string
			Available  int
		}
	}
	h.want(201, &o, s.key, "POST", "/v1/offers", `{"kind":"service","way":"quote","category":"rugs","names":{"fr":"Restauration"},"commune":"Rabat",
		"variants":[{"sku":"Q1","price":{"amount":"10.00","currency":"MAD"},"policy":"stocked","on_hand":0}]}`)
	if v := o.Variants[0]; v.Policy != "unlimited" || v.Available == 0 {
		t.Errorf("a service by quotation is %+v", v)
	}
}
