package charges_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/personal"
	"tiwiza/pkg/pg"
)

func (h *hub) adjusted(c charges.Receipt, of string, gross, fee int64) error {
	return h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Adjusted(ctx, tx, "acq", charges.Adjustment{
			Ref: charges.RefOf(c.ID), Case: of, Gross: gross, Fee: fee, Currency: money.MAD, Line: of,
		})
		return err
	})
}

// buyerOf is whose charge it is.
func (h *hub) buyerOf(c charges.Receipt) string {
	h.t.Helper()
	buyer, err := pg.Value[string](h.t.Context(), h.db, nil, `select buyer from charges.charge where id = $1`, c.ID)
	h.must(err)
	return buyer
}

func TestAChargebackIsBookedOnceAndFreezesItsOrders(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	for range 3 {
		if got := h.contest(c, "CBK-1", "opened", "115.00", nil); got != "acknowledge" {
			t.Fatalf("the message is answered %q", got)
		}
	}
	h.has("psp:acq:disputed", 11500)
	h.has("psp:acq:clearing", -1500)
	h.has(ledger.DisputeCost, 1500)
	h.safe()
	err := h.tx(agent, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrows.TakeBack(ctx, tx, escrow.Back{Refund: "rfd_x", Order: orders[0], Amount: 100})
		return err
	})
	if !errors.Is(err, escrow.ErrFrozen) {
		t.Errorf("a refund beside a chargeback: %v, want ErrFrozen", err)
	}
	bars, err := h.charges.Personal().Bars(t.Context(), h.db, personal.Subject{Person: h.buyerOf(c)})
	if err != nil || !slices.ContainsFunc(bars, func(b personal.Bar) bool { return b.Code == "charges.chargeback_open" && len(b.About) == 1 }) {
		t.Errorf("its buyer can be forgotten meanwhile: %+v, %v", bars, err)
	}
	if b := h.chargebacks(); len(b) != 1 || b[0].State != charges.ChargebackOpen || b[0].Case != "CBK-1" || b[0].Amount.Centimes() != 11500 {
		t.Errorf("chargebacks = %+v", b)
	}
}

func TestAChargebackThatIsWonComesAgain(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.contest(c, "CBK-1", "opened", "75.00", nil)
	h.must(h.adjusted(c, "CBK-1", -7500, 1500))
	h.contest(c, "CBK-1", "won", "75.00", nil)
	h.contest(c, "CBK-1", "lost", "75.00", nil) // decided already
	if b := h.chargebacks(); b[0].State != charges.ChargebackWon || b[0].EndedAt == nil {
		t.Errorf("the chargeback is %+v", b[0])
	}
	h.has("psp:acq:disputed", 0)
	h.has(ledger.Escrow(orders[0]), 7500)
	h.must(h.adjusted(c, "CBK-1", 7500, 0))
	for gross, fee := range map[int64]int64{-7500: 1500, 7500: 0} {
		if err := h.adjusted(c, "CBK-1", gross, fee); !errors.Is(err, charges.ErrSettled) {
			t.Errorf("%d on a statement again: %v, want ErrSettled", gross, err)
		}
	}
	h.safe()
}

func TestAChargebackThatIsLostTakesWhatIsHeld(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.contest(c, "CBK-1", "lost", "115.00", nil) // nothing was heard of its opening
	h.contest(c, "CBK-1", "opened", "115.00", nil)
	if b := h.chargebacks(); len(b) != 1 || b[0].State != charges.ChargebackLost {
		t.Errorf("chargebacks = %+v", b)
	}
	for _, o := range orders {
		h.has(ledger.Escrow(o), 0)
	}
	h.has("psp:acq:disputed", 0)
	h.has(ledger.Loss, 0)
	h.safe()
}

func TestAChargebackTakesThePlaceOfARefundThatWasNotSent(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(false, 7500, 4000) // a part of it waits for its settlement
	waits := h.giveBack(c, orders[0], 7500)
	h.contest(c, "CBK-1", "opened", "115.00", nil)
	if v := h.refund(waits); v.State != charges.RefundRejected {
		t.Errorf("the refund is %s, want rejected", v.State)
	}
	h.has(ledger.Refund(waits), 0)
	h.has(ledger.Escrow(orders[0]), 7500)
	h.settle(c, 11500)
	h.contest(c, "CBK-1", "lost", "115.00", nil)
	h.has(ledger.Escrow(orders[0]), 0)
	h.moved(0, 0)
	h.safe()
}

