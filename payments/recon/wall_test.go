package recon_test

import (
	"testing"

	"tiwiza/pkg/pgtest"
)

func TestTheDatabaseKeepsWhatTheBankSaid(t *testing.T) {
	t.Parallel()
	const (
		brk  = `insert into recon.break (id, kind, bank, about, line, part, amount, currency, why) values `
		gap  = `insert into recon.break (id, kind, bank, about, statement, why) values `
		file = `insert into recon.file (id, bank, name, sha256, bytes, kind) values `
	)
	pgtest.Wall{
		{"", brk + `('1', 'unmatched', 'b', 'x', 'lin_1', 0, 1, 'MAD', '')`},
		{"break_line", brk + `('2', 'suspense', 'b', 'x', 'lin_1', 0, 1, 'MAD', '')`},
		{"", brk + `('3', 'unmatched', 'b', 'x', 'lin_1', 1, 1, 'MAD', '')`},
		{"break_about_line", brk + `('4', 'unmatched', 'b', 'x', null, null, 1, 'MAD', '')`},
		{"break_resolved", `update recon.break set state = 'resolved' where id = '1'`},
		{"break_snoozed", `update recon.break set state = 'snoozed' where id = '1'`},
		{"", gap + `('5', 'gap', 'b', 'x', 'stm_1', '')`},
		{"break_gap", gap + `('6', 'gap', 'b', 'x', 'stm_1', '')`},
		{"", file + `('1', 'b', 'f', 's', '', 'statement')`},
		{"file_once", file + `('2', 'b', 'g', 's', '', 'report')`},
		{"", `insert into recon.booking (line, bank, account, amount) values ('lin_1', 'b', 'a', 1)`},
		{"42501", `update recon.booking set amount = 2`},
		{"HB001", `owner:update recon.booking set amount = 2`},
		{"HB001", `owner:delete from recon.booking`},
		{"HB001", `owner:update recon.file set bytes = 'x'`},
		{"closing_check", `insert into recon.closing (id, day, revision, report, hash, prev) values ('1', '2026-01-02', 1, 'x', sha256('y'), '')`},
		{"", `insert into recon.closing (id, day, revision, report, hash, prev) values ('1', '2026-01-02', 1, 'x', sha256('x'), '')`},
		{"closing_day_revision_key", `insert into recon.closing (id, day, revision, report, hash, prev) values ('2', '2026-01-02', 1, 'x', sha256('x'), '')`},
		{"HB001", `owner:delete from recon.closing`},
	}.Stands(t, pgtest.URL(t))
}
