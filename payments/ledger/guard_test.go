package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// do runs steps in one unit of work.
func (b books) do(f func(ctx context.Context, tx *pg.Tx) error) error {
	return b.db.InTx(b.t.Context(), func(tx *pg.Tx) error { return f(b.t.Context(), tx) })
}

func (b books) reverse(key, of string) (by string, err error) {
	err = b.do(func(ctx context.Context, tx *pg.Tx) (err error) {
		by, err = b.Reverse(ctx, tx, key, of, "a slip")
		return err
	})
	return by, err
}

func (b books) hold(h ledger.Hold) error {
	h.Currency = "MAD"
	return b.do(func(ctx context.Context, tx *pg.Tx) error { return b.Hold(ctx, tx, h) })
}

func (b books) drop(id string) error {
	return b.do(func(ctx context.Context, tx *pg.Tx) error { return b.Drop(ctx, tx, id) })
}

func (b books) holds(account string, want int64) {
	b.t.Helper()
	got, err := b.Held(b.t.Context(), b.db, account, "MAD")
	if err != nil || got != want {
		b.t.Errorf("%s keeps back %d (%v), want %d", account, got, err, want)
	}
}

// advance moves the hub's time.
func (b books) advance(d time.Duration) {
	b.t.Helper()
	pgtest.Advance(b.t, b.db, d)
}

// now is the hub's time.
func (b books) now() time.Time {
	b.t.Helper()
	n, err := clock.Now(b.t.Context(), b.db)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// kept waits until the last day's snapshots are taken and closed periods
// balanced; transactions of other tests have their numbers from the same server.
func (b books) kept(done func() bool) {
	b.t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if _, err := b.KeepDays(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		if time.Now().After(end) {
			b.t.Fatal("the days are still not kept: a transaction on the server is older")
		}
	}
}

func TestATransferIsTakenBackOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	var wg sync.WaitGroup
	by := make(chan string, 20)
	for i := range 20 {
		wg.Go(func() {
			k, err := b.reverse(fmt.Sprint("back", i), "1")
			if err != nil {
				t.Error(err)
			}
			by <- k
		})
	}
	wg.Wait()
	close(by)
	first := <-by
	for k := range by {
		if k != first {
			t.Errorf("one was told that %s took it back, another %s", first, k)
		}
	}
	b.has("escrow:A", 0)
	b.has("psp:p:clearing", 0)
	if _, err := b.reverse("again", first); !errors.Is(err, ledger.ErrReversal) {
		t.Errorf("a reversal taken back: %v, want ErrReversal", err)
	}
	if _, err := b.reverse("none", "no such"); !errors.Is(err, ledger.ErrTransfer) {
		t.Errorf("nothing taken back: %v, want ErrTransfer", err)
	}
}

func TestWhatWasSpentCannotBeTakenBack(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	b.must("2", ledger.Debit("escrow:A", 60), ledger.Credit("fees", 60))
	if _, err := b.reverse("back", "1"); !errors.Is(err, ledger.ErrOverdraft) {
		t.Errorf("error = %v, want ErrOverdraft", err)
	}
	if _, err := b.reverse("fee", "2"); !errors.Is(err, ledger.ErrShort) {
		t.Errorf("giving a fee back without a top-up: %v, want ErrShort", err)
	}
	b.must("3", ledger.Debit("bank:b:transit", 10), ledger.Credit("bank:b:operating", 10))
	if _, err := b.reverse("top-up", "3"); !errors.Is(err, ledger.ErrShort) {
		t.Errorf("taking a top-up back: %v, want ErrShort", err)
	}
}

