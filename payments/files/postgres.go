package files

import (
	"context"

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
