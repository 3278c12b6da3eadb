package charges_test

import (
	"context"
	"errors"
	"testing"

	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/pg"
)

// byTransfer is a refund of a closed card, paid by transfer.
func (h *hub) byTransfer(c charges.Receipt, order string, amount int64) (rid string) {
	h.t.Helper()
	h.tell(func(a *acquirer) { a.closed = true })
	rid = h.giveBack(c, order, amount)
	h.refundIs(rid, charges.RefundAwaiting)
	_, err := h.account(buyer, rid, goodRIB)
	h.must(err)
	h.bankPaid(rid)
	h.refundIs(rid, charges.RefundConfirmed)
	return rid
}

func (h *hub) comesBack(rid string) {
	h.t.Helper()
	h.bank(rid, func(ctx context.Context, tx *pg.Tx, o operations.Operation) error {
		_, err := h.engine.CameBack(ctx, tx, o, "AC04", "returned "+o.Ref)
		return err
	})
}

func TestAChargebackAfterARefundThatCameBack(t *testing.T) {
	t.Parallel()
	for _, verdict := range []string{"lost", "won"} {
		t.Run(verdict, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, orders := h.paid(true, 7500, 4000)
			rid := h.byTransfer(c, orders[0], 7500)
			h.comesBack(rid)
			h.refundIs(rid, charges.RefundReturned)
			h.must(h.adjusted(c, "CBK-1", -11500, 1500))
			if got := h.contest(c, "CBK-1", "opened", "115.00", nil); got != "acknowledge" {
				t.Errorf("the message is answered %q", got)
			}
			h.refundIs(rid, charges.RefundRejected)
			h.has(ledger.Escrow(orders[0]), 7500)
			if n := len(h.chargebacks()); n != 1 {
				t.Errorf("%d chargebacks", n)
			}
			h.safe()
			h.contest(c, "CBK-1", verdict, "115.00", nil)
			h.has(ledger.Escrow(orders[0]), 0) // lost, or on its way once more
			h.has(ledger.Escrow(orders[1]), map[string]int64{"lost": 0, "won": 4000}[verdict])
			h.has(ledger.Loss, 0)
			h.safe()
		})
	}
}

// Whichever is heard of first, the buyer has the money once.
func TestAReturnedRefundAndALostChargeback(t *testing.T) {
	t.Parallel()
	for name, lostFirst := range map[string]bool{"returned while it is open": false, "returned after it was lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, orders := h.paid(true, 7500)
			rid := h.byTransfer(c, orders[0], 7500)
			h.must(h.adjusted(c, "CBK-1", -7500, 1500))
			if lostFirst {
				h.contest(c, "CBK-1", "lost", "75.00", nil)
				h.has(ledger.Loss, 7500)
			}
			h.comesBack(rid)
			h.refundIs(rid, charges.RefundRejected)
			if _, err := h.account(buyer, rid, otherRIB); !errors.Is(err, charges.ErrRefundState) {
				t.Errorf("a new account: %v, want ErrRefundState", err)
			}
			h.safe()
			h.contest(c, "CBK-1", "lost", "75.00", nil)
			if b := h.chargebacks()[0]; b.State != charges.ChargebackLost {
				t.Errorf("the chargeback is %s", b.State)
			}
			h.has(ledger.Loss, 0)
			h.has(ledger.Refund(rid), 0)
			h.has(ledger.Escrow(orders[0]), 0)
			h.safe()
		})
	}
}

// A chargeback that is lost takes a part of a refund that comes back; the rest is
// the buyer's still, whether the order was released or not.
func TestOfAReturnedRefundTheBuyerGetsWhatTheChargebackDidNotGive(t *testing.T) {
	t.Parallel()
	for name, released := range map[string]bool{"held": false, "released": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, orders := h.paid(true, 7500)
			if released {
				h.must(h.release(orders[0]))
			}
			rid := h.byTransfer(c, orders[0], 7500)
			h.contest(c, "CBK-1", "lost", "30.00", nil)
			h.comesBack(rid)
			h.refundIs(rid, charges.RefundRejected)
			h.has(ledger.Loss, 0)
			h.has(ledger.Escrow(orders[0]), 0)
			hold := h.hold(orders[0])
			if hold.Charged+hold.Clawed != 3000 || hold.Returned() != 4500 || hold.Flying != 1 || hold.Claim() != 0 {
				t.Errorf("the escrow is %+v", hold)
			}
			h.safe()
		})
	}
}

// A chargeback that displaced refunds and is lost for less than they were has
// given the buyer a part of them; the rest goes on, and the seller keeps the rest.
func TestARefundGoesOnForWhatALostChargebackLeftOfIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refunds        []int64
		contested      string
		charged, again int64
		flying         int
	}{
		"all of the order":       {[]int64{7500}, "30.00", 3000, 4500, 1},
		"a part of the order":    {[]int64{4000}, "30.00", 3000, 1000, 1},
		"two refunds":            {[]int64{1000, 2500}, "30.00", 3000, 500, 1},
		"less than it has had":   {[]int64{2000}, "30.00", 3000, 0, 0},
		"the whole is contested": {[]int64{4000}, "75.00", 7500, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			receipt, orders := h.paid(true, 7500)
			h.tell(func(a *acquirer) { a.closed = true })
			for _, amount := range c.refunds {
				h.refundIs(h.giveBack(receipt, orders[0], amount), charges.RefundAwaiting)
			}
			h.contest(receipt, "CBK-1", "opened", c.contested, nil)
			if hold := h.hold(orders[0]); hold.Flying != 0 {
				t.Errorf("with the chargeback open: %+v", hold)
			}
			h.contest(receipt, "CBK-1", "lost", c.contested, nil)
			if hold := h.hold(orders[0]); hold.Charged != c.charged || hold.Refunded != c.again || hold.Flying != c.flying {
				t.Errorf("the escrow is %+v", hold)
			}
			h.safe()
		})
	}
}

