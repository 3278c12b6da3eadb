package escrow_test

import (
	"context"
	"testing"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// cameBack has the bank return a refund.
func (h hub) cameBack(refund string, amount int64) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		for range 2 { // twice is harmless
			if _, err := h.escrow.CameBack(ctx, tx, refund); err != nil {
				return err
			}
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "returned:" + refund, Kind: "refund.returned", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Safeguard("b"), amount), ledger.Credit(ledger.Refund(refund), amount),
		}})
	})
}

func (h hub) putBack(refund string) escrow.Hold {
	h.t.Helper()
	var hold escrow.Hold
	h.must(func(ctx context.Context, tx *pg.Tx) (err error) {
		hold, err = h.escrow.PutBack(ctx, tx, refund)
		return err
	})
	return hold
}

// A refund that came back and a chargeback: whichever comes first, the buyer has
// the money once, and nobody but the seller bears it.
func TestARefundThatCameBackGoesToTheChargeback(t *testing.T) {
	t.Parallel()
	for _, released := range []bool{false, true} {
		for name, in := range map[string]struct{ opened, lost string }{
			"before both": {"after", "after"}, "while it is open": {"before", "after"}, "after it is lost": {"before", "before"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := newHub(t)
				order := h.sale("org_s", "chg_1", "")
				h.fund("chg_1")
				if released {
					h.release(order)
				}
				if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, Delivery: true}); err != nil {
					t.Fatal(err)
				}
				h.arrive("rfd_1", 7500)
				opened := func(when string) {
					if in.opened == when {
						h.ok(h.contest(escrow.Contest{Case: "cbk_1", Charge: "chg_1", Acquirer: "p", Amount: 7500}))
					}
				}
				lost := func(when string) {
					if in.lost == when {
						h.ok(h.lost("cbk_1", escrow.Loser{}))
					}
				}
				opened("before")
				lost("before")
				h.cameBack("rfd_1", 7500)
				h.sound()
				hold := h.putBack("rfd_1")
				if in.opened == "before" && in.lost == "after" && len(hold.Cases) != 1 {
					t.Errorf("the order is in no case: %+v", hold)
				}
				opened("after")
				lost("after")
				h.has(ledger.Loss, 0)
				h.has("psp:p:disputed", 0)
				h.has("refund:rfd_1", 0)
				h.has("escrow:"+order, 0)
				if hold := h.hold(order); hold.Claim() != 0 || hold.Held() != 0 || len(hold.Cases) != 0 || hold.Flying != 0 {
					t.Errorf("the escrow is %+v", hold)
				}
				h.sound()
			})
		}
	}
}

func TestARefundThatCameBackArrivesAtLast(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, Delivery: true}); err != nil {
		t.Fatal(err)
	}
	h.arrive("rfd_1", 7500)
	h.cameBack("rfd_1", 7500)
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := h.escrow.Arrived(ctx, tx, "rfd_1"); err != nil {
			return err
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "again", Kind: "refund.paid", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Refund("rfd_1"), 7500), ledger.Credit(ledger.Safeguard("b"), 7500),
		}})
	})
	h.is(order, escrow.Refunded)
	h.sound()
}
