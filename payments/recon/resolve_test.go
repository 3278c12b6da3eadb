package recon_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/ledger"
	"tiwiza/payments/recon"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

var (
	succeeded = outbound.Result{Outcome: outbound.Succeeded}
	first     = auth.Principal{Subject: "per_1", Role: auth.Operator}
	second    = auth.Principal{Subject: "per_2", Role: auth.Operator}
)

func (h *hub) as(who auth.Principal, f func(ctx context.Context, tx *pg.Tx) error) error {
	ctx := auth.With(h.t.Context(), who)
	return h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
}

func (h *hub) resolve(in recon.ResolveInput) (v recon.BreakView, err error) {
	err = h.as(first, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = h.recon.Resolve(ctx, tx, in)
		return err
	})
	return v, err
}

func (h *hub) must(in recon.ResolveInput) recon.BreakView {
	h.t.Helper()
	v, err := h.resolve(in)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func TestAResolutionMustMakeUpTheBreak(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.read(entry(-5000, paid("PAY1", 5000)))
	h.payout("PAY2", 4000)
	h.read(entry(-5000, paid("X", 5000)))
	b := h.only()
	fee := func(amount int64) recon.Piece { return recon.Piece{By: "fee", Amount: money.Dirhams(amount)} }
	match := func(to string, amount int64) recon.Piece {
		return recon.Piece{By: "match", To: to, Amount: money.Dirhams(amount)}
	}
	for name, c := range map[string]struct {
		in   recon.ResolveInput
		want *fault.Error
	}{
		"too little":         {recon.ResolveInput{By: "split", Parts: []recon.Piece{fee(4999)}}, recon.ErrPieces},
		"too much":           {recon.ResolveInput{By: "split", Parts: []recon.Piece{fee(5001)}}, recon.ErrPieces},
		"below zero":         {recon.ResolveInput{By: "split", Parts: []recon.Piece{fee(6000), fee(-1000)}}, recon.ErrPieces},
		"nothing":            {recon.ResolveInput{By: "split"}, recon.ErrPieces},
		"nobody":             {recon.ResolveInput{By: "match"}, recon.ErrTarget},
		"no such payout":     {recon.ResolveInput{By: "match", To: "pay_nobody"}, recon.ErrTarget},
		"another amount":     {recon.ResolveInput{By: "match", To: "pay_PAY2"}, recon.ErrUnfit},
		"shown before":       {recon.ResolveInput{By: "match", To: "pay_PAY1"}, recon.ErrSecond},
		"a charge":           {recon.ResolveInput{By: "match", To: "chg_A"}, recon.ErrTarget},
		"no such line":       {recon.ResolveInput{By: "match", To: "lin_nobody"}, recon.ErrTarget},
		"itself":             {recon.ResolveInput{By: "match", To: b.Line}, recon.ErrUnfit},
		"no note":            {recon.ResolveInput{By: "write_off"}, recon.ErrPieces},
		"snoozed until past": {recon.ResolveInput{By: "snooze", Until: ptr(time.Now().Add(-time.Hour))}, recon.ErrUntil},
		"snoozed too long":   {recon.ResolveInput{By: "snooze", Until: ptr(time.Now().Add(31 * 24 * time.Hour))}, recon.ErrUntil},
		"one piece is wrong": {recon.ResolveInput{By: "split", Parts: []recon.Piece{match("pay_PAY2", 4000), match("pay_nobody", 1000)}}, recon.ErrTarget},
		"in another money":   {recon.ResolveInput{By: "split", Parts: []recon.Piece{{By: "fee", Amount: money.FromCentimes(5000, "EUR")}}}, recon.ErrPieces},
	} {
		c.in.Break = b.ID
		if _, err := h.resolve(c.in); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %s", name, err, c.want.Code)
		}
	}
	h.has("bank:bank:safeguard", -5000)
	h.must(recon.ResolveInput{Break: b.ID, By: "split", Parts: []recon.Piece{match("pay_PAY2", 4000), fee(1000)}})
	h.has("bank:bank:safeguard", -10000)
	h.has("bank:bank:transit", 1000)
	if _, err := h.resolve(recon.ResolveInput{Break: b.ID, By: "fee"}); !errors.Is(err, recon.ErrResolved) {
		t.Errorf("a second time: %v, want ErrResolved", err)
	}
	if _, err := h.resolve(recon.ResolveInput{Break: "brk_nobody", By: "fee"}); !errors.Is(err, recon.ErrNoBreak) {
		t.Errorf("no such break: %v", err)
	}
}

