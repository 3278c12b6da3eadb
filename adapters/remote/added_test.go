package remote_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/berlin"
	"tiwiza/adapters/card"
	"tiwiza/adapters/card/nestpay"
	"tiwiza/adapters/crm"
	"tiwiza/adapters/crm/hubspot"
	"tiwiza/adapters/insurance"
	"tiwiza/adapters/insurance/openinsurance"
	"tiwiza/adapters/notify"
	"tiwiza/adapters/notify/smsgateway"
	"tiwiza/adapters/remote"
	"tiwiza/adapters/wallet"
	"tiwiza/adapters/wallet/gsma"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// mostTime and mostAllocs are what a call through a port may add to the bare one.
const (
	mostTime   = 40 * time.Microsecond
	mostAllocs = 60
)

// answering is a server that answers each path as it is told, and remembers the
// last request.
type answering struct {
	*httptest.Server
	status int
	body   string
	last   *http.Request
	sent   []byte
}

func answers(t testing.TB, status int, body string) *answering {
	s := &answering{status: status, body: body}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.sent, _ = io.ReadAll(r.Body)
		s.last = r
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, s.body)
	}))
	t.Cleanup(s.Close)
	return s
}

// bare sends the last request again, as a client without a port does: it writes
// what it sends, and reads what it gets, with the standard library alone.
func (s *answering) bare(t testing.TB) func() {
	client := outbound.Client(outbound.Settings{}, nil)
	last := s.last
	write, read := written(t, last.Header.Get("Content-Type"), s.sent)
	return func() {
		req, err := http.NewRequestWithContext(context.Background(), last.Method, s.URL+last.URL.RequestURI(), bytes.NewReader(write()))
		if err != nil {
			t.Fatal(err)
		}
		if len(s.sent) == 0 {
			req.Body, req.ContentLength = http.NoBody, 0
		}
		for k, v := range last.Header {
			req.Header[k] = v
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err == nil {
			err = read(b)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// written are how a body is made and an answer read: JSON, or the acquirer's XML
// in a form. Nothing is made when there is no body.
func written(t testing.TB, media string, sent []byte) (write func() []byte, read func([]byte) error) {
	must := func(b []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if strings.HasPrefix(media, "application/x-www-form-urlencoded") {
		type request struct {
			XMLName                                                  xml.Name `xml:"CC5Request"`
			Name, Password, ClientID, Type, OrderID, Total, Currency string
		}
		type response struct{ OrderID, Response, ProcReturnCode string }
		write = func() []byte {
			doc := must(xml.Marshal(request{Name: "hub", Password: "s3cret-of-the-api", ClientID: "600002599", Type: "PostAuth", OrderID: "CHG1", Total: "10.60", Currency: "504"}))
			return []byte(url.Values{"DATA": {string(doc)}}.Encode())
		}
		return write, func(b []byte) error { return xml.Unmarshal(b, &response{}) }
	}
	var v any
	if len(sent) > 0 {
		must(nil, json.Unmarshal(sent, &v))
	}
	write = func() []byte {
		if v == nil {
			return nil
		}
		return must(json.Marshal(v))
	}
	return write, func(b []byte) error {
		var v any
		return json.Unmarshal(b, &v)
	}
}

// oneNote is a driver's memory that knows one order.
type oneNote struct{ value string }

func (n oneNote) Recall(_ context.Context, key string) (bank.Note, error) {
	return bank.Note{Key: key, Value: n.value}, nil
}
func (oneNote) Swap(context.Context, string, bank.Note) (bool, error)  { return true, nil }
func (oneNote) Open(context.Context, string, int) ([]bank.Note, error) { return nil, nil }

// fast is a lane that limits nothing.
var fast = outbound.Settings{Rate: 1e9, Burst: 1e9, Consecutive: 1 << 30, Volume: 1 << 30}

// ports are one call through each portable type, with its server.
func ports(t testing.TB) map[string]func() (*answering, func() outbound.Result) {
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	day := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	paid := bank.Batch{
		ID: "FIL1", Created: day, Execute: day, From: bank.Account{RIB: "001810007800020110620318", Name: "Clients"},
		Transfers: []bank.Transfer{{Ref: "PAY1", Amount: money.Dirhams(100), To: bank.Account{RIB: "011519000001205000534921", Name: "Cooperative"}}},
	}
	ctx := context.Background()
	return map[string]func() (*answering, func() outbound.Result){
		"bank": func() (*answering, func() outbound.Result) {
			s := answers(t, 200, `{"transactionStatus":"ACSP"}`)
			notes := &oneNote{}
			d, err := berlin.New(berlin.Config{
				BaseURL: s.URL, Token: "a-token-of-the-bench", Address: "192.0.2.7", Consent: "c", Notes: notes, Now: func() time.Time { return day },
				Since: day, Accounts: []berlin.Account{{RIB: paid.From.RIB, Resource: "a"}},
			})
			must(err)
			b := bank.New("bank", d, bank.Options{File: fast, Query: fast})
			f, err := b.Render(paid)
			must(err)
			notes.value = fmt.Sprintf(`{"sha256":%q,"left":"2026-11-21T10:00:00Z","payment":"P-1"}`, f.SHA256)
			return s, func() outbound.Result { return b.Find(ctx, f) }
		},
		"card": func() (*answering, func() outbound.Result) {
			s := answers(t, 200, `<CC5Response><OrderId>CHG1</OrderId><Response>Approved</Response><ProcReturnCode>00</ProcReturnCode></CC5Response>`)
			d, err := nestpay.New(nestpay.Config{ClientID: "600002599", StoreKey: "TEST1234", APIUser: "hub", APIPassword: "s3cret-of-the-api", GateURL: "https://a.example/g", APIURL: s.URL + "/fim/api"})
			must(err)
			a := card.New("card", d, card.Options{Pay: fast, Query: fast})
			return s, func() outbound.Result {
				return a.Capture(ctx, card.Order{Ref: "CHG1-C", Of: "CHG1", Amount: money.Dirhams(1060)})
			}
		},
		"wallet": func() (*answering, func() outbound.Result) {
			s := answers(t, 202, `{"serverCorrelationId":"5b0b0f3a-0f3a-4f3a-8f3a-000000000001","status":"pending","notificationMethod":"callback","pollLimit":100}`)
			d, err := gsma.New(gsma.Config{BaseURL: s.URL + "/mm", Merchant: "600009", ClientID: "tiwiza", APIKey: "key-of-the-bench"})
			must(err)
			w := wallet.New("wallet", d, wallet.Options{Pay: fast, Query: fast})
			p := wallet.Payment{Ref: "CHG1", Phone: "+212600000000", Amount: money.Dirhams(1060), Text: "Essai"}
			return s, func() outbound.Result { return w.Ask(ctx, p) }
		},
		"insurance": func() (*answering, func() outbound.Result) {
			s := answers(t, 201, `{"id":"P1","ref":"POL-1","number":"N1","state":"active","start":"2026-12-01T00:00:00Z","end":"2027-06-01T00:00:00Z","refund":{"amount":"0.00","currency":"MAD"}}`)
			d, err := openinsurance.New(openinsurance.Config{BaseURL: s.URL + "/insurance/v1", APIKey: "key-of-the-bench"})
			must(err)
			i := insurance.New("insurer", d, insurance.Options{Pay: fast, Query: fast})
			b := insurance.Binding{
				Ref: "POL-1", Quote: "Q1", Holder: "Exemple", Payment: "PAY-1", Consent: insurance.Consent{TextHash: strings.Repeat("ab", 32), At: day},
			}
			return s, func() outbound.Result { _, r := i.Bind(ctx, b); return r }
		},
		"crm": func() (*answering, func() outbound.Result) {
			s := answers(t, 200, `{"status":"COMPLETE","results":[{"emailAddress":"nom@exemple.ma"}]}`)
			d, err := hubspot.New(hubspot.Config{BaseURL: s.URL, Token: "pat-of-the-bench", Subscription: "7", Every: 1 << 20})
			must(err)
			c := crm.New("crm", d, crm.Options{Lane: fast})
			return s, func() outbound.Result {
				return c.Wish(ctx, crm.Wish{Email: "nom@exemple.ma", Granted: true, Why: "Accord"})
			}
		},
		"notify": func() (*answering, func() outbound.Result) {
			s := answers(t, 202, `{"messages":[{"id":"gw-1","status":"queued"}]}`)
			d, err := smsgateway.New(smsgateway.Config{
				URL: s.URL + "/send", From: "TIWIZA", Headers: map[string]string{"Authorization": "Bearer right"}, ID: "/messages/0/id",
				Body:  map[string]any{"from": "{from}", "messages": []any{map[string]any{"to": "{to}", "text": "{text}", "ref": "{ref}", "ttl": "{seconds}"}}},
				Taken: smsgateway.Rule{At: "/messages/0/status", Values: []string{"queued"}},
			})
			must(err)
			n := notify.New("sms", d, notify.Options{Lane: fast})
			m := notify.Message{Ref: "nat_1", To: "+212612345678", Text: "Bonjour"}
			return s, func() outbound.Result { return n.Send(ctx, m) }
		},
		"remote": func() (*answering, func() outbound.Result) {
			s := answers(t, 201, "")
			n, err := remote.New(remote.Config{URL: s.URL, Guard: webhook.Guard{Loopback: true}, Credentials: []remote.Credentials{{Token: token}}})
			must(err)
			b := bank.New("bank", remote.NewBank(n), bank.Options{File: fast, Query: fast})
			f, err := b.Render(paid)
			must(err)
			s.body = fmt.Sprintf(`{"id":"FIL1","sha256":%q,"state":"received"}`, f.SHA256)
			return s, func() outbound.Result { return b.Publish(ctx, f) }
		},
		"card.v1": func() (*answering, func() outbound.Result) {
			s := answers(t, 201, `{"id":"C1","ref":"CHG1","state":"captured","amount":{"amount":"10.60","currency":"MAD"},"captured":{"amount":"10.60","currency":"MAD"},"refunded":{"amount":"0.00","currency":"MAD"}}`)
			n, err := remote.New(remote.Config{URL: s.URL, Guard: webhook.Guard{Loopback: true}, Credentials: []remote.Credentials{{Token: token}}})
			must(err)
			a := card.New("card", remote.NewCard(n, "card", nil), card.Options{Pay: fast, Query: fast})
			return s, func() outbound.Result {
				return a.Capture(ctx, card.Order{Ref: "CHG1-C", Of: "CHG1", Amount: money.Dirhams(1060)})
			}
		},
	}
}

// TestACallThroughAPortAddsLittle measures what each portable type with a driver
// adds to a bare client's call to the same server: the median of pairs, one
// after the other. The allocations are held to always; the time in the long form
// (HUB_LONG=1), since other tests run beside this one.
func TestACallThroughAPortAddsLittle(t *testing.T) {
	open := ports(t)
	pairs := 300
	if os.Getenv("HUB_LONG") == "1" {
		pairs = 3000
	}
	for _, name := range []string{"bank", "card", "wallet", "insurance", "crm", "notify", "remote", "card.v1"} {
		s, call := open[name]()
		through := func() {
			if r := call(); r.Outcome != outbound.Accepted && r.Outcome != outbound.Succeeded {
				t.Fatalf("%s: %+v", name, r)
			}
		}
		through()
		bare := s.bare(t)
		for range 20 {
			through()
			bare()
		}
		time0, time1, allocs := measured(pairs, bare, through)
		t.Logf("%-9s a bare call takes %s, through the port %s: %s and %d allocations more", name, time0, time1, time1-time0, allocs)
		if allocs > mostAllocs {
			t.Errorf("%s adds %d allocations, want at most %d", name, allocs, mostAllocs)
		}
		if os.Getenv("HUB_LONG") == "1" && time1-time0 > mostTime {
			t.Errorf("%s adds %s, want at most %s", name, time1-time0, mostTime)
		}
	}
}

// measured are the medians of how long each takes, and what the second allocates
// more, the server's own part being the same.
func measured(pairs int, first, second func()) (a, b time.Duration, allocs int) {
	var times [2][]time.Duration
	var made [2]uint64
	var m0, m1 runtime.MemStats
	for range pairs {
		for i, f := range []func(){first, second} {
			began := time.Now()
			f()
			times[i] = append(times[i], time.Since(began))
		}
	}
	for i, f := range []func(){first, second} {
		runtime.GC()
		runtime.ReadMemStats(&m0)
		for range pairs {
			f()
		}
		runtime.ReadMemStats(&m1)
		made[i] = (m1.Mallocs - m0.Mallocs) / uint64(pairs)
		slices.Sort(times[i])
	}
	return times[0][pairs/2], times[1][pairs/2], int(made[1]) - int(made[0])
}

// BenchmarkPorts is the same as go test -bench shows it.
func BenchmarkPorts(b *testing.B) {
	for name, open := range ports(b) {
		s, call := open()
		call()
		bare := s.bare(b)
		b.Run(strings.Join([]string{name, "port"}, "/"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
		b.Run(strings.Join([]string{name, "bare"}, "/"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				bare()
			}
		})
	}
}