// Who decided a refund is not asked again because a chargeback came between: it
// goes on once that is won, whatever became of the order.
func TestARulingForTheBuyerSurvivesAChargebackThatIsWon(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]string{"one chargeback": "", "another is open, and won": "won", "another is open, and lost": "lost"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, orders := h.paid(true, 7500)
			h.tell(func(a *acquirer) { a.closed = true })
			rid := h.giveBack(c, orders[0], 7500)
			h.refundIs(rid, charges.RefundAwaiting)
			h.contest(c, "CBK-1", "opened", "75.00", nil)
			h.refundIs(rid, charges.RefundRejected)
			if second != "" {
				h.contest(c, "CBK-2", "opened", "75.00", nil)
			}
			h.contest(c, "CBK-1", "won", "75.00", nil)
			if second != "" {
				h.has(ledger.Escrow(orders[0]), 7500) // it waits for the other
				h.contest(c, "CBK-2", second, "75.00", nil)
			}
			hold := h.hold(orders[0])
			if want := int64(7500); second == "lost" && hold.Charged != want || second != "lost" && (hold.Refunded != want || hold.Flying != 1) {
				t.Errorf("the escrow is %+v", hold)
			}
			again, err := pg.Column[string](t.Context(), h.db, `select id from charges.refund where charge = $1 and state <> 'rejected'`, c.ID)
			h.must(err)
			if len(again) != map[string]int{"": 1, "won": 1, "lost": 0}[second] {
				t.Fatalf("refunds that go on: %v", again)
			}
			if len(again) == 1 {
				h.refundIs(again[0], charges.RefundAwaiting)
				_, err = h.account(buyer, again[0], goodRIB)
				h.must(err)
				h.bankPaid(again[0])
				h.refundIs(again[0], charges.RefundConfirmed)
			}
			h.has(ledger.Escrow(orders[0]), 0)
			h.has(ledger.Loss, 0)
			h.safe()
		})
	}
}

// Two chargebacks displace a refund, and it makes no difference which is decided
// first: what the buyer's bank gave is not given again.
func TestARefundGoesOnForWhatAllItsChargebacksLeftOfIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		verdicts       [][2]string
		charged, again int64
		flying         int
	}{
		"the first is won, then the second lost":  {[][2]string{{"CBK-1", "won"}, {"CBK-2", "lost"}}, 3000, 1000, 1},
		"the second is lost, then the first won":  {[][2]string{{"CBK-2", "lost"}, {"CBK-1", "won"}}, 3000, 1000, 1},
		"the first is lost, then the second won":  {[][2]string{{"CBK-1", "lost"}, {"CBK-2", "won"}}, 2000, 2000, 1},
		"the second is won, then the first lost":  {[][2]string{{"CBK-2", "won"}, {"CBK-1", "lost"}}, 2000, 2000, 1},
		"both are lost, and gave more than it is": {[][2]string{{"CBK-1", "lost"}, {"CBK-2", "lost"}}, 5000, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			receipt, orders := h.paid(true, 7500)
			h.tell(func(a *acquirer) { a.closed = true })
			h.refundIs(h.giveBack(receipt, orders[0], 4000), charges.RefundAwaiting)
			amounts := map[string]string{"CBK-1": "20.00", "CBK-2": "30.00"}
			h.contest(receipt, "CBK-1", "opened", amounts["CBK-1"], nil)
			h.contest(receipt, "CBK-2", "opened", amounts["CBK-2"], nil)
			for _, v := range c.verdicts {
				h.contest(receipt, v[0], v[1], amounts[v[0]], nil)
			}
			if hold := h.hold(orders[0]); hold.Charged != c.charged || hold.Refunded != c.again || hold.Flying != c.flying {
				t.Errorf("the escrow is %+v", hold)
			}
			h.safe()
		})
	}
}

// What a chargeback took before a refund was decided, the refund was decided
// without: it goes on for what has been taken since.
func TestARefundGoesOnForAllThatWasTakenBeforeIt(t *testing.T) {
	t.Parallel()
	for verdict, want := range map[string]struct{ charged, again int64 }{"won": {2000, 4000}, "lost": {3000, 3000}} {
		t.Run(verdict, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			receipt, orders := h.paid(true, 7500)
			h.contest(receipt, "CBK-1", "lost", "20.00", nil)
			h.tell(func(a *acquirer) { a.closed = true })
			rid := h.giveBack(receipt, orders[0], 4000)
			h.refundIs(rid, charges.RefundAwaiting)
			h.contest(receipt, "CBK-2", "opened", "10.00", nil)
			h.refundIs(rid, charges.RefundRejected)
			h.contest(receipt, "CBK-2", verdict, "10.00", nil)
			if hold := h.hold(orders[0]); hold.Charged != want.charged || hold.Refunded != want.again || hold.Flying != 1 {
				t.Errorf("the escrow is %+v, want %+v", hold, want)
			}
			h.has(ledger.Loss, 0)
			h.safe()
		})
	}
}
