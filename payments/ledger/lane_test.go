package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

func item(key string, legs ...ledger.Leg) ledger.Item {
	return ledger.Item{Transfer: ledger.Transfer{Key: key, Kind: "test", Currency: "MAD", Legs: legs}}
}

func move(key, from, to string, centimes int64) ledger.Item {
	return item(key, ledger.Debit(from, centimes), ledger.Credit(to, centimes))
}

// sound checks that the books add up, and that the balances are what their
// entries come to.
func (b books) sound() {
	b.t.Helper()
	far := time.Now().AddDate(10, 0, 0)
	now, err := b.TrialBalance(b.t.Context(), ledger.TrialInput{})
	replayed, rerr := b.TrialBalance(b.t.Context(), ledger.TrialInput{At: &far})
	if err := errors.Join(err, rerr); err != nil {
		b.t.Fatal(err)
	}
	if diff := cmp.Diff(replayed, now); diff != "" {
		b.t.Errorf("the balances are not what the entries come to: %s", diff)
	}
	for _, t := range now.Totals {
		if t.Difference != "0.00" {
			b.t.Errorf("the books differ by %s %s", t.Difference, t.Currency)
		}
	}
}

func (b books) lane(o ledger.LaneOptions) *ledger.Lane {
	l := ledger.NewLane(b.Books, o)
	b.t.Cleanup(func() {
		if err := l.Close(context.Background()); err != nil {
			b.t.Error(err)
		}
	})
	return l
}

// TestTheLaneAndThePlainPathAgree posts the same random sequences by the lane in
// lists, by PostAll, and one by one; the oracle predicts each answer.
func TestTheLaneAndThePlainPathAgree(t *testing.T) {
	t.Parallel()
	lists, bulk, plain := open(t), open(t), open(t)
	lane := lists.lane(ledger.LaneOptions{})
	run := 0
	rapid.Check(t, func(rt *rapid.T) {
		run++ // each in accounts of its own; the first two have a floor
		names := []string{fmt.Sprintf("escrow:%d", run), fmt.Sprintf("seller:%d:available", run), fmt.Sprintf("carrier:%d:cod", run), fmt.Sprintf("psp:%d:clearing", run)}
		o := oracle{posted: map[string]posting{}, holds: map[string]*held{}}
		for n := range rapid.IntRange(1, 3).Draw(rt, "batches") {
			var items []ledger.Item
			var all []ledger.Transfer
			var want []error
			for range rapid.IntRange(1, 12).Draw(rt, "size") {
				key := fmt.Sprintf("%d:%d", run, rapid.IntRange(0, 10).Draw(rt, "key"))
				from := rapid.IntRange(0, 3).Draw(rt, "from")
				to := (from + rapid.IntRange(1, 3).Draw(rt, "to")) % 4
				it := move(key, names[from], names[to], rapid.Int64Range(1, 3).Draw(rt, "amount"))
				items, all = append(items, it), append(all, it.Transfer)
				want = append(want, o.into(names[:2], key, posting{legs: it.Transfer.Legs, effective: time.Now()}))
			}
			errs, err := lane.PostList(t.Context(), items, nil)
			if err != nil {
				rt.Fatal(err)
			}
			var errs2 []error
			if err := bulk.db.InTx(t.Context(), func(tx *pg.Tx) (err error) { errs2, err = bulk.PostAll(t.Context(), tx, all); return err }); err != nil {
				rt.Fatal(err)
			}
			for i, w := range want {
				one := plain.post(all[i].Key, all[i].Legs...)
				if !errors.Is(errs[i], w) || !errors.Is(errs2[i], w) || !errors.Is(one, w) || w == nil && (errs[i] != nil || errs2[i] != nil || one != nil) {
					rt.Errorf("batch %d, %d (%v): lane %v, PostAll %v, Post %v, want %v", n, i, all[i], errs[i], errs2[i], one, w)
				}
			}
		}
		for _, a := range names {
			for _, b := range []books{lists, bulk, plain} {
				b.has(a, o.balance(a))
			}
		}
	})
	lists.sound()
	bulk.sound()
}

