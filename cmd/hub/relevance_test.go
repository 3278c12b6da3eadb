package main

import (
	"io"
	"testing"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// TestPeopleFindWhatTheyMean asks the graded queries.
func TestPeopleFindWhatTheyMean(t *testing.T) {
	t.Parallel()
	err := withMarket(t.Context(), t.TempDir(), pgtest.URL(t), pg.Options{MaxConns: 4}, func(h *house, _ demoKeys) error {
		keys, err := h.offerKeys(t.Context())
		if err != nil {
			return err
		}
		scores, err := judge(t.Context(), h.index, keys, 0, io.Discard)
		if err != nil {
			return err
		}
		return tooLow("pgsearch", scores)
	})
	if err != nil {
		t.Fatal(err)
	}
}
