package invariants_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

var (
	first  = auth.Principal{Subject: "per_1", Role: auth.Operator, Key: "key_1"}
	second = auth.Principal{Subject: "per_2", Role: auth.Operator, Key: "key_2"}
)

// as does something as a person.
func (w *world) as(who auth.Principal, f func(ctx context.Context, tx *pg.Tx) error) error {
	ctx := auth.With(w.t.Context(), who)
	return w.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
}

// open is the newest break that is open.
func (w *world) newest() recon.BreakView {
	w.t.Helper()
	p, err := w.recon.Breaks(w.t.Context(), recon.BreaksInput{Paging: rest.Paging{Limit: 1}})
	w.ok(err)
	if len(p.Data) == 0 {
		w.t.Fatal("there is no break")
	}
	return p.Data[0]
}

func (w *world) resolve(b recon.BreakView, in recon.ResolveInput) recon.BreakView {
	w.t.Helper()
	in.Break = b.ID
	v, err := w.tryResolve(in)
	w.ok(err)
	return v
}

// tryResolve resolves a break as a person; what does not fit is refused.
func (w *world) tryResolve(in recon.ResolveInput) (v recon.BreakView, err error) {
	err = w.as(first, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = w.recon.Resolve(ctx, tx, in)
		return err
	})
	return v, err
}

// agree is the second person's word.
func (w *world) agree(approval string) {
	w.t.Helper()
	w.ok(w.as(second, func(ctx context.Context, tx *pg.Tx) error {
		_, err := w.people.Decide(ctx, tx, approvals.DecideInput{Approval: approval, Decision: "approve"})
		return err
	}))
}

func (w *world) closeDay(day time.Time) recon.ClosingView {
	w.t.Helper()
	var v recon.ClosingView
	w.ok(w.as(first, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = w.recon.CloseDay(ctx, tx, recon.CloseInput{Day: day.Format(time.DateOnly)})
		return err
	}))
	return v
}

// fine fails the test for each promise that does not hold, once lines have had
// their day.
func (w *world) fine(after string) {
	w.t.Helper()
	w.sql(`update recon.line set at = at - interval '25 hours'`)
	w.sql(`update recon.booking set at = at - interval '25 hours'`)
	w.sql(`update recon.statement set at = at - interval '25 hours'`)
	w.sql(`update ledger.transfer set recorded_at = recorded_at - interval '25 hours'`)
	for id, f := range w.broken() {
		w.t.Errorf("after %s: %s: %q", after, id, f.Rows)
	}
}

// charge is a line by which the bank takes for itself.
func charge(centimes int64) bank.Entry {
	e := entry(centimes)
	e.Code, e.Charge = "ACMT/MDOP/CHRG", true
	return e
}

// own is the next statement of our own account.
func (w *world) own(seq int64, opening int64, entries ...bank.Entry) {
	w.t.Helper()
	st := bank.Statement{
		Kind: bank.OfAccount, ID: fmt.Sprint("OWN", seq), Account: operating, Currency: money.MAD, Sequence: seq, Page: 1, LastPage: true,
		Created: time.Now(), HasBalances: true, Opening: money.Dirhams(opening), Entries: entries,
	}
	sum := opening
	for _, e := range entries {
		sum += e.Amount.Centimes()
	}
	st.Closing = money.Dirhams(sum)
	w.take(st)
}

// explained has the bank say what only people can explain, and people explain
// it in every way there is; after each, every promise holds.
func (w *world) explained(s story) {
	w.t.Helper()
	w.statement(charge(-1500), charge(300))
	w.fine("a charge of the bank, and one it gave back")
	w.writtenOff(s)
	w.matched(s)
	w.settled(s)
	w.own(1, 100000, charge(-400), entry(-600), entry(5000))
	w.resolve(w.newest(), recon.ResolveInput{By: "match", To: "capital"})
	w.resolve(w.newest(), recon.ResolveInput{By: "match", To: "vat"})
	w.fine("our own account's lines")
}

