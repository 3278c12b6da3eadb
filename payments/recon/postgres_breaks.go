package recon

import (
	"context"

	"tiwiza/pkg/pg"
)

const breakColumns = `id, kind, bank, about, line, part, statement, file, amount, currency, why, suggestion, proposed, state, snoozed_until,
	resolution, resolved_by, resolved_at, version, created_at`

func insertBreak(tx *pg.Tx, b Break) {
	tx.Queue(`insert into recon.break (id, kind, bank, about, line, part, statement, file, amount, currency, why, suggestion)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, left($11, 1000), $12)`,
		b.ID, b.Kind, b.Bank, b.About, b.Line, b.Part, b.Statement, b.File, b.Amount, b.Currency, b.Why, b.Suggestion)
}

// insertGap opens a gap before a statement, unless one is open.
func insertGap(tx *pg.Tx, b Break) {
	tx.Queue(`insert into recon.break (id, kind, bank, about, statement, amount, currency, why, suggestion)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (statement) where kind = 'gap' and state <> 'resolved' do nothing`,
		b.ID, b.Kind, b.Bank, b.About, b.Statement, b.Amount, b.Currency, b.Why, b.Suggestion)
}

// resolveGap ends the gap before a statement that was filled.
func resolveGap(ctx context.Context, tx *pg.Tx, statement string) error {
	_, err := tx.Exec(ctx, `update recon.break set state = 'resolved', snoozed_until = null, resolution = '{"by":"match","note":"the statement before it came"}',
			resolved_by = 'hub', resolved_at = platform.now(), version = version + 1
		where statement = $1 and kind = 'gap' and state <> 'resolved'`, statement)
	return err
}

// resolveUnreadable ends the break about a file that could be read after all.
func resolveUnreadable(ctx context.Context, tx *pg.Tx, of, sha256 string) error {
	_, err := tx.Exec(ctx, `update recon.break set state = 'resolved', snoozed_until = null, resolution = '{"by":"match","note":"the file could be read later"}',
			resolved_by = 'hub', resolved_at = platform.now(), version = version + 1
		where kind = 'unreadable' and state <> 'resolved' and file in (select id from recon.file where bank = $1 and sha256 = $2)`, of, sha256)
	return err
}

// resolveClosed ends the breaks about a day that was closed anew.
func resolveClosed(tx *pg.Tx, day string) {
	tx.Queue(`update recon.break set state = 'resolved', snoozed_until = null, resolution = '{"by":"match","note":"the day was closed anew"}',
			resolved_by = platform.principal(), resolved_at = platform.now(), version = version + 1
		where kind = 'closed' and state <> 'resolved' and about = $1`, day)
}

func loadBreak(ctx context.Context, db pg.DB, id string) (Break, error) {
	return pg.One[Break](ctx, db, ErrNoBreak, `select `+breakColumns+` from recon.break where id = $1`, id)
}

func lockBreak(ctx context.Context, tx *pg.Tx, id string) (Break, error) {
	return pg.One[Break](ctx, tx, ErrNoBreak, `select `+breakColumns+` from recon.break where id = $1 for update`, id)
}

// openOfLine is the only break about a line, locked, or ErrNoBreak when it has
// none that is open or several.
func openOfLine(ctx context.Context, tx *pg.Tx, line string) (Break, error) {
	all, err := pg.All[Break](ctx, tx, `select `+breakColumns+` from recon.break where line = $1 and state <> 'resolved' for update`, line)
	if err == nil && len(all) != 1 {
		err = ErrUnfit.Say("Line %s is explained already, or in parts.", line)
	}
	if err != nil {
		return Break{}, err
	}
	return all[0], nil
}

func stillOpen(ctx context.Context, tx *pg.Tx, line, besides string) (int64, error) {
	return pg.Value[int64](ctx, tx, nil, `select count(*) from recon.break where line = $1 and id <> $2 and state <> 'resolved'`, line, besides)
}

func saveBreak(tx *pg.Tx, b Break) {
	tx.QueueOne(ErrResolved, `update recon.break set state = $3, snoozed_until = $4, proposed = $5, resolution = $6, resolved_by = $7, resolved_at = $8, version = version + 1
		where id = $1 and version = $2`,
		b.ID, b.Version, b.State, b.SnoozedUntil, b.Proposed, b.Resolution, b.ResolvedBy, b.ResolvedAt)
}

// listBreaks pages through breaks, newest first; "" asks for every state or
// kind, and before "" starts at the newest.
func listBreaks(ctx context.Context, db pg.DB, state, kind, before string, limit int) ([]Break, error) {
	return pg.All[Break](ctx, db, `select `+breakColumns+` from recon.break
		where state = $1 and ($2 = '' or kind = $2) and ($3 = '' or id < $3) order by id desc limit $4`, state, kind, before, limit)
}

// breakOf is the break about a part of a line that is not resolved, locked.
func breakOf(ctx context.Context, tx *pg.Tx, line string, part int) (Break, error) {
	return pg.One[Break](ctx, tx, ErrNoBreak, `select `+breakColumns+` from recon.break where line = $1 and part = $2 and state <> 'resolved' for update`, line, part)
}

func waiting(ctx context.Context, db pg.DB) (Backlog, error) {
	return pg.One[Backlog](ctx, db, nil, `select count(*)::int as count, coalesce(sum(abs(amount)) filter (where currency = 'MAD'), 0)::bigint as amount
		from (select amount, currency from recon.break where state = 'open' limit 100) w`)
}
