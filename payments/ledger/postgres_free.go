package ledger

import (
	"context"

	"tiwiza/pkg/pg"
)

type freeRow struct {
	Code string
	Free int64
}

func lockedFree(ctx context.Context, tx *pg.Tx, currency string, codes []string) (map[string]int64, error) {
	rows, err := pg.All[freeRow](ctx, tx, `select a.code, (case b.normal when 'C' then b.cr - b.dr else b.dr - b.cr end) - b.held as free
		from ledger.account a join ledger.balance b on b.account_id = a.id
		where a.code = any($1) and a.currency = $2 and b.floor is not null order by b.account_id for update of b`, codes, currency)
	free := make(map[string]int64, len(rows))
	for _, r := range rows {
		free[r.Code] = r.Free
	}
	return free, err
}