func TestManyCallersAreCommittedTogether(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("in", ledger.Debit("psp:p:clearing", 1000), ledger.Credit("escrow:A", 1000))
	l := b.lane(ledger.LaneOptions{})
	var wg sync.WaitGroup
	var posted, short atomic.Int64
	for n := range 300 {
		wg.Go(func() {
			switch err := l.Post(t.Context(), move(fmt.Sprint("k", n), "escrow:A", fmt.Sprintf("seller:%d:available", n%7), 10)); {
			case err == nil:
				posted.Add(1)
			case errors.Is(err, ledger.ErrOverdraft):
				short.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if posted.Load() != 100 || short.Load() != 200 {
		t.Errorf("%d were posted and %d refused, want 100 and 200: there is money for 100", posted.Load(), short.Load())
	}
	b.has("escrow:A", 0)
	b.sound()
}

func TestFiftyCallersWithOneKeyPostOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	l := b.lane(ledger.LaneOptions{})
	var wg sync.WaitGroup
	var reused atomic.Int64
	bodies := make([]string, 50)
	for n := range 50 {
		wg.Go(func() {
			if err := l.Post(t.Context(), move("k", "psp:p:clearing", "escrow:A", 10)); err != nil {
				t.Error(err)
			}
			if err := l.Post(t.Context(), move("k", "psp:p:clearing", "escrow:A", 11)); errors.Is(err, ledger.ErrReused) {
				reused.Add(1)
			}
			k := rest.KeepFor(auth.Hub, "header", []byte("request"), 201)
			_, err := l.PostList(t.Context(), []ledger.Item{move(fmt.Sprint("h", n), "psp:p:clearing", "escrow:B", 10)}, &ledger.Answer{
				Keep: k, Of: func([]error) (any, error) { return n, nil },
			})
			if err != nil {
				t.Error(err)
			}
			body, _ := k.Body()
			bodies[n] = string(body)
		})
	}
	wg.Wait()
	b.has("escrow:A", 10)
	b.has("escrow:B", 10)
	if reused.Load() != 50 {
		t.Errorf("%d of 50 were told that the key stands for something else", reused.Load())
	}
	for n, s := range bodies {
		if s == "" || s != bodies[0] {
			t.Errorf("caller %d was answered %q and caller 0 %q", n, s, bodies[0])
		}
	}
	k := rest.KeepFor(auth.Hub, "header", []byte("another"), 201)
	if _, err := l.PostList(t.Context(), []ledger.Item{move("h", "psp:p:clearing", "escrow:B", 10)}, &ledger.Answer{Keep: k, Of: func([]error) (any, error) { return 0, nil }}); err == nil {
		t.Error("the same header key took another request")
	}
	b.sound()
}

// A seat is a guard: a timer's row that one may take.
type seat struct{ subject string }

func (seat) Claim(ctx context.Context, tx *pg.Tx, all []ledger.Guard) ([]error, error) {
	names := make([]string, len(all))
	for i, g := range all {
		names[i] = g.(seat).subject
	}
	taken, err := pg.Column[string](ctx, tx, `update platform.timer set tries = 1 where kind = 'seat' and subject = any($1) and tries = 0 returning subject`, names)
	errs := make([]error, len(all))
	for i, name := range names {
		at := -1
		for j, s := range taken {
			if s == name {
				at = j
			}
		}
		if at < 0 {
			errs[i] = errTaken
			continue
		}
		taken[at] = ""
	}
	return errs, err
}

var errTaken = errors.New("the seat is taken")

type sat struct {
	Seat string `json:"seat"`
}

func (sat) EventType() string { return "test.sat" }
func (s sat) Subject() string { return s.Seat }

func TestAGuardThatIsGoneFailsItsItemAlone(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("in", ledger.Debit("psp:p:clearing", 25), ledger.Credit("escrow:A", 25))
	for n := range 5 {
		if _, err := b.db.Exec(t.Context(), `insert into platform.timer (kind, subject, due, next_at) values ('seat', $1, now(), now())`, fmt.Sprint(n)); err != nil {
			t.Fatal(err)
		}
	}
	l := b.lane(ledger.LaneOptions{})
	var items []ledger.Item
	for i, s := range []string{"0", "0", "1", "9", "2", "3"} { // the second comes too late, 9 never was
		it := move(fmt.Sprint("k", i), "escrow:A", "seller:s:available", 10)
		it.Guard, it.Events = seat{s}, []pg.Event{sat{s}}
		items = append(items, it)
	}
	dup := items[0]
	items = append(items, dup)
	errs, err := l.PostList(t.Context(), items, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, errTaken, nil, errTaken, ledger.ErrOverdraft, ledger.ErrOverdraft, nil} {
		if !errors.Is(errs[i], want) || want == nil && errs[i] != nil {
			t.Errorf("item %d: %v, want %v", i, errs[i], want)
		}
	}
	if n := tally(t, b.db, `select count(*) from platform.timer where kind = 'seat' and tries = 1`); n != 2 {
		t.Errorf("%d seats are taken, want 2: those of what was not posted are free", n)
	}
	if n := tally(t, b.db, `select count(*) from platform.event where type = 'test.sat'`); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	if errs, err := l.PostList(t.Context(), items[:1], nil); err != nil || errs[0] != nil {
		t.Errorf("asked again: %v %v, want the first answer", errs, err)
	}
	b.has("escrow:A", 5)
	b.sound()
}

func tally(t *testing.T, db *pg.Store, sql string) int {
	t.Helper()
	n, err := pg.Value[int](t.Context(), db, nil, sql)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestALostConnectionNeitherLosesNorDoubles ends the batches' connections at any
// moment, that of the commit among them.
func TestALostConnectionNeitherLosesNorDoubles(t *testing.T) {
	t.Parallel()
	b := open(t)
	l := b.lane(ledger.LaneOptions{Batch: 16})
	stop := make(chan struct{})
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(3+rand.IntN(12)) * time.Millisecond):
				_, _ = pg.Column[bool](context.Background(), b.db, `select pg_terminate_backend(pid) from pg_stat_activity
					where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle' limit 1`)
			}
		}
	})
	var wg sync.WaitGroup
	var kept sync.Map
	for c := range 20 {
		wg.Go(func() {
			for n := range 10 {
				key := fmt.Sprintf("k%d-%d", c, n)
				err := errors.New("not yet")
				for try := 0; err != nil && try < 100; try++ { // as a caller does who keeps its key
					if err = l.Post(context.Background(), move(key, "psp:p:clearing", "escrow:A", 1)); err == nil {
						kept.Store(key, true)
					}
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	killer.Wait()
	b.has("escrow:A", 200)
	if n := tally(t, b.db, `select count(*) from ledger.transfer`); n != 200 {
		t.Errorf("%d transfers, want 200", n)
	}
	b.sound()
}

func TestAFullLaneTurnsAwayAtOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	b.must("in", ledger.Debit("psp:p:clearing", 100), ledger.Credit("escrow:A", 100))
	l := b.lane(ledger.LaneOptions{Queue: 4, Batchers: 1})
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	if err := b.db.InTx(t.Context(), func(tx *pg.Tx) error {
		if _, err := b.Free(t.Context(), tx, "MAD", "escrow:A"); err != nil { // keeps the first batch waiting
			return err
		}
		wg.Go(func() { errs <- l.Post(t.Context(), move("first", "escrow:A", "fees", 1)) })
		for n := 0; n == 0; { // until the first waits for the lock
			var err error
			if n, err = pg.Value[int](t.Context(), b.db, nil, `select count(*) from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`); err != nil {
				return err
			}
		}
		began := make(chan struct{}, 4)
		for n := range 4 {
			wg.Go(func() { began <- struct{}{}; errs <- l.Post(t.Context(), move(fmt.Sprint(n), "escrow:A", "fees", 1)) })
		}
		for range 4 {
			<-began
		}
		var full error
		for n := 0; full == nil && n < 1000; n++ {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
			if err := l.Post(ctx, move("late", "escrow:A", "fees", 1)); errors.Is(err, ledger.ErrFull) {
				full = err
			}
			cancel()
		}
		if full == nil {
			t.Error("a full lane took one more in")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil && !errors.Is(err, ledger.ErrFull) {
			t.Error(err)
		}
	}
	b.sound()
}

func TestACallerThatLeavesNeitherLosesNorDoubles(t *testing.T) {
	t.Parallel()
	b := open(t)
	l := ledger.NewLane(b.Books, ledger.LaneOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := l.Post(ctx, move("k", "psp:p:clearing", "escrow:A", 10))
	if err != nil && !errors.Is(err, pg.ErrInDoubt) {
		t.Errorf("a caller that left was told %v, want in doubt", err)
	}
	if err := l.Post(t.Context(), move("k", "psp:p:clearing", "escrow:A", 10)); err != nil {
		t.Error(err)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.Post(t.Context(), move("l", "psp:p:clearing", "escrow:A", 10)); !errors.Is(err, ledger.ErrDraining) {
		t.Errorf("a closed lane said %v, want ErrDraining", err)
	}
	b.has("escrow:A", 10)
	b.sound()
}
