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
	"sync/atomic"
	"time"
)

// Client makes the HTTP client of one partner: its own connections, the
// lane's time-outs, no redirects and no proxy from the environment. Each call
// has its own connection, so that a dead idle one never leaves a payment in
// doubt. Roots nil trusts the system's certificates.
func Client(s Settings, roots *x509.CertPool) *http.Client {
	s = s.Or(Defaults(Pay))
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: s.Dial}).DialContext,
			TLSHandshakeTimeout:    s.TLS,
			ResponseHeaderTimeout:  s.Header,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}
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
	var got atomic.Bool
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }})
	req = req.WithContext(ctx)
	req.GetBody = nil // net/http re-sends a body that it can get again
	resp, err := c.Do(req)
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
	r = Result{Outcome: Unknown, Code: strconv.Itoa(a.Status), Evidence: a.Body}
	switch {
	case a.Status >= 200 && a.Status < 300:
		return a, Result{}, true
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		r.Reason = Credentials
	case a.Status == http.StatusTooManyRequests:
		r.Reason = Limited
		r.RetryAfter = retryAfter(a.Header.Get("Retry-After"))
	case a.Status == http.StatusServiceUnavailable:
		r.RetryAfter = retryAfter(a.Header.Get("Retry-After"))
	}
	r.Err = fmt.Errorf("the partner answered %d", a.Status)
	return a, r, false
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
