package search

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// MostWords is how many words of a query count.
const MostWords = 12

// A Term is one thing a query asks for: a word, or words that belong together
// because the synonyms know them as one.
type Term struct {
	Words  []string // folded, all of them wanted
	Prefix bool     // the last word, which may be unfinished
	// Same are other ways to say it, each a set of words of which all are wanted.
	Same [][]string
	// Like are words it may have been meant for: by sound, or by a slip.
	Like [][]string

	raw []string // the words before light endings were taken off
}

// Spoken are the spellings by sound that the term may have, if it is one word.
func (t Term) Spoken() []string {
	if len(t.Words) != 1 {
		return nil
	}
	keys := Spoken(t.Words[0])
	if len(t.raw) == 1 {
		for _, k := range Spoken(t.raw[0]) {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	return keys
}

// Frames are the consonants that the term may have, if it is one word.
func (t Term) Frames() []string {
	if len(t.Words) != 1 {
		return nil
	}
	frames := []string{Frame(t.Words[0])}
	if len(t.raw) == 1 {
		if f := Frame(t.raw[0]); f != frames[0] {
			frames = append(frames, f)
		}
	}
	return frames
}

// Parse reads a query's terms. Words the synonyms know together are one term.
func Parse(text string, s *Synonyms) []Term {
	words, raw := fold(text)
	words, raw = words[:min(len(words), MostWords)], raw[:min(len(raw), MostWords)]
	var terms []Term
	for i := 0; i < len(words); {
		n, group := s.longest(words[i:], raw[i:])
		t := Term{Words: words[i : i+n], raw: raw[i : i+n]}
		for _, same := range group {
			if !slices.Equal(same, t.Words) {
				t.Same = append(t.Same, same)
			}
		}
		i += n
		t.Prefix = i == len(words) && utf8.RuneCountInString(words[i-1]) >= 2
		terms = append(terms, t)
	}
	return terms
}

// Begins says whether a name has all words of what somebody types, the last of
// which may be unfinished.
func Begins(name string, terms []Term) bool {
	words := Fold(name)
	for _, t := range terms {
		for i, want := range t.Words {
			open := t.Prefix && i == len(t.Words)-1
			if !slices.ContainsFunc(words, func(w string) bool { return w == want || open && strings.HasPrefix(w, want) }) {
				return false
			}
		}
	}
	return len(terms) > 0
}

// About splits a name's words into what the thing is and what more is said of
// it. French, Arabic, Tamazight and Darija begin with the thing (savon noir,
// صابون بلدي); English ends with it, before any preposition (black soap, honey
// of the Oriental).
func About(lang, name string) (about, rest []string) {
	words := Fold(name)
	if len(words) < 2 {
		return words, nil
	}
	at := 0
	if lang == "en" {
		at = len(words) - 1
		if i := preposition.FindStringIndex(name); i != nil {
			if n := len(Fold(name[:i[0]])); n > 0 {
				at = n - 1
			}
		}
	}
	return words[at : at+1], slices.Concat(words[:at], words[at+1:])
}

var preposition = regexp.MustCompile(`(?i),| (of|with|for|in|on|from) `)
