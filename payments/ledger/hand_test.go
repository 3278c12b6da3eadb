package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/approvals"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// wraps are n legs on each side, of the most that an int64 holds.
func wraps(n int) ledger.Transfer {
	t := ledger.Transfer{Key: "k", Kind: "hand", Currency: "MAD"}
	for i := range n {
		t.Legs = append(t.Legs, ledger.Debit(fmt.Sprintf("payable:carrier:%d", i), math.MaxInt64), ledger.Credit(fmt.Sprintf("payable:carrier:x%d", i), math.MaxInt64))
	}
	return t
}

// A transfer is taken if its exact sums are the same and within bounds, whatever
// the legs: nothing wraps.
func TestSumsAreExactWhateverTheLegs(t *testing.T) {
	t.Parallel()
	edge := rapid.SampledFrom([]int64{
		math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MinInt64 / 2, math.MaxInt64/2 + 1, ledger.Most, -ledger.Most, ledger.Most + 1, -ledger.Most - 1, ledger.Most / 2, -ledger.Most / 2, 1, -1, 0,
	})
	rapid.Check(t, func(t *rapid.T) {
		tr := ledger.Transfer{Key: "k", Kind: "test", Currency: "MAD"}
		debits, credits := new(big.Int), new(big.Int)
		legs := 0
		for _, n := range rapid.SliceOfN(rapid.OneOf(edge, rapid.Int64(), rapid.Int64Range(-9, 9)), 0, 24).Draw(t, "amounts") {
			both := []int64{n}
			if rapid.Bool().Draw(t, "mirrored") {
				both = append(both, -n)
			}
			for _, n := range both {
				tr.Legs = append(tr.Legs, ledger.Leg{Account: "fees", Amount: n})
				if n > 0 {
					debits.Add(debits, big.NewInt(n))
				} else {
					credits.Sub(credits, big.NewInt(n))
				}
				if n != 0 {
					legs++
				}
			}
		}
		most := big.NewInt(ledger.Most)
		var want error
		switch {
		case debits.Cmp(most) > 0 || credits.Cmp(most) > 0:
			want = ledger.ErrTooMuch
		case debits.Cmp(credits) != 0 || legs < 2:
			want = ledger.ErrUnbalanced
		}
		if _, err := tr.Check(); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Fatalf("debits %s, credits %s, %d legs: %v, want %v", debits, credits, legs, err, want)
		}
		if two, err := ledger.ByHand(tr); errors.Is(want, ledger.ErrTooMuch) != errors.Is(err, ledger.ErrTooMuch) || err == nil && two != (debits.Cmp(big.NewInt(ledger.HandLimit)) > 0) {
			t.Fatalf("debits %s, credits %s by hand: two %t, %v", debits, credits, two, err)
		}
	})
}

func TestATransferMayMoveTheMostAndNoMore(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]error{ledger.Most - 1: nil, ledger.Most: nil, ledger.Most + 1: ledger.ErrTooMuch} {
		for name, tr := range map[string]ledger.Transfer{
			"two legs":    shift("k", "psp_cost", "fees", n),
			"two debits":  {Key: "k", Kind: "x", Legs: []ledger.Leg{ledger.Debit("loss", 1), ledger.Debit("fees", n-1), ledger.Credit("capital", n)}},
			"two credits": {Key: "k", Kind: "x", Legs: []ledger.Leg{ledger.Credit("loss", 1), ledger.Credit("fees", n-1), ledger.Debit("capital", n)}},
		} {
			if _, err := tr.Check(); !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%s of %d: %v, want %v", name, n, err, want)
			}
		}
	}
	credits := ledger.Transfer{Key: "k", Kind: "x", Legs: []ledger.Leg{ledger.Credit("loss", ledger.Most), ledger.Credit("fees", 1), ledger.Debit("capital", 1)}}
	if _, err := credits.Check(); !errors.Is(err, ledger.ErrTooMuch) {
		t.Errorf("credits beyond: %v, want ErrTooMuch", err)
	}
}

