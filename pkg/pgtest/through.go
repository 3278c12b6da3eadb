package pgtest

import (
	"context"
	"testing"

	"tiwiza/pkg/pg"
)

// few is more rows than a step of one order reads of any table.
const few = 50

// Through fails the test when step reads one of some tables, which grow for
// ever, from end to end: no index of theirs then answers what it asks, planned as
// a unit of work plans it. tx is step's, and has done nothing before.
func Through(ctx context.Context, t testing.TB, tx *pg.Tx, step func() error, tables ...string) error {
	t.Helper()
	tx.Queue(`discard plans`) // made while there was nothing in the tables
	tx.Queue(`set local enable_seqscan = off`)
	was, err := reads(ctx, tx, tables)
	if err != nil {
		return err
	}
	if err := step(); err != nil {
		return err
	}
	is, err := reads(ctx, tx, tables)
	for name, r := range is {
		if r.Scans > was[name].Scans || r.Rows-was[name].Rows > few {
			t.Errorf("%d rows of %s were read, with %d scans of all of it", r.Rows-was[name].Rows, name, r.Scans-was[name].Scans)
		}
	}
	return err
}

// Past writes a past into a test's database by SQL, as its owner and without its
// triggers, and has the planner know of it.
func Past(t testing.TB, url string, statements ...string) {
	t.Helper()
	owner := Open(t, url, pg.Options{MaxConns: 1})
	for _, text := range append([]string{`set role none`, `set session_replication_role = replica`}, append(statements, `analyze`)...) {
		if _, err := owner.Exec(context.Background(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

type read struct {
	Name        string
	Scans, Rows int64
}

func reads(ctx context.Context, tx *pg.Tx, tables []string) (map[string]read, error) {
	all, err := pg.All[read](ctx, tx, `select name, scans, rows from (select schemaname || '.' || relname as name, seq_scan as scans,
		seq_tup_read + coalesce(idx_tup_fetch, 0) as rows from pg_stat_xact_user_tables) s where name = any($1)`, tables)
	of := make(map[string]read, len(all))
	for _, r := range all {
		of[r.Name] = r
	}
	return of, err
}
