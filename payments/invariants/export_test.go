package invariants

import (
	"maps"
	"slices"
	"time"
)

// Kinds are the kinds of transfer that I8 knows.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// Age makes the last report stale.
func Age(s *Service) {
	r := *s.last.Load()
	r.looked = time.Time{}
	s.last.Store(&r)
}
