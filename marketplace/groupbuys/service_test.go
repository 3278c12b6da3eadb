package groupbuys_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

func (h *hub) is(group string, state groupbuys.State, paid int) groupbuys.View {
	h.t.Helper()
	v := h.group(h.boss, group)
	if v.State != state || v.Paid != paid {
		h.t.Errorf("the group is %s with %d, want %s with %d", v.State, v.Paid, state, paid)
	}
	return v
}

func (h *hub) went(want ...string) {
	h.t.Helper()
	if got := h.gone(); !slices.Equal(got, want) {
		h.t.Errorf("went back: %q, want %q", got, want)
	}
}

func TestAGroupThatReachesATierPaysBackTheDifference(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 100)
	g := h.open(s, "")
	var who []auth.Key
	var all []checkout
	for i, n := range []int{4, 3, 5} { // 12: 80.00 each
		k := h.buyer()
		who, all = append(who, k), append(all, h.join(k, g, n))
		if v := h.is(g, []groupbuys.State{"open", "open", "reached"}[i], []int{0, 4, 7}[i]); v.Pending != n || v.Left != 30-v.Paid-n {
			t.Errorf("%+v, with %d not paid", v, n)
		}
		h.pay(all[i])
	}
	v := h.is(g, groupbuys.Reached, 12)
	if v.PriceNow.Amount() != "80.00" || v.Next == nil || v.Next.Missing != 8 || v.Next.Price.Amount() != "70.50" || v.Buyers != 3 {
		t.Errorf("%+v", v)
	}
	h.moveOn(49 * time.Hour) // a seller has 48 hours for what does not wait
	h.is(g, groupbuys.Reached, 12)
	o := h.show(s.key, all[0].order())
	if o.State != orders.Paid || !o.Waits || o.Delivery.Contact != nil || o.Delivery.Address != "" {
		t.Errorf("the seller sees %s, waits %t, %+v", o.State, o.Waits, o.Delivery)
	}
	h.refused(409, "orders.gathers", "", s.key, "POST", "/v1/orders/"+o.ID+"/accept", "")
	h.moveOn(24 * time.Hour)
	v = h.is(g, groupbuys.Ordered, 12)
	if v.PriceNow.Amount() != "80.00" || *v.Open != 3 || v.ClosedAt == nil {
		t.Errorf("%+v", v)
	}
	h.went("30.00 group_price", "40.00 group_price", "50.00 group_price")
	h.refused(409, "group_buys.ordered", "", who[0], "POST", "/v1/orders/"+o.ID+"/cancel", `{"reason":"plus besoin"}`)
	o = h.show(who[0], o.ID)
	if o.Waits || o.Rebate == nil || o.Rebate.Amount() != "40.00" || o.Escrow.Refunded.Amount() != "40.00" {
		t.Errorf("after it: %+v", o)
	}
	h.arrive()
	for i, c := range all {
		h.want(200, nil, s.key, "POST", "/v1/orders/"+c.order()+"/accept", "")
		h.want(200, nil, s.key, "POST", "/v1/orders/"+c.order()+"/ship", `{"carrier":"Exemple","tracking":"T"}`)
		h.want(200, nil, s.key, "POST", "/v1/orders/"+c.order()+"/deliver", fmt.Sprintf(`{"code":%q}`, h.show(who[i], c.order()).Delivery.Code))
	}
	h.is(g, groupbuys.Distributed, 12)
	h.want(200, nil, who[0], "POST", "/v1/orders/"+o.ID+"/receive", "")
	h.deliver()
	o = h.show(who[0], o.ID)
	if o.Escrow.Released.Amount() != "350.00" { // 4 at 80.00, and 30.00 of delivery
		t.Errorf("released %s", o.Escrow.Released)
	}
	h.sound()
}

