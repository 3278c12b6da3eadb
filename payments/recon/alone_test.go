package recon_test

import (
	"context"
	"testing"

	"tiwiza/payments/approvals"
	"tiwiza/payments/limits"
	"tiwiza/payments/recon"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Many small write-offs are one large one: each person, and all together, give up
// so much a day alone. Beyond it two people must agree.
func TestWhatOnePersonGivesUpHasASumADay(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	bounds := limits.New(h.db, h.words)
	h.ties.Alone = func(ctx context.Context, tx *pg.Tx, person string, amount money.Money) (bool, error) {
		return bounds.Alone(ctx, tx, limits.OfWriteOffs, person, amount)
	}
	h.open()
	for range 7 {
		h.read(entry(-90_00))
	}
	rows := h.breaks()
	give := func(who auth.Principal, i int, in recon.ResolveInput) (v recon.BreakView) {
		t.Helper()
		in.Break = rows[i].ID
		if err := h.as(who, func(ctx context.Context, tx *pg.Tx) (err error) {
			v, err = h.recon.Resolve(ctx, tx, in)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return v
	}
	off, fee := recon.ResolveInput{By: "write_off", Note: "x"}, recon.ResolveInput{By: "fee"}
	for i := range 5 { // 450.00 of 500.00
		in := off
		if i%2 == 1 {
			in = fee
		}
		if v := give(first, i, in); v.State != recon.Resolved {
			t.Fatalf("the %d. is %s", i+1, v.State)
		}
	}
	v := give(first, 5, off)
	if v.State != recon.Open || v.Proposed == nil || v.Approval == "" {
		t.Fatalf("the 6. is %s; want it to wait for a second person: %+v", v.State, v)
	}
	if v := give(second, 6, off); v.State != recon.Resolved {
		t.Errorf("another person's first is %s", v.State)
	}
	h.has("bank:bank:safeguard", -6*90_00)
	if err := h.as(second, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.words.Decide(ctx, tx, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	h.has("bank:bank:safeguard", -7*90_00)
}
