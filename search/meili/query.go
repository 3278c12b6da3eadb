package meili

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"github.com/meilisearch/meilisearch-go"

	"tiwiza/pkg/geo"
	"tiwiza/search"
)

// mark begins the server's cursors: no cursor of PostgreSQL's does.
const mark = "m."

// deepest is how far a result can be read on: the server counts and shows no
// more hits than that.
const deepest = 10_000

// A cursor is how far a list was read, by one sort.
type cursor struct {
	Sort   string `json:"s"`
	Offset int    `json:"o"`
}

// decode reads a cursor; ours is false for one that PostgreSQL made.
func decode(q search.Query) (c cursor, ours bool, err error) {
	text, ours := strings.CutPrefix(q.Cursor, mark)
	if !ours {
		return cursor{Sort: sortOf(q)}, false, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return c, true, search.ErrCursor.With(err)
	}
	if c.Sort != sortOf(q) || c.Offset <= 0 || c.Offset > deepest {
		return c, true, search.ErrCursor
	}
	return c, true, nil
}

func (c cursor) next(limit int) string {
	c.Offset += limit
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // plain fields
	}
	return mark + base64.RawURLEncoding.EncodeToString(b)
}

// sortOf is the sort a query means.
func sortOf(q search.Query) string {
	s := q.Sort
	if s == search.Nearest && q.Near == nil || s == "" {
		s = search.Relevance
	}
	if s == search.Relevance && q.Text == "" {
		s = search.Newest
	}
	return s
}

func limitOf(q search.Query) int {
	if q.Limit <= 0 {
		return 24
	}
	return min(q.Limit, 100)
}

// mostWords is how many words of a query the server reads; those after it would
// be left out without a word.
const mostWords = 10

// request is a query in the server's words; nil when it has none to look for
// or more than the server reads, or is read on deeper than the server shows.
func request(q search.Query, at cursor) *meilisearch.SearchRequest {
	words := search.Fold(q.Text)
	words = words[:min(len(words), search.MostWords)]
	if q.Text != "" && len(words) == 0 || len(words) > mostWords || at.Offset+limitOf(q)+1 > deepest {
		return nil
	}
	req := &meilisearch.SearchRequest{
		Query: strings.Join(words, " "), Offset: int64(at.Offset), Limit: int64(limitOf(q) + 1),
		AttributesToRetrieve: []string{"id", "_geo"}, MatchingStrategy: meilisearch.All, Sort: sorts(q),
	}
	if !q.Bare {
		req.Facets = []string{"category", "region", "labels", "bucket"}
	}
	if f := filters(q); len(f) > 0 {
		req.Filter = f
	}
	return req
}

func sorts(q search.Query) []string {
	switch sortOf(q) {
	case search.Newest:
		return []string{"published:desc", "id:desc"}
	case search.Cheapest:
		return []string{"price:asc", "id:asc"}
	case search.Dearest:
		return []string{"price:desc", "id:desc"}
	case search.Nearest:
		return []string{fmt.Sprintf("_geoPoint(%s,%s):asc", degrees(q.Near.Lat), degrees(q.Near.Lng)), "id:asc"}
	}
	return nil
}

func degrees(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// filters are conditions of which all must hold.
func filters(q search.Query) (all []string) {
	for _, f := range []struct{ attribute, value string }{
		{"category", q.Category}, {"region", q.Region}, {"labels", q.Label}, {"seller", q.Seller},
	} {
		if f.value != "" {
			all = append(all, f.attribute+" = "+quote(f.value))
		}
	}
	if q.Min != nil {
		all = append(all, fmt.Sprintf("price >= %d", *q.Min))
	}
	if q.Max != nil {
		all = append(all, fmt.Sprintf("price <= %d", *q.Max))
	}
	if q.Near != nil && q.RadiusKM > 0 {
		all = append(all, fmt.Sprintf("_geoRadius(%s, %s, %.0f)", degrees(q.Near.Lat), degrees(q.Near.Lng), math.Ceil(q.RadiusKM*1000)))
	}
	if sortOf(q) == search.Nearest {
		all = append(all, "placed = true")
	}
	return all
}

// quote writes a value into a filter. Nothing in it can end the quotes.
func quote(v string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\x00", "").Replace(v) + `"`
}

// result reads an answer.
func result(q search.Query, at cursor, res *meilisearch.SearchResponse) (search.Result, error) {
	var hits []struct {
		ID  string        `json:"id"`
		Geo *search.Point `json:"_geo"`
	}
	if err := res.Hits.DecodeInto(&hits); err != nil {
		return search.Result{}, fmt.Errorf("read hits: %w", err)
	}
	r := search.Result{Facets: search.NoFacets(), Estimate: int(res.EstimatedTotalHits), Capped: res.EstimatedTotalHits >= deepest}
	if limit := limitOf(q); len(hits) > limit {
		hits = hits[:limit]
		r.Next = at.next(limit)
	}
	for _, h := range hits {
		hit := search.Hit{ID: h.ID}
		if q.Near != nil && h.Geo != nil {
			km := geo.Distance(geo.Place{Lat: q.Near.Lat, Lng: q.Near.Lng}, geo.Place{Lat: h.Geo.Lat, Lng: h.Geo.Lng})
			hit.DistanceKM = &km
		}
		r.Hits = append(r.Hits, hit)
	}
	if q.Bare {
		r.Estimate, r.Capped = 0, false
		return r, nil
	}
	var counts map[string]map[string]int
	if err := json.Unmarshal(res.FacetDistribution, &counts); err != nil {
		return search.Result{}, fmt.Errorf("read facets: %w", err)
	}
	for attribute, facet := range map[string]string{"category": search.ByCategory, "region": search.ByRegion, "labels": search.ByLabel, "bucket": search.ByPrice} {
		for value, n := range counts[attribute] {
			r.Facets[facet][value] = n
		}
	}
	return r, nil
}

// watched are the synonyms the server has, to say which words were found.
type watched struct {
	mu    sync.Mutex
	table *search.Synonyms
}

func (w *watched) set(s *search.Synonyms) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.table = s
}

func (w *watched) terms(text string) []search.Term {
	w.mu.Lock()
	defer w.mu.Unlock()
	return search.Parse(text, w.table)
}
