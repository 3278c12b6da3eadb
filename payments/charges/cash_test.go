package charges_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

var (
	alice = auth.Principal{Subject: "per_alice", Role: auth.Operator}
	bob   = auth.Principal{Subject: "per_bob", Role: auth.Operator}
)

// as runs a step as somebody.
func (h *hub) as(p auth.Principal, step func(ctx context.Context, tx *pg.Tx) error) error {
	ctx := auth.With(h.t.Context(), p)
	return h.db.InTx(ctx, func(tx *pg.Tx) error { return step(ctx, tx) })
}

func (h *hub) collect(order string, cash int64) error {
	return h.as(alice, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Collect(ctx, tx, order, cash)
		return err
	})
}

// collected makes cash orders of some amounts, of which all was collected.
func (h *hub) collected(amounts ...int64) (charge string, orders []string) {
	h.t.Helper()
	c, orders := h.order(charges.Cash, amounts...)
	for i, o := range orders {
		h.ok(h.collect(o, amounts[i]))
	}
	return c.ID, orders
}

func (h *hub) remit(in charges.RemitInput) (v charges.RemittanceView, err error) {
	err = h.as(alice, func(ctx context.Context, tx *pg.Tx) (err error) {
		v, err = h.charges.Remit(ctx, tx, in)
		return err
	})
	return v, err
}

func (h *hub) parcel(order string) charges.Parcel {
	h.t.Helper()
	by, err := h.charges.Parcels(h.t.Context(), h.db, []string{order})
	h.ok(err)
	return by[order]
}

func (h *hub) hold(order string) escrow.Hold {
	h.t.Helper()
	by, err := h.escrows.OfOrders(h.t.Context(), h.db, []string{order})
	h.ok(err)
	return by[order]
}

func (h *hub) release(order string) error {
	return h.as(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrows.ReleaseOrder(ctx, tx, order)
		return err
	})
}

func TestCashIsTheCarriersDebtUntilItsListArrives(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	charge, orders := h.collected(7500, 4000)
	h.has("carrier:demo:cod", 11500)
	h.has("payable:carrier:demo", 3000)
	h.has("escrow:"+orders[0], 6000)
	if h.state(charge) != charges.Confirmed || h.settled(charge) {
		t.Error("collected cash is settled before it is remitted")
	}
	if err := h.release(orders[0]); !errors.Is(err, escrow.ErrCash) {
		t.Errorf("released before it was remitted: %v", err)
	}
	fee := money.Dirhams(200)
	list, err := h.remit(charges.RemitInput{Carrier: "demo", Orders: orders, Handling: &fee})
	if err != nil || list.Net.Amount() != "83.00" { // 115.00 less 2 × 15.00 and 2.00
		t.Fatalf("list %+v, %v", list, err)
	}
	if _, err := h.remit(charges.RemitInput{Carrier: "demo", Orders: orders}); !errors.Is(err, charges.ErrList) {
		t.Errorf("orders were listed twice: %v", err)
	}
	if got := h.arrives("REMISE "+list.Reference, 8300); got.Subject != list.ID || got.Loose != 0 || got.Why != "" {
		t.Fatalf("taken %+v", got)
	}
	for account, want := range map[string]int64{
		"carrier:demo:cod": 0, "payable:carrier:demo": 0, "bank:bank:safeguard": 8300, "psp_cost": 200, "bank:bank:transit": 200, "bank:bank:operating": -200,
	} {
		h.has(account, want)
	}
	if !h.settled(charge) {
		t.Error("the charge is not settled")
	}
	for _, o := range orders {
		if p := h.parcel(o); p.State != charges.Remitted || p.Owed() != 0 || p.Kept != 1500 || p.Listed != "" {
			t.Errorf("parcel %+v", p)
		}
		h.ok(h.release(o))
	}
}

