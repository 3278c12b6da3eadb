package payouts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// rule puts one rule of risk in force.
func (h *hub) rule(what string, most any, count any, action limits.Action) {
	h.t.Helper()
	if _, err := h.db.Exec(h.t.Context(), `insert into limits.rule (id, what, per, method, window_s, max_amount, max_count, action, about)
		values ('test', $1, 'seller', '', 86400, $2, $3, $4, 'A test.')`, what, most, count, action); err != nil {
		h.t.Fatal(err)
	}
}

// clear is a person's word on what the rules stopped.
func (h *hub) clear(ref string) {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), second)
	p, err := h.risk.Decisions(ctx, limits.DecisionsInput{Ref: ref, Open: true, Paging: rest.Paging{Limit: 10}})
	if err != nil || len(p.Data) != 1 {
		h.t.Fatalf("open decisions on %s: %+v, %v", ref, p.Data, err)
	}
	if _, err := h.risk.Clear(ctx, limits.ClearInput{Decision: p.Data[0].ID, Note: "looked at"}); err != nil {
		h.t.Fatal(err)
	}
}

func TestAHeldSaleHoldsItsPayoutUntilAPersonHasLooked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	charge := h.earn(5000, true)
	order, err := pg.Value[string](t.Context(), h.db, nil, `select order_id from escrow.release where charge = $1`, charge)
	if err != nil {
		t.Fatal(err)
	}
	h.rule(limits.OfSales, 1, nil, limits.Hold)
	h.do(t.Context(), func(tx *pg.Tx) error {
		return h.risk.Check(t.Context(), tx, limits.Sale{
			Group: "grp_1", Buyer: "per_b", Method: "card", Amount: money.Dirhams(5000),
			Parts: []limits.Part{{Order: order, Seller: "org_s", Amount: money.Dirhams(5000)}},
		})
	})
	v := h.mustAsk(0)
	if v.State != payouts.Draft || !waitsFor(v, "limits") || !strings.Contains(v.Waits[0].Text, order) {
		t.Fatalf("payout = %+v, want a draft that waits for %s", v, order)
	}
	h.clear("grp_1")
	h.becomes(v.ID, payouts.Approved)
	h.has("seller:org_s:available", 0)
}

func TestAPayoutOverARuleWaitsAndARejectedOneMakesRoom(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.rule(limits.OfPayouts, nil, 1, limits.Hold)
	h.earn(5000, true)
	out := h.mustAsk(1000)
	h.becomes(out.ID, payouts.Approved)
	v := h.mustAsk(2000)
	if v.State != payouts.Draft || !waitsFor(v, "limits") {
		t.Fatalf("second payout = %+v, want a draft that waits for the rule", v)
	}
	h.hear(out.Ref, operations.Callback, outbound.Declined)
	h.becomes(out.ID, payouts.Rejected)
	h.advance(time.Hour)
	h.becomes(v.ID, payouts.Approved)
}

func TestAPayoutThatARuleRefuses(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.rule(limits.OfPayouts, 1999, nil, limits.Refuse)
	h.earn(5000, true)
	if _, err := h.ask(2000); !errors.Is(err, limits.ErrRefused) {
		t.Errorf("asked for by hand: %v, want limits.refused", err)
	}
	h.has("seller:org_s:available", 5000)
	h.set(seller, payouts.SetSettingInput{Schedule: payouts.Daily})
	h.advance(25 * time.Hour)
	all := h.all()
	if len(all) != 1 || all[0].State != payouts.Rejected || all[0].Why == "" {
		t.Errorf("by schedule: %+v, want one that says why it was refused", all)
	}
	h.has("seller:org_s:available", 5000)
	p, err := h.risk.Decisions(auth.With(t.Context(), second), limits.DecisionsInput{Outcome: limits.Refuse, Paging: rest.Paging{Limit: 10}})
	if err != nil || len(p.Data) != 2 {
		t.Errorf("refusals written down: %+v, %v, want both", p.Data, err)
	}
}
