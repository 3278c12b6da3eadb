package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/groupbuys"
	"tiwiza/marketplace/pools"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// grouping asks for a group buy at 90.00 each, 80.00 from three on, of which there
// are at least two and at most so many.
func grouping(variant string, most int) map[string]any {
	return map[string]any{
		"variant": variant, "minimum": 2, "maximum": most, "price": dirhams("90.00"), "deadline": time.Now().AddDate(0, 0, 25),
		"tiers": []any{map[string]any{"from": 3, "price": dirhams("80.00")}},
	}
}

// seeking opens a pool of oil.
func seeking(name, ceiling string) map[string]any {
	return map[string]any{
		"names": map[string]string{"fr": name}, "text": "Première pression.", "category": "oils", "unit": "bouteille de 250 ml", "commune": "Agadir", "address": "Marché central",
		"ceiling": dirhams(ceiling), "minimum": 5, "deadline": time.Now().AddDate(0, 0, 25),
	}
}

func pledging(quantity int, price, variant string) map[string]any {
	body := map[string]any{"quantity": quantity, "price": dirhams(price)}
	if variant != "" {
		body["variant"] = variant
	}
	return body
}

// posts posts something, and reads the answer.
func posts[T any](t testing.TB, r *rig, key, path string, body any) (v T) {
	t.Helper()
	r.ask(t, req{key: key, method: "POST", path: path, body: body, idem: once()}).into(t, &v)
	return v
}

// buysBasket orders a basket that was given, and pays it.
func (r *rig) buysBasket(t testing.TB, buyer, basket string) sale {
	t.Helper()
	s := sale{buyer: buyer}
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/checkouts", body: ordering(basket, r.quote(t, buyer, basket)), idem: once()}).into(t, &s)
	r.payBy(t, s, goodCard)
	r.paid(t, s)
	return s
}

// joins takes places in a group, and pays them.
func (r *rig) joins(t testing.TB, group string, quantity int) sale {
	t.Helper()
	k := r.buyer(t)
	j := posts[groupbuys.JoinView](t, r, k, "/v1/group-buys/"+group+"/baskets", map[string]int{"quantity": quantity})
	return r.buysBasket(t, k, j.Basket)
}

func (r *rig) groupOf(t testing.TB, id string) (v groupbuys.View) {
	t.Helper()
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/group-buys/" + id}).into(t, &v)
	return v
}

// over has the deadline of a group buy or a pool have come.
func over(t testing.TB, owner *pg.Store, table, id string) {
	t.Helper()
	for _, text := range []string{
		`update ` + table + ` set deadline = made_at + interval '1 millisecond' where id = $1`,
		`update platform.timer set due = platform.now(), next_at = platform.now() where subject = $1 and kind in ('group_buys.close', 'pools.clear')`,
	} {
		if _, err := owner.Exec(t.Context(), text, id); err != nil {
			t.Fatal(err)
		}
	}
}

// ownerOf is the database of a rig as its owner sees it.
func ownerOf(t testing.TB, r *rig) *pg.Store {
	t.Helper()
	owner := pgtest.Open(t, r.db, pg.Options{MaxConns: 1})
	if _, err := owner.Exec(t.Context(), `set role none`); err != nil {
		t.Fatal(err)
	}
	return owner
}

// together has people buy together: a group that reaches a lower price, one that
// misses its minimum, and a pool of three who buy and three who sell.
func together(t *testing.T, r *rig, _ trade) {
	owner := ownerOf(t, r)
	s := r.seller(t)
	w := r.ware(t, s, 100, "100.00")
	reached(t, r, s, w)
	missed(t, r, owner, s, w)
	answered(t, r, s, w)
	pooled(t, r, owner)
	lapsed(t, r, owner)
}

