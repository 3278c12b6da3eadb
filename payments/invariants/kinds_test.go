package invariants_test

import (
	"slices"
	"strings"
	"testing"

	"tiwiza/payments/escrow"
	"tiwiza/payments/invariants"
)

// What the escrow's machine says that a move books is what I8 allows of the kind,
// and I8 allows no more: but for money that never reached an order, which charges
// book by the same kinds.
func TestWhatTheMachineBooksIsWhatI8Allows(t *testing.T) {
	t.Parallel()
	loose := map[string][]string{
		"chargeback.lost":     {"debit suspense:*"},
		"chargeback.regained": {"debit suspense:*"},
		"refund.undone":       {"credit suspense:*"},
	}
	want := map[string][]string{}
	for _, r := range escrow.Machine {
		for _, p := range r.Post {
			debits, credits := r.Sides(p.Kind)
			for _, a := range debits {
				want[p.Kind] = append(want[p.Kind], "debit "+a)
			}
			for _, a := range credits {
				want[p.Kind] = append(want[p.Kind], "credit "+a)
			}
		}
	}
	for kind, says := range want {
		slices.Sort(says)
		says = slices.Compact(says)
		var allows []string
		for _, l := range invariants.Legs(kind) {
			if !slices.Contains(loose[kind], l) {
				allows = append(allows, strings.NewReplacer(":*:", ":", ":*", "").Replace(l))
			}
		}
		slices.Sort(allows)
		if allows = slices.Compact(allows); !slices.Equal(says, allows) {
			t.Errorf("%s: the machine books %v; I8 allows %v", kind, says, allows)
		}
	}
}
