package rest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/rest"
)

func TestWhatNeverChangesIsKeptForEver(t *testing.T) {
	t.Parallel()
	var written atomic.Int64
	mux := http.NewServeMux()
	rest.Mount(mux, []rest.Route{rest.Handle("GET", "/v1/tagged", "tagged.show", "Show it", http.StatusOK,
		func(context.Context, rest.None) (rest.Blob, error) {
			return rest.Blob{ContentType: "image/jpeg", Tag: "abc", Foreign: true, Write: func(w io.Writer) error {
				written.Add(1)
				_, err := w.Write([]byte("0123456789"))
				return err
			}}, nil
		}, rest.Public(), rest.Gives("image/jpeg"))}, edge())
	for _, c := range []struct {
		name, value string
		status      int
		body        string
	}{
		{"", "", 200, "0123456789"},
		{"If-None-Match", `"abc"`, 304, ""},
		{"If-None-Match", `"x", W/"abc"`, 304, ""},
		{"If-None-Match", `*`, 304, ""},
		{"If-None-Match", `"ab"`, 200, "0123456789"},
		{"Range", "bytes=2-4", 206, "234"},
		{"Range", "bytes=20-", 416, "invalid range: failed to overlap\n"},
	} {
		before := written.Load()
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/tagged", http.NoBody)
		if c.name != "" {
			r.Header.Set(c.name, c.value)
		}
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != c.status || w.Body.String() != c.body {
			t.Errorf("%s %s answers %d %q, want %d %q", c.name, c.value, w.Code, w.Body, c.status, c.body)
		}
		if c.status == 304 && written.Load() != before {
			t.Error("it was written for a caller who has it")
		}
		for name, want := range map[string]string{
			"ETag": `"abc"`, "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox", "Cross-Origin-Resource-Policy": "cross-origin",
		} {
			if got := w.Header().Get(name); got != want && c.status < 400 {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
}

// waiting is a body that comes when it is let.
type waiting struct{ begun, let chan struct{} }

// Read waits.
func (b *waiting) Read([]byte) (int, error) {
	close(b.begun)
	<-b.let
	return 0, io.EOF
}

type filed struct {
	File rest.File `body:"file"`
}

func TestLargeBodiesAreFewAtOnce(t *testing.T) {
	t.Parallel()
	who := map[string]auth.Key{"a": auth.NewKey(), "b": auth.NewKey(), "c": auth.NewKey()}
	e := edge()
	e.Authenticate = func(_ context.Context, k auth.Key) (auth.Principal, error) {
		for name, key := range who {
			if key.ID == k.ID {
				return auth.Principal{Key: k.ID, Subject: name, Role: auth.Seller}, nil
			}
		}
		return auth.Nobody, auth.ErrUnknown
	}
	mux := http.NewServeMux()
	rest.Mount(mux, []rest.Route{rest.Handle("POST", "/v1/large", "large.send", "Send it", http.StatusCreated,
		func(context.Context, filed) (rest.None, error) { return rest.None{}, nil }, rest.AtOnce(2, 1))}, e)
	send := func(name string, body io.Reader) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/large", body)
		r.Header.Set("Content-Type", "application/octet-stream")
		r.Header.Set("Authorization", "Bearer "+who[name].String())
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		return w
	}
	let := make(chan struct{})
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b"} {
		body := &waiting{make(chan struct{}), let}
		wg.Go(func() { send(name, body) })
		<-body.begun
	}
	unread := &waiting{make(chan struct{}), let}
	if w := send("a", unread); w.Code != 429 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), "request.too_many_at_once") {
		t.Errorf("the second of one caller is answered %d %s", w.Code, w.Body)
	}
	if w := send("c", unread); w.Code != 503 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), "request.full") {
		t.Errorf("the third of all is answered %d %s", w.Code, w.Body)
	}
	close(let)
	wg.Wait()
	for range 3 {
		if w := send("a", bytes.NewReader([]byte("file"))); w.Code != 201 {
			t.Errorf("afterwards it is answered %d %s", w.Code, w.Body)
		}
	}
}
