// Package script knows the signs of texts that people write: which of them nobody
// sees though they change what is read, and which words are of two alphabets. It is
// asked wherever a text comes in.
package script

import (
	"slices"
	"strings"
	"unicode"
)

// hidden are signs that are not seen: those that turn the order of others around, of
// no width, fillers, tags and what is no character. Left out are signs that texts of
// the market need or that telephones copy along with numbers: the joiners of Arabic
// letters, the marks of direction, one embedding (U+202A) with its end, and the
// selectors of pictures. After Unicode 17, PropList.txt (Bidi_Control,
// Other_Default_Ignorable_Code_Point, Noncharacter_Code_Point) and UAX #9.
var hidden = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x0000, 0x0008, 1},
		{0x000b, 0x000c, 1},
		{0x000e, 0x001f, 1},
		{0x007f, 0x009f, 1},
		{0x034f, 0x034f, 1},
		{0x115f, 0x1160, 1},
		{0x17b4, 0x17b5, 1},
		{0x180b, 0x180f, 1},
		{0x200b, 0x200b, 1},
		{0x202b, 0x202b, 1},
		{0x202d, 0x202e, 1},
		{0x2060, 0x206f, 1},
		{0x3164, 0x3164, 1},
		{0xfdd0, 0xfdef, 1},
		{0xfeff, 0xfeff, 1},
		{0xffa0, 0xffa0, 1},
		{0xfff0, 0xfffb, 1},
		{0xfffe, 0xffff, 1},
	},
	R32:         []unicode.Range32{{0x1bca0, 0x1bca3, 1}, {0x1d173, 0x1d17a, 1}, {0xe0000, 0xe0fff, 1}},
	LatinOffset: 4,
}

// Hidden says whether a text holds a sign that nobody sees though it changes what is
// read. A text of several lines holds none by that.
func Hidden(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\n' && c != '\t' && c != '\r' || c >= 0x7f {
			return strings.ContainsFunc(s[i:], isHidden)
		}
	}
	return false
}

// Tidy is a name without the marks that show nothing and turn nothing around, which
// come along with what is pasted: the marks of direction (U+200E, U+200F, U+061C) and
// the place where a word may be parted (U+00AD). What turns the signs after it around
// stays, for Line to refuse.
func Tidy(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\u00ad', '\u061c', '\u200e', '\u200f':
			return -1
		}
		return r
	}, name)
}

func isHidden(r rune) bool { return unicode.Is(hidden, r) }

// Clean is a text without what is hidden in it.
func Clean(s string) string {
	if !Hidden(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if isHidden(r) {
			return -1
		}
		return r
	}, s)
}

// Line says whether all of a text of one line is seen as it is written: a name. It
// holds neither what is hidden nor any other sign without a shape; only letters of
// scripts that join theirs have joiners between them.
func Line(s string) bool {
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case unicode.IsControl(r) || isHidden(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Variation_Selector):
			return false
		case r == '\u200c' || r == '\u200d':
			if i == 0 || i == len(runes)-1 || !joins(runes[i-1]) || !joins(runes[i+1]) {
				return false
			}
		case unicode.Is(unicode.Cf, r):
			return false
		}
	}
	return true
}

func joins(r rune) bool { return unicode.In(r, unicode.Arabic, unicode.Tifinagh) }

// alphabets are those in which names are written.
var alphabets = []*unicode.RangeTable{unicode.Latin, unicode.Arabic, unicode.Tifinagh}

// Mixed says whether a word has letters of two alphabets, or of one in which nobody
// here is named: «Соор» with Cyrillic letters is somebody else's name.
func Mixed(name string) bool {
	for word := range strings.FieldsSeq(name) {
		var of *unicode.RangeTable
		for _, r := range word {
			if !unicode.IsLetter(r) || unicode.Is(unicode.Lm, r) {
				continue
			}
			i := slices.IndexFunc(alphabets, func(t *unicode.RangeTable) bool { return unicode.Is(t, r) })
			if i < 0 || of != nil && of != alphabets[i] {
				return true
			}
			of = alphabets[i]
		}
	}
	return false
}
