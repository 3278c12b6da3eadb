package webhook

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// Config says how endpoints are reached.
type Config struct {
	Guard   Guard
	Roots   *x509.CertPool // nil trusts the system's
	Metrics *Metrics       // nil counts for nobody
}

// Service keeps endpoints and sends to them.
type Service struct {
	db      *pg.Store
	bus     *event.Bus
	judge   Judge
	guard   Guard
	client  *http.Client
	metrics *Metrics
}

// New makes the service, and has the bus hand it whatever is told.
func New(db *pg.Store, bus *event.Bus, judge Judge, c Config) *Service {
	s := &Service{db, bus, judge, c.Guard, newClient(c.Guard, c.Roots), c.Metrics}
	if s.metrics == nil {
		s.metrics = NewMetrics(nil)
	}
	bus.Forward(func(_ context.Context, tx *pg.Tx, told []event.Telling) error {
		fanOut(tx, told)
		return nil
	})
	event.Tell(bus, 1, "An endpoint answered 410 Gone and gets no more events.", func(_ context.Context, _ *pg.Tx, e Gone) (map[string]GoneData, error) {
		if e.Owner == event.Everything {
			return nil, nil
		}
		return map[string]GoneData{e.Owner: {e.Endpoint, e.URL}}, nil
	})
	return s
}

// Gone says that an endpoint was disabled because it said so.
type Gone struct {
	Endpoint string `json:"endpoint"`
	Owner    string `json:"owner"`
	URL      string `json:"url"`
}

// GoneData is what its owner is told of it.
type GoneData struct {
	Endpoint string `json:"endpoint"`
	URL      string `json:"url"`
}

// EventType names the event.
func (Gone) EventType() string { return "webhooks.disabled" }

// Subject is the endpoint.
func (e Gone) Subject() string { return e.Endpoint }

// may asks the judge about an endpoint; to those who may not it does not exist.
func (s *Service) may(ctx context.Context, action, owner string) (policy string, err error) {
	r := authz.Resource{Seller: owner}
	if id.Is(id.Person, owner) {
		r = authz.Resource{Buyer: owner}
	}
	policy, err = s.judge.May(auth.From(ctx), action, r)
	if errors.Is(err, authz.ErrDenied) {
		return "", ErrNotFound
	}
	return policy, err
}

// change locks an endpoint, has f change it, saves it and writes the audit
// trail.
func (s *Service) change(ctx context.Context, endpoint, action string, f func(tx *pg.Tx, e *Endpoint) error) (e Endpoint, err error) {
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		if e, err = lock(ctx, tx, endpoint); err != nil {
			return err
		}
		policy, err := s.may(ctx, action, e.Owner)
		if err != nil {
			return err
		}
		if err := f(tx, &e); err != nil {
			return err
		}
		e.ChangedAt = tx.Now()
		save(tx, e)
		audit.Record(tx, action, e.ID, policy, map[string]any{"url": e.URL, "state": e.State})
		return nil
	})
	return e, err
}

// CreateInput says where to, and of what.
type CreateInput struct {
	URL    string   `json:"url" required:"true" maxLength:"1000" description:"An https address on the open internet."`
	Events []string `json:"events" required:"true" minItems:"1" maxItems:"50" description:"Types as GET /v1/event-types lists them, such as orders.paid; orders.* for all of them, * for everything."`
}

// Create has the caller's events sent to an address; the operator's endpoints
// hear of every event. The secret is shown this once.
func (s *Service) Create(ctx context.Context, in CreateInput) (v CreatedView, err error) {
	if err := s.check(ctx, &in.URL, in.Events); err != nil {
		return v, err
	}
	e := Endpoint{ID: id.New(endpointID), Owner: event.Member(auth.From(ctx)), URL: in.URL, Events: in.Events, State: Active}
	secret := newSecret()
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		policy, err := s.may(ctx, "webhooks.create", e.Owner)
		if err != nil {
			return err
		}
		e.CreatedAt, e.ChangedAt = tx.Now(), tx.Now()
		if err := insert(ctx, tx, e); err != nil {
			return err
		}
		insertSecret(tx, e.ID, secret)
		audit.Record(tx, "webhooks.create", e.ID, policy, map[string]any{"url": e.URL, "events": e.Events})
		return nil
	})
	return CreatedView{e.view(), show(secret)}, err
}