func TestWhatIsMissingStaysTheCarriersDebt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	charge, orders := h.collected(7500, 4000, 3000)
	list, err := h.remit(charges.RemitInput{Carrier: "demo", Orders: orders})
	h.ok(err)
	if got := h.arrives(list.Reference, 7000); got.Subject != list.ID || got.Why == "" { // 60.00 of the first, 10.00 of the second
		t.Fatalf("taken %+v", got)
	}
	h.has("carrier:demo:cod", 14500-7500-1000)
	h.has("payable:carrier:demo", 3000) // the first's fee was kept; the others are still owed both ways
	for i, want := range []struct {
		state charges.ParcelState
		owed  int64
	}{{charges.Remitted, 0}, {charges.Collected, 3000}, {charges.Collected, 3000}} {
		if p := h.parcel(orders[i]); p.State != want.state || p.Owed() != want.owed || p.Listed != "" {
			t.Errorf("order %d: %+v, want %+v", i, p, want)
		}
	}
	h.ok(h.release(orders[0]))
	if err := h.release(orders[1]); !errors.Is(err, escrow.ErrCash) {
		t.Errorf("released before all of it was remitted: %v", err)
	}
	again, err := h.remit(charges.RemitInput{Carrier: "demo", Orders: orders[1:]})
	if err != nil || again.Net.Amount() != "30.00" {
		t.Fatalf("the rest is %+v, %v", again, err)
	}
	if got := h.arrives(again.Reference, 3100); got.Subject != again.ID || got.Loose != 100 {
		t.Errorf("taken %+v, want 1.00 that is nobody's", got)
	}
	h.has("carrier:demo:cod", 0)
	h.has("payable:carrier:demo", 0)
	if !h.settled(charge) {
		t.Error("the charge is not settled")
	}
}

func TestTheCashOfOneOrderIsRemittedByItsOwnReference(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		comes, owed, kept, loose int64
	}{
		"the whole":         {7500, 0, 0, 0},
		"less the fee":      {6000, 0, 1500, 0},
		"a part":            {1000, 6500, 0, 0},
		"more than is owed": {8000, 0, 0, 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			_, orders := h.collected(7500)
			got := h.arrives(h.parcel(orders[0]).Reference, tc.comes)
			p := h.parcel(orders[0])
			if got.Subject != orders[0] || got.Loose != tc.loose || p.Owed() != tc.owed || p.Kept != tc.kept {
				t.Errorf("taken %+v, parcel %+v", got, p)
			}
			h.has("carrier:demo:cod", tc.owed)
			h.has("payable:carrier:demo", 1500-tc.kept)
			if h.hold(orders[0]).Settled != (tc.owed == 0) {
				t.Errorf("settled is %t", h.hold(orders[0]).Settled)
			}
		})
	}
}

func TestMoneyThatCameBeforeItsListIsTakenWithIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, orders := h.collected(7500)
	if got := h.arrives("BORDEREAU AB-2231 EXEMPLE", 6000); got.Subject != "" {
		t.Fatalf("taken %+v", got)
	}
	list, err := h.remit(charges.RemitInput{Carrier: "demo", Orders: orders, Reference: "AB 2231"})
	if err != nil || list.State != charges.Arrived {
		t.Fatalf("list %+v, %v", list, err)
	}
	h.has("carrier:demo:cod", 0)
	h.has("bank:bank:safeguard", 6000)
	if p := h.parcel(orders[0]); p.State != charges.Remitted {
		t.Errorf("parcel %+v", p)
	}
}

func TestPartOfTheCashAndGoodsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.order(charges.Cash, 7500, 4000, 3000)
	refuse := func(order string, brought bool) error {
		return h.as(alice, func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.charges.Refuse(ctx, tx, order, "absent", brought)
			return err
		})
	}
	h.ok(refuse(orders[2], false))
	h.has("seller:org_s:receivable", 0)
	h.ok(refuse(orders[1], true))
	h.has("seller:org_s:receivable", 1500)
	h.has("payable:carrier:demo", 1500)
	h.has("bank:bank:transit", 1500)
	if err := h.collect(orders[1], 4000); !errors.Is(err, charges.ErrParcel) {
		t.Errorf("collected what was refused: %v", err)
	}
	if err := h.collect(orders[0], 7501); !errors.Is(err, charges.ErrCash) {
		t.Errorf("collected more than is due: %v", err)
	}
	h.ok(h.collect(orders[0], 5000))
	h.ok(h.collect(orders[0], 5000)) // the same again
	if err := h.collect(orders[0], 7500); !errors.Is(err, charges.ErrParcel) {
		t.Errorf("collected another amount: %v", err)
	}
	h.has("escrow:"+orders[0], 3500)
	h.has("carrier:demo:cod", 5000)
	if err := refuse(orders[0], true); !errors.Is(err, charges.ErrParcel) {
		t.Errorf("refused what was collected: %v", err)
	}
	h.arrives(h.parcel(orders[0]).Reference, 3500)
	if h.state(c.ID) != charges.Confirmed || !h.settled(c.ID) {
		t.Errorf("the charge is %s, settled %t", h.state(c.ID), h.settled(c.ID))
	}
	none, all := h.order(charges.Cash, 3000)
	h.ok(refuse(all[0], false))
	if h.state(none.ID) != charges.Expired {
		t.Errorf("a charge of which nothing was taken is %s", h.state(none.ID))
	}
}

