package orders_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
)

// guest is somebody without an account.
func (h *hub) guest() (k auth.Key) {
	h.t.Helper()
	var g members.GuestView
	h.want(201, &g, auth.Key{}, "POST", "/v1/guests", "")
	k, err := auth.ParseKey(g.Key)
	must(h.t, err)
	return k
}

// assorted is a shop's further articles, so many of each in stock.
func (h *hub) assorted(s shop, n, stock int) (variants []string) {
	h.t.Helper()
	for len(variants) < n {
		var list []string
		for i := range min(n-len(variants), 20) {
			list = append(list, fmt.Sprintf(`{"sku":"A%d","names":{"fr":"Article %d"},"weight_g":10,"price":{"amount":"1.00","currency":"MAD"},"on_hand":%d}`, len(variants)+i, i, stock))
		}
		var o offerView
		h.want(201, &o, s.key, "POST", "/v1/offers", `{"category":"saffron","names":{"fr":"Assortiment","en":"Assortment"},"commune":"Taliouine","variants":[`+strings.Join(list, ",")+`]}`)
		h.want(200, nil, s.key, "POST", "/v1/offers/"+o.ID+"/publish", "")
		for _, v := range o.Variants {
			variants = append(variants, v.ID)
		}
	}
	return variants
}

func (h *hub) filled(key auth.Key, n int, variants ...string) (basket string) {
	h.t.Helper()
	var b struct{ ID string }
	h.want(201, &b, key, "POST", "/v1/baskets", "")
	for _, v := range variants {
		h.want(200, nil, key, "PUT", "/v1/baskets/"+b.ID+"/lines/"+v, fmt.Sprintf(`{"quantity":%d}`, n))
	}
	return b.ID
}

func merging(from string, of auth.Key) string {
	return fmt.Sprintf(`{"from":%q,"key":%q}`, from, of)
}

func TestAGuestBuysAndFollowsTheOrderBySecret(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, me, other := h.shop("100.00", 9, ""), h.guest(), h.guest()
	c := h.buy(me, 1, a)
	h.pay(c)
	if v := h.show(me, c.Orders[0].ID); v.State != orders.Paid || v.Delivery.Code == "" || v.Delivery.Contact.Phone != "+212612345678" {
		t.Errorf("the guest sees %+v", v)
	}
	h.refused(404, "orders.not_found", "", other, "GET", "/v1/orders/"+c.Orders[0].ID, "")
	wrong := me
	wrong.Secret = other.Secret
	if w := h.ask(wrong, "GET", "/v1/orders/"+c.Orders[0].ID, ""); w.Code != 401 {
		t.Errorf("another secret: %d %s", w.Code, w.Body)
	}
}

// TestRule3_6SixtyFiveLinesSurviveAMergeAtSignIn has two tabs merge, and then
// order, with ten double clicks each.
func TestRule3_6SixtyFiveLinesSurviveAMergeAtSignIn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, guest, me := h.shop("100.00", 9, ""), h.guest(), h.buyer()
	variants := h.assorted(a, 65, 50)
	from, to := h.filled(guest, 2, variants...), h.filled(me, 3, variants[:10]...)
	clicks := func(f func(tab, click int) int) map[int]int {
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[int]int{}
		for tab := range 2 {
			for click := range 10 {
				for range 2 {
					wg.Go(func() {
						code := f(tab, click)
						mu.Lock()
						defer mu.Unlock()
						got[code]++
					})
				}
			}
		}
		wg.Wait()
		return got
	}
	merged := clicks(func(tab, click int) int {
		return h.ask(me, "POST", "/v1/baskets/"+to+"/merge", merging(from, guest), fmt.Sprintf("m-%d-%d", tab, click)).Code
	})
	if merged[200] == 0 || merged[200] > 2 || merged[200]+merged[409] != 40 {
		t.Errorf("merged by %v, want by one key and told of it to the others", merged)
	}
	var b orders.BasketView
	h.want(200, &b, me, "GET", "/v1/baskets/"+to, "")
	units := 0
	for _, l := range b.Lines {
		units += l.Quantity
	}
	if len(b.Lines) != 65 || units != 65*2+10*3 {
		t.Fatalf("%d lines with %d units survive, want 65 with 160", len(b.Lines), units)
	}
	h.refused(409, "orders.basket_merged", "", guest, "PUT", "/v1/baskets/"+from+"/lines/"+variants[0], `{"quantity":1}`)
	h.refused(409, "orders.basket_merged", "", guest, "POST", "/v1/baskets/"+from+"/quotes", "{}")
	hash := h.quote(me, to).Hash
	ordered := clicks(func(tab, click int) int {
		return h.ask(me, "POST", "/v1/checkouts", order(to, hash), fmt.Sprintf("o-%d-%d", tab, click)).Code
	})
	list := h.list(me)
	if ordered[201] == 0 || ordered[201] > 2 || len(list) != 1 {
		t.Errorf("%v clicks made %d orders, want one", ordered, len(list))
	}
}

