package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Client makes the HTTP client of one partner: its own connections, no redirects
// and no proxy from the environment. Each call has its own connection, so that a
// dead idle one never leaves a payment in doubt. Time-outs inside a call are those
// of the lane that carries it, as they stand then, but for what s sets itself.
// Roots nil trusts the system's certificates. Fit changes each transport that is
// made: where it may connect to, what it shows of itself.
func Client(s Settings, roots *x509.CertPool, fit ...func(*http.Transport)) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &bounded{own: s, roots: roots, fit: fit, made: map[bounds]*http.Transport{}},
	}
}

// Transport is what one client's connections are made by, with the time-outs of
// s. It keeps none of them.
func Transport(s Settings, roots *x509.CertPool) *http.Transport {
	s = s.Or(Defaults(Pay))
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: s.Dial}).DialContext,
		TLSHandshakeTimeout:    s.TLS,
		ResponseHeaderTimeout:  s.Header,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// bounds are the time-outs inside a call.
type bounds struct{ dial, tls, header time.Duration }

// bounded makes each call with the bounds of its lane. They change when people
// change them, so few transports are ever made.
type bounded struct {
	own   Settings
	roots *x509.CertPool
	fit   []func(*http.Transport)
	mu    sync.Mutex
	made  map[bounds]*http.Transport
}

// RoundTrip makes the call.
func (t *bounded) RoundTrip(req *http.Request) (*http.Response, error) {
	s := t.own.Or(Bounds(req.Context()))
	return t.of(s, bounds{s.Dial, s.TLS, s.Header}).RoundTrip(req)
}

func (t *bounded) of(s Settings, b bounds) *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.made[b] == nil {
		if len(t.made) >= 16 {
			clear(t.made) // what is under way keeps its own
		}
		made := Transport(s, t.roots)
		for _, f := range t.fit {
			f(made)
		}
		t.made[b] = made
	}
	return t.made[b]
}

// carried is what a lane gives to the calls that it carries.
type carried struct {
	set  *Settings
	lane *Lane
	once bool // a probe is not repeated
}

type carriedKey struct{}

// Bounds are the settings of the lane that carries a call, or the defaults of
// what moves money. Drivers that make their own connections read them.
func Bounds(ctx context.Context) Settings {
	if c, ok := ctx.Value(carriedKey{}).(*carried); ok {
		return *c.set
	}
	return Defaults(Pay)
}

// Answer is a whole HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// MaxAnswer bounds the body of an answer.
const MaxAnswer = 1 << 20

// Send sends req exactly once and reads the whole answer. With ok the answer
// is a 2xx for the driver to read; without, r says what is known: NotSent if
// no connection was ever obtained, else Unknown. A driver may still look into
// an answer without ok for a code that its partner lists as definitive.
func Send(c *http.Client, req *http.Request) (a Answer, r Result, ok bool) {
	if repeats(req) {
		err := errors.New("a call with an idempotency key and without a body would be sent again by net/http: give it a body")
		return a, Result{Outcome: NotSent, Reason: Unfit, Text: err.Error(), Err: err}, false
	}
	req.GetBody = nil // net/http re-sends a body that it can get again
	return answered(req, c.Do)
}

// answered makes a call and reads the whole answer.
func answered(req *http.Request, do func(*http.Request) (*http.Response, error)) (a Answer, r Result, ok bool) {
	var got atomic.Bool
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }}))
	resp, err := do(req)
	if err != nil {
		return a, unanswered(err, got.Load()), false
	}
	defer resp.Body.Close()
	a.Status, a.Header = resp.StatusCode, resp.Header
	if a.Body, err = io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1)); err != nil {
		return a, unanswered(fmt.Errorf("read answer: %w", err), true), false
	}
	if len(a.Body) > MaxAnswer {
		return a, Result{Outcome: Unknown, Err: errors.New("the answer is too long")}, false
	}
	r, ok = judged(a)
	return a, r, ok
}

// judged is what a whole answer means by its status alone.
func judged(a Answer) (r Result, ok bool) {
	r = Result{Outcome: Unknown, Code: strconv.Itoa(a.Status), Evidence: a.Body}
	switch {
	case a.Status >= 200 && a.Status < 300:
		return Result{}, true
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		r.Reason = Credentials
	case a.Status == http.StatusTooManyRequests:
		r.Reason = Limited
		r.RetryAfter = retryAfter(a.Header.Get("Retry-After"))
	case a.Status == http.StatusServiceUnavailable:
		r.RetryAfter = retryAfter(a.Header.Get("Retry-After"))
	}
	r.Err = fmt.Errorf("the partner answered %d", a.Status)
	return r, false
}

// repeats says whether net/http would repeat a request on a dead connection even
// though its body cannot be had again: because it has none.
func repeats(req *http.Request) bool {
	if req.Method == http.MethodGet || req.Method == http.MethodHead || req.Body != nil && req.Body != http.NoBody {
		return false
	}
	return req.Header.Get("Idempotency-Key") != "" || req.Header.Get("X-Idempotency-Key") != ""
}

// unanswered classes an error by what was sent.
func unanswered(err error, connected bool) Result {
	r := Result{Outcome: Unknown, Err: err}
	if !connected {
		r.Outcome = NotSent
	}
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
	)
	switch {
	case errors.Is(err, context.Canceled):
		r.Reason = Cancelled
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &verify):
		r.Reason = Trust
	}
	return r
}

// retryAfter reads the seconds form; a date or nonsense waits a minute, since
// the partner's clock is not ours.
func retryAfter(h string) time.Duration {
	if h == "" {
		return 0
	}
	n, err := strconv.ParseInt(h, 10, 32)
	if err != nil || n < 0 {
		return time.Minute
	}
	return min(time.Duration(n)*time.Second, MaxRetryAfter)
}
