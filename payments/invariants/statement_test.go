package invariants_test

import (
	"errors"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A payout that the bank refused and paid, and then shows a second time.
func TestAPayoutPaidAfterItWasRefusedAndShownAgainKeepsNoOtherBack(t *testing.T) {
	t.Parallel()
	w := open(t)
	s := w.work()
	ref := payouts.RefOf(s.rejected.ID)
	w.ok(w.tryTake(w.next(entry(-1000, detail(ref, -1000, 0)))))
	// Next day: the same payment a second time, and somebody else's payout in the same file
	other := payouts.RefOf(s.sent.ID)
	if err := w.tryTake(w.next(entry(-1000, detail(ref, -1000, 0)), entry(-1500, detail(other, -1500, 0)))); err != nil {
		t.Errorf("second: %v", err)
	}
	back := detail(ref, 1000, 0)
	back.ReturnReason = "AC04"
	if err := w.tryTake(w.next(entry(1000, back))); err != nil {
		t.Errorf("return: %v", err)
	}
	state, err := pg.Value[string](t.Context(), w.db, nil, `select state from payouts.payout where id = $1`, s.sent.ID)
	if err != nil || state != "paid" {
		t.Errorf("the other payout is %s (%v), want paid", state, err)
	}
	for id, f := range w.broken() {
		if id != "I13" && id != "M1" { // paid twice, and a line that is not booked
			t.Errorf("%s: %q", id, f.Rows)
		}
	}
}

// The bank's numbers begin anew with the year.
func TestStatementNumbersMayBeginAnew(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	first := w.next(entry(700, detail("", 700, 0)))
	first.Sequence, first.Created = 1, time.Now().Add(24*time.Hour)
	w.take(first)
	for id, f := range w.broken() {
		t.Errorf("%s: %q", id, f.Rows)
	}
}

func TestAPageMarkDoesNotTakeTheBalanceCheckOff(t *testing.T) {
	t.Parallel()
	w := open(t)
	s := w.work()
	st := w.next(entry(-1500, detail(payouts.RefOf(s.sent.ID), -1500, 0)))
	st.Closing = money.Dirhams(999_999_99)
	if err := w.tryTake(st); err == nil {
		t.Fatal("unbalanced taken")
	}
	st.LastPage = false
	if err := w.tryTake(st); !errors.Is(err, bank.ErrUnbalanced) {
		t.Errorf("with a page to follow: %v, want ErrUnbalanced", err)
	}
	for id, f := range w.broken() {
		t.Errorf("%s: %q", id, f.Rows)
	}
}

// An acquirer that gives a fee back settles more than it took.
func TestAFeeGivenBackIsBooked(t *testing.T) {
	t.Parallel()
	w := open(t)
	s := w.work()
	w.statement(entry(4100, detail(s.fresh.Ref, 4100, -100)))
	for id, f := range w.broken() {
		t.Errorf("%s: %q", id, f.Rows)
	}
}
