package search

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	tight  map[string][]int // the same without the spaces (rosewater, ماورد)
	sounds map[string][]int // by sound, of words and phrases in Arabic and Tifinagh
	frames map[string][]int // by consonants, of single ones
	single []string         // the single words
}

// NewSynonyms makes a table of groups, each of words or short phrases.
func NewSynonyms(groups [][]string) *Synonyms {
	s := &Synonyms{words: map[string][]int{}, tight: map[string][]int{}, sounds: map[string][]int{}, frames: map[string][]int{}}
	for g, group := range groups {
		var all [][]string
		for _, phrase := range group {
			words, raw := fold(phrase)
			if len(words) == 0 || len(words) > mostTogether {
				continue
			}
			if !has(all, words) {
				all = append(all, words)
			}
			note(s.words, strings.Join(words, " "), g)
			if k := strings.Join(words, ""); utf8.RuneCountInString(k) > 4 {
				note(s.tight, k, g)
			}
			if k := strings.Join(raw, ""); utf8.RuneCountInString(k) > 4 {
				note(s.tight, k, g)
			}
			if words[0][0] < 0x80 {
				continue
			}
			for _, way := range [][]string{words, raw} {
				keys := make([]string, len(way))
				for i, w := range way {
					keys[i] = Key(w)
				}
				if k := strings.Join(keys, " "); len(k) > 1 {
					note(s.sounds, k, g)
				}
			}
			if k := Key(strings.Join(words, "")); len(words) > 1 && len(k) > 3 {
				note(s.sounds, k, g)
			}
			if k := Frame(words[0]); len(words) == 1 && len(k) > 2 {
				note(s.frames, k, g)
			}
		}
		s.groups = append(s.groups, all)
	}
	for w := range s.words {
		if !strings.Contains(w, " ") {
			s.single = append(s.single, w)
		}
	}
	slices.Sort(s.single)
	return s
}

func note(m map[string][]int, key string, group int) {
	if !slices.Contains(m[key], group) {
		m[key] = append(m[key], group)
	}
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

// longest finds the most words at the beginning that are known together, as
// they are, run together or apart, or, several in Latin letters, by their sound;
// and what else is said for them. It is one word and nothing when none is known.
func (s *Synonyms) longest(words, raw []string) (int, [][]string) {
	if s == nil {
		return 1, nil
	}
	for n := min(len(words), mostTogether); n > 0; n-- {
		if groups, ok := s.words[strings.Join(words[:n], " ")]; ok {
			return n, s.of(groups)
		}
		for _, run := range []string{strings.Join(words[:n], ""), strings.Join(raw[:n], "")} {
			if groups, ok := s.tight[run]; ok {
				return n, s.of(groups)
			}
		}
		if n > 1 {
			if groups, ok := s.spoken(raw[:n], ""); ok {
				return n, s.of(groups)
			}
		}
	}
	return 1, nil
}

// spoken finds the groups of a phrase in Latin letters by its sound.
func (s *Synonyms) spoken(words []string, before string) ([]int, bool) {
	if len(words) == 0 {
		groups, ok := s.sounds[before]
		return groups, ok && len(before) > 4
	}
	if words[0][0] >= 0x80 {
		return nil, false
	}
	if before != "" {
		before += " "
	}
	keys := Spoken(words[0])
	for _, k := range keys[:min(len(keys), 4)] {
		if groups, ok := s.spoken(words[1:], before+k); ok {
			return groups, true
		}
	}
	return nil, false
}

// Words are all single words that are known, in order.
func (s *Synonyms) Words() []string {
	if s == nil {
		return nil
	}
	return s.single
}

// Said finds what else is said for a word that is known as it is.
func (s *Synonyms) Said(word string) [][]string {
	if s == nil {
		return nil
	}
	return s.of(s.words[word])
}

// Sounding finds what is said for things that sound like a term of one word.
func (s *Synonyms) Sounding(t Term) [][]string {
	if s == nil {
		return nil
	}
	for _, k := range t.Spoken() {
		if groups, ok := s.sounds[k]; ok {
			return s.of(groups)
		}
	}
	return nil
}

// Framed finds what is said for things that have the consonants of a term of
// one word.
func (s *Synonyms) Framed(t Term) [][]string {
	if s == nil {
		return nil
	}
	for _, k := range t.Frames() {
		if groups, ok := s.frames[k]; ok {
			return s.of(groups)
		}
	}
	return nil
}

func (s *Synonyms) of(groups []int) (out [][]string) {
	for _, g := range groups {
		for _, words := range s.groups[g] {
			if len(groups) == 1 || !has(out, words) {
				out = append(out, words)
			}
		}
	}
	return out
}

func has(all [][]string, words []string) bool {
	return slices.ContainsFunc(all, func(w []string) bool { return slices.Equal(w, words) })
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
