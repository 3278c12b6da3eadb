package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
)

func post(t *testing.T, ctx context.Context, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("pay=1"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Idempotency-Key", "k1") // what makes net/http send a POST again
	return req
}

func TestOutcomeFollowsWhatWasSent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		fault    netfault.Fault
		executed int64
		want     outbound.Outcome
	}{
		{"answer lost", netfault.AnswerLost, 1, outbound.Unknown},
		{"answer reset", netfault.AnswerReset, 1, outbound.Unknown},
		{"answer cut", netfault.AnswerCut, 1, outbound.Unknown},
		{"answer late", netfault.AnswerLate, 1, outbound.Unknown},
		{"request lost", netfault.RequestLost, 0, outbound.Unknown},
		{"no connection", "", 0, outbound.NotSent},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var executed atomic.Int64
			partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				executed.Add(1)
				fmt.Fprint(w, strings.Repeat("done ", 100))
			}))
			defer partner.Close()
			net := netfault.New(t, partner.Listener.Addr().String())
			if c.fault == "" {
				net.Stop()
			} else {
				net.Break(c.fault)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_, r, ok := outbound.Send(outbound.Client(outbound.Settings{}, nil), post(t, ctx, "http://"+net.Addr))
			if ok || r.Outcome != c.want || r.Reason != "" || executed.Load() != c.executed {
				t.Errorf("ok %v, %+v, executed %d; want %s, executed %d", ok, r, executed.Load(), c.want, c.executed)
			}
		})
	}
}

func TestAnswersThatAreNotSuccessAreUnknown(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]outbound.Result{
		500: {}, 502: {}, 408: {}, 302: {}, 400: {}, 404: {},
		503: {RetryAfter: 7 * time.Second},
		429: {RetryAfter: 7 * time.Second, Reason: outbound.Limited},
		401: {Reason: outbound.Credentials}, 403: {Reason: outbound.Credentials},
	} {
		var hits atomic.Int64
		partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			hits.Add(1)
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			fmt.Fprint(w, "sorry")
		}))
		_, r, ok := outbound.Send(outbound.Client(outbound.Settings{}, nil), post(t, t.Context(), partner.URL))
		partner.Close()
		if ok || r.Outcome != outbound.Unknown || r.Reason != want.Reason || r.RetryAfter != want.RetryAfter || string(r.Evidence) != "sorry" || hits.Load() != 1 {
			t.Errorf("%d: ok %v, %+v, %d hits; want Unknown like %+v, 1 hit", status, ok, r, hits.Load(), want)
		}
	}
}

func TestStrangersCertificateIsNotSentAndAPersonsWork(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	partner := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer partner.Close()
	_, r, ok := outbound.Send(outbound.Client(outbound.Settings{}, x509.NewCertPool()), post(t, t.Context(), partner.URL))
	if ok || r.Outcome != outbound.NotSent || r.Reason != outbound.Trust || hits.Load() != 0 {
		t.Errorf("ok %v, %+v, %d hits; want NotSent for Trust, 0 hits", ok, r, hits.Load())
	}
	roots := x509.NewCertPool()
	roots.AddCert(partner.Certificate())
	if _, r, ok := outbound.Send(outbound.Client(outbound.Settings{}, roots), post(t, t.Context(), partner.URL)); !ok {
		t.Errorf("with its own root: %+v", r)
	}
}

func TestEndlessAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range outbound.MaxAnswer/1024 + 2 {
			fmt.Fprint(w, strings.Repeat("x", 1024))
		}
	}))
	defer partner.Close()
	if _, r, ok := outbound.Send(outbound.Client(outbound.Settings{}, nil), post(t, t.Context(), partner.URL)); ok || r.Outcome != outbound.Unknown {
		t.Errorf("ok %v, %+v; want Unknown", ok, r)
	}
}

// TestABombOrATrickleOfAnAnswerIsCutOff: 64 MB in a few packed bytes are not
// unpacked past the bound, and a body that comes byte by byte ends with the call.
func TestABombOrATrickleOfAnAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = z.Write(make([]byte, 1<<20))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bomb" {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
			return
		}
		for range 1000 {
			fmt.Fprint(w, "x")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}))
	defer partner.Close()
	client := outbound.Client(outbound.Settings{}, nil)
	a, r, ok := outbound.Send(client, post(t, t.Context(), partner.URL+"/bomb"))
	if ok || r.Outcome != outbound.Unknown || len(a.Body) > outbound.MaxAnswer+1 {
		t.Errorf("of a bomb %d bytes were read: ok %v, %+v; want Unknown", len(a.Body), ok, r)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, r, ok := outbound.Send(client, post(t, ctx, partner.URL+"/trickle")); ok || r.Outcome != outbound.Unknown || time.Since(began) > 5*time.Second {
		t.Errorf("a trickle: ok %v, %+v after %s; want Unknown at once", ok, r, time.Since(began))
	}
}

func TestEvidenceHoldsNoSecret(t *testing.T) {
	t.Parallel()
	if got, want := string(outbound.Redact([]byte("key=abc&n=1&key=abc"), "abc", "")), "key=[redacted]&n=1&key=[redacted]"; got != want {
		t.Errorf("Redact = %s, want %s", got, want)
	}
}

func TestReasonSurvivesWrapping(t *testing.T) {
	t.Parallel()
	base := errors.New("wrong key")
	err := fmt.Errorf("sign in: %w", outbound.Because(outbound.Trust, base))
	if got := outbound.ReasonOf(err); got != outbound.Trust || !errors.Is(err, base) {
		t.Errorf("ReasonOf = %q and the cause is kept: %v; want trust, true", got, errors.Is(err, base))
	}
	if got := outbound.ReasonOf(context.Canceled); got != outbound.Cancelled {
		t.Errorf("ReasonOf(Canceled) = %q", got)
	}
}
