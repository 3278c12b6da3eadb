package remote_test

import (
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/remote"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/outbound/netfault"
	"tiwiza/pkg/webhook"
)

// to makes a driver of a connector that answers by h.
func to(t *testing.T, h http.HandlerFunc, credentials ...remote.Credentials) (bank.Driver, *remote.Connector) {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	if credentials == nil {
		credentials = []remote.Credentials{{Token: token}}
	}
	n, err := remote.New(remote.Config{URL: s.URL, Guard: webhook.Guard{Loopback: true}, Credentials: credentials})
	must(t, err)
	return remote.NewBank(n), n
}

func aBatch(t *testing.T, d bank.Driver) bank.File {
	t.Helper()
	day := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	f, err := d.Render(bank.Batch{
		ID: "FIL1", Created: day, Execute: day, From: bank.Account{RIB: "001810007800020110620318", Name: "Clients"},
		Transfers: []bank.Transfer{{Ref: "PAY1", Amount: money.Dirhams(12345), To: bank.Account{RIB: "011519000001205000534921", Name: "Amal"}}},
	})
	must(t, err)
	return f
}

func TestAnswersAreTakenForNoMoreThanTheyProve(t *testing.T) {
	t.Parallel()
	refused := func(code string) string { return `{"status":422,"code":"` + code + `","reason":"AC04"}` }
	for name, c := range map[string]struct {
		status int
		kind   string
		body   string // SUM stands for the hash of what was sent
		want   outbound.Outcome
		why    outbound.Reason
		code   string
	}{
		"taken":                        {201, "", `{"id":"FIL1","sha256":"SUM","state":"received"}`, outbound.Accepted, "", ""},
		"known":                        {200, "", `{"id":"FIL1","sha256":"SUM"}`, outbound.Accepted, "", ""},
		"garbage":                      {200, "", `<html>`, outbound.Unknown, "", ""},
		"nothing":                      {204, "", ``, outbound.Unknown, "", ""},
		"another batch":                {201, "", `{"id":"FIL2","sha256":"SUM"}`, outbound.Unknown, "", ""},
		"other bytes":                  {201, "", `{"id":"FIL1","sha256":"00"}`, outbound.Unknown, "", ""},
		"two ids":                      {201, "", `{"id":"FIL1","id":"FIL2","sha256":"SUM"}`, outbound.Unknown, "", ""},
		"elsewhere":                    {302, "", ``, outbound.Unknown, "", "302"},
		"refused":                      {422, "application/problem+json", refused("refused"), outbound.Declined, "", "AC04"},
		"invalid":                      {422, "application/problem+json; charset=utf-8", refused("invalid"), outbound.Declined, "", "AC04"},
		"refused, not as a problem":    {422, "application/json", refused("refused"), outbound.Unknown, "", "422"},
		"refused by another status":    {500, "application/problem+json", refused("refused"), outbound.Unknown, "", "500"},
		"refused by an unlisted code":  {422, "application/problem+json", refused("sorry"), outbound.Unknown, "", "sorry"},
		"the same id with other bytes": {422, "application/problem+json", refused("idempotency_conflict"), outbound.Unknown, "", "idempotency_conflict"},
		"not let in":                   {401, "application/problem+json", `{"status":401,"code":"unauthenticated"}`, outbound.NotSent, outbound.Credentials, "unauthenticated"},
		"not let in by who knows whom": {401, "text/html", `no`, outbound.Unknown, outbound.Credentials, "401"},
		"too often":                    {429, "application/problem+json", `{"status":429,"code":"rate_limited"}`, outbound.Unknown, outbound.Limited, "rate_limited"},
		"not well":                     {503, "", ``, outbound.Unknown, "", "503"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sum string
			d, _ := to(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" && r.Header.Get("Idempotency-Key") != `"FIL1"` || r.Header.Get("Authorization") != "Bearer "+token {
					t.Errorf("headers %v", r.Header)
				}
				w.Header().Set("Content-Type", c.kind)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				fmt.Fprint(w, strings.ReplaceAll(c.body, "SUM", sum))
			})
			f := aBatch(t, d)
			sum = f.SHA256
			if r := d.Publish(t.Context(), f); r.Outcome != c.want || r.Reason != c.why || r.Code != c.code {
				t.Errorf("Publish = %s %q code %q (%v), want %s %q code %q", r.Outcome, r.Reason, r.Code, r.Err, c.want, c.why, c.code)
			}
			found := d.Find(t.Context(), f)
			if found.Outcome == outbound.NotFound || (found.Outcome == outbound.Accepted) != (c.want == outbound.Accepted) && c.status != 401 {
				t.Errorf("Find = %+v", found)
			}
		})
	}
}

