package charges

import (
	"context"
	"time"

	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// RefundView is a refund as the API shows it.
type RefundView struct {
	ID       string      `json:"id" required:"true"`
	Order    string      `json:"order,omitempty" description:"None when the money came too late for its order, or was too much."`
	Charge   string      `json:"charge" required:"true"`
	State    RefundState `json:"state" required:"true" enum:"created,sent,unknown,awaiting_rib,confirmed,returned,rejected"`
	Amount   money.Money `json:"amount" required:"true"`
	Rail     string      `json:"rail" required:"true" enum:"card,wallet,transfer"`
	RIB      string      `json:"rib,omitempty" description:"Its last four digits."`
	Reason   string      `json:"reason" required:"true"`
	Why      string      `json:"why,omitempty" description:"The partner's last word."`
	Approval string      `json:"approval,omitempty" description:"What a second person must approve: POST /v1/approvals/{id}."`

	CreatedAt time.Time `json:"created_at" required:"true"`
	ChangedAt time.Time `json:"changed_at" required:"true"`
}

func (r Refund) view(approval string) RefundView {
	v := RefundView{
		ID: r.ID, Order: r.Order, Charge: r.Charge, State: r.State, Amount: r.Money(), Rail: r.Rail, Reason: r.Reason, Why: r.Why,
		Approval: approval, CreatedAt: r.CreatedAt.UTC(), ChangedAt: r.ChangedAt.UTC(),
	}
	if r.RIB != "" {
		v.RIB = "•••• " + r.RIB[20:]
	}
	return v
}

// RefundBrief is a refund as it stands with its order or charge.
type RefundBrief struct {
	ID     string      `json:"id" required:"true"`
	State  RefundState `json:"state" required:"true" enum:"created,sent,unknown,awaiting_rib,confirmed,returned,rejected"`
	Amount money.Money `json:"amount" required:"true"`
}

// Briefs are refunds as they stand with their order or charge.
func Briefs(all []Refund) []RefundBrief {
	out := make([]RefundBrief, len(all))
	for i, r := range all {
		out[i] = RefundBrief{r.ID, r.State, r.Money()}
	}
	return out
}

// View is a refund as the API shows it.
func (r Refund) View() RefundView { return r.view("") }

// RefundInput names a refund.
type RefundInput struct {
	Refund string `path:"refund"`
}

// ShowRefund returns a refund to its buyer, its seller or the operator.
func (s *Service) ShowRefund(ctx context.Context, in RefundInput) (RefundView, error) {
	r, err := loadRefund(ctx, s.db, in.Refund)
	if err != nil {
		return RefundView{}, err
	}
	if !authz.Allows(ctx, s.judge, "refunds.show", authz.Resource{Buyer: r.Buyer, Seller: r.Seller}) {
		return RefundView{}, ErrNoRefund
	}
	return r.View(), nil
}

// ChargebackView is a chargeback as the API shows it.
type ChargebackView struct {
	ID       string          `json:"id" required:"true"`
	Partner  string          `json:"partner" required:"true"`
	Case     string          `json:"case" required:"true" description:"The partner's own name of it."`
	Charge   string          `json:"charge" required:"true"`
	State    ChargebackState `json:"state" required:"true" enum:"open,won,lost"`
	Verdict  ChargebackState `json:"verdict,omitempty" enum:"won,lost" description:"Told by the partner; an open one waits for a refund whose outcome is not known."`
	Amount   money.Money     `json:"amount" required:"true"`
	Fee      money.Money     `json:"fee" required:"true"`
	Reason   string          `json:"reason,omitempty"`
	OpenedAt time.Time       `json:"opened_at" required:"true"`
	EndedAt  *time.Time      `json:"ended_at,omitempty"`
}

// ChargebacksInput pages through chargebacks.
type ChargebacksInput struct {
	State string `query:"state" enum:"open,won,lost" description:"Only those in this state."`
	rest.Paging
}

// Chargebacks lists chargebacks, newest first; the operator reads it.
func (s *Service) Chargebacks(ctx context.Context, in ChargebacksInput) (p rest.Page[ChargebackView], err error) {
	before, err := in.After(id.Chargeback)
	if err != nil {
		return p, err
	}
	rows, err := listChargebacks(ctx, s.db, in.State, before, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Chargeback.view, func(v ChargebackView) any { return v.ID }), nil
}
