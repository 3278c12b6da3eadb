package main

import (
	"errors"
	"io"
	"testing"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// TestPeopleFindWhatTheyMean asks the graded queries, and those held out.
func TestPeopleFindWhatTheyMean(t *testing.T) {
	t.Parallel()
	err := withMarket(t.Context(), t.TempDir(), pgtest.URL(t), pg.Options{MaxConns: 4}, func(h *house, _ demoKeys) error {
		keys, err := h.offerKeys(t.Context())
		if err != nil {
			return err
		}
		var low error
		for _, set := range graded {
			scores, err := judge(t.Context(), h.index, set, keys, 0, io.Discard)
			if err != nil {
				return err
			}
			low = errors.Join(low, tooLow("pgsearch, "+set.name, scores))
		}
		return low
	})
	if err != nil {
		t.Fatal(err)
	}
}