// check finds what is wrong with an address and with a list of events.
func (s *Service) check(ctx context.Context, url *string, events []string) error {
	if url != nil {
		if wrong := s.guard.Check(*url); wrong != "" {
			return ErrURL.At("/url", wrong)
		}
	}
	if auth.From(ctx).Role == auth.Operator { // who may listen to what nobody publishes
		return nil
	}
	published := s.bus.Published()
	err := ErrEvents
	for i, want := range events {
		known := slices.ContainsFunc(published, func(p event.Publication) bool { return Wants([]string{want}, p.Type) })
		if !known {
			err = err.At(fmt.Sprintf("/events/%d", i), "No event of this type is published.")
		}
	}
	if len(err.Details) > 0 {
		return err
	}
	return nil
}

// ChangeInput says what shall be different.
type ChangeInput struct {
	Endpoint string   `path:"endpoint"`
	URL      *string  `json:"url,omitempty" maxLength:"1000"`
	Events   []string `json:"events,omitempty" minItems:"1" maxItems:"50"`
	State    State    `json:"state,omitempty" enum:"active,paused" description:"While it is paused its events wait; they are sent once it is active again."`
}

// Change changes an endpoint, pauses it, or has it go on.
func (s *Service) Change(ctx context.Context, in ChangeInput) (View, error) {
	if err := s.check(ctx, in.URL, in.Events); err != nil {
		return View{}, err
	}
	e, err := s.change(ctx, in.Endpoint, "webhooks.change", func(tx *pg.Tx, e *Endpoint) error {
		if in.URL != nil {
			e.URL = *in.URL
		}
		if in.Events != nil {
			e.Events = in.Events
		}
		if in.State == Active && e.State != Active {
			resume(tx, e.ID, tx.Now())
		}
		if in.State != "" {
			e.State, e.Why, e.Failures = in.State, "", 0
		}
		return nil
	})
	return e.view(), err
}

// Delete forgets an endpoint, what waits for it, and its log.
func (s *Service) Delete(ctx context.Context, in One) (View, error) {
	var e Endpoint
	err := s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if e, err = lock(ctx, tx, in.Endpoint); err != nil {
			return err
		}
		policy, err := s.may(ctx, "webhooks.delete", e.Owner)
		if err != nil {
			return err
		}
		remove(tx, e.ID)
		audit.Record(tx, "webhooks.delete", e.ID, policy, map[string]any{"url": e.URL})
		return nil
	})
	return e.view(), err
}

// RotateInput says how long the old secret lives on.
type RotateInput struct {
	Endpoint string `path:"endpoint"`
	Hours    *int   `json:"overlap_hours,omitempty" minimum:"0" maximum:"168" description:"How long the old secret signs beside the new one; 24 when left out."`
}

// Rotate makes a new secret, which signs from now on. The one before signs
// beside it for a while; one that was older ends at once.
func (s *Service) Rotate(ctx context.Context, in RotateInput) (v RotatedView, err error) {
	overlap := Overlap
	if in.Hours != nil {
		overlap = time.Duration(*in.Hours) * time.Hour
	}
	secret := newSecret()
	e, err := s.change(ctx, in.Endpoint, "webhooks.rotate", func(tx *pg.Tx, e *Endpoint) error {
		v.Ends = tx.Now().Add(overlap)
		retire(tx, e.ID, tx.Now(), v.Ends)
		insertSecret(tx, e.ID, secret)
		return nil
	})
	return RotatedView{e.view(), show(secret), v.Ends}, err
}

// Test sends an endpoint an event that says nothing, and answers what came of
// it. It may be paused or disabled.
func (s *Service) Test(ctx context.Context, in One) (v DeliveryView, err error) {
	e, secrets, err := s.ready(ctx, in.Endpoint, "webhooks.test")
	if err != nil {
		return v, err
	}
	var d Delivery
	t := event.Telling{ID: id.New(id.Event), Type: "webhooks.test", Version: 1, Subject: e.ID, Data: []byte(`{"endpoint":"` + e.ID + `"}`)}
	if err := s.db.InTx(ctx, func(tx *pg.Tx) error { t.At = tx.Now(); return nil }); err != nil {
		return v, err
	}
	r := s.call(ctx, e.URL, secrets, t)
	err = s.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		d, err = insertTest(ctx, tx, e.ID, t, r)
		return err
	})
	return d.view(), err
}

