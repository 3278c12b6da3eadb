package limits

import (
	"context"

	"tiwiza/pkg/pg"
)

func loadBook(ctx context.Context, db pg.DB) (b Book, err error) {
	if b.Version, err = pg.Value[int64](ctx, db, ErrNotFound, `select version from limits.book`); err != nil {
		return b, err
	}
	b.Rules, err = pg.All[Rule](ctx, db, `select id, what, per, method, window_s, max_amount, max_count, action, about from limits.rule order by id`)
	for i, r := range b.Rules {
		b.Rules[i] = r.priced()
	}
	return b, err
}

// lockBook keeps the rules as they are, and answers their version.
func lockBook(ctx context.Context, tx *pg.Tx) (int64, error) {
	return pg.Value[int64](ctx, tx, ErrNotFound, `select version from limits.book for update`)
}

func insertProposal(tx *pg.Tx, hash []byte, version int64, rules []byte) {
	tx.Queue(`insert into limits.proposal (hash, version, rules) values ($1, $2, $3) on conflict do nothing`, hash, version, rules)
}

type proposal struct {
	Version int64
	Rules   []byte
}

func loadProposal(ctx context.Context, tx *pg.Tx, hash []byte) (proposal, error) {
	return pg.One[proposal](ctx, tx, ErrNotFound, `select version, rules from limits.proposal where hash = $1`, hash)
}

func replaceRules(tx *pg.Tx, rules []byte, by string) {
	tx.Queue(`delete from limits.rule`)
	tx.Queue(`insert into limits.rule (id, what, per, method, window_s, max_amount, max_count, action, about)
		select id, what, per, coalesce(method, ''), window_s, (max_amount->>'amount')::numeric * 100, max_count, action, about
		from jsonb_to_recordset($1::jsonb) as r (id text, what text, per text, method text, window_s bigint, max_amount jsonb, max_count bigint, action text, about text)`, rules)
	tx.Queue(`update limits.book set version = version + 1, changed_at = platform.now(), changed_by = $1`, by)
}
