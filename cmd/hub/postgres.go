package main

import (
	"context"
	"encoding/json"
	"errors"

	"tiwiza/pkg/pg"
)

var errNoNote = errors.New("nothing was noted")

// loadNote reads what the hub noted of its own setting up; in a unit of work it
// holds off others who would write the same note.
func loadNote[T any](ctx context.Context, db pg.DB, name string) (v T, err error) {
	if tx, ok := db.(*pg.Tx); ok {
		tx.Queue(`select pg_advisory_xact_lock(hashtextextended('note ' || $1, 0))`, name)
	}
	b, err := pg.Value[[]byte](ctx, db, errNoNote, `select value from platform.note where name = $1`, name)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(b, &v)
}

func saveNote(tx *pg.Tx, name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	tx.Queue(`insert into platform.note (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value`, name, b)
	return nil
}
