package pgsearch

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"tiwiza/search"
)

// analysis is the version of what is made of a document. Raise it whenever
// folding, sounds or weights change: documents of an older one are made anew.
const analysis = 2

// Positions of a text search vector end at 16,383, and a word has room for 255
// of them.
const (
	mostPositions = 16_000
	mostRepeats   = 200
)

// vectors are a document's words as the texts of two tsvectors. The head has
// what a result is sorted by: what its names are about weighs most (A), then the
// rest of the names (B), the category and labels (C), places and the seller (D).
// all also has the texts, without positions: it only says what is there. The
// words are ours, so PostgreSQL's parser and its locale have no say.
func vectors(d search.Document) (head, all string, words []string) {
	v := vector{at: map[string][]string{}, named: map[string]bool{}}
	for _, lang := range slices.Sorted(maps.Keys(d.Names)) {
		about, rest := search.About(lang, d.Names[lang])
		v.add("A", about)
		v.add("B", rest)
		for _, w := range slices.Concat(about, rest) {
			v.named[w] = true
		}
		v.position += 5 // words of two texts are not neighbours
	}
	v.texts("C", sorted(d.Kinds))
	v.texts("C", d.Labels)
	v.texts("D", d.Places)
	v.texts("D", sorted(d.SellerNames))
	v.texts("", sorted(d.Texts))
	words = slices.Sorted(maps.Keys(v.at))
	var h, a strings.Builder
	for _, w := range words {
		a.WriteString("'" + w + "' ")
		if v.named[w] {
			a.WriteString("'" + inName + w + "' ")
		}
		if len(v.at[w]) > 0 {
			h.WriteString("'" + w + "':" + strings.Join(v.at[w], ",") + " ")
		}
	}
	return h.String(), a.String(), words
}

// A vector is being made: each word with its positions in the head.
type vector struct {
	at       map[string][]string
	named    map[string]bool
	position int
}

func (v *vector) texts(weight string, texts []string) {
	for _, text := range texts {
		v.add(weight, search.Fold(text))
		v.position += 5
	}
}

func (v *vector) add(weight string, words []string) {
	for _, w := range words {
		if _, ok := v.at[w]; !ok {
			v.at[w] = nil
		}
		if weight != "" && v.position < mostPositions && len(v.at[w]) < mostRepeats {
			v.position++
			v.at[w] = append(v.at[w], fmt.Sprint(v.position)+weight)
		}
	}
}

// inName marks a word that stands in a name, so that the index alone can tell.
const inName = "~"

var lexeme = regexp.MustCompile(`'([^']+)'`)

// names is a tsquery that looks in names only.
func names(query string) string { return lexeme.ReplaceAllString(query, "'"+inName+"$1'") }

func sorted(texts map[string]string) []string {
	out := make([]string, 0, len(texts))
	for _, lang := range slices.Sorted(maps.Keys(texts)) {
		out = append(out, texts[lang])
	}
	return out
}

// A way says how much of a query a document must have.
type way int

const (
	strict  way = iota // every word, as typed, unfinished or said otherwise
	loose              // every word, or one it may have been meant for
	relaxed            // as many words as it has
)

// tsquery is the terms as the text of a tsquery.
func tsquery(terms []search.Term, w way) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		all[i] = group(t, w)
	}
	if w == relaxed {
		return strings.Join(all, "|")
	}
	return strings.Join(all, "&")
}

// mostLeftOut is how many terms a query may have for each to be left out in turn.
const mostLeftOut = 5

// fuller are the tsqueries that ask for more of the terms than one of them: all,
// then all but one, in names and anywhere. A word that many documents have would
// otherwise hide those few that have the rare one as well.
func fuller(terms []search.Term) (queries []string) {
	queries = []string{tsquery(terms, loose)}
	if len(terms) < 3 || len(terms) > mostLeftOut {
		return queries
	}
	for i := range terms {
		queries = append(queries, names(tsquery(slices.Concat(terms[:i], terms[i+1:]), loose)))
	}
	for i := range terms {
		queries = append(queries, tsquery(slices.Concat(terms[:i], terms[i+1:]), loose))
	}
	return queries
}

// group is one term in all its ways.
func group(t search.Term, w way) string {
	any := append(exact(t), quote(t.Words, t.Prefix))
	if w != strict {
		for _, like := range t.Like {
			any = append(any, quote(like, false))
		}
	}
	return "(" + strings.Join(any, "|") + ")"
}

// exact are the ways to say a term that are surely meant.
func exact(t search.Term) []string {
	any := []string{quote(t.Words, false)}
	for _, same := range t.Same {
		any = append(any, quote(same, false))
	}
	return any
}

// lexemes are all words of the ways that are surely meant.
func lexemes(t search.Term) []string {
	all := slices.Clone(t.Words)
	for _, same := range t.Same {
		all = append(all, same...)
	}
	return all
}

// soft are the ways that may be meant; "" without any.
func soft(t search.Term, w way) string {
	var any []string
	if t.Prefix {
		any = append(any, quote(t.Words, true))
	}
	if w != strict {
		for _, like := range t.Like {
			any = append(any, quote(like, false))
		}
	}
	return strings.Join(any, "|")
}

// size is how many lexemes a tsquery of quoted words has.
func size(query string) int { return strings.Count(query, "'") / 2 }

// quote makes lexemes of folded words, which are letters and digits only.
func quote(words []string, prefix bool) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = "'" + w + "'"
		if prefix && i == len(words)-1 {
			all[i] += ":*"
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return "(" + strings.Join(all, "&") + ")"
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

// slips is how many letters may be wrong in a word: none in the shortest, one
// in short ones, two in long ones.
func slips(w string) int {
	switch n := utf8.RuneCountInString(w); {
	case n <= 2:
		return 0
	case n < 6:
		return 1
	}
	return 2
}

// nearest keeps the words that are the fewest slips away, in an order of their
// own so that each page asks for the same.
func nearest(word string, words []string) []string {
	best := slips(word)
	var near []string
	for _, w := range words {
		most := min(best, slips(w))
		if most == 0 || w == word {
			continue
		}
		if d := distance([]rune(word), []rune(w), most); d < best {
			best, near = d, []string{w}
		} else if d == best && d <= most {
			near = append(near, w)
		}
	}
	slices.Sort(near)
	near = slices.Compact(near)
	return near[:min(len(near), 20)]
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
