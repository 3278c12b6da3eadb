package ledger

import (
	"context"

	"tiwiza/pkg/pg"
)

// Balances are the balances of accounts by code, in centimes; those that were
// never used are left out.
func (b *Books) Balances(ctx context.Context, db pg.DB, currency string, codes ...string) (map[string]int64, error) {
	return balances(ctx, db, currency, codes)
}

// Free locks accounts that have a floor for the rest of tx, in the order in
// which Post locks them, and says what could be taken out of each: its balance
// less what is kept back. An account that was never used has nothing in it.
func (b *Books) Free(ctx context.Context, tx *pg.Tx, currency string, codes ...string) (map[string]int64, error) {
	return lockedFree(ctx, tx, currency, codes)
}
