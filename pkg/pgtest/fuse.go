package pgtest

import (
	"testing"

	"tiwiza/pkg/pg"
)

// Fuses lets a test end the session of a unit of work by a row of public.fuse:
// the command's key, and at 'answer', as its answer is written behind all that
// it did, or at 'commit', as all of it is committed. The store is the database's
// owner's.
func Fuses(t testing.TB, owner *pg.Store) {
	t.Helper()
	for _, text := range []string{
		`create table public.fuse (key text, at text, primary key (key, at))`,
		`create function public.blow() returns trigger language plpgsql security definer as $$
			begin
				if exists (select from public.fuse f where f.key = new.key and f.at = tg_argv[0]) then
					perform pg_terminate_backend(pg_backend_pid());
				end if;
				return new;
			end $$`,
		`create trigger blow before insert on platform.answer for each row execute function public.blow('answer')`,
		`create constraint trigger blow_late after insert on platform.answer deferrable initially deferred for each row execute function public.blow('commit')`,
	} {
		if _, err := owner.Exec(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
}
