package quotations_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/marketplace/quotations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// One offer of several is accepted: it is an agreement with its delivery, and a
// basket; when the order is paid the request is done and the others are passed.
func TestAnAcceptedOfferIsAnAgreementAndABasket(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("saffron", "MA-09", "Taliouine"), h.shop("honey", "MA-09", "Agadir")
	r := h.request(me, a, b)
	oa, ob := h.offer(a, r.ID, "30.00"), h.offer(b, r.ID, "28.50")
	if ob.Total.Amount() != "610.00" || ob.State != quotations.Standing || ob.Revision != 1 {
		t.Errorf("the offer is %+v", ob)
	}
	if v := h.seen(b.key, r.ID); v.Buyer != "" || v.LastOffer != ob.ID || len(v.Sellers) != 0 {
		t.Errorf("before it is accepted a seller sees %+v", v)
	}
	var got quotations.AcceptedView
	h.want(200, &got, me, "POST", "/v1/quotation-offers/"+ob.ID+"/accept", "")
	d := got.Agreement.Delivery
	if got.Offer.State != quotations.Accepted || got.Agreement.State != agreements.Open || d.Amount.Amount() != "40.00" || d.Commune != "Fès" || d.LeadDays != 4 ||
		got.Agreement.Lines[0].Price.Amount() != "28.50" || got.Agreement.Lines[0].Least != 20 || got.Basket == "" || !got.Agreement.Until.Equal(ob.ValidUntil) {
		t.Errorf("accepted: %+v", got)
	}
	if v := h.seen(b.key, r.ID); v.Buyer != h.subject(me) || v.State != quotations.Awarded {
		t.Errorf("the seller whose offer is accepted sees %+v", v)
	}
	if v := h.seen(a.key, r.ID); v.Buyer != "" || v.State != quotations.Closed {
		t.Errorf("the other sees %+v", v)
	}
	h.refused(409, "quotations.state", "/state", me, "POST", "/v1/quotation-offers/"+oa.ID+"/accept", "")
	h.refused(409, "quotations.offer_state", "/state", b.key, "POST", "/v1/quotation-offers/"+ob.ID+"/withdraw", "")
	h.refused(409, "quotations.state", "/state", b.key, "POST", "/v1/quotation-requests/"+r.ID+"/offers", h.offering(b, "1.00"))
	h.ordered(got.Agreement.ID, true)
	if v := h.seen(me, r.ID); v.State != quotations.Done {
		t.Errorf("paid, the request is %s", v.State)
	}
	if v := h.seenOffer(a.key, oa.ID); v.State != quotations.Passed {
		t.Errorf("the other offer is %s", v.State)
	}
	h.refused(409, "quotations.state", "/state", me, "POST", "/v1/quotation-requests/"+r.ID+"/cancel", "")
}

