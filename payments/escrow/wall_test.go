package escrow_test

import (
	"testing"

	"tiwiza/pkg/pgtest"
)

func TestTheDatabaseKeepsEachEscrowWhole(t *testing.T) {
	t.Parallel()
	pgtest.Wall{
		{"", `insert into escrow.hold (id, order_id, seller, buyer, charge, currency, amount, legs, wait_s, carrier, state) values ('esc_1', 'ord_1', 's', 'b', 'chg_1', 'MAD', 100, '{80,0,0,0,20}', 0, 'k', 'funded')`},
		{"hold_shared", `update escrow.hold set legs = '{80,0,0,0,21}'`},
		{"hold_gone", `update escrow.hold set released = 1`},
		{"hold_leg", `update escrow.hold set released = 81, gone = '{81,0,0,0,0}'`},
		{"hold_enough", `update escrow.hold set amount = 100, released = 80, gone = '{80,0,0,0,0}', refunded = 20, charged = 1, cancelled = '{0,0,0,0,21}'`},
		{"", `update escrow.hold set released = 80, gone = '{80,0,0,0,0}', refunded = 20, cancelled = '{0,0,0,0,20}', recovered = 80, taken = '{80,0,0,0,0}'`},
		{"hold_taken_leg", `update escrow.hold set recovered = 81, refunded = 19, cancelled = '{0,0,0,0,19}', taken = '{81,0,0,0,0}'`},
		{"hold_taken", `update escrow.hold set taken = '{79,0,0,0,0}'`},
		{"hold_frozen", `update escrow.hold set cases = '{dsp_1}'`},
		{"hold_frozen", `update escrow.hold set frozen_at = now()`},
		{"", `insert into escrow.lot (id, hold, order_id, seller, currency, amount, due) values ('lot_1', 'esc_1', 'ord_1', 's', 'MAD', 10, now())`},
		{"lot_used", `update escrow.lot set used = 11`},
		{"lot_used", `update escrow.lot set used = -1`},
	}.Stands(t, pgtest.URL(t))
}
