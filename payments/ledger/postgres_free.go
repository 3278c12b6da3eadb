package ledger

import (
	"context"

	"tiwiza/pkg/pg"
)

type codeRow struct {
	Code   string
	Amount int64
}

// byCode reads amounts of accounts.
func byCode(ctx context.Context, db pg.DB, sql string, args ...any) (map[string]int64, error) {
	rows, err := pg.All[codeRow](ctx, db, sql, args...)
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.Code] = r.Amount
	}
	return out, err
}

func lockedFree(ctx context.Context, tx *pg.Tx, currency string, codes []string) (map[string]int64, error) {
	return byCode(ctx, tx, `select a.code, (case b.normal when 'C' then b.cr - b.dr else b.dr - b.cr end) - b.held as amount
		from ledger.account a join ledger.balance b on b.account_id = a.id
		where a.code = any($1) and a.currency = $2 and b.floor is not null order by b.account_id for update of b`, codes, currency)
}

func balances(ctx context.Context, db pg.DB, currency string, codes []string) (map[string]int64, error) {
	return byCode(ctx, db, `select a.code, sum(case b.normal when 'C' then b.cr - b.dr else b.dr - b.cr end)::bigint as amount
		from ledger.account a join ledger.balance b on b.account_id = a.id where a.code = any($1) and a.currency = $2 group by a.code`, codes, currency)
}

func lockedBalances(ctx context.Context, tx *pg.Tx, currency string, codes []string) (map[string]int64, error) {
	return byCode(ctx, tx, `select code, sum(amount)::bigint as amount from (
			select a.code, case b.normal when 'C' then b.cr - b.dr else b.dr - b.cr end as amount
			from ledger.account a join ledger.balance b on b.account_id = a.id
			where a.code = any($1) and a.currency = $2 order by b.account_id, b.shard for update of b) b group by code`, codes, currency)
}
