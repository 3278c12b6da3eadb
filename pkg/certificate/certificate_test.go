package certificate_test

import (
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/certificate"
)

var at = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func proved() certificate.Certificate {
	return certificate.Certificate{
		Connector: "atlas", Protocol: "bank.v1", Features: []string{"reports", "statements"}, Level: certificate.Security, Remembers: "720h0m0s",
		IssuedAt: at, ExpiresAt: at.Add(certificate.Lifetime),
	}
}

func TestOnlyWhatATrustedKeySignedIsRead(t *testing.T) {
	t.Parallel()
	pub, key, _ := ed25519.GenerateKey(nil)
	other, _, _ := ed25519.GenerateKey(nil)
	text, err := certificate.Sign(key, proved())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := certificate.Read(text+"\n", other, pub); err != nil || c.Connector != "atlas" {
		t.Errorf("Read = %+v, %v", c, err)
	}
	if _, err := certificate.Read(text, other); !errors.Is(err, certificate.ErrUntrusted) {
		t.Errorf("another key: %v", err)
	}
	if _, err := certificate.Read(text); !errors.Is(err, certificate.ErrUntrusted) {
		t.Errorf("no key: %v", err)
	}
	for i := range text {
		for _, c := range []string{"", "A", "B", ".", "-"} {
			bad := text[:i] + c + text[i+1:]
			if bad == text {
				continue
			}
			if _, err := certificate.Read(bad, pub); err == nil {
				t.Fatalf("%q at %d was read", c, i)
			}
		}
	}
}

func TestCertificateProvesNoMoreThanItSays(t *testing.T) {
	t.Parallel()
	claim := certificate.Claim{Connector: "atlas", Protocol: "bank.v1", Features: []string{"reports"}, Level: certificate.Reconciliation, Remembers: 720 * time.Hour, At: at.Add(time.Hour)}
	if lack := proved().Lacks(claim); lack != "" {
		t.Errorf("it lacks %s", lack)
	}
	for want, change := range map[string]func(*certificate.Certificate, *certificate.Claim){
		"of the connector": func(_ *certificate.Certificate, w *certificate.Claim) { w.Connector = "rif" },
		"not for":          func(_ *certificate.Certificate, w *certificate.Claim) { w.Protocol = "bank.v2" },
		"reaches C3":       func(c *certificate.Certificate, _ *certificate.Claim) { c.Level = certificate.Resilience },
		"reaches ,":        func(c *certificate.Certificate, _ *certificate.Claim) { c.Level = "" },
		"ended":            func(_ *certificate.Certificate, w *certificate.Claim) { w.At = at.Add(certificate.Lifetime) },
		"time to come":     func(_ *certificate.Certificate, w *certificate.Claim) { w.At = at.Add(-2 * time.Hour) },
		"forgets":          func(_ *certificate.Certificate, w *certificate.Claim) { w.Remembers = 24 * time.Hour },
		"the feature": func(_ *certificate.Certificate, w *certificate.Claim) {
			w.Features = []string{"reports", "direct_debit"}
		},
		"reaches C5, and X": func(_ *certificate.Certificate, w *certificate.Claim) { w.Level = "X" },
	} {
		c, w := proved(), claim
		change(&c, &w)
		if lack := c.Lacks(w); !strings.Contains(lack, want) {
			t.Errorf("it lacks %q, want %q", lack, want)
		}
	}
}
