package limits_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/limits"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

var (
	first  = auth.Principal{Subject: "per_1", Role: auth.Operator}
	second = auth.Principal{Subject: "per_2", Role: auth.Operator}
)

// desk is limits on a database of their own.
type desk struct {
	t  *testing.T
	db *pg.Store
	ap *approvals.Service
	s  *limits.Service
	n  atomic.Int64
}

func newDesk(t *testing.T, rules ...limits.Rule) *desk {
	t.Helper()
	d := &desk{t: t, db: pgtest.New(t)}
	d.ap = approvals.New(d.db)
	d.s = limits.New(d.db, d.ap)
	if len(rules) > 0 {
		d.put(rules...)
	}
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put has two people put rules in force.
func (d *desk) put(rules ...limits.Rule) {
	d.t.Helper()
	ctx := auth.With(d.t.Context(), first)
	b, err := d.s.Show(ctx, rest.None{})
	must(d.t, err)
	v, err := d.s.Put(ctx, limits.PutInput{Version: b.Version, Rules: rules, Why: "test"})
	must(d.t, err)
	must(d.t, d.approve(v.Approval))
}

func (d *desk) approve(approval string) error {
	ctx := auth.With(d.t.Context(), second)
	return d.db.InTx(ctx, func(tx *pg.Tx) error {
		_, err := d.ap.Decide(ctx, tx, approvals.DecideInput{Approval: approval, Decision: "approve"})
		return err
	})
}

func counting(id, per string, most int64, window time.Duration, a limits.Action) limits.Rule {
	return limits.Rule{ID: id, What: limits.OfSales, Per: per, WindowS: int64(window.Seconds()), MaxCount: &most, Action: a, About: "test"}
}

func amounting(id, what, per string, most int64, window time.Duration, a limits.Action) limits.Rule {
	m := money.Dirhams(most)
	return limits.Rule{ID: id, What: what, Per: per, WindowS: int64(window.Seconds()), Max: &m, Action: a, About: "test"}
}

// sale is one of 10.00 by a buyer at org_s.
func (d *desk) sale(buyer string) limits.Sale {
	n := d.n.Add(1)
	ten := money.Dirhams(1000)
	return limits.Sale{
		Group: fmt.Sprintf("grp_%d", n), Buyer: buyer, Method: "card", Phone: "+212600000000", Address: "12, rue de l’Exemple Rabat", Amount: ten,
		Parts: []limits.Part{{Order: fmt.Sprintf("ord_%d", n), Seller: "org_s", Amount: ten}},
	}
}

func (d *desk) check(s limits.Sale) error {
	return d.db.InTx(d.t.Context(), func(tx *pg.Tx) error { return d.s.Check(d.t.Context(), tx, s) })
}

func (d *desk) payout(p limits.Payout) (waits []string, err error) {
	err = d.db.InTx(d.t.Context(), func(tx *pg.Tx) error {
		waits, err = d.s.Payout(d.t.Context(), tx, p)
		return err
	})
	return waits, err
}

func (d *desk) advance(by time.Duration) {
	d.t.Helper()
	pgtest.Advance(d.t, d.db, by)
}

func (d *desk) decisions(in limits.DecisionsInput) []limits.DecisionView {
	d.t.Helper()
	in.Limit = 100
	p, err := d.s.Decisions(d.t.Context(), in)
	must(d.t, err)
	return p.Data
}

// race checks n sales at once and counts those that pass.
func (d *desk) race(n, callers int, buyer func(i int) string) (passed int64) {
	var ok atomic.Int64
	var wg sync.WaitGroup
	work := make(chan int)
	for range callers {
		wg.Go(func() {
			for i := range work {
				switch err := d.check(d.sale(buyer(i))); {
				case err == nil:
					ok.Add(1)
				case !errors.Is(err, limits.ErrRefused):
					d.t.Error(err)
				}
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	return ok.Load()
}

func TestFiftyCheckoutsAtOnceKeepALimit(t *testing.T) {
	t.Parallel()
	for range 3 {
		d := newDesk(t, counting("buyer_hour", "buyer", 7, time.Hour, limits.Refuse), counting("phone_hour", "phone", 100, time.Hour, limits.Refuse))
		if got := d.race(50, 50, func(int) string { return "per_b" }); got != 7 {
			t.Errorf("%d of 50 passed, want 7", got)
		}
		refused := d.decisions(limits.DecisionsInput{Outcome: limits.Refuse})
		if len(refused) != 43 || refused[0].Rules[0] != "buyer_hour" {
			t.Fatalf("%d refusals were written down, want 43", len(refused))
		}
		for _, f := range refused[0].Figures {
			if f.Rule == "buyer_hour" && (f.Count != 7 || !f.Over || f.Times != 7) {
				t.Errorf("its figures are %+v", f)
			}
			if f.Per == "phone" && strings.Contains(f.Key, "600000000") {
				t.Errorf("a phone is kept in clear: %+v", f)
			}
		}
		if passed := d.decisions(limits.DecisionsInput{Outcome: limits.Pass}); len(passed) != 7 {
			t.Errorf("%d that passed were written down, want 7", len(passed))
		}
	}
}

// Many buyers at one cooperative share its lock while the limit is far; it is
// exact all the same.
func TestALimitThatManyShareIsExact(t *testing.T) {
	t.Parallel()
	d := newDesk(t, amounting("seller_day", limits.OfSales, "seller", 1_000_000, 24*time.Hour, limits.Refuse))
	if got := d.race(1100, 24, func(i int) string { return fmt.Sprint("per_", i) }); got != 1000 {
		t.Errorf("%d sales of 10.00 passed, want the 1000 that make 10000.00", got)
	}
}

func TestWindowsSlide(t *testing.T) {
	t.Parallel()
	d := newDesk(t, counting("buyer_hour", "buyer", 2, time.Hour, limits.Refuse))
	must(t, d.check(d.sale("per_b")))
	d.advance(40 * time.Minute)
	must(t, d.check(d.sale("per_b")))
	if err := d.check(d.sale("per_b")); !errors.Is(err, limits.ErrRefused) {
		t.Fatalf("the third within the hour: %v", err)
	}
	must(t, d.check(d.sale("per_other")))
	d.advance(30 * time.Minute)
	must(t, d.check(d.sale("per_b")))
	if err := d.check(d.sale("per_b")); !errors.Is(err, limits.ErrRefused) {
		t.Errorf("the third within the next hour: %v", err)
	}
}

func TestARefusalLeavesNothingButItsDecision(t *testing.T) {
	t.Parallel()
	d := newDesk(t, amounting("each", limits.OfSales, "all", 999, 0, limits.Refuse), counting("buyer_hour", "buyer", 1, time.Hour, limits.Refuse))
	err := d.check(d.sale("per_b"))
	if !errors.Is(err, limits.ErrRefused) || !strings.Contains(fmt.Sprint(err), "One order is at most 9.99 MAD.") {
		t.Fatalf("refused as %v", err)
	}
	n, err := pg.Value[int](t.Context(), d.db, nil, `select count(*) from limits.tally`)
	if all := d.decisions(limits.DecisionsInput{}); err != nil || n != 0 || len(all) != 1 || all[0].Outcome != limits.Refuse {
		t.Errorf("%d tallies, decisions %+v (%v)", n, all, err)
	}
}

func TestAHeldSaleKeepsItsPayoutUntilAPersonClearsIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, counting("phone_hour", "phone", 1, time.Hour, limits.Hold))
	one, two := d.sale("per_a"), d.sale("per_b")
	must(t, d.check(one))
	must(t, d.check(two))
	p := limits.Payout{ID: "pay_1", Seller: "org_s", Amount: money.Dirhams(2000), Orders: []string{one.Parts[0].Order, two.Parts[0].Order}}
	waits, err := d.payout(p)
	must(t, err)
	if len(waits) != 1 || !strings.Contains(waits[0], two.Parts[0].Order) {
		t.Fatalf("waits for %q, want for the second order alone", waits)
	}
	open := d.decisions(limits.DecisionsInput{Open: true})
	if len(open) != 1 || open[0].Ref != two.Group || open[0].Outcome != limits.Hold {
		t.Fatalf("open decisions %+v", open)
	}
	in := limits.ClearInput{Decision: open[0].ID, Note: "The buyer was called."}
	if _, err := d.s.Clear(auth.With(t.Context(), second), in); err != nil {
		t.Fatal(err)
	}
	if _, err := d.s.Clear(auth.With(t.Context(), second), in); !errors.Is(err, limits.ErrCleared) {
		t.Errorf("cleared twice: %v", err)
	}
	if waits, err := d.payout(p); err != nil || len(waits) != 0 {
		t.Errorf("then it waits for %q (%v)", waits, err)
	}
}

func TestAPayoutWaitsForRoomAndCountsOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, amounting("payout_day", limits.OfPayouts, "seller", 100_00, 24*time.Hour, limits.Hold))
	pay := func(id string, dirhams int64) []string {
		t.Helper()
		waits, err := d.payout(limits.Payout{ID: id, Seller: "org_s", Amount: money.Dirhams(dirhams * 100)})
		must(t, err)
		return waits
	}
	for range 3 {
		if w := pay("pay_1", 60); len(w) != 0 {
			t.Fatalf("the first waits for %q", w)
		}
	}
	for range 3 {
		if w := pay("pay_2", 60); len(w) != 1 || !strings.Contains(w[0], "60.00 MAD is used") {
			t.Fatalf("the second waits for %q", w)
		}
	}
	if open := d.decisions(limits.DecisionsInput{Open: true}); len(open) != 1 {
		t.Errorf("%d decisions are open, want one", len(open))
	}
	if w := pay("pay_3", 40); len(w) != 0 {
		t.Errorf("one for which there is room waits for %q", w)
	}
	d.advance(25 * time.Hour)
	if w := pay("pay_2", 60); len(w) != 0 {
		t.Errorf("a day later it waits for %q", w)
	}
	if open := d.decisions(limits.DecisionsInput{Open: true}); len(open) != 0 {
		t.Errorf("%d decisions are still open", len(open))
	}
	must(t, d.db.InTx(t.Context(), func(tx *pg.Tx) error { return d.s.Undo(t.Context(), tx, "pay_2") }))
	must(t, d.db.InTx(t.Context(), func(tx *pg.Tx) error { return d.s.Undo(t.Context(), tx, "pay_2") }))
	if w := pay("pay_4", 100); len(w) != 0 {
		t.Errorf("after it came back, all of the day is free: %q", w)
	}
	if w := pay("pay_5", 1); len(w) != 1 {
		t.Errorf("and no more than that: %q", w)
	}
}

func TestPayoutsAtOnceKeepALimit(t *testing.T) {
	t.Parallel()
	d := newDesk(t, amounting("payout_day", limits.OfPayouts, "all", 100_00, 24*time.Hour, limits.Hold))
	var gone atomic.Int64
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			w, err := d.payout(limits.Payout{ID: fmt.Sprint("pay_", i), Seller: fmt.Sprint("org_", i%7), Amount: money.Dirhams(900)})
			if err != nil {
				t.Error(err)
			} else if len(w) == 0 {
				gone.Add(1)
			}
		})
	}
	wg.Wait()
	if gone.Load() != 11 {
		t.Errorf("%d payouts of 9.00 went of 100.00, want 11", gone.Load())
	}
}

