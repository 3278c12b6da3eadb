package orders_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/pricing"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
)

func (h *hub) subject(key auth.Key) string {
	h.t.Helper()
	p, err := h.members.Holder(h.t.Context(), h.db, key)
	must(h.t, err)
	return p.Subject
}

// group makes a group of a shop's customers.
func (h *hub) group(s shop, members ...string) (v pricing.GroupView) {
	h.t.Helper()
	h.want(201, &v, s.key, "POST", "/v1/customer-groups", `{"name":"Épiceries (exemple)","members":["`+strings.Join(members, `","`)+`"]}`, id.New("idem"))
	return v
}

// listed makes a price list.
func (h *hub) listed(s shop, group, prices string) (v pricing.ListView) {
	h.t.Helper()
	now := time.Now()
	h.want(201, &v, s.key, "POST", "/v1/price-lists", fmt.Sprintf(`{"group":%q,"name":"Gros (exemple)","from":%q,"to":%q,"prices":[%s]}`,
		group, now.AddDate(0, -1, 0).Format(time.DateOnly), now.AddDate(0, 3, 0).Format(time.DateOnly), prices), id.New("idem"))
	return v
}

// Who is on a list pays its best price, from the number on that it says, in the
// basket, the quote, and the order; others pay what everybody does.
func TestBuyersPayTheBestPriceOfTheirLists(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, other := h.shop("100.00", 99, ""), h.buyer(), h.buyer()
	g := h.group(s, h.subject(me))
	h.listed(s, g.ID, fmt.Sprintf(`{"variant":%q,"least":5,"price":{"amount":"79.99","currency":"MAD"}},{"percent":"10"}`, s.variant))
	h.listed(s, g.ID, `{"percent":"2.5","least":3}`)
	var own pricing.OwnView
	h.want(200, &own, me, "GET", "/v1/offers/"+s.offer+"/own-prices", "")
	if p := own.Variants[0].Prices; len(p) != 2 || p[0].Price.Amount() != "90.00" || p[0].From != "list" || p[1].Least != 5 || p[1].Price.Amount() != "79.99" {
		t.Errorf("own prices %+v", own)
	}
	h.want(200, &own, other, "GET", "/v1/offers/"+s.offer+"/own-prices", "")
	if p := own.Variants[0].Prices; len(p) != 1 || p[0].Price.Amount() != "100.00" || p[0].From != "public" {
		t.Errorf("another's prices %+v", own)
	}
	b := h.fill(me, 4, s)
	q := h.quote(me, b)
	if l := q.Lines[0]; l.Price.Amount() != "90.00" || l.PriceFrom != orders.FromList || len(q.Problems) != 0 {
		t.Errorf("four: %+v with %+v", l, q.Problems)
	}
	h.put(me, b, s, 5)
	q = h.quote(me, b)
	if l := q.Lines[0]; l.Total.Amount() != "399.95" || len(q.Problems) != 0 {
		t.Errorf("five: %+v with %+v", l, q.Problems)
	}
	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", order(b, q.Hash), "1")
	h.pay(c)
	if l := h.show(me, c.Orders[0].ID).Lines[0]; l.PriceFrom != orders.FromList || l.Price.Amount() != "79.99" {
		t.Errorf("the order's line %+v", l)
	}
	if l := h.quote(other, h.fill(other, 5, s)).Lines[0]; l.PriceFrom != orders.FromPublic || l.Price.Amount() != "100.00" {
		t.Errorf("another pays %+v", l)
	}
	h.reprice(s, "70.00") // a public price below the list's is the buyer's too
	if l := h.quote(me, h.fill(me, 5, s)).Lines[0]; l.Price.Amount() != "63.00" || l.PriceFrom != orders.FromList {
		t.Errorf("after the sale began %+v", l)
	}
}

// A list that ends, or a buyer that leaves its group, between the quote and the
// order stops the order, and the next quote shows the old price and the new.
func TestRule3_3_AListThatEndedIsAskedAbout(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 99, ""), h.buyer()
	g := h.group(s, h.subject(me))
	for _, end := range []func(list string){
		func(list string) {
			h.want(200, nil, s.key, "POST", "/v1/price-lists/"+list+"/end", "", id.New("idem"))
		},
		func(string) {
			h.want(200, nil, s.key, "POST", "/v1/customer-groups/"+g.ID+"/members", fmt.Sprintf(`{"remove":[%q]}`, h.subject(me)), id.New("idem"))
		},
	} {
		l := h.listed(s, g.ID, `{"percent":"10"}`)
		b := h.fill(me, 1, s)
		q := h.quote(me, b)
		end(l.ID)
		h.refused(409, "orders.quote_changed", "/lines/0", me, "POST", "/v1/checkouts", order(b, q.Hash), id.New("idem"))
		q = h.quote(me, b)
		if p := q.Problems; len(p) != 1 || p[0].Code != "price_changed" || p[0].Was.Amount() != "90.00" || p[0].Now.Amount() != "100.00" {
			t.Errorf("problems %+v", p)
		}
		h.want(201, nil, me, "POST", "/v1/checkouts", order(b, q.Hash), id.New("idem"))
	}
}

