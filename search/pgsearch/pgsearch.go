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
	db       *pg.Store
	facets   *facets
	synonyms *synonyms
}

var _ search.Index = (*Index)(nil)

// Options tune an Index; the zero value is right for a hub.
type Options struct {
	// FacetAge is how old counts may be before they are made anew (3 s): counting
	// reads the whole result, so it is not done for each reader.
	FacetAge time.Duration
}

// Open makes the index over a store.
func Open(db *pg.Store, o Options) *Index {
	if o.FacetAge == 0 {
		o.FacetAge = 3 * time.Second
	}
	return &Index{db, newFacets(o.FacetAge), &synonyms{db: db, age: o.FacetAge}}
}

const (
	mostLimit = 100 // hits at once
	thin      = 5   // fewer hits than this, and less strict ways are tried
)

// Query finds; see search.Index. It costs one round trip; two more when a word
// may be mistyped or the words are not found together; and now and then one to
// count.
func (x *Index) Query(ctx context.Context, q search.Query) (search.Result, error) {
	q = settle(q)
	var at cursor
	if err := at.decode(q); err != nil {
		return search.Result{}, err
	}
	s, err := x.synonyms.current(ctx)
	if err != nil {
		return search.Result{}, err
	}
	a := asking{q: q, terms: search.Parse(q.Text, s), at: at, way: at.Way}
	if len(a.terms) == 0 && q.Text != "" {
		return search.Result{Facets: search.NoFacets()}, nil // it has no words
	}
	if err := x.answer(ctx, &a, s); err != nil {
		return search.Result{}, err
	}
	if len(a.terms) == 0 && q.Text != "" {
		return search.Result{Facets: search.NoFacets()}, nil // nobody wrote any of its words
	}
	r := search.Result{Terms: a.terms}
	if len(a.rows) > q.Limit {
		a.rows = a.rows[:q.Limit]
		r.Next = encode(q, a.rows[q.Limit-1], a.way)
	}
	for _, row := range a.rows {
		r.Hits = append(r.Hits, search.Hit{ID: row.ID, DistanceKM: row.KM})
	}
	if q.Bare {
		r.Facets = search.NoFacets()
		return r, nil
	}
	counted, err := x.facets.of(ctx, x.db, q, a.terms, a.way, func(c counted) bool {
		if q.Cursor == "" && r.Next == "" && q.Sort != search.Nearest { // the hits are all there is
			return c.total == len(r.Hits)
		}
		return c.total >= len(r.Hits)
	})
	if err != nil {
		return search.Result{}, err
	}
	r.Facets, r.Estimate, r.Capped = counted.facets, counted.total, counted.capped
	return r, nil
}

// asking is a query on its way.
type asking struct {
	q     search.Query
	terms []search.Term
	at    cursor
	way   way
	rows  []found
}

// answer asks strictly, and less so as long as there is little to show. What
// a cursor reads on is asked as its first piece was.
func (x *Index) answer(ctx context.Context, a *asking, s *search.Synonyms) (err error) {
	strictly, first := a.terms, a.q.Cursor == ""
	if a.way > strict {
		if a.terms, err = widen(ctx, x.db, a.terms, s); err != nil || len(a.terms) == 0 {
			return err
		}
	}
	if a.rows, err = find(ctx, x.db, a.q, a.terms, a.at, a.way); err != nil || len(a.terms) == 0 || !first {
		return err
	}
	few := min(thin, a.q.Limit+1)
	if len(a.rows) < few {
		if a.terms, err = widen(ctx, x.db, a.terms, s); err != nil || len(a.terms) == 0 {
			return err
		}
		if widened(a.terms, len(strictly)) {
			a.way = loose
			if a.rows, err = find(ctx, x.db, a.q, a.terms, a.at, loose); err != nil {
				return err
			}
		}
	}
	if len(a.rows) < few && len(a.terms) > 1 {
		a.way = relaxed
		a.rows, err = find(ctx, x.db, a.q, a.terms, a.at, relaxed)
	}
	return err
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
	Sort string   `json:"s"`
	Way  way      `json:"l,omitempty"` // how strictly the first piece was asked
	Int  *int64   `json:"n,omitempty"` // price, microseconds, or rank
	KM   *float64 `json:"k,omitempty"`
	ID   string   `json:"i"`
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
	if c.Sort != q.Sort || c.Way < strict || c.Way > relaxed || c.ID == "" || strings.ContainsRune(c.ID, 0) || (q.Sort == search.Nearest) != (c.KM != nil) || (c.KM == nil) != (c.Int != nil) {
		return search.ErrCursor
	}
	if q.Sort == search.Newest {
		if y := time.UnixMicro(*c.Int).Year(); y < 1 || y > 9999 { // the database has no such moment
			return search.ErrCursor
		}
	}
	return nil
}

func encode(q search.Query, last found, w way) string {
	c := cursor{Sort: q.Sort, Way: w, ID: last.ID}
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
