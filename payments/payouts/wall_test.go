package payouts_test

import (
	"testing"

	"tiwiza/pkg/pgtest"
)

func TestTheDatabaseHoldsTheLimitsOfADay(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t) // 200,000.00 a member, 5,000,000.00 in all
	const draft = `insert into payouts.payout (id, seller, bank, ref, currency, amount, rib, holder, state, needs_two, created_by, created_at, changed_at) `
	pgtest.Past(t, url,
		draft+`select 'pay_' || n, 'org_' || n, 'bank', 'P' || n, 'MAD', 19900000, '011519000001205000534921', 'x', 'draft', false, 'seller org_' || n, now(), now() from generate_series(1, 26) n`,
		draft+`select 'pay_x' || n, 'org_x', 'bank', 'PX' || n, 'MAD', 10000001, '011519000001205000534921', 'x', 'draft', false, 'seller org_x', now(), now() from generate_series(1, 2) n`)
	const approve = `update payouts.payout set state = 'approved', day = (platform.now() at time zone 'Africa/Casablanca')::date where id `
	pgtest.Wall{
		{"HB071", approve + `in ('pay_x1', 'pay_x2')`},
		{"HB071", approve + `not like 'pay_x%'`}, // 5,174,000.00 of 26 members
		{"", approve + `= 'pay_x1'`},
		{"HB071", approve + `= 'pay_x2'`},
		{"", approve + `in (select 'pay_' || n from generate_series(1, 24) n)`},
		{"HB071", approve + `= 'pay_25'`},
		{"HB071", approve + `= 'pay_26'`},
		{"HB071", `update payouts.payout set state = 'approved', day = null where id = 'pay_26'`},
		{"payout_other", `update payouts.payout set approved_by = created_by where id = 'pay_26'`},
	}.Stands(t, url)
}
