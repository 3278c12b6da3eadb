package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tiwiza/pkg/outbound/netfault"

	"github.com/jackc/pgx/v5"
)

// second starts another hub on the same database and partners.
func (r *rig) second(t testing.TB) *rig {
	t.Helper()
	addr, dir := netfault.FreeAddr(t), t.TempDir()
	two := &rig{dir: dir, db: r.db, url: "http://" + addr, sim: r.sim, house: r.house}
	two.env = append(append([]string(nil), r.env...), "HUB_DATA_DIR="+dir, "HUB_ADDR="+addr)
	t.Cleanup(func() { two.stop(t) })
	for _, lock := range []string{"demo.door.lock", "demo.clock.lock"} { // both have one clock
		if err := os.Symlink(filepath.Join(r.dir, lock), filepath.Join(dir, lock)); err != nil {
			t.Fatal(err)
		}
	}
	two.run(t)
	var err error
	if two.keys, err = readDemo(filepath.Join(dir, demoFile)); err != nil {
		t.Fatal(err)
	}
	two.crowd = gather(r.house, two.url)
	two.player = two.plays(io.Discard)
	return two
}

// TestTwoHubsAreOne has two hubs serve one market: what one sells the other does
// not sell again, and each takes in what concerns the other's sales.
func TestTwoHubsAreOne(t *testing.T) {
	t.Parallel()
	one := newRig(t)
	two := one.second(t)
	// They move the clock by days, which would end the others' quotes.
	t.Run("demonstrations play through both", func(t *testing.T) { playBoth(t, one, two) })
	t.Run("together", func(t *testing.T) {
		for name, fact := range map[string]func(*testing.T, *rig, *rig){
			"rule 3.1: buyers at both race for the same stock":               raceBoth,
			"rule 3.1: a crowd wants three articles in any order":            crowdBoth,
			"rule 3.5: either takes in the other's callbacks, and once":      callBoth,
			"rule 3.5: a checkout sent to both is one order":                 checkoutBoth,
			"rule 3.5: two tabs and ten double clicks in each are one order": tabsBoth,
			"a seller's money is paid out once":                              payoutBoth,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				fact(t, one, two)
			})
		}
	})
	t.Run("rule 3.2: no checkout waits for another buyer's partner", func(t *testing.T) { patientBoth(t, one, two) })
	t.Run("rule 3.1: buyers race while their acquirer is slow and a hub dies", func(t *testing.T) { dyingBoth(t, one, two) })
	t.Run("a halt at one stops both", func(t *testing.T) { haltBoth(t, one, two) })
	one.verify(t)
	two.stop(t)
	if a := one.ask(t, req{method: "GET", path: "/v1/offers"}); a.status != 200 {
		t.Errorf("when the second hub has left, the first answers %d", a.status)
	}
	t.Run("hub verify names what was broken by hand", func(t *testing.T) { brokenByHand(t, one) })
}

func playBoth(t *testing.T, one, two *rig) {
	var all sync.WaitGroup
	for _, r := range []*rig{one, two} {
		all.Go(func() { playOnce(t, r) })
	}
	all.Wait()
}

func raceBoth(t *testing.T, one, two *rig) {
	w := one.ware(t, one.seller(t), 5, "20.00")
	raceFor(t, w, 5, one.buyers(t, 80), one, two)
	if got := two.left(t, w); got != 0 {
		t.Errorf("%d units are left, want none", got)
	}
}

