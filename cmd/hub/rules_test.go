package main

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/pg"
)

// crowdBoth has many buyers at both hubs want the same three articles, which lie
// in their baskets in any order: exactly as many are sold as there are, nobody
// waits for ever, and no charge stands without its orders. 500 buyers of 100 in
// the long form.
func crowdBoth(t *testing.T, one, two *rig) {
	buyers, units := 120, 24
	if os.Getenv("HUB_LONG") != "" {
		buyers, units = 500, 100
	}
	first, second := one.seller(t), one.seller(t)
	wares := []ware{one.ware(t, first, units, "20.00"), one.ware(t, second, units, "30.00"), one.ware(t, first, units, "40.00")}
	keys, baskets, hashes := one.buyers(t, buyers), make([]string, buyers), make([]string, buyers)
	each := func(atOnce int, do func(i int, r *rig)) {
		var all sync.WaitGroup
		slots := make(chan struct{}, atOnce)
		for i := range buyers {
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				do(i, []*rig{one, two}[i%2])
			})
		}
		all.Wait()
	}
	each(16, func(i int, r *rig) {
		baskets[i] = r.basket(t, keys[i], nil)
		for _, w := range rand.Perm(len(wares)) {
			path := "/v1/baskets/" + baskets[i] + "/lines/" + wares[w].variant
			r.ask(t, req{key: keys[i], method: "PUT", path: path, body: map[string]int{"quantity": 1}}).into(t, nil)
		}
		hashes[i] = r.quote(t, keys[i], baskets[i])
	})
	var got tally
	each(buyers, func(i int, r *rig) { got.of(t, r.checkOut(t, keys[i], baskets[i], hashes[i])) })
	got.want(t, units, buyers-units)
	for i, w := range wares {
		if got := two.left(t, w); got != 0 {
			t.Errorf("%d of article %d are left", got, i)
		}
	}
	orphans, err := pg.Column[string](t.Context(), one.house.store, `select c.id from charges.charge c left join orders.order_group g on g.charge = c.id where g.id is null`)
	if err != nil || len(orphans) > 0 {
		t.Errorf("charges without orders: %v, %v", orphans, err)
	}
}

// tabsBoth has one buyer order the same basket from two tabs, each at another
// hub, with ten clicks in each: a tab sends its own key again.
func tabsBoth(t *testing.T, one, two *rig) {
	key := one.buyer(t)
	w := one.ware(t, one.seller(t), 9, "20.00")
	basket := one.basket(t, key, map[string]int{w.variant: 1})
	body := ordering(basket, one.quote(t, key, basket))
	tabs := []string{once(), once()}
	answers := make([]answer, 20)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			q := req{key: key, method: "POST", path: "/v1/checkouts", body: body, idem: tabs[i%2]}
			for answers[i] = []*rig{one, two}[i%2].ask(t, q); answers[i].Code == "idempotency.in_progress"; {
				time.Sleep(20 * time.Millisecond)
				answers[i] = []*rig{one, two}[i%2].ask(t, q)
			}
		})
	}
	all.Wait()
	groups, told := map[string]int{}, 0
	for _, a := range answers {
		var s sale
		switch {
		case a.status == http.StatusCreated && json.Unmarshal(a.body, &s) == nil:
			groups[s.Group]++
		case a.status == http.StatusConflict && a.Code == "orders.basket_ordered":
			told++
		default:
			t.Errorf("a click is answered %d: %s", a.status, a.body)
		}
	}
	if len(groups) != 1 || told != 10 {
		t.Errorf("two tabs made %v, and %d clicks were told of it; want one order, and ten", groups, told)
	}
	if got := two.left(t, w); got != 8 {
		t.Errorf("%d are left of 9, want 8", got)
	}
}

// patientBoth holds the acquirer's answer to one buyer's payment: others order the
// same article meanwhile, at both hubs, and what was ordered stays as it was.
func patientBoth(t *testing.T, one, two *rig) {
	w := one.ware(t, one.seller(t), 9, "20.00")
	held := one.checkout(t, one.buyer(t), map[string]int{w.variant: 1})
	one.fault(t, "acquirer", "execute_late")
	one.payBy(t, held, goodCard)
	one.until(t, "the acquirer to hold the hub's call", func() bool { return !slices.Contains(one.armed(t), "execute_late") })
	for _, r := range []*rig{one, two} {
		s := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
		r.payBy(t, s, goodCard)
		r.paid(t, s)
	}
	if o := one.orderOf(t, held.buyer, held.Orders[0].ID); o.State == "paid" {
		t.Error("the acquirer's answer came before others had ordered: they may have waited for it")
	}
	one.nudged(t, "the sale to be paid", 46*time.Second, 1, "4m", func() bool {
		return one.orderOf(t, held.buyer, held.Orders[0].ID).State == "paid"
	})
	one.captured(t, held)
}
