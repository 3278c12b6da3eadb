package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net/http"
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
	if long {
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
		for _, w := range mathrand.Perm(len(wares)) {
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
	one.paidFor(t)
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

// dyingBoth has many buyers want few units at both hubs, one of which is killed
// again and again, while the acquirer takes its time: exactly as many are sold as
// there are, each is paid once, and no money was taken for anything else. Whoever
// hears nothing asks again under the same key. 200 buyers of 5 in the long form.
func dyingBoth(t *testing.T, one, two *rig) {
	buyers, units := 40, 5
	if long {
		buyers = 200
	}
	w := one.ware(t, one.seller(t), units, "20.00")
	one.partner(t, "POST", "/faults", map[string]any{"partner": "acquirer", "fault": "callback_before_answer", "times": 2}, nil)
	one.partner(t, "POST", "/faults", map[string]any{"partner": "acquirer", "fault": "slow_body", "times": 2}, nil)
	var all sync.WaitGroup
	var mu sync.Mutex
	var sold []sale
	refused := 0
	slots := make(chan struct{}, 32)
	for i, key := range one.buyers(t, buyers) {
		p := []*rig{one, two}[i%2].plays(io.Discard)
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			s, err := p.wants(t.Context(), key, w)
			mu.Lock()
			defer mu.Unlock()
			if pr, ok := errors.AsType[*problem](err); ok && pr.Code == "catalog.sold_out" {
				refused++
			} else if err != nil {
				t.Errorf("a buyer is answered %v", err)
			} else {
				sold = append(sold, s)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		close(done)
	}()
	kills := 0
	for left := true; left; {
		select {
		case <-done:
			left = false
		case <-time.After(time.Duration(100+mathrand.IntN(900)) * time.Millisecond):
			if kills < 5 { // then it may serve
				kills++
				two.kill()
				two.run(t)
			}
		}
	}
	if len(sold) != units || refused != buyers-units || kills == 0 || one.left(t, w) != 0 {
		t.Errorf("%d buyers got one, %d were refused, the hub was killed %d times; want %d and %d", len(sold), refused, kills, units, buyers-units)
	}
	for _, s := range sold {
		one.nudged(t, "the sale to be paid", 46*time.Second, 1, "4m", func() bool {
			o := one.orderOf(t, s.buyer, s.Orders[0].ID)
			return o.State == "paid" && o.Escrow.Held.Equal(s.Charge.Amount)
		})
		one.captured(t, s)
	}
	one.paidFor(t)
}

// wants has a buyer order one of an article and, a moment later, pay for it.
func (p *player) wants(ctx context.Context, key string, w ware) (s sale, err error) {
	var b, q struct{ ID, Hash string }
	s.buyer = key
	if err := p.post(ctx, key, "/v1/baskets", nil, &b); err != nil {
		return s, err
	}
	line := call{key: key, method: http.MethodPut, path: "/v1/baskets/" + b.ID + "/lines/" + w.variant, body: map[string]int{"quantity": 1}}
	if _, err := p.do(ctx, line, nil); err != nil {
		return s, err
	}
	if err := p.post(ctx, key, "/v1/baskets/"+b.ID+"/quotes", map[string]any{"delivery": rabat()}, &q); err != nil {
		return s, err
	}
	if err := p.commit(ctx, key, "/v1/checkouts", ordering(b.ID, q.Hash), &s); err != nil {
		return s, err
	}
	select {
	case <-ctx.Done():
		return s, ctx.Err()
	case <-time.After(time.Duration(mathrand.IntN(2000)) * time.Millisecond):
	}
	// The page leads back to a hub that may be dead; what counts is what the
	// acquirer did.
	_ = p.pay(ctx, s.Charge.NextAction.URL, s.Charge.NextAction.Fields, goodCard)
	return s, nil
}

// paidFor fails if a charge has no orders, or the acquirer took money under a name
// that is no charge of the hub's.
func (r *rig) paidFor(t *testing.T) {
	t.Helper()
	orphans, err := pg.Column[string](t.Context(), r.house.store, `select c.id from charges.charge c left join orders.order_group g on g.charge = c.id where g.id is null`)
	if err != nil || len(orphans) > 0 {
		t.Errorf("charges without orders: %v, %v", orphans, err)
	}
	all, err := pg.Column[string](t.Context(), r.house.store, `select id from charges.charge`)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, c := range all {
		known[refOf(c)] = true
	}
	for _, e := range r.truth(t, "") {
		if e.Kind == "capture" && !known[e.Ref] {
			t.Errorf("the acquirer took %s for %s, which nobody ordered", e.Amount, e.Ref)
		}
	}
}
