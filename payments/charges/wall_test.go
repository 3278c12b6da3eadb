package charges_test

import (
	"testing"

	"tiwiza/pkg/pgtest"
)

func TestTheDatabaseGivesNothingBackTwice(t *testing.T) {
	t.Parallel()
	const refund = `insert into charges.refund (id, charge, buyer, currency, amount, rail, connector, attempt, ref, state, reason, asked_by, created_at, changed_at) values `
	pgtest.Wall{
		{"", `insert into charges.charge (id, group_id, buyer, method, acquirer, ref, currency, amount, contact, state, captured, created_at, expires_at)
			values ('chg_1', 'grp_1', 'b', 'card', 'acq', 'r', 'MAD', 100, '{}', 'confirmed', 100, now(), now())`},
		{"", `update charges.charge set refunded = 100`},
		{"charge_refunded", `update charges.charge set refunded = 101`},
		{"", refund + `('1', 'chg_1', 'b', 'MAD', 10, 'card', 'acq', 1, 'R1', 'sent', 'x', 'x', now(), now())`},
		{"refund_at_acquirer", refund + `('2', 'chg_1', 'b', 'MAD', 10, 'card', 'acq', 1, 'R2', 'created', 'x', 'x', now(), now())`},
		{"", refund + `('3', 'chg_1', 'b', 'MAD', 10, 'card', 'acq', 1, 'R3', 'confirmed', 'x', 'x', now(), now())`},
		{"refund_asked", refund + `('4', 'chg_1', 'b', 'MAD', 10, 'card', '', 1, 'R4', 'confirmed', 'x', 'x', now(), now())`},
		{"refund_waits", refund + `('4', 'chg_1', 'b', 'MAD', 10, 'card', 'acq', 1, 'R4', 'returned', 'x', 'x', now(), now())`},
		{"refund_account", refund + `('4', 'chg_1', 'b', 'MAD', 10, 'transfer', 'b', 1, 'R4', 'sent', 'x', 'x', now(), now())`},
	}.Stands(t, pgtest.URL(t))
}
