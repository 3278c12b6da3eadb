package hubspot_test

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
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/crm/hubspot"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
)

// TestTheOfficialDocumentsTakeOurRequests sends the driver's requests to Prism,
// which serves HubSpot's own documents: HUB_SPECS is the folder in whose
// openapi/hubspot they are, HUB_PRISM the program, prism when it is not set. What
// Prism invents as answers is not ours: only whether it takes the requests counts.
func TestTheOfficialDocumentsTakeOurRequests(t *testing.T) {
	t.Parallel()
	specs, program := os.Getenv("HUB_SPECS"), os.Getenv("HUB_PRISM")
	if program == "" {
		program = "prism"
	}
	if specs == "" {
		t.Skip("HUB_SPECS does not say where the official documents are")
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Skip("there is no Prism: npm install @stoplight/prism-cli@5, and HUB_PRISM says where it is")
	}
	w := &watched{by: map[string][]int{}, to: map[string]*url.URL{}}
	for name, at := range map[string]string{"contacts": "/crm/v3/objects/contacts", "deals": "/crm/v3/objects/deals", "subscriptions": "/communication-preferences"} {
		u, err := url.Parse(prism(t, program, filepath.Join(specs, "openapi/hubspot", name+".prism.json")))
		if err != nil {
			t.Fatal(err)
		}
		w.to[at] = u
	}
	server := httptest.NewServer(w.proxy(t))
	t.Cleanup(server.Close)
	d, err := hubspot.New(hubspot.Config{BaseURL: server.URL, Token: "token", Subscription: mails, Every: 10000})
	if err != nil {
		t.Fatal(err)
	}
	who, known := whoever(), whoever()
	known.RemoteID = "501"
	o := crm.Deal{ID: id.New(id.Order), ContactID: "501", Name: "Commande A1", Amount: money.Dirhams(12350), Stage: crm.Paid, At: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}
	old := o
	old.ID, old.RemoteID = id.New(id.Order), "77"
	d.PutContacts(t.Context(), []crm.Contact{who, known})
	d.PutDeals(t.Context(), []crm.Deal{o, old})
	d.PutPoints(t.Context(), []crm.Points{{ID: known.ID, ContactID: "501", Points: 12, Version: 3}})
	d.Wish(t.Context(), crm.Wish{Email: who.Email, Granted: true, Why: "Accord"})
	d.Wish(t.Context(), crm.Wish{Email: who.Email, Why: "Retrait"})
	d.Refusing(t.Context(), []string{who.Email})
	d.Erase(t.Context(), crm.Erasure{ID: known.ID, RemoteID: "501"})
	d.Probe(t.Context())
	for _, want := range []string{
		"/crm/v3/objects/contacts/batch/read", "/crm/v3/objects/contacts/batch/create", "/crm/v3/objects/contacts/batch/update", "/crm/v3/objects/contacts/gdpr-delete",
		"/crm/v3/objects/deals/batch/read", "/crm/v3/objects/deals/batch/create", "/crm/v3/objects/deals/batch/update",
		"/communication-preferences/v3/subscribe", "/communication-preferences/v3/unsubscribe", "/communication-preferences/v3/status/email/bulk", "/communication-preferences/v3/definitions",
	} {
		got := w.of(want)
		if len(got) == 0 {
			t.Errorf("%s was not asked", want)
		}
		for _, status := range got {
			if status >= 300 {
				t.Errorf("%s is answered %d", want, status)
			}
		}
	}
	res, err := http.Post(server.URL+"/crm/v3/objects/contacts/batch/create", "application/json", strings.NewReader(`{"inputs":[{"properties":{"hub_points":1}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode < 400 {
		t.Errorf("a property that is a number is answered %d: Prism checks nothing", res.StatusCode)
	}
}

// watched stands before Prism and notes how it answers.
type watched struct {
	mu sync.Mutex
	by map[string][]int
	to map[string]*url.URL
}

func (w *watched) of(path string) []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.by[path]
}

func (w *watched) proxy(t *testing.T) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			for at, u := range w.to {
				if strings.HasPrefix(r.In.URL.Path, at) {
					r.SetURL(u)
				}
			}
			// The documents name the private app's token twice; this is the other way.
			r.Out.Header.Set("Private-App", "token")
			r.Out.Header.Set("Private-App-Legacy", "token")
		},
		ModifyResponse: func(r *http.Response) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.by[r.Request.URL.Path] = append(w.by[r.Request.URL.Path], r.StatusCode)
			if r.StatusCode < 400 {
				if strings.Contains(r.Request.URL.Path, "/batch/") { // not what Prism makes up
					const none = `{"status":"COMPLETE","results":[]}`
					r.Body, r.ContentLength = io.NopCloser(strings.NewReader(none)), int64(len(none))
					r.Header.Set("Content-Length", strconv.Itoa(len(none)))
				}
				return nil
			}
			b, err := io.ReadAll(r.Body)
			t.Logf("%s: %d %s", r.Request.URL.Path, r.StatusCode, b)
			r.Body = io.NopCloser(bytes.NewReader(b))
			return err
		},
	}
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
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "mock", "-h", "127.0.0.1", "-p", port, spec)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait() // it was told to end
		if t.Failed() {
			t.Log(out.String()[max(0, out.Len()-2000):])
		}
	})
	addr := "http://127.0.0.1:" + port
	for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
		res, err := http.Get(addr + "/")
		if err == nil {
			res.Body.Close()
			return addr
		}
		if time.Now().After(end) || !strings.Contains(fmt.Sprint(err), "refused") {
			t.Fatalf("Prism does not serve %s: %v", spec, err)
		}
	}
}
