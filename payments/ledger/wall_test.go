package ledger_test

import (
	"testing"

	"tiwiza/pkg/pgtest"
)

func TestTheDatabaseKeepsWhatIsKeptBack(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	pgtest.Past(t, url, `insert into ledger.account (id, code, currency, normal, floor) overriding system value values (901, 'seller:x:available', 'MAD', 'C', 0)`,
		`insert into ledger.balance (account_id, shard, cr, normal, floor) values (901, 0, 100, 'C', 0)`)
	pgtest.Wall{
		{"", `insert into ledger.hold (id, account_id, amount, remains, why) values ('h', 901, 50, 50, 'x')`},
		{"", `update ledger.hold set remains = 20`},
		{"HB001", `update ledger.hold set remains = 30`},
		{"hold_remains", `update ledger.hold set remains = 0`},
		{"hold_ended", `update ledger.hold set remains = 0, state = 'closed'`},
		{"balance_floor", `insert into ledger.hold (id, account_id, amount, remains, why) values ('i', 901, 81, 81, 'x')`},
		{"42501", `update ledger.balance set held = 0`},
	}.Stands(t, url)
}
