package charges

import (
	"context"

	"tiwiza/pkg/pg"
)

const refundColumns = `id, charge, order_id, buyer, seller, currency, amount, rail, source, connector, attempt, ref, before, state, rib, holder,
	reason, asked_by, why, waits_since, deducted, displaced_by, resumed_as, version, created_at, changed_at`

func insertRefund(tx *pg.Tx, r Refund) {
	tx.Queue(`insert into charges.refund (id, charge, order_id, buyer, seller, currency, amount, rail, source, connector, attempt, ref, before, state, rib, holder,
			reason, asked_by, why, waits_since, created_at, changed_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, left($19, 500), $20, $21, $22)`,
		r.ID, r.Charge, r.Order, r.Buyer, r.Seller, r.Currency, r.Amount, r.Rail, r.Source, r.Connector, r.Attempt, r.Ref, r.Before, r.State, r.RIB, r.Holder,
		r.Reason, r.AskedBy, r.Why, r.WaitsSince, r.CreatedAt, r.ChangedAt)
}

func saveRefund(tx *pg.Tx, r Refund) {
	tx.QueueOne(pg.ErrBusy, `update charges.refund set rail = $3, connector = $4, attempt = $5, ref = $6, before = $7, state = $8, rib = $9, holder = $10,
			why = left($11, 500), waits_since = $12, deducted = $13, changed_at = $14, displaced_by = $15, resumed_as = $16, version = version + 1
		where id = $1 and version = $2`,
		r.ID, r.Version, r.Rail, r.Connector, r.Attempt, r.Ref, r.Before, r.State, r.RIB, r.Holder, r.Why, r.WaitsSince, r.Deducted, r.ChangedAt, r.Displaced, r.Resumed)
}

func loadRefund(ctx context.Context, db pg.DB, id string) (Refund, error) {
	return pg.One[Refund](ctx, db, ErrNoRefund, `select `+refundColumns+` from charges.refund where id = $1`, id)
}

func lockRefund(ctx context.Context, tx *pg.Tx, id string) (Refund, error) {
	return pg.One[Refund](ctx, tx, ErrNoRefund, `select `+refundColumns+` from charges.refund where id = $1 for update`, id)
}

func refundsOf(ctx context.Context, db pg.DB, charge string) ([]Refund, error) {
	return pg.All[Refund](ctx, db, `select `+refundColumns+` from charges.refund where charge = $1 order by id`, charge)
}

// displaced locks the refunds of a charge that chargebacks which were won had
// displaced, and that do not go on yet, oldest first.
func displaced(ctx context.Context, tx *pg.Tx, charge string) ([]Refund, error) {
	return pg.All[Refund](ctx, tx, `select `+refundColumns+` from charges.refund r where charge = $1 and resumed_as = '' and displaced_by <> ''
		and exists (select from charges.chargeback where id = r.displaced_by and state <> 'open') order by id for update`, charge)
}

func refundsOfNone(ctx context.Context, db pg.DB, group string) ([]Refund, error) {
	return pg.All[Refund](ctx, db, `select `+refundColumns+` from charges.refund
		where order_id = '' and charge = (select id from charges.charge where group_id = $1) order by id`, group)
}

func refundsOfOrders(ctx context.Context, db pg.DB, orders []string) ([]Refund, error) {
	return pg.All[Refund](ctx, db, `select `+refundColumns+` from charges.refund where order_id = any($1) order by id`, orders)
}
