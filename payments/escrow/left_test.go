package escrow_test

import (
	"fmt"
	"testing"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// keeps checks what is kept back of a seller's available money.
func (h hub) keeps(seller string, want int64) {
	h.t.Helper()
	got, err := h.books.Held(h.t.Context(), h.db, ledger.Available(seller), money.MAD)
	if err != nil || got != want {
		h.t.Errorf("%d of %s is kept back (%v), want %d", got, seller, err, want)
	}
}

// bare is a seller whose money a chargeback has to come: all that it had was
// paid out before.
func (h hub) bare(seller string) {
	h.t.Helper()
	order := h.sale(seller, "chg_bare", "k")
	h.fund("chg_bare")
	h.ship(order)
	h.release(order)
	h.payout(seller, 4860)
	h.ok(h.contest(escrow.Contest{Case: "cbk_bare", Charge: "chg_bare", Acquirer: "p", Amount: 7500}))
	h.keeps(seller, 0)
}

// What a sweep lets go of a seller with a chargeback that nothing covers covers
// it first, in whatever order the timers fire.
func TestASweepCoversChargebacksFirst(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.bare("org_s")
	for i, seller := range []string{"org_s", "org_t", "org_t", "org_s"} {
		charge := fmt.Sprint("chg_", i)
		order := h.sale(seller, charge, "k")
		h.fund(charge)
		h.deliver(order)
	}
	h.advance(8 * day)
	h.has("seller:org_t:available", 2*4860)
	h.keeps("org_t", 0)
	h.has("seller:org_s:available", 2*4860)
	h.keeps("org_s", 7500)
	if why, err := h.blocked("org_s"); err != nil || why != "" {
		t.Errorf("a chargeback that is covered stops payouts: %q (%v)", why, err)
	}
	h.sound()
}

// Money that a refund gives back to a seller covers its chargebacks of other
// orders before it can be paid out.
func TestMoneyThatIsPutBackCoversChargebacks(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.ship(order)
	h.release(order)
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 5000}); err != nil {
		t.Fatal(err)
	}
	reserve, available := h.balance(ledger.Reserve("org_s")), h.balance(ledger.Available("org_s"))
	h.payout("org_s", available)
	h.bare("org_s")
	before := h.balance(ledger.Available("org_s"))
	h.putBack("rfd_1")
	back := h.balance(ledger.Available("org_s")) - before
	if back <= 0 || h.balance(ledger.Reserve("org_s")) < reserve {
		t.Fatalf("%d became available", back)
	}
	h.keeps("org_s", back)
	if why, err := h.blocked("org_s"); err != nil || why == "" {
		t.Errorf("%d of 75.00 is kept, and payouts go on (%v)", back, err)
	}
	h.sound()
}

func (h hub) balance(account string) int64 {
	h.t.Helper()
	n, err := h.books.Balance(h.t.Context(), h.db, account, money.MAD)
	h.ok(err)
	return n
}

// Half a year after its end an escrow is closed, but not while a refund of what
// was released is on its way.
func TestAnEscrowIsNotClosedWhileARefundIsOnItsWay(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.release(order)
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 1000}); err != nil {
		t.Fatal(err)
	}
	h.advance(200 * day)
	h.is(order, escrow.Released)
	h.arrive("rfd_1", 1000)
	h.advance(2 * day)
	h.is(order, escrow.Closed)
	h.sound()
}

// Nor is it closed while some of its reserve is kept, which a case had put off.
func TestAnEscrowIsNotClosedWhileItsReserveIsKept(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.release(order)
	h.advance(day)
	h.freeze(order, "dsp_1")
	h.advance(175 * day)
	h.thaw(order, "dsp_1")
	h.advance(10 * day) // it ended 186 days ago
	h.has("seller:org_s:reserve", 540)
	h.is(order, escrow.Released)
	h.advance(20 * day)
	h.has("seller:org_s:reserve", 0)
	h.advance(2 * day)
	h.is(order, escrow.Closed)
	h.sound()
}

// A carrier's fee that goes back is the seller's to bear, and ours when nobody
// was at fault; either is undone as it was done.
func TestGoodwillIsOurLoss(t *testing.T) {
	t.Parallel()
	for goodwill, want := range map[bool]map[string]int64{
		true:  {"loss": 1500, "seller:org_s:receivable": 0, "bank:b:transit": 1500 + 600},
		false: {"loss": 0, "seller:org_s:receivable": 1500, "bank:b:transit": 1500 + 600},
	} {
		t.Run(fmt.Sprint(goodwill), func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			order := h.sale("org_s", "chg_1", "k")
			h.fund("chg_1")
			h.ship(order)
			h.release(order)
			if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, Delivery: true, Goodwill: goodwill}); err != nil {
				t.Fatal(err)
			}
			for account, n := range want {
				h.has(account, n)
			}
			h.has("seller:org_s:available", 0)
			h.has("payable:carrier:k", 1500)
			h.sound()
			h.putBack("rfd_1")
			for account := range want {
				h.has(account, 0)
			}
			h.has("seller:org_s:available", 4860)
			h.sound()
		})
	}
}

// An escrow that holds money again is held for 90 days in all since its money
// came, and not anew.
func TestMoneyThatIsPutBackIsNotHeldAnew(t *testing.T) {
	t.Parallel()
	for name, days := range map[string]time.Duration{"before the 90 days are over": 20, "after": 100} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			order := h.sale("org_s", "chg_1", "")
			h.fund("chg_1")
			if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, Delivery: true}); err != nil {
				t.Fatal(err)
			}
			h.arrive("rfd_1", 7500)
			h.is(order, escrow.Refunded)
			h.advance(days * day)
			h.cameBack("rfd_1", 7500)
			h.putBack("rfd_1")
			h.is(order, escrow.Funded)
			due, err := pg.Value[time.Time](t.Context(), h.db, nil, `select due from platform.timer where kind = $1 and subject = $2`, escrow.TimerCap, order)
			h.ok(err)
			want := max(90, days) * day
			if late := due.Sub(*h.hold(order).FundedAt) - want; late < -time.Minute || late > time.Minute {
				t.Errorf("it is held until %s after its money came, want %s", due.Sub(*h.hold(order).FundedAt), want)
			}
			h.sound()
		})
	}
}
