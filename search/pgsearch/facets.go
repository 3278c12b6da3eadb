package pgsearch

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// So many documents are counted: mostCounted of those with the words asked for,
// which lie anywhere, mostListed without words. Of the rest a result says only
// that there are more.
const (
	mostCounted = 1000
	mostListed  = 100_000
)

// mostKept is how many counted results a hub remembers.
const mostKept = 512

// stale is how many times its age a count is still shown while it is made anew, so
// that nobody waits for the counts of a page that many look at. What a reader can see
// to be wrong is not shown.
const stale = 20

// facets remembers for a moment what was counted for a set of filters, and
// counts each once for all who ask at the same time.
type facets struct {
	age    time.Duration
	flight singleflight.Group
	mu     sync.Mutex
	kept   map[string]counted
}

// counted is what a result holds.
type counted struct {
	facets search.Facets
	total  int
	capped bool
	at     time.Time
}

func newFacets(age time.Duration) *facets { return &facets{age: age, kept: map[string]counted{}} }

// of counts the whole result of a query, or remembers. fits says whether a count goes
// with the hits that it is shown with.
func (f *facets) of(ctx context.Context, db pg.DB, q search.Query, terms []search.Term, w way, fits func(counted) bool) (counted, error) {
	q.Text, q.Lang, q.Sort, q.Cursor, q.Limit = "", "", "", "", 0
	if q.RadiusKM <= 0 {
		q.Near = nil // it filters nothing
	}
	key, err := json.Marshal(struct {
		Query search.Query
		Words string
	}{q, tsquery(terms, w)})
	if err != nil {
		return counted{}, err
	}
	old, ok := f.remembered(string(key))
	ok = ok && fits(old)
	if ok && time.Since(old.at) < f.age {
		return old, nil
	}
	// Others wait for this count, so it does not end with this reader's patience.
	got := f.flight.DoChan(string(key), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		c, err := count(ctx, db, q, terms, w)
		if err == nil {
			f.keep(string(key), c)
		}
		return c, err
	})
	if ok {
		return old, nil
	}
	select {
	case <-ctx.Done():
		return counted{}, ctx.Err()
	case r := <-got:
		if r.Err != nil {
			return counted{}, r.Err
		}
		return r.Val.(counted), nil
	}
}

// remembered is what was counted, if it may still be shown.
func (f *facets) remembered(key string) (counted, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c, ok := f.kept[key]
	return c, ok && time.Since(c.at) < stale*f.age
}

// keep remembers c. When there is no room, what is too old goes; then whatever
// comes first.
func (f *facets) keep(key string, c counted) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.kept) >= mostKept {
		for k, old := range f.kept {
			if time.Since(old.at) >= stale*f.age {
				delete(f.kept, k)
			}
		}
	}
	for k := range f.kept {
		if len(f.kept) < mostKept {
			break
		}
		delete(f.kept, k)
	}
	f.kept[key] = c
}