// Whoever is not asked, or sells other things elsewhere, finds no request; and no
// seller finds another's offer, nor how many there are.
func TestSellersSeeTheirOwnAndNothingElse(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, other := h.buyer(), h.buyer()
	a, b, c := h.shop("saffron", "MA-09", "Taliouine"), h.shop("saffron", "MA-04", "Rabat"), h.shop("honey", "MA-09", "Agadir")
	var there quotations.RequestView
	h.want(201, &there, me, "POST", "/v1/quotation-requests", fmt.Sprintf(`{"lines":[{"variant":%q,"quantity":2}],"commune":"Fès","category":"saffron","region":"MA-09",
		"budget":{"amount":"500.00","currency":"MAD"},"wanted_on":%q,"deadline":%q}`, a.variant, h.now().AddDate(0, 0, 9).Format(time.DateOnly), h.in(2*time.Hour)))
	all, named := h.request(me), h.request(me, c)
	for key, want := range map[auth.Key][]string{
		me: {named.ID, all.ID, there.ID}, other: nil, a.key: {all.ID, there.ID}, b.key: {all.ID}, c.key: {named.ID}, h.boss: {named.ID, all.ID, there.ID},
	} {
		if got := h.inbox(key); !slices.Equal(got, want) {
			t.Errorf("%s sees %v, want %v", h.subject(key), got, want)
		}
	}
	for request, want := range map[string][]string{all.ID: {a.id, b.id}, there.ID: {a.id}, named.ID: nil} {
		told, err := pg.Column[string](t.Context(), h.db, `select jsonb_array_elements_text(payload -> 'sellers') from platform.event
			where type = 'quotations.request_opened' and subject = $1 order by 1`, request)
		must(t, err)
		if slices.Sort(want); !slices.Equal(told, want) {
			t.Errorf("of %s were told %v, want %v", request, told, want)
		}
	}
	none := func(key auth.Key, method, path, body string) {
		t.Helper()
		if w := h.ask(key, method, path, body); w.Code != 404 {
			t.Errorf("%s %s: %d %s, want 404", method, path, w.Code, w.Body)
		}
	}
	at := "/v1/quotation-requests/"
	o := h.offer(a, all.ID, "30.00")
	offer := "/v1/quotation-offers/" + o.ID
	none(c.key, "GET", at+all.ID, "")
	none(c.key, "POST", at+all.ID+"/offers", h.offering(c, "1.00"))
	none(c.key, "POST", at+all.ID+"/decline", `{"reason":"other"}`)
	none(c.key, "POST", at+all.ID+"/messages", `{"text":"?"}`)
	none(c.key, "GET", at+all.ID+"/messages", "")
	none(b.key, "GET", at+there.ID, "")
	none(other, "GET", at+all.ID, "")
	none(other, "POST", at+all.ID+"/close", "")
	none(other, "POST", at+all.ID+"/cancel", "")
	none(other, "GET", at+all.ID+"/offers", "")
	none(b.key, "GET", offer, "")
	none(other, "GET", offer, "")
	none(b.key, "POST", offer+"/withdraw", "")
	none(other, "POST", offer+"/accept", "")
	none(other, "POST", offer+"/decline", `{"reason":"other"}`)
	none(me, "GET", at+"rfq_none", "")
	var offers page[quotations.OfferView]
	for key, n := range map[auth.Key]int{me: 1, a.key: 1, b.key: 0, h.boss: 1} {
		if h.want(200, &offers, key, "GET", at+all.ID+"/offers", ""); len(offers.Data) != n {
			t.Errorf("%d offers, want %d", len(offers.Data), n)
		}
	}
	for _, text := range []string{string(raw(h, b.key, at+all.ID)), string(raw(h, b.key, at))} {
		if strings.Contains(text, a.id) || strings.Contains(text, h.subject(me)) || strings.Contains(text, o.ID) {
			t.Errorf("a seller reads of others: %s", text)
		}
	}
}

func raw(h *hub, key auth.Key, path string) []byte {
	return h.ask(key, "GET", strings.TrimSuffix(path, "/"), "").Body.Bytes()
}

// A new offer takes the place of the seller's earlier one, and of two revisions
// while the buyer accepts the first either it is accepted or nothing is.
func TestRevisingWhileTheBuyerAcceptsLeavesOneTruth(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("saffron", "MA-09", "Taliouine"), h.shop("saffron", "MA-04", "Rabat")
	for round := range 4 {
		r := h.request(me)
		first, rival := h.offer(a, r.ID, "30.00"), h.offer(b, r.ID, "31.00")
		var wg sync.WaitGroup
		var accepted, revised, other int
		at := "/v1/quotation-requests/" + r.ID + "/offers"
		bodyA, bodyB := h.offering(a, "99.00"), h.offering(b, "98.00")
		wg.Go(func() { revised = h.ask(a.key, "POST", at, bodyA).Code })
		wg.Go(func() { accepted = h.ask(me, "POST", "/v1/quotation-offers/"+first.ID+"/accept", "").Code })
		wg.Go(func() { other = h.ask(b.key, "POST", at, bodyB).Code })
		wg.Wait()
		v := h.seenOffer(me, first.ID)
		switch {
		case accepted == http.StatusOK && v.State == quotations.Accepted && revised == http.StatusConflict:
			if v.Total.Amount() != "640.00" {
				t.Errorf("accepted at 30.00, it is %s", v.Total)
			}
		case accepted == http.StatusConflict && v.State == quotations.Replaced && revised == http.StatusCreated:
		default:
			t.Errorf("round %d: accepting answers %d, revising %d, the offer is %s", round, accepted, revised, v.State)
		}
		if s := h.seenOffer(b.key, rival.ID).State; (other == http.StatusCreated) != (s == quotations.Replaced) {
			t.Errorf("round %d: the rival's revision answers %d, and its first offer is %s", round, other, s)
		}
		h.want(200, nil, me, "POST", "/v1/quotation-requests/"+r.ID+"/cancel", "")
	}
}

