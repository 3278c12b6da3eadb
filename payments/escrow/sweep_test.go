package escrow_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// TestDueReleasesAreSweptAsOneByOne lets the same escrows go by their timers, all
// at once, and one by one: whatever is left behind is the same.
func TestDueReleasesAreSweptAsOneByOne(t *testing.T) {
	t.Parallel()
	swept, single := newHub(t), newHub(t)
	for _, h := range []hub{swept, single} {
		orders := make([]string, 6)
		for i := range orders {
			charge := fmt.Sprint("chg_", i)
			orders[i], _ = h.open(charge)
			h.fund(charge)
		}
		h.must(func(ctx context.Context, tx *pg.Tx) error { // the seller owes 30.00
			return h.books.Post(ctx, tx, ledger.Transfer{
				Key: "debt", Kind: "test", Currency: money.MAD, Legs: []ledger.Leg{ledger.Debit("seller:org_s:receivable", 3000), ledger.Credit("fees", 3000)},
			})
		})
		h.must(func(ctx context.Context, tx *pg.Tx) error {
			for _, o := range orders[:5] {
				if err := h.escrow.Delivered(ctx, tx, o, tx.Now()); err != nil {
					return err
				}
			}
			return h.escrow.Settled(ctx, tx, "chg_0")
		})
		h.freeze(orders[4], "dsp_1")
		pgtest.Advance(h.t, h.db, 8*24*time.Hour)
		if h.db == single.db {
			for _, o := range orders[:4] {
				h.must(func(ctx context.Context, tx *pg.Tx) error {
					_, err := h.escrow.ReleaseOrder(ctx, tx, o)
					return err
				})
			}
		}
		var hubs sync.WaitGroup
		for range 3 { // hubs that sweep at the same time
			hubs.Go(func() {
				if _, err := h.timers.Due(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		hubs.Wait()
		for account, want := range map[string]int64{
			"escrow:" + orders[0]: 0, "escrow:" + orders[3]: 0, "escrow:" + orders[4]: 7500, "escrow:" + orders[5]: 7500,
			"seller:org_s:available": 4*4860 - 3000, "seller:org_s:receivable": 0, "seller:org_s:reserve": 4 * 540,
			"fees": 4*500 + 3000, "payable:vat": 400, "payable:carrier:k": 6000,
		} {
			h.has(account, want)
		}
	}
	for _, what := range []string{
		`select string_agg(format('%s %s', type, n), ', ' order by type) from (select type, count(*) as n from platform.event group by type) e`,
		`select string_agg(format('%s %s', kind, n), ', ' order by kind) from (select kind, count(*) as n from platform.timer group by kind) e`,
		`select string_agg(format('%s %s %s %s', charge, state, released, gone), ', ' order by charge) from escrow.hold`,
		`select string_agg(format('%s %s', charge, settled), ', ' order by charge) || sum(amount) from escrow.release`,
		`select count(*) || ' ' || sum(amount) from escrow.lot`,
	} {
		a, err := pg.Value[string](t.Context(), swept.db, nil, what)
		if err != nil {
			t.Fatal(err)
		}
		b, err := pg.Value[string](t.Context(), single.db, nil, what)
		if err != nil || a != b {
			t.Errorf("swept: %s\nsingle: %s (%v)", a, b, err)
		}
	}
}

// TestASweepLeavesWhatSomebodyElseHas has a sweep meet an escrow that is locked:
// the others go, and that one goes alone when it is free.
func TestASweepLeavesWhatSomebodyElseHas(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	orders := make([]string, 3)
	for i := range orders {
		charge := fmt.Sprint("chg_", i)
		orders[i], _ = h.open(charge)
		h.fund(charge)
		h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Delivered(ctx, tx, orders[i], tx.Now()) })
	}
	pgtest.Advance(h.t, h.db, 8*24*time.Hour)
	done := make(chan struct{})
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := h.escrow.LockOrder(ctx, tx, orders[1]); err != nil {
			return err
		}
		go func() {
			defer close(done)
			if _, err := h.timers.Due(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			n, err := h.books.Balance(ctx, h.db, "seller:org_s:available", money.MAD)
			if err != nil || n == 2*4860 {
				return err
			}
		}
		t.Error("the others have not gone while one was locked")
		return nil
	})
	<-done
	h.has("seller:org_s:available", 3*4860)
}

// ripen makes orders of one seller that are due to be released.
func (h hub) ripen(n int) {
	h.t.Helper()
	for i := range n {
		charge := fmt.Sprint("chg_", i)
		order, _ := h.open(charge)
		h.fund(charge)
		h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Delivered(ctx, tx, order, tx.Now()) })
	}
	pgtest.Advance(h.t, h.db, 8*24*time.Hour)
}

// released checks that so many orders were released, each once.
func (h hub) released(want int) {
	h.t.Helper()
	h.has("seller:org_s:available", int64(want)*4860)
	n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*) from escrow.release`)
	if err != nil || n != want {
		h.t.Errorf("%d releases (%v), want %d", n, err, want)
	}
	h.sound()
}

func TestHubsThatSweepReleasesAtOnceReleaseEachOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ripen(30)
	h.fire(4)
	h.released(30)
}

// A session that ends while a sweep commits has released nothing, and all of it
// goes afterwards, once.
func TestASweepOfReleasesThatDiesInItsCommit(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	h, trap := newHubAt(t, url), pgtest.NewTrap(t, url, "escrow.release")
	h.ripen(9)
	trap.Arm()
	h.fire(2)
	if !trap.Sprung() {
		t.Error("no session ended")
	}
	h.advance(2 * time.Minute) // should a lease have been lost with it
	h.released(9)
}

// A timer that fires too early releases nothing, however many do.
func TestASweepReleasesNothingBeforeItsTime(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for i := range 3 {
		charge := fmt.Sprint("chg_", i)
		order, _ := h.open(charge)
		h.fund(charge)
		h.must(func(ctx context.Context, tx *pg.Tx) error {
			if err := h.escrow.Delivered(ctx, tx, order, tx.Now()); err != nil {
				return err
			}
			job.Set(tx, "escrow.release", order, tx.Now())
			return nil
		})
	}
	h.fire(1)
	h.released(0)
	pgtest.Advance(h.t, h.db, 8*24*time.Hour)
	h.fire(1)
	h.released(3)
}
