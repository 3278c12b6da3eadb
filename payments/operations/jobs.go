package operations

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/lanes"
	"tiwiza/pkg/pg"
)

const (
	timerInquire = "operations.inquire" // by then at the latest the partner is asked
	timerSend    = "operations.send"    // what did not leave leaves again
)

// QueueOf has the jobs of these connectors wait in queues of their own, so that
// one that is slow holds up no other. Whoever works them is told the same names.
// It is called at start.
func (e *Engine) QueueOf(connectors ...string) *Engine {
	e.queues = map[string]bool{}
	for _, c := range connectors {
		e.queues[c] = true
	}
	return e
}

// Queue is where the jobs wait that ask a connector something.
func (e *Engine) Queue(connector string) *river.InsertOpts {
	if e.queues[connector] {
		return &river.InsertOpts{Queue: job.PartnerQueue(connector)}
	}
	return &river.InsertOpts{Queue: job.Partners}
}

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

// Subscribe has what waits for a partner tried at once when it answers again.
func (e *Engine) Subscribe(b *event.Bus) {
	event.Subscribe(b, "operations", func(ctx context.Context, tx *pg.Tx, c lanes.Changed) error {
		if c.Change != "closed" && c.Change != "resumed" {
			return nil
		}
		return e.Wake(ctx, tx, c.Partner)
	})
}

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
		tx.Enqueue(sendJob{op}, e.Queue(o.Connector))
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
		tx.Enqueue(inquireJob{opID}, e.Queue(next.Connector))
	}
	return nil
}