func TestBombsAndEndlessAnswersAreUnknown(t *testing.T) {
	t.Parallel()
	bomb, _ := to(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		for range 100 {
			if _, err := z.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
		_ = z.Close()
	})
	slow, _ := to(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			fmt.Fprint(w, " ")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	for name, d := range map[string]bank.Driver{"a bomb": bomb, "a slow body": slow} {
		b := bank.New("bank", d, bank.Options{File: outbound.Settings{Deadline: 300 * time.Millisecond}})
		if r := b.Publish(t.Context(), aBatch(t, d)); r.Outcome != outbound.Unknown {
			t.Errorf("%s = %+v, want Unknown", name, r)
		}
	}
}

func TestOldAndNewCredentialsAreBothTried(t *testing.T) {
	t.Parallel()
	var tokens, calls atomic.Int64
	h := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			id, secret, _ := r.BasicAuth()
			if id != "hub" || secret != "s3cret" {
				fail(w, 401, "unauthenticated")
				return
			}
			fmt.Fprintf(w, `{"access_token":"minted-%d","token_type":"Bearer","expires_in":3600}`, tokens.Add(1))
			return
		}
		calls.Add(1)
		switch r.Header.Get("Authorization") {
		case "Bearer " + token, fmt.Sprintf("Bearer minted-%d", tokens.Load()):
			fmt.Fprint(w, `{"data":[]}`)
		default:
			fail(w, 401, "unauthenticated")
		}
	}
	d, _ := to(t, h, remote.Credentials{Token: "the-next-one-not-yet-valid"}, remote.Credentials{Token: token})
	if _, err := d.Waiting(t.Context()); err != nil || calls.Load() != 2 {
		t.Errorf("with a new token that is not valid yet: %v after %d calls, want nil after 2", err, calls.Load())
	}
	s := httptest.NewServer(http.HandlerFunc(h))
	t.Cleanup(s.Close)
	n, err := remote.New(remote.Config{URL: s.URL, Guard: webhook.Guard{Loopback: true}, Credentials: []remote.Credentials{
		{TokenURL: s.URL + "/token", ClientID: "hub", ClientSecret: "s3cret"},
	}})
	must(t, err)
	d = remote.NewBank(n)
	if _, err := d.Waiting(t.Context()); err != nil {
		t.Error(err)
	}
	tokens.Add(1) // the connector forgets the token: another is asked for
	if _, err := d.Waiting(t.Context()); err != nil || tokens.Load() != 3 {
		t.Errorf("after the token was forgotten: %v, %d tokens; want nil, 3", err, tokens.Load())
	}
}

func TestClientCertificateIsShown(t *testing.T) {
	t.Parallel()
	own, key := pair()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) != 1 {
			fail(w, 401, "unauthenticated")
			return
		}
		fmt.Fprint(w, `{"data":[]}`)
	}))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(own))
	s.TLS = &tls.Config{ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: pool}
	s.Config.ErrorLog = quiet
	s.StartTLS()
	t.Cleanup(s.Close)
	addr := s.Listener.Addr().String()
	if _, err := dial(t, addr, certificate(s), remote.Credentials{Token: token, Certificate: own, Key: key}).Waiting(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := dial(t, addr, certificate(s), remote.Credentials{Token: token}).Waiting(t.Context()); outbound.ReasonOf(err) != outbound.Credentials {
		t.Errorf("without a certificate: %v", err)
	}
}

