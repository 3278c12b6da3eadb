package orders

import (
	"strings"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/phone"
)

// digits reads Arabic and Persian digits as 0 to 9, and drops the spaces and
// signs people put between digits.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(" .-()/\u00a0\u200e\u200f\u202a\u202c", r):
			return -1
		}
		return latin.Digit(r)
	}, s)
}

// Phone brings a Moroccan number, however written, to its international form
// (E.164); false when it is none.
func Phone(s string) (string, bool) { return phone.E164(s) }

// at adds a wrong place to what is wrong, which is nil as long as all is right.
func at(wrong *fault.Error, pointer, detail string) *fault.Error {
	if wrong == nil {
		wrong = ErrInvalid
	}
	return wrong.At(pointer, detail)
}

// words says a state as people do.
func words(s State) string { return strings.ReplaceAll(string(s), "_", " ") }

func either(states []State) string {
	var out []string
	for _, s := range states {
		out = append(out, words(s))
	}
	return strings.Join(out, " or ")
}

// named picks a text to speak of something in an English sentence.
func named(names map[string]string, fallback string) string {
	for _, lang := range []string{"en", "fr", "ar"} {
		if n := names[lang]; n != "" {
			return n
		}
	}
	return fallback
}
