package pgsearch

import (
	"context"
	"errors"
	"sync"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// synonyms remembers the operator's table for a moment.
type synonyms struct {
	db  *pg.Store
	age time.Duration

	mu      sync.Mutex
	read    time.Time
	version int
	table   *search.Synonyms
}

// current is the table as of a moment ago.
func (s *synonyms) current(ctx context.Context) (*search.Synonyms, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table != nil && time.Since(s.read) < s.age {
		return s.table, nil
	}
	version, err := search.SynonymsVersion(ctx, s.db)
	if err != nil {
		if s.table != nil && !errors.Is(err, context.Canceled) {
			return s.table, nil // an old table finds more than none
		}
		return nil, err
	}
	if s.table == nil || version != s.version {
		kept, err := search.Groups(ctx, s.db)
		if err != nil {
			return nil, err
		}
		s.table, s.version = search.NewSynonyms(kept.Groups), kept.Version
	}
	s.read = time.Now()
	return s.table, nil
}