func TestAGroupThatMissesItsMinimumGivesAllBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 10)
	g := h.open(s, "")
	c, k := h.join(h.buyer(), g, 2), h.buyer()
	h.pay(c)
	left := h.join(k, g, 2)
	h.pay(left)
	h.want(200, nil, k, "POST", "/v1/orders/"+left.order()+"/cancel", `{"reason":"plus besoin"}`)
	for one, want := range map[string]int{c.order(): 1, left.order(): 0} {
		who, err := pg.Value[string](t.Context(), h.db, nil, `select buyer from orders.seller_order where id = $1`, one)
		must(t, err)
		if bars, err := (*groupbuys.Service)(nil).Personal().Bars(t.Context(), h.db, personal.Subject{Person: who}); err != nil || len(bars) != want {
			t.Errorf("the buyer of %s finds %+v in the way of being forgotten, %v; want %d", one, bars, err, want)
		}
	}
	h.join(h.buyer(), g, 3) // never paid
	h.is(g, groupbuys.Open, 2)
	h.moveOn(72 * time.Hour)
	h.is(g, groupbuys.Open, 2) // it waits for what is on its way
	h.moveOn(groupbuys.Grace)
	h.is(g, groupbuys.Failed, 2)
	h.went("210.00 group_missed", "210.00 plus besoin")
	if v := h.show(h.boss, c.order()); v.State != orders.Cancelled {
		t.Errorf("the order is %s", v.State)
	}
	if n := h.stock(s); n != 10 { // what was never paid is still held
		t.Errorf("%d in stock", n)
	}
	h.arrive()
	h.is(g, groupbuys.Refunded, 2)
	h.refused(409, "group_buys.closed", "/state", k, "POST", "/v1/group-buys/"+g+"/baskets", `{"quantity":1}`)
	h.sound()
}

func TestWhatIsPaidAfterTheGroupWasDecidedGoesBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 20)
	g := h.open(s, "")
	h.pay(h.join(h.buyer(), g, 5))
	late := h.join(h.buyer(), g, 7)
	h.moveOn(72*time.Hour + groupbuys.Grace)
	h.is(g, groupbuys.Ordered, 5)
	h.pay(late)
	h.moveOn(time.Second)
	h.is(g, groupbuys.Ordered, 5)
	h.went("660.00 group_closed")
	if n := h.stock(s); n != 15 {
		t.Errorf("%d in stock", n)
	}
	h.sound()
}

func TestAGroupWaitsForPaymentsOnTheirWay(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 20)
	g := h.open(s, "")
	h.moveOn(72*time.Hour - time.Minute)
	c, other := h.join(h.buyer(), g, 5), h.join(h.buyer(), g, 1)
	h.moveOn(10 * time.Minute)
	h.is(g, groupbuys.Open, 0)
	h.pay(c)
	h.moveOn(time.Minute)
	h.is(g, groupbuys.Reached, 5)
	h.tell(charges.Lapsed{Charge: other.Charge.ID, Group: other.Group, Orders: []string{other.order()}})
	h.moveOn(time.Second)
	h.is(g, groupbuys.Ordered, 5)
	h.went()
	h.sound()
}

func TestADifferenceWaitsForTheEndOfACase(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 99)
	g := h.open(s, "")
	a, b := h.join(h.buyer(), g, 5), h.join(h.buyer(), g, 5)
	h.pay(a)
	h.pay(b)
	kase := escrow.Case{ID: "dsp_example", Kind: "dispute", State: "open"}
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error { _, err := h.escrows.Freeze(t.Context(), tx, a.order(), kase); return err }))
	h.moveOn(72 * time.Hour)
	h.is(g, groupbuys.Ordered, 10)
	h.went("50.00 group_price")
	if o := h.show(h.boss, a.order()); o.Waits || o.Rebate != nil {
		t.Errorf("it waits %t, with %v back", o.Waits, o.Rebate)
	}
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error { _, err := h.escrows.Thaw(t.Context(), tx, a.order(), kase.ID); return err }))
	h.moveOn(time.Hour)
	h.went("50.00 group_price", "50.00 group_price")
	h.moveOn(2 * time.Hour)
	h.went("50.00 group_price", "50.00 group_price")
	h.sound()
}

func TestAPlaceThatWasNotPaidIsOrderedAnew(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, k := h.shop("100.00", 99), h.buyer()
	g := h.open(s, "")
	c := h.join(k, g, 5)
	agreement := h.show(k, c.order()).Lines[0].Agreement
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: []string{c.order()}})
	if v := h.is(g, groupbuys.Open, 0); v.Pending != 0 {
		t.Errorf("%d wait for an order that expired", v.Pending)
	}
	var b, q struct{ ID, Hash string }
	h.want(201, &b, k, "POST", "/v1/baskets", "")
	h.want(200, nil, k, "PUT", "/v1/baskets/"+b.ID+"/lines/"+s.variant, fmt.Sprintf(`{"quantity":5,"agreement":%q}`, agreement))
	h.want(201, &q, k, "POST", "/v1/baskets/"+b.ID+"/quotes", fmt.Sprintf("{"+place+"}", ""))
	h.want(201, &c, k, "POST", "/v1/checkouts", order(b.ID, q.Hash, "card"))
	h.pay(c)
	h.is(g, groupbuys.Reached, 5)
	h.moveOn(72 * time.Hour)
	h.is(g, groupbuys.Ordered, 5)
	h.sound()
}

