package approvals

import (
	"context"

	"tiwiza/pkg/pg"
)

const columns = `r.id, r.kind, r.subject, r.hash, r.amount, r.currency, r.why, r.evidence, r.asked_by, r.behind, r.needs, r.state, r.version, r.asked_at, r.ended_at,
	array(select v.by from approvals.vote v where v.request = r.id and v.approve order by v.at, v.by) as by`

func insert(tx *pg.Tx, r Request) {
	tx.Queue(`insert into approvals.request (id, kind, subject, hash, amount, currency, why, evidence, asked_by, behind, needs, asked_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		r.ID, r.Kind, r.Subject, r.Hash, r.Amount, r.Currency, r.Why, r.Evidence, r.AskedBy, r.Behind, r.Needs, r.AskedAt)
}

func insertVote(tx *pg.Tx, r Request, by string, approve bool, note string) {
	tx.Queue(`insert into approvals.vote (request, asked_by, behind, by, approve, note) values ($1, $2, $3, $4, $5, $6)`, r.ID, r.AskedBy, r.Behind, by, approve, note)
}

func save(tx *pg.Tx, r Request) {
	tx.QueueOne(ErrEnded, `update approvals.request set state = $3, ended_at = $4, version = version + 1 where id = $1 and version = $2`,
		r.ID, r.Version, r.State, r.EndedAt)
}

func load(ctx context.Context, db pg.DB, id string) (Request, error) {
	return pg.One[Request](ctx, db, ErrNotFound, `select `+columns+` from approvals.request r where r.id = $1`, id)
}

// lock takes the row first: the votes are read once nobody else adds one.
func lock(ctx context.Context, tx *pg.Tx, id string) (Request, error) {
	if _, err := tx.Exec(ctx, `select from approvals.request where id = $1 for update`, id); err != nil {
		return Request{}, err
	}
	return load(ctx, tx, id)
}

func lockOpen(ctx context.Context, tx *pg.Tx, kind, subject string) (Request, error) {
	if _, err := tx.Exec(ctx, `select from approvals.request where kind = $1 and subject = $2 and state = 'open' for update`, kind, subject); err != nil {
		return Request{}, err
	}
	return pg.One[Request](ctx, tx, ErrNotFound, `select `+columns+` from approvals.request r where r.kind = $1 and r.subject = $2 and r.state = 'open'`, kind, subject)
}

func newest(ctx context.Context, db pg.DB, kind, subject string) (Request, error) {
	return pg.One[Request](ctx, db, ErrNotFound, `select `+columns+` from approvals.request r where r.kind = $1 and r.subject = $2 order by r.id desc limit 1`, kind, subject)
}

// list pages through requests, newest first; state "" lists all, before ""
// starts at the newest.
func list(ctx context.Context, db pg.DB, state, before string, limit int) ([]Request, error) {
	return pg.All[Request](ctx, db, `select `+columns+` from approvals.request r
		where ($1 = '' or r.state = $1) and ($2 = '' or r.id < $2) order by r.id desc limit $3`, state, before, limit)
}

func waiting(ctx context.Context, db pg.DB) (int, error) {
	return pg.Value[int](ctx, db, nil, `select count(*)::int from (select from approvals.request where state = 'open' limit 100) w`)
}
