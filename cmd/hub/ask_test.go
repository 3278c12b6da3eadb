package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
)

// A req is one request as a test makes it: once, whatever comes back.
type req struct {
	key    string // API key
	method string
	path   string
	body   any    // JSON; a string or bytes go out as they are
	media  string // application/json by default
	idem   string // Idempotency-Key
}

// An answer is what came back.
type answer struct {
	what   string
	status int
	header http.Header
	body   []byte
	problem
}

// once is an idempotency key nobody has used.
func once() string { return rand.Text() }

// ask makes a request of a rig's hub.
func (r *rig) ask(t testing.TB, a req) answer {
	t.Helper()
	return asks(t, r.client, r.url, a)
}

func asks(t testing.TB, client *http.Client, base string, a req) answer {
	t.Helper()
	body, media := a.bytes(t)
	h, err := http.NewRequestWithContext(t.Context(), a.method, base+a.path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if a.key != "" {
		h.Header.Set("Authorization", "Bearer "+a.key)
	}
	if media != "" {
		h.Header.Set("Content-Type", media)
	}
	if a.idem != "" {
		h.Header.Set("Idempotency-Key", a.idem)
	}
	res, err := client.Do(h)
	if err != nil {
		t.Fatalf("%s %s: %v", a.method, a.path, err)
	}
	defer res.Body.Close()
	out := answer{what: a.method + " " + a.path, status: res.StatusCode, header: res.Header}
	if out.body, err = io.ReadAll(res.Body); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode >= 400 {
		if got, want := res.Header.Get("Content-Type"), "application/problem+json"; got != want {
			t.Errorf("%s answers %d as %q, want %q", out.what, out.status, got, want)
		}
		if err := json.Unmarshal(out.body, &out.problem); err != nil {
			t.Errorf("%s answers %d without a problem document: %s", out.what, out.status, out.body)
		}
	}
	return out
}

func (a req) bytes(t testing.TB) ([]byte, string) {
	t.Helper()
	media := a.media
	if media == "" {
		media = "application/json"
	}
	switch b := a.body.(type) {
	case nil:
		return nil, a.media
	case string:
		return []byte(b), media
	case []byte:
		return b, media
	}
	b, err := json.Marshal(a.body)
	if err != nil {
		t.Fatal(err)
	}
	return b, media
}

// refused checks a refusal: its status, its code, and that each pointer is
// named.
func (a answer) refused(t testing.TB, status int, code string, pointers ...string) {
	t.Helper()
	if a.status != status || a.Code != code {
		t.Errorf("%s answers %d %s, want %d %s\n%s", a.what, a.status, a.Code, status, code, a.body)
		return
	}
	if a.Detail == "" {
		t.Errorf("%s is refused without a word: %s", a.what, a.body)
	}
	for _, p := range pointers {
		named := slices.ContainsFunc(a.Errors, func(e struct {
			Pointer string `json:"pointer"`
			Detail  string `json:"detail"`
		},
		) bool {
			return e.Pointer == p && e.Detail != ""
		})
		if !named {
			t.Errorf("%s does not name %q: %s", a.what, p, a.body)
		}
	}
}

// into takes an answer that must be a success apart.
func (a answer) into(t testing.TB, out any) answer {
	t.Helper()
	if a.status >= 300 {
		t.Fatalf("%s answers %d: %s", a.what, a.status, a.body)
	}
	if out != nil {
		if err := json.Unmarshal(a.body, out); err != nil {
			t.Fatalf("%s: %v in %s", a.what, err, a.body)
		}
	}
	return a
}

// shows is what the hub shows at a path, as text to compare.
func (r *rig) shows(t testing.TB, key, path string) string {
	t.Helper()
	return string(r.ask(t, req{key: key, method: "GET", path: path}).into(t, nil).body)
}
