package privacy

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// savePassed counts what went today.
func savePassed(tx *pg.Tx, code string, rows int64) {
	tx.Queue(`insert into privacy.passed as p (code, day, rows, last_at) values ($1, $2::timestamptz::date, $3, $2)
		on conflict (code, day) do update set rows = p.rows + excluded.rows, last_at = excluded.last_at`, code, tx.Now(), rows)
}

// A sum is what went of a period.
type sum struct {
	Code    string
	LastAt  time.Time
	LastDay int64
	Total   int64
}

func passedBy(ctx context.Context, db pg.DB) ([]sum, error) {
	return pg.All[sum](ctx, db, `select code, max(last_at) as last_at, (array_agg(rows order by day desc))[1] as last_day, sum(rows)::bigint as total from privacy.passed group by code order by code`)
}
