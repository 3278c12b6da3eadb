package orders_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// who is the principal of a key.
func (h *hub) who(k auth.Key) auth.Principal {
	h.t.Helper()
	p, err := h.members.Authenticate(h.t.Context(), k)
	must(h.t, err)
	return p
}

func paging(limit int) rest.Paging { return rest.Paging{Limit: limit} }

// race runs f n times at once.
func race(n int, f func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	all.Wait()
}

func TestRule3_5OneKeySentTwentyTimesAtOnceIsOneOrder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	b := h.fill(me, 1, s)
	body := order(b, h.quote(me, b).Hash)
	answers := make([]*httptest.ResponseRecorder, 20)
	race(20, func(i int) { answers[i] = h.ask(me, "POST", "/v1/checkouts", body, "one") })
	var first *httptest.ResponseRecorder
	for _, w := range answers {
		switch {
		case w.Code == 409: // in progress: ask again
		case w.Code != 201:
			t.Fatalf("%d %s", w.Code, w.Body)
		case first == nil:
			first = w
		case !same(first, w):
			t.Errorf("two answers: %s and %s", first.Body, w.Body)
		}
	}
	if first == nil {
		t.Fatal("nobody got the order")
	}
	if again := h.ask(me, "POST", "/v1/checkouts", body, "one"); again.Code != 201 || !same(first, again) {
		t.Errorf("asked again: %d %s, want the same bytes", again.Code, again.Body)
	}
	if st := h.stock(s); st.Reserved != 1 {
		t.Errorf("%d reserved, want 1", st.Reserved)
	}
	if l := h.list(s.key); len(l) != 1 {
		t.Errorf("%d orders, want 1", len(l))
	}
}

func (h *hub) list(k auth.Key) []orders.Summary {
	h.t.Helper()
	var p struct{ Data []orders.Summary }
	h.want(200, &p, k, "GET", "/v1/orders?limit=100", "")
	return p.Data
}

