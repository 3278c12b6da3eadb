package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// blocked is why a seller's payouts stop.
func (h hub) blocked(seller string) (string, error) {
	why, err := h.escrow.Blocked(h.t.Context(), h.db, seller)
	return why[seller], err
}

func (h hub) freeze(order, id string) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Freeze(ctx, tx, order, escrow.Case{ID: id, Kind: "dispute", State: "open"})
		return err
	})
}

func (h hub) thaw(order, id string) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Thaw(ctx, tx, order, id)
		return err
	})
}

func TestACaseStopsTheMoneyAndTheTimers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Delivered(ctx, tx, order, tx.Now()) })
	h.advance(6 * 24 * time.Hour)
	h.freeze(order, "dsp_1")
	h.freeze(order, "dsp_1")
	h.freeze(order, "cbk_2")
	cases, err := h.escrow.CaseOf(t.Context(), h.db, []string{order})
	if err != nil || cases[order].ID != "cbk_2" {
		t.Errorf("the case shown is %+v (%v), want the newest", cases[order], err)
	}
	for name, step := range map[string]func(ctx context.Context, tx *pg.Tx) error{
		"release": func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.escrow.ReleaseOrder(ctx, tx, order)
			return err
		},
		"refund": func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.escrow.TakeBack(ctx, tx, escrow.Back{Refund: "rfd_1", Order: order, Amount: 1})
			return err
		},
	} {
		if err := h.do(step); !errors.Is(err, escrow.ErrFrozen) || !strings.Contains(err.Error(), "dsp_1") {
			t.Errorf("%s while a case is open: %v, want ErrFrozen that names it", name, err)
		}
	}
	h.advance(20 * 24 * time.Hour)
	h.thaw(order, "dsp_1")
	h.thaw(order, "dsp_1")
	h.advance(20 * 24 * time.Hour)
	h.has("escrow:"+order, 7500)
	h.thaw(order, "cbk_2")
	h.advance(23 * time.Hour) // a day was left
	h.has("escrow:"+order, 7500)
	h.advance(2 * time.Hour)
	h.has("escrow:"+order, 0)
	h.sound()
}

func rule(h hub, r escrow.Ruling) (hold escrow.Hold, err error) {
	err = h.do(func(ctx context.Context, tx *pg.Tx) (err error) {
		hold, err = h.escrow.Rule(ctx, tx, r)
		return err
	})
	return hold, err
}

func TestARulingSharesAllThatIsHeld(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.freeze(order, "dsp_1")
	for _, bad := range []escrow.Ruling{
		{Back: 3000, Release: 4499}, {Back: 7501, Release: -1}, {Back: -1, Release: 7501}, {Back: 0, Release: 0},
	} {
		bad.Order, bad.Case, bad.Refund = order, "dsp_1", "rfd_1"
		if _, err := rule(h, bad); !errors.Is(err, escrow.ErrShares) {
			t.Errorf("a ruling of %d and %d: %v, want ErrShares", bad.Back, bad.Release, err)
		}
	}
	if _, err := rule(h, escrow.Ruling{Order: order, Case: "dsp_2", Refund: "rfd_1", Back: 7500}); !errors.Is(err, escrow.ErrCase) {
		t.Errorf("a ruling of another case: %v, want ErrCase", err)
	}
	got, err := rule(h, escrow.Ruling{Order: order, Case: "dsp_1", Refund: "rfd_1", Back: 2500, Release: 5000})
	if err != nil || got.State != escrow.Funded || got.Held() != 0 || len(got.Cases) != 0 {
		t.Fatalf("ruled: %+v, %v", got, err)
	}
	for account, want := range map[string]int64{"refund:rfd_1": 2500, "seller:org_s:available": 3240, "seller:org_s:reserve": 360, "fees": 333, "payable:vat": 67, "payable:carrier:k": 1000} {
		h.has(account, want)
	}
	h.arrive("rfd_1", 2500)
	h.is(order, escrow.Released)
	h.sound()
}

func TestARulingForTheBuyerStillPaysTheCarrier(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Shipped(ctx, tx, order, tx.Now()) })
	h.freeze(order, "dsp_1")
	got, err := rule(h, escrow.Ruling{Order: order, Case: "dsp_1", Refund: "rfd_1", Back: 7500})
	if err != nil || got.Returned() != 7500 || got.Released != 1500 {
		t.Fatalf("ruled: %+v, %v", got, err)
	}
	for account, want := range map[string]int64{"refund:rfd_1": 7500, "payable:carrier:k": 1500, "seller:org_s:receivable": 1500, "escrow:" + order: 0} {
		h.has(account, want)
	}
	h.sound()
}

func TestARulingWaitsForOtherCases(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.freeze(order, "dsp_1")
	h.freeze(order, "cbk_1")
	if _, err := rule(h, escrow.Ruling{Order: order, Case: "dsp_1", Refund: "rfd_1", Back: 7500}); !errors.Is(err, escrow.ErrFrozen) {
		t.Errorf("ruled beside a chargeback: %v, want ErrFrozen", err)
	}
}

