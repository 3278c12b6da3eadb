package main

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stockRace has 200 buyers check out one unit each of the 5 there are, at once.
func stockRace(t *testing.T, r *rig, _ trade) {
	w := r.ware(t, r.seller(t), 5, "20.00")
	raceFor(t, w, 5, r.buyers(t, 200), r)
	if got := r.left(t, w); got != 0 {
		t.Errorf("%d units are left, want none", got)
	}
}

// raceFor has each buyer quote and then all check out at once, by turns at each
// of the rigs' hubs; exactly so many may get one.
func raceFor(t *testing.T, w ware, units int, buyers []string, rigs ...*rig) {
	t.Helper()
	var ready, all sync.WaitGroup
	var got tally
	start := make(chan struct{})
	slots := make(chan struct{}, 16) // so many fill their baskets at a time
	for i, key := range buyers {
		r := rigs[i%len(rigs)]
		ready.Add(1)
		all.Go(func() {
			slots <- struct{}{}
			basket := r.basket(t, key, map[string]int{w.variant: 1})
			hash := r.quote(t, key, basket)
			<-slots
			ready.Done()
			<-start
			got.of(t, r.checkOut(t, key, basket, hash))
		})
	}
	ready.Wait()
	close(start)
	all.Wait()
	got.want(t, units, len(buyers)-units)
}

// checkOut orders what was quoted as a patient buyer does, who comes again when the
// hub is busy, and asks for a new quote when it is told that the first has
// expired: demonstrations on the same market move its clock by days.
func (r *rig) checkOut(t *testing.T, key, basket, hash string) (a answer) {
	t.Helper()
	for {
		a = r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, hash), idem: once()})
		switch {
		case a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests:
			time.Sleep(50 * time.Millisecond)
		case a.Code == "quotes.expired":
			hash = r.quote(t, key, basket)
		default:
			return a
		}
	}
}

// A tally counts who got an article and who was told that it is sold out.
type tally struct{ sold, refused atomic.Int64 }

func (c *tally) of(t *testing.T, a answer) {
	t.Helper()
	switch {
	case a.status == http.StatusCreated:
		c.sold.Add(1)
	case a.status == http.StatusConflict && a.Code == "catalog.sold_out":
		c.refused.Add(1)
	default:
		t.Errorf("a buyer is answered %d: %s", a.status, a.body)
	}
}

func (c *tally) want(t *testing.T, sold, refused int) {
	t.Helper()
	if c.sold.Load() != int64(sold) || c.refused.Load() != int64(refused) {
		t.Errorf("%d buyers get one and %d are told that it is sold out, want %d and %d", c.sold.Load(), c.refused.Load(), sold, refused)
	}
}

// checkoutRace sends one checkout 20 times at once: with one key, then with 20.
func checkoutRace(t *testing.T, r *rig, _ trade) {
	w := r.ware(t, r.seller(t), 9, "20.00")
	oneKey := once()
	for name, key := range map[string]func() string{"one key": func() string { return oneKey }, "20 keys": once} {
		buyer := r.buyer(t)
		basket := r.basket(t, buyer, map[string]int{w.variant: 1})
		body := ordering(basket, r.quote(t, buyer, basket))
		var all sync.WaitGroup
		answers := make([]answer, 20)
		for i := range answers {
			all.Go(func() {
				q := req{key: buyer, method: "POST", path: "/v1/checkouts", body: body, idem: key()}
				for answers[i] = r.ask(t, q); answers[i].Code == "idempotency.in_progress"; answers[i] = r.ask(t, q) {
					time.Sleep(20 * time.Millisecond)
				}
			})
		}
		all.Wait()
		made := map[string]int{}
		for _, a := range answers {
			if a.status == http.StatusCreated {
				made[string(a.body)]++
			} else if name == "one key" || a.status != http.StatusConflict || a.Code != "orders.basket_ordered" {
				t.Errorf("with %s a checkout is answered %d: %s", name, a.status, a.body)
			}
		}
		if len(made) != 1 {
			t.Errorf("with %s %d different checkouts were made, want 1", name, len(made))
		}
		var list struct{ Data []any }
		if r.ask(t, req{key: buyer, method: "GET", path: "/v1/orders"}).into(t, &list); len(list.Data) != 1 {
			t.Errorf("with %s the buyer has %d orders, want 1", name, len(list.Data))
		}
	}
}
