package site

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/web/ui"
)

// A Fault is what the interface answers when it cannot do what a page asked.
type Fault struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	} `json:"errors"`
	Trace string `json:"trace_id"`
}

// Error names the code.
func (f *Fault) Error() string { return fmt.Sprintf("%d %s: %s", f.Status, f.Code, f.Detail) }

// Code is the code of an error of the interface; "" for another error.
func Code(err error) string {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f.Code
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Code
	}
	return ""
}

// errCross is a form that another site sent.
var errCross = fault.New(fault.Denied, "pages.cross", "This request comes from another site.")

// ErrNotFound is a page that is not there.
var ErrNotFound = fault.New(fault.NotFound, "pages.not_found", "There is no such page.")

// reason is the status of an error, and the key of its words.
func reason(err error) (status int, key string) {
	if errors.Is(err, errCross) {
		return http.StatusForbidden, "common.cross"
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		status = f.Status
	} else {
		switch fault.KindOf(err) {
		case fault.NotFound:
			status = http.StatusNotFound
		case fault.Malformed:
			status = http.StatusBadRequest
		case fault.Invalid:
			status = http.StatusUnprocessableEntity
		case fault.Denied:
			status = http.StatusForbidden
		case fault.Unauthenticated:
			status = http.StatusUnauthorized
		case fault.Conflict:
			status = http.StatusConflict
		case fault.Unavailable:
			status = http.StatusServiceUnavailable
		default:
			status = http.StatusInternalServerError
		}
	}
	if key = reasons[status]; key == "" {
		key = "common.invalid" // what was sent is of a kind or a size that is not taken
	}
	return status, key
}

var reasons = map[int]string{
	http.StatusBadRequest: "common.malformed", http.StatusUnauthorized: "common.sign_in", http.StatusForbidden: "common.denied",
	http.StatusNotFound: "common.not_found", http.StatusConflict: "common.conflict", http.StatusUnprocessableEntity: "common.invalid",
	http.StatusTooManyRequests: "common.busy", http.StatusServiceUnavailable: "common.failed", http.StatusInternalServerError: "common.failed",
}

// known are the page's own words for an error's code.
func (v *Visit) known(err error) (string, bool) {
	code := Code(err)
	if code == "" {
		return "", false
	}
	key := "problem." + code
	said := v.T(key)
	return said, said != key
}

// Explain says in the page's language what went wrong: in words of its own when
// the code has some, else in general ones.
func (v *Visit) Explain(err error) string {
	if said, ok := v.known(err); ok {
		return said
	}
	_, key := reason(err)
	return v.T(key) + v.T("common.colon") + v.T(key+"_help")
}

// Wrongs are the places of a form that the interface found wrong. fields says
// which field a pointer («/contact/phone») stands for. What was not about a field
// stands for the whole form.
func (v *Visit) Wrongs(err error, fields map[string]string) []ui.Wrong {
	f, ok := errors.AsType[*Fault](err)
	if !ok || len(f.Errors) == 0 {
		return []ui.Wrong{{Text: v.Explain(err)}}
	}
	var out []ui.Wrong
	for _, e := range f.Errors {
		name := fields[e.Pointer]
		key := "problem." + f.Code + strings.ReplaceAll(e.Pointer, "/", ".")
		text := v.T(key)
		if text == key {
			if text = v.T("problem.field." + name); name == "" || text == "problem.field."+name {
				text = v.Explain(err)
			}
		}
		out = append(out, ui.Wrong{Name: name, Text: text})
	}
	return out
}

// Get asks the interface for a thing.
func Get[T any](v *Visit, path string) (T, error) { return ask[T](v, http.MethodGet, path, nil, "") }

// Open is Get of what anybody may read. A visitor whose session has ended, or whose
// key nobody knows any more, reads what a stranger does.
func Open[T any](v *Visit, path string) (T, error) {
	out, err := Get[T](v, path)
	if f, ok := errors.AsType[*Fault](err); ok && f.Status == http.StatusUnauthorized && v.Token() != "" {
		return Stranger[T](v, path)
	}
	return out, err
}

// Stranger asks as somebody whom nobody knows, whoever visits.
func Stranger[T any](v *Visit, path string) (T, error) {
	other := *v
	other.key, other.R = "", v.R.Clone(v.Context())
	other.R.Header.Del("Cookie")
	return Get[T](&other, path)
}