func reached(t *testing.T, r *rig, s *shop, w ware) {
	g := posts[groupbuys.View](t, r, s.key, "/v1/group-buys", grouping(w.variant, 4))
	if list := r.shows(t, "", "/v1/group-buys?seller="+s.org); !strings.Contains(list, g.ID) || strings.Contains(list, `"organiser"`) {
		t.Errorf("everybody sees %s", list)
	}
	sales := []sale{r.joins(t, g.ID, 1), r.joins(t, g.ID, 3)}
	r.until(t, "the group to be ordered", func() bool { return r.groupOf(t, g.ID).State == groupbuys.Ordered })
	for i, want := range []string{"10.00", "30.00"} {
		o := sales[i].Orders[0].ID
		r.until(t, "the difference to arrive", func() bool {
			back := r.refundsOf(t, sales[i].buyer, o)
			return len(back) == 1 && back[0].State == "confirmed" && back[0].Amount.Amount() == want
		})
		v := r.orderOf(t, sales[i].buyer, o)
		at := "/v1/orders/" + o
		r.ask(t, req{key: s.key, method: "POST", path: at + "/accept"}).into(t, nil)
		r.ask(t, req{key: s.key, method: "POST", path: at + "/ship", body: map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-1"}}).into(t, nil)
		r.ask(t, req{key: s.key, method: "POST", path: at + "/deliver", body: map[string]string{"code": v.Delivery.Code}}).into(t, nil)
	}
	if v := r.groupOf(t, g.ID); v.State != groupbuys.Distributed || v.PriceNow.Amount() != "80.00" {
		t.Errorf("the group is %+v", v)
	}
	if file := r.shows(t, s.key, "/v1/group-buys/"+g.ID+"/orders.csv"); strings.Count(file, "delivered") != 2 {
		t.Errorf("the file is %s", file)
	}
	if list := r.shows(t, s.key, "/v1/group-buys/"+g.ID+"/orders?limit=1"); !strings.Contains(list, `"next":"`) {
		t.Errorf("its first order is %s", list)
	}
}

func missed(t *testing.T, r *rig, owner *pg.Store, s *shop, w ware) {
	g := posts[groupbuys.View](t, r, s.key, "/v1/group-buys", grouping(w.variant, 4))
	lost := r.joins(t, g.ID, 1)
	over(t, owner, "groupbuys.group_buy", g.ID)
	r.until(t, "all to be given back", func() bool { return r.groupOf(t, g.ID).State == groupbuys.Refunded })
	if o := r.orderOf(t, lost.buyer, lost.Orders[0].ID); o.State != "cancelled" || o.Escrow.Refunded.Amount() != "120.00" {
		t.Errorf("who joined has %+v", o)
	}
}

func answered(t *testing.T, r *rig, s *shop, w ware) {
	k := r.buyer(t)
	var ids []string
	for range 3 {
		ids = append(ids, posts[groupbuys.View](t, r, k, "/v1/group-buys", grouping(w.variant, 9)).ID)
	}
	why := map[string]string{"reason": "Pas cette année."}
	one, two, three := posts[groupbuys.View](t, r, s.key, "/v1/group-buys/"+ids[0]+"/admit", nil),
		posts[groupbuys.View](t, r, s.key, "/v1/group-buys/"+ids[1]+"/decline", why), posts[groupbuys.View](t, r, k, "/v1/group-buys/"+ids[2]+"/cancel", why)
	if one.State != groupbuys.Open || two.State != groupbuys.Declined || three.State != groupbuys.Declined {
		t.Errorf("%s, %s, %s", one.State, two.State, three.State)
	}
	if mine := r.shows(t, k, "/v1/group-buys/mine"); strings.Count(mine, `"organiser"`) != 3 {
		t.Errorf("the buyer's: %s", mine)
	}
	r.ask(t, req{key: r.buyer(t), method: "GET", path: "/v1/group-buys/" + ids[1]}).refused(t, http.StatusNotFound, "group_buys.not_found")
}

// pooled has three buy and three sell, at the price at which most is exchanged.
func pooled(t *testing.T, r *rig, owner *pg.Store) {
	union := r.seller(t)
	p := posts[pools.View](t, r, union.key, "/v1/pools", seeking("Huile pour trois (exemple)", "100.00"))
	gone := posts[pools.View](t, r, union.key, "/v1/pools", seeking("Huile pour personne (exemple)", "100.00"))
	if v := posts[pools.View](t, r, union.key, "/v1/pools/"+gone.ID+"/cancel", nil); v.State != pools.Cancelled {
		t.Errorf("the other is %s", v.State)
	}
	at := "/v1/pools/" + p.ID
	var buyers []string
	for _, b := range []struct {
		quantity int
		price    string
	}{{4, "95.00"}, {3, "90.00"}, {5, "70.00"}} {
		k := r.buyer(t)
		buyers = append(buyers, k)
		posts[pools.PledgeView](t, r, k, at+"/pledges", pledging(b.quantity, b.price, ""))
	}
	var makers []*shop
	for _, m := range []struct {
		quantity int
		price    string
	}{{5, "80.00"}, {9, "60.00"}, {9, "99.00"}} {
		s := r.seller(t)
		w := r.ware(t, s, 20, "110.00")
		makers = append(makers, s)
		posts[pools.PledgeView](t, r, s.key, at+"/pledges", pledging(m.quantity, m.price, w.variant))
	}
	r.ask(t, req{key: buyers[0], method: "POST", path: at + "/pledges", body: pledging(1, "95.00", ""), idem: once()}).refused(t, 409, "pools.pledged")
	sorry := r.buyer(t)
	l := posts[pools.PledgeView](t, r, sorry, at+"/pledges", pledging(9, "99.00", ""))
	r.ask(t, req{key: buyers[0], method: "POST", path: at + "/pledges/" + l.ID + "/withdraw", idem: once()}).refused(t, 404, "pools.no_pledge")
	posts[pools.PledgeView](t, r, sorry, at+"/pledges/"+l.ID+"/withdraw", nil)
	r.ask(t, req{key: buyers[0], method: "POST", path: at + "/baskets", idem: once()}).refused(t, 409, "pools.no_deal")
	if list := r.shows(t, buyers[0], at+"/pledges"); strings.Count(list, `"side"`) != 1 {
		t.Errorf("a buyer sees %s", list)
	}
	if list := r.shows(t, union.key, at+"/pledges"); strings.Contains(list, `"side"`) {
		t.Errorf("before its end its organiser sees %s", list)
	}
	over(t, owner, "pools.pool", p.ID)
	r.until(t, "the pool to be cleared", func() bool {
		r.ask(t, req{method: "GET", path: at}).into(t, &p)
		return p.State == pools.Cleared
	})
	// 12 are asked for at 70.00 and nine offered; who asks 80.00 is not needed.
	if p.Price.Amount() != "65.00" && p.Quantity != 9 {
		t.Errorf("it cleared %d at %s", p.Quantity, p.Price)
	}
	if list := r.shows(t, union.key, at+"/pledges"); strings.Count(list, `"side"`) != 7 {
		t.Errorf("its organiser sees %s", list)
	}
	r.deals(t, p, at, buyers, makers)
}

// deals has each buyer of a pool pay what was matched.
func (r *rig) deals(t *testing.T, p pools.View, at string, buyers []string, makers []*shop) {
	got := 0
	for _, k := range buyers {
		var list struct{ Data []pools.DealView }
		r.ask(t, req{key: k, method: "GET", path: at + "/deals"}).into(t, &list)
		if len(list.Data) == 0 {
			t.Errorf("a buyer of %d has nothing", p.Quantity)
			continue
		}
		b := posts[pools.BasketView](t, r, k, at+"/baskets", nil)
		s := r.buysBasket(t, k, b.Basket)
		if len(s.Orders) != len(list.Data) {
			t.Errorf("%d orders of %d deals", len(s.Orders), len(list.Data))
		}
		var sum int64
		for _, d := range list.Data {
			got += d.Quantity
			sum += int64(d.Quantity) * d.Price.Centimes()
			if !d.Price.Equal(*p.Price) {
				t.Errorf("a deal at %s", d.Price)
			}
		}
		if s.Charge.Amount.Centimes() != sum { // the producers bring it to one place
			t.Errorf("the buyer pays %s, want %d", s.Charge.Amount, sum)
		}
		for _, o := range s.Orders {
			for _, m := range makers {
				if m.org == o.Seller.ID {
					r.complete(t, sale{buyer: k, Orders: []orderView{o}}, m)
				}
			}
		}
	}
	if got != p.Quantity {
		t.Errorf("%d were bought of %d", got, p.Quantity)
	}
	r.until(t, "the pool to be settled", func() bool {
		r.ask(t, req{method: "GET", path: at}).into(t, &p)
		return p.State == pools.Settled
	})
	if list := r.shows(t, r.operator(), at+"/deals"); strings.Count(list, `"paid"`) != strings.Count(list, `"buyer"`) {
		t.Errorf("its deals: %s", list)
	}
	if list := r.shows(t, "", "/v1/pools?category=oils&region=MA-09"); strings.Contains(list, p.ID) {
		t.Errorf("it is over and listed: %s", list)
	}
}

// lapsed has nobody pay what a pool matched.
func lapsed(t *testing.T, r *rig, owner *pg.Store) {
	k, s := r.buyer(t), r.seller(t)
	w := r.ware(t, s, 20, "110.00")
	p := asPool(t, r, k, pledging(5, "95.00", ""), s, pledging(6, "90.00", w.variant))
	over(t, owner, "pools.pool", p)
	at := "/v1/pools/" + p
	var list struct{ Data []pools.DealView }
	r.until(t, "a deal", func() bool {
		r.ask(t, req{key: s.key, method: "GET", path: at + "/deals"}).into(t, &list)
		return len(list.Data) == 1
	})
	d := list.Data[0]
	if d.Price.Amount() != "92.50" || d.Quantity != 5 {
		t.Errorf("%+v", d)
	}
	var agreed struct{ Data []struct{ ID, State string } }
	r.ask(t, req{key: k, method: "GET", path: "/v1/agreements"}).into(t, &agreed)
	r.ask(t, req{key: k, method: "GET", path: "/v1/agreements/" + d.Agreement}).into(t, nil)
	for _, text := range []string{
		`update agreements.agreement set until = made_at + interval '1 millisecond' where id = $1`,
		`update platform.timer set due = platform.now(), next_at = platform.now() where kind = 'agreements.until' and subject = $1`,
	} {
		if _, err := owner.Exec(t.Context(), text, d.Agreement); err != nil {
			t.Fatal(err)
		}
	}
	r.until(t, "the pool to be settled", func() bool { return strings.Contains(r.shows(t, "", at), `"settled"`) })
	if got := r.shows(t, k, at+"/deals"); !strings.Contains(got, `"lapsed"`) {
		t.Errorf("its deals: %s", got)
	}
}

// asPool opens a pool in which one buys and one sells.
func asPool(t *testing.T, r *rig, buyer string, buys map[string]any, seller *shop, sells map[string]any) string {
	p := posts[pools.View](t, r, buyer, "/v1/pools", seeking("Huile exemple", "100.00"))
	posts[pools.PledgeView](t, r, buyer, "/v1/pools/"+p.ID+"/pledges", buys)
	posts[pools.PledgeView](t, r, seller.key, "/v1/pools/"+p.ID+"/pledges", sells)
	return p.ID
}
