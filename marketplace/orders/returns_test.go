package orders_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

const week = 7 * 24 * time.Hour

// shelf is where files are kept.
func shelf(t testing.TB) blob.Driver {
	t.Helper()
	d, err := disk.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

// home is an order of n articles that its buyer has, by proof.
func (h *hub) home(me auth.Key, n int, shops ...shop) checkout {
	h.t.Helper()
	c := h.buy(me, n, shops...)
	h.pay(c)
	for i, o := range c.ids() {
		at := "/v1/orders/" + o
		key := shops[slices.IndexFunc(shops, func(s shop) bool { return s.id == c.Orders[i].Seller.ID })].key
		h.want(200, nil, key, "POST", at+"/accept", "")
		h.want(200, nil, key, "POST", at+"/ship", shipping)
		h.want(200, nil, key, "POST", at+"/deliver", fmt.Sprintf(`{"code":%q}`, h.show(me, o).Delivery.Code))
	}
	return c
}

func sending(s shop, n int, reason string) string {
	return fmt.Sprintf(`{"lines":[{"variant":%q,"quantity":%d}],"reason":%q}`, s.variant, n, reason)
}

var keys = struct {
	sync.Mutex
	n int
}{}

// fresh is an idempotency key of its own.
func fresh() string {
	keys.Lock()
	defer keys.Unlock()
	keys.n++
	return fmt.Sprintf("key-%d", keys.n)
}

// sendBack asks to send n of a shop's articles back.
func (h *hub) sendBack(me auth.Key, s shop, order string, n int, reason string) (v orders.ReturnView) {
	h.t.Helper()
	h.want(201, &v, me, "POST", "/v1/orders/"+order+"/returns", sending(s, n, reason), fresh())
	return v
}

// turn has somebody do something with a return.
func (h *hub) turn(key auth.Key, ret, what, body string) (v orders.ReturnView) {
	h.t.Helper()
	h.want(200, &v, key, "POST", "/v1/returns/"+ret+"/"+what, body, fresh())
	return v
}

func (h *hub) cannot(code, pointer string, key auth.Key, ret, what, body string) {
	h.t.Helper()
	status := map[bool]int{true: 404, false: 409}[strings.HasSuffix(code, "not_found")]
	h.refused(status, code, pointer, key, "POST", "/v1/returns/"+ret+"/"+what, body, fresh())
}

func (h *hub) isReturn(key auth.Key, ret string, state orders.ReturnState) (v orders.ReturnView) {
	h.t.Helper()
	h.want(200, &v, key, "GET", "/v1/returns/"+ret, "")
	if v.State != state {
		h.t.Errorf("the return is %s (%+v), want %s", v.State, v, state)
	}
	return v
}

const parcel = `{"carrier":"Colis (exemple)","tracking":"RT1"}`

func TestOneOfTwoArticlesIsSentBackWithoutAReason(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	o := h.home(me, 2, s).ids()[0]
	h.advance(6 * 24 * time.Hour)
	r := h.sendBack(me, s, o, 1, "withdrawal")
	if r.State != orders.Approved || r.Amount.Amount() != "100.00" || r.Deadline == nil {
		t.Errorf("a withdrawal is %+v", r)
	}
	if v := h.show(me, o); v.Case == nil || v.Case.ID != r.ID || v.Case.Kind != "return" || v.Case.State != "approved" {
		t.Errorf("the order shows %+v", v.Case)
	}
	h.advance(2 * 24 * time.Hour) // the wait after delivery would be over
	h.refused(409, "escrow.disputed", "", me, "POST", "/v1/orders/"+o+"/receive", "", fresh())
	h.turn(me, r.ID, "send", parcel)
	r = h.turn(s.key, r.ID, "receive", fmt.Sprintf(`{"restock":[{"variant":%q,"quantity":1}]}`, s.variant))
	if r.State != orders.PaidBack || r.Refunded.Amount() != "100.00" || r.Refund == "" || r.EndedAt == nil || r.Lines[0].Restocked != 1 {
		t.Errorf("received, it is %+v", r)
	}
	h.went("100.00 return " + r.ID)
	if st := h.stock(s); st.OnHand != 4 {
		t.Errorf("%d on hand, want 4", st.OnHand)
	}
	v := h.show(me, o)
	if v.Case != nil || v.State != orders.Delivered || v.Escrow.Refunded.Amount() != "100.00" {
		t.Errorf("the order is %s with %+v and case %+v", v.State, v.Escrow, v.Case)
	}
	h.advance(24*time.Hour + time.Minute) // what was left of the wait
	h.deliver()
	if v = h.show(me, o); v.State != orders.Completed || v.Escrow.State != escrow.Released && v.Escrow.State != escrow.Funded {
		t.Errorf("the order is %s with %+v", v.State, v.Escrow)
	}
	if fees, vat := h.balance(ledger.Fees), h.balance(ledger.VAT); fees != 500 || vat != 100 {
		t.Errorf("we took %d and %d VAT, want 5.00 and 1.00: the commission on what was kept", fees, vat)
	}
}

// A whole order that goes back takes its delivery with it, which the seller
// bears: the carrier is paid.
func TestAWholeOrderGoesBackWithItsDelivery(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.home(me, 1, s)
	o, all := c.ids()[0], c.Orders[0].Totals
	r := h.sendBack(me, s, o, 1, "withdrawal")
	h.turn(me, r.ID, "send", parcel)
	h.turn(s.key, r.ID, "receive", "{}")
	h.went(all.Total.Amount() + " return " + r.ID)
	if st := h.stock(s); st.OnHand != 4 {
		t.Errorf("%d on hand, want 4: nothing came back whole", st.OnHand)
	}
	if owed := h.balance(ledger.Receivable(s.id)); owed != all.Delivery.Centimes() {
		t.Errorf("the seller owes %d, want the delivery, %s", owed, all.Delivery)
	}
	h.advance(week)
	h.deliver()
	if fees := h.balance(ledger.Fees); fees != 0 {
		t.Errorf("we took %d of what went back", fees)
	}
	if got := h.balance(ledger.CarrierPayable("demo")); got != all.Delivery.Centimes() {
		t.Errorf("the carrier has %d, want %s", got, all.Delivery)
	}
	if held := h.balance(ledger.Escrow(o)); held != 0 {
		t.Errorf("%d is still held", held)
	}
}

func TestWhatCannotBeSentBackIsSaidLineByLine(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	fresh_, plain, me := h.shop("50.00", 9, "perishable"), h.shop("100.00", 9, ""), h.buyer()
	cheese := h.home(me, 2, fresh_).ids()[0]
	at := func(o string) string { return "/v1/orders/" + o + "/returns" }
	h.refused(422, "returns.exempt", "/lines/0/variant", me, "POST", at(cheese), sending(fresh_, 1, "withdrawal"), fresh())
	h.refused(422, "returns.lines", "/lines/0/quantity", me, "POST", at(cheese), sending(fresh_, 3, "damaged"), fresh())
	h.refused(422, "returns.lines", "/lines/0/variant", me, "POST", at(cheese), sending(plain, 1, "damaged"), fresh())
	h.refused(422, "returns.lines", "/wish", me, "POST", at(cheese), `{"lines":[{"variant":"x","quantity":1}],"reason":"withdrawal","wish":"replacement"}`, fresh())
	h.refused(404, "orders.not_found", "", h.buyer(), "POST", at(cheese), sending(fresh_, 1, "damaged"), fresh())
	h.refused(403, "auth.denied", "", plain.key, "POST", at(cheese), sending(fresh_, 1, "damaged"), fresh())
	h.refused(409, "media.gone", "/photos/0", me, "POST", at(cheese), `{"lines":[{"variant":"`+fresh_.variant+`","quantity":1}],"reason":"damaged","photos":["med_x"]}`, fresh())
	waits := h.buy(me, 1, plain)
	h.pay(waits)
	h.refused(409, "returns.not_delivered", "/state", me, "POST", at(waits.ids()[0]), sending(plain, 1, "damaged"), fresh())

	saffron := h.home(me, 2, plain).ids()[0]
	first := h.sendBack(me, plain, saffron, 1, "damaged")
	h.refused(409, "escrow.disputed", "/case", me, "POST", at(saffron), sending(plain, 1, "damaged"), fresh())
	h.refused(409, "escrow.disputed", "/case", me, "POST", "/v1/orders/"+saffron+"/disputes", `{"reason":"other"}`)
	h.turn(plain.key, first.ID, "approve", "{}")
	h.turn(plain.key, first.ID, "receive", "{}") // handed over
	h.refused(422, "returns.lines", "/lines/0/quantity", me, "POST", at(saffron), sending(plain, 2, "damaged"), fresh())
	h.advance(week)
	h.refused(409, "returns.late", "/reason", me, "POST", at(saffron), sending(plain, 1, "withdrawal"), fresh())
	h.advance(week)
	h.refused(409, "returns.late", "/reason", me, "POST", at(saffron), sending(plain, 1, "damaged"), fresh())
}

func TestWhoSaysNothingLosesAReturn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	never, lost := h.home(me, 1, s).ids()[0], h.home(me, 1, s).ids()[0]
	a, b := h.sendBack(me, s, never, 1, "damaged"), h.sendBack(me, s, lost, 1, "damaged")
	h.advance(72*time.Hour + time.Minute)
	h.isReturn(me, a.ID, orders.Approved)
	h.turn(me, b.ID, "send", parcel)
	h.advance(10*24*time.Hour + time.Minute)
	h.isReturn(s.key, b.ID, orders.PaidBack)
	h.advance(4*24*time.Hour + time.Minute)
	v := h.isReturn(me, a.ID, orders.ClosedOff)
	if v.Why != "not_sent" || h.show(me, never).Case != nil {
		t.Errorf("never sent, it is %+v", v)
	}
	h.advance(week)
	h.deliver()
	if v := h.show(me, never); v.State != orders.Completed || v.Escrow.State != escrow.Released {
		t.Errorf("what was never sent back is %s with %+v", v.State, v.Escrow)
	}
}

