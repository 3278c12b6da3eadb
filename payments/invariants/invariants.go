// Package invariants is the auditor: it proves, from the tables alone, that the
// books and all that hangs on them are right, and publishes what it found.
//
// Each promise is one query that answers a row for each thing that is wrong. By
// exception to the rule that no domain reads another's tables, this package
// reads every schema; it writes none but its own, where a hub keeps what it found.
//
// A query must be right at any moment: while transactions are in flight (what
// commits together is judged together, in one snapshot), and after a crash
// (what is on its way, or within its time, is no violation).
package invariants

import (
	"fmt"
	"slices"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/seal"
)

// An Invariant is a promise and the query that would show it broken.
type Invariant struct {
	ID      string
	Promise string // one plain English sentence
	SQL     string // answers one text for each violation, with ids in it
}

// All is every promise there is, in the order in which they are shown.
//
// Not here: R9 (the partners' own truth is not in the database; the demonstration
// compares it). R8 needs no query: an Idempotency-Key is locked by the transaction that answers it, so it
// cannot outlive that transaction.
var All = slices.Concat(books, holds, partners, market, subsidies, groups, insured)

// live is what is asked each minute of promises whose full proof reads too
// much for that: of the seals, their last blocks. Once a day, and by hub verify, they are proved in full.
var live = map[string]string{"I14": ledger.Chain.Broken(4), "R7": audit.Chain.Broken(4), "R13": looked.Broken(4), "R15": said.Broken(4)}

// looked is the chain of marketplace/sharing's log.
var looked = seal.Chain{Row: "consultation", View: "sharing.consultation_sealable", Blocks: "sharing.consultation_block"}

// said is the chain of marketplace/accords's ledger.
var said = seal.Chain{Row: "accord", View: "accords.sealable", Blocks: "accords.block"}

// A Finding is what became of one promise.
type Finding struct {
	ID      string
	Promise string
	Count   int      // how many violations there are
	Rows    []string // the first of them, at most 20
	Took    time.Duration
	Since   *time.Time // how long a kept report has found it broken; nil: it is kept
}

// most is how many violations a finding spells out.
const most = 20

// pick is the named invariants, in the order of All; none named is all.
func pick(ids []string) ([]Invariant, error) {
	if len(ids) == 0 {
		return All, nil
	}
	var chosen []Invariant
	for _, i := range All {
		if slices.Contains(ids, i.ID) {
			chosen = append(chosen, i)
		}
	}
	for _, id := range ids {
		if !slices.ContainsFunc(chosen, func(i Invariant) bool { return i.ID == id }) {
			return nil, fmt.Errorf("there is no invariant %q", id)
		}
	}
	return chosen, nil
}

// Violations is the sum of what was found.
func Violations(found []Finding) int {
	n := 0
	for _, f := range found {
		n += f.Count
	}
	return n
}
