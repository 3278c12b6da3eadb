package invariants

import (
	"maps"
	"slices"
)

// Kinds are the kinds of transfer that I8 knows.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Counted are the things that guarantees may count.
func Counted() []string { return slices.Collect(maps.Keys(counted)) }