func (h hub) contest(c escrow.Contest) error {
	return h.do(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Contest(ctx, tx, c) })
}

func (h hub) lost(id string, l escrow.Loser) error {
	return h.do(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Lost(ctx, tx, id, l) })
}

func (h hub) won(id string) error {
	return h.do(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Won(ctx, tx, id) })
}

func (h hub) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestAChargebackBeforeRelease(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	a, b := h.sale("org_s", "chg_1", "k"), h.sale("org_t", "chg_1", "k")
	h.fund("chg_1")
	c := escrow.Contest{Case: "cbk_1", Charge: "chg_1", Acquirer: "p", Amount: 15000, Fee: 200}
	h.ok(h.contest(c))
	h.ok(h.contest(c)) // told twice
	c.Amount++
	if err := h.contest(c); !errors.Is(err, escrow.ErrState) {
		t.Errorf("the case with another amount: %v, want ErrState", err)
	}
	for account, want := range map[string]int64{"psp:p:disputed": 15000, "dispute_cost": 200, "bank:b:transit": 15200, "psp:p:clearing": -200} {
		h.has(account, want)
	}
	h.sound()
	h.ok(h.lost("cbk_1", escrow.Loser{}))
	h.ok(h.lost("cbk_1", escrow.Loser{}))
	if err := h.won("cbk_1"); !errors.Is(err, escrow.ErrState) {
		t.Errorf("won after it was lost: %v, want ErrState", err)
	}
	h.has("psp:p:disputed", 0)
	h.has("loss", 0)
	h.is(a, escrow.Refunded)
	h.is(b, escrow.Refunded)
	h.sound()
}

func TestAChargebackThatIsWonChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Delivered(ctx, tx, order, tx.Now()) })
	h.ok(h.contest(escrow.Contest{Case: "cbk_1", Charge: "chg_1", Acquirer: "p", Amount: 7500, Fee: 200}))
	h.advance(60 * 24 * time.Hour)
	h.has("escrow:"+order, 7500)
	h.ok(h.won("cbk_1"))
	h.ok(h.won("cbk_1"))
	h.has("psp:p:disputed", 0)
	h.has("psp:p:clearing", 7300)
	h.sound()
	h.advance(8 * 24 * time.Hour)
	h.is(order, escrow.Released)
	h.sound()
}

func TestAChargebackAfterRelease(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.ship(order)
	h.release(order)
	h.payout("org_s", 4000)
	h.ok(h.contest(escrow.Contest{Case: "cbk_1", Charge: "chg_1", Acquirer: "p", Amount: 7500, Fee: 0}))
	why, err := h.blocked("org_s")
	if err != nil || why == "" {
		t.Errorf("the seller's payouts go on: %q, %v", why, err)
	}
	err = h.do(func(ctx context.Context, tx *pg.Tx) error {
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "out", Kind: "payout.intent", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit("seller:org_s:available", 1), ledger.Credit("payout:x", 1),
		}})
	})
	if !errors.Is(err, ledger.ErrOverdraft) {
		t.Errorf("what is kept for the chargeback was spent: %v", err)
	}
	h.sound()
	h.ok(h.lost("cbk_1", escrow.Loser{}))
	for account, want := range map[string]int64{
		"seller:org_s:reserve": 0, "seller:org_s:available": 0, "seller:org_s:receivable": 5400 + 1500 - 540 - 860,
		"fees": 0, "payable:vat": 0, "psp:p:disputed": 0, "bank:b:transit": 7500, "payable:carrier:k": 1500,
	} {
		h.has(account, want)
	}
	h.is(order, escrow.Released)
	if why, _ := h.blocked("org_s"); why != "" {
		t.Errorf("with a debt under the limit payouts stop: %s", why)
	}
	h.sound()
}

func TestThePlatformMayBearALostChargebackOfWhatWasDelivered(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		proved                         bool
		loss, available, reserve, fees int64
	}{"proved": {true, 7500, 4860, 540, 500}, "not proved": {false, 0, 0, 0, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			order := h.sale("org_s", "chg_1", "k")
			h.fund("chg_1")
			if tc.proved {
				h.deliver(order)
			}
			h.release(order)
			h.ok(h.contest(escrow.Contest{Case: "cbk_1", Charge: "chg_1", Acquirer: "p", Amount: 7500}))
			if why, _ := h.blocked("org_s"); why == "" {
				t.Error("48.60 of 75.00 is kept, and payouts go on")
			}
			h.ok(h.lost("cbk_1", escrow.Loser{PlatformBears: true}))
			for account, want := range map[string]int64{"loss": tc.loss, "seller:org_s:available": tc.available, "seller:org_s:reserve": tc.reserve, "fees": tc.fees} {
				h.has(account, want)
			}
			h.sound()
		})
	}
}

