// Package relevance measures how well an engine finds what people mean: a set
// of queries in French, Arabic, Darija in Latin letters and English, graded by
// hand against the demonstration market, and the usual figures over it.
package relevance

import (
	_ "embed"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The grades were given by reading the market's texts, before any engine was
// tuned: 3 is what was meant, 2 does as well, 1 is near, all else is nothing.
//
//go:embed queries.tsv
var queries string

// The set held out was written and graded in the same way by somebody who had
// not read how words are analysed, when the engines were already tuned by the
// first.
//
//go:embed held.tsv
var held string

// A Query is what somebody typed, and what each offer is worth to them, by the
// offer's key in the market's file.
type Query struct {
	Lang   string // fr, ar, ary (Darija in Latin letters), en
	Text   string
	Grades map[string]int
}

// Queries is the graded set, in the order of its file.
func Queries() ([]Query, error) { return parse(queries) }

// Held is the set held out, in the order of its file; none of its queries is in
// the first.
func Held() ([]Query, error) { return parse(held) }

func parse(file string) ([]Query, error) {
	var all []Query
	for i, line := range strings.Split(strings.TrimSpace(file), "\n")[1:] {
		cells := strings.Split(line, "\t")
		if len(cells) != 3 || cells[0] == "" || cells[1] == "" {
			return nil, fmt.Errorf("line %d: want language, query and grades with tabs between them", i+2)
		}
		q := Query{cells[0], cells[1], map[string]int{}}
		for _, g := range strings.Fields(cells[2]) {
			key, grade, _ := strings.Cut(g, ":")
			n, err := strconv.Atoi(grade)
			if err != nil || n < 1 || n > 3 {
				return nil, fmt.Errorf("line %d: %q is no grade from 1 to 3", i+2, g)
			}
			q.Grades[key] = n
		}
		all = append(all, q)
	}
	return all, nil
}

// Depth is how many hits count: what a person looks at.
const Depth = 10

// NDCG is the discounted cumulative gain of the first hits as a share of the
// best order's: a hit of grade g at rank r (from 1) gives (2^g − 1) / log2(r+1).
func NDCG(grades map[string]int, hits []string) float64 {
	var counts [4]int
	for _, g := range grades {
		counts[g]++
	}
	best, rank := 0.0, 0
	for g := 3; g > 0; g-- {
		for range counts[g] {
			best += gain(g, rank)
			rank++
		}
	}
	if best == 0 {
		return 0
	}
	got := 0.0
	for i, h := range hits[:min(len(hits), Depth)] {
		got += gain(grades[h], i)
	}
	return got / best
}

func gain(grade, place int) float64 {
	if place >= Depth {
		return 0
	}
	return (math.Exp2(float64(grade)) - 1) / math.Log2(float64(place)+2)
}

// Reciprocal is one over the rank of the first hit that is at least as good
// as what was meant (grade 2 or 3); 0 without one.
func Reciprocal(grades map[string]int, hits []string) float64 {
	for i, h := range hits {
		if grades[h] >= 2 {
			return 1 / float64(i+1)
		}
	}
	return 0
}

// A Score is the mean over some queries.
type Score struct {
	Queries int
	NDCG    float64 // of the first ten
	MRR     float64
	Zero    float64 // the share of queries that found nothing
}

// Add takes one more query into the mean.
func (s Score) Add(grades map[string]int, hits []string) Score {
	n := float64(s.Queries)
	zero := 0.0
	if len(hits) == 0 {
		zero = 1
	}
	return Score{
		s.Queries + 1,
		(s.NDCG*n + NDCG(grades, hits)) / (n + 1),
		(s.MRR*n + Reciprocal(grades, hits)) / (n + 1),
		(s.Zero*n + zero) / (n + 1),
	}
}
