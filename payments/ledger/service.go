package ledger

import (
	"context"
	"sync"
	"sync/atomic"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/pg"
)

// Books posts transfers and reads balances. It is safe for use by many
// goroutines.
type Books struct {
	db       *pg.Store
	accounts register
	ids      ids
	turn     atomic.Uint32 // which shard of busy accounts the next batch moves

	approvals *approvals.Service // nil: nobody can close periods over the interface
}

// New returns the books kept in db.
func New(db *pg.Store) *Books { return &Books{db: db} }

// Post writes a transfer as part of tx. Posting the same key with the same
// content again changes nothing; with other content it is ErrReused.
//
// The writes are queued: they go out with tx's next round trip, and ErrReused
// and ErrOverdraft come back from there, undoing the whole unit of work.
func (b *Books) Post(ctx context.Context, tx *pg.Tx, t Transfer) error {
	t, err := t.Check()
	if err != nil {
		return err
	}
	accounts, err := b.open(ctx, tx, t)
	if err != nil {
		return err
	}
	n, err := b.ids.next(ctx, tx)
	if err != nil {
		return err
	}
	post(tx, n, t, accounts)
	if t.alone != nil {
		countAlone(tx, n, *t.alone)
	}
	return nil
}

// open finds the account of each leg, and opens those used for the first time.
func (b *Books) open(ctx context.Context, tx *pg.Tx, t Transfer) ([]known, error) {
	found := make([]known, len(t.Legs))
	var missing []Account
	for i, l := range t.Legs {
		if k, ok := b.accounts.find(l.Account, t.Currency); ok {
			found[i] = k
			continue
		}
		a, err := Find(l.Account)
		if err != nil {
			return nil, err
		}
		missing = append(missing, a)
	}
	if len(missing) == 0 {
		return found, nil
	}
	opened, err := openAccounts(ctx, tx, missing, t.Currency)
	if err != nil {
		return nil, err
	}
	for i, l := range t.Legs {
		if k, ok := opened[l.Account]; ok {
			found[i] = k
			tx.After(func() { b.accounts.enter(l.Account, t.Currency, k) })
		}
	}
	return found, nil
}

// ids hands out transfer ids from blocks of the database's sequence. A block is
// taken on the caller's own connection: waiting for a second one while holding
// locks could wait for ever.
type ids struct {
	mu        sync.Mutex
	cursor    int64
	remaining int64
}

const block = 100

func (i *ids) next(ctx context.Context, db pg.DB) (int64, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for i.remaining == 0 {
		i.mu.Unlock() // nobody waits for our round trip, which may wait for locks
		n, err := nextBlock(ctx, db)
		i.mu.Lock()
		if err != nil {
			return 0, err
		}
		if i.remaining == 0 {
			i.cursor, i.remaining = n, block
		}
	}
	n := i.cursor
	i.cursor++
	i.remaining--
	return n, nil
}

// some hands out up to n ids that are at hand.
func (i *ids) some(n int) []int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	out := make([]int64, 0, n)
	for i.remaining > 0 && len(out) < n {
		out = append(out, i.cursor)
		i.cursor++
		i.remaining--
	}
	return out
}

// from hands out n ids of new blocks, and keeps the rest if there are none at
// hand; ids may be missing in the books.
func (i *ids) from(blocks []int64, n int) []int64 {
	out := make([]int64, 0, n)
	for _, first := range blocks {
		some := min(block, n-len(out))
		for k := range some {
			out = append(out, first+int64(k))
		}
		if some < block {
			i.mu.Lock()
			if i.remaining == 0 {
				i.cursor, i.remaining = first+int64(some), block-int64(some)
			}
			i.mu.Unlock()
		}
	}
	return out
}

// Balance is what stands in an account on its normal side, in centimes. An
// account that was never used has nothing in it.
func (b *Books) Balance(ctx context.Context, db pg.DB, code, currency string) (int64, error) {
	return balance(ctx, db, code, currency)
}
