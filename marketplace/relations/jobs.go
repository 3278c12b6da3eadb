package relations

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// The timers, each about a system. Those who have something to say set the first
// unless it is set; who has spoken with the system sets the second to when there
// is more to say, or to when it may be asked again.
const (
	timerSoon  = "relations.soon"
	timerLater = "relations.later"
)

const (
	gather = 2 * time.Second   // what comes within it is said together
	lease  = 100 * time.Second // longer than any job that speaks with a system
)

// Syncing says to a system what there is to say.
type Syncing struct {
	Partner string `json:"partner"`
}

// Kind names the job.
func (Syncing) Kind() string { return "relations.sync" }

// Work says what relations' jobs and timers do.
func (s *Service) Work(w *job.Workers, t *job.Timers) {
	job.Handle(w, func(ctx context.Context, a Syncing) error { return s.Sync(ctx, a.Partner) })
	t.Handle(timerSoon, s.start)
	t.Handle(timerLater, s.start)
}

// start has a job speak with a system; a timer wakes another, should that be lost.
func (s *Service) start(ctx context.Context, tx *pg.Tx, partner string) error {
	if _, err := s.system(ctx, tx, partner); err != nil {
		if errors.Is(err, ErrPartner) {
			return nil // it was taken out of the settings
		}
		return err
	}
	tx.Enqueue(Syncing{partner}, &river.InsertOpts{Queue: job.Relations, MaxAttempts: 3})
	job.Set(tx, timerLater, partner, tx.Now().Add(lease+gather))
	return nil
}

// soon has a system hear what there is to say.
func (s *Service) soon(tx *pg.Tx, partner string) {
	job.SetOnce(tx, timerSoon, partner, tx.Now().Add(gather))
}

// wake is soon of all systems.
func (s *Service) wake(tx *pg.Tx, all []System) {
	for _, x := range all {
		s.soon(tx, x.ID)
	}
}
