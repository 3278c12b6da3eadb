package certify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"tiwiza/adapters/remote/certify"
	"tiwiza/adapters/remote/moneyconform"
)

func protocol(t testing.TB, name string) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../../../docs/partner/" + name + ".yaml")
	must(t, err)
	must(t, doc.Validate(t.Context()))
	return doc
}

// operation is what a document says of a request's path.
func operation(doc *openapi3.T, method, path string) *openapi3.Operation {
	for pattern, item := range doc.Paths.Map() {
		have, want := strings.Split(path, "/"), strings.Split(pattern, "/")
		ok := len(have) == len(want)
		for i := 0; ok && i < len(have); i++ {
			ok = have[i] == want[i] || strings.HasPrefix(want[i], "{") && have[i] != ""
		}
		if op := item.GetOperation(method); ok && op != nil && (!strings.Contains(pattern, "{") || doc.Paths.Find(path) == nil) {
			return op
		}
	}
	return nil
}

// fits holds a body to a schema.
func fits(t testing.TB, what string, content openapi3.Content, kind string, body []byte) {
	t.Helper()
	m := content.Get(kind)
	if m == nil || m.Schema == nil {
		return
	}
	var v any
	switch kind {
	case "text/html":
		v = string(body)
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(body))
		must(t, err)
		fields := map[string]any{}
		for name := range form {
			fields[name] = form.Get(name)
		}
		v = fields
	default:
		if err := json.Unmarshal(body, &v); err != nil {
			t.Errorf("%s is no JSON: %s", what, body)
			return
		}
	}
	if err := m.Schema.Value.VisitJSON(v); err != nil {
		t.Errorf("%s is not what the document says: %v\n%s", what, err, body)
	}
}

// TestInsuranceDocumentIsWhatIsSpoken listens to the sample insurer.
func TestInsuranceDocumentIsWhatIsSpoken(t *testing.T) {
	t.Parallel()
	url, _ := startInsurer(t, as)
	spoken(t, insuranceCases(t), url, "manifest", "listProducts", "quote", "bind", "findPolicy", "cancel", "confirmPremium", "observe", "notifyClaim", "findClaim", "statement", "sandboxDayEnd")
}

// TestWalletDocumentIsWhatIsSpoken listens to a wallet in memory.
func TestWalletDocumentIsWhatIsSpoken(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(moneyconform.NewWallet("", true))
	t.Cleanup(s.Close)
	spoken(t, casesOf(t, "wallet.v1"), s.URL, "manifest", "pay", "reverse", "payOut", "showRequest", "statement", "sandboxDayEnd")
}

// TestCardDocumentIsWhatIsSpoken listens to an acquirer in memory.
func TestCardDocumentIsWhatIsSpoken(t *testing.T) {
	t.Parallel()
	c := moneyconform.NewCard("")
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	overheard(t, casesOf(t, "card.v1"), s.URL, c.Tell, "manifest", "pay", "showPayment", "capture", "void", "refund", "statement", "sandboxBuyer", "sandboxDayEnd")
}

// spoken listens to a certification between the hub and a connector at base: each
// request that was taken and each answer is what the protocol's document says it
// is, and each of its operations is asked for.
func spoken(t *testing.T, cases certify.Cases, base string, operations ...string) {
	t.Helper()
	overheard(t, cases, base, nil, operations...)
}

// overheard is spoken, of a connector that tells its events where tell says.
func overheard(t *testing.T, cases certify.Cases, base string, tell func(address string), operations ...string) {
	t.Helper()
	doc := protocol(t, cases.Protocol)
	var mu sync.Mutex
	seen := map[string]int{}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	wire := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, base+r.URL.RequestURI(), bytes.NewReader(body))
		must(t, err)
		req.Header = r.Header.Clone()
		req.Header.Del("Accept-Encoding")
		res, err := client.Do(req)
		if err != nil {
			panic(http.ErrAbortHandler) // a lost answer stays lost
		}
		defer res.Body.Close()
		told, err := io.ReadAll(res.Body)
		must(t, err)
		kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
		if op := operation(doc, r.Method, r.URL.Path); op != nil {
			what := r.Method + " " + r.URL.Path + " " + res.Status
			mu.Lock()
			seen[op.OperationID]++
			if res.StatusCode < 300 && op.RequestBody != nil && !bytes.Contains(body, []byte(`"altered"`)) {
				for kind := range op.RequestBody.Value.Content {
					fits(t, "the request "+what, op.RequestBody.Value.Content, kind, body)
				}
				if form, err := url.ParseQuery(string(body)); err == nil && form.Has("payment") {
					fits(t, "the payment of "+what, openapi3.NewContentWithJSONSchemaRef(doc.Components.Schemas["Payment"]), "application/json", []byte(form.Get("payment")))
				}
			}
			answer := op.Responses.Value(strconv.Itoa(res.StatusCode))
			switch {
			case answer == nil && res.StatusCode < 400:
				t.Errorf("the document does not know %s", what)
			case answer != nil:
				fits(t, "the answer "+what, answer.Value.Content, kind, told)
			case kind == "application/problem+json":
				fits(t, "the answer "+what, doc.Components.Responses["Problem"].Value.Content, kind, told)
			}
			mu.Unlock()
		}
		w.Header().Set("Content-Type", kind)
		if wait := res.Header.Get("Retry-After"); wait != "" {
			w.Header().Set("Retry-After", wait)
		}
		w.WriteHeader(res.StatusCode)
		_, _ = w.Write(told)
	}))
	t.Cleanup(wire.Close)
	o := options(wire.URL, "")
	if tell != nil {
		o.Listen, o.Listening = "127.0.0.1:0", func(addr string) { tell("http://" + addr) }
	}
	r, err := certify.Run(t.Context(), cases, o)
	must(t, err)
	for _, f := range r.Failed() {
		t.Errorf("%s", f.Line())
	}
	for _, op := range operations {
		if seen[op] == 0 {
			t.Errorf("certification never asked for %s", op)
		}
	}
}

func TestProtocolDocumentsAreOpenAPI(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bank.v1", "insurance.v1", "wallet.v1", "card.v1", "crm.v1", "notify.v1"} {
		if doc := protocol(t, name); !doc.IsOpenAPI31OrLater() {
			t.Errorf("%s is of version %s, want 3.1", name, doc.OpenAPI)
		}
	}
}
