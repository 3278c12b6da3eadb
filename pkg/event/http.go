package event

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the event log.
func Routes(b *Bus, db *pg.Store) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/events", "events.list", "Read the events one hears of, oldest first", http.StatusOK,
			func(ctx context.Context, in ListInput) (rest.Page[View], error) { return b.read(ctx, db, in) },
			rest.About("A member reads what it is told of; the operator reads everything. What was read is never added to before: read on from next, or from the last id.")),
		rest.Handle("GET", "/v1/event-types", "events.types", "List the types of events that members hear of", http.StatusOK,
			func(context.Context, rest.None) (rest.Page[TypeView], error) { return b.types(), nil }, rest.Public()),
	}
}

// ListInput says where to read on.
type ListInput struct {
	After string `query:"after" maxLength:"60" description:"The id of the last event that was read; from the beginning when left out."`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"24"`
}

// View is an event as the API shows it, and as webhooks carry it.
type View struct {
	ID      string          `json:"id" required:"true"`
	Type    string          `json:"type" required:"true"`
	Version int             `json:"version" required:"true" description:"Of what data holds; 0 is the hub's own form, which may change."`
	Subject string          `json:"subject" required:"true"`
	At      time.Time       `json:"at" required:"true"`
	Data    json.RawMessage `json:"data" required:"true"`
}

// View is the telling as the API shows it.
func (t Telling) View() View { return View{t.ID, t.Type, t.Version, t.Subject, t.At.UTC(), t.Data} }

// TypeView is a type of event that members hear of.
type TypeView struct {
	Type    string   `json:"type" required:"true"`
	Version int      `json:"version" required:"true"`
	About   string   `json:"about" required:"true"`
	Fields  []string `json:"fields" required:"true" description:"What data holds; fields may be added."`
}

func (b *Bus) types() rest.Page[TypeView] {
	p := rest.Page[TypeView]{Data: []TypeView{}}
	for _, t := range b.Published() {
		p.Data = append(p.Data, TypeView(t))
	}
	return p
}

// Member is how a principal stands among those that hear of events.
func Member(p auth.Principal) string {
	if p.Role == auth.Operator {
		return Everything
	}
	return p.Subject
}

func (b *Bus) read(ctx context.Context, db *pg.Store, in ListInput) (p rest.Page[View], err error) {
	member, after := Member(auth.From(ctx)), int64(0)
	if _, err := b.Place(ctx, db); err != nil {
		return p, err
	}
	if in.After != "" {
		after, err = placeOf(ctx, db, member, in.After)
		if errors.Is(err, ErrUnknown) {
			return p, fault.New(fault.Invalid, ErrUnknown.Code, ErrUnknown.Text).At("?after", "Take the id of an event that was read.")
		}
		if err != nil {
			return p, err
		}
	}
	told, err := list(ctx, db, member, after, in.Limit+1)
	if err != nil {
		return p, err
	}
	p.Data = []View{}
	for _, t := range told {
		p.Data = append(p.Data, t.View())
	}
	if len(p.Data) > in.Limit {
		p.Data = p.Data[:in.Limit]
		p.Next = &p.Data[in.Limit-1].ID
	}
	return p, nil
}
