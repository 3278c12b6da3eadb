package orders_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/digital"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

const pdf = "%PDF-1.4\nun patron\n%%EOF\n"

// ware uploads a file that is to be sold.
func (h *hub) ware(key auth.Key, content string) string {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), "POST", "/v1/files?kind=ware", strings.NewReader(content))
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Authorization", "Bearer "+key.String())
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	if w.Code != http.StatusCreated {
		h.t.Fatalf("upload a ware: %d %s", w.Code, w.Body)
	}
	return between(w.Body.String(), `"id":"`, `"`)
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// sells adds a digital article of 40.00 to a shop: files when policy is unlimited,
// codes when it is stocked.
func (h *hub) sells(s shop, sku, policy string) shop {
	h.t.Helper()
	var o offerView
	h.want(201, &o, s.key, "POST", "/v1/offers", fmt.Sprintf(`{"kind":"digital","category":"rugs","names":{"fr":"Patron"},"commune":"Rabat",
		"variants":[{"sku":%q,"price":{"amount":"40.00","currency":"MAD"},"policy":%q}]}`, sku, policy))
	h.want(200, nil, s.key, "POST", "/v1/offers/"+o.ID+"/publish", "")
	return shop{s.key, s.id, o.ID, o.Variants[0].ID}
}

// patron is a digital article with one file.
func (h *hub) patron(s shop) (w shop, file digital.WareView) {
	h.t.Helper()
	w = h.sells(s, "F1", "unlimited")
	h.want(201, &file, w.key, "POST", "/v1/variants/"+w.variant+"/files", fmt.Sprintf(`{"file":%q,"title":"Le patron"}`, h.ware(s.key, pdf)), "add")
	return w, file
}

// coded is a digital article that is sold by codes.
func (h *hub) coded(s shop, codes ...string) shop {
	h.t.Helper()
	w := h.sells(s, "C1", "stocked")
	if len(codes) > 0 {
		h.want(201, nil, w.key, "POST", "/v1/variants/"+w.variant+"/codes", `{"codes":["`+strings.Join(codes, `","`)+`"]}`, "codes")
	}
	return w
}

func (h *hub) quotedNowhere(key auth.Key, basket string) (q struct {
	quote
	Payments []orders.Way
	Consents []orders.Consent
},
) {
	h.t.Helper()
	h.want(201, &q, key, "POST", "/v1/baskets/"+basket+"/quotes", `{"delivery":{"method":"none"}}`)
	return q
}

// nowhere is the body of a checkout of files.
func nowhere(basket, hash, consents, method string) string {
	return fmt.Sprintf(`{"basket":%q,"quote":%q,"contact":{"name":"Acheteur (exemple)","phone":"06 12 34 56 78"},
		"delivery":{"method":"none"},"payment":{"method":%q},"consents":[%s]}`, basket, hash, method, consents)
}

// fetches buys n of digital articles alone, unpaid.
func (h *hub) fetches(me auth.Key, n int, wares ...shop) (c checkout) {
	h.t.Helper()
	b := h.fill(me, n, wares...)
	q := h.quotedNowhere(me, b)
	h.want(201, &c, me, "POST", "/v1/checkouts", nowhere(b, q.Hash, `"`+q.Consents[0].Hash+`"`, "card"), b)
	return c
}

func (h *hub) digital(key auth.Key, order string) (v orders.DigitalView) {
	h.t.Helper()
	h.want(200, &v, key, "GET", "/v1/orders/"+order+"/digital", "")
	return v
}

