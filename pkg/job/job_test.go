package job_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

func set(t *testing.T, db *pg.Store, kind, subject string, in time.Duration) {
	t.Helper()
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		job.Set(tx, kind, subject, tx.Now().Add(in))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func due(t *testing.T, timers *job.Timers) int {
	t.Helper()
	n, err := timers.Due(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTimersFireAtTheHubsTimeAndOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	timers := job.NewTimers(db)
	var fired []string
	timers.Handle("ring", func(_ context.Context, _ *pg.Tx, subject string) error {
		fired = append(fired, subject)
		return nil
	})
	set(t, db, "ring", "soon", time.Hour)
	set(t, db, "ring", "later", 3*time.Hour)
	set(t, db, "other", "not ours", 0)
	if n := due(t, timers); n != 0 {
		t.Fatalf("%d fired before their time", n)
	}
	pgtest.Advance(t, db, 2*time.Hour)
	if n := due(t, timers) + due(t, timers); n != 1 || len(fired) != 1 || fired[0] != "soon" {
		t.Errorf("fired %v (%d), want soon, once", fired, n)
	}
}

func TestATimerSetWhileItFiresFiresAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	timers, fired := job.NewTimers(db), 0
	once := func(ctx context.Context, in time.Duration) error {
		return db.InTx(ctx, func(tx *pg.Tx) error {
			job.SetOnce(tx, "ring", "bell", tx.Now().Add(in))
			return nil
		})
	}
	timers.Handle("ring", func(ctx context.Context, _ *pg.Tx, _ string) error {
		if fired++; fired > 1 {
			return nil
		}
		return once(ctx, -time.Second) // somebody else has work for it, too late for this time
	})
	for range 2 { // the second changes nothing
		if err := once(t.Context(), -time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if due(t, timers); fired != 2 {
		t.Errorf("the timer fired %d times, want twice", fired)
	}
}

func TestTwoHubsFireEachTimerOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	var mu sync.Mutex
	fired := map[string]int{}
	for i := range 40 {
		set(t, db, "ring", string(rune('A'+i)), 0)
	}
	var wg sync.WaitGroup
	for range 2 {
		timers := job.NewTimers(db)
		timers.Handle("ring", func(_ context.Context, _ *pg.Tx, subject string) error {
			mu.Lock()
			defer mu.Unlock()
			fired[subject]++
			return nil
		})
		wg.Go(func() { due(t, timers) })
	}
	wg.Wait()
	if len(fired) != 40 {
		t.Errorf("%d timers fired, want 40", len(fired))
	}
	for s, n := range fired {
		if n != 1 {
			t.Errorf("%s fired %d times", s, n)
		}
	}
}

func TestAFailingTimerWaitsAndHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	timers := job.NewTimers(db)
	fail := true
	var rang []string
	timers.Handle("ring", func(_ context.Context, _ *pg.Tx, subject string) error {
		if subject == "bad" && fail {
			return errors.New("no bell")
		}
		rang = append(rang, subject)
		return nil
	})
	set(t, db, "ring", "bad", -time.Minute)
	set(t, db, "ring", "good", 0)
	if n := due(t, timers); n != 1 || rang[0] != "good" {
		t.Fatalf("%d fired: %v", n, rang)
	}
	fail = false
	pgtest.Advance(t, db, time.Minute)
	if n := due(t, timers); n != 1 || rang[1] != "bad" {
		t.Errorf("%d fired later: %v", n, rang)
	}
}

func TestALongJobOfALivingHubRunsOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	runs, done := make(chan struct{}, 9), make(chan struct{})
	w := job.NewWorkers()
	job.Handle(w, func(ctx context.Context, _ ring) error {
		runs <- struct{}{}
		select {
		case <-done:
		case <-ctx.Done():
		}
		return nil
	})
	r, err := job.NewRunner(db, w, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db.Use(r.Jobs(), nil)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { r.StayAlive(ctx) })
	if err := r.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := db.InTx(t.Context(), func(tx *pg.Tx) error { tx.Enqueue(ring{"long"}, nil); return nil }); err != nil {
		t.Fatal(err)
	}
	<-runs
	select { // two looks of StayAlive and more
	case <-runs:
		t.Error("a job at work was given back by its own hub")
	case <-time.After(5 * time.Second):
	}
	close(done)
	stop()
	wg.Wait()
	last, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.Stop(last); err != nil {
		t.Error(err)
	}
}

type ring struct{ Bell string }

func (ring) Kind() string { return "test.ring" }

func TestJobsOfADeadHubAreGivenBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	started, rang := make(chan struct{}, 4), make(chan struct{}, 4)
	hub := func(work func(ctx context.Context) error) (*job.Runner, context.CancelFunc) {
		w := job.NewWorkers()
		job.Handle(w, func(ctx context.Context, _ ring) error { return work(ctx) })
		r, err := job.NewRunner(db, w, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		alive, die := context.WithCancel(context.WithoutCancel(t.Context()))
		var wg sync.WaitGroup
		wg.Go(func() { r.StayAlive(alive) })
		if err := r.Start(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			die()
			wg.Wait()
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			_ = r.Stop(ctx) // the dead one's job hangs until it is cancelled
		})
		return r, die
	}
	dead, die := hub(func(ctx context.Context) error {
		started <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	db.Use(dead.Jobs(), nil)
	if err := db.InTx(t.Context(), func(tx *pg.Tx) error { tx.Enqueue(ring{"one"}, nil); return nil }); err != nil {
		t.Fatal(err)
	}
	<-started
	die() // its lock falls; its job still stands as running
	hub(func(context.Context) error { rang <- struct{}{}; return nil })
	select {
	case <-rang:
	case <-time.After(30 * time.Second):
		t.Fatal("the job was not given back; River alone would take two minutes")
	}
}

// What was done at once, though its commit is said to have failed, is not done
// again one by one: timers that were set anew meanwhile wait for their new time.
func TestTimersThatWereSetAnewByALostCommitDoNotFireAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	timers := job.NewTimers(db)
	var alone []string
	timers.Handle("ring", func(_ context.Context, _ *pg.Tx, subject string) error {
		alone = append(alone, subject)
		return nil
	})
	timers.HandleMany("ring", func(ctx context.Context, _ *pg.Tx, subjects []string) ([]string, error) {
		for _, s := range subjects[1:] {
			set(t, db, "ring", s, time.Hour)
		}
		return nil, pg.ErrInDoubt
	})
	for i := range 4 {
		set(t, db, "ring", fmt.Sprint("bell ", i), time.Duration(i-9)*time.Minute)
	}
	due(t, timers)
	if len(alone) != 1 || alone[0] != "bell 0" {
		t.Errorf("alone fired %v, want bell 0 only", alone)
	}
}