// A refund that arrived before the chargeback was lost: what the buyer's bank
// takes above the claim is our loss. While it is on its way nobody knows.
func TestARefundAndAChargebackExcludeEachOther(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	_, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 5000})
	h.ok(err)
	h.ok(h.contest(escrow.Contest{Case: "cbk_1", Charge: "chg_1", Acquirer: "p", Amount: 7500}))
	if err := h.lost("cbk_1", escrow.Loser{}); !errors.Is(err, escrow.ErrFlying) {
		t.Errorf("lost while a refund is on its way: %v, want ErrFlying", err)
	}
	h.arrive("rfd_1", 5000)
	h.ok(h.lost("cbk_1", escrow.Loser{}))
	h.has("loss", 5000)
	h.is(order, escrow.Refunded)
	h.sound()
}

// grows are tables of which no step reads more than its own rows.
var grows = []string{"escrow.hold", "escrow.release", "escrow.lot", "escrow.back", "escrow.contest", "escrow.contested", "escrow.case_of", "ledger.transfer", "ledger.entry", "ledger.balance"}

func TestCashIsNotReleasedBeforeItIsRemitted(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "", "k")
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		if err := h.escrow.Shipped(ctx, tx, order, tx.Now()); err != nil {
			return err
		}
		if _, err := h.escrow.Collect(ctx, tx, escrow.Collected{Order: order, Carrier: "k", Cash: 7500, Fee: 1500}); err != nil {
			return err
		}
		return h.escrow.Delivered(ctx, tx, order, tx.Now())
	})
	for account, want := range map[string]int64{"carrier:k:cod": 7500, "escrow:" + order: 6000, "payable:carrier:k": 1500} {
		h.has(account, want)
	}
	err := h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
	if !errors.Is(err, escrow.ErrCash) {
		t.Errorf("released before it was remitted: %v, want ErrCash", err)
	}
	h.advance(10 * 24 * time.Hour)
	h.has("escrow:"+order, 6000)
	for range 2 {
		h.must(func(ctx context.Context, tx *pg.Tx) error {
			return pgtest.Through(ctx, h.t, tx, func() error { _, err := h.escrow.Remitted(ctx, tx, order); return err }, grows...)
		})
	}
	h.advance(time.Second)
	h.is(order, escrow.Released)
	h.has("seller:org_s:available", 4860)
	h.sound()
}

func TestARefusedParcelIsTheSellersFee(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "", "k")
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Refuse(ctx, tx, order, 1500)
		return err
	})
	h.is(order, escrow.Voided)
	for account, want := range map[string]int64{"seller:org_s:receivable": 1500, "payable:carrier:k": 1500, "bank:b:transit": 1500, "bank:b:operating": -1500} {
		h.has(account, want)
	}
	h.sound()
}

func TestACardThatIsOnlyReserved(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	kept, let := h.sale("org_s", "chg_1", "k"), h.sale("org_s", "chg_2", "k")
	h.must(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.Authorize(ctx, tx, "chg_1"); return err })
	h.must(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.Authorize(ctx, tx, "chg_2"); return err })
	if err := h.do(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.Expire(ctx, tx, "chg_1"); return err }); !errors.Is(err, escrow.ErrState) {
		t.Errorf("a reserved escrow expires: %v, want ErrState", err)
	}
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.Void(ctx, tx, "chg_2"); return err })
	h.is(kept, escrow.Funded)
	h.is(let, escrow.Voided)
}

// A seller's money is taken back by many at once: nothing is taken twice.
func TestManyRefundsOfOneSellerAtOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var orders []string
	for i := range 12 {
		charge := fmt.Sprint("chg_", i)
		order := h.sale("org_s", charge, "k")
		h.fund(charge)
		h.release(order)
		orders = append(orders, order)
	}
	var all sync.WaitGroup
	var done atomic.Int32
	for i, o := range orders {
		all.Go(func() {
			if _, err := h.back(escrow.Back{Refund: fmt.Sprint("rfd_", i), Order: o, Amount: 6000}); err != nil {
				t.Error(err)
				return
			}
			done.Add(1)
		})
		all.Go(func() {
			err := h.do(func(ctx context.Context, tx *pg.Tx) error {
				covers, err := h.escrow.Cover(ctx, tx, "org_s", money.MAD, 3000)
				var sum int64
				for _, c := range covers {
					sum += c.Amount
				}
				if err != nil || sum == 0 {
					return err
				}
				return h.books.Post(ctx, tx, ledger.Transfer{Key: fmt.Sprint("pay_", i), Kind: "payout.intent", Currency: money.MAD, Legs: []ledger.Leg{
					ledger.Debit("seller:org_s:available", sum), ledger.Credit(ledger.Payout(fmt.Sprint("pay_", i)), sum),
				}})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done.Load() != 12 {
		t.Errorf("%d refunds went, want 12", done.Load())
	}
	h.sound()
}
