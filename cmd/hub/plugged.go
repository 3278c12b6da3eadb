package main

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/remote"
	"tiwiza/payments/charges"
	"tiwiza/payments/connectors"
	"tiwiza/payments/operations"
	"tiwiza/payments/recon"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// plugging are the settings of partners that are registered while the hub runs.
type plugging struct {
	PartnersKey      string   `help:"32 bytes in hexadecimal under which partners' secrets are sealed, the same for all hubs on one database; without it none can be registered. A demonstration keeps one in its data directory." env:"HUB_PARTNERS_KEY"`
	PartnerHosts     []string `help:"host:port of connectors that may be on a private network or on this machine; all others are on the open internet." env:"HUB_PARTNER_HOSTS"`
	CertifiersKeys   []string `help:"Whose certificates are trusted: Ed25519 public keys in hexadecimal, as hub certify prints its own. A demonstration also trusts the key in its data directory." env:"HUB_CERTIFIERS_KEYS"`
	CertificateLevel string   `help:"What a connector must have proved before real money moves through it." env:"HUB_CERTIFICATE_LEVEL" default:"C5" enum:"C1,C2,C3,C4,C5"`
}

// plugs is what the settings come to.
type plugs struct {
	box    *connectors.Box
	policy connectors.Policy
	hosts  []string
}

// open reads the settings; in a demonstration keys that are missing are made once
// and kept beside its data.
func (c plugging) open(dataDir string, demo bool) (p plugs, err error) {
	p = plugs{hosts: c.PartnerHosts, policy: connectors.Policy{Level: certificate.Level(c.CertificateLevel), Sandboxes: demo}}
	if demo && c.PartnersKey == "" {
		if c.PartnersKey, err = ownKey(filepath.Join(dataDir, "partners.key")); err != nil {
			return p, err
		}
	}
	if c.PartnersKey != "" {
		key, err := hex.DecodeString(strings.TrimSpace(c.PartnersKey))
		if err != nil || len(key) != connectors.KeySize {
			return p, errors.New("HUB_PARTNERS_KEY is not 32 bytes in hexadecimal: make one with openssl rand -hex 32")
		}
		if p.box, err = connectors.NewBox(key); err != nil {
			return p, err
		}
	}
	for _, text := range c.CertifiersKeys {
		key, err := hex.DecodeString(strings.TrimSpace(text))
		if err != nil || len(key) != ed25519.PublicKeySize {
			return p, fmt.Errorf("HUB_CERTIFIERS_KEYS: %q is no Ed25519 public key in hexadecimal", text)
		}
		p.policy.Keys = append(p.policy.Keys, key)
	}
	if demo {
		key, err := certifierKey("", dataDir)
		if err != nil {
			return p, err
		}
		p.policy.Keys = append(p.policy.Keys, key.Public().(ed25519.PublicKey))
	}
	return p, nil
}

