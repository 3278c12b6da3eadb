package event

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the event log.
func Routes(db *pg.Store) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/events", "events.list", "Read the event log, oldest first", http.StatusOK,
			func(ctx context.Context, in ListInput) (rest.Page[View], error) { return read(ctx, db, in) }),
	}
}

// ListInput says where to read on.
type ListInput struct {
	After string `query:"after" description:"The id of the last event that was read; from the beginning when left out."`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"24"`
}

// View is an event as the API shows it.
type View struct {
	ID      string          `json:"id" required:"true"`
	Type    string          `json:"type" required:"true"`
	Subject string          `json:"subject" required:"true"`
	At      time.Time       `json:"at" required:"true"`
	Data    json.RawMessage `json:"data" required:"true"`
}

func read(ctx context.Context, db pg.DB, in ListInput) (rest.Page[View], error) {
	rows, err := list(ctx, db, in.After, in.Limit+1)
	if err != nil {
		return rest.Page[View]{}, err
	}
	p := rest.Page[View]{Data: []View{}}
	for _, r := range rows {
		p.Data = append(p.Data, View{r.ID, r.Type, r.Subject, r.At.UTC(), r.Payload})
	}
	if len(p.Data) > in.Limit {
		p.Data = p.Data[:in.Limit]
		p.Next = &p.Data[in.Limit-1].ID
	}
	return p, nil
}
