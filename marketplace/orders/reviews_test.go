package orders_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"tiwiza/marketplace/orders"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

func stars(s shop, n int, text string) string {
	return fmt.Sprintf(`{"variant":%q,"rating":%d,"text":%q}`, s.variant, n, text)
}

func (h *hub) average(s shop) string {
	h.t.Helper()
	var v struct {
		Rating *struct {
			Average string
			Reviews int
		}
	}
	h.want(200, &v, s.key, "GET", "/v1/offers/"+s.offer, "")
	if v.Rating == nil {
		return "none"
	}
	return fmt.Sprintf("%s of %d", v.Rating.Average, v.Rating.Reviews)
}

func TestABuyerReviewsWhatCameOnceAndTheOfferShowsIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, other, me := h.shop("100.00", 9, ""), h.shop("1.00", 1, ""), h.buyer()
	o := h.home(me, 1, s).ids()[0]
	waits := h.buy(me, 1, s)
	h.pay(waits)
	h.refused(409, "returns.not_delivered", "", me, "POST", "/v1/orders/"+waits.ids()[0]+"/reviews", stars(s, 5, ""), fresh())
	at := "/v1/orders/" + o + "/reviews"
	h.refused(422, "reviews.invalid", "/variant", me, "POST", at, stars(other, 5, ""), fresh())
	h.refused(422, "request.invalid", "/rating", me, "POST", at, stars(s, 6, ""), fresh())
	h.refused(404, "orders.not_found", "", h.buyer(), "POST", at, stars(s, 5, ""), fresh())
	h.refused(403, "auth.denied", "", s.key, "POST", at, stars(s, 5, ""), fresh())
	if got := h.average(s); got != "none" {
		t.Errorf("before any review the offer shows %s", got)
	}
	var r orders.ReviewView
	h.want(201, &r, me, "POST", at, stars(s, 4, " Très bon. "), fresh())
	h.refused(409, "reviews.written", "", me, "POST", at, stars(s, 1, ""), fresh())
	second := h.buyer()
	h.want(201, nil, second, "POST", "/v1/orders/"+h.home(second, 1, s).ids()[0]+"/reviews", stars(s, 5, ""), fresh())
	if got := h.average(s); got != "4.5 of 2" || r.Text != "Très bon." {
		t.Errorf("the offer shows %s, of %+v", got, r)
	}
	reply := "/v1/reviews/" + r.ID + "/reply"
	h.refused(404, "reviews.not_found", "", other.key, "POST", reply, `{"text":"Merci."}`, fresh())
	h.want(200, nil, s.key, "POST", reply, `{"text":"Merci."}`, fresh())
	h.refused(409, "reviews.replied", "", s.key, "POST", reply, `{"text":"Encore merci."}`, fresh())
	var page struct {
		Data []orders.ReviewView
		Next *string
	}
	h.want(200, &page, auth.Key{}, "GET", "/v1/offers/"+s.offer+"/reviews?limit=1", "")
	if len(page.Data) != 1 || page.Data[0].Stars != 5 || page.Next == nil {
		t.Fatalf("the first page: %+v", page)
	}
	h.want(200, &page, auth.Key{}, "GET", "/v1/offers/"+s.offer+"/reviews?limit=1&cursor="+*page.Next, "")
	if len(page.Data) != 1 || page.Data[0].Reply != "Merci." || page.Data[0].Order != "" || page.Next != nil {
		t.Errorf("the second page: %+v", page)
	}
}

