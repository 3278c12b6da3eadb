package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
)

// operator is the first operator's key.
func (r *rig) operator() string { return r.keys.Operator.APIKey }

// seller enrols a cooperative that may sell and has a bank account.
func (r *rig) seller(t testing.TB) *shop {
	t.Helper()
	s := &shop{name: "Coopérative " + rand.Text()[:6] + " (exemple)"}
	if err := r.enrol(t.Context(), s, 0); err != nil {
		t.Fatal(err)
	}
	return s
}

// buyers makes people with a key each. There is no route for it yet.
func (r *rig) buyers(t testing.TB, n int) (keys []string) {
	t.Helper()
	ctx := auth.With(t.Context(), auth.Hub)
	err := r.house.store.InTx(ctx, func(tx *pg.Tx) error {
		for range n {
			p, err := r.house.members.CreatePerson(ctx, tx, members.NewPerson{})
			if err != nil {
				return err
			}
			k, err := r.house.members.CreateKey(ctx, tx, p, auth.Buyer, "test")
			if err != nil {
				return err
			}
			keys = append(keys, k.String())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (r *rig) buyer(t testing.TB) string {
	t.Helper()
	return r.buyers(t, 1)[0]
}

// A ware is an offer with one variant.
type ware struct{ offer, variant string }

// ware puts an offer on sale.
func (r *rig) ware(t testing.TB, s *shop, stock int, price string) ware {
	t.Helper()
	var o struct {
		ID       string
		Variants []struct{ ID string }
	}
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers", body: map[string]any{
		"category": "oils", "names": map[string]string{"fr": "Huile d’argane (exemple)", "ar": "زيت أركان"}, "region": "MA-09",
		"variants": []any{map[string]any{
			"sku": "S-" + rand.Text()[:8], "price": dirhams(price), "on_hand": stock, "weight_g": 100, "names": map[string]string{"fr": "250 ml"},
		}},
	}}).into(t, &o)
	r.ask(t, req{key: s.key, method: "POST", path: "/v1/offers/" + o.ID + "/publish"}).into(t, nil)
	return ware{o.ID, o.Variants[0].ID}
}

func dirhams(amount string) map[string]string {
	return map[string]string{"amount": amount, "currency": "MAD"}
}

// basket fills a new basket.
func (r *rig) basket(t testing.TB, buyer string, quantities map[string]int) string {
	t.Helper()
	var b struct{ ID string }
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/baskets"}).into(t, &b)
	for _, v := range slices.Sorted(maps.Keys(quantities)) {
		r.ask(t, req{key: buyer, method: "PUT", path: "/v1/baskets/" + b.ID + "/lines/" + v, body: map[string]int{"quantity": quantities[v]}}).into(t, nil)
	}
	return b.ID
}

// quote asks what a basket costs, brought to Rabat by carrier.
func (r *rig) quote(t testing.TB, buyer, basket string) (hash string) {
	t.Helper()
	var q struct{ Hash string }
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/baskets/" + basket + "/quotes", body: map[string]any{"delivery": rabat()}}).into(t, &q)
	return q.Hash
}

func rabat() map[string]any { return map[string]any{"method": "carrier", "commune": "Rabat"} }

// ordering is the body of a checkout of what was quoted.
func ordering(basket, quote string) map[string]any {
	d := rabat()
	d["address"] = "12, rue de l’Exemple"
	return map[string]any{
		"basket": basket, "quote": quote, "delivery": d, "payment": map[string]any{"method": "card"},
		"contact": map[string]any{"name": "Acheteur exemple", "phone": "0600000000"},
	}
}

// A sale is what a checkout made.
type sale struct {
	buyer  string
	Group  string `json:"order_group"`
	Orders []orderView
	Charge struct {
		ID         string
		Status     string
		Amount     moneyView
		NextAction struct {
			URL    string
			Fields map[string]string
		} `json:"next_action"`
	}
}

// acquirer is whose page the buyer was sent to: the first's, or the second's while
// the first is left alone for what it failed at.
func (s sale) acquirer() string {
	if strings.Contains(s.Charge.NextAction.URL, "/acquirer2/") {
		return "acquirer2"
	}
	return "acquirer"
}

// checkout orders one or more of some wares; nothing is paid.
func (r *rig) checkout(t testing.TB, buyer string, quantities map[string]int) sale {
	t.Helper()
	basket := r.basket(t, buyer, quantities)
	s := sale{buyer: buyer}
	r.ask(t, req{key: buyer, method: "POST", path: "/v1/checkouts", body: ordering(basket, r.quote(t, buyer, basket)), idem: once()}).into(t, &s)
	return s
}

// payBy goes through the acquirer's pages.
func (r *rig) payBy(t testing.TB, s sale, card map[string]string) {
	t.Helper()
	if err := r.pay(t.Context(), s.Charge.NextAction.URL, s.Charge.NextAction.Fields, card); err != nil {
		t.Fatal(err)
	}
}

// paid waits until each order of a sale is paid and its money held.
func (r *rig) paid(t testing.TB, s sale) {
	t.Helper()
	r.until(t, "the sale to be paid", func() bool {
		for _, o := range s.Orders {
			if o := r.orderOf(t, s.buyer, o.ID); o.State != "paid" || o.Escrow.State != "funded" {
				return false
			}
		}
		return true
	})
}

func (r *rig) orderOf(t testing.TB, key, id string) (o orderView) {
	t.Helper()
	r.ask(t, req{key: key, method: "GET", path: "/v1/orders/" + id}).into(t, &o)
	return o
}

// complete has the seller send what was paid, and the buyer confirm it.
func (r *rig) complete(t testing.TB, s sale, seller *shop) {
	t.Helper()
	at := "/v1/orders/" + s.Orders[0].ID
	r.ask(t, req{key: seller.key, method: "POST", path: at + "/accept"}).into(t, nil)
	r.ask(t, req{key: seller.key, method: "POST", path: at + "/ship", body: map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-1"}}).into(t, nil)
	r.ask(t, req{key: s.buyer, method: "POST", path: at + "/receive", idem: once()}).into(t, nil)
}

// earn gives a seller money to be paid out: released, and settled.
func (r *rig) earn(t testing.TB, seller *shop, price string) sale {
	t.Helper()
	w := r.ware(t, seller, 1, price)
	s := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
	r.payBy(t, s, goodCard)
	r.paid(t, s)
	r.complete(t, s, seller)
	r.until(t, "the acquirer's settlement", func() bool {
		var c struct{ Settled bool }
		r.ask(t, req{key: s.buyer, method: "GET", path: "/v1/charges/" + s.Charge.ID}).into(t, &c)
		return c.Settled
	})
	return s
}

// A payoutView is a payout as these tests look at it.
type payoutView struct {
	ID, State, Ref, Account string
	Amount                  moneyView
	Waits                   []struct{ Code string }
}

func (r *rig) payout(t testing.TB, seller *shop, amount string) (p payoutView) {
	t.Helper()
	r.ask(t, req{key: seller.key, method: "POST", path: "/v1/payouts", body: map[string]any{"amount": dirhams(amount)}, idem: once()}).into(t, &p)
	return p
}

func (r *rig) payoutOf(t testing.TB, seller *shop, id string) (p payoutView) {
	t.Helper()
	r.ask(t, req{key: seller.key, method: "GET", path: "/v1/payouts/" + id}).into(t, &p)
	return p
}

// until waits for something that comes by itself, up to three minutes.
func (r *rig) until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited three minutes for %s\n%s\n%s", what, r.owed(t), r.hub.tail())
		}
	}
}