func TestRule3_5ManyKeysForOneBasketAreOneOrder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 50, ""), h.buyer()
	b := h.fill(me, 1, s)
	body := order(b, h.quote(me, b).Hash)
	var made, told atomic.Int32
	race(12, func(i int) {
		w := h.ask(me, "POST", "/v1/checkouts", body, fmt.Sprint("key-", i))
		var p problem
		_ = json.Unmarshal(w.Body.Bytes(), &p) // a checkout has no code
		switch {
		case w.Code == 201:
			made.Add(1)
		case w.Code == 409 && p.Code == "orders.basket_ordered" && len(p.Errors) == 1:
			told.Add(1)
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	if made.Load() != 1 || told.Load() != 11 {
		t.Errorf("%d made and %d told so, want 1 and 11", made.Load(), told.Load())
	}
	group := h.list(s.key)[0].Group
	h.refused(409, "orders.basket_ordered", "/basket", me, "POST", "/v1/checkouts", body, "late")
	var p problem
	must(t, json.Unmarshal(h.ask(me, "POST", "/v1/checkouts", body, "later").Body.Bytes(), &p))
	if p.Errors[0].Detail != group {
		t.Errorf("told %s, want the group %s", p.Errors[0].Detail, group)
	}
	h.refused(409, "orders.basket_ordered", "", me, "PUT", "/v1/baskets/"+b+"/lines/"+s.variant, `{"quantity":2}`)
	h.refused(409, "orders.basket_ordered", "", me, "POST", "/v1/baskets/"+b+"/quotes", "")
}

func TestRule3_1FortyBuyersRaceForFiveUnits(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 5, "")
	keys, bodies := make([]auth.Key, 40), make([]string, 40)
	for i := range keys {
		keys[i] = h.buyer()
		b := h.fill(keys[i], 1, s)
		bodies[i] = order(b, h.quote(keys[i], b).Hash)
	}
	var sold, out atomic.Int32
	race(40, func(i int) {
		w := h.ask(keys[i], "POST", "/v1/checkouts", bodies[i], "k")
		var p problem
		_ = json.Unmarshal(w.Body.Bytes(), &p) // a checkout has no code
		switch {
		case w.Code == 201:
			sold.Add(1)
		case w.Code == 409 && p.Code == "catalog.sold_out":
			out.Add(1)
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	if sold.Load() != 5 || out.Load() != 35 {
		t.Errorf("%d sold and %d refused, want 5 and 35", sold.Load(), out.Load())
	}
	if st := h.stock(s); st.Reserved != 5 {
		t.Errorf("%d reserved, want 5", st.Reserved)
	}
}

func TestRule3_6AtOnceNoLineOfABasketIsLost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me := h.buyer()
	shops := make([]shop, 6)
	for i := range shops {
		shops[i] = h.shop("10.00", 9, "")
	}
	b := h.fill(me, 1)
	race(len(shops), func(i int) { h.ask(me, "PUT", "/v1/baskets/"+b+"/lines/"+shops[i].variant, `{"quantity":3}`) })
	var v orders.BasketView
	h.want(200, &v, me, "GET", "/v1/baskets/"+b, "")
	if len(v.Lines) != 6 || v.Totals.Goods.Amount() != "180.00" || v.Version != 7 {
		t.Errorf("%d lines of %s in version %d, want 6 of 180.00 in version 7", len(v.Lines), v.Totals.Goods, v.Version)
	}
}

func TestRule3_2AnUnpaidOrderExpiresAndGivesItsGoodsBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buy(me, 2, s)
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	if v := h.show(me, c.Orders[0].ID); v.State != orders.Expired || len(v.Timeline) != 2 {
		t.Errorf("%s with %d lines, want expired with 2", v.State, len(v.Timeline))
	}
	if st := h.stock(s); st.Reserved != 0 || st.OnHand != 5 {
		t.Errorf("stock = %+v, want 5 free", st)
	}
	// Money that comes after all is for payments to send back.
	h.tell(charges.Paid{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	v := h.show(me, c.Orders[0].ID)
	if v.State != orders.Expired || v.Timeline[len(v.Timeline)-1].What != "paid_late" {
		t.Errorf("%s, %+v; want expired, with a note", v.State, v.Timeline)
	}
	if st := h.stock(s); st.OnHand != 5 {
		t.Errorf("%d on hand, want 5", st.OnHand)
	}
}

func TestRule3_5BeingToldTwiceOfPaymentTakesStockOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buy(me, 2, s)
	h.pay(c)
	h.tell(charges.Paid{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	h.tell(charges.Lapsed{Charge: c.Charge.ID, Group: c.Group, Orders: c.ids()})
	if st := h.stock(s); st.OnHand != 3 || st.Reserved != 0 {
		t.Errorf("stock = %+v, want 3", st)
	}
	if v := h.show(me, c.Orders[0].ID); v.State != orders.Paid || len(v.Timeline) != 2 {
		t.Errorf("%s with %d lines, want paid with 2", v.State, len(v.Timeline))
	}
}

// TestMoneyThatWentEarlyCompletesTheOrderOnArrival has the escrow let all go
// before the goods left.
func TestMoneyThatWentEarlyCompletesTheOrderOnArrival(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	sent, waits := h.buy(me, 1, s), h.buy(me, 1, s)
	h.pay(sent)
	h.pay(waits)
	letGo := func(order string) {
		must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error {
			_, err := h.escrows.ReleaseOrder(t.Context(), tx, order)
			return err
		}))
		h.deliver()
	}
	path := func(c checkout) string { return "/v1/orders/" + c.Orders[0].ID }
	letGo(waits.Orders[0].ID)
	for _, c := range []checkout{sent, waits} {
		h.want(200, nil, s.key, "POST", path(c)+"/accept", "")
		h.want(200, nil, s.key, "POST", path(c)+"/ship", `{"carrier":"x","tracking":"y"}`)
	}
	letGo(sent.Orders[0].ID)
	if v := h.show(me, sent.Orders[0].ID); v.State != orders.Completed {
		t.Errorf("%s, want completed: it was on its way and nothing is held", v.State)
	}
	v := h.show(me, waits.Orders[0].ID)
	if v.State != orders.Shipped {
		t.Fatalf("%s, want shipped", v.State)
	}
	h.want(200, &v, s.key, "POST", path(waits)+"/deliver", fmt.Sprintf(`{"code":%q}`, v.Delivery.Code))
	if v.State != orders.Completed {
		t.Errorf("%s, want completed on arrival", v.State)
	}
}

// TestReceivingBeforeTheNewsOfAReleaseIsNoError releases behind the order's
// back and delivers the event late.
func TestReceivingBeforeTheNewsOfAReleaseIsNoError(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	h.pay(c)
	o := "/v1/orders/" + c.Orders[0].ID
	h.want(200, nil, s.key, "POST", o+"/accept", "")
	h.want(200, nil, s.key, "POST", o+"/ship", `{"carrier":"x","tracking":"y"}`)
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := h.escrows.ReleaseOrder(t.Context(), tx, c.Orders[0].ID)
		return err
	}))
	var v orders.View
	h.want(200, &v, me, "POST", o+"/receive", "", "k")
	if v.State != orders.Completed || v.Escrow.Released.Amount() != "130.00" {
		t.Errorf("%s with %s released, want completed with 130.00", v.State, v.Escrow.Released)
	}
	h.deliver()
	if again := h.show(me, c.Orders[0].ID); len(again.Timeline) != len(v.Timeline) {
		t.Errorf("the late news changed the timeline: %+v", again.Timeline)
	}
}

