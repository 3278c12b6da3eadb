// Package said holds the sentences that the hub itself writes into its rows: why
// something waits, what a bank's line lacks. A row keeps its sentence in English, as
// the API shows it; a page finds it again by its code and says it in its own language.
package said

import (
	"fmt"
	"slices"
	"strings"
)

// A Sentence is one that the hub says. English is its text, with gaps as «{name}»
// that are never beside each other.
type Sentence struct{ Code, English string }

// Of is the sentence with its gaps filled in their order.
func (s Sentence) Of(values ...any) string {
	var b strings.Builder
	rest := s.English
	for _, v := range values {
		before, after, found := strings.Cut(rest, "{")
		if !found {
			panic("said: " + s.Code + " has fewer gaps")
		}
		b.WriteString(before)
		fmt.Fprint(&b, v)
		_, rest, _ = strings.Cut(after, "}")
	}
	return b.String() + rest
}

// Gaps are the names of the sentence's gaps.
func (s Sentence) Gaps() (names []string) {
	for i, p := range strings.Split(s.English, "{") {
		if name, _, ok := strings.Cut(p, "}"); ok && i > 0 {
			names = append(names, name)
		}
	}
	return names
}

// Read is what stands in the gaps when text is this sentence: names and values in
// turn.
func (s Sentence) Read(text string) (with []any, is bool) {
	parts := strings.Split(s.English, "{")
	rest, is := strings.CutPrefix(text, parts[0])
	if !is {
		return nil, false
	}
	for i, p := range parts[1:] {
		name, after, _ := strings.Cut(p, "}")
		at := strings.Index(rest, after)
		if i == len(parts)-2 { // the last gap takes the rest
			if at = len(rest) - len(after); !strings.HasSuffix(rest, after) {
				return nil, false
			}
		}
		if at < 0 {
			return nil, false
		}
		with, rest = append(with, name, rest[:at]), rest[at+len(after):]
	}
	return with, rest == ""
}

// Sentences are those of a room.
type Sentences []Sentence

// Read finds the sentence that a text is: of those that fit, the one that leaves
// least to its gaps.
func (all Sentences) Read(text string) (code string, with []any, found bool) {
	best := -1
	for i, s := range all {
		if w, is := s.Read(text); is && (best < 0 || fixed(s) > fixed(all[best])) {
			best, with = i, slices.Clip(w)
		}
	}
	if best < 0 {
		return "", nil, false
	}
	return all[best].Code, with, true
}

// fixed is how much of a sentence is not gaps.
func fixed(s Sentence) int {
	n := len(s.English)
	for _, g := range s.Gaps() {
		n -= len(g) + 2
	}
	return n
}
