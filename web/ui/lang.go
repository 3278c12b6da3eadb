// Package ui is what all pages are made of: languages, formats of money and
// dates, and the parts that a page is put together from. It knows no service.
package ui

import (
	"slices"
	"strings"
)

// A Lang is a language of the pages.
type Lang string

// The languages. Amazigh texts come from CLDR alone; what it lacks is said in
// French.
const (
	French  Lang = "fr"
	Arabic  Lang = "ar"
	Amazigh Lang = "zgh"
	English Lang = "en"
)

// Langs are the languages in the order of the switch.
var Langs = []Lang{French, Arabic, Amazigh, English}

// names are the languages' own names.
var names = map[Lang]string{French: "Français", Arabic: "العربية", Amazigh: "ⵜⴰⵎⴰⵣⵉⵖⵜ", English: "English"}

// Name is what the language calls itself.
func (l Lang) Name() string { return names[l] }

// label is how the switch names the language: it holds the letters that are seen.
func (l Lang) label() string {
	switch l {
	case French:
		return "FR, " + l.Name()
	case English:
		return "EN, " + l.Name()
	}
	return l.Name()
}

// Dir is the direction of its script.
func (l Lang) Dir() string {
	if l == Arabic {
		return "rtl"
	}
	return "ltr"
}

// Text is the language that most texts of its pages are in.
func (l Lang) Text() Lang {
	if l == Amazigh {
		return French
	}
	return l
}

// Prefix stands before the path of its pages: none for French.
func (l Lang) Prefix() string {
	if l == French || l == "" {
		return ""
	}
	return "/" + string(l)
}

// ParseLang knows a language by its code.
func ParseLang(s string) (Lang, bool) {
	l := Lang(strings.ToLower(s))
	return l, slices.Contains(Langs, l)
}

// CutLang takes the language from the front of a path.
func CutLang(path string) (l Lang, rest string, found bool) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if l, ok := ParseLang(first); ok {
		return l, "/" + strings.TrimLeftFunc(rest, func(r rune) bool { return r == '/' || r == '\\' || r < ' ' }), true // never another host
	}
	return French, path, false
}

// Prefer picks the language that an Accept-Language header asks for first.
func Prefer(header string) Lang {
	for part := range strings.SplitSeq(header, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		base, _, _ := strings.Cut(tag, "-")
		if l, ok := ParseLang(base); ok {
			return l
		}
	}
	return French
}

// A Said text knows its language, which may not be the page's.
type Said struct {
	Lang Lang
	Text string
}

// Say picks from texts by language the one in l, or the next best.
func (l Lang) Say(texts map[string]string) Said {
	for _, lang := range []Lang{l, l.Text(), French, Arabic, English, Amazigh} {
		if t := texts[string(lang)]; t != "" {
			return Said{lang, t}
		}
	}
	return Said{l.Text(), ""}
}
