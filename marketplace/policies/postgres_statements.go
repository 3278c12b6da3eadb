package policies

import (
	"context"
	"time"

	"tiwiza/payments/premiums"
	"tiwiza/pkg/pg"
)

const statementColumns = `id, insurer, period, state, doc, rows, matched, premiums, commission, claims, due, why, asked_by, asked_at, read_at`

// insertStatement writes down that a statement is asked for; one that is asked for
// already stays alone, quietly or with ErrTwice.
func insertStatement(tx *pg.Tx, s Statement, quietly bool) {
	const insert = `insert into policies.statement (id, insurer, period, asked_by, asked_at) values ($1, $2, $3, $4, $5)`
	if quietly {
		tx.Queue(insert+` on conflict do nothing`, s.ID, s.Insurer, s.Period, s.AskedBy, s.AskedAt)
		return
	}
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "statement_asked") {
			return ErrTwice.Say("The insurer is being asked for this statement already.")
		}
		return err
	}, insert, s.ID, s.Insurer, s.Period, s.AskedBy, s.AskedAt)
}

func loadStatement(ctx context.Context, db pg.DB, id string) (Statement, error) {
	return pg.One[Statement](ctx, db, ErrNotFound, `select `+statementColumns+` from policies.statement where id = $1`, id)
}

func lockStatement(ctx context.Context, tx *pg.Tx, id string) (Statement, error) {
	return pg.One[Statement](ctx, tx, ErrNotFound, `select `+statementColumns+` from policies.statement where id = $1 for update`, id)
}

func saveStatement(tx *pg.Tx, s Statement) {
	tx.QueueOne(ErrState, `update policies.statement set state = $2, doc = $3, rows = $4, matched = $5, premiums = $6, commission = $7, claims = $8, due = $9, why = $10, read_at = $11 where id = $1 and state = 'asked'`,
		s.ID, s.State, s.Doc, s.Rows, s.Matched, s.Premiums, s.Commission, s.Claims, s.Due, s.Why, s.ReadAt)
}

func statements(ctx context.Context, db pg.DB, insurers []string, below string, limit int) ([]Statement, error) {
	return pg.All[Statement](ctx, db, `select `+statementColumns+` from policies.statement
		where ($1::text[] is null or insurer = any($1)) and ($2 = '' or id < $2) order by id desc limit $3`, insurers, below, limit)
}

// claimRefs are the references by which an insurer knows claims, where these are
// not of their ids: of what an index made due.
func claimRefs(ctx context.Context, db pg.DB, insurer string, owed []premiums.Due) (map[string]string, error) {
	var ids []string
	for _, d := range owed {
		if d.Kind == premiums.Claim {
			ids = append(ids, d.Subject)
		}
	}
	type row struct{ ID, Ref string }
	rows, err := pg.All[row](ctx, db, `select id, ref from policies.claim where insurer = $1 and id = any($2)`, insurer, ids)
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Ref
	}
	return out, err
}

const gapColumns = `id, insurer, statement, period, kind, ref, subject, ours, theirs, detail, suggestion, state, resolution, resolved_by, resolved_at, note, made_at`

// insertGap writes a break down, once while it is open, and says whether it is new.
func insertGap(ctx context.Context, tx *pg.Tx, g Gap) (bool, error) {
	tag, err := tx.Exec(ctx, `insert into policies.gap (id, insurer, statement, period, kind, ref, subject, ours, theirs, detail, suggestion, made_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing`,
		g.ID, g.Insurer, g.Statement, g.Period, g.Kind, g.Ref, g.Subject, g.Ours, g.Theirs, g.Detail, g.Suggestion, g.MadeAt)
	return tag.RowsAffected() == 1, err
}

// supersede ends the open breaks of earlier statements of a month.
func supersede(tx *pg.Tx, insurer, period, statement string, at time.Time) {
	tx.Queue(`update policies.gap set state = 'resolved', resolution = 'superseded', resolved_by = 'hub', resolved_at = $4, note = $3
		where insurer = $1 and period = $2 and statement <> $3 and state = 'open'`, insurer, period, statement, at)
}

func lockGap(ctx context.Context, tx *pg.Tx, id string) (Gap, error) {
	return pg.One[Gap](ctx, tx, ErrNotFound, `select `+gapColumns+` from policies.gap where id = $1 for update`, id)
}

func saveGap(tx *pg.Tx, g Gap) {
	tx.QueueOne(ErrState, `update policies.gap set state = $2, resolution = $3, resolved_by = $4, resolved_at = $5, note = $6 where id = $1 and state = 'open'`,
		g.ID, g.State, g.Resolution, g.ResolvedBy, g.ResolvedAt, g.Note)
}

func gaps(ctx context.Context, db pg.DB, state, statement, below string, limit int) ([]Gap, error) {
	return pg.All[Gap](ctx, db, `select `+gapColumns+` from policies.gap
		where ($1 = '' or state = $1) and ($2 = '' or statement = $2) and ($3 = '' or id < $3) order by id desc limit $4`, state, statement, below, limit)
}