func TestEvidenceHoldsNoCredentials(t *testing.T) {
	t.Parallel()
	d, _ := to(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(500)
		fmt.Fprint(w, "you sent ", r.Header.Get("Authorization"))
	})
	if r := d.Publish(t.Context(), aBatch(t, d)); !strings.Contains(string(r.Evidence), "[redacted]") || strings.Contains(string(r.Evidence), token) {
		t.Errorf("the evidence is %s", r.Evidence)
	}
}

func TestPrivateNetworksAreOutOfReachUnlessNamed(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[]}`) }))
	t.Cleanup(s.Close)
	addr := s.Listener.Addr().String()
	for _, bad := range []string{s.URL, "https://10.0.0.1", "https://localhost", "http://bank.example", "https://bank.example:22", "https://u:p@bank.example", "https://[::1]", "https://x.internal", "https://bank.example/?a=1"} {
		if _, err := remote.New(remote.Config{URL: bad, Credentials: []remote.Credentials{{Token: token}}}); err == nil {
			t.Errorf("%s may be called", bad)
		}
	}
	if _, err := remote.New(remote.Config{URL: "https://bank.example", Credentials: []remote.Credentials{{TokenURL: "https://127.0.0.1/token", ClientID: "a", ClientSecret: "b"}}}); err == nil {
		t.Error("a token may be asked for on this machine")
	}
	n, err := remote.New(remote.Config{URL: s.URL, Guard: webhook.Guard{Hosts: []string{addr}}, Credentials: []remote.Credentials{{Token: token}}})
	must(t, err)
	if _, err := remote.NewBank(n).Waiting(t.Context()); err != nil {
		t.Errorf("an address that was named: %v", err)
	}
	if _, err := (webhook.Guard{Hosts: []string{"127.0.0.1:1"}}).Dial(t.Context(), "tcp", addr); err == nil {
		t.Error("another port than the named one is reached")
	}
}

func TestBreakerOpensAndIsProbedByAQuestion(t *testing.T) {
	t.Parallel()
	f, s := open(t)
	netfault.Recovery(t, s.Listener.Addr().String(), func(addr string, set outbound.Settings) func() outbound.Result {
		d := f.Dial(addr)
		out := aBatch(t, d)
		b := bank.New("bank", d, bank.Options{File: set})
		return func() outbound.Result { return b.Publish(t.Context(), out) }
	}, func() {
		if all := files(f.In); len(all) != 0 {
			t.Errorf("the bank has %d batches", len(all))
		}
	}, outbound.Accepted)
}

func TestManifestsThatLackSomethingAreRefused(t *testing.T) {
	t.Parallel()
	good := `{"id":"atlas","owner":"Banque exemple","capabilities":[{"name":"bank","version":"1","features":["reports"]}],"auth":["bearer"],"idempotency_retention":"720h","rate_limit":{"per_second":20,"burst":20},"webhook_keys":[],"sandbox":true}`
	m, err := remote.ReadManifest([]byte(good))
	if c, ok := m.Speaks("bank", "1"); err != nil || !ok || !c.Has("reports") || m.Remembers() != 720*time.Hour || len(m.Digest) != 64 {
		t.Fatalf("%+v, %v", m, err)
	}
	for _, change := range [][2]string{
		{`"atlas"`, `"At las"`},
		{`"Banque exemple"`, `""`},
		{`"bearer"`, `"none"`},
		{`720h`, `1h`},
		{`"per_second":20`, `"per_second":0`},
		{`"bank"`, `"Bank!"`},
		{`"webhook_keys":[]`, `"webhook_keys":["whpk_x"]`},
		{`"owner"`, `"id"`},
		{`}],"auth"`, `}],"auth":["bearer"],"auth"`},
	} {
		if _, err := remote.ReadManifest([]byte(strings.Replace(good, change[0], change[1], 1))); !errors.Is(err, remote.ErrManifest) {
			t.Errorf("%s instead of %s: %v", change[1], change[0], err)
		}
	}
}