func TestTheDatabaseTakesOnlyMirrorsForReversals(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	if _, err := b.reverse("back", "1"); err != nil {
		t.Fatal(err)
	}
	b.must("2", ledger.Debit("psp:p:clearing", 7), ledger.Credit("escrow:A", 7))
	for name, q := range map[string]string{
		"other legs":          `select ledger.post('x', 900, 'k1', '', 'reversal', '', null, 'MAD', array[1, 2], array[0, 0]::smallint[], array[-8, 8], '', (select id from ledger.transfer where key = '2'))`,
		"of a reversal":       `select ledger.post('x', 901, 'k2', '', 'reversal', '', null, 'MAD', array[1, 2], array[0, 0]::smallint[], array[100, -100], '', (select id from ledger.transfer where key = 'back'))`,
		"a second one":        `select ledger.post('x', 902, 'k3', '', 'reversal', '', null, 'MAD', array[1, 2], array[0, 0]::smallint[], array[-100, 100], '', (select id from ledger.transfer where key = '1'))`,
		"without its kind":    `select ledger.post('x', 903, 'k4', '', 'test', '', null, 'MAD', array[1, 2], array[0, 0]::smallint[], array[-7, 7], '', (select id from ledger.transfer where key = '2'))`,
		"without its subject": `select ledger.post('x', 904, 'k5', '', 'reversal', '', null, 'MAD', array[1, 2], array[0, 0]::smallint[], array[-7, 7], '', null)`,
	} {
		if _, err := b.db.Exec(t.Context(), q); err == nil {
			t.Errorf("a reversal %s was taken", name)
		} else if c := pg.Code(err); c != "HB012" && c != "23505" && c != "23514" {
			t.Errorf("a reversal %s: %v", name, err)
		}
	}
}

func TestHeldMoneyCannotBeSpent(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("seller:s:available", 100))
	h := ledger.Hold{ID: "cbk_1", Account: "seller:s:available", Amount: 70, Why: "a chargeback"}
	for range 2 { // harmless
		if err := b.hold(h); err != nil {
			t.Fatal(err)
		}
	}
	b.has(h.Account, 100)
	b.holds(h.Account, 70)
	spend := func(key string, n int64) error {
		return b.post(key, ledger.Debit(h.Account, n), ledger.Credit("payout:p", n))
	}
	if err := spend("2", 31); !errors.Is(err, ledger.ErrOverdraft) {
		t.Errorf("held money was spent: %v", err)
	}
	if err := spend("3", 30); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		h    ledger.Hold
		want error
	}{
		"more than there is": {ledger.Hold{ID: "x", Account: h.Account, Amount: 1}, ledger.ErrOverdraft},
		"another amount":     {ledger.Hold{ID: "cbk_1", Account: h.Account, Amount: 71, Why: h.Why}, ledger.ErrReused},
		"without a floor":    {ledger.Hold{ID: "y", Account: "fees", Amount: 1}, ledger.ErrNoFloor},
		"of no account":      {ledger.Hold{ID: "z", Account: "piggy", Amount: 1}, ledger.ErrAccount},
	} {
		if err := b.hold(c.h); !errors.Is(err, c.want) {
			t.Errorf("a hold %s: %v, want %v", name, err, c.want)
		}
	}
	part := func(n int64) error {
		return b.do(func(ctx context.Context, tx *pg.Tx) error { return b.DropPart(ctx, tx, "cbk_1", n) })
	}
	if err := part(50); err != nil {
		t.Error(err)
	}
	b.holds(h.Account, 20)
	if err := part(21); !errors.Is(err, ledger.ErrNoHold) {
		t.Errorf("more than held was let go: %v", err)
	}
	for range 2 { // harmless
		if err := b.drop("cbk_1"); err != nil {
			t.Error(err)
		}
	}
	b.holds(h.Account, 0)
	if err := b.drop("cbk_2"); !errors.Is(err, ledger.ErrNoHold) {
		t.Errorf("a hold that never was: %v, want ErrNoHold", err)
	}
	if err := spend("4", 70); err != nil {
		t.Error(err)
	}
}

