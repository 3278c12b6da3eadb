package payouts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// rule puts one rule of risk in force.
func (h *hub) rule(what string, most any, count any, action limits.Action) {
	h.t.Helper()
	if _, err := h.db.Exec(h.t.Context(), `insert into limits.rule (id, what, per, method, window_s, max_amount, max_count, action, about)
		values ('test', $1, 'seller', '', 86400, $2, $3, $4, 'A test.')`, what, most, count, action); err != nil {
		h.t.Fatal(err)
	}
}

// clear is a person's word on what the rules stopped.
func (h *hub) clear(ref string) {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), second)
	p, err := h.risk.Decisions(ctx, limits.DecisionsInput{Ref: ref, Open: true, Paging: rest.Paging{Limit: 10}})
	if err != nil || len(p.Data) != 1 {
		h.t.Fatalf("open decisions on %s: %+v, %v", ref, p.Data, err)
	}
	if _, err := h.risk.Clear(ctx, limits.ClearInput{Decision: p.Data[0].ID, Note: "looked at"}); err != nil {
		h.t.Fatal(err)
	}
}

func TestAHeldSaleHoldsItsPayoutUntilAPersonHasLooked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	charge := h.earn(5000, true)
	order, err := pg.Value[string](t.Context(), h.db, nil, `select order_id from escrow.release where charge = $1`, charge)
	if err != nil {
		t.Fatal(err)
	}
	h.rule(limits.OfSales, 1, nil, limits.Hold)
	h.do(t.Context(), func(tx *pg.Tx) error {
		return h.risk.Check(t.Context(), tx, limits.Sale{
			Group: "grp_1", Buyer: "per_b", Method: "card", Amount: money.Dirhams(5000),
			Parts: []limits.Part{{Order: order, Seller: "org_s", Amount: money.Dirhams(5000)}},
		})
	})
	v := h.mustAsk(0)
	if v.State != payouts.Draft || !waitsFor(v, "limits") || !strings.Contains(v.Waits[0].Text, order) {
		t.Fatalf("payout = %+v, want a draft that waits for %s", v, order)
	}
	h.clear("grp_1")
	h.becomes(v.ID, payouts.Approved)
	h.has("seller:org_s:available", 0)
}

func TestAPayoutOverARuleWaitsAndARejectedOneMakesRoom(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.rule(limits.OfPayouts, nil, 1, limits.Hold)
	h.earn(5000, true)
	out := h.mustAsk(1000)
	h.becomes(out.ID, payouts.Approved)
	v := h.mustAsk(2000)
	if v.State != payouts.Draft || !waitsFor(v, "limits") {
		t.Fatalf("second payout = %+v, want a draft that waits for the rule", v)
	}
	h.hear(out.Ref, operations.Callback, outbound.Declined)
	h.becomes(out.ID, payouts.Rejected)
	h.advance(time.Hour)
	h.becomes(v.ID, payouts.Approved)
}

func TestAPayoutThatARuleRefuses(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.rule(limits.OfPayouts, 1999, nil, limits.Refuse)
	h.earn(5000, true)
	if _, err := h.ask(2000); !errors.Is(err, limits.ErrRefused) {
		t.Errorf("asked for by hand: %v, want limits.refused", err)
	}
	h.has("seller:org_s:available", 5000)
	h.set(seller, payouts.SetSettingInput{Schedule: payouts.Daily})
	h.advance(25 * time.Hour)
	all := h.all()
	if len(all) != 1 || all[0].State != payouts.Rejected || all[0].Why == "" {
		t.Errorf("by schedule: %+v, want one that says why it was refused", all)
	}
	h.has("seller:org_s:available", 5000)
	p, err := h.risk.Decisions(auth.With(t.Context(), second), limits.DecisionsInput{Outcome: limits.Refuse, Paging: rest.Paging{Limit: 10}})
	if err != nil || len(p.Data) != 2 {
		t.Errorf("refusals written down: %+v, %v, want both", p.Data, err)
	}
}

// A payout is refused, its money given back and kept for a chargeback; a
// statement shows that the bank paid it all the same.
func TestARefusedPayoutIsShownPaidWhileItsMoneyIsKept(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(3000, true)
	v := h.mustAsk(2000)
	h.advance(3 * time.Second)
	h.becomes(v.ID, payouts.Sent)
	h.hear(v.Ref, operations.Callback, outbound.Declined)
	h.becomes(v.ID, payouts.Rejected)
	ctx := t.Context()
	h.do(ctx, func(tx *pg.Tx) error {
		_, err := h.books.HoldUpTo(ctx, tx, ledger.Hold{ID: "cbk_1 ord_1", Account: ledger.Available("org_s"), Currency: money.MAD, Amount: 3000, Why: "chargeback cbk_1"})
		return err
	})
	err := h.db.InTx(ctx, func(tx *pg.Tx) error {
		op, err := h.engine.Find(ctx, tx, "bank", v.Ref)
		if err != nil {
			return err
		}
		_, err = h.engine.Heard(ctx, tx, op.ID, operations.Statement, outbound.Result{Outcome: outbound.Succeeded}, "")
		return err
	})
	if err != nil {
		t.Errorf("the statement is refused: %v", err)
	}
	if got := h.show(v.ID); got.State != payouts.Paid {
		t.Errorf("the payout is %s", got.State)
	}
}

// A large payout that is cut up waits for a second person as a whole.
func TestSplitPayoutsAreOneLargeOne(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.earn(200_000_00, true)
	alone := 0
	for range 4 {
		v, err := h.ask(50_000_00)
		if err != nil {
			t.Fatal(err)
		}
		if v.State != payouts.Draft {
			alone++
		} else {
			t.Logf("waits %+v", v.Waits)
		}
	}
	if alone > 1 {
		t.Errorf("%d payouts of 50,000.00 in one day went without a second person", alone)
	}
}

// What a carrier that was paid twice owes must not look like a surplus, which the
// sweep would take out of the clients' account.
func TestWhatACarrierOwesIsNoSurplus(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.carry(3000, true)
	account := &payouts.AccountInput{RIB: "230 780 2103456789012345 17", Holder: "Transport exemple"}
	pay := func() payouts.View {
		v, err := h.payCarrier(payouts.CreateInput{Account: account})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.approve(second, v.ID); err != nil {
			t.Fatal(err)
		}
		h.advance(3 * time.Second)
		return v
	}
	a := pay()
	h.hear(a.Ref, operations.Callback, outbound.Declined)
	b := pay()
	h.hear(b.Ref, operations.Statement, outbound.Succeeded)
	before, err := h.books.Surplus(t.Context(), h.db, money.MAD)
	if err != nil {
		t.Fatal(err)
	}
	h.hear(a.Ref, operations.Statement, outbound.Succeeded)
	h.has("payable:carrier:demo", -3000)
	h.has("bank:bank:transit", 3000)
	after, err := h.books.Surplus(t.Context(), h.db, money.MAD)
	if err != nil || after > before {
		t.Errorf("the surplus was %d and is %d (%v): the sweep takes out what our own money has just made whole", before, after, err)
	}
}
