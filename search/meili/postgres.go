package meili

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// queue notes in the caller's unit of work that documents changed or went.
func queue(tx *pg.Tx, ids []string) {
	if len(ids) > 0 {
		tx.Queue(`insert into search.push (id) select u.id from unnest($1::text[]) as u(id) order by u.id collate "C"
			on conflict (id) do update set seq = nextval('search.push_seq')`, ids)
	}
}

// A change is one document that the engine is to hear of. Without a source it
// went.
type change struct {
	ID     string
	Seq    int64
	Source []byte
	Digest string
}

// changes are the oldest that the engine has not heard of.
func changes(ctx context.Context, db pg.DB, limit int) ([]change, error) {
	return pg.All[change](ctx, db, `select p.id, p.seq, d.source, coalesce(d.digest, '') as digest
		from (select id, seq from search.push order by seq limit $1) p
		left join search.document d on d.id = p.id order by p.seq`, limit)
}

// heard forgets changes, unless there is a newer one of the same document.
func heard(ctx context.Context, db *pg.Store, done []change) error {
	ids, seqs := make([]string, len(done)), make([]int64, len(done))
	for i, c := range done {
		ids[i], seqs[i] = c.ID, c.Seq
	}
	_, err := db.Exec(ctx, `delete from search.push p using unnest($1::text[], $2::bigint[]) as d(id, seq) where p.id = d.id and p.seq = d.seq`, ids, seqs)
	return err
}

// after are documents in the order of their ids.
func after(ctx context.Context, db pg.DB, id string, limit int) ([]change, error) {
	return pg.All[change](ctx, db, `select id, 0::bigint as seq, source, digest from search.document
		where id > $1 order by id limit $2`, id, limit)
}

// digests are what the engine should have, by id, but for what it is still to
// hear.
func digests(ctx context.Context, db pg.DB) (map[string]string, error) {
	type row struct{ ID, Digest string }
	rows, err := pg.All[row](ctx, db, `select id, digest from search.document`)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Digest
	}
	return out, nil
}

// waiting is how many changes the engine has not heard of, and which.
func waiting(ctx context.Context, db pg.DB) (map[string]bool, error) {
	ids, err := pg.Column[string](ctx, db, `select id from search.push`)
	out := make(map[string]bool, len(ids))
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

// ErrHeld says that another hub tells the server.
var ErrHeld = errors.New("another hub tells the server")

// lease makes this hub the one that tells the engine, for a while, and returns
// which settings it was given last, and whether it was not compared for long.
func lease(ctx context.Context, db *pg.Store, name, holder string, d, compare time.Duration) (l leased, err error) {
	err = db.InTx(ctx, func(tx *pg.Tx) error {
		l, err = pg.One[leased](ctx, tx, ErrHeld, `insert into search.engine as e (name, holder, until)
			values ($1, $2, platform.now() + $3::bigint * interval '1 millisecond')
			on conflict (name) do update set holder = excluded.holder, until = excluded.until
			where e.holder = excluded.holder or e.until < platform.now()
			returning settings, checked is null or checked < platform.now() - $4::bigint * interval '1 millisecond' as due`,
			name, holder, d.Milliseconds(), compare.Milliseconds())
		return err
	})
	return l, err
}

type leased struct {
	Settings string
	Due      bool
}

// settled notes which settings the engine has.
func settled(ctx context.Context, db *pg.Store, name, settings string) error {
	_, err := db.Exec(ctx, `update search.engine set settings = $2 where name = $1`, name, settings)
	return err
}

// compared notes that the engine was compared with what it should have.
func compared(ctx context.Context, db *pg.Store, name string) error {
	_, err := db.Exec(ctx, `update search.engine set checked = platform.now() where name = $1`, name)
	return err
}

// document reads a change's document.
func (c change) document() (d search.Document, err error) {
	if err := json.Unmarshal(c.Source, &d); err != nil {
		return d, fmt.Errorf("read document %s: %w", c.ID, err)
	}
	return d, nil
}
