package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"reflect"
	"sync"
)

// An answer is ready to be sent.
type answer struct {
	status      int
	contentType string
	disposition string
	tag         string
	foreign     bool
	replayed    bool
	body        []byte
	stream      func(ctx context.Context, w io.Writer) error // instead of body
}

// encode makes the answer of what a use case gave.
func encode(status int, out any) (answer, error) {
	a := answer{status: status}
	switch o := out.(type) {
	case Text:
		a.contentType, a.body = "text/plain; charset=utf-8", []byte(o)
	case Blob:
		a.contentType, a.body = o.ContentType, o.Bytes
		a.disposition, a.tag, a.foreign = saved(o.FileName), o.Tag, o.Foreign
		if o.Write != nil {
			var b bytes.Buffer
			if err := o.Write(&b); err != nil {
				return a, fmt.Errorf("write answer: %w", err)
			}
			a.body = b.Bytes()
		}
	case Stream:
		a.contentType, a.stream, a.disposition = o.ContentType, o.Write, saved(o.FileName)
	default:
		b, err := json.Marshal(listed(out))
		if err != nil {
			return a, fmt.Errorf("encode answer: %w", err)
		}
		a.contentType, a.body = "application/json", b
	}
	return a, nil
}

// saved offers an answer for saving under a name.
func saved(name string) string {
	if name == "" {
		return ""
	}
	return mime.FormatMediaType("attachment", map[string]string{"filename": name})
}

// listed returns out with an empty list or map wherever it has a nil one, as
// the document promises. It copies what it changes.
func listed(out any) any {
	v := reflect.ValueOf(out)
	if !v.IsValid() || !holds(v.Type()) {
		return out
	}
	return fill(v).Interface()
}

var (
	lists     sync.Map // reflect.Type → bool: whether it can hold a list or map
	marshaler = reflect.TypeFor[json.Marshaler]()
)

// holds says whether values of a type can hold a list or a map that JSON would
// write as null.
func holds(t reflect.Type) bool {
	if known, ok := lists.Load(t); ok {
		return known.(bool)
	}
	lists.Store(t, true) // a type that holds itself is looked into each time
	h := look(t)
	lists.Store(t, h)
	return h
}

func look(t reflect.Type) bool {
	if t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler) {
		return false
	}
	switch t.Kind() {
	case reflect.Slice:
		return t.Elem().Kind() != reflect.Uint8
	case reflect.Map, reflect.Interface:
		return true
	case reflect.Pointer, reflect.Array:
		return holds(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); (f.IsExported() || f.Anonymous) && holds(f.Type) {
				return true
			}
		}
	}
	return false
}

// fill copies a value that holds lists.
func fill(v reflect.Value) reflect.Value {
	t := v.Type()
	if !holds(t) {
		return v
	}
	switch t.Kind() {
	case reflect.Slice:
		out := reflect.MakeSlice(t, v.Len(), v.Len())
		for i := range v.Len() {
			out.Index(i).Set(fill(v.Index(i)))
		}
		return out
	case reflect.Map:
		out := reflect.MakeMapWithSize(t, v.Len())
		for i := v.MapRange(); i.Next(); {
			out.SetMapIndex(i.Key(), fill(i.Value()))
		}
		return out
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return v
		}
		if t.Kind() == reflect.Interface {
			return fill(v.Elem())
		}
		out := reflect.New(t.Elem())
		out.Elem().Set(fill(v.Elem()))
		return out
	}
	out := reflect.New(t).Elem()
	out.Set(v)
	for i := range fields(t) {
		if t.Kind() == reflect.Array {
			out.Index(i).Set(fill(v.Index(i)))
		} else if t.Field(i).IsExported() {
			out.Field(i).Set(fill(v.Field(i)))
		}
	}
	return out
}

func fields(t reflect.Type) int {
	if t.Kind() == reflect.Array {
		return t.Len()
	}
	return t.NumField()
}
