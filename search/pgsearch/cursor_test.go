package pgsearch_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/search"
	"tiwiza/search/pgsearch"
)

// A cursor is in the reader's hands: moments that are none are no cursor.
func TestCursorsOutOfTimeAreRefused(t *testing.T) {
	t.Parallel()
	x := pgsearch.Open(pgtest.New(t), pgsearch.Options{})
	for _, at := range []int64{math.MinInt64, math.MinInt64 / 2, math.MaxInt64} {
		q := search.Query{Cursor: base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"s":"newest","n":%d,"i":"off_a"}`, at))}
		if _, err := x.Query(t.Context(), q); !errors.Is(err, search.ErrCursor) {
			t.Errorf("the cursor of %d µs: error = %v, want %v", at, err, search.ErrCursor)
		}
	}
}

// What was found may be gone, with all its words, before somebody reads on.
func TestReadingOnInWhatWentIsTheEnd(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	x := pgsearch.Open(db, pgsearch.Options{})
	in := func(do func(tx *pg.Tx) error) {
		t.Helper()
		if err := db.InTx(t.Context(), do); err != nil {
			t.Fatal(err)
		}
	}
	ids := []string{"off_0", "off_1", "off_2"}
	for _, text := range []string{"tapis miel", "tapsi"} {
		in(func(tx *pg.Tx) error {
			for i, name := range []string{"Tapis", "Tapis", "Miel"} {
				d := search.Document{ID: ids[i], Seller: "org_a", Category: "rugs", Region: "MA-03", Names: map[string]string{"fr": name}, Published: time.Unix(1, 0)}
				if err := x.Put(t.Context(), tx, d); err != nil {
					return err
				}
			}
			return nil
		})
		q := search.Query{Text: text, Limit: 1}
		first, err := x.Query(t.Context(), q)
		if err != nil || first.Next == "" {
			t.Fatalf("%q: error = %v, and nothing to read on", text, err)
		}
		in(func(tx *pg.Tx) error { return x.Remove(t.Context(), tx, ids...) })
		q.Cursor = first.Next
		if on, err := x.Query(t.Context(), q); err != nil || len(on.Hits) > 0 {
			t.Errorf("%q is read on: %d hits, error = %v; want the end", text, len(on.Hits), err)
		}
	}
}
