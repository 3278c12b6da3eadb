package ledger

import (
	"context"

	"tiwiza/pkg/pg"
)

type reversible struct {
	ID         int64
	OrderID    string
	Reverses   *int64
	ReversedBy string
	Currency   string
	Accounts   []string
	Amounts    []int64
}

// lockTransfer reads a transfer that is to be taken back. Those who want to take
// the same one back come here one after the other; the row itself is never
// locked, as nobody may change it.
func lockTransfer(ctx context.Context, tx *pg.Tx, key string) (reversible, error) {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('ledger.reverse ' || $1, 0))`, key); err != nil {
		return reversible{}, err
	}
	return pg.One[reversible](ctx, tx, ErrTransfer, `select t.id, t.order_id, t.reverses, coalesce(max(r.key), '') as reversed_by,
			min(e.currency) as currency, array_agg(a.code order by e.leg) as accounts, array_agg(e.amount order by e.leg) as amounts
		from ledger.transfer t left join ledger.transfer r on r.reverses = t.id
		join ledger.entry e on e.transfer_id = t.id join ledger.account a on a.id = e.account_id
		where t.key = $1 group by t.id`, key)
}
