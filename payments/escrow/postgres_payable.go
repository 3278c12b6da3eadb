package escrow

import (
	"context"

	"tiwiza/pkg/pg"
)

func payable(ctx context.Context, db pg.DB, seller, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(amount - covered - taken), 0)::bigint from escrow.release
		where seller = $1 and currency = $2 and covered + taken < amount and settled`, seller, currency)
}

// unsettled adds up the carrier's legs that were let go, the fifth, of money that
// is not settled or of goods that have not left. Of these, what went back was
// taken from the carrier.
func unsettled(ctx context.Context, db pg.DB, carrier, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(gone[5] - case when shipped_at is null then taken[5] else 0 end), 0)::bigint from escrow.hold
		where carrier = $1 and currency = $2 and (not settled or shipped_at is null and not cash) and released > 0`, carrier, currency)
}
