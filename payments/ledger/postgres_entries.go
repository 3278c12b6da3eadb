package ledger

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

type entryRow struct {
	ID          int64
	Leg         int16
	Key         string
	Kind        string
	OrderID     string
	Note        string
	Amount      int64
	EffectiveAt time.Time
	RecordedAt  time.Time
}

// entries lists an account's entries behind a place, by when they count.
func entries(ctx context.Context, db pg.DB, code, currency string, behind place, until time.Time, limit int) ([]entryRow, error) {
	return pg.All[entryRow](ctx, db, `select t.id, e.leg, t.key, t.kind, t.order_id, t.note, e.amount, e.effective_at, e.recorded_at
		from ledger.account a join ledger.entry e on e.account_id = a.id join ledger.transfer t on t.id = e.transfer_id
		where a.code = $1 and a.currency = $2 and e.effective_at >= $3 and (e.effective_at, e.transfer_id, e.leg) > ($3, $4, $5)
			and e.effective_at <= $6 and e.recorded_at <= $7
		order by e.effective_at, e.transfer_id, e.leg limit $8`, code, currency, behind.At, behind.ID, behind.Leg, until, behind.Known, limit)
}
