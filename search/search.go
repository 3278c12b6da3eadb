// Package search finds offers: by words in French, Arabic, English or
// Tamazight, by what they are, where they come from, what they cost and how far
// away they are. Index is the contract; searchconform is its test, and
// search/pgsearch keeps it in PostgreSQL.
package search

import (
	"context"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/pg"
)

// ErrCursor says that a cursor was not made by this list, or by another sort
// of it.
var ErrCursor = fault.New(fault.Malformed, "search.cursor", "Read on with the cursor of the answer before, unchanged.").
	At("?cursor", "This is not a cursor of this list; take it from next, unchanged.")

// A Document is what the index knows of one offer that buyers may see.
type Document struct {
	ID          string
	Seller      string
	SellerNames map[string]string // by language
	Names       map[string]string
	Texts       map[string]string // descriptions and whatever else is worth finding
	Category    string
	Kinds       map[string]string // the category's names
	Region      string            // ISO 3166-2
	Places      []string          // names of where it comes from, in any language
	Labels      []string          // codes of labels in date
	Price       int64             // centimes, of the cheapest variant
	Available   bool
	Lat, Lng    *float64 // both or neither
	Published   time.Time
}

// Sorts of a result. Relevance without words is Newest.
const (
	Relevance = "relevance"
	Newest    = "newest"
	Cheapest  = "price"
	Dearest   = "-price"
	Nearest   = "distance"
)

// A Point is a place on Earth in degrees.
type Point struct {
	Lat float64 `json:"lat"`
	Lng float64 `json:"lng"`
}

// A Query asks for one piece of a result. The zero value of a field does not
// filter. Near gives distances; with RadiusKM above zero it filters too, and
// the sort Nearest needs it.
type Query struct {
	Text     string
	Lang     string // the reader's language; words are looked for in all
	Category string
	Region   string
	Label    string
	Seller   string
	Min, Max *int64 // centimes
	Near     *Point
	RadiusKM float64
	Sort     string
	Limit    int
	Cursor   string
	Bare     bool // the hits are enough: no facets, no estimate
}

// A Hit is one offer found.
type Hit struct {
	ID         string
	DistanceKM *float64 // when Near was asked and the offer has a place
}

// A Result is one piece of what was found. Hits are as of now. Facets and
// Estimate describe the whole result, may be a minute old where that cannot be seen
// from the hits, and belong to whoever asked only for reading.
type Result struct {
	Hits     []Hit
	Next     string // cursor of the next piece; "" at the end
	Facets   Facets
	Estimate int
	Capped   bool   // there are more than the facets and the estimate counted
	Terms    []Term // what was looked for, to highlight it
}

// Facets count the result by Category, Region, Label and Price: first the
// facet, then its value.
type Facets map[string]map[string]int

// The facets.
const (
	ByCategory = "category"
	ByRegion   = "region"
	ByLabel    = "label"
	ByPrice    = "price"
)

// An Index keeps documents and finds them. Put and Remove are steps of the
// caller's unit of work: they are seen by everyone when it commits, and never
// when it does not.
type Index interface {
	// Put adds documents, or replaces those with the same id.
	Put(ctx context.Context, tx *pg.Tx, docs ...Document) error
	// Remove takes documents out; one that is not there is no matter.
	Remove(ctx context.Context, tx *pg.Tx, ids ...string) error
	// Query finds. Reading on with Next shows each document once, as long as
	// it does not change.
	Query(ctx context.Context, q Query) (Result, error)
}

// Buckets of the price facet, in centimes: each goes up to, and not including,
// the next.
var Buckets = []int64{0, 5_000, 10_000, 20_000, 50_000, 100_000}

// BucketNames of Buckets, in dirhams.
var BucketNames = []string{"0-50", "50-100", "100-200", "200-500", "500-1000", "1000-"}

// BucketOf is the bucket of a price.
func BucketOf(price int64) string {
	i := len(Buckets) - 1
	for i > 0 && price < Buckets[i] {
		i--
	}
	return BucketNames[i]
}

// NoFacets are the facets of an empty result.
func NoFacets() Facets { return Facets{ByCategory: {}, ByRegion: {}, ByLabel: {}, ByPrice: {}} }