// idle says that since a time a hub was let alone for long enough, and has no
// timers or jobs that are due; one that works for ten seconds is no longer waited
// for.
func (r *rig) idle(t testing.TB, since time.Time, enough time.Duration) bool {
	t.Helper()
	if quiet := time.Since(since); quiet < enough || quiet > 10*time.Second {
		return quiet >= enough
	}
	works, err := pg.Value[bool](t.Context(), r.house.store, nil, `
		select exists (select from platform.timer where next_at <= platform.now())
			or exists (select from river.river_job where state in ('available', 'running'))`)
	if err != nil {
		t.Fatal(err)
	}
	return !works
}

// owed are the timers, the jobs and the statements that a hub is behind with.
func (r *rig) owed(t testing.TB) string {
	t.Helper()
	all, err := pg.Column[string](t.Context(), r.house.store, `
		select 'timer '||kind||' '||subject||' due '||due::text||' next '||next_at::text||' tries '||tries||' '||error from (
			select * from platform.timer where due <= platform.now() order by next_at limit 20) x
		union all
		select 'job '||kind||' '||args::text||' '||state||' at '||scheduled_at::text||' tries '||attempt||' '||coalesce(errors[array_upper(errors, 1)]->>'error', '')
			from river.river_job where state not in ('completed', 'cancelled', 'discarded') and scheduled_at < now() + interval '1 hour'
		union all
		select 'statement '||coalesce(wait_event_type, '')||' '||coalesce(wait_event, '')||' '||left(query, 200)
			from pg_stat_activity where datname = current_database() and state <> 'idle' and pid <> pg_backend_pid()`)
	if err != nil {
		return err.Error()
	}
	return strings.Join(append([]string{"the hub's time is " + r.now(t).String()}, all...), "\n")
}

// now is the hub's time.
func (r *rig) now(t testing.TB) time.Time {
	t.Helper()
	at, err := clock.Now(t.Context(), r.house.store)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// advance moves the hub's time.
func (r *rig) advance(t testing.TB, by string) {
	t.Helper()
	r.ask(t, req{key: r.operator(), method: "POST", path: "/v1/demo/clock", body: map[string]string{"advance": by}}).into(t, nil)
}

// trade is a main job that has been played, for tests that look at its parts.
type trade struct {
	shops         []*shop
	group, charge string
	orders        []orderView
	escrows       []string
}

// play has two cooperatives sell, deliver and be paid.
func (r *rig) trade(t testing.TB) (d trade) {
	t.Helper()
	ctx, mark := context.WithoutCancel(t.Context()), rand.Text()[:6]
	err := func() (err error) {
		for i := range 2 {
			s := &shop{name: fmt.Sprintf("Coopérative %d %s (exemple)", i+1, mark)}
			if err := r.enrol(ctx, s, i); err != nil {
				return err
			}
			if err := r.stock(ctx, s, mark, i); err != nil {
				return err
			}
			d.shops = append(d.shops, s)
		}
		if d.group, d.charge, err = r.buy(ctx, d.shops); err != nil {
			return err
		}
		if err := r.deliver(ctx, d.shops, d.group); err != nil {
			return err
		}
		return r.payOut(ctx, d.shops, d.charge)
	}()
	if err != nil {
		t.Fatalf("%v\n%s", err, r.hub.tail())
	}
	for _, s := range d.shops {
		d.orders = append(d.orders, r.orderOf(t, r.keys.Buyer.APIKey, s.order))
		var o struct{ Escrow struct{ ID string } }
		r.ask(t, req{key: s.key, method: "GET", path: "/v1/orders/" + s.order}).into(t, &o)
		d.escrows = append(d.escrows, o.Escrow.ID)
	}
	return d
}