// callBoth pays on a form that the other hub made, and repeats a callback at
// both at once.
func callBoth(t *testing.T, one, two *rig) {
	s := one.pending(t)
	body := sign(one.notice(t, s.Charge.ID, s.Charge.Amount.Amount()), one.config(t).Acquirer.StoreKey)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			if got := []*rig{one, two}[i%2].callback(t, body); got != "ACTION=POSTAUTH" {
				t.Errorf("one of many callbacks at once is answered %s, want ACTION=POSTAUTH", got)
			}
		})
	}
	all.Wait()
	if kinds := two.operationsOf(t, s.Charge.ID); len(kinds) != 2 {
		t.Errorf("callbacks at both hubs made the operations %v, want a charge and a capture", kinds)
	}
	one.payBy(t, s, goodCard)
	two.paid(t, s)
	two.captured(t, s)

	s = one.pending(t)
	var g sale
	two.ask(t, req{key: s.buyer, method: "GET", path: "/v1/order-groups/" + s.Group}).into(t, &g)
	theirs := strings.Replace(two.url, "127.0.0.1", "localhost", 1)
	if at := g.Charge.NextAction.Fields["callbackUrl"]; !strings.HasPrefix(at, theirs) {
		t.Fatalf("the second hub's form has callbacks go to %q, want %s", at, theirs)
	}
	s.Charge.NextAction = g.Charge.NextAction
	two.payBy(t, s, goodCard)
	one.paid(t, s)
	one.captured(t, s)
}

func checkoutBoth(t *testing.T, one, two *rig) {
	key := one.buyer(t)
	w := one.ware(t, one.seller(t), 9, "20.00")
	basket := one.basket(t, key, map[string]int{w.variant: 1})
	q := req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, one.quote(t, key, basket)), idem: once()}
	answers := make([]answer, 10)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			for answers[i] = one.ask(t, q); answers[i].Code == "idempotency.in_progress"; {
				answers[i] = []*rig{one, two}[i%2].ask(t, q)
			}
		})
	}
	all.Wait()
	groups := map[string]bool{}
	for _, a := range answers {
		var s sale
		if err := json.Unmarshal(a.into(t, nil).body, &s); err != nil {
			t.Fatal(err)
		}
		groups[s.Group] = true
	}
	if len(groups) != 1 {
		t.Errorf("one checkout at two hubs made %d groups of orders, want 1", len(groups))
	}
}

// payoutBoth asks for all of a seller's money at both hubs at once.
func payoutBoth(t *testing.T, one, two *rig) {
	s := one.seller(t)
	one.earn(t, s, "100.00")
	var all sync.WaitGroup
	var mu sync.Mutex
	var made []payoutView
	for i := range 10 {
		all.Go(func() {
			a := []*rig{one, two}[i%2].ask(t, req{key: s.key, method: "POST", path: "/v1/payouts", idem: once()})
			if a.status == 409 && a.Code == "payouts.nothing_due" {
				return
			}
			var p payoutView
			a.into(t, &p)
			mu.Lock()
			defer mu.Unlock()
			made = append(made, p)
		})
	}
	all.Wait()
	if len(made) != 1 {
		t.Fatalf("one seller's money made %d payouts, want 1: %+v", len(made), made)
	}
	two.until(t, "the payout", func() bool { return two.payoutOf(t, s, made[0].ID).State == "paid" })
	one.moved(t, made[0].Ref, "payout", made[0].Amount)
}

// brokenByHand does what only the database's owner can, and looks who sees it.
func brokenByHand(t *testing.T, r *rig) {
	conn, err := pgx.Connect(t.Context(), r.db)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	for _, c := range []struct{ breaks, mends, names string }{
		{
			`update ledger.balance set cr = cr + 1 where account_id = (select id from ledger.account where code = 'fees')`,
			`update ledger.balance set cr = cr - 1 where account_id = (select id from ledger.account where code = 'fees')`, "I3",
		},
		{
			`update catalog.variant set on_hand = on_hand + 1 where id = (select min(id) from catalog.variant)`,
			`update catalog.variant set on_hand = on_hand - 1 where id = (select min(id) from catalog.variant)`, "R2",
		},
	} {
		if _, err := conn.Exec(t.Context(), c.breaks); err != nil {
			t.Fatal(err)
		}
		out, code := r.command(t, "verify")
		if code != 1 || !strings.Contains("\n"+violated(out), "\n"+c.names+" ") {
			t.Errorf("after %s hub verify exits %d, want 1 and %s named\n%s", c.breaks, code, c.names, violated(out))
		}
		if _, err := conn.Exec(t.Context(), c.mends); err != nil {
			t.Fatal(err)
		}
		r.verify(t)
	}
}
