package pgsearch_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/search"
	"tiwiza/search/pgsearch"
)

// Whatever lies beside the table is read for each of the documents that are ranked.
func TestOnlyTextsLieBesideTheTable(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	x := pgsearch.Open(db, pgsearch.Options{})
	text := func(word string, n int) (s string) {
		for i := range n {
			s += fmt.Sprintf("%s%s ", word, strings.Repeat(string(rune('a'+i%26)), 1+i/26))
		}
		return s
	}
	missing := errors.New("no row")
	err := db.InTx(t.Context(), func(tx *pg.Tx) error {
		doc := search.Document{
			ID: "off_01m81pez4v2ka9ns60b54pmcb1", Seller: "org_01m81pez3pq3r7caf35z6hnywe", Category: "cosmetics", Region: "MA-09", Price: 5000,
			Names: map[string]string{"fr": text("huile", 30), "en": text("oil", 30)}, Texts: map[string]string{"fr": text("noyau", 400)}, Published: time.Now(),
		}
		if err := x.Put(t.Context(), tx, doc); err != nil {
			return err
		}
		const beside = `select coalesce(sum(idx_scan), 0)::int from pg_stat_xact_all_tables
			where relid = (select reltoastrelid from pg_class where oid = 'search.document'::regclass)`
		before, err := pg.Value[int](t.Context(), tx, missing, beside)
		if err != nil {
			return err
		}
		look := func(what string) (int, error) {
			if _, err := pg.Value[int](t.Context(), tx, missing, `select (`+what+`)::int from search.document`); err != nil {
				return 0, err
			}
			after, err := pg.Value[int](t.Context(), tx, missing, beside)
			return after - before, err
		}
		n, err := look(`length(head) + length(id || seller || category || region || digest) + coalesce(cardinality(labels), 0)`)
		if err != nil {
			return err
		}
		if n != 0 {
			t.Errorf("what ranks, sorts and filters one document is read from beside the table %d times", n)
		}
		if n, err = look(`length(words)`); err == nil && n == 0 {
			t.Error("the words of all texts lie in the table, in the way of lists")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