func TestRulesAreChangedByTwoPeople(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := auth.With(t.Context(), first)
	was, err := d.s.Show(ctx, rest.None{})
	must(t, err)
	if len(was.Rules) < 10 {
		t.Fatalf("%d rules from the start", len(was.Rules))
	}
	for i := 0; i < 3; i++ { // with the rules of the start, all pass
		must(t, d.check(d.sale("per_b")))
	}
	in := limits.PutInput{Version: was.Version, Rules: []limits.Rule{counting("none", "buyer", 1, time.Hour, limits.Refuse)}, Why: "test"}
	v, err := d.s.Put(ctx, in)
	must(t, err)
	must(t, d.check(d.sale("per_b")))
	if err := d.db.InTx(ctx, func(tx *pg.Tx) error {
		_, err := d.ap.Decide(ctx, tx, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
		return err
	}); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("approved by who asked: %v", err)
	}
	must(t, d.approve(v.Approval))
	if err := d.check(d.sale("per_b")); !errors.Is(err, limits.ErrRefused) {
		t.Errorf("with the new rule: %v", err)
	}
	now, err := d.s.Show(ctx, rest.None{})
	if err != nil || now.Version != was.Version+1 || len(now.Rules) != 1 || *now.Rules[0].MaxCount != 1 {
		t.Errorf("in force: %+v (%v)", now, err)
	}
	if _, err := d.s.Put(ctx, in); !errors.Is(err, limits.ErrVersion) {
		t.Errorf("over a version that is past: %v", err)
	}
	in.Version, in.Rules = now.Version, []limits.Rule{{ID: "bad", What: limits.OfPayouts, Per: "buyer", WindowS: 20, Action: limits.Hold, About: "x"}, {ID: "bad", What: limits.OfSales, Per: "buyer", Action: limits.Hold, About: "x"}}
	if _, err := d.s.Put(ctx, in); !errors.Is(err, limits.ErrRules) {
		t.Errorf("rules that cannot be: %v", err)
	}
	amount := amounting("each", limits.OfSales, "all", 12345, 0, limits.Refuse)
	d.put(amount)
	if b, err := d.s.Show(ctx, rest.None{}); err != nil || b.Rules[0].Max.String() != "123.45 MAD" {
		t.Errorf("an amount is kept as %+v (%v)", b.Rules, err)
	}
}