func ptr[T any](v T) *T { return &v }

func TestOfFiftyWhoResolveOneBreakOneDoes(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.read(entry(-900))
	b := h.only()
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 50 {
		wg.Go(func() {
			_, err := h.resolve(recon.ResolveInput{Break: b.ID, By: "fee"})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, recon.ErrResolved):
				t.Errorf("a loser gets %v, want ErrResolved", err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d won, want 1", won)
	}
	h.has("bank:bank:safeguard", -900)
}

func TestALargeWriteOffIsTwoPeoplesWord(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.read(entry(-recon.WriteOffAlone - 1))
	b := h.only()
	off := recon.ResolveInput{Break: b.ID, By: "write_off", Note: "given up"}
	v := h.must(off)
	h.has("loss", 0)
	decide := func(who auth.Principal, approval, word string) error {
		return h.as(who, func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.words.Decide(ctx, tx, approvals.DecideInput{Approval: approval, Decision: word})
			return err
		})
	}
	if err := decide(first, v.Approval, "approve"); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("the one who asked approves: %v, want ErrSelf", err)
	}
	if again := h.must(off); again.Approval != v.Approval {
		t.Errorf("asked again it is %s, want the same request %s", again.Approval, v.Approval)
	}
	off.Note = "given up for another reason"
	other := h.must(off)
	if err := decide(second, v.Approval, "approve"); !errors.Is(err, approvals.ErrEnded) {
		t.Errorf("what was proposed before is approved: %v, want ErrEnded", err)
	}
	if err := decide(second, other.Approval, "refuse"); err != nil {
		t.Fatal(err)
	}
	if b := h.only(); b.State != recon.Open || b.Proposed != nil {
		t.Errorf("after a refusal it is %+v", b)
	}
	third := h.must(off)
	if err := decide(second, third.Approval, "approve"); err != nil {
		t.Fatal(err)
	}
	if len(h.breaks()) != 0 {
		t.Errorf("breaks %+v, want none", h.breaks())
	}
	h.has("loss", recon.WriteOffAlone+1)
	h.has("bank:bank:safeguard", -recon.WriteOffAlone-1)
}

func TestAProposalFallsWithItsBreak(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.read(entry(-20000))
	b := h.only()
	v := h.must(recon.ResolveInput{Break: b.ID, By: "write_off", Note: "given up"})
	h.payout("PAY9", 20000)
	h.must(recon.ResolveInput{Break: b.ID, By: "match", To: "pay_PAY9"})
	err := h.as(second, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.words.Decide(ctx, tx, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
		return err
	})
	if !errors.Is(err, approvals.ErrEnded) {
		t.Errorf("the write-off of a break that was a payout: %v, want ErrEnded", err)
	}
	h.has("loss", 0)
}

func TestASnoozedBreakComesBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	timers := job.NewTimers(h.db)
	h.recon.Work(timers)
	h.read(entry(-900))
	b := h.only()
	h.must(recon.ResolveInput{Break: b.ID, By: "snooze", Until: ptr(time.Now().Add(48 * time.Hour)), Note: "the bank was asked"})
	if n := len(h.breaks()); n != 0 {
		t.Errorf("%d are open, want none", n)
	}
	h.advance(49 * time.Hour)
	if _, err := timers.Due(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.only(); got.ID != b.ID || got.State != recon.Open || got.SnoozedUntil != nil {
		t.Errorf("two days later it is %+v", got)
	}
}

func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	pgtest.Advance(h.t, h.db, d)
}

