package pgtest

import (
	"context"
	"testing"

	"tiwiza/pkg/pg"
)

// A Fuse is in a table of a test's database. Armed, it ends the session that
// commits a change of the table, once.
type Fuse struct {
	t     testing.TB
	owner *pg.Store
}

// NewFuse puts a fuse into a table of the database at url.
func NewFuse(t testing.TB, url, table string) Fuse {
	t.Helper()
	f := Fuse{t, Open(t, url, pg.Options{MaxConns: 1})}
	f.SQL(`set role none`)
	f.SQL(`create sequence public.fuse`)
	f.SQL(`create function public.blow() returns trigger language plpgsql security definer as $$
		begin
			if nextval('public.fuse') = 1001 then -- which is not undone
				perform pg_terminate_backend(pg_backend_pid());
			end if;
			return null;
		end $$`)
	f.SQL(`create constraint trigger blow after insert or update on ` + table + ` deferrable initially deferred for each row execute function public.blow()`)
	f.SQL(`select setval('public.fuse', 2000)`)
	return f
}

// Arm arms it.
func (f Fuse) Arm() { f.SQL(`select setval('public.fuse', 1000)`) }

// Blown says whether it went off since it was armed.
func (f Fuse) Blown() bool {
	n, err := pg.Value[int64](context.Background(), f.owner, nil, `select last_value from public.fuse`)
	if err != nil {
		f.t.Fatal(err)
	}
	return n > 1000 && n < 2000
}

// SQL runs one statement as the database's owner.
func (f Fuse) SQL(text string, args ...any) {
	f.t.Helper()
	if _, err := f.owner.Exec(f.t.Context(), text, args...); err != nil {
		f.t.Fatalf("%s: %v", text, err)
	}
}
