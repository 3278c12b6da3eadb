package main

import (
	"net/http"
	"strings"
	"testing"
)

// A returned is a return as these tests look at it.
type returned struct {
	ID, State, Waits string
	Refunded         moneyView
	Photos           []string
}

// delivered has what was sold come to its buyer, by proof.
func (r *rig) delivered(t testing.TB, s sale, seller *shop) (at string) {
	t.Helper()
	r.shipped(t, s, seller)
	at = "/v1/orders/" + s.Orders[0].ID
	var v struct{ Delivery struct{ Code string } }
	r.ask(t, req{key: s.buyer, method: "GET", path: at}).into(t, &v)
	r.ask(t, req{key: seller.key, method: "POST", path: at + "/deliver", body: map[string]string{"code": v.Delivery.Code}}).into(t, nil)
	return at
}

func back(variant, reason, wish string) map[string]any {
	return map[string]any{"lines": []any{map[string]any{"variant": variant, "quantity": 1}}, "reason": reason, "wish": wish}
}

// asksBack has the buyer of a sale send it back.
func (r *rig) asksBack(t testing.TB, s sale, at string, body map[string]any) (v returned) {
	t.Helper()
	r.ask(t, req{key: s.buyer, method: "POST", path: at + "/returns", body: body, idem: once()}).into(t, &v)
	return v
}

func (r *rig) turns(t testing.TB, key string, ret, what string, body any) (v returned) {
	t.Helper()
	r.ask(t, req{key: key, method: "POST", path: "/v1/returns/" + ret + "/" + what, body: body, idem: once()}).into(t, &v)
	return v
}

var (
	onItsWay = map[string]string{"carrier": "Messagerie exemple", "tracking": "RT-1"}
	nothing  = map[string]any{}
)

// sentBack plays returns over HTTP in each way they can go.
func sentBack(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	w := r.ware(t, s, 9, "100.00")
	sold := func() (sale, string) {
		one := r.sold(t, w, goodCard, false)
		return one, r.delivered(t, one, s)
	}

	one, at := sold()
	var f struct{ ID string }
	r.ask(t, req{key: one.buyer, method: "POST", path: "/v1/files?kind=proof", body: "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", media: "application/pdf"}).into(t, &f)
	body := back(w.variant, "damaged", "refund")
	body["photos"] = []string{f.ID}
	v := r.asksBack(t, one, at, body)
	if a := r.ask(t, req{key: s.key, method: "GET", path: v.Photos[0]}); a.status != http.StatusOK || !strings.HasPrefix(string(a.body), "%PDF") {
		t.Errorf("the photograph is answered %d", a.status)
	}
	r.ask(t, req{key: r.buyer(t), method: "GET", path: "/v1/returns/" + v.ID}).refused(t, 404, "returns.not_found")
	r.turns(t, s.key, v.ID, "approve", nothing)
	r.turns(t, one.buyer, v.ID, "send", onItsWay)
	if v = r.turns(t, s.key, v.ID, "receive", nothing); v.State != "refunded" || v.Refunded.Amount() != "130.00" {
		t.Errorf("received, it is %+v", v)
	}
	r.until(t, "the refund", func() bool {
		all := r.refundsOf(t, one.buyer, one.Orders[0].ID)
		return len(all) == 1 && all[0].State == "confirmed"
	})

	two, at := sold()
	v = r.asksBack(t, two, at, back(w.variant, "damaged", "replacement"))
	r.turns(t, s.key, v.ID, "approve", nothing)
	r.turns(t, s.key, v.ID, "receive", nothing)
	r.turns(t, s.key, v.ID, "replace", onItsWay)
	r.turns(t, two.buyer, v.ID, "withdraw", nothing)
	v = r.asksBack(t, two, at, back(w.variant, "damaged", "replacement"))
	r.turns(t, s.key, v.ID, "approve", nothing)
	r.turns(t, s.key, v.ID, "receive", nothing)
	if v = r.turns(t, s.key, v.ID, "refund", nothing); v.State != "refunded" {
		t.Errorf("paid, it is %+v", v)
	}

	three, at := sold()
	v = r.asksBack(t, three, at, back(w.variant, "other", "refund"))
	r.turns(t, s.key, v.ID, "reject", map[string]string{"reason": "no_fault", "text": "Le pot était intact."})
	r.ask(t, req{key: three.buyer, method: "GET", path: "/v1/returns/" + v.ID}).into(t, &v)
	if v.State != "rejected" {
		t.Errorf("rejected, it is %+v", v)
	}
	var list struct{ Data []returned }
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/returns?limit=2"}).into(t, &list)
	if len(list.Data) != 2 || list.Data[0].ID != v.ID {
		t.Errorf("the seller's returns are %+v", list.Data)
	}
}

// The routes of returns, for the suite of what happens once.
func init() {
	postings["returns.create"] = func(t *testing.T, o *onceRig) posting {
		s := o.sold(t, o.ware, goodCard, false)
		at := o.delivered(t, s, o.shop)
		p := posting{by: o.stranger.key}
		p.key, p.path, p.body = s.buyer, at+"/returns", back(o.ware.variant, "damaged", "refund")
		p.bad, p.other = p.at(p.path, back("var_none", "damaged", "refund")), p.at(p.path, back(o.ware.variant, "other", "refund"))
		p.effect, p.of = `select count(*) from orders.return where order_id = $1`, s.Orders[0].ID
		return p
	}
	reject := func(reason string) map[string]string { return map[string]string{"reason": reason, "text": "Non."} }
	for name, of := range map[string]struct {
		wish, reason     string
		before           []string
		body, bad, other any
		buyer            bool
	}{
		"approve":  {"refund", "damaged", nil, nil, nil, nil, false},
		"reject":   {"refund", "damaged", nil, reject("no_fault"), reject("because"), reject("too_late"), false},
		"send":     {"refund", "withdrawal", nil, onItsWay, nothing, map[string]string{"carrier": "a", "tracking": "b"}, true},
		"withdraw": {"refund", "damaged", nil, nil, nil, nil, true},
		"receive":  {"refund", "withdrawal", nil, nothing, map[string]int{"restock": 1}, map[string]any{"restock": []any{}}, false},
		"replace":  {"replacement", "damaged", []string{"approve", "receive"}, onItsWay, nothing, map[string]string{"carrier": "a", "tracking": "b"}, false},
		"refund":   {"replacement", "damaged", []string{"approve", "receive"}, nil, nil, nil, false},
	} {
		postings["returns."+name] = func(t *testing.T, o *onceRig) posting {
			s := o.sold(t, o.ware, goodCard, false)
			v := o.asksBack(t, s, o.delivered(t, s, o.shop), back(o.ware.variant, of.reason, of.wish))
			for _, step := range of.before {
				o.turns(t, o.shop.key, v.ID, step, nothing)
			}
			p := posting{by: o.stranger.key}
			p.key, p.path, p.body = o.shop.key, "/v1/returns/"+v.ID+"/"+name, of.body
			if of.buyer {
				p.key = s.buyer
			}
			p.bad, p.other = p.at(p.path, of.bad), p.at(p.path, of.other)
			p.effect, p.of = trail("returns."+name, v.ID)
			return p.moved()
		}
	}
}
