package search

import (
	"html"
	"strings"
	"unicode"
)

// Highlight is a text as HTML with the words that a query was after in <mark>;
// "" when none is there. Everything else of the text is escaped.
func Highlight(text string, terms []Term) string {
	whole, begins := map[string]bool{}, ""
	for _, t := range terms {
		for _, way := range append(append([][]string{t.Words}, t.Same...), t.Like...) {
			for _, w := range way {
				whole[w] = true
			}
		}
		if t.Prefix {
			begins = t.Words[len(t.Words)-1]
		}
	}
	hit := func(word string) bool {
		for _, w := range Fold(word) {
			if whole[w] || begins != "" && strings.HasPrefix(w, begins) {
				return true
			}
		}
		return false
	}
	var b strings.Builder
	marked, rest := false, text
	for rest != "" {
		gap := strings.IndexFunc(rest, inWord)
		if gap < 0 {
			gap = len(rest)
		}
		b.WriteString(html.EscapeString(rest[:gap]))
		rest = rest[gap:]
		end := strings.IndexFunc(rest, func(r rune) bool { return !inWord(r) })
		if end < 0 {
			end = len(rest)
		}
		word := html.EscapeString(rest[:end])
		if end > 0 && hit(rest[:end]) {
			marked = true
			word = "<mark>" + word + "</mark>"
		}
		b.WriteString(word)
		rest = rest[end:]
	}
	if !marked {
		return ""
	}
	return b.String()
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || r == 'ـ'
}
