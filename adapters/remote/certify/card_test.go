package certify_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"tiwiza/adapters/card"
	"tiwiza/adapters/remote"
	"tiwiza/adapters/remote/certify"
	"tiwiza/adapters/remote/moneyconform"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/money"
)

func TestCardIsCertified(t *testing.T) {
	t.Parallel()
	whole(t, stood(t, "card.v1", moneyconform.NewCard("")), 4)
}

// TestCardIsCertifiedWithClientCredentials signs in by OAuth 2.0, and signs the forms with
// the client's secret.
func TestCardIsCertifiedWithClientCredentials(t *testing.T) {
	t.Parallel()
	s := moneyconform.NewCard("")
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			s.ServeHTTP(w, r)
			return
		}
		if id, secret, _ := r.BasicAuth(); id != "hub" || secret != moneyconform.Token {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"`+moneyconform.Token+`","token_type":"Bearer","expires_in":3600}`)
	}))
	t.Cleanup(at.Close)
	o := options(at.URL, "127.0.0.1:0")
	o.Listening = func(addr string) { s.Tell("http://" + addr) }
	o.Credentials = remote.Credentials{TokenURL: at.URL + "/token", ClientID: "hub", ClientSecret: moneyconform.Token}
	r, err := certify.Run(t.Context(), casesOf(t, "card.v1"), o)
	must(t, err)
	for _, f := range r.Failed() {
		t.Errorf("%s", f.Line())
	}
	if r.Level != certificate.Security {
		t.Errorf("it reaches %q", r.Level)
	}
	untold, err := certify.Run(t.Context(), casesOf(t, "card.v1"), func() certify.Options { o.Listen = ""; return o }())
	must(t, err)
	names(t, untold, "C2-06", "give --events")
}

// TestCardEventsAreWhatTheDocumentSays holds what an acquirer tells to the document.
func TestCardEventsAreWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	doc, s := protocol(t, "card.v1"), moneyconform.NewCard("")
	for name, body := range map[string][]byte{
		"payment.updated":    s.Event("CHG1", card.Settled),
		"chargeback.updated": s.Case(card.Case{ID: "CB1", Ref: "CHG1", State: card.CaseOpened, Amount: money.Dirhams(1000), Fee: money.Dirhams(1500), Reason: "10.4"}),
	} {
		hook, ok := doc.Webhooks[name]
		if !ok {
			t.Fatalf("the document knows no %s: %v", name, doc.Webhooks)
		}
		fits(t, name, hook.Post.RequestBody.Value.Content, "application/json", body)
	}
}

// TestPlantedDefectsOfAnAcquirerAreNamed has an acquirer do one thing wrong at a time.
func TestPlantedDefectsOfAnAcquirerAreNamed(t *testing.T) {
	t.Parallel()
	for flaw, d := range map[moneyconform.Flaw]struct{ fails, says string }{
		moneyconform.NoOwner:        {"C1-01", "/owner"},
		moneyconform.PlainErrors:    {"C1-02", "payment_not_found"},
		moneyconform.AnotherAmount:  {"C1-03", "is of 10.01 MAD, want 10.00 MAD"},
		moneyconform.SendsElsewhere: {"C1-03", "pages.exemple.ma"},
		moneyconform.AnyText:        {"C1-04", "200"},
		moneyconform.NothingBad:     {"C2-02", `is "authorized"`},
		moneyconform.NoReason:       {"C2-02", `the reason ""`},
		moneyconform.CapturesMore:   {"C2-03", "201"},
		moneyconform.CapturesAll:    {"C2-03", "30.00 MAD is captured, want 18.00 MAD"},
		moneyconform.CapturesAgain:  {"C2-03", "201"},
		moneyconform.KeepsCaptured:  {"C2-04", "is captured, want 0.00 MAD"},
		moneyconform.VoidsSettled:   {"C2-04", "201"},
		moneyconform.EverPending:    {"C2-04", `is "captured"`},
		moneyconform.RefundsEarly:   {"C2-05", "201"},
		moneyconform.BackForEver:    {"C2-05", "201"},
		moneyconform.NeverRefunded:  {"C2-05", "want one of [refunded]"},
		moneyconform.QuietCases:     {"C2-06", "no event came"},
		moneyconform.FreeCases:      {"C2-06", "with the fee 0.00 MAD"},
		moneyconform.Forgives:       {"C3-07", "201"},
		moneyconform.PaysLate:       {"C5-03", "want [404 410]"},
		moneyconform.WritesAnew:     {"C1-02", "403"},
		moneyconform.Again:          {"C3-01", "not_capturable"},
		moneyconform.OtherContent:   {"C3-02", "422"},
		moneyconform.LostWhole:      {"C3-03", "is captured, want 70.03 MAD"},
		moneyconform.Racing:         {"C3-04", "is given back, want 5.00 MAD"},
		moneyconform.HalfTaken:      {"C3-05", "90.00 MAD is captured, want 0.00 MAD"},
		moneyconform.RowForgotten:   {"C4-01", "does not show"},
		moneyconform.RowTwice:       {"C4-01", "2 times"},
		moneyconform.FeesForgotten:  {"C4-01", "the net"},
		moneyconform.SettlesEarly:   {"C4-02", `is "settled"`},
		moneyconform.LetsAnybodyIn:  {"C5-01", "401"},
		moneyconform.AnyForm:        {"C5-02", "want [403]"},
		moneyconform.AnySecret:      {"C5-02", "want [403]"},
		moneyconform.AnyTime:        {"C5-03", "want [410]"},
		moneyconform.AnyPrice:       {"C5-04", "want [409]"},
		moneyconform.TellsSecrets:   {"C5-05", "secret"},
		moneyconform.TellsSignature: {"C5-05", "secret"},
		moneyconform.Timeless:       {"C5-06", "not signed"},
	} {
		t.Run(string(flaw), func(t *testing.T) {
			t.Parallel()
			names(t, stood(t, "card.v1", moneyconform.NewCard(flaw)), d.fails, d.says)
		})
	}
}

// TestCardPageAsksForNoCertificate has an acquirer ask browsers for the certificate that
// only the hub has: none of its buyers could pay.
func TestCardPageAsksForNoCertificate(t *testing.T) {
	t.Parallel()
	own, key := pair(t)
	s := moneyconform.NewCard("")
	at := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/pay") && len(r.TLS.PeerCertificates) == 0 {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		s.ServeHTTP(w, r)
	}))
	at.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	at.StartTLS()
	t.Cleanup(at.Close)
	o := options(at.URL, "")
	o.Roots = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: at.Certificate().Raw}))
	o.Credentials.Certificate, o.Credentials.Key, o.Level = own, key, certificate.Contract
	r, err := certify.Run(t.Context(), casesOf(t, "card.v1"), o)
	must(t, err)
	names(t, r, "C1-03", "403")
}

// pair is a client's certificate and its key.
func pair(t *testing.T) (own, key string) {
	t.Helper()
	_, k, err := ed25519.GenerateKey(nil)
	must(t, err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	must(t, err)
	pk, err := x509.MarshalPKCS8PrivateKey(k)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pk}))
}

// TestCertifyCallsNoOftenerThanTheManifestAllows has an acquirer answer 429 to more.
func TestCertifyCallsNoOftenerThanTheManifestAllows(t *testing.T) {
	t.Parallel()
	const perSecond, burst = 80, 20
	s, allowed := moneyconform.NewCard(""), rate.NewLimiter(perSecond, burst)
	at := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/.well-known/"):
			shown := httptest.NewRecorder()
			s.ServeHTTP(shown, r)
			_, _ = io.WriteString(w, strings.NewReplacer(`"per_second":500`, `"per_second":80`, `"burst":500`, `"burst":20`).Replace(shown.Body.String()))
		case allowed.Allow():
			s.ServeHTTP(w, r)
		default:
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			_, _ = io.WriteString(w, `{"status":429,"code":"rate_limited"}`)
		}
	}))
	t.Cleanup(at.Close)
	o := options(at.URL, "127.0.0.1:0")
	o.Listening = func(addr string) { s.Tell("http://" + addr) }
	r, err := certify.Run(t.Context(), casesOf(t, "card.v1"), o)
	must(t, err)
	for _, f := range r.Failed() {
		t.Errorf("%s", f.Line())
	}
}
