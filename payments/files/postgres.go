package files

import (
	"context"
	"errors"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/pg"
)

// oneAtATime has a bank's files made one after the other.
func oneAtATime(ctx context.Context, tx *pg.Tx, bank string) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('payout file ' || $1, 0))`, bank)
	return err
}

func insert(tx *pg.Tx, id, of string, f bank.File) {
	tx.Queue(`insert into payouts.file (id, bank, name, bytes, sha256) values ($1, $2, $3, $4, $5)`, id, of, f.Name, f.Bytes, f.SHA256)
}

type fileRow struct {
	Name   string
	Bytes  []byte
	SHA256 string `db:"sha256"`
}

func load(ctx context.Context, db pg.DB, id string) (bank.File, error) {
	r, err := pg.One[fileRow](ctx, db, ErrNotFound, `select name, bytes, sha256 from payouts.file where id = $1`, id)
	return bank.File(r), err
}

var errNoNote = errors.New("there is no such note")

func recall(ctx context.Context, db pg.DB, of, key string) (bank.Note, error) {
	return pg.One[bank.Note](ctx, db, errNoNote, `select key, value, done from files.note where bank = $1 and key = $2`, of, key)
}

// swap writes a note whose value was another, in one statement: of two who try
// one succeeds.
func swap(ctx context.Context, db *pg.Store, of, was string, n bank.Note) (bool, error) {
	var rows int64
	var err error
	switch {
	case n.Value == "":
		rows, err = db.Exec(ctx, `delete from files.note where bank = $1 and key = $2 and value = $3`, of, n.Key, was)
	case was == "":
		rows, err = db.Exec(ctx, `insert into files.note (bank, key, value, done) values ($1, $2, $3, $4) on conflict do nothing`, of, n.Key, n.Value, n.Done)
	default:
		rows, err = db.Exec(ctx, `update files.note set value = $4, done = $5, noted_at = platform.now() where bank = $1 and key = $2 and value = $3`, of, n.Key, was, n.Value, n.Done)
	}
	return rows == 1, err
}

func openNotes(ctx context.Context, db pg.DB, of, prefix string, limit int) ([]bank.Note, error) {
	return pg.All[bank.Note](ctx, db, `select key, value, done from files.note
		where bank = $1 and not done and starts_with(key, $2) order by key limit $3`, of, prefix, limit)
}
