// Package strict reads what partners write, so that nothing is decided from
// half of it, nor from a text that two readers would take differently.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	if !utf8.Valid(body) {
		return errors.New("the text is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errors.New("it is not an object"))
	}
	if err := once(d, 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is something after the end")
	}
	return json.Unmarshal(body, into)
}

// once walks what is open up to its end.
func once(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errors.New("it is nested too deep")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		if name, ok := t.(string); ok {
			folded := strings.ToLower(name)
			if seen[folded] {
				return fmt.Errorf("the field %q comes twice", name)
			}
			seen[folded] = true
			if t, err = d.Token(); err != nil {
				return err
			}
		}
		if err := inside(d, t, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// inside walks a value that may hold others.
func inside(d *json.Decoder, t json.Token, depth int) error {
	switch t {
	case json.Delim('{'):
		return once(d, depth+1)
	case json.Delim('['):
		return each(d, depth+1)
	}
	return nil
}

// each walks an array.
func each(d *json.Decoder, depth int) error {
	if depth > maxDepth {
		return errors.New("it is nested too deep")
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		if err := inside(d, t, depth); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}
