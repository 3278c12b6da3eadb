package escrow

import (
	"context"

	"tiwiza/pkg/pg"
)

const columns = `id, order_id, seller, buyer, charge, carrier, currency, amount, released, refunded, state, wait_s, settled, version, funded_at,
	legs as wide_legs, gone as wide_gone`

// row is a Hold as the database keeps it.
type row struct {
	Hold
	WideLegs []int64
	WideGone []int64
}

func (r row) hold() Hold {
	r.Hold.Legs, r.Hold.Gone = legsOf(r.WideLegs), legsOf(r.WideGone)
	return r.Hold
}

func one(ctx context.Context, db pg.DB, sql string, args ...any) (Hold, error) {
	r, err := pg.One[row](ctx, db, ErrNotFound, `select `+columns+` from escrow.hold where `+sql, args...)
	if err != nil {
		return Hold{}, err
	}
	return r.hold(), nil
}

func all(ctx context.Context, db pg.DB, sql string, args ...any) ([]Hold, error) {
	rows, err := pg.All[row](ctx, db, `select `+columns+` from escrow.hold where `+sql, args...)
	holds := make([]Hold, len(rows))
	for i, r := range rows {
		holds[i] = r.hold()
	}
	return holds, err
}

func load(ctx context.Context, db pg.DB, id string) (Hold, error) {
	return one(ctx, db, `id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Hold, error) {
	return one(ctx, tx, `id = $1 for update`, id)
}

func lockOrder(ctx context.Context, tx *pg.Tx, order string) (Hold, error) {
	return one(ctx, tx, `order_id = $1 for update`, order)
}

func lockCharge(ctx context.Context, tx *pg.Tx, charge string) ([]Hold, error) {
	return all(ctx, tx, `charge = $1 order by id for update`, charge)
}

func ofOrders(ctx context.Context, db pg.DB, orders []string) ([]Hold, error) {
	return all(ctx, db, `order_id = any($1)`, orders)
}

func ofCharge(ctx context.Context, db pg.DB, charge string) ([]Hold, error) {
	return all(ctx, db, `charge = $1 order by id`, charge)
}

func insert(tx *pg.Tx, h Hold) {
	tx.Queue(`insert into escrow.hold (id, order_id, seller, buyer, charge, carrier, currency, amount, legs, state, wait_s)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		h.ID, h.Order, h.Seller, h.Buyer, h.Charge, h.Carrier, h.Currency, h.Amount, h.Legs.wide(), h.State, h.WaitS)
}

func save(tx *pg.Tx, h Hold) {
	tx.QueueOne(ErrState, `update escrow.hold set released = $3, refunded = $4, gone = $5, state = $6, funded_at = $7, version = version + 1
		where id = $1 and version = $2`, h.ID, h.Version, h.Released, h.Refunded, h.Gone.wide(), h.State, h.FundedAt)
}

func settle(ctx context.Context, tx *pg.Tx, charge string) error {
	if _, err := tx.Exec(ctx, `update escrow.hold set settled = true, version = version + 1 where charge = $1 and not settled`, charge); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `update escrow.release set settled = true where charge = $1 and not settled`, charge)
	return err
}

func insertRelease(tx *pg.Tx, rid string, h Hold, share int64) {
	tx.Queue(`insert into escrow.release (id, hold, order_id, seller, charge, currency, amount, settled)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`, rid, h.ID, h.Order, h.Seller, h.Charge, h.Currency, share, h.Settled)
}

type release struct {
	ID      string
	Amount  int64
	Covered int64
	Settled bool
}

func openReleases(ctx context.Context, tx *pg.Tx, seller, currency string) ([]release, error) {
	return pg.All[release](ctx, tx, `select id, amount, covered, settled from escrow.release
		where seller = $1 and currency = $2 and covered < amount order by not settled, id for update skip locked`, seller, currency)
}

func releasesOf(ctx context.Context, db pg.DB, charge string) ([]string, error) {
	return pg.Column[string](ctx, db, `select id from escrow.release where charge = $1`, charge)
}

func cover(tx *pg.Tx, release string, amount int64) {
	tx.QueueOne(ErrState, `update escrow.release set covered = covered + $2 where id = $1`, release, amount)
}

func allSettled(ctx context.Context, db pg.DB, releases []string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select not exists (select from escrow.release where id = any($1) and not settled)`, releases)
}

func pending(ctx context.Context, db pg.DB, seller, currency string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(legs[1] - gone[1]), 0)::bigint from escrow.hold
		where seller = $1 and currency = $2 and state = 'funded'`, seller, currency)
}
