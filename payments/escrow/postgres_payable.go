package escrow

import (
	"context"

	"tiwiza/pkg/pg"
)

func payable(ctx context.Context, db pg.DB, seller, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(amount - covered - taken), 0)::bigint from escrow.release
		where seller = $1 and currency = $2 and covered + taken < amount and settled`, seller, currency)
}

// unsettled adds up the carrier's legs that were let go: the fifth.
func unsettled(ctx context.Context, db pg.DB, carrier, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(gone[5]), 0)::bigint from escrow.hold
		where carrier = $1 and currency = $2 and not settled and released > 0`, carrier, currency)
}
