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
		for lang, least := range map[string]float64{"fr": 0.9, "ar": 0.9, "ary": 0.8, "en": 0.9} {
			if s := scores[lang]; s.NDCG < least || s.Zero >= 0.03 {
				t.Errorf("%s: nDCG@10 %.3f, want %.2f; %.1f %% find nothing, want less than 3", lang, s.NDCG, least, 100*s.Zero)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