func TestCashIsGivenUpByTwo(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	charge, orders := h.collected(7500)
	h.arrives(h.parcel(orders[0]).Reference, 1000)
	var ask charges.CashView
	h.ok(h.as(alice, func(ctx context.Context, tx *pg.Tx) (err error) {
		ask, err = h.charges.WriteOff(ctx, tx, charges.WriteOffInput{Order: orders[0], Reason: "the carrier has closed"})
		return err
	}))
	decide := func(p auth.Principal) error {
		return h.as(p, func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.people.Decide(ctx, tx, approvals.DecideInput{Approval: ask.Approval, Decision: "approve"})
			return err
		})
	}
	if err := decide(alice); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("one person gave it up alone: %v", err)
	}
	h.arrives(h.parcel(orders[0]).Reference, 500)
	if err := decide(bob); !errors.Is(err, approvals.ErrChanged) {
		t.Errorf("more had come, and it was given up as asked: %v", err)
	}
	h.ok(h.as(alice, func(ctx context.Context, tx *pg.Tx) (err error) {
		ask, err = h.charges.WriteOff(ctx, tx, charges.WriteOffInput{Order: orders[0], Reason: "the carrier has closed"})
		return err
	}))
	h.ok(decide(bob))
	for account, want := range map[string]int64{"carrier:demo:cod": 0, "loss": 6000, "bank:bank:transit": 6000, "bank:bank:operating": -6000, "bank:bank:safeguard": 1500} {
		h.has(account, want)
	}
	if p := h.parcel(orders[0]); p.State != charges.Lost || p.Lost != 6000 {
		t.Errorf("parcel %+v", p)
	}
	if !h.settled(charge) {
		t.Error("the charge is not settled")
	}
	h.ok(h.release(orders[0]))
}

func TestCashCollectedAndRefusedAtOnceIsOneOfThem(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, orders := h.order(charges.Cash, 7500)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := h.as(alice, func(ctx context.Context, tx *pg.Tx) (err error) {
				if i%2 == 0 {
					_, err = h.charges.Refuse(ctx, tx, orders[0], "absent", true)
				} else {
					_, err = h.charges.Collect(ctx, tx, orders[0], int64(7000+i))
				}
				return err
			})
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, charges.ErrParcel):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d won, want 1", won.Load())
	}
	p := h.parcel(orders[0])
	h.has("carrier:demo:cod", p.Cash)
	h.has("payable:carrier:demo", 1500)
}

func TestMoneyForAListIsSharedToTheCentime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "orders")
		items := make([]charges.Item, n)
		var net int64
		for i := range items {
			cash := rapid.Int64Range(1, 100000).Draw(t, "cash")
			items[i] = charges.Item{Order: fmt.Sprint(i), Cash: cash, Kept: rapid.Int64Range(0, cash).Draw(t, "kept")}
			net += cash - items[i].Kept
		}
		handling := rapid.Int64Range(0, max(0, net-1)).Draw(t, "handling")
		arrived := rapid.Int64Range(1, net+100).Draw(t, "arrived")
		covers, over := charges.Spread(arrived, handling, items)
		var came, costs int64
		for _, c := range covers {
			it := items[c.Item]
			if c.Amount <= 0 || c.Amount > it.Cash || c.Kept > it.Kept || c.Money() < 0 || c.Handling < 0 {
				t.Fatalf("cover %+v of %+v", c, it)
			}
			came, costs = came+c.Money(), costs+c.Handling
		}
		if came+over != arrived || costs > handling {
			t.Fatalf("%d came and %d is over, of %d; handling %d of %d", came, over, arrived, costs, handling)
		}
		if whole := net - min(handling, net); arrived >= whole && (over != arrived-whole || costs != handling) {
			t.Fatalf("of a list of %d, %d is over of %d, handling %d of %d", whole, over, arrived, costs, handling)
		}
	})
}

