package meili_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/pkg/pgtest"
	"tiwiza/search"
	"tiwiza/search/meili"
)

// kept names the folder of a fake server that runs as a program of its own.
const kept = "TIWIZA_TEST_FAKE_MEILI"

func TestMain(m *testing.M) {
	if dir := os.Getenv(kept); dir != "" {
		log.Fatal(serveFake(dir))
	}
	os.Exit(m.Run())
}

// A savedRequest is one that was accepted.
type savedRequest struct {
	Method, Path, Query string
	Body                json.RawMessage
}

// A fakeState is what a server keeps on its disk.
type fakeState struct {
	Indexes map[string]savedIndex
	Keys    []map[string]any
	Tasks   []savedTask
}

type savedIndex struct {
	Primary  string
	Settings map[string]any
	Docs     map[string]map[string]any
}

type savedTask struct {
	Kind, Index, Status string
	Err                 *fakeError
	Request             savedRequest
}

// save writes down what a server keeps, before anybody is answered.
func (f *fake) save() {
	if f.keep == nil {
		return
	}
	s := fakeState{Indexes: map[string]savedIndex{}, Keys: f.keys}
	for uid, x := range f.indexes {
		s.Indexes[uid] = savedIndex{x.primary, maps.Clone(x.settings), maps.Clone(x.docs)}
	}
	for _, t := range f.tasks {
		s.Tasks = append(s.Tasks, savedTask{t.kind, t.index, t.status, t.err, t.request})
	}
	f.keep(s)
}

// load has a server go on where it was killed: tasks that were accepted and not
// done are done now.
func (f *fake) load(s fakeState) error {
	for uid, x := range s.Indexes {
		f.indexes[uid] = &fakeIndex{x.Primary, x.Settings, x.Docs}
	}
	f.keys = s.Keys
	for n, saved := range s.Tasks {
		t := &fakeTask{n, saved.Kind, saved.Index, saved.Status, saved.Err, nil, time.Now().Add(f.takes), saved.Request}
		f.tasks = append(f.tasks, t)
		if t.status != "enqueued" && t.status != "processing" {
			continue
		}
		f.again, f.now = t, saved.Request
		for _, route := range routes {
			if m := regexp.MustCompile(route.path).FindStringSubmatch(t.request.Path); m != nil && route.method == t.request.Method {
				if _, e := route.do(f, m[1], httptest.NewRequest(t.request.Method, "/", nil), t.request.Body); e != nil {
					return errors.New(e.Message)
				}
			}
		}
		if t.work == nil {
			return fmt.Errorf("task %d cannot be done again", n)
		}
	}
	f.again = nil
	return nil
}

// serveFake is a fake server that keeps its state in a folder, on the listener it
// was given.
func serveFake(dir string) error {
	f, file := blankFake(), filepath.Join(dir, "state.json")
	f.takes = 40 * time.Millisecond
	b, err := os.ReadFile(file)
	if err == nil {
		var s fakeState
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		if err := f.load(s); err != nil {
			return err
		}
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	f.keep = func(s fakeState) {
		b, err := json.Marshal(s)
		if err == nil {
			err = os.WriteFile(file+".new", b, 0o600)
		}
		if err == nil {
			err = os.Rename(file+".new", file)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	l, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	return http.Serve(l, http.HandlerFunc(f.serve))
}

// A program is a server that can be killed.
type program struct {
	t   *testing.T
	l   *os.File
	url string
	dir string
	cmd *exec.Cmd
}

func newProgram(t *testing.T) *program {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, l: f, url: "http://" + l.Addr().String(), dir: t.TempDir()}
	t.Cleanup(func() {
		p.kill()
		_, _ = f.Close(), l.Close()
	})
	p.start()
	return p
}

func (p *program) start() {
	p.t.Helper()
	p.cmd = exec.CommandContext(context.WithoutCancel(p.t.Context()), os.Args[0])
	p.cmd.Env = append(os.Environ(), kept+"="+p.dir)
	p.cmd.ExtraFiles = []*os.File{p.l}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
}

// kill is kill -9.
func (p *program) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

// inFlight waits until the server has accepted more than it has done.
func (p *program) inFlight() {
	p.t.Helper()
	for range 6000 {
		var s fakeState
		if b, err := os.ReadFile(filepath.Join(p.dir, "state.json")); err == nil && json.Unmarshal(b, &s) == nil {
			for _, t := range s.Tasks {
				if t.Status == "enqueued" && t.Kind == "documentAdditionOrUpdate" {
					return
				}
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatal("the server is not written to")
}

// TestF14KilledMidWriteTheMarketIsSearchableAndTheIndexConverges kills the server
// with tasks accepted and not done, while the market is written and searched.
func TestF14KilledMidWriteTheMarketIsSearchableAndTheIndexConverges(t *testing.T) {
	t.Parallel()
	server := newProgram(t)
	b := &bench{T: t, db: pgtest.New(t)}
	b.index = b.join(meili.Options{URL: server.url, Key: masterKey, Every: 10 * time.Millisecond})
	b.put(rugs(0, 50)...)

	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer stop()
	all.Go(func() { b.index.Run(ctx) })
	written := make(chan int, 1)
	writing, enough := context.WithCancel(ctx)
	defer enough()
	all.Go(func() {
		n := 50
		for ; writing.Err() == nil; n++ {
			b.put(rugs(n, n+1)...)
			if n%5 == 0 {
				b.remove(fmt.Sprintf("off_%04d", n-40))
			}
			time.Sleep(5 * time.Millisecond)
		}
		written <- n
	})
	find := func() search.Result {
		t.Helper()
		r, err := b.index.Query(t.Context(), search.Query{Text: "tapis", Limit: 10})
		if err != nil || len(r.Hits) != 10 {
			t.Errorf("%d are found (%v), want 10", len(r.Hits), err)
		}
		return r
	}
	for range 3 {
		server.inFlight()
		server.kill()
		for range 5 { // it is hung, then known to be away
			find()
		}
		server.start()
	}
	enough()
	n := <-written
	for range 1200 { // two minutes
		d, err := b.index.Compare(t.Context())
		if err == nil && d == (meili.Drift{}) && strings.HasPrefix(find().Next, "m.") {
			var out struct{ NumberOfDocuments int }
			if b.ask(server, "/indexes/tiwiza_offers/stats", &out); out.NumberOfDocuments == n-((n-1)/5-9) {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	d, err := b.index.Compare(t.Context())
	t.Errorf("after two minutes it differs by %+v (%v)", d, err)
}

// ask reads something of a server.
func (b *bench) ask(p *program, path string, out any) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+masterKey)
	res, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		b.Fatal(err)
	}
}