func TestAFullGroupIsOrderedBeforeItsDeadline(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 99)
	g := h.open(s, "")
	h.pay(h.join(h.buyer(), g, 10))
	last := h.join(h.buyer(), g, 20)
	h.refused(409, "group_buys.full", "/quantity", h.buyer(), "POST", "/v1/group-buys/"+g+"/baskets", `{"quantity":1}`)
	h.pay(last)
	h.moveOn(time.Second)
	h.is(g, groupbuys.Ordered, 30)
	h.went("195.00 group_price", "390.00 group_price")
	h.moveOn(49 * time.Hour) // now the seller's time runs: it said nothing
	h.is(g, groupbuys.Refunded, 30)
	h.sound()
}

// TestFiftyJoinersGetTheLastUnits has all baskets taken and quoted before anybody
// orders: there is room for 30, and stock for 27.
func TestFiftyJoinersGetTheLastUnits(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 27)
	g := h.open(s, "")
	h.pay(h.join(h.buyer(), g, 7))
	const joiners = 50
	type wish struct {
		key  auth.Key
		body string
	}
	var wishes []wish
	for range joiners {
		k := h.buyer()
		b, hash := h.basket(k, g, 2)
		wishes = append(wishes, wish{k, order(b, hash, "card")})
	}
	var mu sync.Mutex
	var got []string
	var all sync.WaitGroup
	for _, w := range wishes {
		all.Go(func() {
			r := h.ask(w.key, "POST", "/v1/checkouts", w.body)
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprint(r.Code))
			if r.Code != 201 && !strings.Contains(r.Body.String(), "sold_out") && !strings.Contains(r.Body.String(), "group_buys.full") {
				t.Errorf("%d %s", r.Code, r.Body)
			}
		})
	}
	all.Wait()
	slices.Sort(got)
	if n := len(slices.DeleteFunc(got, func(s string) bool { return s != "201" })); n != 10 {
		t.Errorf("%d joined, want 10 of two with 20 left", n)
	}
	if v := h.is(g, groupbuys.Reached, 7); v.Pending != 20 || v.Left != 3 {
		t.Errorf("%+v", v)
	}
	h.sound()
}

// TestTheDeadlineMeetsAPayment fires the deadline while the last that is needed
// is paid.
func TestTheDeadlineMeetsAPayment(t *testing.T) {
	t.Parallel()
	for range 5 {
		h := newHub(t)
		s := h.shop("100.00", 99)
		g := h.open(s, "")
		var all []checkout
		for range 3 {
			all = append(all, h.join(h.buyer(), g, 3))
		}
		h.pay(all[0])
		var wait sync.WaitGroup
		wait.Go(func() { h.moveOn(72*time.Hour + groupbuys.Grace) })
		wait.Go(func() { h.pay(all[1]) })
		wait.Wait()
		h.pay(all[2])
		h.moveOn(time.Second)
		v := h.group(h.boss, g)
		switch {
		case v.State == groupbuys.Ordered && v.Paid == 6: // the third was late
			h.went("300.00 group_closed")
		case v.State == groupbuys.Failed && v.Paid == 3:
			h.went("300.00 group_closed", "300.00 group_closed", "300.00 group_missed")
		default:
			t.Errorf("the group is %s with %d", v.State, v.Paid)
		}
		h.sound()
	}
}

