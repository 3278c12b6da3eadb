package dues

import (
	"context"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
)

const feeColumns = `id, subject, member, payee, currency, amount, state, taken_at, ended_at, version`

func insert(tx *pg.Tx, f Fee, covers []escrow.Cover) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "fee_once") {
			return ErrPaid.With(err)
		}
		return err
	}, `insert into dues.fee (id, subject, member, payee, currency, amount, taken_at) values ($1, $2, $3, $4, $5, $6, $7)`,
		f.ID, f.Subject, f.Member, f.Payee, f.Currency, f.Amount, f.TakenAt)
	releases, amounts := make([]string, len(covers)), make([]int64, len(covers))
	for i, c := range covers {
		releases[i], amounts[i] = c.Release, c.Amount
	}
	tx.Queue(`insert into dues.cover (fee, release, amount) select $1, * from unnest($2::text[], $3::bigint[])`, f.ID, releases, amounts)
}

// oneByOne has fees of one member be taken one after the other: each sees what the
// one before left.
func oneByOne(tx *pg.Tx, member string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('fee ' || $1, 0))`, member)
}

func lockTaken(ctx context.Context, tx *pg.Tx, subject string) (f Fee, found bool, err error) {
	all, err := pg.All[Fee](ctx, tx, `select `+feeColumns+` from dues.fee where subject = $1 and state = 'taken' for update`, subject)
	if err != nil || len(all) == 0 {
		return f, false, err
	}
	return all[0], true, nil
}

func last(ctx context.Context, db pg.DB, subject string) (f Fee, found bool, err error) {
	all, err := pg.All[Fee](ctx, db, `select `+feeColumns+` from dues.fee where subject = $1 order by taken_at desc, id desc limit 1`, subject)
	if err != nil || len(all) == 0 {
		return f, false, err
	}
	return all[0], true, nil
}

func save(tx *pg.Tx, f Fee) {
	tx.QueueOne(ErrState, `update dues.fee set state = $3, ended_at = $4, version = version + 1 where id = $1 and version = $2`, f.ID, f.Version, f.State, f.EndedAt)
}
