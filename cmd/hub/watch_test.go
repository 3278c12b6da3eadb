package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// watch sees every call that tests make of a hub: it keeps which routes were
// called, and compares each answer with the document.
var watch = &watcher{calls: map[string]int{}, schemas: map[string]*jsonschema.Schema{}, told: map[string]bool{}}

type watcher struct {
	read    sync.Once
	doc     []byte
	routes  []string          // "GET /v1/offers/{offer}"
	names   map[string]string // by route: what policies call it
	answers map[string]map[string]any
	public  map[string]bool // those that need no key
	err     error

	mu       sync.Mutex
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
	calls    map[string]int
	told     map[string]bool
	wrong    []string
}

// generated is the document as the program prints it. (Types of package main
// have other names in a test's own binary.)
func generated() ([]byte, error) {
	return exec.Command(filepath.Join(programs, "hub"), "openapi").Output()
}

func (w *watcher) load() {
	if w.doc, w.err = generated(); w.err != nil {
		return
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string
			Responses   map[string]any
			Security    []map[string]any
		}
	}
	if w.err = json.Unmarshal(w.doc, &doc); w.err != nil {
		return
	}
	w.answers, w.public, w.names = map[string]map[string]any{}, map[string]bool{}, map[string]string{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			route := strings.ToUpper(method) + " " + path
			w.routes, w.answers[route], w.names[route] = append(w.routes, route), op.Responses, op.OperationID
			w.public[route] = slices.ContainsFunc(op.Security, func(s map[string]any) bool { return len(s) == 0 })
		}
	}
	slices.Sort(w.routes)
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.doc))
	if err != nil {
		w.err = err
		return
	}
	w.compiler = jsonschema.NewCompiler()
	w.compiler.AssertFormat()
	w.err = w.compiler.AddResource("https://tiwiza.invalid/openapi.json", tree)
}

// newcomers come each from a network address of its own: all who sign in within ten
// minutes of tests are not one, who asks for too many codes.
var newcomers = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, byte(1+rand.N(250)), byte(rand.N(250)), byte(1+rand.N(250)))}}
	return d.DialContext(ctx, network, addr)
}}

// RoundTrip passes a call on and looks at its answer.
func (w *watcher) RoundTrip(req *http.Request) (*http.Response, error) {
	by := http.DefaultTransport
	if strings.HasSuffix(req.URL.Path, "/codes") {
		by = newcomers
	}
	res, err := by.RoundTrip(req)
	if err != nil || !strings.HasPrefix(req.URL.Path, "/v1/") && !strings.HasPrefix(req.URL.Path, "/callbacks/") {
		return res, err
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(b))
	w.read.Do(w.load)
	if w.err != nil {
		return nil, w.err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if wrong := w.look(req, res, b); wrong != "" && !w.told[wrong] {
		w.told[wrong] = true
		w.wrong = append(w.wrong, fmt.Sprintf("%s %s answers %d: %s\n%.600s", req.Method, req.URL.Path, res.StatusCode, wrong, b))
	}
	return res, nil
}

// look says what is wrong with an answer; "" if nothing is.
func (w *watcher) look(req *http.Request, res *http.Response, body []byte) string {
	if res.Header.Get("X-Request-Id") == "" {
		return "it has no X-Request-Id"
	}
	route := w.route(req.Method, req.URL.EscapedPath())
	if route == "" {
		return ""
	}
	if res.StatusCode < 300 {
		w.calls[route]++
	}
	status := fmt.Sprint(res.StatusCode)
	if _, named := w.answers[route][status]; !named {
		if status = "default"; res.StatusCode < 300 {
			return "the document names no such status"
		}
	}
	media, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if said, ok := w.answers[route][status].(map[string]any); ok && said["content"] != nil {
		if content, _ := said["content"].(map[string]any); content[media] == nil {
			return "the document names no such media type: " + media
		}
	}
	if !strings.HasSuffix(media, "json") {
		return ""
	}
	return w.check(route, status, media, body)
}

// check compares a body with its schema in the document.
func (w *watcher) check(route, status, media string, body []byte) string {
	method, path, _ := strings.Cut(route, " ")
	at := "#" + pointer("paths", path, strings.ToLower(method), "responses", status)
	if said, ok := w.answers[route][status].(map[string]any); ok && said["$ref"] != nil {
		at = fmt.Sprint(said["$ref"])
	}
	at += pointer("content", media, "schema")
	s := w.schemas[at]
	if s == nil {
		var err error
		if s, err = w.compiler.Compile("https://tiwiza.invalid/openapi.json" + at); err != nil {
			return "its schema cannot be used: " + err.Error()
		}
		w.schemas[at] = s
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	if err := s.Validate(v); err != nil {
		return err.Error()
	}
	return ""
}

// pointer is a JSON pointer as a fragment of an address.
func pointer(names ...string) (p string) {
	for _, n := range names {
		p += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(n))
	}
	return p
}

// route is the row of the document that a path belongs to, or "".
func (w *watcher) route(method, path string) (found string) {
	parts := strings.Split(path, "/")
	for _, r := range w.routes {
		m, template, _ := strings.Cut(r, " ")
		if m != method || !fits(strings.Split(template, "/"), parts) {
			continue
		}
		if found == "" || strings.Count(r, "{") < strings.Count(found, "{") {
			found = r
		}
	}
	return found
}

func fits(template, parts []string) bool {
	if len(template) != len(parts) {
		return false
	}
	for i, p := range template {
		if p != parts[i] && !strings.HasPrefix(p, "{") {
			return false
		}
	}
	return true
}

// routeOf is the row of the document that a request belongs to, or "".
func (w *watcher) routeOf(req *http.Request) string {
	if !strings.HasPrefix(req.URL.Path, "/v1/") {
		return ""
	}
	if w.read.Do(w.load); w.err != nil {
		return ""
	}
	return w.route(req.Method, req.URL.EscapedPath())
}

// judge tells of every answer that the document does not describe and, when all
// tests have run, of every route that none of them called with success.
func (w *watcher) judge(all bool) (wrong []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.routes {
		if all && w.calls[r] == 0 {
			wrong = append(wrong, "no test calls "+r+" with success")
		}
	}
	for _, x := range w.wrong {
		wrong = append(wrong, "an answer is not as the document says: "+x)
	}
	return wrong
}
