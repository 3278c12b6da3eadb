package operations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
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
		job.Set(tx, timerSend, op, tx.Now().Add(max(time.Minute, NextInquiry(o.Inquiries)))) // should the job get lost
		tx.Enqueue(sendJob{op}, &partners)
		return nil
	})
	t.Handle(timerInquire, e.due)
}

// send takes an intent to its partner: the sending commits before the call,
// the outcome after it. Two runs at once send once: the second finds no intent.
func (e *Engine) send(ctx context.Context, opID string) error {
	var o Operation
	var ours bool
	err := e.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		if o, err = lock(ctx, tx, opID); err != nil {
			return err
		}
		var next Operation
		if next, ours = o.Send(tx.Now(), e.handlers[o.Kind].Policy); !ours {
			return nil
		}
		o, err = e.move(ctx, tx, o, next)
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return job.Cancel(err)
	}
	if err != nil || !ours {
		return err
	}
	return e.Outcome(ctx, Answer, e.handlers[o.Kind].Send(ctx, o), o.ID)
}

// Outcome records what came of a call for each of the operations it carried.
// When that fails they stay sending, and their lease makes them unknown.
func (e *Engine) Outcome(ctx context.Context, from Source, r outbound.Result, opIDs ...string) error {
	ctx = context.WithoutCancel(ctx)
	err := e.db.InTx(ctx, func(tx *pg.Tx) error {
		for _, opID := range opIDs {
			if _, err := e.Heard(ctx, tx, opID, from, r, ""); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("record what %s said: %w", from, err)
	}
	return nil
}

// due is the inquiry's timer. It sets itself again before it asks, so that an
// operation without an end always has an inquiry ahead of it (I16).
func (e *Engine) due(ctx context.Context, tx *pg.Tx, opID string) error {
	o, err := lock(ctx, tx, opID)
	if errors.Is(err, ErrNotFound) || err == nil && (o.Done() || o.State == Intent || o.State == Review) {
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
	if _, err := e.move(ctx, tx, o, next); err != nil {
		return err
	}
	job.Set(tx, timerInquire, opID, tx.Now().Add(NextInquiry(next.Inquiries)))
	tx.Enqueue(inquireJob{opID}, &partners)
	return nil
}

func (e *Engine) inquire(ctx context.Context, opID string) error {
	o, err := load(ctx, e.db, opID)
	if errors.Is(err, ErrNotFound) {
		return job.Cancel(err)
	}
	if err != nil || o.Done() || o.State == Intent {
		return err
	}
	h := e.handlers[o.Kind]
	if h.Inquire == nil {
		return nil
	}
	return e.Outcome(ctx, Inquiry, h.Inquire(ctx, o), o.ID)
}
