package operations

import (
	"context"

	"tiwiza/pkg/pg"
)

// Awaited lists up to limit operations of a connector that a statement may
// still show, of an amount in centimes; the oldest first.
func (e *Engine) Awaited(ctx context.Context, db pg.DB, connector string, amount int64, currency string, limit int) ([]Operation, error) {
	return awaited(ctx, db, connector, amount, currency, limit)
}

// ByID returns an operation, locked, or ErrNotFound.
func (e *Engine) ByID(ctx context.Context, tx *pg.Tx, opID string) (Operation, error) {
	return lock(ctx, tx, opID)
}
