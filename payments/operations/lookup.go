package operations

import (
	"context"

	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Awaited lists up to limit operations of a connector that a statement may
// still show, of an amount in centimes; the oldest first.
func (e *Engine) Awaited(ctx context.Context, db pg.DB, connector string, amount int64, currency string, limit int) ([]Operation, error) {
	return awaited(ctx, db, connector, amount, currency, limit)
}

// ByRef returns the operation a connector knows by our reference as it stands, or
// ErrNotFound. Who acts on it locks it.
func (e *Engine) ByRef(ctx context.Context, db pg.DB, connector, ref string) (Operation, error) {
	return byRef(ctx, db, connector, ref)
}

// Wake has what waits to be sent to a connector tried at once: it answers again.
// It is idempotent.
func (e *Engine) Wake(ctx context.Context, tx *pg.Tx, connector string) error {
	ops, err := waitingAt(ctx, tx, connector, wakes)
	if err != nil {
		return err
	}
	var due job.Times
	for _, o := range ops {
		if h := e.handlers[o.Kind]; h.Send != nil {
			due.Add(o.ID, tx.Now())
		}
	}
	job.SetAll(tx, timerSend, due)
	return nil
}

// wakes bounds how many are tried at once; the others wait for their own time.
const wakes = 500

// ByID returns an operation, locked, or ErrNotFound.
func (e *Engine) ByID(ctx context.Context, tx *pg.Tx, opID string) (Operation, error) {
	return lock(ctx, tx, opID)
}
