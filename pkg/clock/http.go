package clock

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the demonstration clock. They are served in
// demonstration mode only.
func Routes(db *pg.Store) []rest.Route {
	return []rest.Route{
		rest.Handle("POST", "/v1/demo/clock", "demo.clock", "Move the hub's time forward (demonstration only)", http.StatusOK,
			func(ctx context.Context, in AdvanceInput) (View, error) { return advance(ctx, db, in) }),
	}
}

// AdvanceInput says by how much.
type AdvanceInput struct {
	Advance string `json:"advance" required:"true" description:"A duration above zero, at most a year: 90s, 15m, 72h." pattern:"^[0-9.]+(ms|s|m|h)([0-9.]+(ms|s|m|h))*$"`
}

// View is the hub's time.
type View struct {
	Now time.Time `json:"now" required:"true"`
}

var errDuration = fault.New(fault.Invalid, "clock.duration", "Give a duration such as 90s, 15m or 72h, at most a year.")

func advance(ctx context.Context, db *pg.Store, in AdvanceInput) (v View, err error) {
	d, err := time.ParseDuration(in.Advance)
	if err != nil || d > 366*24*time.Hour {
		return v, errDuration.At("/advance", "a duration such as 72h")
	}
	err = db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if v.Now, err = Advance(ctx, tx, d); err != nil {
			return err
		}
		// Ages that the invariants look at count from the last move.
		audit.Record(tx, "demo.clock", "clock", "platform.operator", map[string]string{"by": d.String()})
		return nil
	})
	return v, err
}
