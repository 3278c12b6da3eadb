package treasury_test

import (
	"testing"

	"tiwiza/pkg/pgtest"
)

func TestTheDatabaseTakesOneMoveAtATime(t *testing.T) {
	t.Parallel()
	const move = `insert into treasury.move (id, kind, bank, ref, currency, amount, day, by, created_at, changed_at, state) values `
	pgtest.Wall{
		{"", move + `('1', 'sweep', 'b', 'R1', 'MAD', 1, '2026-01-02', 'x', now(), now(), 'open')`},
		{"move_sweep", move + `('2', 'sweep', 'b', 'R2', 'MAD', 1, '2026-01-03', 'x', now(), now(), 'open')`},
		{"", move + `('3', 'sweep', 'c', 'R3', 'MAD', 1, '2026-01-02', 'x', now(), now(), 'open')`},
		{"", move + `('4', 'top_up', 'b', 'R4', 'MAD', 1, '2026-01-02', 'x', now(), now(), 'done')`},
		{"move_top_up", move + `('5', 'top_up', 'b', 'R5', 'MAD', 1, '2026-01-02', 'x', now(), now(), 'open')`},
		{"", move + `('6', 'top_up', 'b', 'R6', 'MAD', 1, '2026-01-03', 'x', now(), now(), 'open')`},
	}.Stands(t, pgtest.URL(t))
}
