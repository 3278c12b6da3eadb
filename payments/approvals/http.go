package approvals

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of approvals; the operator's people use it.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/approvals", "approvals.list", "List what waits for a second person, newest first", http.StatusOK, s.List),
		rest.Handle("GET", "/v1/approvals/{approval}", "approvals.show", "Show what waits for a second person", http.StatusOK, s.Show),
		rest.Commit("POST", "/v1/approvals/{approval}", "approvals.decide", "Approve or refuse as the second person", http.StatusOK, s.Decide),
	}
}

// View is a request as the API shows it.
type View struct {
	ID       string       `json:"id" required:"true"`
	Kind     string       `json:"kind" required:"true"`
	Subject  string       `json:"subject" required:"true"`
	State    State        `json:"state" required:"true" enum:"open,approved,refused,void"`
	Amount   *money.Money `json:"amount,omitempty"`
	Why      string       `json:"why" required:"true"`
	Evidence string       `json:"evidence,omitempty"`
	Hash     string       `json:"hash" required:"true" description:"Stands for exactly what is to be approved, in hexadecimal."`
	AskedBy  string       `json:"asked_by" required:"true"`
	Behind   string       `json:"behind,omitempty" description:"Who made the key that asked; it may not approve either."`
	AskedAt  time.Time    `json:"asked_at" required:"true"`
	Needs    int          `json:"needs" required:"true" description:"How many people must approve, besides the one who asked."`
	By       []string     `json:"approved_by" required:"true"`
	EndedAt  *time.Time   `json:"ended_at,omitempty"`
}

func (r Request) view() View {
	v := View{r.ID, r.Kind, r.Subject, r.State, r.Money(), r.Why, r.Evidence, hex.EncodeToString(r.Hash), r.AskedBy, r.Behind, r.AskedAt.UTC(), r.Needs, r.By, rest.UTC(r.EndedAt)}
	if v.By == nil {
		v.By = []string{}
	}
	return v
}

// ListInput pages through requests.
type ListInput struct {
	State string `query:"state" enum:"open,approved,refused,void" description:"Only those in this state."`
	rest.Paging
}

// List lists requests, newest first.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[View], err error) {
	before, err := in.After(id.Approval)
	if err != nil {
		return p, err
	}
	rows, err := list(ctx, s.db, in.State, before, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Request.view, func(v View) any { return v.ID }), nil
}

// ShowInput names a request.
type ShowInput struct {
	Approval string `path:"approval"`
}

// Show shows one request.
func (s *Service) Show(ctx context.Context, in ShowInput) (View, error) {
	r, err := load(ctx, s.db, in.Approval)
	return r.view(), err
}
