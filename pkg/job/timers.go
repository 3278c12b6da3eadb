package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// Fire is what a timer does when it is due, in the unit of work that then takes
// the timer away. It locks what it is about before the timer's own row is
// touched, as everybody does who sets or clears timers. It re-checks the state it was set for: what it wanted may have
// happened already. Setting the same timer again inside Fire keeps it.
type Fire func(ctx context.Context, tx *pg.Tx, subject string) error

// Timers are rows that fire at the hub's time: one for each kind and subject.
type Timers struct {
	store *pg.Store
	fire  map[string]Fire
	kinds []string
}

// NewTimers makes a set without kinds.
func NewTimers(store *pg.Store) *Timers { return &Timers{store: store, fire: map[string]Fire{}} }

// Handle says what timers of a kind do. It is called at start.
func (t *Timers) Handle(kind string, f Fire) {
	t.fire[kind] = f
	t.kinds = append(t.kinds, kind)
}

// Set has the timer fire at due, or moves it there.
func Set(tx *pg.Tx, kind, subject string, due time.Time) { schedule(tx, kind, subject, due) }

// SetOnce has the timer fire at due, unless it is set already.
func SetOnce(tx *pg.Tx, kind, subject string, due time.Time) { scheduleOnce(tx, kind, subject, due) }

// Clear takes the timer away; one that is not there is no matter.
func Clear(tx *pg.Tx, kind, subject string) { unschedule(tx, kind, subject) }

// Due fires what is due now, one timer a unit of work, and says how many. A
// timer that fails waits, longer each time, and holds up no other.
func (t *Timers) Due(ctx context.Context) (fired int, err error) {
	ctx = auth.With(ctx, auth.Hub)
	for ctx.Err() == nil {
		var cur timer
		cur = timer{}
		err := t.store.InTx(ctx, func(tx *pg.Tx) (err error) {
			cur, err = claim(ctx, tx, t.kinds)
			return err
		})
		if err == nil {
			err = t.store.InTx(ctx, func(tx *pg.Tx) error {
				if err := t.fire[cur.Kind](ctx, tx, cur.Subject); err != nil {
					return err
				}
				drop(tx, cur)
				return nil
			})
		}
		switch {
		case errors.Is(err, errNone):
			return fired, nil
		case err == nil:
			fired++
		case cur.Kind == "" || ctx.Err() != nil:
			return fired, fmt.Errorf("take a timer: %w", err)
		default:
			slog.WarnContext(ctx, "timer failed", "kind", cur.Kind, "subject", cur.Subject, "tries", cur.Tries, "error", err)
			wait := min(time.Second<<min(cur.Tries, 9), 5*time.Minute)
			reason := err.Error()
			if err := t.store.InTx(ctx, func(tx *pg.Tx) error { return postpone(ctx, tx, cur, wait, reason) }); err != nil {
				return fired, fmt.Errorf("postpone a timer: %w", err)
			}
		}
	}
	return fired, ctx.Err()
}

// Run fires what is due, twice a second, until ctx ends.
func (t *Timers) Run(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := t.Due(ctx); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "timers wait", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
