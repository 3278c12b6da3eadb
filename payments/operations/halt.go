package operations

import (
	"context"
	"errors"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// ErrHalted says that somebody has stopped all money that leaves us.
var ErrHalted = fault.New(fault.Conflict, "operations.halted", "All payments out are halted; two people can let them go on.")

// HaltBy tells the engine how to ask whether payments are halted. It is called
// at start.
func (e *Engine) HaltBy(halted func(ctx context.Context, db pg.DB) (bool, error)) { e.halted = halted }

// Halted says whether payments are halted now.
func (e *Engine) Halted(ctx context.Context, db pg.DB) (bool, error) {
	if e.halted == nil {
		return false, nil
	}
	return e.halted(ctx, db)
}

// mayLeave is ErrHalted when money leaves by a kind, and none may. It is asked
// in the transaction that marks an operation as being sent.
func (e *Engine) mayLeave(ctx context.Context, db pg.DB, kind string) error {
	if !e.handlers[kind].Out {
		return nil
	}
	halted, err := e.Halted(ctx, db)
	if err == nil && halted {
		err = ErrHalted
	}
	return err
}

// look is how often a call under way asks whether payments are halted.
const look = time.Second

// guarded makes a call that carries operations of a kind. When money leaves by
// it, it is asked once more whether any may, and a halt in the middle cuts the
// call short: what has not left does not, and what may have is Unknown.
func (e *Engine) guarded(ctx context.Context, kind string, call func(context.Context) outbound.Result) outbound.Result {
	if !e.handlers[kind].Out {
		return call(ctx)
	}
	if err := e.mayLeave(ctx, e.db, kind); err != nil {
		return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Cancelled, Text: err.Error(), Err: err}
	}
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan struct{})
	defer func() { cancel(); <-watched }()
	go func() {
		defer close(watched)
		tick := time.NewTicker(look)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if errors.Is(e.mayLeave(ctx, e.db, kind), ErrHalted) {
				cancel()
			}
		}
	}()
	return call(ctx)
}
