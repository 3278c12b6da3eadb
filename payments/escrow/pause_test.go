package escrow_test

import (
	"context"
	"testing"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
)

const day = 24 * time.Hour

func (h hub) ship(order string) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Shipped(ctx, tx, order, tx.Now()) })
}

func (h hub) deliver(order string) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Delivered(ctx, tx, order, tx.Now()) })
}

func TestAReserveThatARulingMadeIsDueInTime(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.freeze(order, "dsp_1")
	h.advance(25 * day)
	if _, err := rule(h, escrow.Ruling{Order: order, Case: "dsp_1", Release: 7500}); err != nil {
		t.Fatal(err)
	}
	h.advance(29 * day)
	h.has("seller:org_s:reserve", 540)
	h.advance(2 * day)
	h.has("seller:org_s:reserve", 0)
}

func TestDeliveryDuringACaseWaitsAsLongAsAnyOther(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.ship(order)
	h.freeze(order, "cbk_1")
	h.advance(60 * day)
	h.deliver(order)
	h.advance(day)
	h.thaw(order, "cbk_1")
	h.advance(6 * day)
	h.has("escrow:"+order, 0+7500)
	h.advance(2 * day)
	h.has("escrow:"+order, 0)
}

// Each of two cases puts off what waits by its own time, and neither is
// forgotten.
func TestTwoCasesPauseForTheirOwnTimeEach(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	arrives, lost := h.sale("org_s", "chg_1", "k"), h.sale("org_s", "chg_2", "k")
	h.fund("chg_1")
	h.fund("chg_2")
	h.ship(arrives)
	h.ship(lost)
	h.deliver(arrives)
	shipped := *h.hold(lost).ShippedAt
	for _, c := range []string{"dsp_1", "dsp_2"} {
		h.advance(2 * day)
		h.freeze(arrives, c)
		h.freeze(lost, c)
		h.advance(10 * day)
		h.thaw(arrives, c)
		h.thaw(lost, c)
	}
	for what, due := range map[string]struct {
		got  time.Time
		want time.Duration
	}{
		"the release": {*h.hold(arrives).ReleaseDue, (7 + 20) * day}, "the sign of delivery": {*h.hold(lost).SignDue, (15 + 20) * day},
	} {
		if late := due.got.Sub(shipped) - due.want; late < -time.Minute || late > time.Minute {
			t.Errorf("%s is due %s after shipping, want %s", what, due.got.Sub(shipped), due.want)
		}
	}
}

func TestACoveredChargebackDoesNotBlock(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a := h.sale("org_a", "chg_1", "k")
	h.fund("chg_1")
	h.release(a)
	h.payout("org_a", 4860)
	h.ok(h.contest(escrow.Contest{Case: "cbk_1", Charge: "chg_1", Acquirer: "p", Amount: 7500}))
	blocked := func(want bool) {
		t.Helper()
		if why, err := h.blocked("org_a"); err != nil || (why != "") != want {
			t.Errorf("payouts stop: %q (%v), want %t", why, err, want)
		}
	}
	for _, c := range []string{"chg_2", "chg_3", "chg_4"} {
		blocked(true)
		o := h.sale("org_a", c, "k")
		h.fund(c)
		h.release(o)
		if c == "chg_3" {
			blocked(false)
			break
		}
	}
	h.ok(h.lost("cbk_1", escrow.Loser{}))
	blocked(false)
	h.has("seller:org_a:receivable", 0)
	h.sound()
}

// A timer of one order looks again whether its time has come, as a sweep of many
// does.
func TestATimerOfOneOrderReleasesNothingBeforeItsTime(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.ship(order)
	h.deliver(order)
	fires := func() {
		h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.ReleaseDue(ctx, tx, order) })
	}
	fires()
	h.has("escrow:"+order, 7500)
	h.freeze(order, "dsp_1")
	h.advance(30 * day)
	fires()
	h.has("escrow:"+order, 7500)
	h.thaw(order, "dsp_1")
	h.advance(30 * day)
	fires()
	h.has("escrow:"+order, 0)
}