func TestTheLimitOfADayIsExact(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for n, want := range map[int64]error{ledger.HandLimit - 501: nil, ledger.HandLimit - 500: nil, ledger.HandLimit - 499: ledger.ErrDay} {
		b := ledger.Batch{Chart: chart, Keys: map[string][]byte{}, Alone: map[string]int64{"a": 300}}
		b.Add(ledger.By(shift("1", "psp:p:clearing", "fees", 200), "a"), -1)
		b.Add(ledger.By(shift("2", "psp:p:clearing", "fees", n), "a"), -1)
		if errs, _ := b.Decide(now); errs[0] != nil || !errors.Is(errs[1], want) || (errs[1] == nil) != (want == nil) {
			t.Errorf("%d after 500: %v, want %v", n, errs, want)
		}
	}
}

// What others move for a person between a batch's look and its write is seen: each
// transfer of the list has its own answer.
func TestADayThatChangesMeanwhileIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	b := open(t)
	l, as := people(b)
	done := make(chan error, 1)
	k := rest.KeepFor(auth.From(as("per_1")), "k", []byte{1}, 201)
	if err := b.do(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := tx.Exec(ctx, `insert into ledger.alone (person, day, centimes) values ($1, ledger.today(), 900000)`, auth.From(as("per_1")).Person()); err != nil {
			return err
		}
		go func() {
			_, err := l.Take(as("per_1"), k, ledger.PostInput{Transfers: []ledger.HandInput{handed("1", "psp_cost", "fees", 700_00), handed("2", "psp_cost", "fees", 700_00)}})
			done <- err
		}()
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if tally(t, b.db, `select count(*) from pg_locks l join pg_stat_activity a using (pid) where a.datname = current_database() and not l.granted`) > 0 {
				return nil
			}
		}
		return errors.New("nobody waits")
	}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	body, _ := k.Body()
	var out ledger.PostOutput
	if err := json.Unmarshal(body, &out); err != nil || len(out.Data) != 2 || out.Data[0].State != "posted" || out.Data[1].Code != "ledger.day_limit" {
		t.Errorf("the list is answered %s (%v)", body, err)
	}
	b.has("fees", 700_00)
}

// What a person moves alone adds up over a batch and never passes the limit; what
// was posted before counts for nothing.
func TestAPersonsDayAddsUp(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		before := map[string]int64{"a": rapid.Int64Range(0, ledger.HandLimit).Draw(t, "a"), "b": 0}
		b := ledger.Batch{Chart: chart, Keys: map[string][]byte{}, Alone: maps.Clone(before)}
		old := shift("old", "psp:p:clearing", "fees", ledger.HandLimit)
		b.Keys["old"] = old.Hash()
		have, moved := maps.Clone(before), map[string]int64{}
		var want []error
		for i := range rapid.IntRange(1, 8).Draw(t, "transfers") {
			who := rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "who")
			n := rapid.OneOf(rapid.Int64Range(1, ledger.HandLimit+1), rapid.Int64Range(1, 9)).Draw(t, "centimes")
			tr := shift(fmt.Sprint("k", i), "psp:p:clearing", "fees", n)
			switch {
			case rapid.IntRange(0, 4).Draw(t, "old") == 0:
				tr, who = old, "a"
				want = append(want, nil)
			case who == "" || n <= ledger.HandLimit-have[who]:
				want = append(want, nil)
				if who != "" {
					have[who] += n
					moved[who] += n
				}
			default:
				want = append(want, ledger.ErrDay)
			}
			if who != "" {
				tr = ledger.By(tr, who)
			}
			b.Add(tr, -1)
		}
		errs, _ := b.Decide(now)
		for i, err := range errs {
			if !errors.Is(err, want[i]) || (err == nil) != (want[i] == nil) {
				t.Fatalf("at %d: %v, want %v", i, err, want[i])
			}
		}
		if got := b.Shares(); !maps.Equal(got, moved) {
			t.Fatalf("people moved %v, want %v", got, moved)
		}
	})
}

