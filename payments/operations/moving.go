package operations

import (
	"context"
	"fmt"
	"log/slog"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// move saves what an operation has become, schedules what follows, and tells
// its domain.
func (e *Engine) move(ctx context.Context, tx *pg.Tx, was, o Operation) (Operation, error) {
	o.ChangedAt = tx.Now()
	save(tx, o)
	o.Version++
	e.plan(tx, was, o)
	h := e.handlers[o.Kind]
	if o.ContradictedAt != nil && was.ContradictedAt == nil {
		return o, e.contradicted(ctx, tx, o)
	}
	if o.State == was.State {
		return o, nil
	}
	slog.InfoContext(ctx, "operation moved", "operation", o.ID, "kind", o.Kind, "subject", o.Subject, "our_ref", o.Ref,
		"partner", o.Connector, "from", string(was.State), "to", string(o.State), "why", o.Why)
	if h.Moved != nil {
		if err := h.Moved(ctx, tx, o, was.State); err != nil {
			return o, err
		}
	}
	if o.State == Review {
		return o, e.page(ctx, tx, o)
	}
	return o, nil
}

// plan sets the timer of what comes next for an operation.
func (e *Engine) plan(tx *pg.Tx, was, o Operation) {
	switch {
	case o.Done():
		job.Clear(tx, timerInquire, o.ID)
	case o.State == Intent && was.State != Intent:
		job.Clear(tx, timerInquire, o.ID)
		if e.handlers[o.Kind].Send != nil {
			job.Set(tx, timerSend, o.ID, tx.Now().Add(o.NextTry()))
		}
	case o.State != was.State && o.State != Intent:
		job.Set(tx, timerInquire, o.ID, o.NextLook(tx.Now()))
	}
}

// contradicted tells everybody that an operation did not end as it was booked.
func (e *Engine) contradicted(ctx context.Context, tx *pg.Tx, o Operation) error {
	slog.ErrorContext(ctx, "an operation is contradicted", "operation", o.ID, "kind", o.Kind, "subject", o.Subject,
		"our_ref", o.Ref, "partner", o.Connector, "ended", string(o.State), "why", o.Why)
	if h := e.handlers[o.Kind]; h.Contradicted != nil {
		if err := h.Contradicted(ctx, tx, o, o.State); err != nil {
			return err
		}
	}
	return tx.Publish(ctx, Contradicted{o.ID, o.Kind, o.Subject, o.Connector, o.Ref, o.Money(), o.State, o.Why})
}

// Elsewhere ends an operation that surely did not happen and begins it anew at
// another connector, in the caller's transaction. It did not happen when nothing
// ever left us, and a hosted page only takes money by our word: whoever gives
// that word sees to it that it is given once. The old one is rejected before the
// new one is written, or the database refuses: a subject has one live operation
// of a kind. Its domain is not told: the new one stands in its place.
func (e *Engine) Elsewhere(tx *pg.Tx, o Operation, in Intention, why string) (Operation, error) {
	unsent := o.State == Intent && o.Gone == 0 || o.State == Accepted && e.handlers[o.Kind].Hosted
	if !unsent || in.Subject != o.Subject || in.Kind != o.Kind || !in.Amount.Equal(o.Money()) || in.Connector == o.Connector {
		return o, fmt.Errorf("%s %s (%s at %s) cannot be taken elsewhere as %+v", o.Kind, o.ID, o.State, o.Connector, in)
	}
	was := o
	o.State, o.Proof, o.ChangedAt, o.Why = Rejected, Answer, tx.Now(), join("taken to "+in.Connector+":", why)
	save(tx, o)
	e.plan(tx, was, o)
	next := e.Intend(tx, in)
	slog.Warn("operation taken elsewhere", "operation", o.ID, "kind", o.Kind, "subject", o.Subject,
		"our_ref", o.Ref, "partner", o.Connector, "to", next.Connector, "now", next.ID, "why", o.Why)
	return next, nil
}

// page calls people to an operation that does not resolve itself.
func (e *Engine) page(ctx context.Context, tx *pg.Tx, o Operation) error {
	var age int64
	if o.FirstSentAt != nil {
		age = int64(tx.Now().Sub(*o.FirstSentAt).Seconds())
	}
	slog.ErrorContext(ctx, "an operation needs people", "operation", o.ID, "kind", o.Kind, "subject", o.Subject,
		"our_ref", o.Ref, "partner", o.Connector, "state", string(o.State), "age_seconds", age, "why", o.Why)
	return tx.Publish(ctx, Stuck{o.ID, o.Kind, o.Subject, o.Connector, o.Ref, o.Money(), o.State, age, o.Why})
}
