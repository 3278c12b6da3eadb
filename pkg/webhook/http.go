package webhook

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of webhooks.
func Routes(s *Service) []rest.Route {
	const all, one = "/v1/webhook-endpoints", "/v1/webhook-endpoints/{endpoint}"
	ok := http.StatusOK
	return []rest.Route{
		rest.Handle("POST", all, "webhooks.create", "Have one's events sent to an address", http.StatusCreated, s.Create,
			rest.About("Signed by the Standard Webhooks scheme (standardwebhooks.com): headers webhook-id, webhook-timestamp and webhook-signature; the id is the event's and stays the same however often it is sent. Answer 2xx within 15 seconds; anything else is tried again for three days. 410 ends it. Of one subject, an event is sent once those before it are through.")),
		rest.Handle("GET", all, "webhooks.list", "List one's webhook endpoints", ok, s.List),
		rest.Handle("GET", one, "webhooks.show", "Show a webhook endpoint", ok, s.Show),
		rest.Handle("PATCH", one, "webhooks.change", "Change, pause or resume a webhook endpoint", ok, s.Change),
		rest.Handle("DELETE", one, "webhooks.delete", "Delete a webhook endpoint, its queue and its log", ok, s.Delete),
		rest.Handle("POST", one+"/rotate", "webhooks.rotate", "Make a new secret; the old one signs beside it for a while", ok, s.Rotate),
		rest.Handle("POST", one+"/test", "webhooks.test", "Send a test event now", ok, s.Test, rest.Timeout(callTimeout+5*time.Second)),
		rest.Handle("POST", one+"/replay", "webhooks.replay", "Send a part of the log again", ok, s.Replay),
		rest.Handle("GET", one+"/deliveries", "webhooks.deliveries", "List what was sent to an endpoint, newest first", ok, s.Deliveries),
		rest.Handle("POST", "/v1/events/{event}/replay", "webhooks.replay_event", "Send an event again to all one's endpoints that want it", ok, s.ReplayEvent),
	}
}

// View is an endpoint as the API shows it.
type View struct {
	ID        string    `json:"id" required:"true"`
	Owner     string    `json:"owner" required:"true" description:"The member whose events it gets; * gets everything."`
	URL       string    `json:"url" required:"true"`
	Events    []string  `json:"events" required:"true"`
	State     State     `json:"state" required:"true" enum:"active,paused,disabled"`
	Why       string    `json:"why,omitempty" description:"Why it was disabled."`
	Failures  int       `json:"failures" required:"true" description:"Calls in a row that it did not take."`
	CreatedAt time.Time `json:"created_at" required:"true"`
	ChangedAt time.Time `json:"changed_at" required:"true"`
}

func (e Endpoint) view() View {
	return View{e.ID, e.Owner, e.URL, e.Events, e.State, e.Why, e.Failures, e.CreatedAt.UTC(), e.ChangedAt.UTC()}
}

// CreatedView is a new endpoint with its secret.
type CreatedView struct {
	View
	Secret string `json:"secret" required:"true" description:"Keep it: it is not shown again."`
}

// RotatedView is an endpoint with its new secret.
type RotatedView struct {
	View
	Secret string    `json:"secret" required:"true" description:"Keep it: it is not shown again."`
	Ends   time.Time `json:"old_secret_ends_at" required:"true"`
}

// DeliveryView is a line of an endpoint's log.
type DeliveryView struct {
	Event     string     `json:"event" required:"true" description:"Its id is the webhook-id."`
	Type      string     `json:"type" required:"true"`
	Subject   string     `json:"subject" required:"true"`
	State     Progress   `json:"state" required:"true" enum:"waiting,delivered,failed"`
	Tries     int        `json:"tries" required:"true"`
	Status    int        `json:"status,omitempty" description:"Of the last answer."`
	Answer    string     `json:"answer,omitempty" description:"The first KiB of the last answer."`
	Error     string     `json:"error,omitempty" description:"Why the last try failed."`
	TriedAt   *time.Time `json:"tried_at,omitempty"`
	NextAt    *time.Time `json:"next_at,omitempty" description:"When it is tried next; left out behind another event of the same subject."`
	CreatedAt time.Time  `json:"created_at" required:"true"`
}

func (d Delivery) view() DeliveryView {
	v := DeliveryView{d.Event, d.Type, d.Subject, d.State, d.Tries, d.Status, d.Answer, d.Error, nil, nil, d.CreatedAt.UTC()}
	if d.TriedAt != nil {
		at := d.TriedAt.UTC()
		v.TriedAt = &at
	}
	if d.State == Waiting && d.NextAt != nil {
		at := d.NextAt.UTC()
		v.NextAt = &at
	}
	return v
}

// ReplayView says how many deliveries are on their way again.
type ReplayView struct {
	Queued int     `json:"queued" required:"true"`
	Next   *string `json:"next" required:"true" description:"Send it as after to go on: one call replays at most 10,000 events."`
}

// One names an endpoint.
type One struct {
	Endpoint string `path:"endpoint"`
}

// Show shows an endpoint to its owner and to the operator.
func (s *Service) Show(ctx context.Context, in One) (View, error) {
	e, err := load(ctx, s.db, in.Endpoint)
	if err != nil {
		return View{}, err
	}
	if _, err := s.may(ctx, "webhooks.show", e.Owner); err != nil {
		return View{}, err
	}
	return e.view(), nil
}

// List lists the caller's endpoints, and for the operator everybody's.
func (s *Service) List(ctx context.Context, in rest.Paging) (p rest.Page[View], err error) {
	after, err := in.After(endpointID)
	if err != nil {
		return p, err
	}
	owner := auth.From(ctx).Subject
	if event.Member(auth.From(ctx)) == event.Everything {
		owner = ""
	}
	rows, err := list(ctx, s.db, owner, after, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Endpoint.view, func(v View) any { return v.ID }), nil
}

// DeliveriesInput pages through an endpoint's log.
type DeliveriesInput struct {
	Endpoint string   `path:"endpoint"`
	State    Progress `query:"state" enum:",waiting,delivered,failed" description:"Only those in this state."`
	rest.Paging
}

// Deliveries lists what was sent to an endpoint, newest first.
func (s *Service) Deliveries(ctx context.Context, in DeliveriesInput) (p rest.Page[DeliveryView], err error) {
	var below int64
	if err := rest.DecodeCursor(in.Cursor, &below); err != nil {
		return p, err
	}
	e, err := load(ctx, s.db, in.Endpoint)
	if err != nil {
		return p, err
	}
	if _, err := s.may(ctx, "webhooks.deliveries", e.Owner); err != nil {
		return p, err
	}
	rows, err := deliveries(ctx, s.db, e.ID, in.State, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	cut := rest.Cut(rows, in.Limit, func(d Delivery) any { return d.ID })
	p = rest.Page[DeliveryView]{Data: make([]DeliveryView, len(cut.Data)), Next: cut.Next}
	for i, d := range cut.Data {
		p.Data[i] = d.view()
	}
	return p, nil
}
