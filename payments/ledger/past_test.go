package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

var paging = rest.Paging{Limit: 24}

// snapshots is how many there are, and up to which day.
func (b books) snapshots() (n int) {
	b.t.Helper()
	n, err := pg.Value[int](b.t.Context(), b.db, nil, `select count(*) from ledger.balance_snapshot`)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// keepDay has the snapshots of the day before taken.
func (b books) keepDay() {
	b.t.Helper()
	b.kept(func() bool {
		done, err := pg.Value[bool](b.t.Context(), b.db, nil, `select coalesce(done = date_trunc('day', platform.now() - interval '10 minutes'), false) from ledger.horizon`)
		return err == nil && done
	})
}

// Snapshots change no answer: for any two times the sum is the replay's.
func TestPastBalancesAreTheReplay(t *testing.T) {
	t.Parallel()
	b := open(t)
	var all []moment
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		// Some entries, some of them dated back or ahead, then a day or two.
		for range rapid.IntRange(1, 4).Draw(r, "batches") {
			for range rapid.IntRange(0, 40).Draw(r, "posts") {
				n++
				e := moment{amount: rapid.Int64Range(1, 1000).Draw(r, "amount")}
				at := time.Time{}
				if rapid.IntRange(0, 2).Draw(r, "dated") == 0 {
					at = b.now().Add(time.Duration(rapid.Int64Range(-100, 30).Draw(r, "hours")) * time.Hour)
				}
				key := fmt.Sprint(n)
				err := b.do(func(ctx context.Context, tx *pg.Tx) error {
					return b.Post(ctx, tx, ledger.Transfer{Key: key, Kind: "test", Currency: "MAD", Effective: at, Legs: []ledger.Leg{
						ledger.Debit("psp:p:clearing", e.amount), ledger.Credit("fees", e.amount),
					}})
				})
				if err != nil {
					r.Fatal(err)
				}
				e.read(b, key)
				all = append(all, e)
			}
			b.advance(time.Duration(rapid.Int64Range(1, 40).Draw(r, "wait")) * time.Hour)
			if rapid.Bool().Draw(r, "keep") {
				b.keepDay()
			}
		}
		for range 12 {
			at, known := pick(r, all, b.now(), "at"), pick(r, all, b.now(), "known")
			var want int64
			for _, e := range all {
				if !e.effective.After(at) && !e.recorded.After(known) {
					want += e.amount
				}
			}
			for _, account := range []string{"fees", "psp:p:clearing"} {
				if got, err := b.BalanceAt(t.Context(), b.db, account, "MAD", at, known); err != nil || got != want {
					r.Fatalf("%s at %s, known at %s: %d (%v), want %d", account, at, known, got, err, want)
				}
			}
		}
	})
	if b.snapshots() < 2 {
		t.Errorf("%d snapshots were taken: nothing was proved", b.snapshots())
	}
}

// A moment is an entry's two times.
type moment struct {
	amount              int64
	effective, recorded time.Time
}

func (e *moment) read(b books, key string) {
	type times struct{ Effective, Recorded time.Time }
	at, err := pg.One[times](b.t.Context(), b.db, nil, `select effective_at as effective, recorded_at as recorded from ledger.transfer where key = $1`, key)
	if err != nil {
		b.t.Fatal(err)
	}
	e.effective, e.recorded = at.Effective, at.Recorded
}

// pick is a time worth looking at: an entry's own, just before it, or any.
func pick(r *rapid.T, all []moment, now time.Time, name string) time.Time {
	if len(all) > 0 && rapid.Bool().Draw(r, name+" of an entry") {
		e := all[rapid.IntRange(0, len(all)-1).Draw(r, name+" which")]
		at := e.effective
		if rapid.Bool().Draw(r, name+" recorded") {
			at = e.recorded
		}
		return at.Add(-time.Duration(rapid.IntRange(0, 1).Draw(r, name+" before")) * time.Microsecond)
	}
	return now.Add(-time.Duration(rapid.Int64Range(-100, 2000).Draw(r, name+" hours")) * time.Hour)
}

// What began before a day ended and posts after its books were kept gets a new
// time: the unit of work runs again.
func TestAnOldTransactionPostsAnew(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("fees", 100))
	runs := 0
	err := b.db.InTx(t.Context(), func(tx *pg.Tx) error {
		if runs++; runs == 1 {
			// As if this transaction had begun before the end of the day that was kept.
			if _, err := b.db.Exec(t.Context(), `update ledger.horizon set kept = platform.now() + interval '0.3 s'`); err != nil {
				return err
			}
		}
		if runs > 1 {
			if _, err := tx.Exec(t.Context(), `select pg_sleep(0.3)`); err != nil {
				return err
			}
		}
		return b.Post(t.Context(), tx, ledger.Transfer{Key: "2", Kind: "test", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit("psp:p:clearing", 1), ledger.Credit("fees", 1)}})
	})
	if err != nil || runs < 2 {
		t.Errorf("%d runs, %v; want a second one that succeeds", runs, err)
	}
	b.has("fees", 101)
}
