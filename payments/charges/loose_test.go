package charges_test

import (
	"context"
	"testing"
	"time"

	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// late is money that came after its order had ended, and went back by transfer.
func (h *hub) late(amount int64) (c charges.Receipt, rid string) {
	h.t.Helper()
	c, _ = h.sale(amount)
	h.advance(charges.Window + time.Second)
	h.becomes(c.ID, charges.Expired)
	h.tell(func(a *acquirer) { a.closed = true })
	h.settle(c, amount)
	rid = h.goingOn(c.ID)[0]
	h.refundIs(rid, charges.RefundAwaiting)
	_, err := h.account(buyer, rid, goodRIB)
	h.must(err)
	h.bankPaid(rid)
	h.refundIs(rid, charges.RefundConfirmed)
	return c, rid
}

// goingOn are the refunds of a charge that are not over.
func (h *hub) goingOn(charge string) []string {
	h.t.Helper()
	all, err := pg.Column[string](h.t.Context(), h.db, `select id from charges.refund where charge = $1 and state not in ('rejected', 'confirmed') order by id`, charge)
	h.must(err)
	return all
}

// Loose money that the buyer had from us and from the bank's chargebacks, and that
// comes back, makes good what these had cost us; the rest is the buyer's.
func TestLooseMoneyThatComesBackMakesGoodWhatChargebacksCost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lost []string
		loss int64
	}{
		"one took all of it":      {[]string{"115.00"}, 11500},
		"one took a part":         {[]string{"30.00"}, 3000},
		"two took parts":          {[]string{"30.00", "40.00"}, 7000},
		"two took more than that": {[]string{"80.00", "60.00"}, 14000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, rid := h.late(11500)
			for i, amount := range tc.lost {
				of := "CBK-" + string(rune('1'+i))
				h.contest(c, of, "opened", amount, nil)
				h.contest(c, of, "lost", amount, nil)
			}
			h.has(ledger.Loss, tc.loss)
			h.comesBack(rid)
			h.refundIs(rid, charges.RefundRejected)
			rest := max(0, 11500-tc.loss)
			h.has(ledger.Loss, max(0, tc.loss-11500))
			h.has(ledger.Suspense(c.ID), 0)
			h.has(ledger.Refund(rid), 0)
			again := h.goingOn(c.ID)
			switch {
			case rest == 0 && len(again) != 0:
				t.Errorf("refunds that go on: %v, want none", again)
			case rest > 0 && (len(again) != 1 || h.refund(again[0]).Amount.Centimes() != rest):
				t.Errorf("refunds that go on: %v, want one of %d", again, rest)
			case rest > 0:
				h.has(ledger.Refund(again[0]), rest)
			}
			h.safe()
		})
	}
}

// While another chargeback is open, what came back waits for its verdict; then
// what the first had cost us is made good all the same.
func TestLooseMoneyWaitsForAnOpenChargeback(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[string]struct{ loss, rest int64 }{"won": {0, 8500}, "lost": {0, 4500}} {
		t.Run(verdict, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, rid := h.late(11500)
			h.contest(c, "CBK-1", "opened", "30.00", nil)
			h.contest(c, "CBK-1", "lost", "30.00", nil)
			h.contest(c, "CBK-2", "opened", "40.00", nil)
			h.comesBack(rid)
			h.has(ledger.Suspense(c.ID), 11500)
			h.has(ledger.Loss, 3000)
			h.contest(c, "CBK-2", verdict, "40.00", nil)
			h.has(ledger.Loss, want.loss)
			h.has(ledger.Suspense(c.ID), 0)
			if again := h.goingOn(c.ID); len(again) != 1 || h.refund(again[0]).Amount.Centimes() != want.rest {
				t.Errorf("refunds that go on: %v, want one of %d", again, want.rest)
			}
			h.safe()
		})
	}
}

// A transfer that the bank refused, and then paid though it was sent anew, is our
// loss until the bank sends it back.
func TestARefundPaidTwiceThatComesBackIsNoLoss(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.closed = true })
	rid := h.giveBack(c, orders[0], 7500)
	h.refundIs(rid, charges.RefundAwaiting)
	say := func(n int, f func(ctx context.Context, tx *pg.Tx, o operations.Operation) error) {
		h.must(h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
			all, err := h.engine.Of(ctx, tx, rid)
			if err != nil {
				return err
			}
			return f(ctx, tx, all[n])
		}))
	}
	hear := func(n int, from operations.Source, what outbound.Outcome) {
		say(n, func(ctx context.Context, tx *pg.Tx, o operations.Operation) error {
			_, err := h.engine.Heard(ctx, tx, o.ID, from, outbound.Result{Outcome: what}, "")
			return err
		})
	}
	_, err := h.account(buyer, rid, goodRIB)
	h.must(err)
	hear(1, operations.Callback, outbound.Declined)
	h.refundIs(rid, charges.RefundAwaiting)
	_, err = h.account(buyer, rid, otherRIB)
	h.must(err)
	h.bankPaid(rid)
	h.refundIs(rid, charges.RefundConfirmed)
	hear(1, operations.Statement, outbound.Succeeded)
	h.has(ledger.Loss, 7500)
	h.has("bank:bank:safeguard", -15000)
	for range 2 { // told twice it comes back once
		say(1, func(ctx context.Context, tx *pg.Tx, o operations.Operation) error {
			_, err := h.engine.CameBack(ctx, tx, o, "AC04", "returned "+o.Ref)
			return err
		})
	}
	h.refundIs(rid, charges.RefundConfirmed)
	h.has(ledger.Loss, 0)
	h.has("bank:bank:safeguard", -7500)
	h.has(ledger.Refund(rid), 0)
	h.safe()
}
