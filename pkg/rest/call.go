package rest

import (
	"context"
	"net/http"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/telemetry"
)

// A call is one request on its way through the edge.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	id    string
	trace string
	route *served
	who   auth.Principal
	in    any    // *In, once read
	body  []byte // as it came, for the request's hash
	key   string // the Idempotency-Key of a Commit row
}

// newCall starts a call and gives its answer the headers that each has.
func newCall(w http.ResponseWriter, r *http.Request) *call {
	c := &call{w: w, r: r, id: id.New("req"), who: auth.Nobody}
	h := w.Header()
	h.Set("X-Request-Id", c.id)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	return c
}

func (c *call) traceID() string {
	if c.trace != "" {
		return c.trace
	}
	return c.id
}

type callKey struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return telemetry.WithRequest(context.WithValue(ctx, callKey{}, c), c.id)
}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// Origin is where the request of ctx comes from: the connection's own address
// and the device's word for itself. Outside of a route both are "".
func Origin(ctx context.Context) (addr, device string) {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return address(c.r), c.r.UserAgent()
	}
	return "", ""
}

// AddressOf is the address that requests of one visitor share, as Origin says it.
func AddressOf(r *http.Request) string { return address(r) }

// findings are the wrong places of a request: those that cannot be read, and
// those that can but are wrong.
type findings struct{ unread, wrong []fault.Detail }

func (f *findings) bad(pointer, detail string) {
	f.unread = append(f.unread, fault.Detail{Pointer: pointer, Detail: detail})
}

// err is what the findings come to: 400 when anything cannot be read, else
// 422, with all of them listed.
func (f *findings) err() error {
	e := *errInvalid
	switch {
	case len(f.unread) > 0:
		e = *errMalformed
	case len(f.wrong) == 0:
		return nil
	}
	e.Details = append(append([]fault.Detail(nil), f.unread...), f.wrong...)
	if len(e.Details) > maxFindings {
		e.Details = e.Details[:maxFindings]
	}
	return &e
}

// maxFindings is how many wrong places a problem lists.
const maxFindings = 50
