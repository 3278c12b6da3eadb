package pg_test

import (
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// What reads for proofs and reports reads all tables, those too that come later, and
// changes none; neither it nor the hub makes tables or passes by the walls of rows.
func TestRolesMayWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	owner, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close(t.Context())
	if _, err := owner.Exec(t.Context(), `create schema later; create table later.thing (id int)`); err != nil {
		t.Fatal(err)
	}
	db := pgtest.Open(t, url, pg.Options{MaxConns: 2, Role: pg.Reader})
	none := func(what, sql string) {
		t.Helper()
		got, err := pg.Column[string](t.Context(), db, sql)
		if err != nil || len(got) > 0 {
			t.Errorf("%s: %v (%v)", what, got[:min(len(got), 10)], err)
		}
	}
	const tables = `select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
		where c.relkind in ('r', 'p', 'v', 'm') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public') and `
	none("it does not read", tables+`not has_table_privilege('hub_read', c.oid, 'select')`)
	none("it may change", tables+`(has_any_column_privilege('hub_read', c.oid, 'insert, update') or has_table_privilege('hub_read', c.oid, 'delete, truncate, trigger'))`)
	const schemas = `select n.nspname from pg_namespace n where n.nspname !~ '^pg_' and `
	none("it makes tables in", schemas+`has_schema_privilege('hub_read', n.oid, 'create')`)
	none("the hub makes tables in", schemas+`has_schema_privilege('hub_app', n.oid, 'create')`)
	none("is more than it should be", `select rolname::text from pg_roles where rolname in ('hub_app', 'hub_read') and (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolreplication or rolcanlogin)`)
	none("is done with the rights of their owner", `select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
		where p.prosecdef and p.prorettype <> 'trigger'::regtype and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and has_function_privilege('hub_read', p.oid, 'execute')`)
	who, err := pg.Column[string](t.Context(), db, `select current_user::text`)
	if err != nil || !slices.Equal(who, []string{pg.Reader}) {
		t.Errorf("it is %v (%v)", who, err)
	}
	if err := db.InTx(pgtest.Hub(t), func(tx *pg.Tx) error {
		tx.Queue(`insert into platform.timer (kind, subject, due, next_at) values ('a', '1', now(), now())`)
		return nil
	}); pg.Code(err) != "42501" {
		t.Errorf("an insert is answered %v", err)
	}
}
