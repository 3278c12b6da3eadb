package main

import (
	"testing"
)

// accepted is a sale that its seller serves.
func (r *rig) accepted(t testing.TB, w ware, seller *shop) (s sale, at string) {
	t.Helper()
	s = r.sold(t, w, goodCard, false)
	at = "/v1/orders/" + s.Orders[0].ID
	r.ask(t, req{key: seller.key, method: "POST", path: at + "/accept"}).into(t, nil)
	return s, at
}

// packs has the seller send all of an order.
func (r *rig) packs(t testing.TB, seller *shop, at string) (shipment string) {
	t.Helper()
	var v struct{ ID string }
	r.ask(t, req{key: seller.key, method: "POST", path: at + "/shipments", body: map[string]string{"method": "own"}, idem: once()}).into(t, &v)
	return v.ID
}

// proves keeps a paper of a seller's.
func (r *rig) proves(t testing.TB, key string) (file string) {
	t.Helper()
	var f struct{ ID string }
	body := "%PDF-1.4\n1 0 obj<<" + once() + ">>endobj\ntrailer<<>>\n%%EOF\n"
	r.ask(t, req{key: key, method: "POST", path: "/v1/files?kind=proof", body: body, media: "application/pdf"}).into(t, &f)
	return f.ID
}

var somewhere = map[string]any{"lat": 33.97, "lng": -6.85, "accuracy_m": 10}

// parcelled plays parcels over HTTP: one is missed, then proved by a photograph.
func parcelled(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	sale, at := r.accepted(t, r.ware(t, s, 2, "100.00"), s)
	r.ask(t, req{key: s.key, method: "POST", path: at + "/prepare", idem: once()}).into(t, nil)
	shipment := r.packs(t, s, at)
	to := "/v1/shipments/" + shipment
	r.ask(t, req{key: s.key, method: "POST", path: to + "/fail", body: map[string]any{"reason": "absent", "place": somewhere}, idem: once()}).into(t, nil)
	body := map[string]any{"photo": r.proves(t, s.key), "place": somewhere}
	r.ask(t, req{key: s.key, method: "POST", path: to + "/deliver", body: body, idem: once()}).into(t, nil)
	if a := r.ask(t, req{key: sale.buyer, method: "GET", path: to + "/photo"}); a.status != 200 {
		t.Errorf("the photograph is answered %d", a.status)
	}
	var v struct {
		State     string
		Shipments []struct {
			State    string
			Attempts []struct{ Reason string }
		}
	}
	r.ask(t, req{key: sale.buyer, method: "GET", path: at}).into(t, &v)
	if v.State != "delivered" || len(v.Shipments) != 1 || v.Shipments[0].State != "delivered" || len(v.Shipments[0].Attempts) != 1 {
		t.Errorf("the order is %+v", v)
	}
}

// The routes of parcels, for the suite of what happens once.
func init() {
	postings["orders.prepare"] = func(t *testing.T, o *onceRig) posting {
		_, at := o.accepted(t, o.ware, o.shop)
		return o.onOrder(t, at, "prepare", o.shop.key, nil, nil, nil)
	}
	postings["orders.ship_part"] = func(t *testing.T, o *onceRig) posting {
		s, at := o.accepted(t, o.ware, o.shop)
		by := func(method string) map[string]string { return map[string]string{"method": method} }
		p := o.onOrder(t, at, "shipments", o.shop.key, by("own"), by("carrier"), by("pickup"))
		p.effect, p.of = `select count(*) from orders.shipment where order_id = $1`, s.Orders[0].ID
		return p
	}
	postings["shipments.deliver"] = func(t *testing.T, o *onceRig) posting {
		_, at := o.accepted(t, o.ware, o.shop)
		with := func(file string) map[string]any { return map[string]any{"photo": file, "place": somewhere} }
		return o.onParcel(t, o.packs(t, o.shop, at), "deliver", with(o.proves(t, o.shop.key)), with("med_none"), with(o.proves(t, o.shop.key)))
	}
	postings["shipments.fail"] = func(t *testing.T, o *onceRig) posting {
		_, at := o.accepted(t, o.ware, o.shop)
		return o.onParcel(t, o.packs(t, o.shop, at), "fail", reason("absent"), reason("because"), reason("closed"))
	}
}

// onParcel is what a seller says of a parcel.
func (o *onceRig) onParcel(t *testing.T, shipment, move string, body, bad, other any) posting {
	t.Helper()
	p := posting{by: o.stranger.key}
	p.key, p.path, p.body = o.shop.key, "/v1/shipments/"+shipment+"/"+move, body
	p.bad, p.other = p.at(p.path, bad), p.at(p.path, other)
	p.effect, p.of = trail("shipments."+move, shipment)
	return p.moved()
}
