package remote_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/bankconform"
	"tiwiza/adapters/remote"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

const token = "a-token-of-the-tests-0001"

// folderBank is a connector whose memory is four folders, so that the suite can
// play the bank's part in them.
type folderBank struct {
	mu                    sync.Mutex
	in, out, ack, archive string
}

func (b *folderBank) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+token {
		fail(w, 401, "unauthenticated")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // half a body is none
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/bank/v1/"), "/")
	switch {
	case r.Method == "POST" && path[0] == "batches":
		b.take(w, body)
	case r.Method == "GET" && path[0] == "batches" && len(path) == 2:
		b.know(w, path[1])
	case r.Method == "GET" && path[0] == "messages" && len(path) == 1:
		b.list(w, r.URL.Query().Get("batch"))
	case r.Method == "GET" && path[0] == "messages":
		for _, dir := range []string{b.ack, b.out} {
			if text, err := os.ReadFile(filepath.Join(dir, path[1])); err == nil {
				_, _ = w.Write(text)
				return
			}
		}
		fail(w, 404, "message_not_found")
	case r.Method == "POST" && len(path) == 3 && path[2] == "acknowledge":
		b.acknowledge(w, path[1], body)
	default:
		fail(w, 404, "not_found")
	}
}

func fail(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"about:blank","title":"no","status":%d,"code":%q,"detail":"No."}`, status, code)
}

// answer says what stands of a batch. It is long, so that a cut may fall inside.
func answer(w http.ResponseWriter, status int, id string, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	body := fmt.Sprintf(`{"id":%q,"sha256":%q,"state":"received","text":%q}`, id, digest(text), strings.Repeat("x", 400))
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// stands finds a batch in the folders.
func (b *folderBank) stands(id string) ([]byte, bool) {
	for _, dir := range []string{b.in, b.archive} {
		if text, err := os.ReadFile(filepath.Join(dir, "BATCH_"+id+".json")); err == nil {
			return text, true
		}
	}
	return nil, false
}

func (b *folderBank) take(w http.ResponseWriter, body []byte) {
	var in struct{ ID string }
	if json.Unmarshal(body, &in) != nil || in.ID == "" {
		fail(w, 400, "malformed")
		return
	}
	if text, ok := b.stands(in.ID); ok {
		if string(text) != string(body) {
			fail(w, 422, "idempotency_conflict")
			return
		}
		answer(w, 200, in.ID, text)
		return
	}
	name := filepath.Join(b.in, "BATCH_"+in.ID+".json")
	if err := os.WriteFile(name+".new", body, 0o644); err == nil {
		err = os.Rename(name+".new", name)
		if err == nil {
			answer(w, 201, in.ID, body)
			return
		}
	}
	fail(w, 503, "unavailable")
}

func (b *folderBank) know(w http.ResponseWriter, id string) {
	if text, ok := b.stands(id); ok {
		answer(w, 200, id, text)
		return
	}
	fail(w, 404, "batch_not_found")
}

// list is what waits: reports first, the older first, and nothing that grows.
func (b *folderBank) list(w http.ResponseWriter, batch string) {
	data := []map[string]any{}
	for _, dir := range []string{b.ack, b.out} {
		before := files(dir)
		time.Sleep(40 * time.Millisecond)
		found := files(dir)
		slices.SortFunc(found, func(x, y os.FileInfo) int { return x.ModTime().Compare(y.ModTime()) })
		for _, f := range found {
			still := slices.ContainsFunc(before, func(o os.FileInfo) bool { return o.Name() == f.Name() && o.Size() == f.Size() })
			text, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if !still || err != nil || batch != "" && !strings.Contains(string(text), `"batch":"`+batch+`"`) {
				continue
			}
			data = append(data, map[string]any{"id": f.Name(), "sha256": digest(text)})
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
}

// files are those of a folder that are whole.
func files(dir string) (out []os.FileInfo) {
	all, _ := os.ReadDir(dir)
	for _, e := range all {
		low := strings.ToLower(e.Name())
		if i, err := e.Info(); err == nil && i.Mode().IsRegular() && low[0] != '.' &&
			!strings.HasSuffix(low, ".tmp") && !strings.HasSuffix(low, ".partial") && !strings.HasSuffix(low, ".filepart") {
			out = append(out, i)
		}
	}
	return out
}

func (b *folderBank) acknowledge(w http.ResponseWriter, name string, body []byte) {
	var in struct{ SHA256 string }
	_ = json.Unmarshal(body, &in)
	for _, dir := range []string{b.ack, b.out} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		if digest(text) != in.SHA256 {
			fail(w, 409, "message_differs")
			return
		}
		to := filepath.Join(b.archive, name)
		if was, err := os.ReadFile(to); err == nil && string(was) != string(text) {
			to += ".2"
		}
		_ = os.Rename(filepath.Join(dir, name), to)
		fmt.Fprint(w, `{}`)
		return
	}
	if text, err := os.ReadFile(filepath.Join(b.archive, name)); err == nil && digest(text) == in.SHA256 {
		fmt.Fprint(w, `{}`)
		return
	}
	fail(w, 409, "message_differs")
}

// dial makes a driver that reaches the connector through addr.
func dial(t testing.TB, addr, roots string, credentials ...remote.Credentials) bank.Driver {
	t.Helper()
	n, err := remote.New(remote.Config{
		URL: "https://" + addr, Roots: roots, Guard: webhook.Guard{Loopback: true}, Credentials: credentials, Settings: outbound.Settings{Header: 5 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	return remote.NewBank(n)
}

func certificate(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

func open(t testing.TB) (bankconform.Fixture, *httptest.Server) {
	root := t.TempDir()
	b := &folderBank{in: root + "/in", out: root + "/out", ack: root + "/ack", archive: root + "/archive"}
	for _, dir := range []string{b.in, b.out, b.ack, b.archive} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewUnstartedServer(b)
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := certificate(s)
	return bankconform.Fixture{
		Addr: s.Listener.Addr().String(), In: b.in, Out: b.out, Ack: b.ack, Archive: b.archive,
		Dial: func(addr string) bank.Driver { return dial(t, addr, roots, remote.Credentials{Token: token}) },
		Intruder: func(addr string) bank.Driver {
			return dial(t, addr, roots, remote.Credentials{Token: "somebody-elses-token"})
		},
		Stranger: func(addr string) bank.Driver { return dial(t, addr, otherRoot, remote.Credentials{Token: token}) },
		Report: func(id string) []byte {
			return fmt.Appendf(nil, `{"kind":"report","id":"R-%s","batch":"%s","state":"accepted"}`, id, id)
		},
	}, s
}

func TestConformance(t *testing.T) {
	t.Parallel()
	bankconform.Run(t, func(t *testing.T) bankconform.Fixture { f, _ := open(t); return f })
}
