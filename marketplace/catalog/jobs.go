package catalog

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// The timers: labelTimer fires when a label begins, draws near its end or ends;
// turnTimer when an offer can be had again, or no longer, without anybody doing
// anything: a new week, a date that begins; importTimer when nobody has gone on
// with an import for a while, and when what is kept of one may go.
const (
	labelTimer  = "catalog.label"
	turnTimer   = "catalog.turn"
	importTimer = "catalog.import"
)

// keepImports is how long an import's file and verdicts are kept.
const keepImports = 90 * 24 * time.Hour

// An importJob goes on with an import.
type importJob struct {
	Import string `json:"import"`
}

// Kind names the job.
func (importJob) Kind() string { return "catalog.import" }

// Work says what the catalogue's jobs do.
func Work(w *job.Workers, s *Service) {
	job.Handle(w, func(ctx context.Context, j importJob) error { return s.Continue(ctx, j.Import) })
}

// wake has a job go on with an import, and looks again should that be lost; of
// one that ended long ago it takes away what was kept.
func (s *Service) wake(ctx context.Context, tx *pg.Tx, imp string) error {
	i, err := findImport(ctx, tx, imp)
	switch {
	case err != nil:
		return ignore(err, ErrNoImport)
	case i.State == ImportRunning: // whoever is at work on it holds it: nobody waits for that here
		tx.Enqueue(importJob{imp}, &river.InsertOpts{Queue: job.Bulk, MaxAttempts: 3})
		job.Set(tx, importTimer, imp, tx.Now().Add(lease))
		return nil
	case tx.Now().Before(i.FinishedAt.Add(keepImports)):
		job.Set(tx, importTimer, imp, i.FinishedAt.Add(keepImports))
		return nil
	}
	file, err := forgetImport(ctx, tx, imp)
	if err != nil || file == "" {
		return ignore(err, ErrNoImport)
	}
	s.files.Release(tx, file, imp)
	return nil
}

// Timers says what the catalogue's timers do.
func Timers(t *job.Timers, s *Service) {
	t.Handle(labelTimer, s.turnLabel)
	t.Handle(importTimer, s.wake)
	t.Handle(turnTimer, func(ctx context.Context, tx *pg.Tx, offer string) error {
		_, err := s.reindex(ctx, tx, offer)
		return err
	})
}

// remind sets the timer for the next time at which buyers find the offer
// otherwise.
func remind(tx *pg.Tx, o Offer) {
	if due, ok := o.turns(tx.Now()); ok {
		job.Set(tx, turnTimer, o.ID, due)
	}
}

// turns is when what can be had of the offer next changes by itself: on Monday
// for what is booked out this week, and when a date begins.
func (o Offer) turns(at time.Time) (time.Time, bool) {
	if o.State != Published {
		return time.Time{}, false
	}
	var all []time.Time
	for _, v := range o.Variants {
		if v.StartsAt != nil && v.StartsAt.After(at) {
			all = append(all, *v.StartsAt)
		}
		if v.Policy == MadeToOrder && v.Available() == 0 {
			all = append(all, monday(at).AddDate(0, 0, 7))
		}
	}
	if len(all) == 0 {
		return time.Time{}, false
	}
	return slices.MinFunc(all, time.Time.Compare), true
}

func dayAfter(day string) string { return dayOf(day, 1).Format(time.DateOnly) }

// ignore is err, or nil when it is that sentinel.
func ignore(err, sentinel error) error {
	if errors.Is(err, sentinel) {
		return nil
	}
	return err
}
