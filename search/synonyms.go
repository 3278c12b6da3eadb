package search

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"

	"tiwiza/pkg/fault"
)

// ErrSynonyms says which group cannot be.
var ErrSynonyms = fault.New(fault.Invalid, "search.synonyms", "Some groups of synonyms cannot be; see errors.")

// A group is what people say for one thing: a line of words with bars between
// them, in whatever script.
//
//go:embed synonyms.txt
var ours string

// DefaultGroups are the synonyms a market begins with, until its operator says
// otherwise.
func DefaultGroups() [][]string {
	var groups [][]string
	for line := range strings.Lines(ours) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			group := strings.Split(line, "|")
			for i := range group {
				group[i] = strings.TrimSpace(group[i])
			}
			groups = append(groups, group)
		}
	}
	return groups
}

// mostTogether is how many words one name of a thing may have.
const mostTogether = 4

// Synonyms finds what else is said for a word. A nil one knows none.
type Synonyms struct {
	groups [][][]string     // folded
	words  map[string][]int // folded words with spaces between them: groups
	sounds map[string][]int // by sound, of single words in Arabic, Tifinagh or Darija
}

// NewSynonyms makes a table of groups, each of words or short phrases.
func NewSynonyms(groups [][]string) *Synonyms {
	s := &Synonyms{words: map[string][]int{}, sounds: map[string][]int{}}
	for g, group := range groups {
		var all [][]string
		for _, phrase := range group {
			words := Fold(phrase)
			if len(words) == 0 || len(words) > mostTogether {
				continue
			}
			all = append(all, words)
			key := strings.Join(words, " ")
			if !slices.Contains(s.words[key], g) {
				s.words[key] = append(s.words[key], g)
			}
			if k := Key(words[0]); len(words) == 1 && len(k) > 2 && words[0][0] >= 0x80 && !slices.Contains(s.sounds[k], g) {
				s.sounds[k] = append(s.sounds[k], g)
			}
		}
		s.groups = append(s.groups, all)
	}
	return s
}

// CheckGroups says what is wrong with groups somebody wrote.
func CheckGroups(groups [][]string) []fault.Detail {
	var bad []fault.Detail
	for i, group := range groups {
		at := "/groups/" + strconv.Itoa(i)
		if len(group) < 2 {
			bad = append(bad, fault.Detail{Pointer: at, Detail: "A group has two ways to say a thing, at least."})
		}
		for j, phrase := range group {
			if n := len(Fold(phrase)); n == 0 || n > mostTogether {
				bad = append(bad, fault.Detail{Pointer: at + "/" + strconv.Itoa(j), Detail: "Write one to four words."})
			}
		}
	}
	return bad
}

// longest finds the most words at the beginning that are known together, and
// what else is said for them; one word and nothing when none is known.
func (s *Synonyms) longest(words []string) (int, [][]string) {
	if s == nil {
		return 1, nil
	}
	for n := min(len(words), mostTogether); n > 0; n-- {
		if groups, ok := s.words[strings.Join(words[:n], " ")]; ok {
			return n, s.of(groups)
		}
	}
	return 1, nil
}

// Sounding finds what is said for things that sound like a word.
func (s *Synonyms) Sounding(word string) [][]string {
	if s == nil {
		return nil
	}
	for _, k := range Spoken(word) {
		if groups, ok := s.sounds[k]; ok {
			return s.of(groups)
		}
	}
	return nil
}

func (s *Synonyms) of(groups []int) (out [][]string) {
	for _, g := range groups {
		out = append(out, s.groups[g]...)
	}
	return out
}

// Phrases are all groups, folded, as engines that keep synonyms of their own
// want them.
func (s *Synonyms) Phrases() [][]string {
	var out [][]string
	for _, group := range s.groups {
		var phrases []string
		for _, words := range group {
			if p := strings.Join(words, " "); !slices.Contains(phrases, p) {
				phrases = append(phrases, p)
			}
		}
		if len(phrases) > 1 {
			out = append(out, phrases)
		}
	}
	return out
}
