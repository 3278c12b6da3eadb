package rest_test

import (
	"strings"
	"testing"

	"tiwiza/pkg/rest"
)

type anyMap = map[string]any

func TestAFormSaysWhatIsWrongWithAnswersAndWhere(t *testing.T) {
	t.Parallel()
	f, err := rest.CompileForm(anyMap{
		"type": "object", "required": []any{"trade"}, "additionalProperties": false,
		"properties": anyMap{"trade": anyMap{"type": "string", "enum": []any{"tapis", "argan"}}, "hands": anyMap{"type": "integer", "minimum": 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		answers anyMap
		want    string // pointers
	}{
		{anyMap{"trade": "argan", "hands": 3}, ""},
		{anyMap{}, "/answers/trade"},
		{anyMap{"trade": "or", "hands": 0, "x": 1}, "/answers/x /answers/hands /answers/trade"},
		{anyMap{"trade": 1}, "/answers/trade"},
	} {
		wrong, err := f.Check(c.answers, "/answers")
		var at []string
		for _, w := range wrong {
			at = append(at, w.Pointer)
		}
		if got := strings.Join(at, " "); err != nil || got != c.want {
			t.Errorf("%v: wrong at %q, %v; want %q", c.answers, got, err, c.want)
		}
	}
}

func TestAFormReadsNothingOutsideItself(t *testing.T) {
	t.Parallel()
	for _, schema := range []anyMap{
		{"$ref": "file:///etc/passwd"}, {"$ref": "http://127.0.0.1/x"}, {"type": "no such"}, {"type": "object", "properties": anyMap{"a": anyMap{"pattern": "("}}},
	} {
		if _, err := rest.CompileForm(schema); err == nil {
			t.Errorf("%v was taken", schema)
		}
	}
}
