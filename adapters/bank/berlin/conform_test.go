package berlin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/bankconform"
	"tiwiza/adapters/bank/berlin"
)

// repeating is a bank that promises what the standard leaves open.
var repeating = berlin.Profile{Repeats: 24 * time.Hour, Lists: true}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// elsewhere is a certificate that signs nobody here.
var elsewhere = func() string {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}()

func config(url string, p berlin.Profile, notes bank.Notes) berlin.Config {
	return berlin.Config{
		BaseURL: url, Token: token, Address: "192.0.2.7", Consent: consent, Accounts: []berlin.Account{{RIB: ours, Resource: "acc-1"}},
		Since: noon.AddDate(0, -1, 0), Profile: p, Notes: notes, Now: func() time.Time { return noon },
	}
}

func driver(t testing.TB, c berlin.Config) *berlin.Driver {
	t.Helper()
	d, err := berlin.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// newStand is a bank over TLS.
func newStand(t testing.TB) (*stand, *httptest.Server, string) {
	t.Helper()
	root := t.TempDir()
	s := &stand{in: root + "/in", archive: root + "/archive", status: map[string]string{}}
	for _, dir := range []string{s.in, s.archive} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return s, server, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
}

func open(t testing.TB) bankconform.Fixture {
	s, server, roots := newStand(t)
	notes := newMemory()
	dial := func(addr, roots, token string) bank.Driver {
		c := config("https://"+addr, repeating, notes)
		c.Roots, c.Token = roots, token
		return driver(t, c)
	}
	words := map[bank.Standing]string{bank.Taken: "RCVD", bank.Accepted: "ACSP", bank.Partial: "PART", bank.Settled: "ACSC", bank.Rejected: "RJCT"}
	return bankconform.Fixture{
		Addr: server.Listener.Addr().String(), In: s.in, Archive: s.archive,
		Dial:     func(addr string) bank.Driver { return dial(addr, roots, token) },
		Intruder: func(addr string) bank.Driver { return dial(addr, roots, "somebody-elses-token") },
		Stranger: func(addr string) bank.Driver { return dial(addr, elsewhere, token) },
		Say: func(batch string, w bank.Standing) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.status[batch] = words[w]
		},
		Book: func(batch string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.booked = append(s.booked, batch)
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	bankconform.Run(t, func(t *testing.T) bankconform.Fixture { return open(t) })
}
