package personal

import (
	"context"
	"encoding/json"
	"time"

	"tiwiza/pkg/pg"
)

func open(ctx context.Context, db pg.DB, sql string, keys []string) ([]string, error) {
	return pg.Column[string](ctx, db, sql, keys)
}

func shown(ctx context.Context, db pg.DB, sql string, keys []string) ([]json.RawMessage, error) {
	return pg.Column[json.RawMessage](ctx, db, sql, keys)
}

// change runs one statement and says how many rows it touched.
func change(ctx context.Context, tx *pg.Tx, sql string, keys []string) (int64, error) {
	tag, err := tx.Exec(ctx, sql, keys)
	return tag.RowsAffected(), err
}

// pass runs one statement on what is older than a moment.
func pass(ctx context.Context, tx *pg.Tx, sql string, before time.Time, most int) (int64, error) {
	tag, err := tx.Exec(ctx, sql, before, most)
	return tag.RowsAffected(), err
}
