package payouts_test

import (
	"errors"
	"testing"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

func (h *hub) set(who auth.Principal, in payouts.SetSettingInput) {
	h.t.Helper()
	if _, err := h.payouts.SetSetting(auth.With(h.t.Context(), who), in); err != nil {
		h.t.Fatal(err)
	}
}

// all are the payouts there are, oldest first.
func (h *hub) all() (out []payouts.View) {
	h.t.Helper()
	page, err := h.payouts.List(auth.With(h.t.Context(), first), payouts.ListInput{Paging: rest.Paging{Limit: 100}})
	if err != nil {
		h.t.Fatal(err)
	}
	for i := len(page.Data) - 1; i >= 0; i-- {
		out = append(out, page.Data[i])
	}
	return out
}

func TestAScheduleMakesPayoutsOfSettledMoneyAboveTheMinimum(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	minimum := money.Dirhams(2000)
	h.set(seller, payouts.SetSettingInput{Schedule: payouts.Daily, Minimum: &minimum})
	h.earn(1500, true)
	h.advance(24 * time.Hour)
	if got := h.all(); len(got) != 0 {
		t.Fatalf("below the minimum there are payouts: %+v", got)
	}
	h.earn(1000, true)
	h.earn(700, false) // not settled: left for later
	h.advance(24 * time.Hour)
	got := h.all()
	if len(got) != 1 || got[0].Amount.Centimes() != 2500 || got[0].State == payouts.Draft {
		t.Fatalf("payouts = %+v, want one of 25.00", got)
	}
	h.advance(24 * time.Hour)
	if n := len(h.all()); n != 1 {
		t.Fatalf("%d payouts, and there was nothing new", n)
	}
	h.earn(5000, true)
	h.set(seller, payouts.SetSettingInput{Schedule: payouts.Weekly})
	h.advance(8 * 24 * time.Hour)
	if got = h.all(); len(got) != 2 || got[1].Amount.Centimes() != 5000 {
		t.Fatalf("payouts = %+v, want a second of 50.00", got)
	}
	h.earn(100, true)
	h.set(seller, payouts.SetSettingInput{Schedule: payouts.Manual})
	h.advance(40 * 24 * time.Hour)
	if n := len(h.all()); n != 2 {
		t.Errorf("by hand there are %d payouts, want 2", n)
	}
}

func TestAScheduledPayoutAboveTheLimitNeedsTwoPeople(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.set(seller, payouts.SetSettingInput{Schedule: payouts.Monthly})
	h.earn(60_000_00, true)
	h.advance(32 * 24 * time.Hour)
	got := h.all()
	if len(got) != 1 || got[0].State != payouts.Draft {
		t.Fatalf("payouts = %+v", got)
	}
	for i, who := range []auth.Principal{first, second} {
		if h.show(got[0].ID).State != payouts.Draft {
			t.Fatalf("approved after %d words", i)
		}
		if err := h.approve(who, got[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	h.becomes(got[0].ID, payouts.Approved)
}

// carry has a carrier earn something for an order.
func (h *hub) carry(amount int64, settled bool) {
	h.t.Helper()
	ctx := h.t.Context()
	order, charge := id.New(id.Order), id.New(id.Charge)
	h.do(ctx, func(tx *pg.Tx) error {
		_, err := h.escrow.Open(ctx, tx, escrow.Terms{
			Order: order, Seller: "org_x", Buyer: "per_b", Charge: charge, Carrier: "demo", Amount: money.Dirhams(amount), Legs: escrow.Legs{Carrier: amount},
		})
		return err
	})
	h.do(ctx, func(tx *pg.Tx) error {
		if _, err := h.escrow.Fund(ctx, tx, charge, "psp:acq:clearing"); err != nil {
			return err
		}
		if err := h.escrow.Shipped(ctx, tx, order, tx.Now()); err != nil { // before, nothing of it is the carrier's to be paid
			return err
		}
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
	if settled {
		h.settle(charge)
	}
}

func (h *hub) payCarrier(in payouts.CreateInput) (v payouts.View, err error) {
	in.Beneficiary = "carrier:demo"
	err = h.as(first, func(tx *pg.Tx) (err error) {
		v, err = h.payouts.Create(auth.With(h.t.Context(), first), tx, in)
		return err
	})
	return v, err
}

func TestACarrierIsPaidLikeAnybody(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.carry(3000, true)
	h.carry(500, false)
	if _, err := h.payCarrier(payouts.CreateInput{}); !errors.Is(err, payouts.ErrNoAccount) {
		t.Fatalf("without an account: %v, want ErrNoAccount", err)
	}
	account := &payouts.AccountInput{RIB: "230 780 2103456789012345 17", Holder: "Transport exemple"}
	all := money.Dirhams(3500)
	if _, err := h.payCarrier(payouts.CreateInput{Account: account, Amount: &all}); !errors.Is(err, payouts.ErrTooMuch) {
		t.Errorf("of money that is not settled: %v, want ErrTooMuch", err)
	}
	v, err := h.payCarrier(payouts.CreateInput{Account: account})
	if err != nil || v.Amount.Centimes() != 3000 || v.State != payouts.Draft || !waitsFor(v, "second_person") || v.Seller != "" || v.Beneficiary != "carrier:demo" {
		t.Fatalf("payout = %+v, %v; want a draft of 30.00 whose account a second person checks", v, err)
	}
	if err := h.approve(second, v.ID); err != nil {
		t.Fatal(err)
	}
	h.advance(3 * time.Second)
	h.has("payable:carrier:demo", 500)
	h.hear(v.Ref, operations.Statement, outbound.Succeeded)
	h.has("payout:"+v.ID, 0)
	if _, err := h.payouts.Show(auth.With(t.Context(), seller), payouts.ShowInput{Payout: v.ID}); !errors.Is(err, payouts.ErrNotFound) {
		t.Errorf("a seller sees it: %v", err)
	}
	h.carry(700, true)
	h.set(first, payouts.SetSettingInput{Beneficiary: "carrier:demo", Schedule: payouts.Daily})
	h.advance(24 * time.Hour)
	got := h.all()
	if len(got) != 2 || got[1].Amount.Centimes() != 700 || got[1].State == payouts.Draft || got[1].Account != "4517" {
		t.Fatalf("payouts = %+v, want a second of 7.00 to the account that was paid before", got)
	}
	if _, err := h.ask(0); !errors.Is(err, payouts.ErrNothing) {
		t.Errorf("the seller's own: %v", err)
	}
}
