package pgtest

import (
	"context"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// A Wall is what the database itself refuses, whatever the code does: each
// statement by a constraint of this name, or with this SQLSTATE.
type Wall []struct{ By, SQL string }

// Stands fails the test for each statement of a wall that the database does not
// refuse as it should. It takes all of them as the hub's own role, one that begins
// with «owner:» as the database's owner.
func (w Wall) Stands(t testing.TB, url string) {
	t.Helper()
	hub, owner := Open(t, url, pg.Options{MaxConns: 1}), Open(t, url, pg.Options{MaxConns: 1})
	if _, err := owner.Exec(context.Background(), `set role none`); err != nil {
		t.Fatal(err)
	}
	for _, s := range w {
		db, sql := hub, s.SQL
		if len(sql) > 6 && sql[:6] == "owner:" {
			db, sql = owner, sql[6:]
		}
		if _, err := db.Exec(auth.With(context.Background(), auth.Hub), sql); !pg.Violates(err, s.By) && pg.Code(err) != s.By {
			t.Errorf("%s\nis answered %v; want %s to refuse it", sql, err, s.By)
		}
	}
}
