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

// Fixed are the balances of accounts, whatever their floor, each locked in all its
// parts: what is read stays so for the rest of tx. Whoever takes it from a busy
// account has everybody wait who posts to it, and asks for nothing afterwards that
// one of those may have.
func (b *Books) Fixed(ctx context.Context, tx *pg.Tx, currency string, codes ...string) (map[string]int64, error) {
	return lockedBalances(ctx, tx, currency, codes)
}
