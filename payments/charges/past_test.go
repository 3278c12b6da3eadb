package charges_test

import (
	"testing"

	"tiwiza/payments/charges"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// What money may be for is looked for among what waits for it, not among all that
// was ever paid with the same amount.
func TestYearsOfChargesCostNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	pgtest.Past(t, url, `insert into charges.charge (id, group_id, buyer, method, acquirer, ref, currency, amount, contact, state, settled, captured, created_at, expires_at)
			select 'chg_' || lpad(n::text, 6, '0'), 'grp_' || n, 'per_1', case n % 2 when 0 then 'card' else 'transfer' end, case n % 2 when 0 then 'acq' else '' end, 'r' || n, 'MAD', 1000, '{}',
				case when n < 6000 then 'confirmed' when n % 2 = 0 then 'confirmed' else 'accepted' end, n < 6000, case when n < 6000 then 1000 else 0 end, now(), now() from generate_series(0, 6003) n`,
		`insert into charges.transfer (charge, reference, bank) select id, 'T' || id, 'bank' from charges.charge where method = 'transfer'`)
	db := pgtest.Open(t, url, pg.Options{MaxConns: 2})
	for name, look := range map[string]func(tx *pg.Tx) ([]charges.Charge, error){
		"not settled": func(tx *pg.Tx) ([]charges.Charge, error) {
			return charges.UnsettledOf(t.Context(), tx, 1000, "MAD", 20)
		},
		"not transferred": func(tx *pg.Tx) ([]charges.Charge, error) { return charges.AwaitedBy(t.Context(), tx, 1000, "MAD") },
	} {
		err := db.InTx(t.Context(), func(tx *pg.Tx) error {
			return pgtest.Through(t.Context(), t, tx, func() error {
				found, err := look(tx)
				if err == nil && len(found) != 2 {
					t.Errorf("%d charges are %s, want 2", len(found), name)
				}
				return err
			}, "charges.charge", "charges.transfer")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
