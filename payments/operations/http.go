package operations

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the engine.
func Routes(e *Engine) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/operations", "operations.list", "List what was asked of partners, newest first", http.StatusOK, e.List),
	}
}

// ListInput pages through operations.
type ListInput struct {
	State string `query:"state" enum:",intent,sending,accepted,unknown,confirmed,rejected,returned,review" description:"Only those in this state."`
	rest.Paging
}

// View is an operation as the API shows it.
type View struct {
	ID        string      `json:"id" required:"true"`
	Subject   string      `json:"subject" required:"true" description:"The charge, payout … it is about."`
	Kind      string      `json:"kind" required:"true"`
	Partner   string      `json:"partner" required:"true"`
	Ref       string      `json:"ref" required:"true" description:"What the partner knows it by."`
	State     State       `json:"state" required:"true"`
	Amount    money.Money `json:"amount" required:"true"`
	Why       string      `json:"why,omitempty" description:"The partner's last word."`
	Inquiries int         `json:"inquiries" required:"true"`
	SentAt    *time.Time  `json:"sent_at,omitempty"`
	CreatedAt time.Time   `json:"created_at" required:"true"`
	ChangedAt time.Time   `json:"changed_at" required:"true"`
}

// List lists operations, newest first; the operator reads it.
func (e *Engine) List(ctx context.Context, in ListInput) (rest.Page[View], error) {
	var before string
	if err := rest.DecodeCursor(in.Cursor, &before); err != nil {
		return rest.Page[View]{}, err
	}
	if before != "" && !id.Is(id.Operation, before) {
		return rest.Page[View]{}, rest.ErrCursor
	}
	rows, err := list(ctx, e.db, in.State, before, in.Limit+1)
	if err != nil {
		return rest.Page[View]{}, err
	}
	views := make([]View, len(rows))
	for i, o := range rows {
		views[i] = View{o.ID, o.Subject, o.Kind, o.Connector, o.Ref, o.State, money.FromCentimes(o.Amount, o.Currency), o.Why, o.Inquiries, o.SentAt, o.CreatedAt.UTC(), o.ChangedAt.UTC()}
	}
	return rest.Cut(views, in.Limit, func(v View) any { return v.ID }), nil
}
