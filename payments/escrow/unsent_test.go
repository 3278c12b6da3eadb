package escrow_test

import (
	"context"
	"testing"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
)

// The fee of a carrier was let go with the rest before the goods left: it is not
// the carrier's to be paid, and goes back with the rest.
func TestACarrierOfGoodsThatNeverLeftIsNotPaid(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Settled(ctx, tx, "chg_1") })
	h.release(order)
	waits := func(want int64) {
		t.Helper()
		if got, err := h.escrow.Unsettled(t.Context(), h.db, "k", "MAD"); err != nil || got != want {
			t.Errorf("%d of the carrier's waits (%v), want %d", got, err, want)
		}
	}
	waits(1500)
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, Delivery: true}); err != nil {
		t.Fatal(err)
	}
	waits(0)
	h.has("payable:carrier:k", 0)
	h.has("seller:org_s:receivable", 0)
	h.has("loss", 0)
	h.sound()
	h.putBack("rfd_1")
	waits(1500)
	h.has("payable:carrier:k", 1500)
	h.ship(order)
	waits(0)
	h.sound()
}
