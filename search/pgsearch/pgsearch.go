// Package pgsearch keeps the search index in PostgreSQL, in the same
// transaction as what it is about: full text over folded words, prefixes of the
// last one, trigrams for the mistyped, filters, distances and facets.
package pgsearch

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// Index is a search.Index in PostgreSQL.
type Index struct {
	db     *pg.Store
	facets *facets
}

var _ search.Index = (*Index)(nil)

// Options tune an Index; the zero value is right for a hub.
type Options struct {
	// FacetAge is how old counts may be (3 s): counting reads the whole result,
	// so it is not done for each reader.
	FacetAge time.Duration
}

// Open makes the index over a store.
func Open(db *pg.Store, o Options) *Index {
	if o.FacetAge == 0 {
		o.FacetAge = 3 * time.Second
	}
	return &Index{db, newFacets(o.FacetAge)}
}

const (
	mostWords = 12  // of a query
	mostLimit = 100 // hits at once
	thin      = 5   // fewer hits than this, and mistyped words are considered
)

// Query finds; see search.Index. It costs one round trip, one more when a word
// may be mistyped, and now and then one to count.
func (x *Index) Query(ctx context.Context, q search.Query) (search.Result, error) {
	q = settle(q)
	var at cursor
	if err := at.decode(q); err != nil {
		return search.Result{}, err
	}
	terms := termsOf(q.Text)
	if len(terms) == 0 && q.Text != "" {
		return search.Result{Facets: nothing()}, nil // it has no words
	}
	loose := at.Loose
	if loose {
		if err := widen(ctx, x.db, terms); err != nil {
			return search.Result{}, err
		}
	}
	rows, err := find(ctx, x.db, q, terms, at, loose)
	if err != nil {
		return search.Result{}, err
	}
	if len(terms) > 0 && q.Cursor == "" && len(rows) < min(thin, q.Limit+1) {
		if err := widen(ctx, x.db, terms); err != nil {
			return search.Result{}, err
		}
		if loose = widened(terms); loose {
			if rows, err = find(ctx, x.db, q, terms, at, true); err != nil {
				return search.Result{}, err
			}
		}
	}
	var r search.Result
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		r.Next = encode(q, rows[q.Limit-1], loose)
	}
	for _, row := range rows {
		r.Hits = append(r.Hits, search.Hit{ID: row.ID, DistanceKM: row.KM})
	}
	counted, err := x.facets.of(ctx, x.db, q, terms, loose)
	if err != nil {
		return search.Result{}, err
	}
	r.Facets, r.Estimate = counted.facets, counted.total
	return r, nil
}

// settle fills in what a query leaves open.
func settle(q search.Query) search.Query {
	if q.Limit <= 0 {
		q.Limit = 24
	}
	q.Limit = min(q.Limit, mostLimit)
	if q.Sort == search.Nearest && q.Near == nil {
		q.Sort = ""
	}
	if q.Sort == "" {
		q.Sort = search.Relevance
	}
	if q.Sort == search.Relevance && q.Text == "" {
		q.Sort = search.Newest
	}
	return q
}

// A cursor is the last hit shown: its sort key and its id.
type cursor struct {
	Sort  string   `json:"s"`
	Loose bool     `json:"l,omitempty"` // mistyped words were considered
	Int   *int64   `json:"n,omitempty"` // price, microseconds, or rank
	KM    *float64 `json:"k,omitempty"`
	ID    string   `json:"i"`
}

func (c *cursor) decode(q search.Query) error {
	if q.Cursor == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err != nil {
		return search.ErrCursor.With(err)
	}
	if err := json.Unmarshal(b, c); err != nil {
		return search.ErrCursor.With(err)
	}
	if c.Sort != q.Sort || c.ID == "" || strings.ContainsRune(c.ID, 0) || (q.Sort == search.Nearest) != (c.KM != nil) || (c.KM == nil) != (c.Int != nil) {
		return search.ErrCursor
	}
	return nil
}

func encode(q search.Query, last found, loose bool) string {
	c := cursor{Sort: q.Sort, Loose: loose, ID: last.ID}
	if q.Sort == search.Nearest {
		c.KM = last.KM
	} else {
		c.Int = &last.Key
	}
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain fields; KM is a finite number
	}
	return base64.RawURLEncoding.EncodeToString(b)
}
