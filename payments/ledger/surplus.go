package ledger

import (
	"context"

	"tiwiza/pkg/pg"
)

// Surplus is how much more clients' money there is than is owed to clients: our
// fees, VAT and what else is ours among it. It is never below zero (I12).
func (b *Books) Surplus(ctx context.Context, db pg.DB, currency string) (int64, error) {
	return surplus(ctx, db, currency)
}

// InFlight is what payouts and refunds under way will take.
func (b *Books) InFlight(ctx context.Context, db pg.DB, currency string) (int64, error) {
	return inFlight(ctx, db, currency)
}
