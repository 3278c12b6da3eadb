package connectors_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/connectors"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/outbound"
)

func purse() connectors.RegisterInput {
	return connectors.RegisterInput{
		ID: "purse", Port: "wallet", URL: "https://purse.example", Credentials: connectors.Credentials{Token: "the-first-token-of-purse"},
		SettlesFrom: paperbank.RIB(7), FeePercent: "0.9",
	}
}

func TestAWalletSettlesFromOneAccount(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	for name, spoil := range map[string]func(in *connectors.RegisterInput){
		"no account":         func(in *connectors.RegisterInput) { in.SettlesFrom = "" },
		"a wrong key":        func(in *connectors.RegisterInput) { in.SettlesFrom = "001810007800020110620319" },
		"an account of ours": func(in *connectors.RegisterInput) { in.Safeguard = atlas().Safeguard },
		"too dear":           func(in *connectors.RegisterInput) { in.FeePercent = "20.01" },
		"no number":          func(in *connectors.RegisterInput) { in.FeePercent = "much" },
		"a bank that settles": func(in *connectors.RegisterInput) {
			*in = atlas()
			in.SettlesFrom = paperbank.RIB(7)
		},
	} {
		in := purse()
		spoil(&in)
		if _, err := do(d, "ana", d.one.Register, in); !errors.Is(err, connectors.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	v, err := do(d, "ana", d.one.Register, purse())
	must(t, err)
	if v.SettlesFrom == nil || *v.SettlesFrom != paperbank.RIB(7) || v.FeePercent == nil || *v.FeePercent != "0.9" || v.Safeguard != nil {
		t.Errorf("it is shown as %+v", v)
	}
	till := purse()
	till.ID, till.Port = "till", "card"
	if v, err := do(d, "ana", d.one.Register, till); err != nil || v.SettlesFrom == nil || *v.FeePercent != "0.9" {
		t.Errorf("an acquirer is shown as %+v, %v", v, err)
	}
	till.ID, till.SettlesFrom = "till-two", ""
	if _, err := do(d, "ana", d.one.Register, till); !errors.Is(err, connectors.ErrInvalid) {
		t.Errorf("an acquirer settles from nowhere: %v", err)
	}
	if found, err := d.two.Plugs(t.Context(), d.db, connectors.PortWallet); err != nil || len(found) != 0 {
		t.Errorf("before it was ever live it settles: %v, %v", found, err)
	}
}

// TestABankAndAWalletAreEachFirstAtTheirPort has both made the first.
func TestABankAndAWalletAreEachFirstAtTheirPort(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	first := func(in connectors.RegisterInput, protocol string) {
		t.Helper()
		_, err := do(d, "ana", d.one.Register, in)
		must(t, err)
		d.found.ID = in.ID
		_, err = d.one.Test(as("ana"), connectors.One{Partner: in.ID})
		must(t, err)
		now := time.Now()
		text, err := certificate.Sign(d.key, certificate.Certificate{
			Connector: in.ID, Protocol: protocol, Features: []string{"reports"}, Level: certificate.Security, Remembers: "720h", IssuedAt: now, ExpiresAt: now.Add(certificate.Lifetime),
		})
		must(t, err)
		_, err = do(d, "ana", d.one.Certify, connectors.CertifyInput{Partner: in.ID, Certificate: text})
		must(t, err)
		v, err := do(d, "ana", d.one.Resume, connectors.ResumeInput{Partner: in.ID, Pays: true, Why: "essai"})
		must(t, err)
		_, err = do(d, "ben", d.ap.Decide, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
		must(t, err)
	}
	looking, stop := context.WithCancel(t.Context())
	defer stop()
	go d.two.KeepLooking(looking)
	knows := func(port string, want bool) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); d.two.Any(port) != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("the other hub says that there is a %s: %t", port, !want)
			}
		}
	}
	if !d.one.Any(connectors.PortWallet) {
		t.Error("a hub that has not looked is sure that there is none")
	}
	knows(connectors.PortWallet, false)
	first(atlas(), "bank.v1")
	knows(connectors.PortBank, true)
	knows(connectors.PortWallet, false)
	first(purse(), "wallet.v1")
	other := purse()
	other.ID = "other-purse"
	first(other, "wallet.v1")
	knows(connectors.PortWallet, true)
	if h, ok, err := d.two.House(t.Context(), d.db, ""); err != nil || !ok || h.Bank.ID() != "atlas" {
		t.Errorf("payouts leave from %v, %t (%v), want atlas", h.Bank, ok, err)
	}
	plugs, err := d.two.Plugs(t.Context(), d.db, connectors.PortWallet)
	must(t, err)
	if len(plugs) != 2 || plugs[0].ID != "other-purse" || !plugs[0].First || plugs[1].First || plugs[0].Barred != "" || plugs[1].SettlesFrom != paperbank.RIB(7) || plugs[1].FeePercent.String() != "0.9" {
		t.Errorf("the wallets are %+v", plugs)
	}
}

// TestAConnectorIsCalledNoOftenerThanItsManifestAllows has one say how often it may be
// called.
func TestAConnectorIsCalledNoOftenerThanItsManifestAllows(t *testing.T) {
	t.Parallel()
	d := newDesk(t, false)
	_, err := do(d, "ana", d.one.Register, purse())
	must(t, err)
	for _, c := range []struct {
		perSecond, burst, lanes int
		rate                    float64
		together                int
	}{{10, 10, 2, 4, 4}, {10, 1, 1, 8, 1}, {500, 500, 2, 0, 0}} { // 0: as others of the class
		d.found.ID, d.found.PerSecond, d.found.Burst = "purse", c.perSecond, c.burst
		_, err = d.one.Test(as("ana"), connectors.One{Partner: "purse"})
		must(t, err)
		p, err := d.two.Plug(t.Context(), d.db, connectors.PortWallet, "purse")
		must(t, err)
		if s := p.Pace(outbound.Pay, c.lanes); s.Rate != c.rate || s.Burst != c.together {
			t.Errorf("of %d a second and %d together, a lane of %d takes %g and %d, want %g and %d", c.perSecond, c.burst, c.lanes, s.Rate, s.Burst, c.rate, c.together)
		}
	}
}