// Groups and lists are their seller's; to others they do not exist. What cannot
// be is refused with words.
func TestGroupsAndListsAreTheirSellers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, rival, me := h.shop("100.00", 9, ""), h.shop("50.00", 9, ""), h.buyer()
	g := h.group(s, h.subject(me), h.subject(me))
	if g.Size != 1 {
		t.Errorf("named twice, %d are in the group", g.Size)
	}
	l := h.listed(s, g.ID, `{"percent":"10"}`)
	at, lists := "/v1/customer-groups/"+g.ID, "/v1/price-lists/"+l.ID
	h.refused(404, "pricing.no_group", "", rival.key, "GET", at+"/members", "")
	h.refused(404, "pricing.no_group", "", rival.key, "POST", at+"/members", `{"add":["`+h.subject(me)+`"]}`, "1")
	h.refused(404, "pricing.no_group", "", rival.key, "POST", at+"/end", "", "2")
	h.refused(404, "pricing.no_list", "", rival.key, "GET", lists, "")
	h.refused(404, "pricing.no_list", "", rival.key, "POST", lists+"/end", "", "3")
	h.refused(404, "pricing.no_group", "", rival.key, "GET", "/v1/price-lists?seller="+s.id, "")
	list := func(more string) string {
		return fmt.Sprintf(`{"group":%q,"name":"X","from":"2026-01-01","to":"2027-01-01","prices":[%s]}`, g.ID, more)
	}
	h.refused(404, "pricing.no_group", "/group", rival.key, "POST", "/v1/price-lists", list(`{"percent":"1"}`), "4")
	for body, pointer := range map[string]string{
		`{}`:                              "/prices/0",
		`{"percent":"100"}`:               "/prices/0/percent",
		`{"percent":"1"},{"percent":"2"}`: "/prices/1",
		`{"price":{"amount":"1.00","currency":"MAD"}}`:                                                    "/prices/0/variant",
		fmt.Sprintf(`{"variant":%q,"price":{"amount":"1.00","currency":"MAD"}}`, rival.variant):           "/prices/0/variant",
		fmt.Sprintf(`{"variant":%q,"price":{"amount":"0.00","currency":"MAD"}}`, s.variant):               "/prices/0/price/amount",
		fmt.Sprintf(`{"variant":%q,"percent":"1","price":{"amount":"0.00","currency":"MAD"}}`, s.variant): "/prices/0",
	} {
		h.refused(422, "pricing.invalid", pointer, s.key, "POST", "/v1/price-lists", list(body), id.New("idem"))
	}
	h.refused(422, "pricing.invalid", "/add/0", s.key, "POST", at+"/members", `{"add":["ord_x"]}`, "5")
	h.refused(409, "pricing.group_in_use", "", s.key, "POST", at+"/end", "", "6")
	h.want(200, nil, s.key, "POST", lists+"/end", "", "7")
	h.want(200, nil, s.key, "POST", lists+"/end", "", "8")
	h.want(200, nil, s.key, "POST", at+"/end", "", "9")
	h.refused(409, "pricing.ended", "", s.key, "POST", at+"/members", `{"add":["`+h.subject(me)+`"]}`, "10")
	var page struct{ Data []pricing.ListView }
	h.want(200, &page, h.boss, "GET", "/v1/price-lists?ended=true&seller="+s.id, "")
	if len(page.Data) != 1 || page.Data[0].EndedAt == nil {
		t.Errorf("lists %+v", page.Data)
	}
	var members struct{ Data []pricing.MemberView }
	h.want(200, &members, s.key, "GET", at+"/members", "")
	if len(members.Data) != 1 || members.Data[0].Member != h.subject(me) {
		t.Errorf("members %+v", members.Data)
	}
	h.want(200, &page, s.key, "GET", "/v1/customer-groups", "")
	if len(page.Data) != 0 {
		t.Errorf("groups %+v", page.Data)
	}
	h.want(200, nil, s.key, "GET", lists, "")
}

// A group takes 1,000 customers, and no more.
func TestAGroupIsFullAtAThousand(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 9, "")
	all := make([]string, 1000)
	for i := range all {
		all[i] = id.New(id.Person)
	}
	g := h.group(s, all...)
	h.refused(409, "pricing.group_full", "", s.key, "POST", "/v1/customer-groups/"+g.ID+"/members", `{"add":["`+id.New(id.Person)+`"]}`, "1")
	h.want(200, &g, s.key, "POST", "/v1/customer-groups/"+g.ID+"/members", fmt.Sprintf(`{"add":[%q],"remove":[%q]}`, id.New(id.Person), all[7]), "2")
	if g.Size != 1000 {
		t.Errorf("%d are in the group", g.Size)
	}
}
