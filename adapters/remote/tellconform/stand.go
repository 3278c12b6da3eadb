// Package tellconform plays connectors of the ports that tell people something, or
// something of them (crm.v1, notify.v1), for the tests of the drivers and of hub
// certify: whole ones, or with one planted defect each.
package tellconform

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Base is what all connectors do alike: the manifest, the sign-in, errors, events,
// and the faults of the tests.
type Base struct {
	Defect string // what it does wrongly, by name; "" nothing
	Events string // where it sends its events; "" nowhere
	Token  string

	mu     sync.Mutex
	id     string
	path   string // of the protocol: /crm/v1
	name   string // its capability
	has    []string
	key    ed25519.PrivateKey
	busy   bool
	garble *answer
	serial int
	posts  sync.WaitGroup
	mend   func(half []byte) []byte // what the defect of taking half a request makes of one
}

type answer struct {
	status int
	body   string
}

func base(id, name, token string, features ...string) Base {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	return Base{Token: token, id: id, name: name, path: "/" + name + "/v1", has: features, key: key}
}

// Key is the public key that its events are signed with, as a manifest lists it.
func (b *Base) Key() string {
	return "whpk_" + base64.StdEncoding.EncodeToString(b.key.Public().(ed25519.PublicKey))
}

// Garble has the next request be answered so, and not done.
func (b *Base) Garble(status int, body string) { b.do(func() { b.garble = &answer{status, body} }) }

// Busy has the next request be answered 429.
func (b *Base) Busy() { b.do(func() { b.busy = true }) }

// Wait waits until its events were sent.
func (b *Base) Wait() { b.posts.Wait() }

func (b *Base) do(f func()) { b.mu.Lock(); f(); b.mu.Unlock() }

// is says whether this defect was planted.
func (b *Base) is(defect string) bool { return b.Defect == defect }

// A call is one request, and how it is answered.
type call struct {
	method string
	path   []string
	body   []byte
	events string // X-Callback-URL
	key    string // Idempotency-Key
	ref    string // ?ref=
}

// A said is an answer; lost ones are done and never come.
type said struct {
	status int
	body   any // a problem is one by its status
	lost   bool
}

func problem(status int, code, detail string) said {
	return said{status: status, body: map[string]any{"type": "about:blank", "title": http.StatusText(status), "status": status, "code": code, "detail": detail}}
}

func ok(v any) said { return said{status: 200, body: v} }

// serve does what is the same of every request, and has do answer the others.
func (b *Base) serve(w http.ResponseWriter, r *http.Request, do func(call) said) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil && !b.is("half a request is taken") {
		panic(http.ErrAbortHandler) // half a request is none
	}
	if err != nil {
		body = b.mend(body) // the defect: it makes of it what it can
	}
	path, inside := strings.CutPrefix(r.URL.Path, b.path+"/")
	c := call{method: r.Method, path: strings.Split(path, "/"), body: body, events: r.Header.Get("X-Callback-URL"), key: r.Header.Get("Idempotency-Key"), ref: r.URL.Query().Get("ref")}
	b.mu.Lock()
	defer b.mu.Unlock()
	var out said
	switch {
	case r.URL.Path == "/.well-known/hub-connector":
		out = ok(b.manifest())
	case r.Header.Get("Authorization") != "Bearer "+b.Token && !b.is("anybody is let in"):
		detail := "Sign in with a valid token."
		if b.is("errors tell secrets") {
			detail = "Not let in: " + r.Header.Get("Authorization")
		}
		out = problem(401, "unauthenticated", detail)
	case !inside:
		out = problem(404, "not_found", "There is nothing here.")
	case b.garble != nil:
		if b.name == "notify" { // its suite wants it done
			do(c)
		}
		out = said{status: b.garble.status, body: json.RawMessage(b.garble.body)}
		b.garble = nil
		w.WriteHeader(out.status)
		_, _ = w.Write(out.body.(json.RawMessage))
		return
	case path == "sandbox/busy":
		b.busy = true
		out = ok(struct{}{})
	case b.busy:
		b.busy = false
		if b.is("busy, and does it all the same") {
			do(c)
		}
		if !b.is("busy without saying for how long") {
			w.Header().Set("Retry-After", "2")
		}
		out = problem(429, "rate_limited", "Too many at once.")
	case path == "ping":
		out = ok(struct{}{})
	default:
		out = do(c)
	}
	b.answer(w, out)
}

func (b *Base) answer(w http.ResponseWriter, out said) {
	if out.lost {
		panic(http.ErrAbortHandler)
	}
	text, err := json.Marshal(out.body)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	if out.status >= 400 {
		w.Header().Set("Content-Type", "application/problem+json")
		if b.is("errors are plain text") {
			w.Header().Set("Content-Type", "text/plain")
		}
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(out.status)
	_, _ = w.Write(text)
}

func (b *Base) manifest() map[string]any {
	m := map[string]any{
		"id": b.id, "owner": "Système exemple", "capabilities": []any{map[string]any{"name": b.name, "version": "1", "features": b.has}},
		"auth": []string{"bearer"}, "idempotency_retention": "720h", "rate_limit": map[string]int{"per_second": 1000, "burst": 1000},
		"webhook_keys": []string{b.Key()}, "sandbox": true,
	}
	if b.is("no owner") {
		delete(m, "owner")
	}
	return m
}

// Sign signs an event by Standard Webhooks, as it is sent at a time.
func (b *Base) Sign(id string, at time.Time, body []byte) map[string]string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	text := append([]byte(id+"."+stamp+"."), body...)
	if b.is("events are not signed") {
		text = body
	}
	return map[string]string{
		"Content-Type": "application/json", "webhook-id": id, "webhook-timestamp": stamp,
		"webhook-signature": "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(b.key, text)),
	}
}

// event sends an event, to an address or to where all go.
func (b *Base) event(to, typ string, data any) {
	if to == "" {
		to = b.Events
	}
	if to == "" {
		return
	}
	b.serial++
	id := fmt.Sprintf("msg_stand%d", b.serial)
	body, err := json.Marshal(map[string]any{"type": typ, "timestamp": time.Now().UTC(), "data": data})
	if err != nil {
		panic(err)
	}
	head := b.Sign(id, time.Now(), body)
	b.posts.Go(func() {
		req, err := http.NewRequest(http.MethodPost, to, bytes.NewReader(body))
		if err != nil {
			return
		}
		for k, v := range head {
			req.Header.Set(k, v)
		}
		if res, err := (&http.Client{Timeout: 10 * time.Second}).Do(req); err == nil {
			_ = res.Body.Close()
		}
	})
}

// read reads a body; an unreadable one is 400.
func read[T any](c call) (in T, wrong *said) {
	if err := json.Unmarshal(c.body, &in); err != nil {
		p := problem(400, "malformed", "This is no JSON of the protocol.")
		return in, &p
	}
	return in, nil
}
