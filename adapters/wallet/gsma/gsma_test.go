package gsma_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/adapters/wallet"
	"tiwiza/adapters/wallet/gsma"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// The error codes of the official document (version 1.1.2), all of them.
var document = strings.Fields(`genericError dailyVolumeLimitExceeded dailyValueLimitExceeded weeklyVolumeLimitExceeded weeklyValueLimitExceeded
	monthlyVolumeLimitExceeded monthlyValueLimitExceeded accountMaxTotalVolumeExceeded accountMaxTotalValueExceeded lessThanTransactionMinValue
	greaterThanTransactionMaxValue maxBalanceExceeded samePartiesError duplicateRequest insufficientFunds incorrectState underPaymentNotAllowed
	overPaymentNotAllowed rateLimitError transactionTypeError noMandateAuthority linkViolation countryofOriginNotPermitted nationalityNotPermitted
	idDocumentNotSupported issuingCountryNotSupported quoteHasExpired identifierError lengthError formatError negativeValue currencyNotSupported
	mandatoryValueNotSupplied invalidOffset clientAuthorisationError requestDeclined servicingPartyAuthorisationError requestingPartyAuthorisationError`)

func payment() wallet.Payment {
	return wallet.Payment{Ref: "CHG1", Phone: "+212600000000", Amount: money.Dirhams(13050)}
}

// answering gives a driver whose provider answers always the same.
func answering(t *testing.T, status int, body string) *gsma.Driver {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return at(t, s.Listener.Addr().String(), apiKey)
}

// Every code there can be is answered once, in every category and with every
// status: only those listed here are final, and no code decides anything when
// the provider itself is not well.
func TestEveryCodeIsClassedAsReviewed(t *testing.T) {
	t.Parallel()
	open := map[string]bool{}
	for _, c := range strings.Fields(`genericError duplicateRequest rateLimitError clientAuthorisationError servicingPartyAuthorisationError
		idDocumentNotSupported issuingCountryNotSupported quoteHasExpired invalidOffset madeUp`) {
		open[c] = true
	}
	open[""] = true
	answer, status := "", 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); fmt.Fprint(w, answer) }))
	defer s.Close()
	d := at(t, s.Listener.Addr().String(), apiKey)
	for _, code := range append(document, "madeUp", "") {
		for _, category := range []string{"businessRule", "validation", "authorisation", "identification", "internal", "serviceUnavailable", ""} {
			for _, status = range []int{400, 401, 404, 409, 429, 500, 503, 302} {
				answer = fmt.Sprintf(`{"errorCategory":%q,"errorCode":%q}`, category, code)
				want := outbound.Unknown
				if well := category != "internal" && category != "serviceUnavailable" && category != ""; well && !open[code] && status < 410 && status >= 400 {
					want = outbound.Declined
				}
				if r := d.Ask(t.Context(), payment()); r.Outcome != want {
					t.Errorf("%d with %s %s is %s, want %s", status, category, code, r.Outcome, want)
				}
			}
		}
		state := fmt.Sprintf(`{"serverCorrelationId":"5b0b0f3a-0f3a-4f3a-8f3a-000000000001","status":"failed","error":{"errorCategory":"businessRule","errorCode":%q}}`, code)
		answer, status = state, 202
		want, why := outbound.Declined, outbound.Reason("")
		if open[code] {
			want, why = outbound.Unknown, outbound.Unlisted
		}
		if r := d.Ask(t.Context(), payment()); r.Outcome != want || r.Reason != why {
			t.Errorf("a request that failed with %q is %s %s, want %s %s", code, r.Outcome, r.Reason, want, why)
		}
	}
}

func TestAnswersAreClassed(t *testing.T) {
	t.Parallel()
	const ours = `{"amount":"130.5","currency":"MAD","transactionReference":"R1","requestingOrganisationTransactionReference":"CHG1","transactionStatus":`
	const state = `{"serverCorrelationId":"5b0b0f3a-0f3a-4f3a-8f3a-000000000001","status":`
	for _, c := range []struct {
		status       int
		answer, want string
	}{
		{201, ours + `"completed"}`, "succeeded"},
		{201, ours + `"pending"}`, "accepted"},
		{201, ours + `"reversed"}`, "unknown"},
		{201, ours + `"completed","transactionStatus":"completed"}`, "unknown"},
		{201, ours + `"completed","TransactionStatus":"pending"}`, "unknown"},
		{201, ours + `"completed"} {}`, "unknown"},
		{201, strings.Replace(ours, "130.5", "130.50", 1) + `"completed"}`, "succeeded"},
		{201, strings.Replace(ours, "130.5", "130.51", 1) + `"completed"}`, "unknown differs"},
		{201, strings.Replace(ours, "130.5", "130.501", 1) + `"completed"}`, "unknown"},
		{201, strings.Replace(ours, "130.5", "1.305e2", 1) + `"completed"}`, "unknown"},
		{201, strings.Replace(ours, "MAD", "EUR", 1) + `"completed"}`, "unknown differs"},
		{201, strings.Replace(ours, "CHG1", "CHG2", 1) + `"completed"}`, "unknown"},
		{201, strings.Replace(ours, "R1", "../x", 1) + `"completed"}`, "unknown"},
		{202, state + `"pending"}`, "accepted"},
		{202, state + `"completed","objectReference":"R1"}`, "accepted"},
		{202, state + `"cancelled"}`, "unknown"},
		{202, strings.Replace(state, "5b0b", "zz0b", 1) + `"pending"}`, "unknown"},
		{200, ours + `"completed"}`, "unknown"},
		{204, "", "unknown"},
	} {
		r := answering(t, c.status, c.answer).Ask(t.Context(), payment())
		if got := strings.TrimSpace(string(r.Outcome) + " " + string(r.Reason)); got != c.want {
			t.Errorf("%d %s is %s, want %s", c.status, c.answer, got, c.want)
		}
	}
}

