package loyalty

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const voucherColumns = `promotion, person, move, points, worth, until, back, ended_at, version`

func insertVoucher(tx *pg.Tx, v Voucher) {
	tx.Queue(`insert into loyalty.voucher (promotion, person, move, points, worth, until) values ($1, $2, $3, $4, $5, $6)`,
		v.Promotion, v.Person, v.Move, v.Points, v.Worth, v.Until)
}

func saveVoucher(tx *pg.Tx, v Voucher) {
	tx.QueueOne(ErrChanged, `update loyalty.voucher set back = $3, ended_at = $4, version = version + 1 where promotion = $1 and version = $2`,
		v.Promotion, v.Version, v.Back, v.EndedAt)
}

// lockVoucher locks what points were spent on; none, if the promotion is not that.
func lockVoucher(ctx context.Context, tx *pg.Tx, promotion string) ([]Voucher, error) {
	return pg.All[Voucher](ctx, tx, `select `+voucherColumns+` from loyalty.voucher where promotion = $1 for update`, promotion)
}

// insertUse writes down that an order uses a voucher, if the promotion is one.
func insertUse(tx *pg.Tx, promotion, order string) {
	tx.Queue(`insert into loyalty.voucher_use (promotion, order_id) select promotion, $2 from loyalty.voucher where promotion = $1 on conflict do nothing`, promotion, order)
}

// lockVouchers locks those that an order uses.
func lockVouchers(ctx context.Context, tx *pg.Tx, order string) ([]Voucher, error) {
	return pg.All[Voucher](ctx, tx, `select `+voucherColumns+` from loyalty.voucher 
		where promotion in (select promotion from loyalty.voucher_use where order_id = $1) order by promotion for update`, order)
}

// drawnUntil is when the last of the points would have been over that a move took.
func drawnUntil(ctx context.Context, db pg.DB, move string) (time.Time, error) {
	return pg.Value[time.Time](ctx, db, nil, `select max(l.expires_at) from loyalty.draw d join loyalty.lot l on l.move = d.lot where d.move = $1`, move)
}
