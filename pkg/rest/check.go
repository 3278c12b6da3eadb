package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"tiwiza/pkg/fault"
)

// A checker holds one schema of the published document.
type checker struct{ schema *jsonschema.Schema }

// compile makes a checker of the schema at pointer in the document.
func compile(c *jsonschema.Compiler, pointer string) (*checker, error) {
	s, err := c.Compile(documentURL + (&url.URL{Fragment: pointer}).String())
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", pointer, err)
	}
	return &checker{s}, nil
}

const documentURL = "hub:///openapi.json"

func compiler(document []byte) (*jsonschema.Compiler, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	return c, c.AddResource(documentURL, doc)
}

// check lists what is wrong with v under where. A nil checker finds nothing.
func (c *checker) check(v any, where string, found *findings) {
	if c == nil {
		return
	}
	e, ok := errors.AsType[*jsonschema.ValidationError](c.schema.Validate(v))
	if !ok {
		return
	}
	var here findings
	here.walk(e, where)
	for _, l := range [][]fault.Detail{here.unread, here.wrong} {
		slices.SortStableFunc(l, func(a, b fault.Detail) int {
			return cmp.Or(strings.Compare(a.Pointer, b.Pointer), strings.Compare(a.Detail, b.Detail))
		})
	}
	found.unread = append(found.unread, slices.Compact(here.unread)...)
	found.wrong = append(found.wrong, slices.Compact(here.wrong)...)
}

// walk files the leaves of a validation error.
func (f *findings) walk(e *jsonschema.ValidationError, where string) {
	if len(e.Causes) > 0 {
		for _, c := range causes(e) {
			f.walk(c, where)
		}
		return
	}
	at := where
	for _, name := range e.InstanceLocation {
		at += "/" + escape(name)
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		for _, name := range k.Missing {
			f.bad(at+"/"+escape(name), "This is required.")
		}
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			f.bad(at+"/"+escape(name), "This name is not known here.")
		}
	case *kind.Type:
		f.bad(at, fmt.Sprintf("This must be %s, not %s.", names(k.Want), article[k.Got]))
	case *kind.FalseSchema:
		f.bad(at, "Nothing can stand here.")
	default:
		f.wrong = append(f.wrong, fault.Detail{Pointer: at, Detail: sentence(k)})
	}
}

// causes picks the alternative that was meant: of «null or a thing» the thing,
// when null was not given.
func causes(e *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if _, ok := e.ErrorKind.(*kind.AnyOf); !ok || len(e.Causes) < 2 {
		return e.Causes
	}
	kept := slices.DeleteFunc(slices.Clone(e.Causes), func(c *jsonschema.ValidationError) bool {
		t, ok := c.ErrorKind.(*kind.Type)
		return ok && slices.Equal(t.Want, []string{"null"})
	})
	if len(kept) == 0 {
		return e.Causes
	}
	return kept
}

var article = map[string]string{
	"null": "null", "boolean": "true or false", "number": "a number", "integer": "a whole number",
	"string": "a text", "array": "a list", "object": "an object",
}

func names(types []string) string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = article[t]
	}
	return strings.Join(out, " or ")
}

// sentence says what is wrong, for people.
func sentence(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Enum:
		all := make([]string, len(k.Want))
		for i, w := range k.Want {
			all[i] = fmt.Sprint(w)
		}
		return "This must be one of: " + strings.Join(all, ", ") + "."
	case *kind.Const:
		return fmt.Sprintf("This must be %v.", k.Want)
	case *kind.MinLength:
		if k.Want == 1 {
			return "This must not be empty."
		}
		return fmt.Sprintf("This must have at least %d characters; it has %d.", k.Want, k.Got)
	case *kind.MaxLength:
		return fmt.Sprintf("This must have at most %d characters; it has %d.", k.Want, k.Got)
	case *kind.MinItems:
		return fmt.Sprintf("This must list at least %d; it lists %d.", k.Want, k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("This must list at most %d; it lists %d.", k.Want, k.Got)
	case *kind.MinProperties:
		return fmt.Sprintf("This must have at least %d names; it has %d.", k.Want, k.Got)
	case *kind.MaxProperties:
		return fmt.Sprintf("This must have at most %d names; it has %d.", k.Want, k.Got)
	case *kind.UniqueItems:
		return fmt.Sprintf("Entries %d and %d are the same.", k.Duplicates[0], k.Duplicates[1])
	case *kind.Minimum:
		return "This must be at least " + k.Want.RatString() + "."
	case *kind.Maximum:
		return "This must be at most " + k.Want.RatString() + "."
	case *kind.ExclusiveMinimum:
		return "This must be more than " + k.Want.RatString() + "."
	case *kind.ExclusiveMaximum:
		return "This must be less than " + k.Want.RatString() + "."
	case *kind.MultipleOf:
		return "This must be a multiple of " + k.Want.RatString() + "."
	case *kind.Format:
		return "This must be " + formats(k.Want) + "."
	case *kind.Pattern:
		if k.Want == amountPattern {
			return "An amount is digits, with a point and at most two decimals, such as 123.50."
		}
		return "This must have the form " + strconv.Quote(k.Want) + "."
	}
	return "This is not what the document asks for."
}

func formats(f string) string {
	switch f {
	case "date-time":
		return "a time, such as 2026-11-21T10:00:00Z"
	case "date":
		return "a date, such as 2026-11-21"
	case "email":
		return "an e-mail address"
	case "uri":
		return "a whole address, such as https://example.org/"
	}
	return "of the form " + f
}

// trivial says whether a parameter's schema checks nothing that reading it did
// not.
func trivial(schema json.RawMessage) bool {
	var m map[string]any
	if json.Unmarshal(schema, &m) != nil {
		return false
	}
	for k := range m {
		switch k {
		case "type", "description", "default", "examples", "example", "title", "deprecated":
		default:
			return false
		}
	}
	_, list := m["items"]
	return !list
}
