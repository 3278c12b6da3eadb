package rest

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tiwiza/pkg/fault"
)

// A Form is a JSON Schema (2020-12) that a member gave, by which others' answers
// are checked with the same sentences as requests are. It refers to nothing
// outside itself.
type Form struct{ checker }

// CompileForm reads a schema of an object.
func CompileForm(schema map[string]any) (*Form, error) {
	b, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	const at = "hub:///form.json"
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{})
	if err := c.AddResource(at, doc); err != nil {
		return nil, err
	}
	s, err := c.Compile(at)
	if err != nil {
		return nil, fmt.Errorf("this is no JSON Schema of 2020-12: %w", err)
	}
	return &Form{checker{s}}, nil
}

// Check says what is wrong with answers, by JSON pointers under where.
func (f *Form) Check(answers map[string]any, where string) ([]fault.Detail, error) {
	b, err := json.Marshal(answers)
	if err != nil {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	var found findings
	f.check(v, where, &found)
	return append(found.unread, found.wrong...), nil
}
