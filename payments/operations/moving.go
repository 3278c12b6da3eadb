package operations

import (
	"context"
	"fmt"
	"log/slog"

	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
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

// elsewhere ends an operation that surely did not happen and begins it anew at
// another connector, if its domain has one. The old one is rejected before the
// new one is written, or the database refuses: a subject has one live operation
// of a kind.
func (e *Engine) elsewhere(ctx context.Context, tx *pg.Tx, was, o Operation, r outbound.Result) (bool, error) {
	h := e.handlers[o.Kind]
	unsent := was.State == Sending && o.State == Intent && o.Gone == 0
	declined := !was.Done() && o.State == Rejected && r.Elsewhere
	if h.Elsewhere == nil || !unsent && !declined {
		return false, nil
	}
	in, ok, err := h.Elsewhere(ctx, tx, o)
	if err != nil || !ok {
		return false, err
	}
	if in.Subject != o.Subject || in.Kind != o.Kind || !in.Amount.Equal(o.Money()) || in.Connector == o.Connector {
		return false, fmt.Errorf("%s %s cannot be taken elsewhere as %+v", o.Kind, o.ID, in)
	}
	if unsent {
		o.Proof = Answer
	}
	o.State, o.Why, o.ChangedAt = Rejected, join("taken to "+in.Connector+":", o.Why), tx.Now()
	save(tx, o)
	e.plan(tx, was, o)
	next := e.Intend(tx, in)
	slog.WarnContext(ctx, "operation taken elsewhere", "operation", o.ID, "kind", o.Kind, "subject", o.Subject,
		"our_ref", o.Ref, "partner", o.Connector, "to", next.Connector, "now", next.ID, "why", o.Why)
	return true, nil
}
