package pgsearch_test

import (
	"testing"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/search"
	"tiwiza/search/pgsearch"
)

// Nobody waits for counts that are being made anew; those that are too old are not
// shown at all.
func TestCountsAreShownWhileTheyAreMadeAnew(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	const age = time.Hour
	x := pgsearch.Open(db, pgsearch.Options{FacetAge: age})
	total := func() int {
		t.Helper()
		found, err := x.Query(t.Context(), search.Query{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		return found.Estimate
	}
	put := func(id string) {
		t.Helper()
		err := db.InTx(t.Context(), func(tx *pg.Tx) error {
			return x.Put(t.Context(), tx, search.Document{ID: id, Seller: "org_a", Category: "rugs", Region: "MA-03", Names: map[string]string{"fr": "Tapis"}, Available: true, Published: time.Unix(1, 0)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	soon := func(want int) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); total() != want; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("after two minutes %d are counted, want %d", total(), want)
			}
		}
	}
	put("off_a")
	if got := total(); got != 1 {
		t.Fatalf("%d are counted, want 1", got)
	}
	put("off_b")
	if got := total(); got != 1 {
		t.Errorf("%d are counted while the count is young, want 1", got)
	}
	x.Later(2 * age)
	if got := total(); got != 1 {
		t.Errorf("%d are counted: somebody waited", got)
	}
	soon(2)
	put("off_c")
	x.Later(30 * age)
	if got := total(); got != 3 {
		t.Errorf("%d are counted: a count of long ago was shown", got)
	}
}

// Old counts are not shown beside hits that give them the lie: the report of what
// people did not find goes by them.
func TestCountsThatTheHitsContradictAreNotShown(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	x := pgsearch.Open(db, pgsearch.Options{FacetAge: time.Hour})
	check := func(want int) {
		t.Helper()
		found, err := x.Query(t.Context(), search.Query{Text: "tapis"})
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Hits) != want || found.Estimate != want || found.Facets[search.ByCategory]["rugs"] != want {
			t.Errorf("%d hits are counted as %d, by categories %v; want %d", len(found.Hits), found.Estimate, found.Facets[search.ByCategory], want)
		}
	}
	in := func(do func(tx *pg.Tx) error) {
		t.Helper()
		if err := db.InTx(t.Context(), do); err != nil {
			t.Fatal(err)
		}
	}
	check(0)
	for i, id := range []string{"off_a", "off_b"} {
		in(func(tx *pg.Tx) error {
			return x.Put(t.Context(), tx, search.Document{ID: id, Seller: "org_a", Category: "rugs", Region: "MA-03", Names: map[string]string{"fr": "Tapis"}, Available: true, Published: time.Unix(1, 0)})
		})
		check(i + 1)
	}
	in(func(tx *pg.Tx) error { return x.Remove(t.Context(), tx, "off_a", "off_b") })
	check(0)
}