func TestALossWaitsForARefundWhoseOutcomeIsOpen(t *testing.T) {
	t.Parallel()
	for name, executed := range map[string]bool{"it was done": true, "it was not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, orders := h.paid(true, 11500)
			h.tell(func(a *acquirer) {
				a.down = false
				if executed {
					a.answers = []outbound.Outcome{outbound.Unknown}
				} else {
					a.ignores = 1
				}
			})
			rid := h.giveBack(c, orders[0], 4000)
			h.refundIs(rid, charges.RefundUnknown)
			h.contest(c, "CBK-1", "opened", "115.00", nil)
			h.contest(c, "CBK-1", "lost", "115.00", nil)
			if b := h.chargebacks(); b[0].State != charges.ChargebackOpen || b[0].Verdict != charges.ChargebackLost {
				t.Fatalf("while the refund is open the chargeback is %+v", b[0])
			}
			if !executed {
				h.tell(func(a *acquirer) { a.closed = true })
			}
			for end := time.Now().Add(2 * time.Minute); h.chargebacks()[0].State == charges.ChargebackOpen && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				h.advance(7 * time.Minute)
			}
			want, lost := charges.RefundConfirmed, int64(4000)
			if !executed { // refused for good: the chargeback took its place
				want, lost = charges.RefundRejected, 0
			}
			if v := h.refund(rid); v.State != want {
				t.Errorf("the refund is %s (%s), want %s", v.State, v.Why, want)
			}
			if b := h.chargebacks(); b[0].State != charges.ChargebackLost {
				t.Errorf("the chargeback is %+v", b[0])
			}
			h.has(ledger.Loss, lost) // the buyer has it twice
			h.has(ledger.Refund(rid), 0)
			h.has(ledger.Escrow(orders[0]), 0)
			h.has("psp:acq:disputed", 0)
			h.safe()
		})
	}
}

func TestASettlementTellsOfAChargebackThatNobodyToldOf(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, _ := h.paid(true, 7500, 4000)
	h.must(h.adjusted(c, "CBK-9", -4000, 1500))
	h.contest(c, "CBK-9", "opened", "40.00", nil)
	if b := h.chargebacks(); len(b) != 1 || b[0].Amount.Centimes() != 4000 || b[0].Fee.Centimes() != 1500 {
		t.Errorf("chargebacks = %+v", b)
	}
	if err := h.adjusted(c, "CBK-9", -3900, 1500); !errors.Is(err, operations.ErrAmount) {
		t.Errorf("another amount: %v, want ErrAmount", err)
	}
	h.safe()
}

func TestAMessageThatIsNotAuthenticOrFitsNoChargeIsNoChargeback(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, _ := h.paid(true, 7500, 4000)
	for name, tc := range map[string]struct {
		change func(m map[string]string)
		want   string
	}{
		"forged":           {func(m map[string]string) { m["Word"] = "guess" }, "trouble"},
		"unknown order":    {func(m map[string]string) { m["Ref"] = "CHGNONE" }, "acknowledge"},
		"another merchant": {func(m map[string]string) { m["Merchant"] = "600002" }, "acknowledge"},
		"more than taken":  {func(m map[string]string) { m["Amount"] = "115.01" }, "acknowledge"},
	} {
		if got := h.contest(c, "CBK-1", "opened", "75.00", tc.change); got != tc.want {
			t.Errorf("%s is answered %q, want %q", name, got, tc.want)
		}
	}
	if b := h.chargebacks(); len(b) != 0 {
		t.Errorf("chargebacks = %+v, want none", b)
	}
	told, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from platform.event where type = 'chargebacks.unfit'`)
	if err != nil || told != 2 {
		t.Errorf("%d times told of (%v), want 2", told, err)
	}
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from platform.audit where action = 'callbacks.chargeback'`)
	if err != nil || n != 4 {
		t.Errorf("%d audit rows (%v), want 4", n, err)
	}
}

// Money that came too late stands in no escrow: a chargeback of it stops its way
// back, and takes it when it is lost.
func TestAChargebackOfMoneyThatCameTooLate(t *testing.T) {
	t.Parallel()
	for _, verdict := range []string{"won", "lost"} {
		t.Run(verdict, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, _ := h.sale(11500)
			h.advance(charges.Window + time.Second)
			h.becomes(c.ID, charges.Expired)
			h.tell(func(a *acquirer) { a.closed = true })
			h.settle(c, 11500)
			rid, err := pg.Value[string](t.Context(), h.db, nil, `select id from charges.refund where charge = $1`, c.ID)
			h.must(err)
			h.refundIs(rid, charges.RefundAwaiting)
			h.contest(c, "CBK-1", "opened", "115.00", nil)
			h.refundIs(rid, charges.RefundRejected)
			h.has(ledger.Suspense(c.ID), 11500)
			h.safe()
			h.contest(c, "CBK-1", verdict, "115.00", nil)
			h.has(ledger.Suspense(c.ID), 0)
			h.has("psp:acq:disputed", 0)
			h.safe()
			n, err := pg.Value[int](t.Context(), h.db, nil, `select count(*) from charges.refund where charge = $1 and state <> 'rejected'`, c.ID)
			if want := map[string]int{"won": 1, "lost": 0}[verdict]; err != nil || n != want {
				t.Errorf("%d refunds go on (%v), want %d", n, err, want)
			}
		})
	}
}
