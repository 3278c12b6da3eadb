package sim_test

import (
	"context"
	"fmt"
	"strings"

	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/seal"
)

// promises is every invariant in one statement, so that the database plans them
// once for all lives and reads them in one snapshot.
var promises = func() string {
	var all []string
	for _, i := range invariants.All {
		all = append(all, fmt.Sprintf(`select '%s' as k, said as v from (%s) %s (said)`, i.ID, i.SQL, strings.ToLower(i.ID)))
	}
	return strings.Join(all, "\nunion all\n")
}()

// proofs holds every invariant against what stands in the database. What is
// posted and told is sealed now and then, as the hub does each second.
func (m *machine) proofs() {
	m.t.Helper()
	for _, c := range []seal.Chain{ledger.Chain, audit.Chain} {
		if m.n%5 != 0 {
			continue
		}
		if _, err := c.Seal(ctx(m), m.db); err != nil {
			m.rt.Fatalf("after %s: %v", m.doing, err)
		}
	}
	type broken struct{ K, V string }
	found, err := pg.All[broken](context.WithoutCancel(m.t.Context()), m.looks, promises)
	m.ok(err)
	if len(found) > 0 {
		m.rt.Fatalf("after %s these are broken: %q", m.doing, found)
	}
}
