package ledger_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// books are the books of one test.
type books struct {
	*ledger.Books
	db *pg.Store
	t  *testing.T
}

func open(t *testing.T) books {
	db := pgtest.New(t)
	return books{ledger.New(db), db, t}
}

func (b books) post(key string, legs ...ledger.Leg) error {
	return b.db.InTx(b.t.Context(), func(tx *pg.Tx) error {
		return b.Post(b.t.Context(), tx, ledger.Transfer{Key: key, Kind: "test", Currency: "MAD", Legs: legs})
	})
}

func (b books) must(key string, legs ...ledger.Leg) {
	b.t.Helper()
	if err := b.post(key, legs...); err != nil {
		b.t.Fatal(err)
	}
}

func (b books) has(account string, want int64) {
	b.t.Helper()
	got, err := b.Balance(b.t.Context(), b.db, account, "MAD")
	if err != nil || got != want {
		b.t.Errorf("%s has %d (%v), want %d", account, got, err, want)
	}
}

func TestPostMovesMoney(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 11500), ledger.Credit("escrow:A", 7500), ledger.Credit("escrow:B", 4000))
	b.must("2", ledger.Debit("escrow:A", 7500), ledger.Credit("seller:s:available", 6900), ledger.Credit("fees", 500), ledger.Credit("payable:vat", 100))
	b.has("psp:p:clearing", 11500)
	b.has("escrow:A", 0)
	b.has("escrow:B", 4000)
	b.has("seller:s:available", 6900)
	b.has("fees", 500)
	b.has("seller:nobody:available", 0)
}

func TestPostingAKeyAgainChangesNothing(t *testing.T) {
	t.Parallel()
	b := open(t)
	for range 3 {
		b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	}
	b.has("escrow:A", 100)
	if err := b.post("1", ledger.Debit("psp:p:clearing", 101), ledger.Credit("escrow:A", 101)); !errors.Is(err, ledger.ErrReused) {
		t.Errorf("other content under the same key: %v, want ErrReused", err)
	}
	b.has("escrow:A", 100)
}

func TestAFloorHolds(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	if err := b.post("2", ledger.Debit("escrow:A", 101), ledger.Credit("fees", 101)); !errors.Is(err, ledger.ErrOverdraft) {
		t.Errorf("error = %v, want ErrOverdraft", err)
	}
	b.has("escrow:A", 100)
	b.has("fees", 0)
}

func TestOneBadTransferUndoesTheWholeUnit(t *testing.T) {
	t.Parallel()
	b := open(t)
	err := b.db.InTx(t.Context(), func(tx *pg.Tx) error {
		for i, legs := range [][]ledger.Leg{
			{ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100)},
			{ledger.Debit("escrow:A", 200), ledger.Credit("fees", 200)},
		} {
			if err := b.Post(t.Context(), tx, ledger.Transfer{Key: fmt.Sprint(i), Kind: "test", Currency: "MAD", Legs: legs}); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, ledger.ErrOverdraft) {
		t.Errorf("error = %v, want ErrOverdraft", err)
	}
	b.has("escrow:A", 0)
	// What the failed unit opened must not linger in the cache.
	b.must("again", ledger.Debit("psp:p:clearing", 5), ledger.Credit("escrow:A", 5))
	b.has("escrow:A", 5)
}

func TestTheDatabaseRefusesWhatDoesNotBalance(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	for name, sql := range map[string]string{
		"unbalanced":      `insert into ledger.entry select 999, x, 1, 0, 'MAD', x, now() from generate_series(1, 2) x`,
		"one leg":         `insert into ledger.entry values (999, 1, 1, 0, 'MAD', 5, now())`,
		"other currency":  `with t as (insert into ledger.transfer (id, key, request, kind, effective_at) values (999, 'x', '', 'x', now())) insert into ledger.entry select 999, x, 1, 0, 'EUR', x from unnest(array[-1, 1]) x`,
		"an old transfer": `insert into ledger.entry select (select id from ledger.transfer where key = '1'), 10 + x, 1, 0, 'MAD', x, now() from unnest(array[-1, 1]) x`,
		"an edit":         `update ledger.entry set amount = amount * 2`,
		"a deletion":      `delete from ledger.transfer`,
	} {
		if _, err := b.db.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestRacingPostsAreExact(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("fund", ledger.Debit("psp:p:clearing", 50), ledger.Credit("escrow:A", 50))
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	for i := range 100 {
		wg.Go(func() {
			errs <- b.post(fmt.Sprint("take", i), ledger.Debit("escrow:A", 1), ledger.Credit(fmt.Sprintf("seller:%d:available", i%3), 1))
		})
	}
	wg.Wait()
	close(errs)
	took := 0
	for err := range errs {
		switch {
		case err == nil:
			took++
		case !errors.Is(err, ledger.ErrOverdraft):
			t.Error(err)
		}
	}
	if took != 50 {
		t.Errorf("%d of 100 took a centime, want 50", took)
	}
	b.has("escrow:A", 0)
}

func TestFiftyWithOneKeyPostOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	var wg sync.WaitGroup
	var took, reused atomic.Int32
	for i := range 50 {
		amount := int64(7)
		if i%5 == 4 {
			amount = 8 // the same key for something else
		}
		wg.Go(func() {
			switch err := b.post("same", ledger.Debit("psp:p:clearing", amount), ledger.Credit("fees", amount)); {
			case err == nil:
				took.Add(int32(amount))
			case errors.Is(err, ledger.ErrReused):
				reused.Add(int32(amount))
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	first, other := int32(40*7), int32(10*8)
	if took.Load() != first && took.Load() != other || took.Load()+reused.Load() != first+other {
		t.Errorf("callers worth %d were told it is done, %d that the key is taken; want all of one content and all of the other", took.Load(), reused.Load())
	}
	has, err := b.Balance(t.Context(), b.db, "fees", "MAD")
	if want := map[bool]int64{true: 7, false: 8}[took.Load() == first]; err != nil || has != want {
		t.Errorf("fees has %d (%v), want %d", has, err, want)
	}
}

func TestThePastKeepsItsBalance(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("fees", 100))
	between := now(t, b.db)
	b.must("2", ledger.Debit("psp:p:clearing", 20), ledger.Credit("fees", 20))
	for at, want := range map[time.Time]int64{between: 100, between.Add(time.Hour): 120, between.Add(-time.Hour): 0} {
		got, err := b.BalanceAt(t.Context(), b.db, "fees", "MAD", at, between.Add(time.Hour))
		if err != nil || got != want {
			t.Errorf("at %s fees had %d (%v), want %d", at, got, err, want)
		}
	}
}

func now(t *testing.T, db *pg.Store) time.Time {
	t.Helper()
	n, err := pg.Value[time.Time](t.Context(), db, nil, `select clock_timestamp()`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