// Two acceptances of two offers at once make one agreement.
func TestTwoOffersAcceptedAtOnceMakeOneAgreement(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("saffron", "MA-09", "Taliouine"), h.shop("saffron", "MA-04", "Rabat")
	r := h.request(me)
	offers := []string{h.offer(a, r.ID, "30.00").ID, h.offer(b, r.ID, "31.00").ID}
	codes := make([]int, 8)
	var wg sync.WaitGroup
	for i := range codes {
		wg.Go(func() { codes[i] = h.ask(me, "POST", "/v1/quotation-offers/"+offers[i%2]+"/accept", "").Code })
	}
	wg.Wait()
	slices.Sort(codes)
	if want := []int{200, 409, 409, 409, 409, 409, 409, 409}; !slices.Equal(codes, want) {
		t.Errorf("answers %v, want %v", codes, want)
	}
	var p page[agreements.View]
	if h.want(200, &p, me, "GET", "/v1/agreements", ""); len(p.Data) != 1 {
		t.Errorf("%d agreements", len(p.Data))
	}
}

// A request closes at its deadline, offers end with their time, and one that was
// accepted and not ordered lapses; the request then stands for the others.
func TestTimeEndsRequestsOffersAndAgreements(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("saffron", "MA-09", "Taliouine"), h.shop("saffron", "MA-04", "Rabat")
	r := h.request(me)
	oa := h.offer(a, r.ID, "30.00")
	h.advance(47 * time.Hour)
	ob := h.offer(b, r.ID, "31.00") // stands for 96 hours from now
	h.advance(2 * time.Hour)
	if v := h.seen(me, r.ID); v.State != quotations.Closed {
		t.Errorf("after its deadline the request is %s", v.State)
	}
	h.refused(409, "quotations.state", "/state", a.key, "POST", "/v1/quotation-requests/"+r.ID+"/offers", h.offering(a, "1.00"))
	var got quotations.AcceptedView
	h.want(200, &got, me, "POST", "/v1/quotation-offers/"+oa.ID+"/accept", "")
	h.advance(48 * time.Hour)
	if v := h.seenOffer(a.key, oa.ID); v.State != quotations.Lapsed {
		t.Errorf("not ordered in time, the offer is %s", v.State)
	}
	if v := h.seen(me, r.ID); v.State != quotations.Closed {
		t.Errorf("the request is %s", v.State)
	}
	h.want(200, &got, me, "POST", "/v1/quotation-offers/"+ob.ID+"/accept", "")
	order := h.ordered(got.Agreement.ID, false) // and nobody pays
	h.advance(72 * time.Hour)
	if v := h.seenOffer(b.key, ob.ID); v.State != quotations.Accepted {
		t.Errorf("while an order uses it, the offer is %s", v.State)
	}
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error { return h.agreed.GiveBack(t.Context(), tx, order) }))
	h.advance(time.Second)
	if v := h.seenOffer(b.key, ob.ID); v.State != quotations.Lapsed {
		t.Errorf("given back too late, the offer is %s", v.State)
	}
	late := h.request(me)
	oc := h.offer(a, late.ID, "30.00")
	h.advance(97 * time.Hour)
	if v := h.seenOffer(me, oc.ID); v.State != quotations.Expired {
		t.Errorf("after its time the offer is %s", v.State)
	}
	h.refused(409, "quotations.offer_state", "/state", me, "POST", "/v1/quotation-offers/"+oc.ID+"/accept", "")
}

// What a buyer and sellers say of a request and its offers counts once, and is
// refused when it comes too late.
func TestDecliningWithdrawingAndCancelling(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("saffron", "MA-09", "Taliouine"), h.shop("saffron", "MA-04", "Rabat")
	r := h.request(me, a, b)
	at := "/v1/quotation-requests/" + r.ID
	decline := `{"reason":"too_little"}`
	h.want(200, nil, a.key, "POST", at+"/decline", decline)
	var v quotations.RequestView
	if h.want(200, &v, a.key, "POST", at+"/decline", decline); v.Declined != "too_little" {
		t.Errorf("declined: %+v", v)
	}
	o := h.offer(a, r.ID, "30.00") // it thinks better of it
	if v := h.seen(a.key, r.ID); v.Declined != "" {
		t.Errorf("after an offer it still declines: %+v", v)
	}
	h.refused(409, "quotations.answered", "/offer", a.key, "POST", at+"/decline", decline)
	h.want(200, nil, a.key, "POST", "/v1/quotation-offers/"+o.ID+"/withdraw", "")
	h.want(200, nil, a.key, "POST", "/v1/quotation-offers/"+o.ID+"/withdraw", "")
	h.refused(409, "quotations.offer_state", "/state", me, "POST", "/v1/quotation-offers/"+o.ID+"/accept", "")
	o = h.offer(a, r.ID, "29.00")
	if o.Revision != 2 {
		t.Errorf("the second offer is number %d", o.Revision)
	}
	h.want(200, nil, me, "POST", "/v1/quotation-offers/"+o.ID+"/decline", `{"reason":"too_dear"}`)
	if v := h.seenOffer(a.key, o.ID); v.State != quotations.Declined || v.Reason != "too_dear" {
		t.Errorf("declined: %+v", v)
	}
	o = h.offer(a, r.ID, "20.00")
	var got quotations.AcceptedView
	h.want(200, &got, me, "POST", "/v1/quotation-offers/"+o.ID+"/accept", "")
	h.want(200, nil, me, "POST", at+"/cancel", "")
	h.want(200, nil, me, "POST", at+"/cancel", "")
	h.deliver()
	var ag agreements.View
	if h.want(200, &ag, me, "GET", "/v1/agreements/"+got.Agreement.ID, ""); ag.State != agreements.Ended {
		t.Errorf("cancelled, the agreement is %s", ag.State)
	}
	if v := h.seenOffer(a.key, o.ID); v.State != quotations.Lapsed {
		t.Errorf("cancelled, the offer is %s", v.State)
	}
	used := h.request(me, a)
	o = h.offer(a, used.ID, "20.00")
	h.want(200, &got, me, "POST", "/v1/quotation-offers/"+o.ID+"/accept", "")
	h.ordered(got.Agreement.ID, false)
	h.refused(409, "agreements.used", "", me, "POST", "/v1/quotation-requests/"+used.ID+"/cancel", "")
	if v := h.seen(me, used.ID); v.State != quotations.Awarded {
		t.Errorf("what could not be cancelled is %s", v.State)
	}
}

