package pgsearch_test

import (
	"testing"
	"time"

	"tiwiza/pkg/pgtest"
	"tiwiza/search/pgsearch"
	"tiwiza/search/searchconform"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	searchconform.Run(t, func(t *testing.T) searchconform.Fixture {
		db := pgtest.New(t)
		return searchconform.Fixture{DB: db, Index: pgsearch.Open(db, pgsearch.Options{FacetAge: time.Nanosecond}), Settle: func() {}}
	})
}