func TestNobodyBringsAGroupBelowItsMinimumAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 99)
	g := h.open(s, "")
	a, b := h.buyer(), h.buyer()
	first := h.join(a, g, 3)
	h.pay(first)
	second := h.join(b, g, 3)
	h.pay(second)
	cancel := func(c checkout) string { return "/v1/orders/" + c.order() + "/cancel" }
	h.refused(409, "group_buys.needed", "", a, "POST", cancel(first), `{"reason":"x"}`)
	h.refused(409, "group_buys.waits", "", s.key, "POST", cancel(first), `{"reason":"x"}`)
	h.refused(404, "orders.not_found", "", b, "POST", cancel(first), `{"reason":"x"}`)
	h.refused(409, "group_buys.state", "/state", s.key, "POST", "/v1/group-buys/"+g+"/cancel", `{"reason":"x"}`)
	third := h.join(h.buyer(), g, 2)
	h.pay(third)
	h.want(200, nil, a, "POST", cancel(first), `{"reason":"x"}`) // five are left
	h.is(g, groupbuys.Reached, 5)
	h.want(200, nil, h.boss, "POST", cancel(second), `{"reason":"fraud"}`)
	h.is(g, groupbuys.Open, 2)
	h.want(200, nil, s.key, "POST", "/v1/group-buys/"+g+"/cancel", `{"reason":"récolte perdue"}`)
	h.moveOn(time.Second)
	v := h.is(g, groupbuys.Failed, 2)
	if v.Why != "récolte perdue" {
		t.Errorf("why: %q", v.Why)
	}
	h.went("210.00 group_cancelled", "300.00 fraud", "300.00 x")
	h.arrive()
	h.is(g, groupbuys.Refunded, 2)
	h.sound()
}

func TestAGroupIsPaidBeforehandAndInTime(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 99)
	g := h.open(s, "")
	k := h.buyer()
	b, hash := h.basket(k, g, 2)
	h.refused(422, "orders.payment_method", "/payment/method", k, "POST", "/v1/checkouts", order(b, hash, "cash_on_delivery"))
	h.moveOn(time.Minute)
	b, hash = h.basket(k, g, 2)
	h.refused(422, "orders.payment_method", "/payment/method", k, "POST", "/v1/checkouts", order(b, hash, "transfer"))
	h.refused(422, "agreements.quantity", "/quantity", k, "PUT", "/v1/baskets/"+b+"/lines/"+s.variant, `{"quantity":3}`)
	h.moveOn(72 * time.Hour)
	h.refused(409, "group_buys.closed", "/state", k, "POST", "/v1/group-buys/"+g+"/baskets", `{"quantity":2}`)
	h.refused(409, "quotes.expired", "/quote", k, "POST", "/v1/checkouts", order(b, hash, "card"))
}

func TestASellerAgreesToWhatABuyerAsksFor(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, other, k := h.shop("100.00", 99), h.shop("10.00", 5), h.buyer()
	var v groupbuys.View
	h.want(201, &v, k, "POST", "/v1/group-buys", h.wanted(s, ""))
	at := "/v1/group-buys/" + v.ID
	if v.State != groupbuys.Asked {
		t.Errorf("it is %s", v.State)
	}
	for _, stranger := range []auth.Key{{}, h.buyer(), other.key} {
		h.refused(404, "group_buys.not_found", "", stranger, "GET", at, "")
	}
	h.refused(409, "group_buys.closed", "/state", k, "POST", at+"/baskets", `{"quantity":1}`)
	h.refused(404, "group_buys.not_found", "", other.key, "POST", at+"/admit", "")
	h.refused(422, "group_buys.invalid", "/variant", other.key, "POST", "/v1/group-buys", h.wanted(s, ""))
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+v.Seller+"/suspend", `{"note":"Pour essayer."}`)
	h.refused(409, "group_buys.state", "/state", s.key, "POST", at+"/admit", "")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+v.Seller+"/reactivate", "")
	h.want(200, nil, s.key, "POST", at+"/admit", "")
	h.want(200, &v, s.key, "POST", at+"/admit", "")
	if v.State != groupbuys.Open {
		t.Errorf("it is %s", v.State)
	}
	h.refused(409, "group_buys.state", "/state", s.key, "POST", at+"/decline", `{"reason":"non"}`)
	h.pay(h.join(h.buyer(), v.ID, 1))
	h.refused(409, "group_buys.state", "/state", k, "POST", at+"/cancel", `{"reason":"non"}`)
	var silent, declined groupbuys.View
	h.want(201, &silent, k, "POST", "/v1/group-buys", h.wanted(s, ""))
	h.want(201, &declined, k, "POST", "/v1/group-buys", h.wanted(s, ""))
	h.want(200, &declined, s.key, "POST", "/v1/group-buys/"+declined.ID+"/decline", `{"reason":"pas assez"}`)
	h.moveOn(72 * time.Hour)
	if v := h.group(k, silent.ID); v.State != groupbuys.Declined || v.Why != "silent" || declined.Why != "pas assez" {
		t.Errorf("%+v, %+v", v, declined)
	}
	var mine struct{ Data []groupbuys.View }
	h.want(200, &mine, k, "GET", "/v1/group-buys/mine", "")
	if len(mine.Data) != 3 {
		t.Errorf("%d are mine", len(mine.Data))
	}
	h.want(200, &mine, other.key, "GET", "/v1/group-buys/mine", "")
	if len(mine.Data) != 0 {
		t.Errorf("%d are another's", len(mine.Data))
	}
}

