package event_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

type ripe struct {
	Fruit string `json:"fruit"`
}

func (ripe) EventType() string { return "test.ripe" }
func (e ripe) Subject() string { return e.Fruit }

// jobs is a runner that only queues: the tests deliver by hand.
func publish(t *testing.T, db *pg.Store, e pg.Event) (id string) {
	t.Helper()
	if err := db.InTx(t.Context(), func(tx *pg.Tx) error { return tx.Publish(t.Context(), e) }); err != nil {
		t.Fatal(err)
	}
	id, err := pg.Value[string](t.Context(), db, nil, `select id from platform.event order by seq desc limit 1`)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestASubscriberTakesAnEventInOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	bus := event.NewBus()
	var took atomic.Int32
	event.Subscribe(bus, "cook", func(_ context.Context, tx *pg.Tx, e ripe) error {
		if e.Fruit != "fig" {
			t.Errorf("took %+v", e)
		}
		took.Add(1)
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('took', $1, now(), now())`, e.Fruit)
		return nil
	})
	pgtest.Queue(t, db, bus)
	id := publish(t, db, ripe{"fig"})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := bus.Deliver(t.Context(), db, event.Delivery{Event: id, Type: "test.ripe", Subscriber: "cook"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if took.Load() != 1 {
		t.Errorf("taken in %d times, want once", took.Load())
	}
	queued, err := pg.Value[int](t.Context(), db, nil, `select count(*) from river.river_job where kind = 'event.deliver'`)
	if err != nil || queued != 1 {
		t.Errorf("%d deliveries queued (%v), want one for the one subscriber", queued, err)
	}
}

func TestAFailedSubscriberIsToldAgainAndLeavesNothing(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	bus := event.NewBus()
	rotten := errors.New("rotten")
	fails := 2
	event.Subscribe(bus, "cook", func(_ context.Context, tx *pg.Tx, e ripe) error {
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('took', $1, now(), now())`, e.Fruit)
		if fails--; fails >= 0 {
			return rotten
		}
		return nil
	})
	pgtest.Queue(t, db, bus)
	id := publish(t, db, ripe{"fig"})
	for try := range 4 {
		err := bus.Deliver(t.Context(), db, event.Delivery{Event: id, Type: "test.ripe", Subscriber: "cook"})
		if want := try < 2; want != errors.Is(err, rotten) {
			t.Errorf("try %d: %v", try, err)
		}
	}
	n, err := pg.Value[int](t.Context(), db, nil, `select count(*) from platform.timer`)
	if err != nil || n != 1 {
		t.Errorf("%d effects (%v), want 1", n, err)
	}
}

func TestTheSweepTellsAgainWhatNobodyTookIn(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	bus := event.NewBus()
	event.Subscribe(bus, "cook", func(context.Context, *pg.Tx, ripe) error { return nil })
	pgtest.Queue(t, db, bus)
	id := publish(t, db, ripe{"fig"})
	sweep := func() int {
		n, err := bus.Sweep(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	later := func() { pgtest.Advance(t, db, 5*time.Minute) }
	later()
	if n := sweep(); n != 0 {
		t.Errorf("%d deliveries queued though one waits", n)
	}
	if _, err := db.Exec(t.Context(), `update river.river_job set state = 'discarded', finalized_at = now()`); err != nil {
		t.Fatal(err)
	}
	if n := sweep(); n != 1 {
		t.Errorf("%d deliveries queued for the one that was given up, want 1", n)
	}
	if err := bus.Deliver(t.Context(), db, event.Delivery{Event: id, Type: "test.ripe", Subscriber: "cook"}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(t.Context(), `delete from river.river_job`); err != nil {
		t.Fatal(err)
	}
	if n := sweep(); n != 0 {
		t.Errorf("%d deliveries queued of what was taken in", n)
	}
}

func TestAnEventIsPartOfItsTransaction(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	undo := errors.New("undo")
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		if err := tx.Publish(t.Context(), ripe{"fig"}); err != nil {
			return err
		}
		return undo
	})
	n, qerr := pg.Value[int](t.Context(), db, nil, `select count(*) from platform.event`)
	if !errors.Is(err, undo) || qerr != nil || n != 0 {
		t.Errorf("%d events after an undone transaction (%v, %v)", n, err, qerr)
	}
}

// TestWhoDoesNotListenIsToldLater has a subscriber listen for a while only.
func TestWhoDoesNotListenIsToldLater(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	bus := event.NewBus()
	var listens atomic.Bool
	var heard []string
	event.SubscribeWhile(bus, "cook", listens.Load, func(_ context.Context, _ *pg.Tx, e ripe) error {
		heard = append(heard, e.Fruit)
		return nil
	})
	event.Subscribe(bus, "guest", func(context.Context, *pg.Tx, ripe) error { return nil })
	pgtest.Queue(t, db, bus)
	queued := func(want int) {
		t.Helper()
		n, err := pg.Value[int](t.Context(), db, nil, `select count(*) from river.river_job where kind = 'event.deliver'`)
		if err != nil || n != want {
			t.Errorf("%d deliveries queued (%v), want %d", n, err, want)
		}
	}
	sweep := func() {
		t.Helper()
		if _, err := bus.Sweep(t.Context(), db); err != nil {
			t.Fatal(err)
		}
	}
	early := publish(t, db, ripe{"fig"})
	queued(1) // the guest's
	pgtest.Advance(t, db, 5*time.Minute)
	sweep()
	queued(1)
	listens.Store(true)
	publish(t, db, ripe{"olive"})
	queued(3)
	sweep()
	queued(4) // what it missed
	if err := bus.Deliver(t.Context(), db, event.Delivery{Event: early, Type: "test.ripe", Subscriber: "cook"}); err != nil || len(heard) != 1 || heard[0] != "fig" {
		t.Errorf("it heard %v (%v)", heard, err)
	}
}
