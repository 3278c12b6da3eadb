package disputes_test

import (
	"context"
	"testing"
	"time"

	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// told has disputes hear of what happened to escrows.
func (d *desk) told() {
	d.t.Helper()
	ids, err := pg.Column[string](d.t.Context(), d.db, `select id from platform.event where type = 'escrow.ended' order by seq`)
	d.ok(err)
	bus := event.NewBus() // the desk's own has no queue to deliver from
	disputes.Subscribe(bus, d.disputes)
	for _, id := range ids {
		d.ok(bus.Deliver(auth.With(d.t.Context(), auth.Hub), d.db, event.Delivery{Event: id, Type: "escrow.ended", Subscriber: "disputes"}))
	}
}

// charged has a chargeback take an order's money.
func (d *desk) charged(order string) {
	d.t.Helper()
	charge := d.hold(order).Charge
	d.ok(d.do(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		return d.escrows.Contest(ctx, tx, escrow.Contest{Case: "cbk_1", Charge: charge, Acquirer: "p", Amount: 7500})
	}))
	d.ok(d.do(auth.Hub, func(ctx context.Context, tx *pg.Tx) error { return d.escrows.Lost(ctx, tx, "cbk_1", escrow.Loser{}) }))
}

func TestADisputeEndsWhenAChargebackTookItsMoney(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]func(d *desk){
		"by the news of it":         (*desk).told,
		"by its deadline":           func(d *desk) { d.advance(73 * time.Hour) },
		"by the news, twice":        func(d *desk) { d.told(); d.told() },
		"by the news and deadline ": func(d *desk) { d.told(); d.advance(73 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			order := d.order()
			v, err := d.open(buyer, order)
			d.ok(err)
			d.charged(order)
			ends(d)
			got := d.show(v.ID)
			if got.State != disputes.Resolved || !got.Ruling.Refund.IsZero() || !got.Ruling.Release.IsZero() {
				t.Errorf("the dispute is %+v", got)
			}
			if h := d.hold(order); len(h.Cases) != 0 || h.State != escrow.Refunded {
				t.Errorf("the escrow is %s with cases %v", h.State, h.Cases)
			}
			if n := len(d.paid.all); n != 0 {
				t.Errorf("%d refunds", n)
			}
		})
	}
}

// Only the fee of the carrier who brought the goods is left: the buyer has had
// all the rest back, and a silent seller does not stop the dispute from ending.
func TestASilentSellerWhoHasGivenAllBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	order := d.order()
	d.ok(d.do(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		if err := d.escrows.Shipped(ctx, tx, order, tx.Now()); err != nil {
			return err
		}
		_, err := d.escrows.TakeBack(ctx, tx, escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, Delivery: true})
		return err
	}))
	d.advance(15*24*time.Hour + time.Minute)
	v := d.only()
	d.advance(73 * time.Hour)
	if got := d.show(v.ID); got.State != disputes.Resolved || !got.Ruling.Refund.IsZero() || got.Ruling.Release.Amount() != "15.00" {
		t.Errorf("the dispute is %+v", got)
	}
	failed, err := pg.Column[string](t.Context(), d.db, `select kind || ' ' || error from platform.timer where tries > 0`)
	if err != nil || len(failed) > 0 {
		t.Errorf("timers that fail: %v (%v)", failed, err)
	}
}

func TestASellerWhoHasAnsweredMayStillAccept(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	v, err := d.open(buyer, d.order())
	d.ok(err)
	_, err = d.reply(seller, disputes.ReplyInput{Dispute: v.ID, Text: "Intact."})
	d.ok(err)
	d.advance(31 * 24 * time.Hour)
	asked, err := d.rule(agent, v.ID, 0, 7500) // waits for a second person
	d.ok(err)
	got, err := d.reply(seller, disputes.ReplyInput{Dispute: v.ID, Accept: true})
	d.ok(err)
	if got.State != disputes.Resolved || got.Reply != "Intact." || got.Ruling.Refund.Amount() != "75.00" {
		t.Errorf("the dispute is %+v", got)
	}
	if err := d.decide(second, asked.Approval, "approve"); err == nil {
		t.Error("the ruling is approved all the same")
	}
	if _, err := d.reply(seller, disputes.ReplyInput{Dispute: v.ID, Accept: true}); err == nil {
		t.Error("accepted twice")
	}
}
