package orders_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// accepted is a paid order of n of a shop's article, which its seller serves.
func (h *hub) accepted(me auth.Key, n int, s shop) (o string) {
	h.t.Helper()
	c := h.buy(me, n, s)
	h.pay(c)
	o = c.ids()[0]
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
	return o
}

// packs has the seller send a parcel with n of its article; 0 is all the rest.
func (h *hub) packs(s shop, o string, n int) (v orders.ShipmentView) {
	h.t.Helper()
	lines := ""
	if n > 0 {
		lines = fmt.Sprintf(`,"lines":[{"variant":%q,"quantity":%d}]`, s.variant, n)
	}
	h.want(201, &v, s.key, "POST", "/v1/orders/"+o+"/shipments", `{"method":"own"`+lines+`}`, fresh())
	return v
}

func (h *hub) shipment(key auth.Key, o, shipment string) orders.ShipmentView {
	h.t.Helper()
	for _, v := range h.show(key, o).Shipments {
		if v.ID == shipment {
			return v
		}
	}
	h.t.Fatalf("order %s has no parcel %s", o, shipment)
	return orders.ShipmentView{}
}

// upload keeps a paper of somebody's, and gives its file.
func (h *hub) upload(key auth.Key) string {
	h.t.Helper()
	w := httptest.NewRecorder()
	keys.Lock()
	keys.n++
	body := fmt.Sprintf("%%PDF-1.4\n1 0 obj<<%d>>endobj\ntrailer<<>>\n%%%%EOF\n", keys.n)
	keys.Unlock()
	r := httptest.NewRequestWithContext(h.t.Context(), "POST", "/v1/files?kind=proof", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/pdf")
	r.Header.Set("Authorization", "Bearer "+key.String())
	h.web.ServeHTTP(w, r)
	if w.Code != 201 {
		h.t.Fatalf("%d %s", w.Code, w.Body)
	}
	return strings.Split(strings.Split(w.Body.String(), `"id":"`)[1], `"`)[0]
}

func TestAnOrderTravelsInSeveralParcels(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	o := h.accepted(me, 5, s)
	at := "/v1/orders/" + o
	for range 2 {
		var v orders.View
		h.want(200, &v, s.key, "POST", at+"/prepare", "{}", fresh())
		if v.State != orders.Accepted || v.Delivery.PreparingSince == nil {
			t.Errorf("prepared, it is %s, %+v", v.State, v.Delivery)
		}
	}
	a := h.packs(s, o, 2)
	if v := h.show(me, o); v.State != orders.Shipped || len(v.Shipments) != 1 || v.Shipments[0].Code != v.Delivery.Code {
		t.Errorf("after the first parcel it is %s with %+v", v.State, v.Shipments)
	}
	h.refused(409, "orders.state", "", me, "POST", at+"/cancel", `{"reason":"x"}`, fresh())
	over := func(n int, v string) string {
		return fmt.Sprintf(`{"method":"carrier","carrier":"c","lines":[{"variant":%q,"quantity":%d}]}`, v, n)
	}
	h.refused(422, "shipments.lines", "/lines/0/quantity", s.key, "POST", at+"/shipments", over(4, s.variant), fresh())
	h.refused(422, "shipments.lines", "/lines/0/variant", s.key, "POST", at+"/shipments", over(1, "var_x"), fresh())
	h.refused(422, "shipments.lines", "/carrier", s.key, "POST", at+"/shipments", `{"method":"carrier"}`, fresh())
	h.refused(404, "orders.not_found", "", h.shop("1.00", 1, "").key, "POST", at+"/shipments", over(1, s.variant), fresh())
	b := h.packs(s, o, 0)
	if b.Lines[0].Quantity != 3 || b.Code != "" {
		t.Errorf("the rest is %+v", b)
	}
	h.refused(409, "shipments.state", "", s.key, "POST", at+"/shipments", `{"method":"own"}`, fresh())
	code := func(id string) string { return fmt.Sprintf(`{"code":%q}`, h.shipment(me, o, id).Code) }
	h.refused(409, "orders.parcels", "", s.key, "POST", at+"/deliver", code(a.ID))
	var v orders.ShipmentView
	h.want(200, &v, s.key, "POST", "/v1/shipments/"+a.ID+"/deliver", code(a.ID), fresh())
	if v.State != orders.Brought || v.Proof == nil || v.Proof.Kind != "code" || v.Code != "" || h.show(me, o).State != orders.Shipped {
		t.Errorf("the first parcel is %+v", v)
	}
	if h.shipment(s.key, o, b.ID).Code != "" {
		t.Error("the seller sees a code")
	}
	h.want(200, &v, s.key, "POST", "/v1/shipments/"+b.ID+"/deliver", code(b.ID), fresh())
	h.refused(409, "shipments.state", "/state", s.key, "POST", "/v1/shipments/"+b.ID+"/deliver", code(b.ID), fresh())
	if got := h.show(me, o).State; got != orders.Delivered {
		t.Errorf("with all parcels there it is %s", got)
	}
	h.advance(week + time.Minute)
	h.deliver()
	if v := h.show(me, o); v.State != orders.Completed || v.Escrow.State != escrow.Released {
		t.Errorf("it is %s with %+v", v.State, v.Escrow)
	}
}

func TestTheRestOfAnOrderIsLateAndNeverDeliveredWithoutIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	o := h.accepted(me, 2, s)
	a := h.packs(s, o, 1)
	h.want(200, nil, s.key, "POST", "/v1/shipments/"+a.ID+"/deliver", fmt.Sprintf(`{"code":%q}`, h.show(me, o).Delivery.Code), fresh())
	h.advance(96*time.Hour + time.Minute)
	v := h.show(me, o)
	if v.State != orders.Shipped || v.Timeline[len(v.Timeline)-1].What != "rest_late" {
		t.Errorf("it is %s: %+v", v.State, v.Timeline)
	}
	h.advance(15 * 24 * time.Hour)
	if v := h.show(me, o); v.Case == nil || v.Escrow.Released.Sign() != 0 {
		t.Errorf("half an order was released, or nobody is asked: %+v, %+v", v.Escrow, v.Case)
	}
}