func TestAFileIsBoughtOpenedAndFetched(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	w, file := h.patron(h.shop("100.00", 5, ""))
	me, other := h.buyer(), h.buyer()
	b := h.fill(me, 1, w)
	q := h.quotedNowhere(me, b)
	if len(q.Problems) > 0 || q.Fees[0].Method != "none" || q.Totals.Total.Amount() != "40.00" || len(q.Consents) != 1 {
		t.Fatalf("the quote is %+v", q)
	}
	for _, p := range q.Payments {
		if p.Offered == (p.Method == "cash_on_delivery") && p.Method != "wallet" && p.Method != "transfer" {
			t.Errorf("%s: offered %v, %s", p.Method, p.Offered, p.Why)
		}
	}
	hash := `"` + q.Consents[0].Hash + `"`
	h.refused(422, "orders.payment_method", "/payment/method", me, "POST", "/v1/checkouts", nowhere(b, q.Hash, hash, "cash_on_delivery"), "cash")
	h.refused(422, "orders.consent_needed", "/consents/0", me, "POST", "/v1/checkouts", nowhere(b, q.Hash, "", "card"), "no")
	var c checkout
	h.want(201, &c, me, "POST", "/v1/checkouts", nowhere(b, q.Hash, hash, "card"), "yes")
	o := c.ids()[0]
	url := "/v1/orders/" + o + "/digital"
	h.refused(404, "digital.not_found", "", me, "POST", url+"/open", "", "early")
	h.pay(c)
	if v := h.show(me, o); v.State != orders.Shipped || v.Delivery.Method != "none" || v.Lines[0].Kind != "digital" {
		t.Fatalf("a paid file is %s, %+v", v.State, v)
	}
	fetch := url + "/" + w.variant + "/" + file.ID
	h.refused(409, "digital.unopened", "", me, "GET", fetch, "")
	for _, key := range []auth.Key{other, w.key, h.boss} {
		for _, ask := range [][2]string{{"POST", url + "/open"}, {"GET", fetch}} {
			if a := h.ask(key, ask[0], ask[1], "", "theirs"); a.Code != 404 && a.Code != 403 {
				t.Errorf("%s %s of another: %d", ask[0], ask[1], a.Code)
			}
		}
	}
	h.refused(409, "orders.opened_by_buyer", "", w.key, "POST", "/v1/orders/"+o+"/deliver", `{"code":"0000"}`)
	h.want(200, nil, me, "POST", url+"/open", "", "open")
	h.want(200, nil, me, "POST", url+"/open", "", "again")
	if v := h.show(me, o); v.State != orders.Delivered {
		t.Errorf("an opened file is %s", v.State)
	}
	if got := h.ask(me, "GET", fetch, ""); got.Code != 200 || got.Body.String() != pdf || !strings.HasPrefix(got.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("fetched %d %q, %v", got.Code, got.Body, got.Header())
	}
	h.refused(409, "orders.state", "", me, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"non"}`, "cancel")
	h.refused(422, "returns.exempt", "/lines/0/variant", me, "POST", "/v1/orders/"+o+"/returns", `{"reason":"withdrawal","lines":[{"variant":"`+w.variant+`","quantity":1}]}`, "back")
	v := h.digital(w.key, o)
	if a := v.Articles[0]; a.State != "opened" || a.Files[0].Times != 1 || v.Consents[0].Hash != q.Consents[0].Hash || v.Consents[0].Text != q.Consents[0].Texts["fr"] {
		t.Errorf("its seller sees %+v", v)
	}
	h.advance(73 * time.Hour) // 72 hours after it was opened the money goes: nobody may withdraw
	h.deliver()
	if v := h.show(me, o); v.State != orders.Completed || v.Escrow.Released.Amount() != "40.00" {
		t.Errorf("after the wait the order is %s, with %+v", v.State, v.Escrow)
	}
	h.sound()
}

func TestAFileIsFetchedAtMostTwentyTimesAndForNinetyDays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	w, file := h.patron(h.shop("100.00", 5, ""))
	me := h.buyer()
	c := h.fetches(me, 1, w)
	h.pay(c)
	fetch := "/v1/orders/" + c.ids()[0] + "/digital/" + w.variant + "/" + file.ID
	h.want(200, nil, me, "POST", "/v1/orders/"+c.ids()[0]+"/digital/open", "", "open")
	var wait sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	for range 25 {
		wait.Go(func() {
			a := h.ask(me, "GET", fetch, "")
			mu.Lock()
			defer mu.Unlock()
			codes[a.Code]++
		})
	}
	wait.Wait()
	if codes[200] != digital.MostTimes || codes[409] != 5 {
		t.Errorf("25 times: %v", codes)
	}
	other := h.fetches(me, 1, w)
	h.pay(other)
	fetch = "/v1/orders/" + other.ids()[0] + "/digital/" + w.variant + "/" + file.ID
	h.want(200, nil, me, "POST", "/v1/orders/"+other.ids()[0]+"/digital/open", "", "open-it")
	h.advance(digital.Access)
	h.refused(409, "digital.over", "", me, "GET", fetch, "")
}

func TestBuyersHaveTheNewestVersionAndWhatWasSoldToThem(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 5, "")
	w, file := h.patron(s)
	me := h.buyer()
	c := h.fetches(me, 1, w)
	h.pay(c)
	h.want(200, nil, me, "POST", "/v1/orders/"+c.ids()[0]+"/digital/open", "", "open")
	at := "/v1/variants/" + w.variant
	second := h.ware(s.key, pdf+"mieux%%EOF")
	h.refused(422, "digital.invalid", "/replaces", s.key, "POST", at+"/files", `{"file":"`+second+`","replaces":"war_none"}`, "v0")
	h.refused(409, "media.gone", "/file", s.key, "POST", at+"/files", `{"file":"med_none","title":"x"}`, "v00")
	var v2 digital.WareView
	h.want(201, &v2, s.key, "POST", at+"/files", `{"file":"`+second+`","replaces":"`+file.ID+`"}`, "v2")
	if v2.Version != 2 || v2.Title != "Le patron" {
		t.Errorf("the second version is %+v", v2)
	}
	h.want(200, nil, s.key, "POST", at+"/files/"+file.ID+"/retire", "", "r1")
	h.want(200, nil, s.key, "POST", at+"/files/"+file.ID+"/retire", "", "r2")
	h.refused(409, "digital.retired", "", s.key, "POST", at+"/files", `{"file":"`+second+`","replaces":"`+file.ID+`"}`, "v3")
	if got := h.ask(me, "GET", "/v1/orders/"+c.ids()[0]+"/digital/"+w.variant+"/"+file.ID, ""); got.Body.String() != pdf+"mieux%%EOF" {
		t.Errorf("who bought it has %q", got.Body)
	}
	b := h.fill(me, 1, w)
	if q := h.quotedNowhere(me, b); len(q.Problems) != 1 || q.Problems[0].Code != "not_ready" {
		t.Errorf("an article without files has %+v", q.Problems)
	}
	for _, bad := range []string{"<html><script>", "MZ\x90", "#!/bin/sh"} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/files?kind=ware", strings.NewReader(bad))
		r.Header.Set("Content-Type", "application/octet-stream")
		r.Header.Set("Authorization", "Bearer "+s.key.String())
		a := httptest.NewRecorder()
		if h.web.ServeHTTP(a, r); a.Code != 422 {
			t.Errorf("a ware of %q: %d", bad, a.Code)
		}
	}
	h.refused(404, "catalog.not_found", "", h.shop("1.00", 1, "").key, "GET", at+"/digital", "")
	h.refused(422, "digital.not_digital", "", s.key, "GET", "/v1/variants/"+s.variant+"/digital", "")
}

func TestEachCodeIsGivenOnceToItsBuyerAlone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 5, "")
	var all []string
	for i := range 12 {
		all = append(all, fmt.Sprintf("CODE-%02d-تيويزا", i))
	}
	w := h.coded(s, all...)
	at := "/v1/variants/" + w.variant
	var again digital.CodesView
	h.want(201, &again, s.key, "POST", at+"/codes", `{"codes":["CODE-00-تيويزا"," CODE-01-تيويزا ","NEW"]}`, "again")
	if again.Added != 1 || again.Known != 2 || again.Free != 13 || h.stockOf(w) != 13 {
		t.Errorf("adding known codes: %+v, the stock is %d", again, h.stockOf(w))
	}
	h.refused(409, "catalog.stock_of_codes", "", s.key, "PATCH", at+"/stock", `{"delta":1}`)
	h.refused(422, "digital.invalid", "/codes/1", s.key, "POST", at+"/codes", `{"codes":["ok","a\nb"]}`, "bad")
	var wait sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	for range 4 {
		me := h.buyer()
		c := h.fetches(me, 3, w)
		wait.Go(func() {
			h.pay(c)
			o := c.ids()[0]
			if a := h.digital(me, o).Articles[0]; a.CodesDue != 3 || len(a.Codes) != 0 {
				t.Errorf("before they are opened codes are %+v", a)
			}
			answer := h.ask(me, "POST", "/v1/orders/"+o+"/digital/open", "", "open")
			if answer.Code != 200 || strings.Contains(answer.Body.String(), "CODE-") {
				t.Errorf("opening says %d %s", answer.Code, answer.Body)
			}
			if a := h.digital(s.key, o).Articles[0]; len(a.Codes) != 0 || a.State != "opened" {
				t.Errorf("the seller sees %+v", a)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, code := range h.digital(me, o).Articles[0].Codes {
				seen[code]++
			}
		})
	}
	wait.Wait()
	if len(seen) != 12 || slices.ContainsFunc(slices.Collect(valuesOf(seen)), func(n int) bool { return n != 1 }) {
		t.Errorf("the codes were given so often: %v", seen)
	}
	if left := h.stockOf(w); left != 1 {
		t.Errorf("%d are left, want 1", left)
	}
	var v digital.CodesView
	h.want(200, &v, s.key, "POST", at+"/codes/void", "", "void")
	if v.Voided != 1 || h.stockOf(w) != 0 {
		t.Errorf("taking them away: %+v, stock %d", v, h.stockOf(w))
	}
	leaks, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.answer a where convert_from(a.body, 'utf8') like '%CODE-%'`)
	must(t, err)
	sealed, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from digital.code where position('CODE-'::bytea in sealed) > 0`)
	must(t, err)
	if leaks+sealed > 0 {
		t.Errorf("%d answers and %d rows hold codes in the clear", leaks, sealed)
	}
	h.sound()
}

func valuesOf(m map[string]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, n := range m {
			if !yield(n) {
				return
			}
		}
	}
}

func (h *hub) stockOf(s shop) int {
	h.t.Helper()
	n, err := pg.Value[int](h.t.Context(), h.db, nil, `select on_hand - reserved from catalog.variant where id = $1`, s.variant)
	must(h.t, err)
	return n
}

func TestWhatWasNotOpenedIsCalledOffAndItsCodesAreFreeAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 5, "")
	w := h.coded(s, "ONE", "TWO")
	me := h.buyer()
	c := h.fetches(me, 2, w)
	h.pay(c)
	o := c.ids()[0]
	h.want(200, nil, me, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"finalement non"}`, "k")
	if v := h.digital(me, o).Articles[0]; v.State != "closed" || len(v.Codes) != 0 {
		t.Errorf("after it was called off: %+v", v)
	}
	h.refused(409, "digital.over", "", me, "POST", "/v1/orders/"+o+"/digital/open", "", "late")
	if n := h.stockOf(w); n != 2 {
		t.Errorf("%d codes are for sale again, want 2", n)
	}
	h.went("80.00 finalement non")
	c = h.fetches(h.buyer(), 2, w)
	h.pay(c)
	if v := h.show(s.key, c.ids()[0]); v.State != orders.Shipped {
		t.Errorf("the next buyer's order is %s", v.State)
	}
	h.want(201, nil, h.boss, "POST", "/v1/orders/"+c.ids()[0]+"/refunds", `{"amount":{"amount":"80.00","currency":"MAD"},"reason":"erreur"}`, "all")
	h.deliver()
	if n := h.stockOf(w); n != 2 {
		t.Errorf("after a refund %d codes are for sale, want 2", n)
	}
}

