package meili

import (
	"maps"
	"slices"
	"strings"

	"github.com/meilisearch/meilisearch-go"

	"tiwiza/search"
)

// document is what the server has of an offer: the words both engines look
// for, and what is filtered and sorted by. Nothing else leaves PostgreSQL.
type document struct {
	ID        string        `json:"id"`
	About     string        `json:"about"`
	Names     string        `json:"names"`
	Kinds     string        `json:"kinds"`
	Origin    string        `json:"origin"` // places and the seller
	Texts     string        `json:"texts"`
	Seller    string        `json:"seller"`
	Category  string        `json:"category"`
	Region    string        `json:"region"`
	Labels    []string      `json:"labels"`
	Price     int64         `json:"price"`
	Bucket    string        `json:"bucket"`
	Available int           `json:"available"`
	Labelled  int           `json:"labelled"`
	Placed    bool          `json:"placed"`
	Geo       *search.Point `json:"_geo,omitempty"`
	Published int64         `json:"published"`
	Digest    string        `json:"digest"`
}

func documentOf(d search.Document, digest string) document {
	out := document{
		ID: d.ID, Seller: d.Seller, Category: d.Category, Region: d.Region, Labels: append([]string{}, d.Labels...),
		Price: d.Price, Bucket: search.BucketOf(d.Price), Published: d.Published.UnixMicro(), Digest: digest,
		Kinds: folded(append(texts(d.Kinds), d.Labels...)), Origin: folded(append(slices.Clone(d.Places), texts(d.SellerNames)...)),
		Texts: folded(texts(d.Texts)),
	}
	var about, names []string
	for _, lang := range slices.Sorted(maps.Keys(d.Names)) {
		a, rest := search.About(lang, d.Names[lang])
		about, names = append(about, a...), append(names, rest...)
	}
	out.About, out.Names = strings.Join(about, " "), strings.Join(names, " ")
	if d.Available {
		out.Available = 1
	}
	if len(d.Labels) > 0 {
		out.Labelled = 1
	}
	if d.Lat != nil && d.Lng != nil {
		out.Placed, out.Geo = true, &search.Point{Lat: *d.Lat, Lng: *d.Lng}
	}
	return out
}

func texts(byLang map[string]string) []string {
	out := make([]string, 0, len(byLang))
	for _, lang := range slices.Sorted(maps.Keys(byLang)) {
		out = append(out, byLang[lang])
	}
	return out
}

func folded(texts []string) string {
	var words []string
	for _, t := range texts {
		words = append(words, search.Fold(t)...)
	}
	return strings.Join(words, " ")
}

// settings of the index. The hub folds words and mends slips itself, so that
// both engines find alike; the server does neither.
func settings(s *search.Synonyms) *meilisearch.Settings {
	return &meilisearch.Settings{
		RankingRules: []string{
			"sort", "words", "attribute", "available:desc", "labelled:desc", "exactness", "proximity", "typo", "published:desc", "id:desc",
		},
		SearchableAttributes: []string{"about", "names", "kinds", "origin", "texts"},
		DisplayedAttributes:  []string{"id", "_geo", "digest"},
		FilterableAttributes: []string{"_geo", "bucket", "category", "labels", "placed", "price", "region", "seller"},
		SortableAttributes:   []string{"_geo", "available", "id", "labelled", "price", "published"},
		Synonyms:             synonyms(s),
		TypoTolerance: &meilisearch.TypoTolerance{
			Enabled:             false,
			MinWordSizeForTypos: meilisearch.MinWordSizeForTypos{OneTypo: 5, TwoTypos: 9}, DisableOnWords: []string{}, DisableOnAttributes: []string{},
		},
		Pagination: &meilisearch.Pagination{MaxTotalHits: deepest},
		Faceting:   &meilisearch.Faceting{MaxValuesPerFacet: 300, SortFacetValuesBy: map[string]meilisearch.SortFacetType{"*": "alpha"}},
	}
}

// synonyms are one way each on the server: every phrase names all others.
func synonyms(s *search.Synonyms) map[string][]string {
	out := map[string][]string{}
	for _, group := range s.Phrases() {
		for _, p := range group {
			for _, other := range group {
				if other != p && !slices.Contains(out[p], other) {
					out[p] = append(out[p], other)
				}
			}
		}
	}
	return out
}
