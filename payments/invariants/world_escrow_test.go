package invariants_test

import (
	"context"

	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// kept are terms without a fee, of which a tenth is kept in reserve.
func kept(order, seller string, centimes int64) escrow.Terms {
	return escrow.Terms{Order: order, Seller: seller, Amount: money.Dirhams(centimes), Legs: escrow.Legs{Seller: centimes - centimes/10, Reserve: centimes / 10}}
}

// workEscrows has happen to escrows what makes postings of its own: a ruling,
// cash collected and refused, a debt that a later sale pays, a reserve that is
// let go.
func (w *world) workEscrows() {
	w.t.Helper()
	c := w.checkout("G8", kept("H", "s4", 5000), kept("I", "s4", 3000))
	w.confirm(c)
	w.paid("H", "I")
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := w.escrows.Freeze(ctx, tx, "H", escrow.Case{ID: "dsp_h", Kind: "dispute", State: "open"}); err != nil {
			return err
		}
		if err := w.charges.Lock(ctx, tx, c.ID); err != nil {
			return err
		}
		r := id.New(id.Refund)
		if _, err := w.escrows.Rule(ctx, tx, escrow.Ruling{Order: "H", Case: "dsp_h", Refund: r, Back: 2000, Release: 3000}); err != nil {
			return err
		}
		_, err := w.charges.Refund(ctx, tx, charges.RefundOrder{ID: r, Order: "H", Charge: c.ID, Amount: money.Dirhams(2000), Reason: "dispute", By: "agent"})
		return err
	})
	var cash []escrow.Terms
	for _, o := range []string{"J", "K"} {
		t := kept(o, "s4", 4000)
		t.Legs.Carrier, t.Legs.Seller = 1000, t.Legs.Seller-1000
		cash = append(cash, t)
	}
	w.by(charges.Cash, "GC", cash...)
	w.taken("delivered", "J")
	w.taken("refused", "K")
	w.tx(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := w.charges.Collect(ctx, tx, "J", 4000); err != nil {
			return err
		}
		if _, err := w.charges.Refuse(ctx, tx, "K", "absent", true); err != nil { // s4 owes 10.00 from now on
			return err
		}
		_, err := w.escrows.ReleaseOrder(ctx, tx, "I")
		return err
	})
	w.sql(`update escrow.lot set due = now() - interval '1 minute' where order_id = 'H'`)
	w.sql(`update platform.timer set due = now() - interval '1 minute', next_at = now() where kind = 'escrow.reserve' and subject = (select id from escrow.lot where order_id = 'H')`)
	timers := job.NewTimers(w.db)
	w.escrows.Work(timers)
	if n, err := timers.Due(w.t.Context()); err != nil || n != 1 {
		w.t.Fatalf("%d timers fired: %v", n, err)
	}
}
