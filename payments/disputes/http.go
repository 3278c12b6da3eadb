package disputes

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of disputes. They are opened at the order.
func Routes(s *Service) []rest.Route {
	const dispute = "/v1/disputes/{dispute}"
	return []rest.Route{
		rest.Handle("GET", "/v1/disputes", "disputes.list", "List one's disputes, the newest first", http.StatusOK, s.List),
		rest.Handle("GET", dispute, "disputes.show", "Show a dispute", http.StatusOK, s.Show),
		rest.Commit("POST", dispute+"/reply", "disputes.reply", "Answer a dispute as its seller", http.StatusOK, s.Reply),
		rest.Commit("POST", dispute+"/rule", "disputes.rule", "Share what is held between buyer and seller", http.StatusOK, s.Rule),
	}
}

// View is a dispute as the API shows it.
type View struct {
	ID        string     `json:"id" required:"true"`
	Order     string     `json:"order" required:"true"`
	State     State      `json:"state" required:"true" enum:"open,answered,mediation,resolved"`
	Reason    string     `json:"reason" required:"true"`
	Wish      string     `json:"wish" required:"true"`
	Text      string     `json:"text" required:"true"`
	OpenedBy  string     `json:"opened_by" required:"true" description:"A role: the buyer, or the hub itself."`
	OpenedAt  time.Time  `json:"opened_at" required:"true"`
	Deadline  *time.Time `json:"deadline,omitempty" description:"Of whoever is to speak next."`
	Reply     string     `json:"reply,omitempty"`
	RepliedAt *time.Time `json:"replied_at,omitempty"`
	Approval  string     `json:"approval,omitempty" description:"What a second person must approve before the ruling counts."`
	Ruling    *Ruling    `json:"ruling,omitempty"`
}

// Ruling is how a dispute ended.
type Ruling struct {
	Refund     money.Money `json:"refund" required:"true"`
	Release    money.Money `json:"release" required:"true"`
	Reason     string      `json:"reason" required:"true"`
	RefundID   string      `json:"refund_id,omitempty"`
	ResolvedAt time.Time   `json:"resolved_at" required:"true"`
}

func (d Dispute) view() View {
	v := View{
		ID: d.ID, Order: d.Order, State: d.State, Reason: d.Reason, Wish: d.Wish, Text: d.Text, OpenedBy: d.OpenedBy, OpenedAt: d.OpenedAt.UTC(),
		Deadline: rest.UTC(d.Deadline), Reply: d.Reply, RepliedAt: rest.UTC(d.RepliedAt),
	}
	if d.ResolvedAt != nil {
		v.Ruling = &Ruling{d.money(d.Back), d.money(d.Release), d.Ruling, d.Refund, d.ResolvedAt.UTC()}
	}
	return v
}

// View is the dispute as the API shows it.
func (d Dispute) View() View { return d.view() }

// ShowInput names a dispute.
type ShowInput struct {
	Dispute string `path:"dispute"`
}

// Show shows a dispute to its buyer, its seller and the operator.
func (s *Service) Show(ctx context.Context, in ShowInput) (View, error) {
	d, err := load(ctx, s.db, in.Dispute)
	if err != nil {
		return View{}, err
	}
	if !authz.Allows(ctx, s.judge, "disputes.show", authz.Resource{Seller: d.Seller, Buyer: d.Buyer}) {
		return View{}, ErrNotFound
	}
	return d.view(), nil
}

// ListInput asks for disputes.
type ListInput struct {
	State State `query:"state" enum:"open,answered,mediation,resolved"`
	rest.Paging
}

// List lists the caller's disputes, the newest first: a seller's own, a buyer's
// own, and for the operator all.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[View], err error) {
	below, err := in.After(id.Dispute)
	if err != nil {
		return p, err
	}
	seller, buyers := auth.From(ctx).Sides()
	all, err := list(ctx, s.db, seller, buyers, string(in.State), below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, Dispute.view, func(v View) any { return v.ID }), nil
}
