package finance

import (
	"context"
	"errors"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// The timers, each about an application: when its state has lasted too long, when
// its bank's system is told something, and when that is asked how it stands.
const (
	timerDeadline = "finance.deadline"
	timerTell     = "finance.tell"
	timerAsk      = "finance.ask"
)

// Talking speaks with a bank's system about an application.
type Talking struct {
	Application string `json:"application"`
}

// Kind names the job.
func (Talking) Kind() string { return "finance.talk" }

// Work says what the jobs and timers of finance do.
func (s *Service) Work(w *job.Workers, t *job.Timers) {
	job.Handle(w, func(ctx context.Context, a Talking) error { return s.Talk(ctx, a.Application) })
	t.Handle(timerDeadline, s.lapse)
	t.Handle(timerTell, s.start)
	t.Handle(timerAsk, s.start)
}

// start has a job speak with the bank's system.
func (s *Service) start(_ context.Context, tx *pg.Tx, application string) error {
	tx.Enqueue(Talking{application}, nil)
	return nil
}

// setDeadline has an application end when its state has lasted too long.
func setDeadline(tx *pg.Tx, a Application) {
	if a.Deadline == nil {
		job.Clear(tx, timerDeadline, a.ID)
		return
	}
	job.Set(tx, timerDeadline, a.ID, *a.Deadline)
}

// lapse ends an application whose time is over.
func (s *Service) lapse(ctx context.Context, tx *pg.Tx, application string) error {
	a, err := lockApplication(ctx, tx, application)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || a.Deadline == nil || tx.Now().Before(*a.Deadline) {
		return err
	}
	was := a.State
	if a, err = a.Do(Expire, tx.Now()); err != nil {
		return err
	}
	saveApplication(tx, a)
	if a.Partner != "" && was != Draft {
		if err := s.sendNext(ctx, tx, a, "withdraw", "expired"); err != nil {
			return err
		}
	}
	insertStep(tx, a, "hub", string(was))
	audit.Record(tx, "finance.expire", a.ID, "", map[string]string{"from": string(was)})
	if was == Draft {
		return nil
	}
	return s.tell(ctx, tx, a, "hub")
}