func TestWhatIsHiddenIsNeitherReadNorCounted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	var r orders.ReviewView
	h.want(201, &r, me, "POST", "/v1/orders/"+h.home(me, 1, s).ids()[0]+"/reviews", stars(s, 1, "Appelez le 06…"), fresh())
	at := "/v1/reviews/" + r.ID + "/moderate"
	h.refused(403, "auth.denied", "", s.key, "POST", at, `{"action":"hide","reason":"personal_data"}`, fresh())
	h.refused(422, "reviews.invalid", "/reason", h.boss, "POST", at, `{"action":"hide"}`, fresh())
	var wg sync.WaitGroup
	for range 6 { // at once
		wg.Go(func() { h.ask(h.boss, "POST", at, `{"action":"hide","reason":"personal_data"}`, fresh()) })
	}
	wg.Wait()
	if got := h.average(s); got != "none" {
		t.Errorf("hidden, the offer shows %s", got)
	}
	var page struct{ Data []orders.ReviewView }
	if h.want(200, &page, auth.Key{}, "GET", "/v1/offers/"+s.offer+"/reviews", ""); len(page.Data) != 0 {
		t.Errorf("anybody reads %+v", page.Data)
	}
	if h.want(200, &page, s.key, "GET", "/v1/reviews?state=hidden", ""); len(page.Data) != 1 || page.Data[0].Reason != "personal_data" {
		t.Errorf("its seller reads %+v", page.Data)
	}
	h.want(200, nil, h.boss, "POST", at, `{"action":"show"}`, fresh())
	h.refused(409, "reviews.state", "/action", h.boss, "POST", at, `{"action":"show"}`, fresh())
	if got := h.average(s); got != "1.0 of 1" {
		t.Errorf("shown again, the offer shows %s", got)
	}
}

func TestBuyerAndSellerWriteAndTheOperatorsReadingIsKept(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	c := h.buy(me, 1, s)
	o := c.ids()[0]
	at := "/v1/orders/" + o + "/messages"
	h.refused(409, "messages.closed", "/state", me, "POST", at, `{"text":"Bonjour"}`, fresh())
	h.pay(c)
	var m orders.MessageView
	f := h.upload(me)
	h.want(201, &m, me, "POST", at, fmt.Sprintf(`{"text":" Bonjour ","files":[%q]}`, f), fresh())
	h.want(201, nil, s.key, "POST", at, `{"text":"Bonjour !"}`, fresh())
	h.refused(422, "messages.blank", "/text", s.key, "POST", at, `{"text":"   "}`, fresh())
	h.refused(422, "request.invalid", "/text", s.key, "POST", at, `{"text":"`+strings.Repeat("a", 2001)+`"}`, fresh())
	h.refused(409, "media.gone", "/files/0", s.key, "POST", at, fmt.Sprintf(`{"text":"x","files":[%q]}`, f), fresh())
	h.refused(403, "auth.denied", "", h.boss, "POST", at, `{"text":"x"}`, fresh())
	for _, key := range []auth.Key{h.buyer(), h.shop("1.00", 1, "").key} {
		h.refused(404, "orders.not_found", "", key, "GET", at, "")
		h.refused(404, "orders.not_found", "", key, "POST", at, `{"text":"x"}`, fresh())
		h.refused(404, "messages.not_found", "", key, "GET", m.Files[0], "")
	}
	read := func() int64 {
		n, err := pg.Value[int64](t.Context(), h.db, nil, `select count(*) from platform.audit where action = 'orders.messages' and subject = $1`, o)
		must(t, err)
		return n
	}
	var page struct{ Data []orders.MessageView }
	h.want(200, &page, s.key, "GET", at, "")
	if len(page.Data) != 2 || page.Data[1].Sender != "buyer" || page.Data[1].Text != "Bonjour" || read() != 0 {
		t.Errorf("the seller reads %+v; %d readings are kept", page.Data, read())
	}
	h.want(200, &page, h.boss, "GET", at, "")
	if w := h.ask(h.boss, "GET", m.Files[0], ""); w.Code != http.StatusOK || read() != 2 {
		t.Errorf("%d; %d readings of the operator's are kept, want 2", w.Code, read())
	}
	for range 49 {
		h.want(201, nil, me, "POST", at, `{"text":"encore"}`, fresh())
	}
	if w := h.ask(me, "POST", at, `{"text":"encore"}`, fresh()); w.Code != http.StatusTooManyRequests {
		t.Errorf("the fifty-first message of a day is answered %d %s", w.Code, w.Body)
	}
	h.want(201, nil, s.key, "POST", at, `{"text":"Doucement."}`, fresh())
}
