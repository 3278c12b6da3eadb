package operations

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the engine; the operator's people use it.
func Routes(e *Engine) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/operations", "operations.list", "List what was asked of partners, newest first", http.StatusOK, e.List),
		rest.Handle("GET", "/v1/operations/{op}", "operations.show", "Show an operation with all evidence about it", http.StatusOK, e.Show),
		rest.Commit("POST", "/v1/operations/{op}/review", "operations.review", "Say what came of an operation, for a second person to approve", http.StatusOK, e.Review),
	}
}

// ListInput pages through operations.
type ListInput struct {
	State   string `query:"state" enum:",intent,sending,accepted,unknown,confirmed,rejected,returned,review,contradicted" description:"Only those in this state, or those that did not end as they were booked."`
	Subject string `query:"subject" maxLength:"60" description:"Only those about this charge, payout or refund; in any state."`
	rest.Paging
}

// View is an operation as the API shows it.
type View struct {
	ID             string      `json:"id" required:"true"`
	Subject        string      `json:"subject" required:"true" description:"The charge, payout … it is about."`
	Kind           string      `json:"kind" required:"true"`
	Partner        string      `json:"partner" required:"true"`
	Ref            string      `json:"ref" required:"true" description:"What the partner knows it by."`
	State          State       `json:"state" required:"true"`
	Amount         money.Money `json:"amount" required:"true"`
	Why            string      `json:"why,omitempty" description:"The partner's last word."`
	Tries          int         `json:"tries" required:"true" description:"How often it was sent."`
	Inquiries      int         `json:"inquiries" required:"true"`
	Proof          Source      `json:"proof,omitempty" enum:",answer,callback,inquiry,person,statement" description:"The evidence that ended it."`
	Age            int64       `json:"age_seconds" required:"true" description:"Since it may first have left us, until it ended; before that, since it was written down."`
	ContradictedAt *time.Time  `json:"contradicted_at,omitempty" description:"When evidence as strong said the opposite."`
	SentAt         *time.Time  `json:"sent_at,omitempty"`
	CreatedAt      time.Time   `json:"created_at" required:"true"`
	ChangedAt      time.Time   `json:"changed_at" required:"true"`
}

func (o Operation) view(now time.Time) View {
	since, until := o.CreatedAt, now
	if o.FirstSentAt != nil {
		since = *o.FirstSentAt
	}
	if o.Done() {
		until = o.ChangedAt
	}
	return View{
		o.ID, o.Subject, o.Kind, o.Connector, o.Ref, o.State, o.Money(), o.Why, o.Tries, o.Inquiries, o.Proof,
		max(0, int64(until.Sub(since).Seconds())), rest.UTC(o.ContradictedAt), rest.UTC(o.SentAt), o.CreatedAt.UTC(), o.ChangedAt.UTC(),
	}
}

// List lists operations, newest first.
func (e *Engine) List(ctx context.Context, in ListInput) (p rest.Page[View], err error) {
	before, err := in.After(id.Operation)
	if err != nil {
		return p, err
	}
	if in.Subject != "" && in.State != "" {
		return p, ErrFilter.At("?state", "leave it out: a subject's operations are listed in any state")
	}
	rows, err := list(ctx, e.db, in.State, in.Subject, before, in.Limit+1)
	if err != nil {
		return p, err
	}
	now, err := clock.Now(ctx, e.db)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, func(o Operation) View { return o.view(now) }, func(v View) any { return v.ID }), nil
}

// ShowInput names an operation.
type ShowInput struct {
	Operation string `path:"op"`
}

// EvidenceView is one thing that somebody said about an operation.
type EvidenceView struct {
	Source  Source    `json:"source" required:"true" enum:"answer,callback,inquiry,person,statement"`
	Outcome string    `json:"outcome" required:"true"`
	Code    string    `json:"code,omitempty"`
	Said    string    `json:"said,omitempty"`
	At      time.Time `json:"at" required:"true"`
}

// WholeView is an operation with all evidence about it, oldest first.
type WholeView struct {
	View
	Evidence []EvidenceView `json:"evidence" required:"true"`
}

// Show shows one operation and what was said about it.
func (e *Engine) Show(ctx context.Context, in ShowInput) (WholeView, error) {
	o, err := load(ctx, e.db, in.Operation)
	if err != nil {
		return WholeView{}, err
	}
	said, err := evidenceOf(ctx, e.db, o.ID)
	if err != nil {
		return WholeView{}, err
	}
	now, err := clock.Now(ctx, e.db)
	return WholeView{o.view(now), said}, err
}
