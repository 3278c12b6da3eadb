package event_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// placed are the fruits that were told, in the order of the log.
func placed(t *testing.T, db *pg.Store) []string {
	t.Helper()
	got, err := pg.Column[string](t.Context(), db, `select e.payload->>'fruit' from platform.log l join platform.event e on e.seq = l.seq order by l.pos`)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func place(t *testing.T, db *pg.Store, bus *event.Bus) {
	t.Helper()
	for {
		n, err := bus.Place(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// A transaction that draws its number early and commits late is the one that
// readers by number would miss.
func TestAnEventThatCommitsLateIsPlacedAfterWhatWasRead(t *testing.T) {
	t.Parallel()
	db, bus := pgtest.New(t), event.NewBus()
	db.Use(nil, bus)
	drawn, let, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- db.InTx(context.WithoutCancel(t.Context()), func(tx *pg.Tx) error {
			if err := tx.Publish(t.Context(), ripe{"late"}); err != nil {
				return err
			}
			if err := tx.Flush(t.Context()); err != nil {
				return err
			}
			close(drawn)
			<-let
			return nil
		})
	}()
	<-drawn
	publish(t, db, ripe{"early"})
	_ = db.InTx(t.Context(), func(tx *pg.Tx) error { // a number that nobody will ever bring
		_ = tx.Publish(t.Context(), ripe{"undone"})
		return fmt.Errorf("undo after %v", tx.Flush(t.Context()))
	})
	publish(t, db, ripe{"early too"})
	place(t, db, bus)
	if got := fmt.Sprint(placed(t, db)); got != "[early early too]" {
		t.Errorf("placed %s", got)
	}
	close(let)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	place(t, db, bus)
	if got := fmt.Sprint(placed(t, db)); got != "[early early too late]" {
		t.Errorf("placed %s", got)
	}
}

func TestNothingIsSkippedAndSubjectsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	db, bus := pgtest.New(t), event.NewBus()
	var told []event.Telling
	bus.Forward(func(_ context.Context, tx *pg.Tx, all []event.Telling) error {
		tx.After(func() { told = append(told, all...) })
		return nil
	})
	db.Use(nil, bus)
	if _, err := db.Exec(t.Context(), `insert into platform.timer (kind, subject, due, next_at, tries) select 'n', s::text, now(), now(), 0 from generate_series(0, 4) s`); err != nil {
		t.Fatal(err)
	}
	const writers, each = 8, 40
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				err := db.InTx(t.Context(), func(tx *pg.Tx) error {
					// The subject is locked after the transaction has its own number.
					tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('x', $1, now(), now())`, fmt.Sprint(w, n))
					count, err := pg.Value[int](t.Context(), tx, nil, `update platform.timer set tries = tries + 1 where kind = 'n' and subject = $1 returning tries`, fmt.Sprint((w+n)%5))
					if err != nil {
						return err
					}
					if err := tx.Publish(t.Context(), counted{fmt.Sprint((w + n) % 5), count}); err != nil {
						return err
					}
					if (w*n)%7 == 3 {
						_ = tx.Flush(t.Context())
						time.Sleep(3 * time.Millisecond)
					}
					if (w+n)%11 == 5 && count%2 == 0 {
						return fmt.Errorf("undo")
					}
					return nil
				})
				if err != nil && err.Error() != "undo" {
					t.Error(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	var placing sync.WaitGroup
	placing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				if _, err := bus.Place(t.Context(), db); err != nil {
					t.Error(err)
				}
			}
		}
	})
	wg.Wait()
	close(stop)
	placing.Wait()
	place(t, db, bus)
	written, err := pg.Value[int](t.Context(), db, nil, `select count(*) from platform.event`)
	if err != nil || len(told) != written {
		t.Fatalf("%d events were told of %d (%v)", len(told), written, err)
	}
	last := map[string]int64{}
	for i, e := range told {
		if e.Pos != int64(i)+1 {
			t.Fatalf("the event at %d has the place %d", i, e.Pos)
		}
		n, err := pg.Value[int64](t.Context(), db, nil, `select (payload->>'n')::bigint from platform.event where id = $1`, e.ID)
		if err != nil || n != last[e.Subject]+1 {
			t.Fatalf("of %s, %d came after %d (%v)", e.Subject, n, last[e.Subject], err)
		}
		last[e.Subject] = n
	}
}

type counted struct {
	Of string `json:"of"`
	N  int    `json:"n"`
}

func (counted) EventType() string { return "test.counted" }
func (e counted) Subject() string { return e.Of }

func TestWhatConcernsNobodyIsToldToNobody(t *testing.T) {
	t.Parallel()
	db, bus := pgtest.New(t), event.NewBus()
	db.Use(nil, bus)
	event.Tell(bus, 1, "A fruit is ripe.", func(_ context.Context, _ *pg.Tx, e ripe) (map[string]ripe, error) {
		return map[string]ripe{"": e, "org_a": e}, nil
	})
	publish(t, db, ripe{"fig"})
	place(t, db, bus)
	to, err := pg.Column[string](t.Context(), db, `select member from platform.telling`)
	if err != nil || fmt.Sprint(placed(t, db), to) != "[fig] [org_a]" {
		t.Errorf("placed %s, told to %s (%v)", placed(t, db), to, err)
	}
}
