package search

import (
	"slices"
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
}

// Parse reads a query's terms. Words the synonyms know together are one term.
func Parse(text string, s *Synonyms) []Term {
	words := Fold(text)
	words = words[:min(len(words), MostWords)]
	var terms []Term
	for i := 0; i < len(words); {
		n, group := s.longest(words[i:])
		t := Term{Words: words[i : i+n]}
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

// About splits a name's words into those that say what the thing is and those
// that say more of it. French, Arabic, Tamazight and Darija begin with the thing
// (savon noir, صابون بلدي), English ends with it (black soap).
func About(lang string, words []string) (about, rest []string) {
	const most = 2
	n := len(words)
	switch {
	case n <= most:
		return words, nil
	case lang == "en":
		return words[n-most:], words[:n-most]
	}
	return words[:most], words[most:]
}
