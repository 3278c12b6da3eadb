package charges

import (
	"context"

	"tiwiza/adapters/card"
	"tiwiza/pkg/pg"
)

const chargebackColumns = `id, acquirer, partner_case, charge, currency, amount, fee, reason, state, verdict, booked, taken, deducted, restored,
	version, opened_at, ended_at`

func insertChargeback(tx *pg.Tx, b Chargeback) {
	tx.Queue(`insert into charges.chargeback (id, acquirer, partner_case, charge, currency, amount, fee, reason, booked, opened_at)
		values ($1, $2, $3, $4, $5, $6, $7, left($8, 500), $9, $10)`,
		b.ID, b.Acquirer, b.Case, b.Charge, b.Currency, b.Amount, b.Fee, b.Reason, b.Booked, b.OpenedAt)
}

func saveChargeback(tx *pg.Tx, b Chargeback) {
	tx.QueueOne(pg.ErrBusy, `update charges.chargeback set state = $3, verdict = $4, ended_at = $5, taken = $6, version = version + 1
		where id = $1 and version = $2`, b.ID, b.Version, b.State, b.Verdict, b.EndedAt, b.Taken)
}

func markDeducted(tx *pg.Tx, chargeback string) {
	tx.QueueOne(ErrSettled, `update charges.chargeback set deducted = true where id = $1 and not deducted`, chargeback)
}

func markRestored(tx *pg.Tx, chargeback string) {
	tx.QueueOne(ErrSettled, `update charges.chargeback set restored = true where id = $1 and not restored`, chargeback)
}

// markShown says that a settlement has shown a refund.
func markShown(tx *pg.Tx, refund string) {
	tx.QueueOne(ErrNoRefund, `update charges.refund set deducted = true where id = $1`, refund)
}

func loadChargeback(ctx context.Context, db pg.DB, id string) (Chargeback, error) {
	return pg.One[Chargeback](ctx, db, ErrNoChargeback, `select `+chargebackColumns+` from charges.chargeback where id = $1`, id)
}

func lockCase(ctx context.Context, tx *pg.Tx, acquirer, of string) (Chargeback, error) {
	return pg.One[Chargeback](ctx, tx, ErrNoChargeback,
		`select `+chargebackColumns+` from charges.chargeback where acquirer = $1 and partner_case = $2 for update`, acquirer, of)
}

func openChargebacks(ctx context.Context, tx *pg.Tx, charge string) ([]Chargeback, error) {
	return pg.All[Chargeback](ctx, tx, `select `+chargebackColumns+` from charges.chargeback where charge = $1 and state = 'open' order by id for update`, charge)
}

// lostChargebacks locks the lost chargebacks of a charge's loose money that cost
// us more than was there.
func lostChargebacks(ctx context.Context, tx *pg.Tx, charge string) ([]Chargeback, error) {
	return pg.All[Chargeback](ctx, tx, `select `+chargebackColumns+` from charges.chargeback
		where charge = $1 and state = 'lost' and booked = 'suspense' and taken < amount order by id for update`, charge)
}

// lostOf are all chargebacks of a charge that were lost.
func lostOf(ctx context.Context, tx *pg.Tx, charge string) ([]Chargeback, error) {
	return pg.All[Chargeback](ctx, tx, `select `+chargebackColumns+` from charges.chargeback where charge = $1 and state = 'lost' order by id`, charge)
}

// listChargebacks pages through chargebacks, newest first; state "" lists all,
// before "" starts at the newest.
func listChargebacks(ctx context.Context, db pg.DB, state, before string, limit int) ([]Chargeback, error) {
	return pg.All[Chargeback](ctx, db, `select `+chargebackColumns+` from charges.chargeback
		where ($1 = '' or state = $1) and ($2 = '' or id < $2) order by id desc limit $3`, state, before, limit)
}

// keepMessage stores what an acquirer said of a chargeback, and says whether it
// is new.
func keepMessage(ctx context.Context, tx *pg.Tx, b Chargeback, n card.Case) (bool, error) {
	tag, err := tx.Exec(ctx, `insert into charges.case_message (acquirer, event_id, chargeback, state, raw) values ($1, $2, $3, $4, $5)
		on conflict (acquirer, event_id) do nothing`, b.Acquirer, n.EventID, b.ID, n.State, n.Raw)
	return tag.RowsAffected() == 1, err
}
