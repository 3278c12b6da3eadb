package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/script"
)

// read fills a new In from the request and checks it by the published schema.
func (c *call) read() error {
	rt := c.route
	ptr := rt.make()
	v := reflect.ValueOf(ptr).Elem()
	var found findings
	if err := c.readBody(v, ptr, &found); err != nil {
		return err
	}
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		found.bad("?", "The query cannot be read; percent-encode its values.")
	}
	for i := range rt.shape.params {
		rt.param(c.r, query, v, &rt.shape.params[i], &found)
	}
	if rt.shape.raw == nil {
		for name := range query {
			if !rt.queries[name] {
				found.bad("?"+name, "This parameter is not known here.")
			}
		}
	}
	if err := found.err(); err != nil {
		return err
	}
	c.in = ptr
	return nil
}

// param fills one field from the path, the query or a header.
func (s *served) param(r *http.Request, query url.Values, v reflect.Value, p *param, found *findings) {
	var texts []string
	switch p.in {
	case "path":
		texts = []string{r.PathValue(p.name)}
	case "query":
		texts = query[p.name]
	default:
		if texts = r.Header.Values(p.name); len(texts) == 1 && texts[0] == "" {
			texts = nil
		}
	}
	field := v.FieldByIndex(p.index)
	field.SetZero() // a body never fills it
	if len(texts) == 0 {
		if p.required {
			found.bad(p.pointer(), "This is required.")
		} else if p.missing != "" {
			_, _ = set(target(field), p.missing) // checked when mounted
		}
		return
	}
	if len(texts) > 1 && !p.many {
		found.bad(p.pointer(), "This is given more than once.")
		return
	}
	var values []any
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
			found.bad(p.pointer(), "This is not plain text.")
			return
		}
		to := field
		if p.many {
			to = reflect.New(p.typ).Elem()
		}
		value, wrong := set(target(to), text)
		if wrong != "" {
			found.bad(p.pointer(), wrong)
			return
		}
		if values = append(values, value); p.many {
			field.Set(reflect.Append(field, to))
		}
	}
	var all any = values
	if !p.many {
		all = values[0]
	}
	s.checks[p.pointer()].check(all, p.pointer(), found)
}

// target makes room behind a pointer.
func target(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return v.Elem()
	}
	return v
}

// readBody reads the body, as far as the operation takes one.
func (c *call) readBody(v reflect.Value, ptr any, found *findings) error {
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, c.route.body))
	if err != nil {
		if _, over := errors.AsType[*http.MaxBytesError](err); over {
			return errTooLarge.Say("The body is larger than the %d bytes this operation takes.", c.route.body)
		}
		return errMalformed.With(err).At("", "The body broke off.")
	}
	c.body = b
	if e := c.r.Header.Get("Content-Encoding"); len(b) > 0 && e != "" && !strings.EqualFold(e, "identity") {
		return errMediaType.Say("Send the body as it is; the encoding %s is not taken.", e)
	}
	sent := c.r.Header.Get("Content-Type")
	kind, params, err := mime.ParseMediaType(sent)
	if err != nil && sent != "" {
		return errMediaType.With(err)
	}
	switch s := c.route.shape; {
	case s.raw != nil:
		v.FieldByIndex(s.raw).Set(reflect.ValueOf(Raw{ContentType: sent, Bytes: b}))
		return nil
	case s.file != nil:
		f, err := c.file(kind, params["boundary"], b)
		if err == nil {
			v.FieldByIndex(s.file).Set(reflect.ValueOf(f))
		}
		return err
	}
	if len(b) == 0 && !c.route.needsBody {
		return nil
	}
	if len(b) > 0 && (kind != "application/json" || !isUTF8(params["charset"])) {
		return errMediaType.Say("Send the body as application/json.")
	}
	return c.json(b, ptr, found)
}

func isUTF8(charset string) bool { return charset == "" || strings.EqualFold(charset, "utf-8") }

func (c *call) json(b []byte, ptr any, found *findings) error {
	tree, problems := parse(b)
	if len(problems) > 0 {
		found.unread = append(found.unread, problems...)
		return nil
	}
	before := len(found.unread) + len(found.wrong)
	hidden := readable(tree, "", nil)
	slices.SortFunc(hidden, func(a, b fault.Detail) int { return strings.Compare(a.Pointer, b.Pointer) })
	found.wrong = append(found.wrong, hidden...)
	c.route.bodyCheck.check(tree, "", found)
	if len(found.unread)+len(found.wrong) > before || !c.route.shape.json {
		return nil
	}
	if err := json.Unmarshal(b, ptr); err != nil {
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			found.bad("/"+strings.ReplaceAll(t.Field, ".", "/"), fmt.Sprintf("This %s does not fit here.", t.Value))
			return nil
		}
		return errInvalid.With(err).At("", "A value has the right form but cannot be taken.")
	}
	return nil
}

// readable adds the texts and names of a body that hold signs which nobody sees though they
// change what is read: no text of the market does, whoever takes it.
func readable(v any, at string, found []fault.Detail) []fault.Detail {
	switch v := v.(type) {
	case string:
		if script.Hidden(v) {
			found = append(found, fault.Detail{Pointer: at, Detail: "This holds signs that nobody sees; write it anew without them."})
		}
	case []any:
		for i, x := range v {
			found = readable(x, at+"/"+strconv.Itoa(i), found)
		}
	case map[string]any:
		for name, x := range v {
			if script.Hidden(name) { // where people name things, it is read too
				found = append(found, fault.Detail{Pointer: at + "/" + escape(name), Detail: "This name holds signs that nobody sees; write it anew without them."})
			}
			if s, ok := x.(string); !ok || script.Hidden(s) { // most texts are fine, and then their place is not needed
				found = readable(x, at+"/"+escape(name), found)
			}
		}
	}
	return found
}

// file takes an upload from a whole body, or from the part «file» of a form.
func (c *call) file(kind, boundary string, b []byte) (File, error) {
	if kind == "" {
		kind = "application/octet-stream"
	}
	if !slices.Contains(c.route.accepts, kind) {
		return File{}, errMediaType.Say("Send the file as %s.", strings.Join(c.route.accepts, ", "))
	}
	f := File{ContentType: kind, Bytes: b}
	if kind == "multipart/form-data" {
		var err error
		if f, err = part(multipart.NewReader(bytes.NewReader(b), boundary)); err != nil {
			return f, err
		}
		c.body = f.Bytes // the boundary differs when the same file is sent again
	}
	if len(f.Bytes) == 0 {
		return f, errMalformed.At("/file", "The file is empty.")
	}
	return f, nil
}

// part finds the one part of a form.
func part(form *multipart.Reader) (f File, err error) {
	for seen := false; ; seen = true {
		p, err := form.NextPart()
		switch {
		case err == io.EOF && seen:
			return f, nil
		case err == io.EOF:
			return f, errMalformed.At("/file", "This is required.")
		case err != nil:
			return f, errMalformed.With(err).At("", "The form cannot be read.")
		case seen || p.FormName() != "file":
			return f, errMalformed.At("/"+escape(p.FormName()), "The form takes one part, «file».")
		}
		if f.Bytes, err = io.ReadAll(p); err != nil {
			return f, errMalformed.With(err).At("/file", "The part broke off.")
		}
		f.Name, f.ContentType = p.FileName(), p.Header.Get("Content-Type")
		if !utf8.ValidString(f.Name) || strings.ContainsRune(f.Name, 0) {
			return f, errMalformed.At("/file", "The file's name is not plain text.")
		}
	}
}
