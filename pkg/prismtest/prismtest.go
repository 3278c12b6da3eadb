// Package prismtest holds a driver's requests against a partner's official
// document, for tests: Prism serves the document, and everything that the driver
// asks goes past a watch that notes how it was answered. What Prism makes up as
// answers is nobody's: only whether it takes the requests counts.
package prismtest

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Document is the path of an official document in the folder that HUB_SPECS
// names. The test is skipped, and says why, when the machine does not have it.
func Document(t testing.TB, name string) string {
	t.Helper()
	specs := os.Getenv("HUB_SPECS")
	if specs == "" {
		t.Skip("HUB_SPECS does not say where the official documents are")
	}
	path := filepath.Join(specs, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the official document is not there: %v", err)
	}
	return path
}

// Rules say which documents are served, and what is changed on the way.
type Rules struct {
	// Documents are the files, by the beginning of the paths that each is asked for;
	// "" is for all that no other takes.
	Documents map[string]string
	// Ask changes a request before Prism has it; nil: nothing.
	Ask func(*http.Request)
	// Say changes an answer that is no refusal; nil: nothing.
	Say func(*http.Response)
}

// A Watch stands before Prism and notes how it answers.
type Watch struct {
	URL string // where the driver finds the partner

	rules Rules
	mu    sync.Mutex
	by    map[string][]int
	to    map[string]*url.URL
}

// Open serves the documents until the test ends. Without Prism (HUB_PRISM, else
// prism on the path) the test is skipped, and says so.
func Open(t testing.TB, r Rules) *Watch {
	t.Helper()
	program := os.Getenv("HUB_PRISM")
	if program == "" {
		program = "prism"
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skip("there is no Prism: npm install @stoplight/prism-cli@5, and HUB_PRISM says where it is")
	}
	w := &Watch{rules: r, by: map[string][]int{}, to: map[string]*url.URL{}}
	for at, document := range r.Documents {
		u, err := url.Parse(serve(t, program, document))
		if err != nil {
			t.Fatal(err)
		}
		w.to[at] = u
	}
	s := httptest.NewServer(&httputil.ReverseProxy{Rewrite: w.rewrite, ModifyResponse: func(res *http.Response) error { return w.note(t, res) }})
	t.Cleanup(s.Close)
	w.URL = s.URL
	return w
}

// rewrite sends a request to the document with the longest beginning that fits.
func (w *Watch) rewrite(r *httputil.ProxyRequest) {
	best := ""
	for at := range w.to {
		if strings.HasPrefix(r.In.URL.Path, at) && len(at) > len(best) {
			best = at
		}
	}
	if u := w.to[best]; u != nil {
		r.SetURL(u)
	}
	if w.rules.Ask != nil {
		w.rules.Ask(r.Out)
	}
}

// note writes an answer down, and shows each refusal.
func (w *Watch) note(t testing.TB, res *http.Response) error {
	call := res.Request.Method + " " + res.Request.URL.Path
	w.mu.Lock()
	w.by[call] = append(w.by[call], res.StatusCode)
	w.mu.Unlock()
	if res.StatusCode < 400 {
		if w.rules.Say != nil {
			w.rules.Say(res)
		}
		return nil
	}
	b, err := io.ReadAll(res.Body)
	t.Logf("%s: %d %s", call, res.StatusCode, b)
	res.Body = io.NopCloser(bytes.NewReader(b))
	return err
}

// Answer puts another body into an answer.
func Answer(res *http.Response, body string) {
	res.Body.Close()
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	res.Header.Del("Content-Length")
}

// Taken holds Prism to have been asked each of the calls ("GET /heartbeat"), and
// to have refused none.
func (w *Watch) Taken(t testing.TB, calls ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, call := range calls {
		if len(w.by[call]) == 0 {
			t.Errorf("%s was not asked", call)
		}
		for _, status := range w.by[call] {
			if status >= 300 {
				t.Errorf("%s is answered %d", call, status)
			}
		}
	}
}

// Refused holds Prism to refuse a request that the document does not allow, or it
// would check nothing.
func (w *Watch) Refused(t testing.TB, req *http.Request) {
	t.Helper()
	u, err := url.Parse(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	req.URL.Scheme, req.URL.Host = u.Scheme, u.Host
	res, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode < 400 {
		t.Errorf("%s %s, which the document does not allow, is answered %d: Prism checks nothing", req.Method, req.URL.Path, res.StatusCode)
	}
}

// serve has Prism serve a document until the test ends, and says where.
func serve(t testing.TB, program, document string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "mock", "-h", "127.0.0.1", "-p", port, document)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() { defer close(gone); _ = cmd.Wait() }() // it is told to end
	t.Cleanup(func() {
		stop()
		<-gone
		if t.Failed() {
			t.Log(said.String()[max(0, said.Len()-2000):])
		}
	})
	client := &http.Client{Timeout: 5 * time.Second}
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		res, err := client.Get("http://127.0.0.1:" + port + "/")
		if err == nil {
			res.Body.Close()
			return "http://127.0.0.1:" + port
		}
		select {
		case <-gone:
			t.Fatalf("Prism ended instead of serving %s: %s", document, said.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("Prism does not serve %s: %v", document, err)
		}
	}
}
