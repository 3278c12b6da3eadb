package pgsearch_test

import (
	"testing"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/search"
	"tiwiza/search/pgsearch"
)

// A word is known as long as some document has it, also when the one that was
// named for it is gone; and it is not when none has it any more.
func TestWordsAreKnownByWhoeverHasThem(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	x := pgsearch.Open(db, pgsearch.Options{FacetAge: time.Nanosecond})
	do := func(step func(tx *pg.Tx) error) {
		t.Helper()
		if err := db.InTx(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	doc := func(id, name string) search.Document {
		return search.Document{ID: id, Seller: "org_a", Category: "rugs", Region: "MA-03", Names: map[string]string{"fr": name}, Available: true, Published: time.Unix(1, 0)}
	}
	do(func(tx *pg.Tx) error {
		return x.Put(t.Context(), tx, doc("off_a", "Tapis rouge"), doc("off_b", "Tapis rouge"), doc("off_c", "Coussin rouge"))
	})
	terms := func(want int) {
		t.Helper()
		if got, err := x.Understand(t.Context(), "tapis rouje"); err != nil || len(got) != want {
			t.Errorf("understood are %+v (%v), want %d terms", got, err, want)
		}
	}
	terms(2)
	for _, gone := range []string{"off_b", "off_a"} {
		do(func(tx *pg.Tx) error { return x.Remove(t.Context(), tx, gone) })
		if gone == "off_b" {
			terms(2) // the index was asked
		}
	}
	terms(1) // nobody has a carpet any more
	do(func(tx *pg.Tx) error { return x.Put(t.Context(), tx, doc("off_d", "Tapis")) })
	terms(2)
}
