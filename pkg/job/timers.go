package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// Fire is what a timer does when it is due, in the unit of work that then takes
// the timer away. It locks what it is about before the timer's own row is
// touched, as everybody does who sets or clears timers. It re-checks the state it was set for: what it wanted may have
// happened already. Setting the same timer again inside Fire keeps it.
type Fire func(ctx context.Context, tx *pg.Tx, subject string) error

// FireMany is Fire of many timers of a kind in one unit of work. What it leaves
// is fired one by one; so is all of it when it fails.
type FireMany func(ctx context.Context, tx *pg.Tx, subjects []string) (left []string, err error)

// together is how many timers fire in one unit of work at most.
const together = 500

// Timers are rows that fire at the hub's time: one for each kind and subject.
type Timers struct {
	store *pg.Store
	fire  map[string]Fire
	many  map[string]FireMany
	kinds []string
}

// NewTimers makes a set without kinds.
func NewTimers(store *pg.Store) *Timers {
	return &Timers{store: store, fire: map[string]Fire{}, many: map[string]FireMany{}}
}

// Handle says what timers of a kind do. It is called at start.
func (t *Timers) Handle(kind string, f Fire) {
	t.fire[kind] = f
	t.kinds = append(t.kinds, kind)
}

// HandleMany says what timers of a kind that has a Fire do when many are due at
// once. It is called at start.
func (t *Timers) HandleMany(kind string, f FireMany) { t.many[kind] = f }

// Alone is the same set where each timer fires alone: what many do at once is
// held against it.
func (t *Timers) Alone() *Timers {
	return &Timers{store: t.store, fire: t.fire, kinds: t.kinds}
}

// Set has the timer fire at due, or moves it there.
func Set(tx *pg.Tx, kind, subject string, due time.Time) { schedule(tx, kind, subject, due) }

// SetOnce has the timer fire at due, unless it is set already.
func SetOnce(tx *pg.Tx, kind, subject string, due time.Time) { scheduleOnce(tx, kind, subject, due) }

// Clear takes the timer away; one that is not there is no matter.
func Clear(tx *pg.Tx, kind, subject string) { unschedule(tx, kind, subject) }

// Times are subjects, and when a timer of each fires.
type Times struct {
	subjects []string
	due      []time.Time
}

// Add has the timer of a subject fire at due.
func (t *Times) Add(subject string, due time.Time) {
	t.subjects, t.due = append(t.subjects, subject), append(t.due, due)
}

// SetAll is Set of timers of a kind, each at its time, in one statement.
func SetAll(tx *pg.Tx, kind string, t Times) {
	if len(t.subjects) > 0 {
		scheduleAll(tx, kind, t.subjects, t.due)
	}
}

// SetAllOnce is SetOnce of many timers of a kind for the same time.
func SetAllOnce(tx *pg.Tx, kind string, subjects []string, due time.Time) {
	scheduleAllOnce(tx, kind, subjects, due)
}

// ClearAll takes the timers of some kinds about some subjects away.
func ClearAll(tx *pg.Tx, kinds, subjects []string) { unscheduleAll(tx, kinds, subjects) }

// Due fires what is due now and says how many: one timer a unit of work, or many
// of a kind that can do so. A timer that fails waits, longer each time, and holds
// up no other.
func (t *Timers) Due(ctx context.Context) (fired int, err error) {
	ctx = auth.With(ctx, auth.Hub)
	for ctx.Err() == nil {
		var due []timer
		err := t.store.InTx(ctx, func(tx *pg.Tx) error {
			first, err := claim(ctx, tx, t.kinds)
			if err != nil {
				return err
			}
			due = []timer{first}
			if t.many[first.Kind] == nil {
				return nil
			}
			more, err := claimMore(ctx, tx, first.Kind, together-1)
			due = append(due, more...)
			return err
		})
		switch {
		case errors.Is(err, errNone):
			return fired, nil
		case err != nil:
			return fired, fmt.Errorf("take a timer: %w", err)
		}
		n := len(due)
		if n > 1 {
			due = t.fireMany(ctx, due)
		}
		fired += n - len(due)
		for _, cur := range due {
			done, err := t.fireOne(ctx, cur)
			if err != nil {
				return fired, err
			}
			if done {
				fired++
			}
		}
	}
	return fired, ctx.Err()
}

// fireMany fires timers of one kind at once and returns those it has not.
func (t *Timers) fireMany(ctx context.Context, due []timer) (rest []timer) {
	subjects := subjectsOf(due)
	var left []string
	err := t.store.InTx(ctx, func(tx *pg.Tx) (err error) {
		if left, err = t.many[due[0].Kind](ctx, tx, subjects); err != nil {
			return err
		}
		dropAll(tx, due, left)
		return nil
	})
	if err != nil {
		slog.WarnContext(ctx, "timers fire one by one", "kind", due[0].Kind, "timers", len(due), "error", err)
		return t.unfired(ctx, due)
	}
	return slices.DeleteFunc(due, func(d timer) bool { return !slices.Contains(left, d.Subject) })
}

// unfired are those of some timers that still stand as they were taken: the
// commit of a unit of work may have taken place though its answer was lost. When
// that cannot be read all of them are: each looks at its subject again.
func (t *Timers) unfired(ctx context.Context, due []timer) []timer {
	left, err := standing(ctx, t.store, due)
	if err != nil {
		return due
	}
	return slices.DeleteFunc(due, func(d timer) bool { return !slices.Contains(left, d.Subject) })
}

// fireOne fires a timer, or has it wait.
func (t *Timers) fireOne(ctx context.Context, cur timer) (done bool, err error) {
	err = t.store.InTx(ctx, func(tx *pg.Tx) error {
		if err := t.fire[cur.Kind](ctx, tx, cur.Subject); err != nil {
			return err
		}
		drop(tx, cur)
		return nil
	})
	switch {
	case err == nil:
		return true, nil
	case ctx.Err() != nil:
		return false, fmt.Errorf("fire a timer: %w", err)
	}
	slog.WarnContext(ctx, "timer failed", "kind", cur.Kind, "subject", cur.Subject, "tries", cur.Tries, "error", err)
	wait := min(time.Second<<min(cur.Tries, 9), 5*time.Minute)
	reason := err.Error()
	if err := t.store.InTx(ctx, func(tx *pg.Tx) error { return postpone(ctx, tx, cur, wait, reason) }); err != nil {
		return false, fmt.Errorf("postpone a timer: %w", err)
	}
	return false, nil
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
