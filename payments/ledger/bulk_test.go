package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/fault"
)

// chart is a few accounts: two with a floor on each side, two without.
var chart = map[string]ledger.Known{
	"seller:s:available":  {ID: 7, Shards: 1, Floor: true, Credit: true},
	"escrow:o":            {ID: 3, Shards: 1, Floor: true, Credit: true},
	"seller:s:receivable": {ID: 5, Shards: 1, Floor: true},
	"fees":                {ID: 2, Shards: 4, Credit: true},
	"psp:p:clearing":      {ID: 9, Shards: 2},
}

var codes = []string{"seller:s:available", "escrow:o", "seller:s:receivable", "fees", "psp:p:clearing"}

// side is 1 for what grows by debits, and -1 for what grows by credits.
func side(k ledger.Known) int64 {
	if k.Credit {
		return -1
	}
	return 1
}

func drawTransfer(t *rapid.T, now time.Time) ledger.Transfer {
	two := rapid.SliceOfNDistinct(rapid.SampledFrom(codes), 2, 3, func(s string) string { return s }).Draw(t, "accounts")
	tr := ledger.Transfer{Key: fmt.Sprint("k", rapid.IntRange(0, 6).Draw(t, "key")), Kind: "test", Currency: "MAD"}
	var rest int64
	for _, a := range two[1:] {
		n := rapid.Int64Range(-60, 60).Filter(func(n int64) bool { return n != 0 }).Draw(t, "amount")
		tr.Legs = append(tr.Legs, ledger.Leg{Account: a, Amount: n})
		rest -= n
	}
	tr.Legs = append(tr.Legs, ledger.Leg{Account: two[0], Amount: rest})
	switch rapid.IntRange(0, 5).Draw(t, "when") {
	case 0:
		tr.Effective = now.Add(-48 * time.Hour)
	case 1:
		tr.Effective = now.Add(-24 * time.Hour) // the very horizon
	}
	return tr
}

// Transfers of a batch are decided as they would be one after the other.
func TestABatchIsDecidedAsOneByOne(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		b := ledger.Batch{Chart: chart, Free: map[int64]int64{}, Keys: map[string][]byte{}}
		have := map[int64]int64{}
		for _, k := range chart {
			if k.Floor {
				have[k.ID] = rapid.Int64Range(0, 100).Draw(t, "free")
				b.Free[k.ID] = have[k.ID]
			}
		}
		if rapid.Bool().Draw(t, "closed") {
			horizon := now.Add(-24 * time.Hour)
			b.Closed = &horizon
		}
		old := drawTransfer(t, now)
		stands := map[string]ledger.Transfer{old.Key: old}
		if checked, err := old.Check(); err == nil {
			b.Keys[old.Key] = checked.Hash()
		} else {
			delete(stands, old.Key)
		}
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ledger.Transfer {
			if rapid.IntRange(0, 5).Draw(t, "old") == 0 {
				return old
			}
			return drawTransfer(t, now)
		}), 1, 12).Draw(t, "batch")
		for _, tr := range all {
			b.Add(tr, -1)
		}
		errs, before := b.Decide(now)
		for i, tr := range all {
			want, known := one(tr, stands, have, b.Closed, now)
			if !errors.Is(errs[i], want) || (errs[i] == nil) != (want == nil) || before[i] != known {
				t.Fatalf("transfer %d of %+v: %v, before %t; want %v, %t", i, all, errs[i], before[i], want, known)
			}
		}
		if d := cmp.Diff(have, b.Free); d != "" {
			t.Fatalf("what is free (-want +got):\n%s", d)
		}
	})
}

// one decides a transfer alone.
func one(tr ledger.Transfer, stands map[string]ledger.Transfer, have map[int64]int64, closed *time.Time, now time.Time) (error, bool) {
	tr, err := tr.Check()
	if err != nil {
		return ledger.ErrUnbalanced, false
	}
	if was, ok := stands[tr.Key]; ok {
		if was, _ = was.Check(); string(was.Hash()) != string(tr.Hash()) {
			return ledger.ErrReused, false
		}
		return nil, true
	}
	at := tr.Effective
	if at.IsZero() {
		at = now
	}
	if closed != nil && at.Before(*closed) {
		return ledger.ErrClosed, false
	}
	after := map[int64]int64{}
	for _, l := range tr.Legs {
		if k := chart[l.Account]; k.Floor {
			after[k.ID] = have[k.ID] + side(k)*l.Amount
			if after[k.ID] < 0 {
				return ledger.ErrOverdraft, false
			}
		}
	}
	for id, n := range after {
		have[id] = n
	}
	stands[tr.Key] = tr
	return nil, false
}

