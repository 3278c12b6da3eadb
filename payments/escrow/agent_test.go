package escrow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Much of an escrow is let go without its buyer's word by two people only, however
// it is parted, and only as it was when it was asked for.
func TestTwoPeopleLetMuchGoWithoutTheBuyersWord(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	desk := approvals.New(h.db)
	h.escrow.Approve(desk)
	var esc string
	h.must(func(ctx context.Context, tx *pg.Tx) (err error) {
		esc, err = h.escrow.Open(ctx, tx, escrow.Terms{
			Order: id.New(id.Order), Seller: "org_s", Buyer: "per_b", Charge: "chg_1", Amount: money.Dirhams(8_000_00),
			Legs: escrow.Legs{Seller: 8_000_00}, Release: escrow.Windows{Inspection: time.Hour},
		})
		return err
	})
	h.fund("chg_1")
	as := func(p auth.Principal, f func(context.Context, *pg.Tx) error) error {
		ctx := auth.With(t.Context(), p)
		return h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
	}
	agent := func(who string) auth.Principal { return auth.Principal{Subject: who, Role: auth.Operator} }
	let := func(p auth.Principal, amount int64) (v escrow.View) {
		t.Helper()
		if err := as(p, func(ctx context.Context, tx *pg.Tx) (err error) {
			v, err = h.escrow.Release(ctx, tx, escrow.ReleaseInput{Escrow: esc, Amount: money.Dirhams(amount), Reason: "the buyer's letter"})
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return v
	}
	decide := func(who, approval string) error {
		return as(agent(who), func(ctx context.Context, tx *pg.Tx) error {
			_, err := desk.Decide(ctx, tx, approvals.DecideInput{Approval: approval, Decision: "approve"})
			return err
		})
	}
	if v := let(agent("per_1"), 4_000_00); v.Approval != "" || v.Released.Centimes() != 4_000_00 {
		t.Fatalf("half of it alone: %+v", v)
	}
	v := let(agent("per_1"), 1_000_01)
	if v.Approval == "" || v.Released.Centimes() != 4_000_00 {
		t.Fatalf("a centime too much alone: %+v", v)
	}
	if err := decide("per_1", v.Approval); err == nil {
		t.Error("whoever asked approved it")
	}
	let(auth.Principal{Subject: "per_b", Role: auth.Buyer}, 100) // the buyer's own word needs nobody's
	if err := decide("per_2", v.Approval); !errors.Is(err, approvals.ErrChanged) {
		t.Errorf("approved after some was released: %v, want %v", err, approvals.ErrChanged)
	}
	v = let(agent("per_1"), 3_999_00)
	if err := decide("per_2", v.Approval); err != nil {
		t.Fatal(err)
	}
	h.has("seller:org_s:available", 8_000_00)
	said, err := pg.Column[string](t.Context(), h.db, `select detail->>'reason' from platform.audit where action = 'escrows.release' order by seq`)
	if err != nil || len(said) != 2 || said[0] != "the buyer's letter" {
		t.Errorf("written down: %q (%v), want two releases with their reason", said, err)
	}
}
