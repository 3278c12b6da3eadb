package escrow_test

import (
	"testing"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// What a carrier cannot be paid yet is found among what nobody settled or shipped,
// however much it has brought.
func TestYearsOfParcelsCostNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	pgtest.Past(t, url, `insert into escrow.hold (id, order_id, seller, buyer, charge, currency, amount, released, legs, gone, state, wait_s, carrier, settled, shipped_at, cash)
		select 'esc_' || n, 'ord_' || n, 's', 'b', 'chg_' || n, 'MAD', 1000, case when n % 6000 = 4 then 0 else 1000 end, '{800,0,0,0,200}',
			case when n % 6000 = 4 then '{0,0,0,0,0}'::bigint[] else '{800,0,0,0,200}' end, 'closed', 0, 'k', n % 6000 <> 1, case when n % 6000 in (2, 3) then null else now() end, n % 6000 = 3
		from generate_series(0, 5999) n`)
	db := pgtest.Open(t, url, pg.Options{MaxConns: 2})
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		return pgtest.Through(t.Context(), t, tx, func() error {
			got, err := escrow.New(db, nil, nil).Unsettled(t.Context(), tx, "k", "MAD")
			if err == nil && got != 400 { // of one that is not settled, and one that is not shipped
				t.Errorf("%d wait, want 400", got)
			}
			return err
		}, "escrow.hold")
	})
	if err != nil {
		t.Fatal(err)
	}
}
