package pgsearch

import "time"

// Later has all counts be older by so much.
func (x *Index) Later(by time.Duration) {
	x.facets.mu.Lock()
	defer x.facets.mu.Unlock()
	for key, c := range x.facets.kept {
		c.at = c.at.Add(-by)
		x.facets.kept[key] = c
	}
}
