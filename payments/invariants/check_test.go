package invariants_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // operations tell of each move
	os.Exit(m.Run())
}

// broken checks everything and returns what does not hold.
func (w *world) broken(ids ...string) map[string]invariants.Finding {
	w.t.Helper()
	found, err := invariants.Check(w.t.Context(), w.db, ids...)
	w.ok(err)
	out := map[string]invariants.Finding{}
	for _, f := range found {
		if f.Count > 0 {
			out[f.ID] = f
		}
	}
	return out
}

func TestAnEmptyDatabaseKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	w := open(t)
	for _, f := range w.broken() {
		t.Errorf("%s: %d, such as %q", f.ID, f.Count, f.Rows)
	}
}

func TestAWorkedDatabaseKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	w.workEscrows()
	w.ways()
	for _, f := range w.broken() {
		t.Errorf("%s: %d, such as %q", f.ID, f.Count, f.Rows)
	}
}

func TestReversalsHoldsAndSealsKeepEveryPromise(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	w.reversed()
	w.byHand()
	w.insure()
	w.administer()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		return w.books.Hold(ctx, tx, ledger.Hold{ID: "x", Account: "escrow:B", Currency: "MAD", Amount: 100, Why: "a case"})
	})
	pgtest.Seal(t, w.db, ledger.Chain)
	pgtest.Seal(t, w.db, audit.Chain)
	for _, f := range w.broken() {
		t.Errorf("%s: %d, such as %q", f.ID, f.Count, f.Rows)
	}
}

func TestEveryKindOfTransferIsWorked(t *testing.T) {
	t.Parallel()
	w := open(t)
	s := w.work()
	r := w.workRefunds()
	w.workEscrows()
	w.ways()
	w.explained(s)
	w.contradict(r)
	w.twice(r)
	w.regained(r)
	w.byHand()
	w.insure()
	w.administer()
	used, err := pg.Column[string](t.Context(), w.db, `select distinct kind from ledger.transfer`)
	w.ok(err)
	for _, k := range invariants.Kinds() {
		if k != "sweep" && !slices.Contains(used, k) { // there is no sweep yet
			t.Errorf("no %s in the worked database, which proves nothing of it", k)
		}
	}
}

func TestOnlyTheNamedPromisesAreChecked(t *testing.T) {
	t.Parallel()
	w := open(t)
	found, err := invariants.Check(t.Context(), w.db, "R2", "I1")
	w.ok(err)
	if len(found) != 2 || found[0].ID != "I1" || found[1].ID != "R2" || found[0].Took <= 0 {
		t.Errorf("found %+v, want I1 and R2", found)
	}
	if _, err := invariants.Check(t.Context(), w.db, "I1", "I99"); err == nil {
		t.Error("I99 was checked")
	}
}

func TestOfManyViolationsTwentyAreSpeltOut(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.sql(`insert into platform.timer (kind, subject, due, next_at) select 'x', n, now() - interval '1 hour', now() from generate_series(1, 33) n`)
	if f := w.broken()["R5"]; f.Count != 33 || len(f.Rows) != 20 {
		t.Errorf("%d violations with %d rows, want 33 with 20", f.Count, len(f.Rows))
	}
}

func TestWhatAMoveOfTheClockMadeLateHasItsTime(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := clock.Advance(ctx, tx, 40*24*time.Hour); err != nil {
			return err
		}
		audit.Record(tx, "demo.clock", "clock", "platform.operator", nil)
		return nil
	})
	for _, f := range w.broken() {
		t.Errorf("just moved: %s: %q", f.ID, f.Rows)
	}
	w.sql(`update platform.audit set at = at - interval '11 minutes' where action = 'demo.clock'`)
	if got := w.broken(); len(got) != 1 || got["R5"].Count == 0 {
		t.Errorf("11 minutes later these are red: %v, want R5 alone", got)
	}
	w.sql(`update platform.audit set at = at - interval '2 days' where action = 'demo.clock'`)
	if got := w.broken(); got["I17"].Count == 0 {
		t.Errorf("two days later these are red: %v, want I17 too", got)
	}
}

func TestAStatementReadLateIsNoDifference(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	older, newer := w.next(entry(700, detail("", 700, 0))), w.next(entry(900, detail("", 900, 0)))
	w.take(newer)
	if w.broken("M1")["M1"].Count != 1 {
		t.Error("a hole before the last statement is not seen")
	}
	w.take(older)
	for _, f := range w.broken() {
		t.Errorf("%s: %d, such as %q", f.ID, f.Count, f.Rows)
	}
}

// What breaks two promises at once is seen by both or by neither.
func TestAllPromisesAreLookedAtInOneMoment(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	busy.Go(func() {
		for ctx.Err() == nil {
			w.sql(`update ledger.balance set dr = 1 - dr where account_id = ` + of("fees") + ` and shard = 0`)
		}
	})
	seen := map[int]int{}
	for n := 0; n < 60 || len(seen) < 2 && n < 5000; n++ {
		got := w.broken("I2", "I3")
		if got["I2"].Count != got["I3"].Count {
			t.Errorf("I2 finds %d and I3 %d", got["I2"].Count, got["I3"].Count)
		}
		seen[got["I2"].Count]++
	}
	stop()
	busy.Wait()
	if len(seen) != 2 {
		t.Errorf("the counts were %v, want both 0 and 1 among them", seen)
	}
}

// A look at any moment of a busy hub: what is half done is not seen.
func TestEveryPromiseHoldsUnderLoad(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	done := make([]int, 3)
	for i := range done {
		busy.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				o := fmt.Sprintf("L%d-%d", i, n)
				c := w.checkout("G"+o, terms(o, "s3", 10000))
				w.confirm(c)
				w.tx(func(ctx context.Context, tx *pg.Tx) error {
					_, err := w.escrows.ReleaseOrder(ctx, tx, o)
					return err
				})
				w.paid(o)
				w.payout("s3", 100)
				done[i]++
			}
		})
	}
	for range 12 {
		for _, f := range w.broken() {
			t.Errorf("%s: %d, such as %q", f.ID, f.Count, f.Rows)
		}
	}
	stop()
	busy.Wait()
	if slices.Contains(done, 0) {
		t.Errorf("the load did %v rounds, want some of each", done)
	}
}
