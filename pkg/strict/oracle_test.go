package strict_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"tiwiza/pkg/strict"
)

// slow reads by encoding/json's own tokens: the oracle.
func slow(body []byte) error {
	if !utf8.Valid(body) {
		return errors.New("no UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(err, errors.New("no object"))
	}
	if err := level(d, true, 1); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more")
	}
	var any map[string]any
	return json.Unmarshal(body, &any)
}

func level(d *json.Decoder, object bool, depth int) error {
	if depth > 16 {
		return errors.New("deep")
	}
	var seen []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		if object {
			for _, s := range seen {
				if strings.EqualFold(s, t.(string)) {
					return errors.New("twice")
				}
			}
			seen = append(seen, t.(string))
			if t, err = d.Token(); err != nil {
				return err
			}
		}
		if t == json.Delim('{') || t == json.Delim('[') {
			if err := level(d, t == json.Delim('{'), depth+1); err != nil {
				return err
			}
		}
	}
	_, err := d.Token()
	return err
}

// FuzzObject holds the reader to the oracle.
func FuzzObject(f *testing.F) {
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf(`"n%d":[{"a":%d}]`, i, i)
	}
	for _, s := range []string{
		`{}`, ` { "a" : 1 , "b":[1,2,{"c":null}] } `, `{"a":1,"A":2}`, `{"k":1,"K":2}`, `{"s":1,"ſ":2}`, `{"a\u0062":1,"ab":2}`, `{"a":"\\","b":"\""}`, `{"a":1}x`, `[]`, `{"a"`, `{"a":{"b":1,"b":2}}`,
		`{"a":[{"b":1},{"b":2}]}`, `{"a":true,"b":-1.5e3,"c":false}`, strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17), strings.Repeat(`{"a":`, 16) + "1" + strings.Repeat("}", 16),
		"{" + strings.Join(many, ",") + "}", "{" + strings.Join(many, ",") + `,"N7":1}`, "{" + strings.Join(many, ",") + `,"ſ":1,"S":2}`, "\xff{}", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var any map[string]any
		got, want := strict.Object(body, &any), slow(body)
		if (got == nil) != (want == nil) {
			t.Errorf("%q: %v, want %v", body, got, want)
		}
	})
}
