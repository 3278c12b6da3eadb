package rest

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// A shape says how an In is read from a request: which fields come from where.
type shape struct {
	params []param
	file   []int // the index of the File field, nil for none
	raw    []int // the index of the Raw field, nil for none
	json   bool  // some fields come from a JSON body
}

// A param is one field that comes from the path, the query or a header.
type param struct {
	in, name string
	index    []int
	typ      reflect.Type // of one value; a slice's element, a pointer's target
	many     bool
	required bool
	missing  string // the default
}

// pointer is how problems name the parameter.
func (p param) pointer() string {
	if p.in == "query" {
		return "?" + p.name
	}
	return p.name
}

var (
	pathName  = regexp.MustCompile(`\{([^}.$]+)`)
	textValue = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// shapeOf reads the tags of an In.
func shapeOf(t reflect.Type, path string) (shape, error) {
	if t.Kind() != reflect.Struct {
		return shape{}, fmt.Errorf("%s is no struct", t)
	}
	var s shape
	if err := s.add(t, nil); err != nil {
		return s, err
	}
	open := map[string]bool{}
	for _, m := range pathName.FindAllStringSubmatch(path, -1) {
		open[m[1]] = true
	}
	for _, p := range s.params {
		if p.in == "path" && !open[p.name] {
			return s, fmt.Errorf("%s has no {%s}", path, p.name)
		}
		delete(open, p.name)
	}
	for name := range open {
		return s, fmt.Errorf("no field of %s takes {%s}", t, name)
	}
	if n := btoi(s.json) + btoi(s.file != nil) + btoi(s.raw != nil); n > 1 {
		return s, fmt.Errorf("%s has more than one kind of body", t)
	}
	return s, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *shape) add(t reflect.Type, at []int) error {
	for i := range t.NumField() {
		f := t.Field(i)
		index := append(append([]int(nil), at...), i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("json") == "" {
			if err := s.add(f.Type, index); err != nil {
				return err
			}
			continue
		}
		if err := s.field(f, index); err != nil {
			return fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
	}
	return nil
}

func (s *shape) field(f reflect.StructField, index []int) error {
	for _, in := range []string{"path", "query", "header"} {
		name, ok := f.Tag.Lookup(in)
		if !ok {
			continue
		}
		p := param{in: in, name: name, index: index, typ: f.Type, missing: f.Tag.Get("default")}
		p.required = in == "path" || f.Tag.Get("required") == "true"
		if k := f.Type.Kind(); !reflect.PointerTo(f.Type).Implements(textValue) && (k == reflect.Slice || k == reflect.Pointer) {
			p.typ, p.many = f.Type.Elem(), k == reflect.Slice
		}
		if !settable(p.typ) || p.many && in != "query" {
			return fmt.Errorf("a %s cannot come from the %s", f.Type, in)
		}
		s.params = append(s.params, p)
		return nil
	}
	switch {
	case f.Tag.Get("body") == "file" && f.Type == reflect.TypeFor[File]():
		s.file = index
	case f.Tag.Get("body") == "raw" && f.Type == reflect.TypeFor[Raw]():
		s.raw = index
	case f.Tag.Get("json") != "" && f.Tag.Get("json") != "-":
		s.json = true
	case f.Name != "_" && f.Tag.Get("json") != "-":
		return errors.New("it has no tag that says where it comes from")
	}
	return nil
}

func settable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String, reflect.Bool, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return true
	}
	return reflect.PointerTo(t).Implements(textValue)
}

// set reads text into v, and gives the value as the schema sees it, or a
// sentence that says what is wrong with it.
func set(v reflect.Value, text string) (value any, wrong string) {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(text)); err != nil {
			return nil, "This cannot be read; see the document for its form."
		}
		return text, ""
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
		return text, ""
	case reflect.Bool:
		if text != "true" && text != "false" {
			return nil, "This must be true or false."
		}
		v.SetBool(text == "true")
		return text == "true", ""
	case reflect.Float32, reflect.Float64:
		n, err := strconv.ParseFloat(text, v.Type().Bits())
		if err != nil || strings.ContainsAny(text, "xXnNiI_") {
			return nil, "This must be a number."
		}
		v.SetFloat(n)
		return n, ""
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, v.Type().Bits())
		if err != nil || strings.HasPrefix(text, "+") {
			return nil, "This must be a whole number."
		}
		v.SetInt(n)
		return n, ""
	default:
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		if err != nil {
			return nil, "This must be a whole number, not below zero."
		}
		v.SetUint(n)
		return n, ""
	}
}