func TestBreaksArePagedByAStrictCursor(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.read(entry(-100), entry(-200), entry(300))
	seen := map[string]bool{}
	in := recon.BreaksInput{Paging: rest.Paging{Limit: 2}}
	for {
		p, err := h.recon.Breaks(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range p.Data {
			seen[b.ID] = true
		}
		if p.Next == nil {
			break
		}
		in.Cursor = *p.Next
	}
	if len(seen) != 3 {
		t.Errorf("%d breaks seen, want 3", len(seen))
	}
	for _, cursor := range []string{"x", rest.EncodeCursor("x"), rest.EncodeCursor(id.New(id.Line)), rest.EncodeCursor(7)} {
		if _, err := h.recon.Breaks(t.Context(), recon.BreaksInput{Paging: rest.Paging{Limit: 2, Cursor: cursor}}); !errors.Is(err, rest.ErrCursor) {
			t.Errorf("cursor %q: %v, want ErrCursor", cursor, err)
		}
		if _, err := h.recon.Closings(t.Context(), recon.ClosingsInput{Paging: rest.Paging{Limit: 2, Cursor: cursor}}); !errors.Is(err, rest.ErrCursor) {
			t.Errorf("cursor %q of closings: %v, want ErrCursor", cursor, err)
		}
	}
}

// on is a statement of a day.
func (h *hub) on(n int, entries ...bank.Entry) bank.Statement {
	st := h.statement(entries...)
	st.On = day(n)
	return st
}

func (h *hub) takeAll(all ...bank.Statement) {
	h.t.Helper()
	for _, st := range all {
		if _, err := h.take(st.ID, bank.Message{ID: st.ID, Statements: []bank.Statement{st}}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *hub) closeDay(n int) (v recon.ClosingView, err error) {
	err = h.as(first, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = h.recon.CloseDay(ctx, tx, recon.CloseInput{Day: day(n).Format(time.DateOnly)})
		return err
	})
	return v, err
}

func (h *hub) report(n int) recon.ReportView {
	h.t.Helper()
	r, err := h.recon.Report(h.t.Context(), recon.ReportInput{Day: day(n).Format(time.DateOnly)})
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func TestADayIsClosedWithItsReport(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.sales["A"] = 10000
	h.takeAll(h.on(2, entry(9820, settled("A", 10000, 180)), entry(-5000, paid("PAY1", 5000)), entry(-700), entry(300)), h.on(3, entry(400)))
	v, err := h.closeDay(2)
	if err != nil {
		t.Fatal(err)
	}
	r := h.report(2)
	if sum := sha([]byte(r.Text)); hex.EncodeToString(sum) != v.Hash || v.Revision != 1 || v.Changed {
		t.Errorf("closing %+v; the report's hash is %x", v, sum)
	}
	s := r.Accounts[0]
	for what, c := range map[string][2]string{
		"opening": {s.Opening.Amount(), "0.00"}, "credits": {s.Credits.Amount(), "101.20"}, "debits": {s.Debits.Amount(), "-57.00"},
		"closing": {s.Closing.Amount(), "44.20"}, "unbooked": {s.Unbooked.Amount(), "-7.00"}, "books": {s.Books.Amount(), "51.20"},
	} {
		if c[0] != c[1] {
			t.Errorf("%s is %s, want %s", what, c[0], c[1])
		}
	}
	if len(r.Accounts) != 1 || s.Lines != 4 || s.Matched != 2 || s.Unmatched != 2 || !s.Equal {
		t.Errorf("report %+v", r)
	}
	if _, err := h.closeDay(2); !errors.Is(err, recon.ErrUnchanged) {
		t.Errorf("closed again: %v, want ErrUnchanged", err)
	}
	for _, b := range h.breaks() { // explaining a line later changes nothing of the day
		if b.Amount.Equal(money.Dirhams(-700)) {
			h.must(recon.ResolveInput{Break: b.ID, By: "fee"})
		}
	}
	next, err := h.closeDay(3)
	if err != nil || next.Previous != v.Hash {
		t.Errorf("the next day: %+v, %v; want it chained to %s", next, err, v.Hash)
	}
	p, err := h.recon.Closings(t.Context(), recon.ClosingsInput{Paging: rest.Paging{Limit: 1}})
	if err != nil || len(p.Data) != 1 || p.Data[0].Day != "2026-01-03" || p.Next == nil || p.Data[0].Changed {
		t.Errorf("closings %+v, %v", p, err)
	}
}

func TestADayIsNotClosedOverAHoleOrADifference(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	if _, err := h.closeDay(2); !errors.Is(err, recon.ErrNothing) {
		t.Errorf("without a statement: %v, want ErrNothing", err)
	}
	one, two, three := h.on(2, entry(100)), h.on(2, entry(200)), h.on(3, entry(300))
	h.takeAll(one, three)
	if _, err := h.closeDay(3); !errors.Is(err, recon.ErrHole) {
		t.Errorf("with a hole: %v, want ErrHole", err)
	}
	h.takeAll(two)
	err := h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		return h.books.Post(t.Context(), tx, ledger.Transfer{Key: "odd", Kind: "capital", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Safeguard("bank"), 1), ledger.Credit(ledger.Capital, 1),
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.closeDay(3); !errors.Is(err, recon.ErrUnequal) {
		t.Errorf("with a centime too many in the books: %v, want ErrUnequal", err)
	}
	var v recon.ClosingView
	err = h.as(first, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = h.recon.CloseDay(ctx, tx, recon.CloseInput{Day: time.Now().UTC().Format(time.DateOnly)})
		return err
	})
	if !errors.Is(err, recon.ErrDay) {
		t.Errorf("today: %+v, %v, want ErrDay", v, err)
	}
}

func TestAClosedDayThatChangesIsSeenAndClosedAnew(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	one := h.on(2, entry(100))
	h.takeAll(one)
	before, err := h.closeDay(2)
	if err != nil {
		t.Fatal(err)
	}
	late := h.on(2, entry(200))
	h.takeAll(late)
	found := false
	for _, b := range h.breaks() {
		found = found || b.Kind == recon.KindClosed && b.About == "2026-01-02"
	}
	p, err := h.recon.Closings(t.Context(), recon.ClosingsInput{Paging: rest.Paging{Limit: 5}})
	if err != nil || !p.Data[0].Changed || !found {
		t.Errorf("closings %+v, %v; a break about the day: %v", p.Data, err, found)
	}
	after, err := h.closeDay(2)
	if err != nil || after.Revision != 2 || after.Previous != before.Hash || after.Changed {
		t.Errorf("closed anew: %+v, %v", after, err)
	}
	for _, b := range h.breaks() {
		if b.Kind == recon.KindClosed {
			t.Errorf("still open: %+v", b)
		}
	}
}

func TestADayClosesByItselfOnceTheBankHasGoneOn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	timers := job.NewTimers(h.db)
	h.recon.Work(timers)
	h.takeAll(h.on(2, entry(100)))
	closed := func() int {
		if _, err := timers.Due(t.Context()); err != nil {
			t.Fatal(err)
		}
		p, err := h.recon.Closings(t.Context(), recon.ClosingsInput{Paging: rest.Paging{Limit: 5}})
		if err != nil {
			t.Fatal(err)
		}
		return len(p.Data)
	}
	if n := closed(); n != 0 {
		t.Errorf("%d days closed while the bank may still speak of it", n)
	}
	h.takeAll(h.on(3, entry(100)))
	h.advance(61 * time.Minute)
	if n := closed(); n != 1 {
		t.Errorf("%d days closed, want the first", n)
	}
}

func sha(b []byte) []byte {
	h := sha256.Sum256(b)
	return h[:]
}

// What takes two people as a write-off takes two as a fee.
func TestAFeeIsNoWayAroundTheSecondPerson(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		make func(h *hub)
		in   recon.ResolveInput
	}{
		"money that left for no reason": {func(h *hub) { h.read(entry(-500_000_00)) }, recon.ResolveInput{By: "fee"}},
		"our payment, paid twice": {func(h *hub) {
			h.payout("PAY1", 500_000_00)
			h.read(entry(-500_000_00, paid("PAY1", 500_000_00)))
			h.read(entry(-500_000_00, paid("PAY1", 500_000_00)))
		}, recon.ResolveInput{By: "fee"}},
		"money of an unknown payer": {func(h *hub) { h.read(entry(500_000_00)) }, recon.ResolveInput{By: "fee"}},
		"in parts": {func(h *hub) { h.read(entry(-150_00)) }, recon.ResolveInput{By: "split", Parts: []recon.Piece{
			{By: "fee", Amount: money.Dirhams(75_00)}, {By: "write_off", Amount: money.Dirhams(75_00)},
		}, Note: "given up"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c.make(h)
			c.in.Break = h.only().ID
			v, err := h.resolve(c.in)
			if err != nil || v.State != recon.Open || v.Approval == "" {
				t.Errorf("by one person: %s, approval %q (%v); want it to wait for a second", v.State, v.Approval, err)
			}
			h.has("psp_cost", 0)
			h.has("loss", 0)
		})
	}
}

// A file is money: what one of us hands in moves nothing before a second person
// agrees that it is the bank's.
func TestAStatementHandedInByHandWaitsForASecondPerson(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	f := paperbank.Received("by hand", bank.Message{ID: "M-HAND", Statements: []bank.Statement{h.statement(entry(-900))}})
	upload := func(who auth.Principal) (v recon.UploadView, err error) {
		err = h.as(who, func(ctx context.Context, tx *pg.Tx) (err error) {
			v, err = h.recon.Upload(ctx, tx, recon.UploadInput{Bank: "bank", File: rest.File{Name: f.Name, Bytes: f.Bytes}})
			return err
		})
		return v, err
	}
	v, err := upload(first)
	if err != nil || v.Approval == "" || v.ID != "" {
		t.Fatalf("handed in: %+v, %v, want an approval to wait for", v, err)
	}
	if again, err := upload(first); err != nil || again.Approval != v.Approval {
		t.Errorf("handed in twice it waits for %q and %q (%v)", v.Approval, again.Approval, err)
	}
	if n := len(h.breaks()); n != 0 {
		t.Fatalf("%d breaks come of a file that nobody has agreed to", n)
	}
	agree := func(who auth.Principal) error {
		return h.as(who, func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.words.Decide(ctx, tx, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
			return err
		})
	}
	if err := agree(first); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("who handed it in agrees: %v, want ErrSelf", err)
	}
	if err := agree(second); err != nil {
		t.Fatal(err)
	}
	if got := h.only(); got.Amount.Centimes() != -900 {
		t.Errorf("taken in, it makes %+v", got)
	}
	if v, err = upload(second); err != nil || v.ID == "" || v.Unmatched != 1 || v.Approval != "" {
		t.Errorf("handed in once more: %+v, %v, want what it did", v, err)
	}
}

// A bank's key that one of us made is believed no more than its maker.
func TestAStatementUnderAKeyThatAnOperatorMadeWaitsForAnother(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ties.Owner = func(context.Context, string) (string, error) { return "org_bank", nil }
	h.recon = recon.New(h.db, h.books, h.sales, h.engine, h.words, []recon.House{h.house}, h.ties)
	f := paperbank.Received("made", bank.Message{ID: "M-MADE", Statements: []bank.Statement{h.statement(entry(-900))}})
	var v recon.UploadView
	err := h.as(auth.Principal{Subject: "org_bank", Role: auth.Bank, Behind: first.Person()}, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = h.recon.Upload(ctx, tx, recon.UploadInput{Bank: "bank", File: rest.File{Name: f.Name, Bytes: f.Bytes}})
		return err
	})
	if err != nil || v.Approval == "" || len(h.breaks()) != 0 {
		t.Fatalf("handed in: %+v, %v, want an approval to wait for", v, err)
	}
	err = h.as(first, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.words.Decide(ctx, tx, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
		return err
	})
	if !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("the key's maker agrees: %v, want ErrSelf", err)
	}
}
