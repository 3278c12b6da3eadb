package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"tiwiza/pkg/fault"
)

// Problems of the edge itself.
var (
	errMalformed   = fault.New(fault.Malformed, "request.malformed", "The request cannot be read; see errors.")
	errInvalid     = fault.New(fault.Invalid, "request.invalid", "The request is understood but wrong; see errors.")
	errTooLarge    = fault.New(fault.Malformed, "request.too_large", "The body is larger than this operation takes.")
	errMediaType   = fault.New(fault.Malformed, "request.media_type", "Send the body in a media type that the document names for this operation.")
	errNoSuchPath  = fault.New(fault.NotFound, "request.no_such_path", "There is nothing at this address; see /openapi.json for what there is.")
	errMethod      = fault.New(fault.Malformed, "request.method", "This address does not take this method; see Allow.")
	errLimited     = fault.New(fault.Limited, "request.limited", "That was too much at once; ask again after Retry-After seconds.")
	errTimeout     = fault.New(fault.Unavailable, "request.timeout", "This took too long and was given up; please try again.")
	errGone        = fault.New(fault.Unavailable, "request.cancelled", "The caller went away before the answer.")
	errInternal    = fault.New(fault.Internal, "internal", "Something went wrong on our side. It is logged; quote trace_id when you ask about it.")
	errUnavailable = fault.New(fault.Unavailable, "database.unavailable", "The hub cannot reach its database; please try again in a moment.")
	errKeyMissing  = fault.New(fault.Malformed, "idempotency.missing", "Send an Idempotency-Key of 1 to 255 visible ASCII characters, the same one whenever you repeat this request.")
	errKeyReused   = fault.New(fault.Invalid, "idempotency.reused", "This Idempotency-Key was used for another request; take a new key for a new request.")
	errKeyBusy     = fault.New(fault.Conflict, "idempotency.in_progress", "The first request with this Idempotency-Key is still at work; ask again in a second.")
)

// statuses are the answers to each kind.
var statuses = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Malformed:       http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Denied:          http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Invalid:         http.StatusUnprocessableEntity,
	fault.Limited:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
}

// Problem is how every failure answers (RFC 9457).
type Problem struct {
	Type    string         `json:"type" required:"true" description:"about:blank; code says what it is."`
	Title   string         `json:"title" required:"true"`
	Status  int            `json:"status" required:"true"`
	Detail  string         `json:"detail" required:"true" description:"A sentence for people that says what to do next."`
	Code    string         `json:"code" required:"true" description:"Stable; programs decide by it."`
	Errors  []fault.Detail `json:"errors,omitempty" description:"Each wrong place: a JSON pointer into the body, ?name of a query parameter, or the name of a header or path parameter."`
	TraceID string         `json:"trace_id" required:"true" description:"Quote it when you ask about this."`
}

// classify turns whatever went wrong into a fault and its status.
func classify(err error) (*fault.Error, int) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			f = errTimeout.With(err)
		case errors.Is(err, context.Canceled):
			f = errGone.With(err)
		case outage(err):
			f = errUnavailable.With(err)
		default:
			f = errInternal.With(err)
		}
	}
	switch f.Code {
	case errTooLarge.Code:
		return f, http.StatusRequestEntityTooLarge
	case errMediaType.Code:
		return f, http.StatusUnsupportedMediaType
	case errMethod.Code:
		return f, http.StatusMethodNotAllowed
	}
	return f, cmp.Or(statuses[f.Kind], http.StatusInternalServerError)
}

// problem answers with what went wrong. What is ours to mend says nothing of
// its cause.
func (c *call) problem(err error) {
	f, status := classify(err)
	p := Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: f.Text, Code: f.Code, Errors: f.Details, TraceID: c.traceID(),
	}
	if f.Kind == fault.Internal {
		p.Detail, p.Errors = errInternal.Text, nil
	}
	h := c.w.Header()
	switch {
	case status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="hub"`)
	case h.Get("Retry-After") != "":
	case status == http.StatusServiceUnavailable || f.Code == errKeyBusy.Code:
		h.Set("Retry-After", "1")
	}
	b, err := json.Marshal(p)
	if err != nil { // only a text that is no text
		b = []byte(`{"type":"about:blank","title":"Internal Server Error","status":500,"detail":"","code":"internal","trace_id":""}`)
	}
	c.write(answer{status: status, contentType: "application/problem+json", body: b})
}

// write sends an answer that is ready.
func (c *call) write(a answer) {
	h := c.w.Header()
	if a.foreign {
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
	}
	if a.tag != "" {
		c.writeTagged(a)
		return
	}
	h.Set("Content-Type", a.contentType)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	if a.disposition != "" {
		h.Set("Content-Disposition", a.disposition)
	}
	if a.replayed {
		h.Set("Idempotency-Replayed", "true")
	}
	c.w.WriteHeader(a.status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(a.body) // the caller may have gone
	}
}