// A seller that is suspended is not asked, offers nothing, and is not accepted.
func TestRule3_12_SuspendedSellersNeitherOfferNorAreAccepted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a := h.buyer(), h.shop("saffron", "MA-09", "Taliouine")
	r := h.request(me, a)
	o := h.offer(a, r.ID, "30.00")
	h.want(200, nil, h.boss, "POST", "/v1/organisations/"+a.id+"/suspend", `{"note":"papers"}`)
	h.refused(409, "quotations.seller_unavailable", "", a.key, "POST", "/v1/quotation-requests/"+r.ID+"/offers", h.offering(a, "1.00"))
	h.refused(409, "quotations.seller_unavailable", "", me, "POST", "/v1/quotation-offers/"+o.ID+"/accept", "")
	h.refused(409, "quotations.seller_unavailable", "/sellers/0", me, "POST", "/v1/quotation-requests",
		fmt.Sprintf(`{"lines":[{"text":"Miel","category":"honey","quantity":1}],"commune":"Fès","sellers":[%q],"deadline":%q}`, a.id, h.in(2*time.Hour)))
}

// Ten requests are open at once, and no more; what cannot be is refused, with
// the place where it is wrong.
func TestWhatCannotBeAskedOrOfferedIsRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b := h.buyer(), h.shop("saffron", "MA-09", "Taliouine"), h.shop("honey", "MA-04", "Rabat")
	ask := func(change func(map[string]any)) string {
		in := map[string]any{
			"lines":   []any{map[string]any{"text": "Miel", "category": "honey", "quantity": 1}},
			"commune": "Fès", "category": "honey", "deadline": h.in(2 * time.Hour),
		}
		change(in)
		body, err := json.Marshal(in)
		must(t, err)
		return string(body)
	}
	for pointer, change := range map[string]func(map[string]any){
		"/commune":          func(m map[string]any) { m["commune"] = "Atlantide" },
		"/category":         func(m map[string]any) { m["category"] = "nothing" },
		"/region":           func(m map[string]any) { m["region"] = "MA-99" },
		"/deadline":         func(m map[string]any) { m["deadline"] = h.in(61 * 24 * time.Hour) },
		"/wanted_on":        func(m map[string]any) { m["wanted_on"] = "2020-01-01" },
		"/budget/amount":    func(m map[string]any) { m["budget"] = map[string]string{"amount": "0.00", "currency": "MAD"} },
		"/sellers/0":        func(m map[string]any) { m["sellers"] = []string{"per_x"} },
		"/lines/0/text":     func(m map[string]any) { m["lines"] = []any{map[string]any{"quantity": 1, "category": "honey"}} },
		"/lines/0/category": func(m map[string]any) { m["lines"] = []any{map[string]any{"quantity": 1, "text": "x"}} },
		"/lines/0/variant": func(m map[string]any) {
			m["lines"] = []any{map[string]any{"quantity": 1, "variant": id.New(id.Variant)}}
		},
	} {
		h.refused(422, "quotations.invalid", pointer, me, "POST", "/v1/quotation-requests", ask(change))
	}
	r := h.request(me, a)
	at := "/v1/quotation-requests/" + r.ID + "/offers"
	for pointer, body := range map[string]string{
		"/lines/0/variant":      h.offering(b, "1.00"),
		"/lines/0/price/amount": h.offering(a, "0.00"),
		"/lines/0/line":         strings.Replace(h.offering(a, "1.00"), `"line":1`, `"line":2`, 1),
		"/valid_until":          strings.Replace(h.offering(a, "1.00"), h.in(96 * time.Hour)[:4], "2099", 1),
		"/lines":                h.offering(a, "999999.99"),
	} {
		w := h.ask(a.key, "POST", at, body)
		if w.Code != 422 || !strings.Contains(w.Body.String(), pointer) {
			t.Errorf("%s: %d %s", pointer, w.Code, w.Body)
		}
	}
	for range 9 {
		r = h.request(me, a)
	}
	h.refused(409, "quotations.too_many", "", me, "POST", "/v1/quotation-requests", ask(func(map[string]any) {}))
	h.want(200, nil, me, "POST", "/v1/quotation-requests/"+r.ID+"/close", "")
	h.want(200, nil, me, "POST", "/v1/quotation-requests/"+r.ID+"/close", "")
	h.want(201, nil, me, "POST", "/v1/quotation-requests", ask(func(map[string]any) {}))
	var p page[quotations.RequestView]
	if h.want(200, &p, me, "GET", "/v1/quotation-requests?limit=10", ""); len(p.Data) != 10 || p.Next == nil {
		t.Fatalf("%d requests on the first page", len(p.Data))
	}
	if h.want(200, &p, me, "GET", "/v1/quotation-requests?limit=10&cursor="+*p.Next, ""); len(p.Data) != 1 || p.Next != nil {
		t.Errorf("%d requests on the second page", len(p.Data))
	}
	for i := range 20 {
		h.offer(a, p.Data[0].ID, fmt.Sprintf("%d.00", 50-i))
	}
	h.refused(409, "quotations.too_many_revisions", "", a.key, "POST", "/v1/quotation-requests/"+p.Data[0].ID+"/offers", h.offering(a, "1.00"))
}

