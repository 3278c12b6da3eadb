package operations_test

import (
	"testing"

	"tiwiza/payments/operations"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// What the bank has not shown yet is found by its amount, among what it has not
// shown.
func TestYearsOfOperationsCostNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	pgtest.Past(t, url, `insert into operations.operation (id, subject, kind, connector, ref, amount, currency, request, state, resend_until, proof, tries, gone, sent_at)
		select 'op_' || lpad(n::text, 6, '0'), 'pay_' || n, 'payout', 'bank', 'P' || n, case when n < 6000 then 1000 else 995 + n % 6000 end, 'MAD', '',
			case when n < 6000 then 'confirmed' else 'accepted' end, now(), 'statement', 1, 1, now() from generate_series(0, 8999) n`)
	db := pgtest.Open(t, url, pg.Options{MaxConns: 2})
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		return pgtest.Through(t.Context(), t, tx, func() error {
			found, err := operations.New(db).Awaited(t.Context(), tx, "bank", 1000, "MAD", 20)
			if err == nil && len(found) != 1 {
				t.Errorf("%d payments of 10.00 are not shown, want 1", len(found))
			}
			return err
		}, "operations.operation")
	})
	if err != nil {
		t.Fatal(err)
	}
}