func TestClaimsWithoutAFloorAndOurOwnMoneyAreLookedAfterByHand(t *testing.T) {
	t.Parallel()
	tr := ledger.Transfer{Legs: []ledger.Leg{
		ledger.Debit("payable:carrier:a", 5), ledger.Credit("payable:carrier:a", 2), ledger.Debit("payable:carrier:b", 5), ledger.Credit("payable:carrier:b", 5),
		ledger.Credit("payable:insurer:c", 5), ledger.Debit("payable:insurer:d", 1), ledger.Debit("seller:s:available", 5), ledger.Debit("payable:vat", 5), ledger.Debit("bank:b:safeguard", 5), ledger.Debit("nothing", 5),
		ledger.Credit("bank:b:operating", 7), ledger.Debit("bank:b:operating", 3), ledger.Debit("bank:c:operating", 9), ledger.Credit("bank:d:transit", 9),
	}}
	if got, want := ledger.Drains(tr), map[string]int64{"payable:carrier:a": 3, "payable:insurer:d": 1, "bank:b:operating": 4}; !maps.Equal(got, want) {
		t.Errorf("it takes %v, want %v", got, want)
	}
}

func TestWhatLiesAtPartnersIsNotDatedByHand(t *testing.T) {
	t.Parallel()
	for account, want := range map[string]error{
		"bank:b:safeguard": ledger.ErrDated, "bank:b:transit": ledger.ErrDated, "psp:p:clearing": ledger.ErrDated, "carrier:c:cod": ledger.ErrDated,
		"bank:b:operating": ledger.ErrDated, "psp_cost": nil, "payable:vat": nil,
	} {
		tr := shift("k", account, "fees", 1)
		if _, err := ledger.ByHand(tr); err != nil {
			t.Errorf("%s: %v", account, err)
		}
		tr.Effective = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
		if _, err := ledger.ByHand(tr); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s as of before: %v, want %v", account, err, want)
		}
	}
}

// Our own money at a bank is not there twice: of what people take out of it by
// hand at once, no more goes than there is.
func TestOurOwnMoneyIsNotSpentTwiceByHand(t *testing.T) {
	t.Parallel()
	b := open(t)
	desk := approvals.New(b.db)
	b.Approve(desk)
	l, as := b.lane(ledger.LaneOptions{}), func(who string) context.Context {
		return auth.With(t.Context(), auth.Principal{Subject: who, Role: auth.Operator})
	}
	b.must("there", ledger.Debit("bank:b:operating", 1000), ledger.Credit("capital", 1000))
	take := func(ref string, centimes int64) error {
		_, err := l.Take(as("per_1"), rest.KeepFor(auth.From(as("per_1")), ref, []byte(ref), 201), ledger.PostInput{Transfers: []ledger.HandInput{handed(ref, "payable:vat", "bank:b:operating", centimes)}})
		return err
	}
	for i := range 8 {
		if err := take(fmt.Sprint("r", i), 300); err != nil {
			t.Fatal(err)
		}
	}
	var paid atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			err := b.db.InTx(as("per_2"), func(tx *pg.Tx) error {
				_, err := desk.Approve(as("per_2"), tx, "ledger.hand", fmt.Sprint("r", i), "")
				return err
			})
			switch {
			case err == nil:
				paid.Add(1)
			case !errors.Is(err, ledger.ErrOverdraft):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if b.has("bank:b:operating", 100); paid.Load() != 3 {
		t.Errorf("%d of eight times 3.00 out of 10.00 went, want 3", paid.Load())
	}
}

func TestNothingByHandCountsFromLaterOn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for at, want := range map[time.Time]error{
		{}: nil, now: nil, now.Add(-time.Hour): nil, now.Add(time.Minute): nil, now.Add(time.Minute + 1): ledger.ErrFuture,
		time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC): ledger.ErrFuture,
	} {
		if err := ledger.Due(ledger.Transfer{Effective: at}, now); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("from %s: %v, want %v", at, err, want)
		}
		b := ledger.Batch{Chart: chart, Keys: map[string][]byte{}, Alone: map[string]int64{}}
		tr := shift("k", "psp:p:clearing", "fees", 1)
		tr.Effective = at
		b.Add(ledger.By(tr, "a"), -1)
		if errs, _ := b.Decide(now); !errors.Is(errs[0], want) || (errs[0] == nil) != (want == nil) {
			t.Errorf("in a batch, from %s: %v, want %v", at, errs[0], want)
		}
	}
}

// errKeyReused is the edge's.
var errKeyReused = fault.New(fault.Invalid, "idempotency.reused", "")