func TestARejectedReturnIsDisputedOrLeft(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	fought, left := h.home(me, 1, s).ids()[0], h.home(me, 1, s).ids()[0]
	h.advance(week - time.Hour) // an hour before the money would go
	no := `{"reason":"no_fault","text":"Le pot était intact."}`
	a, b := h.sendBack(me, s, fought, 1, "damaged"), h.sendBack(me, s, left, 1, "damaged")
	h.turn(s.key, a.ID, "reject", no)
	h.turn(s.key, b.ID, "reject", no)
	h.advance(71 * time.Hour)
	var d disputes.View
	h.want(201, &d, me, "POST", "/v1/orders/"+fought+"/disputes", `{"reason":"damaged"}`)
	if v := h.show(me, fought); v.Case == nil || v.Case.ID != d.ID {
		t.Errorf("the order shows %+v", v.Case)
	}
	if v := h.isReturn(me, a.ID, orders.Rejected); v.EndedAt == nil {
		t.Error("the return is not over")
	}
	h.cannot("returns.state", "/state", me, a.ID, "withdraw", "{}")
	h.advance(time.Hour + 2*time.Minute)
	if v := h.show(me, left); v.Case != nil || v.State != orders.Delivered {
		t.Errorf("the order is %s with %+v", v.State, v.Case)
	}
	h.advance(time.Hour)
	h.deliver()
	if v := h.show(me, left); v.State != orders.Completed {
		t.Errorf("the order is %s", v.State)
	}
	h.went()
}

