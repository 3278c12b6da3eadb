package payouts

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// setting is how a beneficiary is paid: by hand when nothing was said.
func setting(ctx context.Context, db pg.DB, b Beneficiary) (Setting, error) {
	all, err := settings(ctx, db, b.Payee, b.Name)
	if len(all) == 0 {
		return Setting{Payee: b.Payee, Party: b.Name, Schedule: Manual}, err
	}
	return all[0], err
}

// settings are how some parties are paid, of those that have said so.
func settings(ctx context.Context, db pg.DB, kind Payee, parties ...string) ([]Setting, error) {
	return pg.All[Setting](ctx, db, `select payee, party, schedule, minimum, changed_by from payouts.setting
		where payee = $1 and party = any($2) order by party`, kind, parties)
}

func saveSetting(tx *pg.Tx, v Setting) {
	tx.Queue(`insert into payouts.setting (payee, party, schedule, minimum, changed_by) values ($1, $2, $3, $4, $5)
		on conflict (payee, party) do update set schedule = excluded.schedule, minimum = excluded.minimum, changed_by = excluded.changed_by, changed_at = platform.now()`,
		v.Payee, v.Party, v.Schedule, v.Minimum, v.ChangedBy)
}

type capRow struct {
	ID string
	Limits
	AskedBy string
	Since   *time.Time
}

const capColumns = `id, two_above, member_day, total_day, debt_above, asked_by, since`

// limitsAt are the limits in force.
func limitsAt(ctx context.Context, db pg.DB, at time.Time) (capRow, error) {
	return pg.One[capRow](ctx, db, ErrNotFound, `select `+capColumns+` from payouts.cap where since <= $1 order by since desc, id desc limit 1`, at)
}

func loadCap(ctx context.Context, db pg.DB, id string) (capRow, error) {
	return pg.One[capRow](ctx, db, ErrNotFound, `select `+capColumns+` from payouts.cap where id = $1`, id)
}

func insertCap(tx *pg.Tx, c capRow) {
	tx.Queue(`insert into payouts.cap (id, two_above, member_day, total_day, debt_above, asked_by) values ($1, $2, $3, $4, $5, $6)`,
		c.ID, c.TwoAbove, c.MemberDay, c.TotalDay, c.DebtAbove, c.AskedBy)
}

func beginCap(tx *pg.Tx, id string, since time.Time) {
	tx.QueueOne(ErrState, `update payouts.cap set since = $2 where id = $1 and since is null`, id, since)
}
