package pg_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

var errMissed = fault.New(fault.Conflict, "test.missed", "It was not there.")

func TestQueuedWritesAreOneUnit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('a', '1', now(), now())`)
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('a', null, now(), now())`)
		return nil
	})
	if pg.Code(err) != "23502" {
		t.Fatalf("error = %v, want the not-null refusal", err)
	}
	if n := timers(t, db); n != 0 {
		t.Errorf("%d timers stand, want none of a failed unit", n)
	}
}

func TestQueueOneMissedUndoesTheUnit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('a', '1', now(), now())`)
		tx.QueueOne(errMissed, `update platform.timer set tries = 1 where kind = 'b'`)
		return nil
	})
	if !errors.Is(err, errMissed) {
		t.Fatalf("error = %v, want %v", err, errMissed)
	}
	if n := timers(t, db); n != 0 {
		t.Errorf("%d timers stand, want none", n)
	}
}

func TestASwallowedErrorDoesNotCommitHalfAUnit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('a', '1', now(), now())`)
		tx.QueueOne(errMissed, `update platform.timer set tries = 1 where kind = 'b'`)
		_, _ = pg.Value[int](t.Context(), tx, errMissed, `select 1`) // makes something else of what comes back
		return nil
	})
	if !errors.Is(err, errMissed) || timers(t, db) != 0 {
		t.Errorf("error %v and %d timers, want %v and none", err, timers(t, db), errMissed)
	}
}

func TestReadsSeeQueuedWrites(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('a', '1', $1, $1)`, tx.Now())
		n, err := pg.Value[int](t.Context(), tx, errMissed, `select count(*) from platform.timer`)
		if err == nil && n != 1 {
			t.Errorf("the unit sees %d timers, want its own", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := timers(t, db); n != 1 {
		t.Errorf("%d timers stand after the commit, want 1", n)
	}
}

func TestAnErrorUndoesTheUnit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	after := false
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.After(func() { after = true })
		if _, err := tx.Exec(t.Context(), `insert into platform.timer (kind, subject, due, next_at) values ('a', '1', now(), now())`); err != nil {
			return err
		}
		return errMissed
	})
	if !errors.Is(err, errMissed) || timers(t, db) != 0 || after {
		t.Errorf("error %v, %d timers, after ran: %t; want the error, none, false", err, timers(t, db), after)
	}
}

func TestWhatFollowsACommitFindsAConnection(t *testing.T) {
	t.Parallel()
	db := pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var follows error
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('a', '1', now(), now())`)
		tx.After(func() { _, follows = pg.Value[int](ctx, db, errMissed, `select 1`) })
		return nil
	})
	if err != nil || follows != nil {
		t.Errorf("the unit: %v, what follows it: %v; want neither to fail", err, follows)
	}
}

func TestTheHubMayOnlyInsertIntoTheTrail(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	insert := func() error {
		_, err := db.Exec(t.Context(), `insert into platform.audit (action, subject, policy) values ('a', 'b', 'c')`)
		return err
	}
	if err := insert(); err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{`update platform.audit set actor = 'x'`, `delete from platform.audit`, `truncate platform.audit`, `update platform.event set type = ''`, `create table platform.x (a int)`, `alter table platform.audit disable trigger all`} {
		if _, err := db.Exec(t.Context(), sql); pg.Code(err) != "42501" {
			t.Errorf("%s: %v, want permission denied", sql, err)
		}
	}
}

func TestThePrincipalIsSetInEachUnit(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := auth.With(t.Context(), auth.Principal{Key: "key_1", Subject: "org_1", Role: auth.Seller})
	actor := func(ctx context.Context) (a string) {
		err := db.InTx(ctx, func(tx *pg.Tx) (err error) {
			a, err = pg.Value[string](ctx, tx, nil, `select platform.principal()`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if got, want := actor(ctx), "seller org_1/key_1"; got != want {
		t.Errorf("principal = %q, want %q", got, want)
	}
	if got, want := actor(t.Context()), "guest"; got != want {
		t.Errorf("principal of the next unit = %q, want %q", got, want)
	}
}

func TestDeadlocksRunAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, k := range []string{"a", "b"} {
		if _, err := db.Exec(t.Context(), `insert into platform.timer (kind, subject, due, next_at) values ($1, '', now(), now())`, k); err != nil {
			t.Fatal(err)
		}
	}
	var met sync.WaitGroup // both hold their first row before they want the other's
	met.Add(2)
	runs := make(chan int, 2)
	flow := func(first, second string) {
		n := 0
		err := db.InTx(t.Context(), func(tx *pg.Tx) error {
			n++
			for i, k := range []string{first, second} {
				if _, err := tx.Exec(t.Context(), `update platform.timer set tries = tries + 1 where kind = $1`, k); err != nil {
					return err
				}
				if n == 1 && i == 0 {
					met.Done()
					met.Wait()
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		runs <- n
	}
	go flow("a", "b")
	go flow("b", "a")
	if n := <-runs + <-runs; n != 3 {
		t.Errorf("the two units ran %d times, want 3: one deadlock, run again", n)
	}
	n, err := pg.Value[int](t.Context(), db, nil, `select sum(tries) from platform.timer`)
	if err != nil || n != 4 {
		t.Errorf("tries add up to %d (%v), want 4", n, err)
	}
}

func TestALostCommitIsInDoubt(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db, trap := pgtest.Open(t, url, pg.Options{MaxConns: 2}), pgtest.NewTrap(t, url, "platform.timer")
	trap.Arm() // the server ends this very connection inside the commit
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('a', '1', now(), now())`)
		return nil
	})
	if !errors.Is(err, pg.ErrInDoubt) || !trap.Sprung() {
		t.Errorf("error = %v, want in doubt", err)
	}
}

func TestACommitWithoutAnAnswerIsInDoubt(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	pg.SetPatience(db, 200*time.Millisecond)
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		tx.Queue(`select pg_sleep(2)`)
		return nil
	})
	if !errors.Is(err, pg.ErrInDoubt) {
		t.Errorf("error = %v, want in doubt", err)
	}
	if n := timers(t, db); n != 0 { // on a connection of its own: the late answer is nobody's
		t.Errorf("%d timers, want none", n)
	}
}

func timers(t *testing.T, db *pg.Store) int {
	t.Helper()
	n, err := pg.Value[int](t.Context(), db, nil, `select count(*) from platform.timer`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