func TestARefundTakesWhatWasOpenedAway(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.shop("100.00", 5, "")
	w := h.coded(s, "ONE", "TWO")
	me := h.buyer()
	c := h.fetches(me, 1, w)
	h.pay(c)
	o := c.ids()[0]
	h.want(200, nil, me, "POST", "/v1/orders/"+o+"/digital/open", "", "open")
	if got := h.digital(me, o).Articles[0].Codes; !slices.Equal(got, []string{"ONE"}) {
		t.Errorf("the buyer has %q", got)
	}
	h.want(201, nil, s.key, "POST", "/v1/orders/"+o+"/refunds", `{"amount":{"amount":"40.00","currency":"MAD"},"reason":"ne marche pas"}`, "all")
	if v := h.digital(me, o).Articles[0]; v.State != "closed" || len(v.Codes) != 0 {
		t.Errorf("after the refund the buyer has %+v", v)
	}
	if n := h.stockOf(w); n != 1 {
		t.Errorf("%d codes are for sale; the one that was shown is not", n)
	}
}

func TestGoodsAndFilesOfSeveralSellersInOneBasket(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, z := h.shop("100.00", 5, ""), h.shop("50.00", 5, "")
	w, file := h.patron(a)
	x := h.coded(z, "Z1")
	me := h.buyer()
	b := h.fill(me, 1, a, w, x)
	q := h.quoted(me, b, `{"method":"none"}`)
	if !slices.ContainsFunc(q.Problems, func(p orders.Problem) bool { return p.Code == "not_delivered" && p.Variant == a.variant && p.Blocking }) {
		t.Errorf("goods that go nowhere: %+v", q.Problems)
	}
	var full struct {
		quote
		Consents []orders.Consent
	}
	h.want(201, &full, me, "POST", "/v1/baskets/"+b+"/quotes", `{"delivery":{"method":"carrier","commune":"Fès"}}`)
	var c checkout
	body := strings.TrimSuffix(order(b, full.Hash), "}") + `,"consents":["` + full.Consents[0].Hash + `"]}`
	h.want(201, &c, me, "POST", "/v1/checkouts", body, b)
	h.pay(c)
	mixed, files := c.Orders[0], c.Orders[1]
	if mixed.Seller.ID != a.id {
		mixed, files = files, mixed
	}
	if m, f := h.show(me, mixed.ID), h.show(me, files.ID); m.State != orders.Paid || f.State != orders.Shipped || m.Delivery.Method != "carrier" || f.Delivery.Method != "none" {
		t.Fatalf("goods with a file are %s, files %s", m.State, f.State)
	}
	h.want(200, nil, me, "POST", "/v1/orders/"+mixed.ID+"/digital/open", "", "open")
	if got := h.ask(me, "GET", "/v1/orders/"+mixed.ID+"/digital/"+w.variant+"/"+file.ID, ""); got.Code != 200 {
		t.Errorf("a file beside goods: %d %s", got.Code, got.Body)
	}
	h.refused(409, "orders.opened", "", me, "POST", "/v1/orders/"+mixed.ID+"/cancel", `{"reason":"non"}`, "cancel")
	h.want(200, nil, a.key, "POST", "/v1/orders/"+mixed.ID+"/accept", "")
	h.want(200, nil, a.key, "POST", "/v1/orders/"+mixed.ID+"/ship", `{"carrier":"c","tracking":"t"}`)
	v := h.show(me, mixed.ID)
	if len(v.Shipments) != 1 || len(v.Shipments[0].Lines) != 1 || v.Shipments[0].Lines[0].Variant != a.variant {
		t.Errorf("the parcel holds %+v", v.Shipments)
	}
	h.want(200, nil, a.key, "POST", "/v1/orders/"+mixed.ID+"/deliver", `{"code":"`+v.Delivery.Code+`"}`)
	var r orders.ReturnView
	h.want(201, &r, me, "POST", "/v1/orders/"+mixed.ID+"/returns", `{"reason":"withdrawal","lines":[{"variant":"`+a.variant+`","quantity":1}]}`, "back")
	h.sound()
}

