package main

import (
	"testing"
	"time"

	"tiwiza/pkg/clock"
)

// desked has a cooperative claim labels, ask to say more of its goods, keep stock
// at two places and go away for a while; the operator's people decide.
func desked(t *testing.T, r *rig, _ trade) {
	op, s := r.operator(), r.seller(t)
	w := r.ware(t, s, 6, "12.00")
	type made struct{ ID, State string }
	post := func(key, path string, body any) (m made) {
		t.Helper()
		r.ask(t, req{key: key, method: "POST", path: path, body: body, idem: once()}).into(t, &m)
		return m
	}
	get := func(key, path string) { t.Helper(); r.ask(t, req{key: key, method: "GET", path: path}).into(t, nil) }
	type object = map[string]any

	get("", "/v1/categories")
	get("", "/v1/sellers/"+s.org)
	label := func(scope string, offers ...string) made {
		return post(s.key, "/v1/labels", object{
			"code": "Bio exemple", "issuer": "Organisme (exemple)", "number": "EX-" + once()[:8], "scope": scope,
			"offers": append([]string{}, offers...), "valid_from": "2026-01-01",
		})
	}
	first := label("offers", w.offer)
	get(s.key, "/v1/labels?state=claimed")
	post(op, "/v1/labels/"+first.ID+"/verify", object{"evidence": "Registre (exemple)"})
	post(op, "/v1/labels/"+first.ID+"/revoke", object{"reason": "Retiré (exemple)"})
	post(op, "/v1/labels/"+label("organisation").ID+"/refuse", object{"reason": "Illisible (exemple)"})
	if got := post(s.key, "/v1/labels/"+label("organisation").ID+"/withdraw", nil); got.State != "withdrawn" {
		t.Errorf("the claim is %s", got.State)
	}

	ask := func(claims ...string) string {
		var v struct{ Asked made }
		r.ask(t, req{key: s.key, method: "PATCH", path: "/v1/offers/" + w.offer, body: object{"claims": claims}}).into(t, &v)
		return "/v1/changes/" + v.Asked.ID
	}
	post(op, ask("handmade")+"/approve", nil)
	post(op, ask("handmade", "raw")+"/reject", object{"reason": "Chauffé (exemple)"})
	post(s.key, ask("handmade", "wild")+"/withdraw", nil)
	get(op, "/v1/changes?state=approved")

	place := post(s.key, "/v1/places", object{"name": "Grange", "commune": "Taliouine"})
	get(s.key, "/v1/places")
	post(s.key, "/v1/variants/"+w.variant+"/moves", object{"from": "", "to": place.ID, "quantity": 2})

	way := post(s.key, "/v1/delivery-ways", delivers("Nous livrons (exemple)", "15.00"))
	get(s.key, "/v1/delivery-ways")
	post(s.key, "/v1/delivery-ways/"+way.ID+"/end", nil)
	var guest struct {
		Key string `json:"api_key"`
	}
	r.ask(t, req{method: "POST", path: "/v1/guests"}).into(t, &guest)
	me := r.buyer(t)
	from, to := r.basket(t, guest.Key, map[string]int{w.variant: 1}), r.basket(t, me, nil)
	post(me, "/v1/baskets/"+to+"/merge", object{"from": from, "key": guest.Key})

	off := post(s.key, "/v1/promotions", takesOff("Remise exemple", "1.00"))
	get(s.key, "/v1/promotions")
	post(s.key, "/v1/promotions/"+off.ID+"/end", nil)
	post(op, "/v1/delivery-tariffs", object{"method": "own", "base": dirhams("20.00"), "included_g": 10000, "per_kg": dirhams("2.00"), "since": "2099-01-01"})
	get(s.key, "/v1/delivery-tariffs")
	post(op, "/v1/payment-rules", object{"method": "transfer", "seller": s.org, "most": dirhams("900.00"), "since": "2099-01-01"})
	get(s.key, "/v1/payment-rules")

	today := time.Now().In(clock.Morocco).AddDate(0, 0, 200) // the hubs of tests move their clocks by weeks
	away := post(s.key, "/v1/closures", object{"from": today.Format(time.DateOnly), "to": today.AddDate(0, 0, 3).Format(time.DateOnly)})
	get(s.key, "/v1/closures")
	r.ask(t, req{key: r.buyer(t), method: "POST", path: "/v1/closures/" + away.ID + "/reopen"}).refused(t, 403, "auth.denied")
	post(s.key, "/v1/closures/"+away.ID+"/reopen", nil)
}
