package operations

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/job"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// send takes an intent to its partner: the sending commits before the call,
// the outcome after it. Two runs at once send once: the second finds no intent.
func (e *Engine) send(ctx context.Context, opID string) error {
	o, ours, err := e.begin(ctx, opID)
	if errors.Is(err, ErrNotFound) {
		return job.Cancel(err)
	}
	if errors.Is(err, ErrHalted) {
		return nil // its timer tries again
	}
	if err != nil || !ours {
		return err
	}
	h := e.handlers[o.Kind]
	_, err = e.Call(ctx, []Operation{o}, func(ctx context.Context) outbound.Result { return h.Send(ctx, o) })
	return err
}

// begin commits that an operation is being sent, if it is ours to send.
func (e *Engine) begin(ctx context.Context, opID string) (o Operation, ours bool, err error) {
	err = e.db.InTx(ctx, func(tx *pg.Tx) error {
		was, err := lock(ctx, tx, opID)
		if err != nil {
			return err
		}
		if o, ours, err = e.take(ctx, tx, was); err != nil || o.State == was.State {
			return err
		}
		o, err = e.move(ctx, tx, was, o)
		return err
	})
	return o, ours && err == nil, err
}

// take begins a sending, unless payments are halted: ErrHalted. What may have
// left us before needs the connector's certificate to leave again.
func (e *Engine) take(ctx context.Context, tx *pg.Tx, o Operation) (_ Operation, ours bool, err error) {
	if o.State == Intent {
		if err := e.mayLeave(ctx, tx, o.Kind); err != nil {
			return o, false, err
		}
	}
	p := e.handlers[o.Kind].Policy
	if o.State == Intent && o.Gone > 0 {
		if p, err = e.proved(ctx, tx, o, p); err != nil {
			return o, false, err
		}
	}
	o, ours = o.Send(tx.Now(), p)
	return o, ours, nil
}

// Call makes the call that carries operations which are being sent (all of one
// policy), and records for each what came of it. It looks at the clock first: a
// worker that was held up between its commit and its call does not make it, so
// that no call is ever under way when its lease is over.
func (e *Engine) Call(ctx context.Context, ops []Operation, call func(ctx context.Context) outbound.Result) (outbound.Result, error) {
	if len(ops) == 0 {
		return outbound.Result{}, errors.New("a call carries at least one operation")
	}
	now, err := clock.Now(ctx, e.db)
	if err != nil {
		return outbound.Result{}, fmt.Errorf("look at the clock before a call: %w", err) // the lease makes it unknown
	}
	deadline := e.handlers[ops[0].Kind].Policy.Or(DefaultPolicy).Deadline
	r := outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Cancelled, Text: "held up until too little of its lease was left"}
	if inTime(ops, now, deadline) {
		bounded, cancel := context.WithTimeout(ctx, deadline)
		defer cancel()
		r = e.guarded(bounded, ops[0].Kind, call)
	}
	err = e.record(ctx, func(ctx context.Context, tx *pg.Tx) error {
		for _, o := range ops {
			if err := e.said(ctx, tx, o.ID, word{o.Tries, Answer, r, "", tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	return r, err
}

// inTime says whether a call with this deadline ends within each lease.
func inTime(ops []Operation, now time.Time, deadline time.Duration) bool {
	for _, o := range ops {
		if o.LeaseUntil == nil || o.LeaseUntil.Sub(now) <= deadline {
			return false
		}
	}
	return true
}

// Outcome records a word on each of some operations. When that fails they stay
// as they are, and inquiry finds out.
func (e *Engine) Outcome(ctx context.Context, from Source, r outbound.Result, opIDs ...string) error {
	return e.record(ctx, func(ctx context.Context, tx *pg.Tx) error {
		for _, opID := range opIDs {
			if _, err := e.Heard(ctx, tx, opID, from, r, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// inquire asks the partner. What it says is true of when it was asked: whatever
// was sent meanwhile it may not have seen.
func (e *Engine) inquire(ctx context.Context, opID string) error {
	o, err := load(ctx, e.db, opID)
	if errors.Is(err, ErrNotFound) {
		return job.Cancel(err)
	}
	if err != nil || o.Done() || o.State == Intent || o.State == Review {
		return err
	}
	h := e.handlers[o.Kind]
	if h.Inquire == nil {
		return nil
	}
	asked, err := clock.Now(ctx, e.db)
	if err != nil {
		return err
	}
	r := h.Inquire(ctx, o)
	return e.record(ctx, func(ctx context.Context, tx *pg.Tx) error {
		return e.said(ctx, tx, o.ID, word{o.Tries, Inquiry, r, "", asked})
	})
}

func (e *Engine) said(ctx context.Context, tx *pg.Tx, opID string, w word) error {
	o, err := lock(ctx, tx, opID)
	if err != nil {
		return err
	}
	_, err = e.heard(ctx, tx, o, w)
	return err
}

// record writes down what a partner said, also when its job was told to stop.
func (e *Engine) record(ctx context.Context, f func(ctx context.Context, tx *pg.Tx) error) error {
	ctx = context.WithoutCancel(ctx)
	if err := e.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) }); err != nil {
		return fmt.Errorf("record what a partner said: %w", err)
	}
	return nil
}