func TestGoodsAreReplacedOnceFromStock(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 2, ""), h.buyer()
	o := h.home(me, 1, s).ids()[0]
	var r orders.ReturnView
	h.want(201, &r, me, "POST", "/v1/orders/"+o+"/returns", fmt.Sprintf(`{"lines":[{"variant":%q,"quantity":1}],"reason":"damaged","wish":"replacement"}`, s.variant), fresh())
	h.turn(s.key, r.ID, "approve", "{}")
	h.turn(me, r.ID, "send", parcel)
	if v := h.turn(s.key, r.ID, "receive", "{}"); v.State != orders.ArrivedBack || v.Deadline == nil {
		t.Errorf("received, it is %+v", v)
	}
	rest := h.buy(h.buyer(), 1, s)
	h.refused(409, "catalog.sold_out", "", s.key, "POST", "/v1/returns/"+r.ID+"/replace", parcel, fresh())
	h.tell(charges.Lapsed{Charge: rest.Charge.ID, Group: rest.Group, Orders: rest.ids()})
	if v := h.turn(s.key, r.ID, "replace", parcel); v.State != orders.Replaced || v.EndedAt != nil {
		t.Errorf("replaced, it is %+v", v)
	}
	h.cannot("returns.state", "/state", s.key, r.ID, "replace", parcel)
	if st := h.stock(s); st.OnHand != 0 || st.Reserved != 0 {
		t.Errorf("the stock is %+v, want none", st)
	}
	h.turn(me, r.ID, "withdraw", "{}")          // it is what was wanted
	again := h.sendBack(me, s, o, 1, "damaged") // and could be sent back too
	if again.Amount.Amount() != "130.00" {
		t.Errorf("%+v", again)
	}
	h.turn(me, again.ID, "withdraw", "{}")
	h.advance(week)
	h.deliver()
	if v := h.show(me, o); v.State != orders.Completed || v.Case != nil {
		t.Errorf("the order is %s with %+v", v.State, v.Case)
	}
	h.went()
}