// Questions are between the buyer and one seller; photographs are for those who
// see the request.
func TestQuestionsAndFilesAreForTheTwo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me, a, b, c := h.buyer(), h.shop("saffron", "MA-09", "Taliouine"), h.shop("saffron", "MA-04", "Rabat"), h.shop("honey", "MA-04", "Rabat")
	var f struct{ ID string }
	h.want(201, &f, me, "POST", "/v1/files?kind=proof", "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n")
	var r quotations.RequestView
	body := `{"lines":[{"text":"Safran","category":"saffron","quantity":1}],"commune":"Fès","category":"saffron","deadline":%q,"files":[%q]}`
	h.want(201, &r, me, "POST", "/v1/quotation-requests", fmt.Sprintf(body, h.in(2*time.Hour), f.ID))
	h.refused(409, "media.gone", "/files/0", h.buyer(), "POST", "/v1/quotation-requests", fmt.Sprintf(body, h.in(2*time.Hour), f.ID))
	for key, want := range map[auth.Key]int{me: 200, a.key: 200, c.key: 404} {
		if w := h.ask(key, "GET", r.Files[0], ""); w.Code != want {
			t.Errorf("the file is answered %d, want %d", w.Code, want)
		}
	}
	at := "/v1/quotation-requests/" + r.ID + "/messages"
	h.refused(422, "quotations.invalid", "/seller", me, "POST", at, fmt.Sprintf(`{"text":"Bonjour","seller":%q}`, a.id))
	h.want(201, nil, a.key, "POST", at, `{"text":"Quelle qualité ?"}`)
	h.want(201, nil, me, "POST", at, fmt.Sprintf(`{"text":"La première.","seller":%q}`, a.id))
	h.refused(422, "quotations.invalid", "/text", a.key, "POST", at, `{"text":" \t "}`)
	var p page[quotations.MessageView]
	for _, q := range []struct {
		key  auth.Key
		path string
		n    int
	}{{me, at + "?seller=" + a.id, 2}, {a.key, at, 2}, {b.key, at + "?seller=" + a.id, 0}, {h.boss, at + "?seller=" + a.id, 2}} {
		if h.want(200, &p, q.key, "GET", q.path, ""); len(p.Data) != q.n {
			t.Errorf("%s: %d messages, want %d", q.path, len(p.Data), q.n)
		}
	}
	for range 49 {
		h.want(201, nil, a.key, "POST", at, `{"text":"Allô ?"}`)
	}
	h.refused(429, "quotations.too_many_messages", "", a.key, "POST", at, `{"text":"Allô ?"}`)
}
