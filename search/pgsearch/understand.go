package pgsearch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

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
			t.Same = nil
			t.Like = n.like(t.Words[0], s)
			if len(t.Like) == 0 && !(t.Prefix && len(n.begins) > 0) {
				continue
			}
		}
		out = append(out, t)
	}
	return out, nil
}

// like are the words that w, which no document has, may have been meant for.
func (n near) like(w string, s *search.Synonyms) [][]string {
	out := s.Sounding(w)
	likes := n.sound
	if len(likes)+len(out) == 0 {
		likes = nearest(w, n.slip)
	}
	if len(likes)+len(out) == 0 {
		likes = n.bones
	}
	for _, l := range likes {
		out = append(out, []string{l})
	}
	return out
}

// look asks for what is near a term. What is said in several words, and is not
// there, is like nothing else.
func look(b *pgx.Batch, t search.Term, n *near) {
	w := t.Words[0]
	bones := search.Bones(w)
	if len(bones) < 3 {
		bones = "-" // too few to go by
	}
	if len(t.Words) > 1 {
		w, bones = "-", "-"
	}
	b.Queue(`select 'known', $1 where exists (select from search.document where words @@ $2::tsquery)
		union all (select 'begins', word from search.word where word collate "C" >= $1 and word collate "C" < $1 || U&'\+10FFFF' limit 1)
		union all (select 'sound', word from search.word where key = any($3) and key <> '' order by word limit 20)
		union all (select 'bones', word from search.word where bones = $4 and bones <> '' order by word limit 20)
		union all select 'slip', like_word from search.like_word($5, $6)`,
		w, strings.Join(exact(t), "|"), search.Spoken(w), bones, code(w), utf8.RuneCountInString(w)).
		Query(func(rows pgx.Rows) error {
			var how, word string
			_, err := pgx.ForEachRow(rows, []any{&how, &word}, func() error {
				switch {
				case how == "known":
					n.known = true
				case word == w: // it was there once
				case how == "begins":
					n.begins = append(n.begins, word)
				case how == "sound":
					n.sound = append(n.sound, word)
				case how == "bones":
					n.bones = append(n.bones, word)
				default:
					n.slip = append(n.slip, word)
				}
				return nil
			})
			return err
		})
}

func widened(terms []search.Term, was int) bool {
	return len(terms) < was || slices.ContainsFunc(terms, func(t search.Term) bool { return len(t.Like) > 0 })
}
