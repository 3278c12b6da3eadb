package operations_test

import (
	"testing"

	"tiwiza/pkg/pgtest"
)

func TestTheDatabaseKeepsAnOperationsPast(t *testing.T) {
	t.Parallel()
	const op = `insert into operations.operation (id, subject, kind, connector, ref, amount, currency, request, resend_until, state, tries, gone, proof, lease_until) values `
	pgtest.Wall{
		{"operation_left", op + `('1', 's1', 'payout', 'b', 'R1', 1, 'MAD', '', now(), 'unknown', 0, 0, '', null)`},
		{"operation_left", op + `('1', 's1', 'payout', 'b', 'R1', 1, 'MAD', '', now(), 'sending', 0, 0, '', now())`},
		{"operation_lease", op + `('1', 's1', 'payout', 'b', 'R1', 1, 'MAD', '', now(), 'sending', 1, 1, '', null)`},
		{"operation_proof", op + `('1', 's1', 'payout', 'b', 'R1', 1, 'MAD', '', now(), 'confirmed', 1, 1, '', null)`},
		{"operation_gone", op + `('1', 's1', 'payout', 'b', 'R1', 1, 'MAD', '', now(), 'accepted', 1, 2, '', null)`},
		{"", op + `('1', 's1', 'payout', 'b', 'R1', 1, 'MAD', '', now(), 'unknown', 1, 1, '', null)`},
		{"operation_live", op + `('2', 's1', 'payout', 'b', 'R2', 1, 'MAD', '', now(), 'intent', 0, 0, '', null)`},
		{"operation_connector_ref_key", op + `('2', 's2', 'payout', 'b', 'R1', 1, 'MAD', '', now(), 'intent', 0, 0, '', null)`},
	}.Stands(t, pgtest.URL(t))
}
