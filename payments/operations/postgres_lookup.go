package operations

import (
	"context"

	"tiwiza/pkg/pg"
)

func awaited(ctx context.Context, db pg.DB, connector string, amount int64, currency string, limit int) ([]Operation, error) {
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation
		where connector = $1 and amount = $2 and currency = $3 and state in ('sending', 'accepted', 'unknown', 'review') order by id limit $4`, connector, amount, currency, limit)
}
