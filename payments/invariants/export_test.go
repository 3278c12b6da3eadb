package invariants

import (
	"maps"
	"slices"
)

// Kinds are the kinds of transfer that I8 knows.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Counted are the things that guarantees may count.
func Counted() []string { return slices.Collect(maps.Keys(counted)) }

// Legs are what a kind of transfer may do, as «debit escrow:*».
func Legs(kind string) (all []string) {
	for _, l := range kinds[kind] {
		side := "credit "
		if l.debit {
			side = "debit "
		}
		all = append(all, side+l.class)
	}
	return all
}
