package rest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"reflect"
	"slices"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
)

// None is the In of an operation without fields: its caller sends {} or
// nothing.
type None struct{}

// A File is an upload, as a field tagged body:"file": the whole body, or the
// part «file» of multipart/form-data.
type File struct {
	Name, ContentType string
	Bytes             []byte
}

// Raw is the body as it came, as a field tagged body:"raw": for callbacks,
// whose signature covers the very bytes.
type Raw struct {
	ContentType string
	Bytes       []byte
}

// Text is an answer in text/plain.
type Text string

// A Blob is an answer of any type: its Bytes, or what Write writes. Write runs
// before the first byte is sent, so it may still fail.
type Blob struct {
	ContentType string
	FileName    string // offered for saving; "" shows it in place
	Bytes       []byte
	Write       func(io.Writer) error
}

// A Stream is an answer that is written while it is read, for what may be too
// large to hold. Once Write has begun its failure breaks the connection off: the
// caller sees that the answer is not whole. ctx ends when the caller goes.
type Stream struct {
	ContentType string
	FileName    string // offered for saving; "" shows it in place
	Write       func(ctx context.Context, w io.Writer) error
}

// A Page is one piece of a list. Data is never null; Next is null on the last
// piece, else the cursor of the next.
type Page[T any] struct {
	Data []T     `json:"data" required:"true"`
	Next *string `json:"next" required:"true" description:"Send it as cursor to read on; null at the end."`
}

// Paging is embedded in the In of an operation that answers a Page.
type Paging struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"24" description:"How many at most."`
	Cursor string `query:"cursor" maxLength:"512" description:"Where to read on: next of the answer before."`
}

// ErrCursor says that a cursor is none of ours.
var ErrCursor = fault.New(fault.Malformed, "request.malformed", "The request cannot be read; see errors.").
	At("?cursor", "This is not a cursor of this list; take it from next, unchanged.")

// EncodeCursor makes an opaque cursor of whatever says where to read on.
func EncodeCursor(at any) string {
	b, err := json.Marshal(at)
	if err != nil {
		panic("rest: cursor: " + err.Error()) // a type that is no JSON
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeCursor reads what EncodeCursor made; "" leaves at alone. Anything else
// is ErrCursor.
func DecodeCursor[T any](cursor string, at *T) error {
	if cursor == "" {
		return nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return ErrCursor.With(err)
	}
	if _, details := parse(b); len(details) > 0 {
		return ErrCursor
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return ErrCursor.With(err)
	}
	*at = v
	return nil
}

// After is the id that the list goes on behind, "" at its beginning. One that is
// of none of these kinds is ErrCursor.
func (p Paging) After(kinds ...id.Kind) (at string, err error) {
	if err := DecodeCursor(p.Cursor, &at); err != nil {
		return "", err
	}
	if at != "" && !slices.ContainsFunc(kinds, func(k id.Kind) bool { return id.Is(k, at) }) {
		return "", ErrCursor
	}
	return at, nil
}

// View makes a Page of rows that were read with one more than limit, each as the
// interface shows it. at makes the cursor of the last one shown.
func View[R, V any](rows []R, limit int, view func(R) V, at func(last V) any) Page[V] {
	views := make([]V, len(rows))
	for i, r := range rows {
		views[i] = view(r)
	}
	return Cut(views, limit, at)
}

// Cut makes a Page of rows that were read with one more than limit: the extra
// one only says that there is a next page. at makes the cursor of the last row
// shown.
func Cut[T any](rows []T, limit int, at func(last T) any) Page[T] {
	p := Page[T]{Data: rows}
	if p.Data == nil {
		p.Data = []T{}
	}
	if limit > 0 && len(rows) > limit {
		next := EncodeCursor(at(rows[limit-1]))
		p.Data, p.Next = rows[:limit], &next
	}
	return p
}

// UTC is a time as the interface shows it; none stays none.
func UTC(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	u := t.UTC()
	return &u
}

// fileTypes are the media types a File may have unless Accepts says else.
var fileTypes = []string{
	"text/csv", "text/plain", "text/xml", "application/xml", "application/octet-stream",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "multipart/form-data",
}

type outKind int

const (
	outJSON outKind = iota
	outText
	outBlob
	outStream
)

func kindOf(t reflect.Type) outKind {
	switch t {
	case reflect.TypeFor[Text]():
		return outText
	case reflect.TypeFor[Blob]():
		return outBlob
	case reflect.TypeFor[Stream]():
		return outStream
	}
	return outJSON
}