// people are those who post by hand.
func people(b books) (*ledger.Lane, func(who string) context.Context) {
	b.Approve(approvals.New(b.db))
	return b.lane(ledger.LaneOptions{Batch: 16}), func(who string) context.Context {
		return auth.With(context.Background(), auth.Principal{Subject: who, Key: "key_" + who, Role: auth.Operator})
	}
}

func handed(reference, debit, credit string, centimes int64) ledger.HandInput {
	m := money.FromCentimes(centimes, money.MAD)
	return ledger.HandInput{Reference: reference, Note: "x", Legs: []ledger.LegView{
		{Account: debit, Side: "debit", Amount: m}, {Account: credit, Side: "credit", Amount: m},
	}}
}

// The limit of a day is kept by any number of requests at once, each alone or in
// lists, on two hubs.
func TestTheLimitOfADayHoldsAtOnce(t *testing.T) {
	t.Parallel()
	b := open(t)
	one, as := people(b)
	two := books{ledger.New(b.db), b.db, t}.lane(ledger.LaneOptions{})
	var posted, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			l, n := one, 1+i%3
			if i%2 == 0 {
				l = two
			}
			var in ledger.PostInput
			for j := range n {
				in.Transfers = append(in.Transfers, handed(fmt.Sprint(i, "-", j), "psp_cost", "fees", 700_00))
			}
			k := rest.KeepFor(auth.From(as("per_1")), fmt.Sprint("k", i), []byte{1}, 201)
			if _, err := l.Take(as("per_1"), k, in); err != nil {
				t.Error(err)
				return
			}
			body, _ := k.Body()
			var out ledger.PostOutput
			if err := json.Unmarshal(body, &out); err != nil || len(out.Data) != n {
				t.Errorf("%s (%v)", body, err)
			}
			for _, v := range out.Data {
				switch {
				case v.State == "posted":
					posted.Add(1)
				case v.Code == "ledger.day_limit":
					refused.Add(1)
				default:
					t.Errorf("%+v", v)
				}
			}
		})
	}
	wg.Wait()
	if posted.Load() != 14 || refused.Load() != 79-14 {
		t.Errorf("%d posted and %d refused, want 14 of 700 within 10,000", posted.Load(), refused.Load())
	}
	b.has("fees", 14*700_00)
	if n, err := pg.Value[int64](t.Context(), b.db, nil, `select centimes from ledger.alone`); err != nil || n != 14*700_00 {
		t.Errorf("the day has %d (%v)", n, err)
	}
	for _, sql := range []string{`update ledger.alone set centimes = 1`, `delete from ledger.alone`, `update ledger.alone set centimes = 1000001`, `update ledger.alone set person = 'x'`} {
		if _, err := b.db.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s was taken", sql)
		}
	}
	// Another person has a day of its own, and so has tomorrow.
	take := func(who, ref string, n int64) error {
		_, err := one.Take(as(who), rest.KeepFor(auth.From(as(who)), ref, []byte{1}, 201), ledger.PostInput{Reference: ref, Note: "x", Legs: handed(ref, "psp_cost", "fees", n).Legs})
		return err
	}
	if err := take("per_1", "x1", 200_01); !errors.Is(err, ledger.ErrDay) {
		t.Errorf("a centime above: %v", err)
	}
	if err := take("per_1", "x2", 200_00); err != nil {
		t.Error(err)
	}
	if err := take("per_2", "x3", 10_000_00); err != nil {
		t.Error(err)
	}
	b.advance(24 * time.Hour)
	if err := take("per_1", "x4", 10_000_00); err != nil {
		t.Error(err)
	}
	b.advance(24 * time.Hour) // also in a list
	k := rest.KeepFor(auth.From(as("per_1")), "x5", []byte{1}, 201)
	_, err := one.Take(as("per_1"), k, ledger.PostInput{Transfers: []ledger.HandInput{handed("x5", "psp_cost", "fees", 9_000_00), handed("x6", "psp_cost", "fees", 1_000_00)}})
	if body, _ := k.Body(); err != nil || strings.Count(string(body), `"posted"`) != 2 {
		t.Errorf("a list of the third day: %s, %v", body, err)
	}
	b.sound()
}

