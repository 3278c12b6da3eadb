package sim_test

import (
	"context"

	"tiwiza/payments/approvals"
	"tiwiza/payments/disputes"
	"tiwiza/payments/payouts"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

func newRefund() string { return id.New(id.Refund) }

func (h *hub) opens(ctx context.Context, tx *pg.Tx, order string) (said, error) {
	d, err := h.disputes.Open(ctx, tx, disputes.Opening{Order: order, Reason: "damaged", Wish: "refund", Text: "Un pot est cassé."})
	return said{ID: d.ID, State: string(d.State)}, err
}

func (h *hub) replies(ctx context.Context, tx *pg.Tx, dispute string, accept bool) (said, error) {
	v, err := h.disputes.Reply(ctx, tx, disputes.ReplyInput{Dispute: dispute, Text: "Non.", Accept: accept})
	return said{State: string(v.State)}, err
}

func (h *hub) rules(ctx context.Context, tx *pg.Tx, dispute string, back, rest int64) (said, error) {
	v, err := h.disputes.Rule(ctx, tx, disputes.RuleInput{Dispute: dispute, Refund: money.Dirhams(back), Release: money.Dirhams(rest), Reason: "Un sur deux."})
	return said{State: string(v.State), Then: v.Approval}, err
}

func (h *hub) decides(ctx context.Context, tx *pg.Tx, approval string, agree bool) (said, error) {
	word := map[bool]string{true: "approve", false: "refuse"}[agree]
	v, err := h.people.Decide(ctx, tx, approvals.DecideInput{Approval: approval, Decision: word})
	return said{State: string(v.State)}, err
}

func (h *hub) pays(ctx context.Context, tx *pg.Tx, amount int64, all bool) (said, error) {
	var in payouts.CreateInput
	if m := money.Dirhams(amount); !all {
		in.Amount = &m
	}
	v, err := h.payouts.Create(ctx, tx, in)
	return said{ID: v.ID, State: string(v.State), Sum: v.Amount.Centimes()}, err
}

func (h *hub) tops(ctx context.Context, tx *pg.Tx) (said, error) {
	v, err := h.treasury.TopUp(ctx, tx, house)
	return said{ID: v.ID, Sum: v.Amount}, err
}

func (h *hub) sweeps(ctx context.Context, tx *pg.Tx) (said, error) {
	v, err := h.treasury.Sweep(ctx, tx, house)
	return said{ID: v.ID, Sum: v.Amount}, err
}

// switches turns the halt as the first of the operator's people.
func (h *hub) switches(ctx context.Context, on bool) (approval string, err error) {
	ctx = auth.With(ctx, auth.Principal{Key: agent.key.ID, Subject: agent.subject, Role: agent.role})
	v, err := h.treasury.SetHalt(ctx, treasury.SetHaltInput{On: on, Reason: "Exercice (exemple)"})
	return v.Approval, err
}
