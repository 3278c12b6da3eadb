package audit

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the trail; the operator reads it.
func Routes(db *pg.Store) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/audit", "audit.list", "Read who did what, newest first", http.StatusOK,
			func(ctx context.Context, in ListInput) (rest.Page[View], error) { return list(ctx, db, in) }),
	}
}

// ListInput says what is looked for in the trail. What is left out is any.
type ListInput struct {
	Action  string     `query:"action" maxLength:"100" description:"The name of a route, such as disputes.rule."`
	Subject string     `query:"subject" maxLength:"100" description:"The id of what was acted on."`
	Actor   string     `query:"actor" maxLength:"200" description:"As the trail writes it."`
	From    *time.Time `query:"from"`
	Until   *time.Time `query:"until"`
	rest.Paging
}

// View is a row of the trail.
type View struct {
	Seq     int64           `json:"seq" required:"true"`
	At      time.Time       `json:"at" required:"true"`
	Actor   string          `json:"actor" required:"true"`
	Action  string          `json:"action" required:"true"`
	Subject string          `json:"subject" required:"true"`
	Policy  string          `json:"policy" required:"true" description:"What allowed it."`
	Detail  json.RawMessage `json:"detail" required:"true"`
}

func list(ctx context.Context, db pg.DB, in ListInput) (p rest.Page[View], err error) {
	var below int64
	if err := rest.DecodeCursor(in.Cursor, &below); err != nil {
		return p, err
	}
	rows, err := trail(ctx, db, in, below)
	if err != nil {
		return p, err
	}
	for i := range rows {
		rows[i].At = rows[i].At.UTC()
	}
	return rest.Cut(rows, in.Limit, func(v View) any { return v.Seq }), nil
}
