package ui

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A message is a text with gaps, «{name}», by plural class; "other" is the only
// class of a text that counts nothing.
type message map[string][]piece

// A piece of a text is fixed, or a gap to fill.
type piece struct{ text, gap string }

// Texts are the words of the pages by language and key. A key is the name of
// its file and its own: «shop.buy» stands in shop.fr.json, or in
// shop-basket.fr.json.
type Texts map[Lang]map[string]message

//go:embed locales
var locales embed.FS

// words are the texts of all pages. They are part of the program, so one that
// cannot be read stops it.
var words = func() Texts {
	t, err := ReadTexts(locales)
	if err != nil {
		panic(err)
	}
	return t
}()

// ReadTexts reads files «locales/domain.lang.json».
func ReadTexts(files fs.FS) (Texts, error) {
	t := Texts{}
	all, err := fs.Glob(files, "locales/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range all {
		domain, code, _ := strings.Cut(strings.TrimSuffix(path.Base(name), ".json"), ".")
		domain, _, _ = strings.Cut(domain, "-")
		lang, ok := ParseLang(code)
		if !ok {
			return nil, fmt.Errorf("%s: no such language", name)
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if err := t.read(lang, domain, b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return t, nil
}

func (t Texts) read(lang Lang, domain string, b []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if t[lang] == nil {
		t[lang] = map[string]message{}
	}
	for key, v := range raw {
		var one string
		forms := map[string]string{}
		if json.Unmarshal(v, &one) == nil {
			forms["other"] = one
		} else if err := json.Unmarshal(v, &forms); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		m := message{}
		for class, text := range forms {
			m[class] = cut(text)
		}
		if m["other"] == nil {
			return fmt.Errorf("%s: no text for «other»", key)
		}
		if t[lang][domain+"."+key] != nil {
			return fmt.Errorf("%s: there is a text of this name already", key)
		}
		t[lang][domain+"."+key] = m
	}
	return nil
}

// cut finds the gaps of a text.
func cut(s string) []piece {
	var out []piece
	for s != "" {
		before, rest, found := strings.Cut(s, "{")
		if before != "" {
			out = append(out, piece{text: before})
		}
		if !found {
			break
		}
		gap, after, _ := strings.Cut(rest, "}")
		out = append(out, piece{gap: gap})
		s = after
	}
	if out == nil {
		out = []piece{{}}
	}
	return out
}

// Keys are all keys of a language.
func (t Texts) Keys(l Lang) []string {
	var out []string
	for k := range t[l] {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Gaps are the names of the gaps of a text, in order, and its plural classes.
func (t Texts) Gaps(l Lang, key string) (gaps, classes []string) {
	for class, pieces := range t[l][key] {
		classes = append(classes, class)
		for _, p := range pieces {
			if p.gap != "" && !slices.Contains(gaps, p.gap) {
				gaps = append(gaps, p.gap)
			}
		}
	}
	slices.Sort(gaps)
	slices.Sort(classes)
	return gaps, classes
}

// Words are the texts of all pages.
func Words() Texts { return words }

// T is a text in language l. Gaps are filled from args: names and values in
// turn; the value of «n» also picks the plural class. A key that no language
// has is shown as itself; a test finds it.
func (l Lang) T(key string, args ...any) string {
	m := words[l][key]
	from := l
	if m == nil {
		if from = l.Text(); words[from][key] == nil {
			from = French
		}
		if m = words[from][key]; m == nil {
			return key
		}
	}
	pieces := m["other"]
	if len(m) > 1 {
		if n, ok := number(args); ok {
			if p, ok := m[from.plural(n)]; ok {
				pieces = p
			}
		}
	}
	if len(pieces) == 1 && pieces[0].gap == "" {
		return pieces[0].text
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.gap == "" {
			b.WriteString(p.text)
			continue
		}
		b.WriteString(fill(p.gap, args))
	}
	return b.String()
}

func fill(gap string, args []any) string {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == gap {
			switch v := args[i+1].(type) {
			case string:
				return v
			case int:
				return strconv.Itoa(v)
			default:
				return fmt.Sprint(v)
			}
		}
	}
	return "{" + gap + "}"
}

func number(args []any) (int, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "n" {
			n, ok := args[i+1].(int)
			return n, ok
		}
	}
	return 0, false
}

// plural is the class of a number of things: CLDR 48's rules for whole numbers.
func (l Lang) plural(n int) string {
	switch l {
	case French:
		switch {
		case n == 0 || n == 1:
			return "one"
		case n != 0 && n%1_000_000 == 0:
			return "many"
		}
	case Arabic:
		switch r := n % 100; {
		case n == 0:
			return "zero"
		case n == 1:
			return "one"
		case n == 2:
			return "two"
		case r >= 3 && r <= 10:
			return "few"
		case r >= 11:
			return "many"
		}
	case English:
		if n == 1 {
			return "one"
		}
	}
	return "other"
}
