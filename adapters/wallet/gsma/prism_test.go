package gsma_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/wallet"
	"tiwiza/adapters/wallet/gsma"
	"tiwiza/pkg/money"
)

// TestTheOfficialDocumentTakesOurRequests sends the driver's requests to Prism,
// which serves the GSMA's own document. HUB_GSMA_SPEC is where the document is,
// HUB_PRISM the program, prism when it is not set. What Prism invents as answers
// is not ours: only whether it takes the requests counts.
func TestTheOfficialDocumentTakesOurRequests(t *testing.T) {
	t.Parallel()
	spec, program := os.Getenv("HUB_GSMA_SPEC"), os.Getenv("HUB_PRISM")
	if program == "" {
		program = "prism"
	}
	if spec == "" {
		t.Skip("HUB_GSMA_SPEC does not say where the official document is")
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skip("there is no Prism: npm install @stoplight/prism-cli@5, and HUB_PRISM says where it is")
	}
	statuses := &watched{by: map[string][]int{}}
	d, err := gsma.New(gsma.Config{BaseURL: statuses.before(t, prism(t, program, spec)), Merchant: "600009", ClientID: "tiwiza", APIKey: "key"})
	if err != nil {
		t.Fatal(err)
	}
	p := payment()
	p.CallbackURL, p.Text = "https://hub.example/callbacks/wallet/wallet/CHG1/x", "Coopérative d’essai"
	f := wallet.Refund{Ref: "RFD1", Of: "MP1", Phone: p.Phone, Amount: money.Dirhams(1050), Text: "Remboursement", CallbackURL: p.CallbackURL}
	d.Ask(t.Context(), p)
	d.Reverse(t.Context(), f)
	d.Pay(t.Context(), f)
	d.Query(t.Context(), p.Ref, "")
	d.Query(t.Context(), p.Ref, "requeststates/5b0b0f3a-0f3a-4f3a-8f3a-000000000001")
	for _, want := range []string{
		"POST /transactions/type/merchantpay", "POST /transactions/MP1/reversals", "POST /transactions/type/disbursement",
		"GET /responses/" + d.Correlation(p.Ref), "GET /requeststates/5b0b0f3a-0f3a-4f3a-8f3a-000000000001",
	} {
		if got := statuses.of(want); len(got) == 0 || got[0] >= 300 {
			t.Errorf("%s is answered %v", want, got)
		}
	}
	res, err := http.Get(statuses.url + "/responses/none")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("a correlation id that is no UUID is answered %d: Prism checks nothing", res.StatusCode)
	}
}

// watched notes how Prism answers.
type watched struct {
	mu  sync.Mutex
	by  map[string][]int
	url string
}

func (w *watched) of(call string) []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.by[call]
}

// before stands before an address, and gives its own.
func (w *watched) before(t *testing.T, addr string) string {
	to, err := url.Parse(addr)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(r *http.Response) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		call := r.Request.Method + " " + r.Request.URL.Path
		w.by[call] = append(w.by[call], r.StatusCode)
		if r.StatusCode >= 400 {
			b, err := io.ReadAll(r.Body)
			t.Logf("%s: %d %s", call, r.StatusCode, b)
			r.Body = io.NopCloser(bytes.NewReader(b))
			return err
		}
		return nil
	}
	s := httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	w.url = s.URL
	return s.URL
}

// prism serves a document until the test ends, and says where.
func prism(t *testing.T, program, spec string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "mock", "-h", "127.0.0.1", "-p", port, spec)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was told to end
		if t.Failed() {
			t.Log(said.String()[max(0, said.Len()-2000):])
		}
	})
	addr := "http://127.0.0.1:" + port
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		res, err := http.Get(addr + "/heartbeat")
		if err == nil {
			res.Body.Close()
			return addr
		}
		if time.Now().After(end) || !strings.Contains(fmt.Sprint(err), "refused") {
			t.Fatalf("Prism does not serve %s: %v", spec, err)
		}
	}
}
