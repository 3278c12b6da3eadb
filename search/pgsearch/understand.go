package pgsearch

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
	"tiwiza/search"
)

// Understand reads what a query asks for and, for words that no document has,
// what they may have been meant for. Words that nobody wrote and that are like
// no other are left out; all of them gone means that nothing fits.
func (x *Index) Understand(ctx context.Context, text string) ([]search.Term, error) {
	s, err := x.synonyms.current(ctx)
	if err != nil {
		return nil, err
	}
	return widen(ctx, x.db, search.Parse(text, s), s)
}

// near are the words of the index that have to do with one word.
type near struct {
	known         bool // documents have it, or begin with it if it is unfinished
	sound, slip   []string
	bones, begins []string
}

// widen gives terms that no document has the words they may have been meant
// for, in one round trip: those that sound the same; else those that are a
// slip away; else those with the same consonants.
func widen(ctx context.Context, db pg.DB, terms []search.Term, s *search.Synonyms) ([]search.Term, error) {
	terms = slices.Clone(terms)
	b := &pgx.Batch{}
	found := make([]near, len(terms))
	for i, t := range terms {
		look(b, t, &found[i])
	}
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return nil, fmt.Errorf("look for similar words: %w", err)
	}
	out := make([]search.Term, 0, len(terms))
	for i, t := range terms {
		if n := found[i]; !n.known {
			if len(t.Same) == 0 { // else what is meant is known, and is not there
				t.Like = n.like(t, s)
			}
			t.Same = nil
			if len(t.Like) == 0 && !(t.Prefix && len(n.begins) > 0) {
				continue
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// mostLike is how many other ways a term is looked for.
const mostLike = 24

// like are the words that t, which no document has, may have been meant for,
// and what else is said for them when they are few.
func (n near) like(t search.Term, s *search.Synonyms) [][]string {
	out := s.Sounding(t)
	likes := fullest(n.sound, len(out) > 0)
	if len(likes)+len(out) == 0 {
		if out = s.Framed(t); len(out) == 0 {
			likes = framed(n.bones, t.Frames())
		}
	}
	if len(likes)+len(out) == 0 {
		likes = nearest(t.Words[0], slices.Concat(n.slip, s.Words()))
	}
	if len(likes)+len(out) == 0 {
		likes = n.bones
	}
	add := func(words []string) {
		if !slices.ContainsFunc(out, func(have []string) bool { return slices.Equal(have, words) }) {
			out = append(out, words)
		}
	}
	for _, l := range likes {
		add([]string{l})
	}
	if len(likes) <= 3 {
		for _, l := range likes {
			for _, said := range s.Said(l) {
				add(said)
			}
		}
	}
	return out[:min(len(out), mostLike)]
}

// fullest are the words whose sound has three signs or more: asel is sooner عسل
// than sel. Shorter ones do when there are no others, or something surer.
func fullest(words []string, surer bool) []string {
	full := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return len(search.Key(w)) < 3 })
	if len(full) == 0 && !surer {
		return words
	}
	return full
}

// framed are the words that have one of these consonants in a row.
func framed(words, frames []string) (out []string) {
	for _, w := range words {
		if slices.Contains(frames, search.Frame(w)) {
			out = append(out, w)
		}
	}
	return out
}

func widened(terms []search.Term, was int) bool {
	return len(terms) < was || slices.ContainsFunc(terms, func(t search.Term) bool { return len(t.Like) > 0 })
}