func TestAMergeLosesNothingAndSaysWhatIsCapped(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, guest, me, stranger := h.shop("100.00", 9, ""), h.guest(), h.buyer(), h.guest()
	many := h.assorted(a, 120, 5)
	from, to := h.filled(guest, 4, many[:80]...), h.filled(me, 4, many[60:120]...)
	path := "/v1/baskets/" + to + "/merge"
	h.refused(404, "orders.no_basket", "/from", me, "POST", path, merging(from, stranger), "1") // another's key
	h.refused(404, "orders.no_basket", "/from", me, "POST", path, `{"from":"`+from+`"}`, "2")   // no key
	h.refused(404, "orders.no_basket", "/key", me, "POST", path, merging(from, a.key), "3")     // a seller's
	h.refused(404, "orders.no_basket", "", stranger, "POST", path, merging(from, guest), "4")   // into another's
	h.refused(422, "orders.same_basket", "/from", me, "POST", path, merging(to, me), "5")
	h.refused(404, "orders.no_basket", "/from", me, "POST", path, merging(id.New(id.Basket), guest), "6")
	var v orders.MergeView
	h.want(200, &v, me, "POST", path, merging(from, guest), "7")
	var rest orders.BasketView
	h.want(200, &rest, guest, "GET", "/v1/baskets/"+from, "")
	kinds := map[string]int{}
	for _, n := range v.Notes {
		kinds[n.Code]++
		if n.Code == "capped" && (n.Wanted != 8 || n.Quantity != 5) {
			t.Errorf("%+v, want 5 of 8", n)
		}
	}
	if len(v.Lines) != 100 || len(rest.Lines) != 20 || rest.State != "open" || kinds["capped"] != 20 || kinds["left"] != 20 {
		t.Errorf("%d lines, %d left in a basket that is %s, notes %v; want 100, 20, open, 20 capped and 20 left", len(v.Lines), len(rest.Lines), rest.State, kinds)
	}
}

// TestTwoBasketsPouredIntoEachOtherDoNotDeadlock has one of two win.
func TestTwoBasketsPouredIntoEachOtherDoNotDeadlock(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, me := h.shop("100.00", 9, ""), h.buyer()
	for range 10 {
		x, y := h.fill(me, 1, a), h.fill(me, 1, a)
		var wg sync.WaitGroup
		codes := make([]string, 2)
		for i, pair := range [][2]string{{x, y}, {y, x}} {
			wg.Go(func() {
				w := h.ask(me, "POST", "/v1/baskets/"+pair[0]+"/merge", `{"from":"`+pair[1]+`"}`, id.New("idem"))
				var p problem
				_ = json.Unmarshal(w.Body.Bytes(), &p)
				codes[i] = fmt.Sprint(w.Code, " ", p.Code)
			})
		}
		wg.Wait()
		if got := strings.Join(codes, ", "); got != "200 , 409 orders.basket_merged" && got != "409 orders.basket_merged, 200 " {
			t.Errorf("%s, want one merge and one refusal", got)
		}
	}
}

// TestAMergeKeepsWhatIsSoldOut has the stock fall below what a guest had put in:
// the line stays as it was, with its problem.
func TestAMergeKeepsWhatIsSoldOut(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, guest, me := h.shop("100.00", 9, ""), h.guest(), h.buyer()
	from, to := h.fill(guest, 6, a), h.fill(me, 1, a)
	h.want(200, nil, a.key, "PATCH", "/v1/variants/"+a.variant+"/stock", `{"on_hand":2}`)
	var v orders.MergeView
	h.want(200, &v, me, "POST", "/v1/baskets/"+to+"/merge", merging(from, guest), "1")
	if len(v.Lines) != 1 || v.Lines[0].Quantity != 6 || len(v.Notes) != 1 || v.Notes[0].Wanted != 7 || len(v.Problems) != 1 || v.Problems[0].Code != "sold_out" {
		t.Errorf("%+v", v)
	}
}