func TestRule3_3_LinesAndTimelinesAreNeverChanged(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.buy(h.buyer(), 1, h.shop("100.00", 5, ""))
	for _, sql := range []string{
		`update orders.line set price = 1, total = quantity`, `delete from orders.line`, `update orders.timeline set what = 'x'`,
		`delete from orders.timeline`, `update orders.seller_order set total = 1`, `update orders.seller_order set legs = '{}'`, `delete from orders.seller_order`, `update orders.order_group set total = 1`,
	} {
		if _, err := h.db.Exec(t.Context(), sql); pg.Code(err) != "42501" {
			t.Errorf("%s: %v, want permission denied", sql, err)
		}
	}
}

// trips counts round trips: a batch is one, a query outside is one.
type trips struct{ n atomic.Int32 }

func (c *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// TestRule3_8_RoundTripsDoNotGrowWithTheBasket keeps a checkout and a page of orders
// from asking the database once for each line.
func TestRule3_8_RoundTripsDoNotGrowWithTheBasket(t *testing.T) {
	t.Parallel()
	c := &trips{}
	h := openHub(t, pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 4, Tracer: c}))
	me := h.buyer()
	var shops []shop
	for range 4 {
		shops = append(shops, h.shop("10.00", 50, ""))
	}
	count := func(f func()) int {
		before := c.n.Load()
		f()
		return int(c.n.Load() - before)
	}
	cost := func(shops ...shop) (checkout, shown, listed int) {
		b := h.fill(me, 1, shops...)
		body := order(b, h.quote(me, b).Hash)
		w := httptest.NewRecorder()
		checkout = count(func() { w = h.ask(me, "POST", "/v1/checkouts", body, b) })
		if w.Code != 201 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var v struct {
			Group string `json:"order_group"`
		}
		must(t, json.Unmarshal(w.Body.Bytes(), &v))
		shown = count(func() { h.want(200, nil, me, "GET", "/v1/order-groups/"+v.Group, "") })
		listed = count(func() { h.list(shops[0].key) })
		return checkout, shown, listed
	}
	cost(shops...) // the statements are prepared now
	one := fmt.Sprint(cost(shops[0]))
	if four := fmt.Sprint(cost(shops...)); four != one {
		t.Errorf("round trips of checkout, group and list: %s with four sellers, %s with one", four, one)
	}
	n, _, _ := cost(shops...)
	t.Logf("a checkout takes %d round trips, the key's check included", n)
	if n > 8 {
		t.Errorf("a checkout takes %d round trips, want at most 8", n)
	}
}

func TestRule3_4_APartOfTheMoneyIsNeverLost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me := h.buyer()
	shops := []shop{h.shop("33.33", 9, ""), h.shop("0.01", 9, "perishable"), h.shop("99999.99", 9, "")}
	c := h.buy(me, 3, shops...)
	sum := money.Dirhams(0)
	for _, o := range c.Orders {
		sum = sum.Add(o.Totals.Total)
	}
	if !sum.Equal(c.Charge.Amount) {
		t.Errorf("the orders make %s, the charge is %s", sum, c.Charge.Amount)
	}
	h.pay(c)
	held := money.Dirhams(0)
	for _, id := range c.ids() {
		held = held.Add(h.show(me, id).Escrow.Held)
	}
	if !held.Equal(c.Charge.Amount) {
		t.Errorf("%s is held of a charge of %s", held, c.Charge.Amount)
	}
	if slices.ContainsFunc(c.Orders, func(o orders.Summary) bool { return o.Seller.Names["fr"] == "" }) {
		t.Error("an order does not say whose it is")
	}
}
