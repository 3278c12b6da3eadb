package pgsearch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tiwiza/search"
)

// Positions of a text search vector end at 16,383, and a word has room for 255
// of them.
const (
	mostPositions = 16_000
	mostRepeats   = 200
)

// vector is a document's words as the text of a tsvector: names weigh most
// (A), then the seller, the category and labels (B), then texts (C). The words are
// ours, so PostgreSQL's parser and its locale have no say.
func vector(d search.Document) (text string, words []string) {
	var b strings.Builder
	position := 0
	at := map[string][]string{}
	add := func(weight string, texts map[string]string) {
		for _, lang := range slices.Sorted(maps.Keys(texts)) {
			for _, w := range search.Fold(texts[lang]) {
				if position < mostPositions && len(at[w]) < mostRepeats {
					position++
					at[w] = append(at[w], fmt.Sprint(position)+weight)
				}
			}
			position += 5 // words of two texts are not neighbours
		}
	}
	add("A", d.Names)
	add("B", d.SellerNames)
	add("B", d.Kinds)
	for _, l := range d.Labels {
		add("B", map[string]string{"": l})
	}
	add("C", d.Texts)
	words = slices.Sorted(maps.Keys(at))
	for _, w := range words {
		b.WriteString("'" + w + "':" + strings.Join(at[w], ",") + " ")
	}
	return b.String(), words
}

// A term is one word of a query, and the words it may have been meant for.
type term struct {
	word   string
	prefix bool // the last word, which may be unfinished
	like   []string
}

func termsOf(text string) []term {
	words := search.Fold(text)
	words = words[:min(len(words), mostWords)]
	terms := make([]term, len(words))
	for i, w := range words {
		terms[i] = term{word: w, prefix: i == len(words)-1 && utf8.RuneCountInString(w) >= 2}
	}
	return terms
}

// tsquery is the terms as the text of a tsquery: all of them, each as itself
// or, when loose, as a word like it.
func tsquery(terms []term, loose bool) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		any := []string{quote(t.word, t.prefix)}
		if loose {
			for _, w := range t.like {
				any = append(any, quote(w, false))
			}
		}
		all[i] = "(" + strings.Join(any, "|") + ")"
	}
	return strings.Join(all, "&")
}

// quote makes a lexeme of a folded word, which is letters and digits only.
func quote(w string, prefix bool) string {
	if prefix {
		return "'" + w + "':*"
	}
	return "'" + w + "'"
}

func widened(terms []term) bool {
	return slices.ContainsFunc(terms, func(t term) bool { return len(t.like) > 0 })
}

// code spells a word in ASCII, one sign a letter, for pg_trgm: what it makes
// of other letters depends on the server's locale.
func code(w string) string {
	var b strings.Builder
	for _, r := range w {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r >= 0x621 && r <= 0x64a:
			b.WriteString(arabic[r-0x621])
		default:
			fmt.Fprintf(&b, "%02x", r&0xff)
		}
	}
	return b.String()
}

// arabic spells the letters from U+0621 to U+064A. They must only differ.
var arabic = func() (out [42]string) {
	const signs = "abcdefghijklmnopqrstuvwxyz0123456789"
	for i := range out {
		if i < len(signs) {
			out[i] = signs[i : i+1]
		} else {
			out[i] = "z" + signs[i-len(signs):i-len(signs)+1]
		}
	}
	return out
}()

// near says whether one word may be meant by the other: at most one slip in
// short words, two in long ones.
func near(a, b string) bool {
	x, y := []rune(a), []rune(b)
	slips := 1
	if n := min(len(x), len(y)); n <= 2 {
		return false
	} else if n >= 6 {
		slips = 2
	}
	return distance(x, y, slips) <= slips
}

// distance counts the letters that were added, dropped, changed or swapped with
// the next between two words; past most it stops counting.
func distance(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur, one, two := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		cur[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(one[j]+1, cur[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, two[j-2]+1)
			}
			cur[j] = d
			best = min(best, d)
		}
		if best > most {
			return most + 1
		}
	}
	return rows[len(a)%3][len(b)]
}