func shift(key string, from, to string, amount int64) ledger.Transfer {
	return ledger.Transfer{Key: key, Kind: "test", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit(from, amount), ledger.Credit(to, amount)}}
}

// A twin is refused for what its elder is refused for, and both are posted as one.
func TestATwinSharesItsEldersFate(t *testing.T) {
	t.Parallel()
	b := ledger.Batch{Chart: chart, Free: map[int64]int64{3: 10, 7: 0}, Keys: map[string][]byte{}}
	b.Add(shift("a", "escrow:o", "seller:s:available", 11), -1)
	b.Add(shift("a", "escrow:o", "seller:s:available", 11), 0)
	b.Add(shift("b", "escrow:o", "seller:s:available", 10), -1)
	b.Add(shift("b", "escrow:o", "seller:s:available", 10), 2)
	errs, before := b.Decide(time.Now())
	if !errors.Is(errs[0], ledger.ErrOverdraft) || !errors.Is(errs[1], ledger.ErrOverdraft) || errs[2] != nil || errs[3] != nil {
		t.Errorf("errors %v", errs)
	}
	if want := []bool{false, false, false, true}; !slices.Equal(before, want) {
		t.Errorf("known before %v, want %v", before, want)
	}
}

// An attempt that was undone leaves nothing behind but what no attempt can mend.
func TestAnAttemptThatWasUndoneIsForgotten(t *testing.T) {
	t.Parallel()
	b := ledger.Batch{Chart: chart, Free: map[int64]int64{3: 10}, Keys: map[string][]byte{}}
	b.Add(shift("a", "escrow:o", "fees", 11), -1)
	b.Add(ledger.Transfer{Key: "b", Kind: "test", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit("fees", 1)}}, -1)
	b.Add(shift("a", "escrow:o", "fees", 11), 0)
	b.Decide(time.Now())
	errs, clean := b.Again()
	if errs[0] != nil || !errors.Is(errs[1], ledger.ErrUnbalanced) || errs[2] != nil || !clean {
		t.Errorf("errors %v, clean %t", errs, clean)
	}
}

// Each balance is changed once, by the sum of what moved, cold and hot ones each
// in their order; what is refused or stood before leaves no row.
func TestABatchMovesEachBalanceOnce(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		b := ledger.Batch{Chart: chart, Free: map[int64]int64{3: 50, 5: 50, 7: 50}, Keys: map[string][]byte{}}
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ledger.Transfer { return drawTransfer(t, now) }), 1, 10).Draw(t, "batch")
		ids := make([]int64, len(all))
		for i, tr := range all {
			b.Add(tr, -1)
			ids[i] = int64(100 + i)
		}
		turn := rapid.IntRange(0, 9).Draw(t, "turn")
		errs, before := b.Decide(now)
		transfers, entries, cold, hot := b.Tally(ids, turn)
		var want []ledger.Entry
		sums := map[int64]ledger.Moved{}
		for i, tr := range all {
			if errs[i] != nil || before[i] {
				continue
			}
			n := ids[0]
			ids = ids[1:]
			if tr, _ = tr.Check(); len(transfers) == 0 || transfers[0] != n {
				t.Fatalf("transfer %d has no row", n)
			}
			transfers = transfers[1:]
			for leg, l := range tr.Legs {
				k := chart[l.Account]
				e := ledger.Entry{Transfer: n, Account: k.ID, Amount: l.Amount, Leg: int16(leg)}
				if !k.Floor {
					e.Shard = int16(turn % k.Shards)
				}
				want = append(want, e)
				m := sums[k.ID]
				m.Account, m.Shard, m.N = k.ID, e.Shard, m.N+1
				m.Dr, m.Cr = m.Dr+max(l.Amount, 0), m.Cr+max(-l.Amount, 0)
				sums[k.ID] = m
			}
		}
		if d := cmp.Diff(want, entries); d != "" || len(transfers) > 0 {
			t.Fatalf("entries (-want +got):\n%s; %d transfers too many", d, len(transfers))
		}
		ordered := func(all []ledger.Moved, floor bool) {
			for i, m := range all {
				if i > 0 && all[i-1].Account >= m.Account {
					t.Fatalf("out of order: %+v", all)
				}
				if cold := m.Account == 3 || m.Account == 5 || m.Account == 7; cold != floor || m != sums[m.Account] {
					t.Fatalf("balance %+v, want %+v", m, sums[m.Account])
				}
			}
		}
		ordered(cold, true)
		ordered(hot, false)
		if len(cold)+len(hot) != len(sums) {
			t.Fatalf("%d balances change, want %d", len(cold)+len(hot), len(sums))
		}
	})
}

