package limits_test

import (
	"testing"

	"tiwiza/pkg/pgtest"
)

func TestTheDatabaseCountsAPayoutOnce(t *testing.T) {
	t.Parallel()
	const decision = `insert into limits.decision (id, what, ref, outcome, rules, figures, amount, at, open) values `
	pgtest.Wall{
		{"", decision + `('1', 'payout', 'pay_1', 'pass', '{}', '[]', 1, now(), false)`},
		{"decision_passed", decision + `('2', 'payout', 'pay_1', 'pass', '{}', '[]', 1, now(), false)`},
		{"decision_passed", decision + `('2', 'payout', 'pay_1', 'refuse', '{}', '[]', 1, now(), false)`},
		{"decision_open", decision + `('2', 'payout', 'pay_1', 'refuse', '{}', '[]', 1, now(), true)`},
		{"", decision + `('3', 'payout', 'pay_2', 'hold', '{x}', '[]', 1, now(), true)`},
		{"decision_open_once", decision + `('4', 'payout', 'pay_2', 'hold', '{x}', '[]', 1, now(), true)`},
		{"decision_cleared", `update limits.decision set cleared_by = 'x', cleared_at = now() where id = '3'`},
	}.Stands(t, pgtest.URL(t))
}