func TestOldTalliesAreForgotten(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	must(t, d.check(d.sale("per_b")))
	left := func() int {
		must(t, d.s.Forget(t.Context()))
		n, err := pg.Value[int](t.Context(), d.db, nil, `select count(*) from limits.tally`)
		must(t, err)
		return n
	}
	if left() == 0 {
		t.Error("a tally of today is forgotten")
	}
	d.advance(33 * 24 * time.Hour)
	if n := left(); n != 0 {
		t.Errorf("%d tallies of last month are kept", n)
	}
}

// One that shares a lock and has not committed is waited for before the limit is
// given out to the last.
func TestWhoHasNotCommittedIsCounted(t *testing.T) {
	t.Parallel()
	d := newDesk(t, amounting("seller_day", limits.OfSales, "seller", 1_000_000, 24*time.Hour, limits.Refuse))
	checked, let, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- d.db.InTx(context.WithoutCancel(t.Context()), func(tx *pg.Tx) error {
			if err := d.s.Check(t.Context(), tx, d.sale("per_slow")); err != nil {
				return err
			}
			if err := tx.Flush(t.Context()); err != nil {
				return err
			}
			close(checked)
			<-let
			return nil
		})
	}()
	<-checked
	raced := make(chan int64)
	go func() { raced <- d.race(1010, 8, func(i int) string { return fmt.Sprint("per_", i) }) }()
	var passed int64
	select {
	case passed = <-raced:
		t.Errorf("the others were all judged while one had not committed")
		close(let)
	case <-time.After(3 * time.Second):
		close(let)
		passed = <-raced
	}
	must(t, <-done)
	if passed != 999 {
		t.Errorf("%d others passed, want 999 beside the one", passed)
	}
}
