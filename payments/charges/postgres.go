package charges

import (
	"context"

	"tiwiza/pkg/pg"
)

const columns = `id, group_id, buyer, method, acquirer, ref, contact, currency, amount, state, captured, refunded, settled, version, created_at, expires_at`

func insert(tx *pg.Tx, c Charge) {
	tx.Queue(`insert into charges.charge (id, group_id, buyer, method, acquirer, ref, contact, currency, amount, state, created_at, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		c.ID, c.Group, c.Buyer, c.Method, c.Acquirer, c.Ref, c.Contact, c.Currency, c.Amount, c.State, c.CreatedAt, c.ExpiresAt)
}

func load(ctx context.Context, db pg.DB, id string) (Charge, error) {
	return pg.One[Charge](ctx, db, ErrNotFound, `select `+columns+` from charges.charge where id = $1`, id)
}

func ofGroup(ctx context.Context, db pg.DB, group string) (Charge, error) {
	return pg.One[Charge](ctx, db, ErrNotFound, `select `+columns+` from charges.charge where group_id = $1`, group)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Charge, error) {
	return pg.One[Charge](ctx, tx, ErrNotFound, `select `+columns+` from charges.charge where id = $1 for update`, id)
}

func lockByRef(ctx context.Context, tx *pg.Tx, acquirer, ref string) (Charge, error) {
	return pg.One[Charge](ctx, tx, ErrNotFound, `select `+columns+` from charges.charge where acquirer = $1 and ref = $2 for update`, acquirer, ref)
}

func save(tx *pg.Tx, c Charge) {
	tx.QueueOne(pg.ErrBusy, `update charges.charge set state = $3, version = version + 1 where id = $1 and version = $2`, c.ID, c.Version, c.State)
}

// setAcquirer says that a charge is paid at another acquirer from now on.
func setAcquirer(tx *pg.Tx, c Charge, acquirer string) {
	tx.QueueOne(pg.ErrBusy, `update charges.charge set acquirer = $3, version = version + 1 where id = $1 and version = $2`, c.ID, c.Version, acquirer)
}

func markSettled(ctx context.Context, tx *pg.Tx, id string) error {
	_, err := tx.Exec(ctx, `update charges.charge set settled = true, version = version + 1 where id = $1 and not settled`, id)
	return err
}

// addCaptured and addRefunded count under the charge's lock.
func addCaptured(tx *pg.Tx, charge string, amount int64) {
	tx.QueueOne(ErrNotFound, `update charges.charge set captured = captured + $2 where id = $1`, charge, amount)
}

func addRefunded(tx *pg.Tx, charge string, amount int64) {
	tx.QueueOne(ErrNotFound, `update charges.charge set refunded = refunded + $2 where id = $1`, charge, amount)
}