func (w *world) writtenOff(s story) {
	w.t.Helper()
	w.statement(entry(-700, detail("", -700, 0)))
	w.resolve(w.newest(), recon.ResolveInput{By: "fee"})
	w.fine("a line called a fee")

	w.statement(entry(-800, detail("", -800, 0)))
	if v := w.resolve(w.newest(), recon.ResolveInput{By: "write_off", Note: "nobody knows"}); v.State != recon.Resolved {
		w.t.Errorf("a small write-off is %s", v.State)
	}
	w.fine("a small write-off")

	w.statement(entry(-recon.WriteOffAlone-1, detail("", -recon.WriteOffAlone-1, 0)))
	v := w.resolve(w.newest(), recon.ResolveInput{By: "write_off", Note: "nobody knows"})
	if v.State != recon.Open || v.Approval == "" {
		w.t.Errorf("a large write-off is %s, approval %q", v.State, v.Approval)
	}
	w.agree(v.Approval)
	w.fine("a large write-off")

	w.statement(entry(900, detail("", 900, 0)))
	w.resolve(w.newest(), recon.ResolveInput{By: "write_off", Note: "its sender cannot be found"})
	w.fine("money nobody claims")

	w.statement(entry(-10000, detail(payouts.RefOf(s.paid.ID), -10000, 0))) // the second time
	v = w.resolve(w.newest(), recon.ResolveInput{By: "write_off", Note: "the seller went away"})
	w.agree(v.Approval)
	w.fine("a second payment given up by two")
}

func (w *world) matched(s story) {
	w.t.Helper()
	w.statement(entry(-2500, detail("MANGLED", -2500, 0))) // a payout and a charge in one
	fee := money.Dirhams(1000)
	w.resolve(w.newest(), recon.ResolveInput{By: "split", Parts: []recon.Piece{
		{By: "match", To: s.sent.ID, Amount: money.Dirhams(1500)}, {By: "fee", Amount: fee},
	}})
	w.fine("a payout found under another name, with a fee")

	w.statement(entry(1500, detail("ALSO MANGLED", 1500, 0)))
	w.resolve(w.newest(), recon.ResolveInput{By: "match", To: s.sent.ID})
	w.fine("its return")

	w.statement(entry(4000, detail("", 4000, 0)))
	credit := w.newest()
	w.statement(entry(-4000, detail("", -4000, 0)))
	debit := w.newest()
	if debit.Suggestion == nil || debit.Suggestion.To != credit.Line {
		w.t.Errorf("the bank's correction is suggested as %+v, want line %s", debit.Suggestion, credit.Line)
	}
	w.resolve(debit, recon.ResolveInput{By: "match", To: credit.Line})
	w.fine("the bank's own correction")

	w.statement(entry(-10000, detail(payouts.RefOf(s.paid.ID), -10000, 0)))
	second := w.newest()
	w.statement(entry(10000, detail("", 10000, 0)))
	w.resolve(w.newest(), recon.ResolveInput{By: "match", To: second.Line})
	w.fine("a second payment that the bank took back")
}

func (w *world) settled(s story) {
	w.t.Helper()
	w.statement(entry(3900, detail(s.fresh.Ref, 3900, 0)))
	b := w.newest()
	if b.Suggestion == nil || b.Suggestion.To != s.fresh.ID || b.Suggestion.Fee == nil || !b.Suggestion.Fee.Equal(money.Dirhams(100)) {
		w.t.Errorf("a settlement without its fee is suggested as %+v", b.Suggestion)
	}
	w.resolve(b, recon.ResolveInput{By: "match", To: s.fresh.ID, Fee: b.Suggestion.Fee})
	w.fine("a settlement whose fee people gave")
}

func TestEachWayToResolveABreakKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.explained(w.work())
}

// People have confirmed a payout, and booked it by that, before the bank shows
// it under a name that is not ours.
func TestAPayoutThatPeopleConfirmedMayBeShownLater(t *testing.T) {
	t.Parallel()
	w := open(t)
	s := w.work()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		o, err := w.ops.Find(ctx, tx, house, payouts.RefOf(s.sent.ID))
		if err == nil {
			_, err = w.ops.Heard(ctx, tx, o.ID, operations.Inquiry, outbound.Result{Outcome: outbound.Succeeded}, "people")
		}
		return err
	})
	w.statement(entry(-1500, detail("MANGLED", -1500, 0)))
	w.resolve(w.newest(), recon.ResolveInput{By: "match", To: s.sent.ID})
	w.fine("a payout that people had confirmed")
}
