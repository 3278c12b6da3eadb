package orders

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

func regions(ctx context.Context, db pg.DB, since time.Time) (map[string]int, error) {
	type row struct {
		Region string
		N      int
	}
	rows, err := pg.All[row](ctx, db, `select delivery->>'region' as region, count(*)::int as n from orders.order_group
		where created_at >= $1 and coalesce(delivery->>'region', '') <> '' group by 1`, since)
	out := make(map[string]int, len(rows))
	for _, r := range rows {
		out[r.Region] = r.N
	}
	return out, err
}
