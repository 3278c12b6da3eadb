package pgtest

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Queue has a store write down jobs that nobody runs.
func Queue(t testing.TB, db *pg.Store, bus *event.Bus) { runner(t, db, nil, bus) }

// Work runs a store's jobs, and brings its events to their subscribers, until
// the test ends.
func Work(t testing.TB, db *pg.Store, w *job.Workers, bus *event.Bus) {
	t.Helper()
	job.Handle(w, func(ctx context.Context, d event.Delivery) error { return bus.Deliver(ctx, db, d) })
	r := runner(t, db, w, bus)
	if err := r.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}

func runner(t testing.TB, db *pg.Store, w *job.Workers, bus *event.Bus) *job.Runner {
	t.Helper()
	r, err := job.NewRunner(db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db.Use(r.Jobs(), bus)
	return r
}

// Idle waits until no job waits or runs.
func Idle(t testing.TB, db *pg.Store) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		n, err := pg.Value[int](t.Context(), db, nil, `select count(*) from river.river_job where state in ('available', 'running', 'retryable')`)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
	why, _ := pg.Column[string](t.Context(), db, `select distinct kind || ' ' || args::text || ': ' || coalesce(errors[array_upper(errors, 1)] ->> 'error', state::text)
		from river.river_job where state in ('available', 'running', 'retryable') limit 5`)
	t.Fatalf("the jobs never end: %s", strings.Join(why, "; "))
}

// Hub is the context of the hub itself, which row-level security hides nothing
// from: for a look at the tables with Asking.
func Hub(t testing.TB) context.Context { return auth.With(t.Context(), auth.Hub) }

// Advance moves the hub's time.
func Advance(t testing.TB, db *pg.Store, by time.Duration) {
	t.Helper()
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := clock.Advance(t.Context(), tx, by)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Pass moves the hub's time and fires what is due by then.
func Pass(t testing.TB, db *pg.Store, timers *job.Timers, by time.Duration) {
	t.Helper()
	Advance(t, db, by)
	if _, err := timers.Due(t.Context()); err != nil {
		t.Fatal(err)
	}
}
