package operations

import (
	"context"

	"tiwiza/pkg/pg"
)

func byRef(ctx context.Context, db pg.DB, connector, ref string) (Operation, error) {
	return pg.One[Operation](ctx, db, ErrNotFound, `select `+columns+` from operations.operation where connector = $1 and ref = $2`, connector, ref)
}

// waitingAt are the oldest that wait to be sent to a connector.
func waitingAt(ctx context.Context, db pg.DB, connector string, limit int) ([]Operation, error) {
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation where connector = $1 and state = 'intent' order by id limit $2`, connector, limit)
}

func awaited(ctx context.Context, db pg.DB, connector string, amount int64, currency string, limit int) ([]Operation, error) {
	return pg.All[Operation](ctx, db, `select `+columns+` from operations.operation
		where connector = $1 and amount = $2 and currency = $3 and state in ('sending', 'accepted', 'unknown', 'review') order by id limit $4`, connector, amount, currency, limit)
}