// The link to what became of a request is the provider's to write: wherever it
// leads, only the provider is asked, with the credentials it gave.
func TestALinkLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	for link, want := range map[string]string{
		other.URL + "/transactions/R1": "/mm/transactions/R1", "/transactions/R1": "/mm/transactions/R1", "transactions/R1": "/mm/transactions/R1",
		"/mm/v1/transactions/R1": "/mm/transactions/R1", "/transactions/..": "", "/accounts/R1": "", "": "", "/transactions/%2e%2e%2fx": "",
		"/requeststates/R1": "", "/requeststates/5b0b0f3a-0f3a-4f3a-8f3a-000000000001": "/mm/requeststates/5b0b0f3a-0f3a-4f3a-8f3a-000000000001",
	} {
		asked := ""
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/mm/responses/") {
				b, _ := json.Marshal(map[string]string{"link": link})
				_, _ = w.Write(b)
				return
			}
			asked = r.URL.Path
		}))
		if q := at(t, s.Listener.Addr().String(), apiKey).Query(t.Context(), "CHG1", ""); asked != want || q.Outcome != outbound.Unknown {
			t.Errorf("the link %q leads to %q (%s), want %q", link, asked, q.Outcome, want)
		}
		s.Close()
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("somebody else was asked %d times", n)
	}
}

func TestARequestIsAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer s.Close()
	d := at(t, s.Listener.Addr().String(), apiKey)
	amount := regexp.MustCompile(`^([0]|([1-9][0-9]{0,17}))([.][0-9]{0,3}[1-9])?$`) // the document's
	uuid := regexp.MustCompile(`^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`)
	seen := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		p := wallet.Payment{
			Ref: rapid.StringMatching(`[A-Z0-9]{1,30}`).Draw(t, "ref"), Phone: "+212600000000",
			Amount: money.Dirhams(rapid.Int64Range(1, 1e9).Draw(t, "centimes")), Text: rapid.String().Draw(t, "text"),
		}
		d.Ask(t.Context(), p)
		var q struct {
			Amount, Currency, DescriptionText string
			Reference                         string `json:"requestingOrganisationTransactionReference"`
		}
		if err := json.Unmarshal(body, &q); err != nil || !amount.MatchString(q.Amount) || q.Currency != "MAD" || q.Reference != p.Ref || len(q.DescriptionText) > 160*3 {
			t.Fatalf("sent %s (%v)", body, err)
		}
		if m, err := money.Parse(q.Amount, money.MAD); err != nil || !m.Equal(p.Amount) {
			t.Fatalf("%s went out as %s (%v)", p.Amount, q.Amount, err)
		}
		corr := got.Header.Get("X-CorrelationID")
		if before, ok := seen[corr]; !uuid.MatchString(corr) || ok && before != p.Ref || corr != d.Correlation(p.Ref) {
			t.Fatalf("%s has the correlation %s, which %s had", p.Ref, corr, before)
		}
		seen[corr] = p.Ref
	})
}