func TestTheSellerHandsOutAtOnePlace(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, k := h.shop("100.00", 99), h.buyer()
	var way struct{ ID string }
	h.want(201, &way, s.key, "POST", "/v1/delivery-ways", `{"kind":"pickup","names":{"fr":"Marché"},"lead_days":1,"commune":"Taliouine","address":"Place du marché"}`)
	h.refused(422, "group_buys.invalid", "/way", s.key, "POST", "/v1/group-buys", h.wanted(s, `,"way":"way_none"`))
	g := h.open(s, fmt.Sprintf(`,"way":%q`, way.ID))
	c := h.join(k, g, 5)
	if got := c.Orders[0].Totals; !got.Delivery.IsZero() || got.Total.Amount() != "450.00" {
		t.Errorf("%+v", got)
	}
	h.pay(c)
	h.join(h.buyer(), g, 1)
	list := func(key auth.Key) (p struct{ Data []groupbuys.SeatView }) {
		h.want(200, &p, key, "GET", "/v1/group-buys/"+g+"/orders", "")
		return p
	}
	if p := list(s.key); len(p.Data) != 2 || p.Data[1].Name != "" || !p.Data[1].Waits {
		t.Errorf("before: %+v", p)
	}
	h.moveOn(72*time.Hour + groupbuys.Grace)
	if p := list(s.key); len(p.Data) != 2 || p.Data[1].Phone != "+212612345678" || p.Data[0].Name != "" || p.Data[1].Waits {
		t.Errorf("after: %+v", p)
	}
	h.refused(404, "group_buys.not_found", "", h.shop("1.00", 1).key, "GET", "/v1/group-buys/"+g+"/orders", "")
	file := h.ask(s.key, "GET", "/v1/group-buys/"+g+"/orders.csv", "").Body.String()
	if !strings.Contains(file, c.order()+",paid,5,Acheteur (exemple),0612345678,0.00\n") {
		t.Errorf("the file is %q", file)
	}
	v := h.show(k, c.order())
	if v.Delivery.Fetch == nil || v.Delivery.Fetch.Address != "Place du marché" || v.Delivery.Way != way.ID || v.Delivery.Method != "pickup" {
		t.Errorf("%+v", v.Delivery)
	}
	h.sound()
}

func TestGroupsThatCanBeJoinedAreListed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 99)
	var ids []string
	for range 5 {
		ids = append(ids, h.open(s, ""))
	}
	slices.Reverse(ids)
	type page struct {
		Data []groupbuys.View
		Next *string
	}
	var got []string
	for at := "/v1/group-buys?limit=2&category=saffron&region=MA-09"; at != ""; {
		var p page
		h.want(200, &p, auth.Key{}, "GET", at, "")
		for _, v := range p.Data {
			got = append(got, v.ID)
			if v.Organiser != "" || v.Open != nil {
				t.Errorf("everybody sees %+v", v)
			}
		}
		at = ""
		if p.Next != nil {
			at = "/v1/group-buys?limit=2&category=saffron&region=MA-09&cursor=" + *p.Next
		}
	}
	if !slices.Equal(got, ids) {
		t.Errorf("listed %v, want %v", got, ids)
	}
	var p page
	h.want(200, &p, auth.Key{}, "GET", "/v1/group-buys?category=honey", "")
	if len(p.Data) != 0 {
		t.Errorf("%d of honey", len(p.Data))
	}
	h.moveOn(72 * time.Hour)
	h.want(200, &p, auth.Key{}, "GET", "/v1/group-buys", "")
	if len(p.Data) != 0 {
		t.Errorf("%d are over and listed", len(p.Data))
	}
	h.is(ids[0], groupbuys.Refunded, 0)
	for range 50 {
		h.open(s, "")
	}
	h.refused(409, "group_buys.too_many", "", s.key, "POST", "/v1/group-buys", h.wanted(s, ""))
}
