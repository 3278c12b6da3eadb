package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tiwiza/pkg/pg"
)

// insertHold writes a hold. A trigger keeps the account's total in the same
// statement. The update changes nothing and finds a hold only if it is the same.
func insertHold(tx *pg.Tx, account int64, h Hold) {
	var until *time.Time
	if !h.Until.IsZero() {
		until = &h.Until
	}
	tx.QueueThen(func(tag pgconn.CommandTag, err error) error {
		if err == nil && tag.RowsAffected() == 0 {
			return ErrReused
		}
		return refused(err)
	}, `insert into ledger.hold as h (id, account_id, amount, remains, why, until) values ($1, $2, $3, $3, $4, $5)
		on conflict (id) do update set state = h.state
			where h.account_id = excluded.account_id and h.amount = excluded.amount and h.why = excluded.why and h.until is not distinct from excluded.until`,
		h.ID, account, h.Amount, h.Why, until)
}

// lockFree locks an account with a floor and answers what is free in it, or what
// the hold of this id kept back before.
func lockFree(ctx context.Context, tx *pg.Tx, h Hold) (before, free int64, err error) {
	free, err = pg.Value[int64](ctx, tx, ErrNoFloor, `select case b.normal when 'C' then b.cr - b.dr else b.dr - b.cr end - b.held - b.floor
		from ledger.balance b join ledger.account a on a.id = b.account_id
		where a.code = $1 and a.currency = $2 and b.floor is not null for update of b`, h.Account, h.Currency)
	if err != nil {
		return 0, 0, err
	}
	before, err = pg.Value[int64](ctx, tx, nil, `select coalesce(max(amount), 0) from ledger.hold where id = $1`, h.ID)
	return before, free, err
}

// endHold ends a hold unless it has ended.
func endHold(tx *pg.Tx, id, state string) {
	tx.QueueOne(ErrNoHold, `update ledger.hold set remains = 0, state = case state when 'open' then $2 else state end,
		ended_at = coalesce(ended_at, platform.now()) where id = $1`, id, state)
}

func shrinkHold(tx *pg.Tx, id string, centimes int64) {
	tx.QueueOne(ErrNoHold, `update ledger.hold set remains = remains - $2, state = case remains when $2 then 'closed' else 'open' end,
		ended_at = case remains when $2 then platform.now() end
		where id = $1 and state = 'open' and remains >= $2`, id, centimes)
}

func held(ctx context.Context, db pg.DB, code, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(b.held), 0)::bigint
		from ledger.account a join ledger.balance b on b.account_id = a.id where a.code = $1 and a.currency = $2`, code, currency)
}

type holdRow struct {
	ID      string
	Remains int64
	Why     string
	Until   *time.Time
}

// openHolds lists what is kept back in an account, oldest first.
func openHolds(ctx context.Context, db pg.DB, code, currency string) ([]holdRow, error) {
	return pg.All[holdRow](ctx, db, `select h.id, h.remains, h.why, h.until
		from ledger.hold h join ledger.account a on a.id = h.account_id
		where a.code = $1 and a.currency = $2 and h.state = 'open' order by h.opened_at, h.id`, code, currency)
}
