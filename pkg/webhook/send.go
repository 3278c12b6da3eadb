package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tiwiza/pkg/event"
)

// Limits of one call.
const (
	callTimeout = 15 * time.Second
	maxAnswer   = 1 << 10
)

// newClient makes the client of all endpoints: no redirects, no proxy from the
// environment, a new connection for each call, and addresses as the guard says.
func newClient(g Guard, roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout:       callTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            g.Dial,
			TLSHandshakeTimeout:    5 * time.Second,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		},
	}
}

// A result is what came of one call.
type result struct {
	status int
	answer string // its first KiB
	err    string
	asked  time.Duration // to wait
	left   bool          // we stopped it ourselves: it counts for nothing
}

func (r result) ok() bool   { return r.status >= 200 && r.status < 300 }
func (r result) gone() bool { return r.status == http.StatusGone }

// body is what an endpoint is sent of a telling: the event as GET /v1/events
// shows it.
func body(t event.Telling) ([]byte, error) { return json.Marshal(t.View()) }

// call sends a telling to an address, signed at the machine's time, which is the
// receiver's too.
func (s *Service) call(ctx context.Context, url string, secrets [][]byte, t event.Telling) result {
	b, err := body(t)
	if err != nil {
		return result{err: err.Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return result{err: err.Error()}
	}
	at := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Tiwiza-Webhooks/1")
	req.Header.Set("webhook-id", t.ID)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("webhook-signature", Signature(secrets, t.ID, at, b))
	resp, err := s.client.Do(req)
	if err != nil {
		return result{err: reason(err), left: ctx.Err() != nil}
	}
	defer resp.Body.Close()
	r := result{status: resp.StatusCode}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	r.answer = readable(text)
	switch {
	case err != nil && !r.ok():
		r.err = "the answer broke off: " + reason(err)
	case r.status >= 300 && r.status < 400:
		r.err = "the endpoint redirects, which is not followed"
	case !r.ok():
		r.err = fmt.Sprintf("the endpoint answered %d", r.status)
		if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
			r.asked = time.Duration(min(n, 3600)) * time.Second
		}
	}
	return r
}

// reason says why a call failed, without the address, which the reader knows.
func reason(err error) string {
	if errors.Is(err, errPrivate) {
		return errPrivate.Error()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within " + callTimeout.String()
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return clip(err.Error(), 300)
}

// readable makes a text that the database keeps of whatever was answered.
func readable(b []byte) string {
	return strings.ReplaceAll(strings.ToValidUTF8(string(b), "\uFFFD"), "\x00", "\uFFFD")
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