// Of two requests under one key the one that is refused has no effect, also when
// connections break at any moment: what waits for a second person is what was
// answered.
func TestWhatIsRefusedLeavesNothingThatWaits(t *testing.T) {
	t.Parallel()
	b := open(t)
	l, as := people(b)
	stop := make(chan struct{})
	var killer, wg sync.WaitGroup
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
	for i := range 20 {
		var won atomic.Int64
		for j := range 3 {
			wg.Go(func() {
				var err error
				for range 100 { // as a caller does who keeps its key
					ref := fmt.Sprintf("r%d-%d", i, j)
					k := rest.KeepFor(auth.From(as("per_1")), fmt.Sprint("k", i), []byte{byte(j)}, 201)
					in := ledger.PostInput{Transfers: []ledger.HandInput{handed(ref, "bank:b:operating", "capital", 5), handed(ref+"-light", "psp_cost", "fees", 1)}}
					if _, err = l.Take(as("per_1"), k, in); err == nil {
						won.Add(1)
						return
					}
					if errors.Is(err, errKeyReused) {
						return
					}
				}
				t.Error(err)
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of three requests under one key were taken", won.Load())
		}
	}
	close(stop)
	killer.Wait()
	for what, sql := range map[string]string{
		"waiting drafts": `select count(*) from ledger.draft`, "open approvals": `select count(*) from approvals.request where state = 'open'`,
		"light transfers": `select count(*) from ledger.transfer`, "answers that name them": `select count(*) from ledger.draft d join platform.answer a on convert_from(a.body, 'UTF8') like '%"' || d.reference || '"%' join approvals.request r on r.subject = d.reference`,
	} {
		if n := tally(t, b.db, sql); n != 20 {
			t.Errorf("%d %s, want 20", n, what)
		}
	}
}

// An approval is for exactly the transfer that was asked for: one whose draft
// says something else by then is not posted, whoever changed it.
func TestAnApprovalIsForExactlyOneTransfer(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]string{
		"another amount":  `update ledger.draft set transfer = replace(transfer::text, '500', '50000')::jsonb`,
		"another account": `update ledger.draft set transfer = replace(transfer::text, 'psp_cost', 'dispute_cost')::jsonb`,
		"another note":    `update ledger.draft set transfer = jsonb_set(transfer, '{Note}', '"y"')`,
		"another key":     `update ledger.draft set transfer = jsonb_set(transfer, '{Key}', '"hand:other"')`,
		"another time":    `update ledger.draft set transfer = jsonb_set(transfer, '{Effective}', '"2026-01-02T03:04:05.000006Z"')`,
		"nothing":         `update ledger.draft set transfer = transfer`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.URL(t)
			db, owner := pgtest.Open(t, url, pg.Options{MaxConns: 4}), pgtest.Open(t, url, pg.Options{MaxConns: 1})
			db.Use(nil, event.NewBus())
			b, desk := books{ledger.New(db), db, t}, approvals.New(db)
			b.Approve(desk)
			l, as := b.lane(ledger.LaneOptions{}), func(who string) context.Context {
				return auth.With(t.Context(), auth.Principal{Subject: who, Role: auth.Operator})
			}
			in := handed("r", "psp_cost", "capital", 500)
			if _, err := l.Take(as("per_1"), rest.KeepFor(auth.From(as("per_1")), "k", []byte{1}, 201), ledger.PostInput{Transfers: []ledger.HandInput{in}}); err != nil {
				t.Fatal(err)
			}
			if _, err := b.db.Exec(t.Context(), change); err == nil || pg.Code(err) != "42501" {
				t.Fatalf("the hub may change what waits: %v", err)
			}
			for _, sql := range []string{`set role none`, change} {
				if _, err := owner.Exec(t.Context(), sql); err != nil {
					t.Fatal(err)
				}
			}
			err := b.db.InTx(as("per_2"), func(tx *pg.Tx) error {
				_, err := desk.Approve(as("per_2"), tx, "ledger.hand", "r", "")
				return err
			})
			posted := tally(t, b.db, `select count(*) from ledger.transfer`)
			if same := name == "nothing"; same && (err != nil || posted != 1) || !same && (!errors.Is(err, approvals.ErrChanged) || posted != 0) {
				t.Errorf("with %s in the draft: %v, %d transfers posted", name, err, posted)
			}
		})
	}
}
