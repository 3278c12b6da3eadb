package main

import (
	"crypto/rand"
	"testing"

	"tiwiza/marketplace/digital"
	"tiwiza/marketplace/orders"
)

// digitalWare is a digital article of a seller: of files, or of codes.
func (r *rig) digitalWare(t testing.TB, s *shop, policy string) ware {
	t.Helper()
	var o struct {
		ID       string
		Variants []struct{ ID string }
	}
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers", body: map[string]any{
		"kind": "digital", "category": "oils", "names": map[string]string{"fr": "Livret (exemple)"}, "region": "MA-09",
		"variants": []any{map[string]any{"sku": "D-" + rand.Text()[:8], "price": dirhams("20.00"), "policy": policy}},
	}}).into(t, &o)
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers/" + o.ID + "/publish"}).into(t, nil)
	return ware{o.ID, o.Variants[0].ID}
}

// stored uploads a file that is to be sold.
func (r *rig) stored(t testing.TB, s *shop) string {
	t.Helper()
	var v struct{ ID string }
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/files?kind=ware", body: "%PDF-1.4 " + rand.Text() + " %%EOF", media: "application/octet-stream"}).into(t, &v)
	return v.ID
}

func (r *rig) codes(t testing.TB, s *shop, w ware, codes ...string) {
	t.Helper()
	posts[digital.CodesView](t, r, s.key, "/v1/variants/"+w.variant+"/codes", map[string]any{"codes": codes})
}

// downloads buys and pays digital articles, and waits until its buyer can open them.
func (r *rig) downloads(t testing.TB, buyer string, wares ...ware) sale {
	t.Helper()
	want := map[string]int{}
	for _, w := range wares {
		want[w.variant] = 1
	}
	basket := r.basket(t, buyer, want)
	nowhere := map[string]any{"method": "none"}
	var q struct {
		Hash     string
		Consents []struct{ Hash string }
	}
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/baskets/" + basket + "/quotes", body: map[string]any{"delivery": nowhere}}).into(t, &q)
	body := ordering(basket, q.Hash)
	body["delivery"], body["consents"] = nowhere, []string{q.Consents[0].Hash}
	s := sale{buyer: buyer}
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/checkouts", body: body, idem: once()}).into(t, &s)
	r.payBy(t, s, goodCard)
	r.until(t, "the files to be there", func() bool { return r.orderOf(t, buyer, s.Orders[0].ID).State == "shipped" })
	return s
}

// digitally sells a file and a code, by each route there is.
func digitally(t *testing.T, r *rig, _ trade) {
	s, me, stranger := r.seller(t), r.buyer(t), r.buyer(t)
	file, code := r.digitalWare(t, s, "unlimited"), r.digitalWare(t, s, "stocked")
	w := posts[digital.WareView](t, r, s.key, "/v1/variants/"+file.variant+"/files", map[string]any{"file": r.stored(t, s), "title": "Livret"})
	r.codes(t, s, code, "EX-1", "EX-2")
	order := "/v1/orders/" + r.downloads(t, me, file, code).Orders[0].ID
	posts[orders.DigitalView](t, r, me, order+"/digital/open", map[string]any{})
	var v orders.DigitalView
	r.ask(t, req{key: me, method: "GET", path: order + "/digital"}).into(t, &v)
	given := 0
	for _, a := range v.Articles {
		given += len(a.Codes)
		for _, f := range a.Files {
			r.ask(t, req{key: me, method: "GET", path: f.URL}).into(t, nil)
			r.ask(t, req{key: stranger, method: "GET", path: f.URL}).refused(t, 404, "orders.not_found")
		}
	}
	if len(v.Articles) != 2 || given != 1 || len(v.Consents) != 1 {
		t.Errorf("the buyer has %+v", v)
	}
	r.ask(t, req{key: stranger, method: "GET", path: order + "/digital"}).refused(t, 404, "orders.not_found")
	if o := r.orderOf(t, me, v.Order); o.State != "delivered" {
		t.Errorf("an order that was opened is %s", o.State)
	}
	posts[digital.WareView](t, r, s.key, "/v1/variants/"+file.variant+"/files/"+w.ID+"/retire", nil)
	posts[digital.CodesView](t, r, s.key, "/v1/variants/"+code.variant+"/codes/void", nil)
	var left digital.ShelfView
	for _, x := range []ware{file, code} {
		r.ask(t, req{key: s.key, method: "GET", path: "/v1/variants/" + x.variant + "/digital"}).into(t, &left)
		if len(left.Files)+left.FreeCodes != 0 {
			t.Errorf("what was taken away is %+v", left)
		}
	}
}

func init() {
	added := func(t *testing.T, o *onceRig, policy, path string) (posting, ware) {
		s := o.seller(t)
		w := o.rig.digitalWare(t, s, policy)
		p := o.second(nil, nil, nil)
		p.key, p.by, p.path = s.key, o.stranger.key, "/v1/variants/"+w.variant+path
		return p, w
	}
	postings["digital.add_ware"] = func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		w := o.rig.digitalWare(t, s, "unlimited")
		adds := func(title string) map[string]any { return map[string]any{"file": o.stored(t, s), "title": title} }
		p := o.second(adds("Livret"), map[string]any{"file": "med_none", "title": "Livret"}, adds("Autre"))
		p.key, p.by, p.path = s.key, o.stranger.key, "/v1/variants/"+w.variant+"/files"
		p.effect, p.of = trail("digital.add_ware", w.variant)
		return p.moved()
	}
	postings["digital.retire_ware"] = func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		w := o.rig.digitalWare(t, s, "unlimited")
		made := posts[digital.WareView](t, o.rig, s.key, "/v1/variants/"+w.variant+"/files", map[string]any{"file": o.stored(t, s), "title": "Livret"})
		p := o.second(nil, nil, nil)
		p.key, p.by, p.path = s.key, o.stranger.key, "/v1/variants/"+w.variant+"/files/"+made.ID+"/retire"
		p.effect, p.of = trail("digital.retire_ware", w.variant)
		return p.moved()
	}
	postings["digital.add_codes"] = func(t *testing.T, o *onceRig) posting {
		p, w := added(t, o, "stocked", "/codes")
		codes := func(c string) map[string]any { return map[string]any{"codes": []string{c}} }
		p.body, p.bad, p.other = codes("A"), p.at(p.path, codes(" ")), p.at(p.path, codes("B"))
		p.effect, p.of = trail("digital.add_codes", w.variant)
		return p.moved()
	}
	postings["digital.void_codes"] = func(t *testing.T, o *onceRig) posting {
		p, w := added(t, o, "stocked", "/codes")
		posts[digital.CodesView](t, o.rig, p.key, p.path, map[string]any{"codes": []string{"A"}})
		p.path += "/void"
		p.effect, p.of = trail("digital.void_codes", w.variant)
		return p.moved()
	}
	postings["orders.open"] = func(t *testing.T, o *onceRig) posting {
		s := o.seller(t)
		w := o.rig.digitalWare(t, s, "stocked")
		o.codes(t, s, w, "A")
		sold := o.downloads(t, o.buyer(t), w)
		p := posting{by: o.buyer(t)}
		p.key, p.path, p.body = sold.buyer, "/v1/orders/"+sold.Orders[0].ID+"/digital/open", map[string]any{}
		p.bad, p.other = p.at(p.path, map[string]any{"variants": []string{"var_none"}}), p.at(p.path, map[string]any{"variants": []string{w.variant}})
		p.effect, p.of = trail("orders.open", sold.Orders[0].ID)
		return p
	}
}
