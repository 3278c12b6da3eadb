package relevance_test

import (
	"math"
	"testing"

	"tiwiza/search/relevance"
)

func TestBothSetsAreLargeEnoughInEachLanguage(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{} // by language and text, in both
	for _, set := range []struct {
		name string
		read func() ([]relevance.Query, error)
		fr   int
		ar   int
		ary  int
		en   int
	}{
		{"graded", relevance.Queries, 60, 60, 60, 30},
		{"held out", relevance.Held, 60, 60, 90, 40},
	} {
		all, err := set.read()
		if err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, q := range all {
			count[q.Lang]++
			if len(q.Grades) == 0 {
				t.Errorf("%q has no grade", q.Text)
			}
			if seen[q.Lang+q.Text] {
				t.Errorf("%q stands twice", q.Text)
			}
			seen[q.Lang+q.Text] = true
		}
		for lang, least := range map[string]int{"fr": set.fr, "ar": set.ar, "ary": set.ary, "en": set.en} {
			if count[lang] < least {
				t.Errorf("%s: %d queries in %s, want %d at least", set.name, count[lang], lang, least)
			}
		}
	}
}

func TestFiguresAreThoseOfTheBooks(t *testing.T) {
	t.Parallel()
	grades := map[string]int{"a": 3, "b": 2, "c": 1}
	best := 7 + 3/math.Log2(3) + 0.5
	for _, c := range []struct {
		hits []string
		ndcg float64
		mrr  float64
	}{
		{[]string{"a", "b", "c"}, 1, 1},
		{[]string{"x", "a"}, 7 / math.Log2(3) / best, 0.5},
		{[]string{"c", "x", "b"}, (1 + 3.0/2) / best, 1. / 3},
		{nil, 0, 0},
		{[]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "a"}, 0, 1. / 11},
	} {
		if got := relevance.NDCG(grades, c.hits); math.Abs(got-c.ndcg) > 1e-9 {
			t.Errorf("nDCG of %v is %v, want %v", c.hits, got, c.ndcg)
		}
		if got := relevance.Reciprocal(grades, c.hits); math.Abs(got-c.mrr) > 1e-9 {
			t.Errorf("reciprocal rank of %v is %v, want %v", c.hits, got, c.mrr)
		}
	}
	s := relevance.Score{}.Add(grades, []string{"a", "b", "c"}).Add(grades, nil)
	if s.Queries != 2 || s.NDCG != 0.5 || s.MRR != 0.5 || s.Zero != 0.5 {
		t.Errorf("the mean is %+v", s)
	}
}
