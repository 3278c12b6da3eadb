package main

import (
	"net/http"
	"testing"
)

// spokenOf plays a review and a message over HTTP.
func spokenOf(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	w := r.ware(t, s, 2, "100.00")
	sale := r.sold(t, w, goodCard, false)
	at := r.delivered(t, sale, s)
	var v struct{ ID string }
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/reviews", body: map[string]any{"variant": w.variant, "rating": 4, "text": "Très bon."}, idem: once()}).into(t, &v)
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/reviews/" + v.ID + "/reply", body: map[string]string{"text": "Merci."}, idem: once()}).into(t, nil)
	for _, action := range []map[string]string{{"action": "hide", "reason": "off_topic"}, {"action": "show"}} {
		r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/reviews/" + v.ID + "/moderate", body: action, idem: once()}).into(t, nil)
	}
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/reviews"}).into(t, nil)
	var list struct{ Data []struct{ ID, Reply string } }
	r.ask(t, req{method: "GET", path: "/v1/offers/" + w.offer + "/reviews"}).into(t, &list)
	var o struct {
		Rating struct {
			Average string
			Reviews int
		}
	}
	r.ask(t, req{method: "GET", path: "/v1/offers/" + w.offer}).into(t, &o)
	if len(list.Data) != 1 || list.Data[0].Reply != "Merci." || o.Rating.Average != "4.0" || o.Rating.Reviews != 1 {
		t.Errorf("anybody reads %+v and sees %+v", list, o)
	}

	var m struct{ Files []string }
	body := map[string]any{"text": "Voici la photo.", "files": []string{r.proves(t, sale.buyer)}}
	r.ask(t, req{key: sale.buyer, method: "POST", path: at + "/messages", body: body, idem: once()}).into(t, &m)
	if a := r.ask(t, req{key: s.key, method: "GET", path: m.Files[0]}); a.status != http.StatusOK {
		t.Errorf("the file is answered %d", a.status)
	}
	r.ask(t, req{key: s.key, method: "GET", path: at + "/messages"}).into(t, nil)
}

// The routes of reviews and messages, for the suite of what happens once.
func init() {
	written := func(t *testing.T, o *onceRig) string {
		s := o.sold(t, o.ware, goodCard, false)
		at := o.delivered(t, s, o.shop)
		var v struct{ ID string }
		o.ask(t, req{key: s.buyer, method: "POST", path: at + "/reviews", body: map[string]any{"variant": o.ware.variant, "rating": 4}, idem: once()}).into(t, &v)
		return v.ID
	}
	postings["orders.review"] = func(t *testing.T, o *onceRig) posting {
		s := o.sold(t, o.ware, goodCard, false)
		rate := func(n int) map[string]any { return map[string]any{"variant": o.ware.variant, "rating": n} }
		p := o.onOrder(t, o.delivered(t, s, o.shop), "reviews", s.buyer, rate(4), rate(6), rate(5))
		p.effect, p.of = `select count(*) from orders.review where order_id = $1`, s.Orders[0].ID
		return p
	}
	postings["reviews.reply"] = func(t *testing.T, o *onceRig) posting {
		say := func(text string) map[string]string { return map[string]string{"text": text} }
		p, review := posting{by: o.stranger.key}, written(t, o)
		p.key, p.path, p.body = o.shop.key, "/v1/reviews/"+review+"/reply", say("Merci.")
		p.bad, p.other = p.at(p.path, say("")), p.at(p.path, say("Merci bien."))
		p.effect, p.of = trail("reviews.reply", review)
		return p
	}
	postings["reviews.moderate"] = func(t *testing.T, o *onceRig) posting {
		hide := func(reason string) map[string]string { return map[string]string{"action": "hide", "reason": reason} }
		review := written(t, o)
		p := o.second(hide("insult"), hide("dull"), hide("other"))
		p.path = "/v1/reviews/" + review + "/moderate"
		p.effect, p.of = trail("reviews.moderate", review)
		return p.moved()
	}
	postings["orders.write"] = func(t *testing.T, o *onceRig) posting {
		s := o.sold(t, o.ware, goodCard, false)
		say := func(text string) map[string]string { return map[string]string{"text": text} }
		p := o.onOrder(t, "/v1/orders/"+s.Orders[0].ID, "messages", s.buyer, say("Bonjour"), say(""), say("Bonsoir"))
		p.effect, p.of = `select count(*) from orders.message where order_id = $1`, s.Orders[0].ID
		return p
	}
}
