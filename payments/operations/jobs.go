package operations

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

const (
	timerInquire = "operations.inquire" // by then at the latest the partner is asked
	timerSend    = "operations.send"    // what did not leave leaves again
)

var partners = river.InsertOpts{Queue: job.Partners}

type sendJob struct {
	Operation string `json:"operation"`
}

// Kind names the job.
func (sendJob) Kind() string { return "operations.send" }

type inquireJob struct {
	Operation string `json:"operation"`
}

// Kind names the job.
func (inquireJob) Kind() string { return "operations.inquire" }

// Work registers the engine's jobs and timers.
func (e *Engine) Work(w *job.Workers, t *job.Timers) {
	job.Handle(w, func(ctx context.Context, j sendJob) error { return e.send(ctx, j.Operation) })
	job.Handle(w, func(ctx context.Context, j inquireJob) error { return e.inquire(ctx, j.Operation) })
	t.Handle(timerSend, func(ctx context.Context, tx *pg.Tx, op string) error {
		o, err := lock(ctx, tx, op)
		if err != nil || o.State != Intent {
			return err
		}
		job.Set(tx, timerSend, op, tx.Now().Add(max(time.Minute, o.NextTry()))) // should the job get lost
		tx.Enqueue(sendJob{op}, &partners)
		return nil
	})
	t.Handle(timerInquire, e.due)
}

// due is the inquiry's timer. It sets itself again before it asks, so that an
// operation without an end always has a look ahead of it. What is with people
// is not asked about, but they are called again.
func (e *Engine) due(ctx context.Context, tx *pg.Tx, opID string) error {
	o, err := lock(ctx, tx, opID)
	if errors.Is(err, ErrNotFound) || err == nil && (o.Done() || o.State == Intent) {
		return nil
	}
	if err != nil {
		return err
	}
	next := o
	if lapsed, ok := o.Lapse(tx.Now()); ok {
		next = lapsed
	}
	if next.State == Sending { // its sender is still at it
		job.Set(tx, timerInquire, opID, *next.LeaseUntil)
		return nil
	}
	next.Inquiries++
	next, called := next.Page(tx.Now())
	if next, err = e.move(ctx, tx, o, next); err != nil {
		return err
	}
	if called {
		if err := e.page(ctx, tx, next); err != nil {
			return err
		}
	}
	job.Set(tx, timerInquire, opID, next.NextLook(tx.Now()))
	if next.State != Review {
		tx.Enqueue(inquireJob{opID}, &partners)
	}
	return nil
}
