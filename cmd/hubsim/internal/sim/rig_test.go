package sim_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tiwiza/cmd/hubsim/internal/acquirer"
	"tiwiza/cmd/hubsim/internal/sim"
	"tiwiza/cmd/hubsim/internal/world"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !testing.Verbose() {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	goleak.VerifyTestMain(m)
}

// A rig is one simulator in this process with a shop that takes its callbacks.
type rig struct {
	t      *testing.T
	conf   sim.Config
	url    string
	config config
	stop   func()

	shop   *httptest.Server
	mu     sync.Mutex
	answer func(acquirer.Fields) string
	told   []acquirer.Fields
	puts   []told
}

// shop is what an acquirer gives a shop.
type shop struct {
	Name        string `json:"name"`
	ClientID    string `json:"client_id"`
	StoreKey    string `json:"store_key"`
	APIUser     string `json:"api_user"`
	APIPassword string `json:"api_password"`
	GateURL     string `json:"gate_url"`
	APIURL      string `json:"api_url"`
	SettlesFrom string `json:"settles_from"`
	URL         string `json:"connector_url"`
	Token       string `json:"connector_token"`
}

type config struct {
	Acquirer  shop
	Acquirers []shop
	Wallet    map[string]string
	Bank      struct {
		SFTPAddr   string `json:"sftp_addr"`
		HostKey    string `json:"host_key"`
		User       string
		PrivateKey string `json:"private_key"`
		BIC        string
		Safeguard  struct{ RIB, Name string }
		Operating  struct{ RIB, Name string }
		Dirs       map[string]string
	}
}

// start opens a simulator that settles every settle and states every 30 ms,
// with these faults armed once.
func start(t *testing.T, settle time.Duration, faults ...world.Armed) *rig {
	t.Helper()
	r := &rig{t: t, conf: sim.Config{
		Addr: "127.0.0.1:0", SFTPAddr: "127.0.0.1:0", DataDir: t.TempDir(), SettleEvery: settle, StatementEvery: 30 * time.Millisecond,
	}}
	r.answer = func(acquirer.Fields) string { return "ACTION=POSTAUTH" }
	r.shop = httptest.NewServer(http.HandlerFunc(r.callback))
	t.Cleanup(r.shop.Close)
	r.open()
	t.Cleanup(func() { r.stop() })
	for _, f := range faults {
		r.arm(f)
	}
	return r
}

func (r *rig) open() {
	r.t.Helper()
	s, err := sim.Open(r.conf)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	r.url = s.URL()
	r.stop = sync.OnceFunc(func() {
		cancel()
		http.DefaultClient.CloseIdleConnections()
		select {
		case err := <-ended:
			if err != nil {
				r.t.Errorf("the simulator ended with %v", err)
			}
		case <-time.After(30 * time.Second):
			r.t.Error("the simulator did not stop in 30 s")
		}
	})
	r.get("/config", &r.config)
}

func (r *rig) restart() {
	r.stop()
	r.open()
}

func (r *rig) callback(rw http.ResponseWriter, q *http.Request) {
	if q.Method == http.MethodPut {
		r.walletTold(rw, q)
		return
	}
	if err := q.ParseForm(); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	var f acquirer.Fields
	for name := range q.PostForm {
		f = append(f, acquirer.Field{Name: name, Value: q.PostForm.Get(name)})
	}
	r.mu.Lock()
	r.told = append(r.told, f)
	answer := r.answer(f)
	r.mu.Unlock()
	_, _ = io.WriteString(rw, answer)
}

func (r *rig) callbacks() []acquirer.Fields {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]acquirer.Fields(nil), r.told...)
}

// signed says whether a callback carries the right hash.
func (r *rig) signed(f acquirer.Fields) bool {
	return f.Get("HASH") == acquirer.Hash(f, acquirer.Callback, r.config.Acquirer.StoreKey)
}

func (r *rig) get(path string, into any) {
	r.t.Helper()
	res, err := http.Get(r.url + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil || res.StatusCode != http.StatusOK {
		r.t.Fatalf("GET %s: %d, %v", path, res.StatusCode, err)
	}
}

func (r *rig) post(path, body string) (int, string) {
	r.t.Helper()
	res, err := http.Post(r.url+path, "application/json", strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func (r *rig) arm(a world.Armed) {
	r.t.Helper()
	b, _ := json.Marshal(a)
	if status, text := r.post("/faults", string(b)); status != http.StatusOK {
		r.t.Fatalf("arm %v: %d %s", a, status, text)
	}
}

func (r *rig) advance(d string) {
	r.t.Helper()
	if status, text := r.post("/clock", `{"advance":"`+d+`"}`); status != http.StatusOK {
		r.t.Fatalf("advance: %d %s", status, text)
	}
}

// truth is what was executed under a reference, as "bank payout 12.00".
func (r *rig) truth(ref string) []string {
	r.t.Helper()
	var out struct{ Executed []world.Executed }
	r.get("/truth?ref="+url.QueryEscape(ref), &out)
	var rows []string
	for _, e := range out.Executed {
		rows = append(rows, fmt.Sprintf("%s %s %s", e.Partner, e.Kind, e.Amount.Amount()))
	}
	return rows
}

// want waits until the truth under a reference is this.
func (r *rig) want(ref string, rows ...string) {
	r.t.Helper()
	r.wait(func() (bool, string) {
		got := r.truth(ref)
		return strings.Join(got, "|") == strings.Join(rows, "|"), fmt.Sprintf("truth of %s is %q, want %q", ref, got, rows)
	})
}

// wait asks until the answer is yes, for a minute.
func (r *rig) wait(ask func() (bool, string)) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(15 * time.Millisecond) {
		ok, text := ask()
		if ok {
			return
		}
		if time.Now().After(end) {
			r.t.Fatal(text)
		}
	}
}