// Post asks the interface to do something. What makes an order or moves money
// takes the form's own key, so that a form that is sent twice does it once.
func Post[T any](v *Visit, path string, in any) (T, error) {
	return ask[T](v, http.MethodPost, path, in, v.Key())
}

// Do is Post with another method.
func Do[T any](v *Visit, method, path string, in any) (T, error) {
	return ask[T](v, method, path, in, v.Key())
}

func ask[T any](v *Visit, method, path string, in any, key string) (out T, err error) {
	var body io.Reader = http.NoBody
	if method != http.MethodGet {
		if in == nil {
			in = struct{}{}
		}
		b, err := json.Marshal(in)
		if err != nil {
			return out, err
		}
		body = bytes.NewReader(b)
	}
	b, _, err := v.send(method, path, "application/json", body, key)
	if err != nil || len(b) == 0 {
		return out, err
	}
	if err := json.Unmarshal(b, &out); err != nil {
		return out, fmt.Errorf("read the answer of %s %s: %w", method, path, err)
	}
	return out, nil
}

// Upload hands a file of a form over to the interface.
func Upload[T any](v *Visit, path, name, kind string, content []byte) (out T, err error) {
	b, _, err := v.send(http.MethodPost, path, kind, bytes.NewReader(content), v.Key()+name)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, err
}

// Raw asks for something that is not JSON: a file to pass on.
func (v *Visit) Raw(path string) ([]byte, http.Header, error) {
	return v.send(http.MethodGet, path, "", http.NoBody, "")
}

func (v *Visit) send(method, path, kind string, body io.Reader, key string) ([]byte, http.Header, error) {
	r, err := http.NewRequestWithContext(auth.WithPage(context.WithoutCancel(v.Context())), method, path, body)
	if err != nil {
		return nil, nil, ErrNotFound.With(err)
	}
	if method == http.MethodGet {
		r = r.WithContext(auth.WithPage(v.Context()))
	}
	r.RemoteAddr = v.R.RemoteAddr
	r.Header.Set("Accept-Language", string(v.Lang))
	r.Header.Set("User-Agent", v.R.UserAgent())
	if kind != "" && method != http.MethodGet {
		r.Header.Set("Content-Type", kind)
	}
	if key != "" && method != http.MethodGet {
		r.Header.Set("Idempotency-Key", key)
	}
	if t := v.Token(); t != "" {
		r.Header.Set("Authorization", "Bearer "+t)
	}
	w := answer{header: http.Header{}}
	v.site.API.ServeHTTP(&w, r)
	if w.status < http.StatusBadRequest {
		return w.body.Bytes(), w.header, nil
	}
	f := &Fault{}
	if err := json.Unmarshal(w.body.Bytes(), f); err != nil || f.Code == "" {
		f.Code, f.Detail = "pages.answer", http.StatusText(w.status)
	}
	f.Status = w.status
	if f.Code == "idempotency.in_progress" && v.R.Header.Get("Goes") != "" {
		f.Status = http.StatusServiceUnavailable // another tab of this telephone sends it: it waits
	}
	if method != http.MethodGet && (f.Code == "auth.step_up" || f.Code == "auth.passkey" && v.hasPasskey()) {
		v.stale = true
	}
	return nil, w.header, f
}

// answer keeps what the interface writes.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header is where the answer says what it is.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader keeps the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

// Write keeps the body.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.body.Write(b)
}

// File reads a file of a form: its name, its kind and what is in it. nil when
// none was chosen.
func (v *Visit) File(field string, most int64) (name, kind string, content []byte, err error) {
	if v.Form() == nil { // it was more than any form may be
		return "", "", nil, &Fault{Status: http.StatusUnprocessableEntity, Code: "pages.file_too_large"}
	}
	if v.R.MultipartForm == nil {
		return "", "", nil, nil
	}
	all := v.R.MultipartForm.File[field]
	if len(all) == 0 || all[0].Size == 0 {
		return "", "", nil, nil
	}
	return readFile(all[0], most)
}

func readFile(head *multipart.FileHeader, most int64) (name, kind string, content []byte, err error) {
	if head.Size > most {
		return "", "", nil, &Fault{Status: http.StatusUnprocessableEntity, Code: "pages.file_too_large"}
	}
	f, err := head.Open()
	if err != nil {
		return "", "", nil, err
	}
	defer func() { _ = f.Close() }()
	content, err = io.ReadAll(io.LimitReader(f, most))
	return head.Filename, textproto.MIMEHeader(head.Header).Get("Content-Type"), content, err
}