// Money of an unknown payer waits in suspense. A seller who brings its goods
// itself cannot choose what a stranger wrote as the name of its list.
func TestAListDoesNotTakeMoneyByAWordItsCarrierChose(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, orders := h.order(charges.Cash, 11500)
	h.must(h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Collect(ctx, tx, orders[0], 11500)
		return err
	}))
	h.arrives("achat en ligne de Mme Exemple", 10000)
	carrier := auth.Principal{Subject: "demo", Role: auth.Seller}
	for _, word := range []string{"achat", "achat en ligne", "Mme Exemple 123"} {
		var v charges.RemittanceView
		h.must(h.tx(carrier, func(ctx context.Context, tx *pg.Tx) (err error) {
			if v, err = h.charges.Remit(ctx, tx, charges.RemitInput{Carrier: "demo", Orders: orders, Reference: word}); err == nil {
				_, err = h.charges.Withdraw(ctx, tx, charges.RemittanceInput{Remittance: v.ID})
			}
			return err
		}))
		if v.State != charges.Announced {
			t.Errorf("the list %q is %s at once, with a stranger's money", word, v.State)
		}
	}
	one := money.Dirhams(1)
	err := h.tx(carrier, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Remit(ctx, tx, charges.RemitInput{Carrier: "demo", Orders: orders, Handling: &one})
		return err
	})
	if !errors.Is(err, charges.ErrList) {
		t.Errorf("a seller sets what handling its own cash costs: %v, want %v", err, charges.ErrList)
	}
}

// What others bring is to a seller as what is not there.
func TestASellerLearnsNothingOfTheCashOfOthers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, waits := h.order(charges.Cash, 11500)
	_, orders := h.collected(11500)
	said := func(order string) (says string) {
		err := h.as(auth.Principal{Subject: "org_s", Role: auth.Seller}, func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.charges.Remit(ctx, tx, charges.RemitInput{Carrier: "org_s", Orders: []string{order}})
			return err
		})
		var f *fault.Error
		if !errors.As(err, &f) || !errors.Is(err, charges.ErrList) {
			t.Fatalf("a list of %s: %v, want %v", order, err, charges.ErrList)
		}
		return f.Details[0].Pointer + " " + f.Details[0].Detail
	}
	for _, o := range []string{waits[0], orders[0]} {
		if got, want := said(o), said("ord_none"); got != want {
			t.Errorf("of another's order it says %q, of none %q", got, want)
		}
	}
}

// A seller who brings its goods itself and keeps the cash owes it: it is not our
// loss, and its other payouts stop after a week.
func TestASellerThatKeepsItsCashOwesIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, orders := h.broughtBy("org_s", charges.Cash, 7500)
	h.ok(h.as(alice, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Collect(ctx, tx, orders[0], 7500)
		return err
	}))
	kept := func() (n int64) {
		h.ok(h.as(alice, func(ctx context.Context, tx *pg.Tx) error {
			all, err := h.charges.Withheld(ctx, tx, money.MAD, "org_s")
			n = all["org_s"]
			return err
		}))
		return n
	}
	if n := kept(); n != 0 {
		t.Errorf("%d are kept too long on the first day", n)
	}
	h.advance(8 * 24 * time.Hour)
	if n := kept(); n != 7500 {
		t.Errorf("after eight days %d are kept too long, want 75.00", n)
	}
	var ask charges.CashView
	h.ok(h.as(alice, func(ctx context.Context, tx *pg.Tx) (err error) {
		ask, err = h.charges.WriteOff(ctx, tx, charges.WriteOffInput{Order: orders[0], Reason: "it says nothing"})
		return err
	}))
	h.ok(h.as(bob, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.people.Decide(ctx, tx, approvals.DecideInput{Approval: ask.Approval, Decision: "approve"})
		return err
	}))
	h.has("loss", 0)
	h.has("seller:org_s:receivable", 7500)
	h.has("carrier:org_s:cod", 0)
	if n := kept(); n != 0 {
		t.Errorf("%d are kept too long though they are a debt now", n)
	}
}