// What one person may move by hand, what needs two, and what nobody moves.
func TestWhatMovesByHand(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		t    ledger.Transfer
		two  bool
		want error
	}{
		"small":                 {shift("k", "psp_cost", "fees", 10_000_00), false, nil},
		"a centime above":       {shift("k", "psp_cost", "fees", 10_000_01), true, nil},
		"of weight":             {shift("k", "bank:b:operating", "fees", 1), true, nil},
		"of weight, the second": {shift("k", "fees", "capital", 1), true, nil},
		"an order's":            {shift("k", "fees", "escrow:o", 1), false, ledger.ErrMachine},
		"a payout's":            {shift("k", "payout:p", "fees", 1), false, ledger.ErrMachine},
		"a reserve":             {shift("k", "seller:s:reserve", "fees", 1), false, ledger.ErrMachine},
		"not in the chart":      {shift("k", "pocket", "fees", 1), false, ledger.ErrAccount},
		"clients short":         {shift("k", "fees", "seller:s:available", 1), false, ledger.ErrShort},
		"clients not short":     {shift("k", "seller:s:available", "fees", 1), true, nil},
		"between clients":       {shift("k", "seller:s:available", "payable:carrier:k", 1), true, nil},
		"between carriers":      {shift("k", "payable:carrier:k", "payable:carrier:l", 1), true, nil},
		"an insurer's":          {shift("k", "payable:insurer:i", "fees", 1), true, nil},
		"the tax office's":      {shift("k", "payable:vat", "fees", 1), true, nil},
		"what a seller owes":    {shift("k", "seller:s:receivable", "fees", 1), true, nil},
		"costs":                 {shift("k", "psp_cost", "dispute_cost", 1), false, nil},
		"beyond all bounds":     {shift("k", "psp_cost", "fees", ledger.Most+1), false, ledger.ErrTooMuch},
		"sums that wrap":        {wraps(20), false, ledger.ErrTooMuch},
	} {
		if two, err := ledger.ByHand(tc.t); two != tc.two || !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: two %t, %v; want %t, %v", name, two, err, tc.two, tc.want)
		}
	}
}

func TestLegsAreWrittenForPeople(t *testing.T) {
	t.Parallel()
	if got, want := ledger.Lines(shift("k", "fees", "capital", 12345)), "debit fees 123.45 MAD\ncredit capital 123.45 MAD\n"; got != want {
		t.Errorf("lines %q, want %q", got, want)
	}
}

// Only what the asker can mend is told in a list's answer.
func TestARefusalInAListHasItsCode(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		ledger.ErrOverdraft: true, fmt.Errorf("post: %w", ledger.ErrReused): true, errors.New("x"): false,
		fault.New(fault.Internal, "x.y", "Z."): false, fault.New(fault.Unavailable, "x.z", "Z."): false,
	} {
		code, text, ok := ledger.Code(err)
		if ok != want || ok != (code != "") || ok != (text != "") {
			t.Errorf("%v: %q, %q, %t; want %t", err, code, text, ok, want)
		}
	}
}

// What is refused, whatever for, holds up nothing behind it.
func TestWhatIsRefusedHoldsUpNothingBehindIt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	b := ledger.Batch{Chart: chart, Free: map[int64]int64{3: 10, 7: 0}, Keys: map[string][]byte{}, Closed: &now}
	b.Add(ledger.Transfer{Key: "a", Kind: "test", Currency: "MAD", Legs: []ledger.Leg{ledger.Debit("fees", 1)}}, -1)
	old := shift("b", "escrow:o", "seller:s:available", 1)
	old.Effective = now.Add(-time.Second)
	b.Add(old, -1)
	b.Add(shift("c", "escrow:o", "seller:s:available", 10), -1)
	errs, _ := b.Decide(now)
	if !errors.Is(errs[0], ledger.ErrUnbalanced) || !errors.Is(errs[1], ledger.ErrClosed) || errs[2] != nil || b.Free[7] != 10 {
		t.Errorf("errors %v, free %v", errs, b.Free)
	}
}
