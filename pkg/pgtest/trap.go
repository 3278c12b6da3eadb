package pgtest

import (
	"context"
	"testing"

	"tiwiza/pkg/pg"
)

// A Trap is in a table of a test's database. Armed, it ends the session that
// commits a change of the table, once.
type Trap struct {
	t     testing.TB
	owner *pg.Store
}

// NewTrap puts a trap into a table of the database at url.
func NewTrap(t testing.TB, url, table string) Trap {
	t.Helper()
	f := Trap{t, Open(t, url, pg.Options{MaxConns: 1})}
	f.SQL(`set role none`)
	f.SQL(`create sequence public.trap`)
	f.SQL(`create function public.spring() returns trigger language plpgsql security definer as $$
		begin
			if nextval('public.trap') = 1001 then -- which is not undone
				perform pg_terminate_backend(pg_backend_pid());
			end if;
			return null;
		end $$`)
	f.SQL(`create constraint trigger spring after insert or update on ` + table + ` deferrable initially deferred for each row execute function public.spring()`)
	f.SQL(`select setval('public.trap', 2000)`)
	return f
}

// Arm arms it.
func (f Trap) Arm() { f.SQL(`select setval('public.trap', 1000)`) }

// Sprung says whether it went off since it was armed.
func (f Trap) Sprung() bool {
	n, err := pg.Value[int64](context.Background(), f.owner, nil, `select last_value from public.trap`)
	if err != nil {
		f.t.Fatal(err)
	}
	return n > 1000 && n < 2000
}

// SQL runs one statement as the database's owner.
func (f Trap) SQL(text string, args ...any) {
	f.t.Helper()
	if _, err := f.owner.Exec(f.t.Context(), text, args...); err != nil {
		f.t.Fatalf("%s: %v", text, err)
	}
}