// certifierKey is the key that certificates are signed with: of the setting, else
// one that is made once and kept in the data directory.
func certifierKey(text, dataDir string) (ed25519.PrivateKey, error) {
	if text == "" {
		var err error
		if text, err = ownKey(filepath.Join(dataDir, "certify.key")); err != nil {
			return nil, err
		}
	}
	seed, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.New("HUB_CERTIFY_KEY is not 32 bytes in hexadecimal: make one with openssl rand -hex 32")
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// guard says where connectors may be.
func (o options) guard() webhook.Guard {
	return webhook.Guard{Loopback: o.Loopback, Hosts: o.Plugs.hosts}
}

// dialer makes connectors ready to be called.
func dialer(g webhook.Guard) func(connectors.Opening) (*remote.Connector, error) {
	return func(o connectors.Opening) (*remote.Connector, error) {
		c := remote.Config{URL: o.URL, Roots: o.Roots, Guard: g}
		for _, k := range o.Credentials {
			c.Credentials = append(c.Credentials, remote.Credentials(k))
		}
		return remote.New(c)
	}
}

// lineTo is how connectors are called.
func lineTo(dial func(connectors.Opening) (*remote.Connector, error)) connectors.Line {
	return connectors.Line{
		Check: func(o connectors.Opening) string {
			if _, err := dial(o); err != nil {
				return err.Error()
			}
			return ""
		},
		Open: func(o connectors.Opening) (bank.Driver, error) {
			n, err := dial(o)
			if err != nil {
				return nil, err
			}
			return remote.NewBank(n), nil
		},
		Ask: func(ctx context.Context, o connectors.Opening) (f connectors.Found, err error) {
			ctx, cancel := context.WithTimeout(ctx, outbound.Defaults(outbound.Query).Deadline)
			defer cancel()
			n, err := dial(o)
			if err != nil {
				return f, err
			}
			m, err := n.Manifest(ctx)
			if err != nil {
				return f, err
			}
			if err := n.SignIn(ctx, o.Port); err != nil {
				return f, fmt.Errorf("sign in: %w", err)
			}
			c, speaks := m.Speaks(o.Port, "1")
			return connectors.Found{
				ID: m.ID, Owner: m.Owner, Speaks: speaks, Features: c.Features, Remembers: m.Remembers(), Sandbox: m.Sandbox, Manifest: m.Digest, WebhookKeys: m.WebhookKeys,
				PerSecond: m.Rate.PerSecond, Burst: m.Rate.Burst,
			}, nil
		},
	}
}

// plugged are the connectors of a house.
func (p *partners) plugged(store *pg.Store, ops *operations.Engine, queue connectors.Approvals, insured *insurers, o options) *connectors.Service {
	taken := []string{acquirerName, bankName, walletName, insurerName, "sms", "whatsapp", "email", "mail", "crm", "hubspot", "tryton", "none"}
	for _, a := range p.acquirers {
		taken = append(taken, a.ID())
	}
	s := connectors.New(store, ops, queue, connectors.Config{
		Line: lineTo(insured.dial), Box: o.Plugs.box, Policy: o.Plugs.policy,
		Names:    taken,
		Accounts: []string{p.pays.Safeguard.RIB, p.pays.Operating.RIB},
		Kinds:    []string{"payout", charges.KindTransfer, "top_up", "sweep"}, Metrics: p.metrics,
		Binds: map[string][]string{connectors.PortInsurance: {"policy"}, connectors.PortWallet: {"wallet", "refund_wallet", "refund_phone"}, connectors.PortCard: {"capture", "void", "refund"}},
		Heard: func(ctx context.Context, partner string, header map[string][]string, body []byte) error {
			return insured.Hear(ctx, store, partner, header, body)
		},
	})
	insured.plugged = s
	return s
}

// housesOf are plugged banks as reconciliation knows banks.
func housesOf(plugged *connectors.Service) func(context.Context, pg.DB) ([]recon.House, error) {
	return func(ctx context.Context, db pg.DB) ([]recon.House, error) {
		found, err := plugged.Houses(ctx, db)
		out := make([]recon.House, len(found))
		for i, h := range found {
			out[i] = recon.House{Bank: h.Bank, Safeguard: h.Safeguard.RIB, Operating: h.Operating.RIB}
		}
		return out, err
	}
}

// fetch fetches what the plugged banks put out: often enough by itself, and at
// once when one says that something waits. A bank that does not answer keeps the
// others not.
func (h *house) fetch(ctx context.Context) {
	ctx = auth.With(ctx, auth.Hub)
	every := 20 * time.Second
	if h.look < time.Minute { // a demonstration
		every = time.Second
	}
	for {
		banks, err := housesOf(h.plugged)(ctx, h.store)
		if err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "some plugged banks cannot be opened", "error", err)
		}
		var all sync.WaitGroup
		for _, b := range banks {
			all.Go(func() {
				if _, err := h.recon.Collect(ctx, b); err != nil && ctx.Err() == nil {
					slog.WarnContext(ctx, "the bank's messages cannot be fetched", "partner", b.Bank.ID(), "error", err)
				}
			})
		}
		all.Wait()
		select {
		case <-ctx.Done():
			return
		case <-h.plugged.Woken():
		case <-time.After(every + rand.N(every/4)):
		}
	}
}
