// Package fault gives every domain error a kind, a stable code and a sentence
// for people, so that the edge can answer with a status without knowing the
// domain. Only pkg/rest turns kinds into HTTP statuses.
package fault

import (
	"errors"
	"fmt"
)

// A Kind says what a caller can do about an error.
type Kind int

// The kinds, with the status pkg/rest answers.
const (
	Internal        Kind = iota // 500: ours to mend; the text stays in the log
	Malformed                   // 400: the request cannot be read
	Unauthenticated             // 401: who is asking is not known
	Denied                      // 403: the caller may not
	NotFound                    // 404: nothing of that name is visible to the caller
	Conflict                    // 409: the thing changed, or is in the wrong state
	Invalid                     // 422: understood, but wrong
	Limited                     // 429: too much, later
	Unavailable                 // 503: try again later
)

// A Detail points at one wrong place of a request.
type Detail struct {
	Pointer string `json:"pointer"` // JSON pointer, or "?name" for a query parameter
	Detail  string `json:"detail"`  // what is wrong there, and what to do
}

// Error is a failure with a kind, a stable code and a sentence for people.
type Error struct {
	Kind    Kind
	Code    string // "orders.sold_out"; part of the API, never reworded
	Text    string // a whole sentence that says what to do next
	Details []Detail
	Err     error // the cause, kept for the log and never shown
}

// Error is the text for logs: the code and the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Code, e.Err)
	}
	return e.Code + ": " + e.Text
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches by code, so that a sentinel still matches once it carries a cause.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// New declares a sentinel.
func New(k Kind, code, text string) *Error { return &Error{Kind: k, Code: code, Text: text} }

// With returns a copy of e that carries a cause for the log.
func (e *Error) With(cause error) *Error { c := *e; c.Err = cause; return &c }

// At returns a copy of e that points at one wrong place of the request.
func (e *Error) At(pointer, detail string) *Error {
	c := *e
	c.Details = append(append([]Detail(nil), e.Details...), Detail{pointer, detail})
	return &c
}

// Say returns a copy of e whose sentence is filled in for this case.
func (e *Error) Say(format string, args ...any) *Error {
	c := *e
	c.Text = fmt.Sprintf(format, args...)
	return &c
}

// KindOf finds the kind of err; an error of no kind is Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
