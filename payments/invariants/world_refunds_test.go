package invariants_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// returns is what the refunds of a worked world are made of.
type returns struct {
	charge            charges.Charge // settled, of orders P and Q
	paid, moved, gone string         // over the card; by transfer, after the card refused it; cancelled for a chargeback
}

// workRefunds has happen to what goes back about everything that can, but for a
// partner's lie.
func (w *world) workRefunds() (r returns) {
	w.t.Helper()
	r.charge = w.checkout("G20", terms("P", "s5", 12000), terms("Q", "s5", 9000))
	w.statement(entry(20600, detail(r.charge.Ref, 20600, 400)))
	w.paid("P", "Q")

	r.paid = w.goBack(r.charge, "P", 2000)
	w.answer(r.paid, outbound.Succeeded)
	w.statement(entry(-2000, detail(r.charge.Ref, -2000, 0)))

	r.moved = w.goBack(r.charge, "P", 500)
	w.answer(r.moved, outbound.Declined)
	for _, back := range []bool{true, false} { // the bank returns the first
		w.account(r.moved)
		ref := w.lastOf(r.moved).Ref
		w.statement(entry(-500, detail(ref, -500, 0)))
		if back {
			d := detail(ref, 500, 0)
			d.ReturnReason = "AC04"
			w.statement(entry(500, d))
		}
	}

	r.gone = w.goBack(r.charge, "Q", 1000)
	w.contested(r.charge, "CBK-1", "opened", 4000)
	taken, back := detail(r.charge.Ref, -5500, 1500), detail(r.charge.Ref, 4000, 0)
	taken.InstructionID, back.InstructionID = "CBK-1", "CBK-1"
	w.statement(entry(-5500, taken))
	w.statement(entry(4000, back)) // won
	w.contested(r.charge, "CBK-2", "lost", 3000)
	return r
}

// goBack takes money of an order out of its escrow and sends it back.
func (w *world) goBack(c charges.Charge, order string, centimes int64) string {
	w.t.Helper()
	rid := id.New(id.Refund)
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		if err := w.charges.Lock(ctx, tx, c.ID); err != nil {
			return err
		}
		if _, err := w.escrows.TakeBack(ctx, tx, escrow.Back{Refund: rid, Order: order, Amount: centimes}); err != nil {
			return err
		}
		_, err := w.charges.Refund(ctx, tx, charges.RefundOrder{ID: rid, Order: order, Charge: c.ID, Amount: money.Dirhams(centimes), Reason: "x", By: "agent"})
		return err
	})
	return rid
}

func (w *world) lastOf(subject string) operations.Operation {
	w.t.Helper()
	ops, err := w.ops.Of(w.t.Context(), w.db, subject)
	w.ok(err)
	return ops[len(ops)-1]
}

// answer has the acquirer answer a refund.
func (w *world) answer(refund string, o outbound.Outcome) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		_, err := w.ops.Heard(ctx, tx, w.lastOf(refund).ID, operations.Answer, outbound.Result{Outcome: o}, "answer "+refund)
		return err
	})
}

// account gives a refund an account to go to.
func (w *world) account(refund string) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		_, err := w.charges.Account(ctx, tx, charges.AccountInput{Refund: refund, RIB: "011519000001205000534921"})
		return err
	})
}

// contested has the acquirer tell of a chargeback.
func (w *world) contested(c charges.Charge, of, state string, centimes int64) {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"ID": of, "Ref": c.Ref, "State": state, "Amount": centimes})
	w.ok(err)
	reply, err := w.charges.CaseCallback(w.t.Context(), charges.CallbackInput{Partner: acquirer, Body: rest.Raw{Bytes: body}})
	if err != nil {
		w.t.Fatalf("%s %s is answered %q: %v", of, state, reply, err)
	}
}

// contradict has a settlement show a refund that the acquirer had refused, and
// that was paid by transfer since.
func (w *world) contradict(r returns) {
	w.t.Helper()
	w.statement(entry(-500, detail(r.charge.Ref, -500, 0)))
}

// twice has the bank pay a refund that it had refused and that was sent anew, and
// return it.
func (w *world) twice(r returns) {
	w.t.Helper()
	refund := w.goBack(r.charge, "Q", 100)
	w.answer(refund, outbound.Declined)
	w.account(refund)
	first := w.lastOf(refund)
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		_, err := w.ops.Heard(ctx, tx, first.ID, operations.Callback, outbound.Result{Outcome: outbound.Declined}, "refused "+first.Ref)
		return err
	})
	w.account(refund)
	w.statement(entry(-100, detail(w.lastOf(refund).Ref, -100, 0)))
	w.statement(entry(-100, detail(first.Ref, -100, 0)))
	w.statement(entry(100, back(first.Ref, 100)))
}

// regained has the bank return a refund after a chargeback of its charge was
// lost, which had cost us what the buyer had twice.
func (w *world) regained(r returns) {
	w.t.Helper()
	refund := w.goBack(r.charge, "Q", 300)
	w.answer(refund, outbound.Declined)
	w.account(refund)
	ref := w.lastOf(refund).Ref
	w.statement(entry(-300, detail(ref, -300, 0)))
	w.contested(r.charge, "CBK-3", "lost", 21000)
	d := detail(ref, 300, 0)
	d.ReturnReason = "AC04"
	w.statement(entry(300, d))
}

func TestARefundThatCameBackPaysForALostChargeback(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	w.regained(w.workRefunds())
	for _, f := range w.broken() {
		t.Errorf("%s: %d, such as %q", f.ID, f.Count, f.Rows)
	}
}

func TestWhatGoesBackKeepsEveryPromise(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	r := w.workRefunds()
	for refund, want := range map[string]string{r.paid: "confirmed", r.moved: "confirmed", r.gone: "rejected"} {
		if got, err := pg.Value[string](t.Context(), w.db, nil, `select state from charges.refund where id = $1`, refund); err != nil || got != want {
			t.Errorf("the refund %s is %s (%v), want %s", refund, got, err, want)
		}
	}
	for _, f := range w.broken() {
		t.Errorf("%s: %d, such as %q", f.ID, f.Count, f.Rows)
	}
}

func TestARefundThatWentBackTwiceIsSeen(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	r := w.workRefunds()
	w.contradict(r)
	got := w.broken()
	if !slices.ContainsFunc(got["I13"].Rows, func(row string) bool { return strings.Contains(row, "refund "+r.moved+" was paid 2 times") }) || len(got) != 1 {
		t.Errorf("found %+v, want I13 to tell of %s and no other", got, r.moved)
	}
}

func TestBrokenRefundsAreSeen(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.work()
	r := w.workRefunds()
	for _, o := range []struct {
		id string
		wound
	}{
		{"I10", post("is confirmed and should have 0.00 MAD on its way; its account has 0.05", "charge.late", ledger.Debit(clearing, 5), ledger.Credit(ledger.Refund(r.paid), 5))},
		{"I11", do("counts 210.00 as captured and 26.00 as going back; 210.00 was captured and 25.00 goes back", `update charges.charge set refunded = refunded + 100 where id = '`+r.charge.ID+`'`)},
		{"R3", do("order Q was cancelled; 2 of var Q were taken and 0 came back", `update orders.seller_order set state = 'cancelled' where id = 'Q'`)},
	} {
		o.do(w)
		if got := w.broken(); !slices.ContainsFunc(got[o.id].Rows, func(row string) bool { return strings.Contains(row, o.says) }) {
			t.Errorf("%s does not say «%s»; it says %q", o.id, o.says, got[o.id].Rows)
		}
	}
}