func TestWhatIsNotOpenedCountsAsDeliveredAfterAWeek(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	w, _ := h.patron(h.shop("100.00", 5, ""))
	me := h.buyer()
	c := h.fetches(me, 1, w)
	h.pay(c)
	o := c.ids()[0]
	h.advance(3*24*time.Hour + time.Minute)
	reminded, err := pg.Value[int](t.Context(), h.db, nil, `select count(*)::int from platform.event where type = 'orders.unopened' and subject = $1`, o)
	must(t, err)
	if reminded != 1 || h.show(me, o).State != orders.Shipped {
		t.Errorf("after three days the buyer was reminded %d times", reminded)
	}
	h.advance(4*24*time.Hour + time.Minute)
	if v := h.show(me, o); v.State != orders.Delivered {
		t.Errorf("after a week the order is %s", v.State)
	}
	h.advance(73 * time.Hour)
	h.deliver()
	if v := h.show(me, o); v.State != orders.Completed {
		t.Errorf("ten days later the order is %s", v.State)
	}
	h.want(200, nil, me, "POST", "/v1/orders/"+o+"/digital/open", "", "late-and-paid")
}

// A seller who has counted wrong has the buyer wait, never pay for nothing.
func TestAnOrderWhoseCodesAreMissingWaitsForItsSeller(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	w, file := h.patron(h.shop("100.00", 5, ""))
	me := h.buyer()
	c := h.fetches(me, 1, w)
	h.want(200, nil, w.key, "POST", "/v1/variants/"+w.variant+"/files/"+file.ID+"/retire", "", "gone")
	h.pay(c)
	o := c.ids()[0]
	if v := h.show(me, o); v.State != orders.Paid {
		t.Fatalf("without its file the order is %s", v.State)
	}
	h.refused(409, "orders.not_ready", "", w.key, "POST", "/v1/orders/"+o+"/accept", "")
	h.want(201, nil, w.key, "POST", "/v1/variants/"+w.variant+"/files", fmt.Sprintf(`{"file":%q,"title":"Encore"}`, h.ware(w.key, pdf)), "anew")
	h.want(200, nil, w.key, "POST", "/v1/orders/"+o+"/accept", "")
	if v := h.show(me, o); v.State != orders.Shipped {
		t.Errorf("with its file the order is %s", v.State)
	}
}