func TestASellerWhoCannotReplacePaysAndOneWhoIsSilentToo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 2, ""), h.buyer()
	var ids []string
	for range 2 {
		o := h.home(me, 1, s).ids()[0]
		var r orders.ReturnView
		h.want(201, &r, me, "POST", "/v1/orders/"+o+"/returns", fmt.Sprintf(`{"lines":[{"variant":%q,"quantity":1}],"reason":"damaged","wish":"replacement"}`, s.variant), fresh())
		h.turn(s.key, r.ID, "approve", "{}")
		h.turn(s.key, r.ID, "receive", "{}")
		ids = append(ids, r.ID)
	}
	h.turn(s.key, ids[0], "refund", "{}")
	h.advance(week + time.Minute)
	h.isReturn(me, ids[1], orders.PaidBack)
	h.went("130.00 return "+ids[0], "130.00 return "+ids[1])
}

// Buyer and seller together could otherwise have the platform pay.
func TestMoneyThatWasReleasedComesBackByAnAgentOnly(t *testing.T) {
	t.Parallel()
	for price, two := range map[string]bool{"100.00": false, "9000.00": true} {
		t.Run(price, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			s, me := h.shop(price, 5, ""), h.buyer()
			c := h.home(me, 1, s)
			o, total := c.ids()[0], c.Orders[0].Totals.Total.Amount()
			h.want(200, nil, me, "POST", "/v1/orders/"+o+"/receive", "", fresh())
			h.deliver()
			h.paidOut(s.id)
			r := h.sendBack(me, s, o, 1, "withdrawal")
			h.turn(me, r.ID, "send", parcel)
			if v := h.turn(s.key, r.ID, "receive", "{}"); v.State != orders.ArrivedBack || v.Waits != "operator" {
				t.Errorf("received, it is %+v", v)
			}
			h.cannot("returns.released", "", s.key, r.ID, "refund", "{}")
			h.cannot("returns.state", "/state", s.key, r.ID, "reject", `{"reason":"used","text":"x"}`)
			told := func() int {
				n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from platform.event where type = 'orders.return_moved' and payload::text like '%' || $1 || '%'`, r.ID)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			before := told()
			h.advance(4 * 24 * time.Hour)
			if n := told() - before; n != 1 {
				t.Errorf("of a return that waited for an agent for four days was told %d times, want once more", n)
			}
			h.advance(30 * 24 * time.Hour)
			h.went()
			v := h.turn(h.boss, r.ID, "refund", "{}")
			if (v.Approval != "") != two {
				t.Fatalf("the agent's word makes %+v", v)
			}
			if two {
				h.went()
				h.want(200, nil, h.second(), "POST", "/v1/approvals/"+v.Approval, `{"decision":"approve"}`, fresh())
			}
			h.isReturn(me, r.ID, orders.PaidBack)
			h.went(total + " return " + r.ID)
			if owed := h.balance(ledger.Receivable(s.id)); owed == 0 {
				t.Error("the seller owes nothing")
			}
		})
	}
}

// A gesture of the seller's before counts: the goods are paid for once.
func TestWhatWentBackBeforeIsNotPaidAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	o := h.home(me, 2, s).ids()[0]
	h.want(201, nil, s.key, "POST", "/v1/orders/"+o+"/refunds", `{"amount":{"amount":"150.00","currency":"MAD"},"reason":"geste"}`, fresh())
	r := h.sendBack(me, s, o, 1, "damaged")
	h.turn(s.key, r.ID, "approve", "{}")
	if v := h.turn(s.key, r.ID, "receive", "{}"); v.Refunded.Amount() != "50.00" {
		t.Errorf("%s went back, want the 50.00 that the goods still were", v.Refunded)
	}
	if owed := h.balance(ledger.Receivable(s.id)); owed != 0 {
		t.Errorf("the seller owes %d", owed)
	}
}

func TestOnlyThePartiesSeeAReturnAndItsPhotographs(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, other, me := h.shop("100.00", 5, ""), h.shop("1.00", 1, ""), h.buyer()
	o := h.home(me, 1, s).ids()[0]
	var f media.View
	w := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/files?kind=proof", bytes.NewReader([]byte("%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")))
	req.Header.Set("Content-Type", "application/pdf")
	req.Header.Set("Authorization", "Bearer "+me.String())
	h.web.ServeHTTP(w, req)
	if w.Code != 201 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	f.ID = strings.Split(strings.Split(w.Body.String(), `"id":"`)[1], `"`)[0]
	var r orders.ReturnView
	h.want(201, &r, me, "POST", "/v1/orders/"+o+"/returns", fmt.Sprintf(`{"lines":[{"variant":%q,"quantity":1}],"reason":"damaged","photos":[%q]}`, s.variant, f.ID), fresh())
	if len(r.Photos) != 1 {
		t.Fatalf("photographs: %q", r.Photos)
	}
	for _, key := range []auth.Key{me, s.key, h.boss} {
		if w := h.ask(key, "GET", r.Photos[0], ""); w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), "%PDF") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	for _, key := range []auth.Key{other.key, h.buyer()} {
		h.refused(404, "returns.not_found", "", key, "GET", r.Photos[0], "")
		h.refused(404, "returns.not_found", "", key, "GET", "/v1/returns/"+r.ID, "")
	}
	h.cannot("returns.not_found", "", other.key, r.ID, "approve", "{}")
	h.refused(404, "media.not_found", "", me, "GET", "/v1/returns/"+r.ID+"/photos/med_other", "")
	h.turn(me, r.ID, "withdraw", "{}")
	second := h.sendBack(me, s, o, 1, "other")
	var page struct {
		Data []orders.ReturnView
		Next *string
	}
	h.want(200, &page, s.key, "GET", "/v1/returns?limit=1&order="+o, "")
	if len(page.Data) != 1 || page.Data[0].ID != second.ID || page.Next == nil {
		t.Fatalf("the first page: %+v", page)
	}
	h.want(200, &page, s.key, "GET", "/v1/returns?limit=1&cursor="+*page.Next, "")
	if len(page.Data) != 1 || page.Data[0].ID != r.ID || page.Next != nil {
		t.Errorf("the second page: %+v", page)
	}
	h.want(200, &page, h.buyer(), "GET", "/v1/returns", "")
	if len(page.Data) != 0 {
		t.Errorf("a stranger sees %+v", page.Data)
	}
	h.refused(400, "request.malformed", "?cursor", me, "GET", "/v1/returns?cursor=nonsense", "")
}

// Of twenty requests and an acceptance at once, one return is made and its money
// stays, or the goods are accepted first and an agent is needed.
func TestManyReturnsAtOnceMakeOne(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	o := h.home(me, 2, s).ids()[0]
	var wg sync.WaitGroup
	codes := make([]int, 21)
	for i := range codes {
		wg.Go(func() {
			if i == 20 {
				codes[i] = h.ask(me, "POST", "/v1/orders/"+o+"/receive", "", fresh()).Code
				return
			}
			codes[i] = h.ask(me, "POST", "/v1/orders/"+o+"/returns", sending(s, 2, "damaged"), fresh()).Code
		})
	}
	wg.Wait()
	made := 0
	for _, c := range codes[:20] {
		if c == 201 {
			made++
		} else if c != 409 {
			t.Errorf("answered %d", c)
		}
	}
	if made != 1 {
		t.Errorf("%d returns were made: %v", made, codes)
	}
	v := h.show(me, o)
	if v.Case == nil || v.Escrow.Held.IsZero() != (codes[20] == 200) {
		t.Errorf("the order shows %+v with %+v; it was accepted: %d", v.Case, v.Escrow, codes[20])
	}
	var page struct{ Data []orders.ReturnView }
	h.want(200, &page, me, "GET", "/v1/returns", "")
	for i := range 10 { // approve and withdraw at once: it is withdrawn in the end
		wg.Go(func() {
			if i%2 == 0 {
				h.ask(s.key, "POST", "/v1/returns/"+page.Data[0].ID+"/approve", "{}", fresh())
				return
			}
			h.ask(me, "POST", "/v1/returns/"+page.Data[0].ID+"/withdraw", "{}", fresh())
		})
	}
	wg.Wait()
	if v := h.isReturn(me, page.Data[0].ID, orders.ClosedOff); v.Why != "withdrawn" {
		t.Errorf("%+v", v)
	}
}

// The database itself refuses to send back more than was bought.
func TestTheDatabaseCountsWhatGoesBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	o := h.home(me, 2, s).ids()[0]
	h.sendBack(me, s, o, 2, "damaged")
	_, err := h.db.Exec(t.Context(), `update orders.returned set quantity = 3 where order_id = $1`, o)
	if !pg.Violates(err, "returned_most") {
		t.Errorf("three of two: %v", err)
	}
}

// What a promotion took off was not paid: it is not given back, nor invoiced. All
// pieces together give back what the line had cost, to the centime.
func TestDiscountedGoodsGiveBackWhatWasPaid(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	h.promote(s.key, "", `"kind":"amount","amount":{"amount":"10.01","currency":"MAD"}`)
	c := h.home(me, 3, s)
	o, all := c.ids()[0], c.Orders[0].Totals
	v := h.invoice(o)
	if v.Total.Amount() != all.Goods.Sub(all.Discount).Add(all.Delivery).Amount() || v.Lines[0].Discount.Amount() != "10.01" || v.Lines[0].Total.Amount() != "289.99" {
		t.Errorf("the invoice of %+v is %+v", all, v)
	}
	var went []string
	for i, want := range []string{"96.66", "96.66", ""} {
		r := h.sendBack(me, s, o, 1, "withdrawal")
		if want == "" { // the last one takes the delivery with it
			want = money.Dirhams(9667).Add(all.Delivery).Amount()
		}
		if r.Amount.Amount() != want {
			t.Errorf("piece %d gives back %s, want %s", i, r.Amount, want)
		}
		h.turn(me, r.ID, "send", parcel)
		h.turn(s.key, r.ID, "receive", "{}")
		went = append(went, want+" return "+r.ID)
		h.went(went...)
	}
}

// Of what is still held some is the carrier's: it does not make room for the
// goods of a return, which would then be paid of what the buyer had released.
func TestASellersWordMovesNothingThatWasReleased(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("17.00", 5, ""), h.buyer()
	c := h.home(me, 2, s)
	o, all := c.ids()[0], c.Orders[0].Totals
	if all.Delivery.Centimes() < 10_00 {
		t.Fatalf("delivery is %s", all.Delivery)
	}
	h.letGo(o, all.Total.Centimes()-17_01)
	available, held := h.balance(ledger.Available(s.id)), h.balance(ledger.Escrow(o))
	if held != 17_01 {
		t.Fatalf("%d is held", held)
	}
	r := h.sendBack(me, s, o, 1, "withdrawal")
	h.turn(me, r.ID, "send", parcel)
	if r = h.turn(s.key, r.ID, "receive", "{}"); r.State != orders.ArrivedBack || r.Waits != "operator" {
		t.Errorf("received, it is %+v", r)
	}
	h.cannot("returns.released", "", s.key, r.ID, "refund", "{}")
	h.advance(week)
	h.went()
	if got := h.balance(ledger.Available(s.id)); got != available {
		t.Errorf("the seller has %d available, had %d", got, available)
	}
	h.turn(h.boss, r.ID, "refund", "{}")
	h.went("17.00 return " + r.ID)
	if got := h.balance(ledger.Available(s.id)); got >= available {
		t.Errorf("the seller has %d available, had %d: the operator's word took nothing", got, available)
	}
}