func TestAHoldTakesWhatThereIs(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 40), ledger.Credit("seller:s:available", 40))
	upTo := func(id string, n int64) (got int64) {
		err := b.do(func(ctx context.Context, tx *pg.Tx) (err error) {
			got, err = b.HoldUpTo(ctx, tx, ledger.Hold{ID: id, Account: "seller:s:available", Currency: "MAD", Amount: n, Why: "x"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for i, c := range []struct {
		id         string
		want, kept int64
	}{{"a", 30, 30}, {"b", 30, 10}, {"c", 30, 0}, {"b", 30, 10}} {
		if got := upTo(c.id, c.want); got != c.kept {
			t.Errorf("%d: of %d asked %d are kept back, want %d", i, c.want, got, c.kept)
		}
	}
	b.holds("seller:s:available", 40)
}

func TestAHoldEndsAtItsTime(t *testing.T) {
	t.Parallel()
	b := open(t)
	timers := job.NewTimers(b.db)
	b.Work(timers)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("seller:s:available", 100))
	for _, id := range []string{"one", "two"} {
		if err := b.hold(ledger.Hold{ID: id, Account: "seller:s:available", Amount: 40, Why: "x", Until: b.now().Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.drop("two"); err != nil {
		t.Fatal(err)
	}
	fire := func(want int) {
		t.Helper()
		if n, err := timers.Due(t.Context()); err != nil || n != want {
			t.Errorf("%d timers fired (%v), want %d", n, err, want)
		}
	}
	fire(0)
	b.holds("seller:s:available", 40)
	b.advance(2 * time.Hour)
	fire(2)
	b.holds("seller:s:available", 0)
	states, err := pg.Column[string](t.Context(), b.db, `select state from ledger.hold order by id`)
	if err != nil || fmt.Sprint(states) != "[expired closed]" {
		t.Errorf("holds are %v (%v), want expired and closed", states, err)
	}
}

func TestTheHubCannotWriteWhatIsHeld(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("seller:s:available", 100))
	if err := b.hold(ledger.Hold{ID: "h", Account: "seller:s:available", Amount: 40, Why: "x"}); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		`update ledger.balance set held = 0`, `update ledger.hold set amount = 1`, `delete from ledger.hold`, `update ledger.hold set remains = 41`,
		`delete from ledger.horizon`, `update ledger.closing set before = now()`,
		`update ledger.block set hash = ''`, `delete from platform.audit_block`, `delete from ledger.balance_snapshot`,
	} {
		if _, err := b.db.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s was taken", sql)
		}
	}
}

func TestAClosedPeriodTakesNothingMore(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	b.must("2", ledger.Debit("escrow:A", 30), ledger.Credit("fees", 30))
	b.advance(48 * time.Hour)
	yesterday := b.now().In(clock.Morocco).AddDate(0, 0, -1)
	dated := func(key string, at time.Time) error {
		return b.do(func(ctx context.Context, tx *pg.Tx) error {
			return b.Post(ctx, tx, ledger.Transfer{Key: key, Kind: "test", Currency: "MAD", Effective: at, Legs: []ledger.Leg{ledger.Debit("escrow:A", 1), ledger.Credit("fees", 1)}})
		})
	}
	if err := dated("late", yesterday); err != nil {
		t.Errorf("a day that is open: %v", err)
	}
	upto := yesterday.Format(time.DateOnly)
	for day, want := range map[string]error{b.now().In(clock.Morocco).Format(time.DateOnly): ledger.ErrNotOver, "soon": ledger.ErrNotOver} {
		if err := b.do(func(ctx context.Context, tx *pg.Tx) error { return b.Close(ctx, tx, day) }); !errors.Is(err, want) {
			t.Errorf("closing %s: %v, want %v", day, err, want)
		}
	}
	if err := b.do(func(ctx context.Context, tx *pg.Tx) error { return b.Close(ctx, tx, upto) }); err != nil {
		t.Fatal(err)
	}
	if err := b.do(func(ctx context.Context, tx *pg.Tx) error { return b.Close(ctx, tx, upto) }); !errors.Is(err, ledger.ErrShut) {
		t.Errorf("closing twice: %v, want ErrShut", err)
	}
	if err := dated("too late", yesterday); !errors.Is(err, ledger.ErrClosed) {
		t.Errorf("a closed day: %v, want ErrClosed", err)
	}
	if err := dated("late", yesterday); err != nil {
		t.Errorf("what was posted before the close, again: %v", err)
	}
	if err := dated("in time", b.now()); err != nil {
		t.Error(err)
	}
	var trial string
	b.kept(func() bool {
		var err error
		trial, err = pg.Value[string](t.Context(), b.db, nil, `select coalesce(max(convert_from(trial, 'UTF8')), '') from ledger.closing where hash = sha256(trial)`)
		return err == nil && trial != ""
	})
	want := "escrow:A\tMAD\t0.00\t0.69\nfees\tMAD\t0.00\t0.31\npsp:p:clearing\tMAD\t1.00\t0.00\n"
	if trial != want {
		t.Errorf("the trial balance kept is\n%swant\n%s", trial, want)
	}
	if _, err := b.db.Exec(t.Context(), `update ledger.closing set trial = '', hash = sha256('')`); pg.Code(err) != "HB001" {
		t.Errorf("the trial balance of a closed period was changed: %v", err)
	}
}

// A transaction that posted before the close and commits after it is part of the
// trial balance: the close waits for it.
func TestTheCloseWaitsForWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	b.advance(48 * time.Hour)
	yesterday := b.now().In(clock.Morocco).AddDate(0, 0, -1)
	posted, commit, done := make(chan bool), make(chan bool), make(chan error, 1)
	go func() {
		done <- b.do(func(ctx context.Context, tx *pg.Tx) error {
			err := b.Post(ctx, tx, ledger.Transfer{Key: "slow", Kind: "test", Currency: "MAD", Effective: yesterday, Legs: []ledger.Leg{ledger.Debit("psp:p:clearing", 5), ledger.Credit("fees", 5)}})
			if err == nil {
				err = tx.Flush(ctx)
			}
			posted <- true
			<-commit
			return err
		})
	}()
	<-posted
	if err := b.do(func(ctx context.Context, tx *pg.Tx) error { return b.Close(ctx, tx, yesterday.Format(time.DateOnly)) }); err != nil {
		t.Fatal(err)
	}
	trial := func() string {
		s, err := pg.Value[string](t.Context(), b.db, nil, `select coalesce(max(convert_from(trial, 'UTF8')), '') from ledger.closing`)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for range 5 {
		if _, err := b.KeepDays(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if s := trial(); s != "" {
		t.Errorf("the trial balance did not wait: %s", s)
	}
	commit <- true
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.kept(func() bool { return trial() != "" })
	if got, want := trial(), "escrow:A\tMAD\t0.00\t1.00\nfees\tMAD\t0.00\t0.05\npsp:p:clearing\tMAD\t1.05\t0.00\n"; got != want {
		t.Errorf("the trial balance is\n%swant\n%s", got, want)
	}
}

func TestTwoPeopleCloseAPeriod(t *testing.T) {
	t.Parallel()
	b := open(t)
	second := approvals.New(b.db)
	b.Approve(second)
	b.must("1", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	b.advance(48 * time.Hour)
	upto := b.now().In(clock.Morocco).AddDate(0, 0, -1).Format(time.DateOnly)
	as := func(who string, f func(ctx context.Context, tx *pg.Tx) error) error {
		ctx := auth.With(t.Context(), auth.Principal{Subject: who, Key: "key_" + who, Role: auth.Operator})
		return b.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
	}
	var asked ledger.AskedView
	ask := func(ctx context.Context, tx *pg.Tx) (err error) {
		asked, err = b.AskToClose(ctx, tx, ledger.AskToCloseInput{Upto: upto, Why: "the month is over"})
		return err
	}
	decide := func(ctx context.Context, tx *pg.Tx) error {
		_, err := second.Decide(ctx, tx, approvals.DecideInput{Approval: asked.Approval, Decision: "approve"})
		return err
	}
	if err := as("per_1", ask); err != nil {
		t.Fatal(err)
	}
	if err := as("per_1", decide); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("one person closed the books alone: %v", err)
	}
	if err := as("per_2", decide); err != nil {
		t.Fatal(err)
	}
	page, err := b.Closings(t.Context(), paging)
	if err != nil || len(page.Data) != 1 || page.Data[0].Upto != upto {
		t.Errorf("closings are %+v (%v), want %s", page.Data, err, upto)
	}
	if err := as("per_1", ask); !errors.Is(err, ledger.ErrShut) {
		t.Errorf("asking again: %v, want ErrShut", err)
	}
}