// ready reads an endpoint and its live secrets for somebody who may do action.
func (s *Service) ready(ctx context.Context, endpoint, action string) (e Endpoint, secrets [][]byte, err error) {
	if e, err = load(ctx, s.db, endpoint); err != nil {
		return e, nil, err
	}
	if _, err = s.may(ctx, action, e.Owner); err != nil {
		return e, nil, err
	}
	secrets, err = live(ctx, s.db, e.ID)
	return e, secrets, err
}

// ReplayInput says from where to where in the log.
type ReplayInput struct {
	Endpoint string `path:"endpoint"`
	After    string `json:"after" required:"true" maxLength:"60" description:"The id of an event, or a time: what comes after it is sent again."`
	Before   string `json:"before,omitempty" maxLength:"60" description:"Likewise, what comes before it; up to now when left out."`
}

// maxReplay is how many events one call sends again.
const maxReplay = 10000

// Replay sends again what an endpoint wants of a part of the log, whether or not
// it was sent before; events keep their ids.
func (s *Service) Replay(ctx context.Context, in ReplayInput) (v ReplayView, err error) {
	var r span
	if r.After, err = bound(in.After, "/after"); err != nil {
		return v, err
	}
	if r.Before, err = bound(in.Before, "/before"); err != nil {
		return v, err
	}
	_, err = s.change(ctx, in.Endpoint, "webhooks.replay", func(tx *pg.Tx, e *Endpoint) error {
		if e.State == Disabled {
			return ErrState
		}
		if err := r.settle(ctx, tx, e.Owner); err != nil {
			return err
		}
		events, err := again(ctx, tx, *e, r, tx.Now().Add(Lifetime))
		if len(events) == maxReplay {
			v.Next = &events[maxReplay-1]
		}
		v.Queued = len(events)
		return err
	})
	return v, err
}

// EventInput names an event.
type EventInput struct {
	Event string `path:"event"`
}

// ReplayEvent sends one event again to all the caller's endpoints that want it.
func (s *Service) ReplayEvent(ctx context.Context, in EventInput) (v ReplayView, err error) {
	owner := event.Member(auth.From(ctx))
	if _, err := s.bus.Place(ctx, s.db); err != nil {
		return v, err
	}
	err = s.db.InTx(ctx, func(tx *pg.Tx) error {
		v.Queued = 0
		policy, err := s.may(ctx, "webhooks.replay_event", owner)
		if err != nil {
			return err
		}
		pos, typ, err := find(ctx, tx, owner, in.Event)
		if err != nil {
			return err
		}
		all, err := lockAll(ctx, tx, owner)
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.State == Disabled || !Wants(e.Events, typ) {
				continue
			}
			events, err := again(ctx, tx, e, span{After: at{Pos: pos - 1}, Before: at{Pos: pos + 1}}, tx.Now().Add(Lifetime))
			if err != nil {
				return err
			}
			v.Queued += len(events)
		}
		audit.Record(tx, "webhooks.replay_event", in.Event, policy, map[string]int{"endpoints": v.Queued})
		return nil
	})
	return v, err
}

// A span is a part of the log: between two events, or two times.
type span struct{ After, Before at }

// at is a place in the log, or a time; one that is neither bounds nothing.
type at struct {
	Event string
	Pos   int64
	Time  *time.Time
}

// bound reads what a caller gave.
func bound(text, pointer string) (a at, err error) {
	switch {
	case text == "":
	case strings.HasPrefix(text, string(id.Event)+"_"):
		a.Event = text
	default:
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return a, ErrRange.At(pointer, "An event's id, or a time such as 2026-11-21T10:00:00Z.")
		}
		a.Time = &t
	}
	return a, nil
}

// settle finds the places of the events that a span names.
func (r *span) settle(ctx context.Context, tx *pg.Tx, owner string) error {
	for pointer, a := range map[string]*at{"/after": &r.After, "/before": &r.Before} {
		if a.Event == "" {
			continue
		}
		pos, _, err := find(ctx, tx, owner, a.Event)
		if errors.Is(err, ErrEvent) {
			return ErrRange.At(pointer, ErrEvent.Text)
		}
		if err != nil {
			return err
		}
		a.Pos = pos
	}
	return nil
}