func TestAPhotographProvesADeliveryWithItsPlaceAndMoreTime(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	o := h.accepted(me, 1, s)
	sh := h.packs(s, o, 0)
	to := "/v1/shipments/" + sh.ID
	f := h.upload(s.key)
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	h.advance(48 * time.Hour)
	now := h.show(me, o).CreatedAt.Add(48 * time.Hour)
	spot := `"place":{"lat":33.97,"lng":-6.85,"accuracy_m":12}`
	bad := func(code, pointer, body string) {
		t.Helper()
		h.refused(422, code, pointer, s.key, "POST", to+"/deliver", body, fresh())
	}
	bad("shipments.proof", "/code", `{}`)
	bad("shipments.proof", "/place", fmt.Sprintf(`{"photo":%q}`, f))
	bad("shipments.proof", "/photo", fmt.Sprintf(`{"photo":%q,"code":"1234"}`, f))
	bad("shipments.proof", "/device_at", fmt.Sprintf(`{"photo":%q,%s,"device_at":%q}`, f, spot, at(now.Add(time.Hour))))
	bad("shipments.proof", "/device_at", fmt.Sprintf(`{"photo":%q,%s,"device_at":%q}`, f, spot, at(now.Add(-72*time.Hour))))
	h.refused(409, "media.gone", "/photo", s.key, "POST", to+"/deliver", fmt.Sprintf(`{"photo":%q,%s}`, h.upload(me), spot), fresh())
	key := fresh()
	body := fmt.Sprintf(`{"photo":%q,%s,"device_at":%q}`, f, spot, at(now.Add(-5*time.Hour)))
	first := h.ask(s.key, "POST", to+"/deliver", body, key) // from a phone that was without a network
	again := h.ask(s.key, "POST", to+"/deliver", body, key)
	if first.Code != 200 || !same(first, again) {
		t.Fatalf("%d %s, then %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	v := h.shipment(me, o, sh.ID)
	if p := v.Proof; p == nil || p.Kind != "photo" || p.Spot == nil || p.Spot.AccuracyM != 12 || p.DeviceAt == nil || p.At.Sub(*p.DeviceAt) < 4*time.Hour {
		t.Fatalf("the proof is %+v", v.Proof)
	}
	for _, key := range []auth.Key{me, s.key, h.boss} {
		if w := h.ask(key, "GET", v.Proof.Photo, ""); w.Code != 200 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	h.refused(404, "shipments.not_found", "", h.buyer(), "GET", v.Proof.Photo, "")
	h.refused(404, "shipments.not_found", "", h.buyer(), "GET", "/v1/shipments/shp_x/photo", "")
	h.advance(week + time.Hour)
	if v := h.show(me, o); v.State != orders.Delivered {
		t.Errorf("a week after the photograph it is %s, want delivered: three days more", v.State)
	}
	if n := h.ages("delivery_proofs"); n != 0 {
		t.Errorf("%d proofs of an order that is not over are gone", n)
	}
	h.advance(72 * time.Hour)
	h.deliver()
	if v := h.show(me, o); v.State != orders.Completed {
		t.Errorf("it is %s", v.State)
	}
	if n := h.ages("delivery_proofs"); n != 0 {
		t.Errorf("%d proofs go while a card's bank may still ask for them", n)
	}
	h.advance(541 * 24 * time.Hour)
	if n := h.ages("delivery_proofs"); n != 1 {
		t.Errorf("%d proofs go when their time is over, want one", n)
	}
}

// ages lets go of all that a period is about, as if its time were over, and says how
// many rows went.
func (h *hub) ages(code string) (n int64) {
	h.t.Helper()
	must(h.t, h.db.InTx(auth.With(h.t.Context(), auth.Hub), func(tx *pg.Tx) (err error) {
		n, err = h.orders.Personal().Pass(auth.With(h.t.Context(), auth.Hub), tx, code, tx.Now().Add(time.Second), 10)
		return err
	}))
	return n
}

func TestAParcelIsBroughtThreeTimesAtMost(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	o := h.accepted(me, 1, s)
	to := "/v1/shipments/" + h.packs(s, o, 0).ID
	var v orders.ShipmentView
	day := h.show(me, o).CreatedAt.Add(48 * time.Hour).Format(time.DateOnly)
	h.refused(422, "shipments.lines", "/again_on", s.key, "POST", to+"/fail", `{"reason":"absent","again_on":"2020-01-01"}`, fresh())
	h.want(200, &v, s.key, "POST", to+"/fail", fmt.Sprintf(`{"reason":"absent","text":"Personne.","again_on":%q}`, day), fresh())
	if v.State != orders.Missed || v.AgainOn != day || len(v.Attempts) != 1 || v.Attempts[0].Reason != "absent" {
		t.Errorf("missed, it is %+v", v)
	}
	h.want(200, &v, h.boss, "POST", to+"/fail", `{"reason":"wrong_address"}`, fresh())
	v = orders.ShipmentView{}
	h.want(200, &v, s.key, "POST", to+"/fail", `{"reason":"unreachable"}`, fresh())
	if v.State != orders.Undeliverable || len(v.Attempts) != 3 || v.AgainOn != "" {
		t.Errorf("missed three times, it is %+v", v)
	}
	h.refused(409, "shipments.state", "/state", s.key, "POST", to+"/fail", `{"reason":"absent"}`, fresh())
	h.refused(404, "shipments.not_found", "", h.shop("1.00", 1, "").key, "POST", to+"/fail", `{"reason":"absent"}`, fresh())
}

func TestWrongCodesOfAParcelCountThoughTheyAreRefused(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	o := h.accepted(me, 2, s)
	h.packs(s, o, 1)
	to := "/v1/shipments/" + h.packs(s, o, 0).ID
	right := h.show(me, o).Shipments[1].Code
	wrong := map[bool]string{true: "0001", false: "0000"}[right == "0000"]
	var wg sync.WaitGroup
	for range 5 { // at once
		wg.Go(func() {
			h.refused(422, "orders.wrong_code", "/code", s.key, "POST", to+"/deliver", fmt.Sprintf(`{"code":%q}`, wrong), fresh())
		})
	}
	wg.Wait()
	h.refused(409, "orders.code_locked", "", s.key, "POST", to+"/deliver", fmt.Sprintf(`{"code":%q}`, right), fresh())
}

func TestACashOrderLeavesInOneParcel(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	c := h.buyBy(me, charges.Cash, 2, s)
	o := c.ids()[0]
	at := "/v1/orders/" + o
	h.want(200, nil, me, "POST", at+"/confirm", "")
	h.want(200, nil, s.key, "POST", at+"/accept", "")
	h.refused(409, "orders.one_parcel", "", s.key, "POST", at+"/shipments", fmt.Sprintf(`{"method":"own","lines":[{"variant":%q,"quantity":1}]}`, s.variant), fresh())
	sh := h.packs(s, o, 0)
	h.refused(409, "orders.uncollected", "", s.key, "POST", "/v1/shipments/"+sh.ID+"/deliver", `{"code":"1234"}`, fresh())
	h.want(200, nil, s.key, "POST", at+"/collect", `{"amount":{"amount":"230.00","currency":"MAD"}}`, fresh())
	if v := h.shipment(me, o, sh.ID); v.Proof == nil || v.Proof.Kind != "cash" {
		t.Errorf("collected, the parcel is %+v", v)
	}
}

// Twenty parcels at once never hold more than was bought; the database says so
// too.
func TestParcelsNeverHoldMoreThanWasBought(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 9, ""), h.buyer()
	o := h.accepted(me, 5, s)
	var wg sync.WaitGroup
	codes := make([]int, 20)
	for i := range codes {
		wg.Go(func() {
			codes[i] = h.ask(s.key, "POST", "/v1/orders/"+o+"/shipments", fmt.Sprintf(`{"method":"own","lines":[{"variant":%q,"quantity":1}]}`, s.variant), fresh()).Code
		})
	}
	wg.Wait()
	sent := 0
	for _, c := range codes {
		if c == 201 {
			sent++
		}
	}
	if sent != 5 || len(h.show(me, o).Shipments) != 5 {
		t.Errorf("%d parcels left (%v), want 5", sent, codes)
	}
	_, err := h.db.Exec(t.Context(), `update orders.shipped set quantity = 6 where order_id = $1`, o)
	if !pg.Violates(err, "shipped_most") {
		t.Errorf("six of five: %v", err)
	}
}
