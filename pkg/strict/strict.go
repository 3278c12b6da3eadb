// Package strict reads what partners write, so that nothing is decided from
// half of it, nor from a text that two readers would take differently.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth is more than any message of a partner nests.
const maxDepth = 16

// Object reads one JSON object strictly: a name that comes twice (in
// whatever case: encoding/json takes both for one), anything after the end and
// text that is not UTF-8 make the whole unreadable, so that nothing is decided
// from half of it. Fields that nobody knows are their writer's own.
func Object(body []byte, into any) error {
	switch {
	case !utf8.Valid(body):
		return errors.New("the text is not UTF-8")
	case !json.Valid(body): // which something after the end is not, either
		return errors.New("the text is not JSON, or not one value alone")
	}
	w := walk{text: body}
	if w.space(); w.text[w.at] != '{' {
		return errors.New("it is not an object")
	}
	if err := w.value(0); err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

// walk goes through a text that is known to be JSON.
type walk struct {
	text []byte
	at   int
}

func (w *walk) space() {
	for w.at < len(w.text) && (w.text[w.at] == ' ' || w.text[w.at] == '\n' || w.text[w.at] == '\t' || w.text[w.at] == '\r') {
		w.at++
	}
}

// value goes past one value, and looks into what may hold names.
func (w *walk) value(depth int) error {
	w.space()
	switch w.text[w.at] {
	case '{', '[':
		if depth == maxDepth {
			return errors.New("it is nested too deep")
		}
		return w.inside(depth + 1)
	case '"':
		w.text1()
	default:
		for w.at < len(w.text) && !bytes.ContainsRune([]byte(",]} \n\t\r"), rune(w.text[w.at])) {
			w.at++
		}
	}
	return nil
}

// inside goes through an object or an array up to its end.
func (w *walk) inside(depth int) error {
	object := w.text[w.at] == '{'
	w.at++
	var some [16]string // names, without a map for the many objects that have few
	seen := some[:0]
	for {
		switch w.space(); w.text[w.at] {
		case '}', ']':
			w.at++
			return once(seen)
		case ',':
			w.at++
			continue
		}
		if object {
			name, err := unquoted(w.text1())
			if err != nil {
				return err
			}
			seen = append(seen, name)
			w.space()
			w.at++ // the colon
		}
		if err := w.value(depth); err != nil {
			return err
		}
	}
}

// text1 goes past a string, and gives it with its quotes.
func (w *walk) text1() []byte {
	from := w.at
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.text[from:w.at]
}

// unquoted is what a string in quotes says.
func unquoted(text []byte) (string, error) {
	if !bytes.ContainsRune(text, '\\') {
		return string(text[1 : len(text)-1]), nil
	}
	var s string
	err := json.Unmarshal(text, &s)
	return s, err
}

// once says which name comes twice, as encoding/json compares names.
func once(names []string) error {
	if len(names) <= 16 {
		for i, n := range names {
			for _, o := range names[:i] {
				if strings.EqualFold(n, o) {
					return twice(n)
				}
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(names))
	for _, n := range names {
		folded := fold(n)
		if seen[folded] {
			return twice(n)
		}
		seen[folded] = true
	}
	return nil
}

// fold is the same for all names that strings.EqualFold takes for one.
func fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

func twice(name string) error { return fmt.Errorf("the field %q comes twice", name) }
