package clock_test

import (
	"errors"
	"testing"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

func TestTimeMovesForwardForEveryHub(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	one, two := pgtest.Open(t, url, pg.Options{MaxConns: 2}), pgtest.Open(t, url, pg.Options{MaxConns: 2})
	now := func(db *pg.Store) time.Time {
		n, err := clock.Now(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := now(two)
	err := one.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := clock.Advance(t.Context(), tx, 72*time.Hour)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if moved := now(two).Sub(before); moved < 72*time.Hour || moved > 72*time.Hour+time.Minute {
		t.Errorf("the other hub's time moved by %s, want 72 h", moved)
	}
	err = one.InTx(t.Context(), func(tx *pg.Tx) error {
		if d := tx.Now().Sub(now(two)).Abs(); d > time.Minute {
			t.Errorf("a unit of work is %s away from the hub's time", d)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTimeDoesNotTurnBack(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, by := range []time.Duration{0, -time.Hour} {
		err := db.InTx(t.Context(), func(tx *pg.Tx) error {
			_, err := clock.Advance(t.Context(), tx, by)
			return err
		})
		if !errors.Is(err, clock.ErrBackwards) {
			t.Errorf("by %s: %v, want ErrBackwards", by, err)
		}
	}
	if _, err := db.Exec(t.Context(), `update platform.clock set shift = '-1 hour'`); pg.Code(err) != "23514" {
		t.Errorf("the database turned time back: %v", err)
	}
}