// A token is asked for once, used while it lives, and asked for anew when the
// provider refuses it; without one nothing is sent.
func TestAccessTokensAreKept(t *testing.T) {
	t.Parallel()
	var asked, called atomic.Int64
	good := atomic.Pointer[string]{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			n := asked.Add(1)
			if id, secret, _ := r.BasicAuth(); id != "hub" || secret != "s%26cret" || r.PostFormValue("grant_type") != "client_credentials" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			token := fmt.Sprint("t", n)
			good.Store(&token)
			fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":3600}`, token)
			return
		}
		called.Add(1)
		if g := good.Load(); g == nil || r.Header.Get("Authorization") != "Bearer "+*g {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"serverCorrelationId":"5b0b0f3a-0f3a-4f3a-8f3a-000000000001","status":"pending"}`)
	}))
	defer s.Close()
	driver := func(secret string) *gsma.Driver {
		d, err := gsma.New(gsma.Config{BaseURL: s.URL, Merchant: "600009", TokenURL: s.URL + "/token", TokenID: "hub", TokenSecret: secret})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := driver("s&cret")
	for range 3 {
		if r := d.Ask(t.Context(), payment()); r.Outcome != outbound.Accepted {
			t.Errorf("Ask = %+v", r)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("three calls asked for %d tokens, want 1", asked.Load())
	}
	revoked := "revoked"
	good.Store(&revoked)
	if r := d.Ask(t.Context(), payment()); r.Outcome != outbound.Unknown || r.Reason != outbound.Credentials {
		t.Errorf("with a token that was taken back: %+v", r)
	}
	if r := d.Ask(t.Context(), payment()); r.Outcome != outbound.Accepted || asked.Load() != 2 {
		t.Errorf("after that: %+v, %d tokens", r, asked.Load())
	}
	before := called.Load()
	if r := driver("wrong").Ask(t.Context(), payment()); r.Outcome != outbound.NotSent || r.Reason != outbound.Credentials || called.Load() != before {
		t.Errorf("without a token: %+v", r)
	}
}

func TestSecretsStayOutOfEvidence(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("X-API-Key")) }))
	defer s.Close()
	if e := string(at(t, s.Listener.Addr().String(), apiKey).Ask(t.Context(), payment()).Evidence); e != "[redacted]" {
		t.Errorf("evidence = %s", e)
	}
}

func TestAConfigurationThatLacksSomethingIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]gsma.Config{
		"nothing":     {},
		"no key":      {BaseURL: "https://mm.example", Merchant: "1"},
		"no merchant": {BaseURL: "https://mm.example", APIKey: "k"},
		"no address":  {Merchant: "1", APIKey: "k"},
		"no web":      {BaseURL: "ftp://mm.example", Merchant: "1", APIKey: "k"},
		"no secret":   {BaseURL: "https://mm.example", Merchant: "1", TokenURL: "https://mm.example/token", TokenID: "i"},
	} {
		if _, err := gsma.New(c); err == nil {
			t.Errorf("%s: a driver was made", name)
		}
	}
}

// FuzzNotice holds the parser against an oracle that reads the same another way:
// what is accepted has each name once, says one thing, and says it as a plain
// reading does.
func FuzzNotice(f *testing.F) {
	for _, s := range []string{
		`{"amount":"130.5","currency":"MAD","transactionReference":"R1","transactionStatus":"completed","requestingOrganisationTransactionReference":"CHG1"}`,
		`{"errorCategory":"authorisation","errorCode":"requestDeclined","errordescription":"no"}`,
		`{"serverCorrelationId":"5b0b0f3a-0f3a-4f3a-8f3a-000000000001","status":"failed","error":{"errorCode":"insufficientFunds","errorCategory":"businessRule"}}`,
		`{"transactionStatus":"completed","TransactionStatus":"failed"}`, `{"metadata":[{"key":"a","value":"b"}],"status":"completed"}`, `{}`, `null`, `[`,
		`{"status":"completed"}x`, `{"a":{"a":1},"a":2}`, "{\"status\":\"\xff\"}", strings.Repeat(`{"a":`, 40),
	} {
		f.Add([]byte(s))
	}
	d, err := gsma.New(gsma.Config{BaseURL: "https://mm.example", Merchant: "1", APIKey: "k"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := d.Notice(wallet.Callback{Body: body})
		if err != nil {
			if !errors.Is(err, wallet.ErrUnreadable) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		var plain map[string]any
		if err := json.Unmarshal(body, &plain); err != nil {
			t.Fatalf("accepted, and is no object: %q (%v)", body, err)
		}
		folded := map[string]any{}
		for name, v := range plain {
			low := strings.ToLower(name)
			if _, twice := folded[low]; twice {
				t.Fatalf("accepted with %q twice: %q", name, body)
			}
			folded[low] = v
		}
		text := func(m map[string]any, name string) string { s, _ := m[strings.ToLower(name)].(string); return s }
		failure, _ := folded["error"].(map[string]any)
		want := wallet.Pending
		switch {
		case text(folded, "errorCode") != "", text(folded, "status") == "failed", len(failure) > 0 && n.Code != "":
			want = wallet.Failed
		case text(folded, "transactionStatus") == "completed", text(folded, "status") == "completed":
			want = wallet.Completed
		}
		if n.State != want || n.Ref != text(folded, "requestingOrganisationTransactionReference") {
			t.Fatalf("%q is read as %+v, want %s", body, n, want)
		}
		sum := sha256.Sum256(body)
		hash := hex.EncodeToString(sum[:])
		if again, err := d.Notice(wallet.Callback{Body: body, Hash: strings.ToUpper(hash)}); err != nil || again.EventID != n.EventID {
			t.Fatalf("with its own sum: %v", err)
		}
		if _, err := d.Notice(wallet.Callback{Body: append(body, ' '), Hash: hash}); err == nil {
			t.Fatal("with another body's sum it was read")
		}
	})
}
