package main

import (
	"context"
	"errors"
	"slices"
	"sync"

	"tiwiza/adapters/remote"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/charges"
	"tiwiza/payments/connectors"
	"tiwiza/payments/recon"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// tills are the wallets that are plugged in while the hub runs. It is safe for use
// by many goroutines.
type tills struct {
	plugged *connectors.Service
	dial    func(connectors.Opening) (*remote.Connector, error)
	metrics *outbound.Metrics
	heard   func(ctx context.Context, partner string, n wallet.Notice) error

	mu   sync.Mutex
	open map[string]openedTill
}

// openedTill is a connector that was made ready, of one version of its row.
type openedTill struct {
	version int64
	way     charges.Way
}

// ways are the plugged wallets, for charges. One that cannot be opened is there all
// the same, and is asked nothing: whose money a statement tells of, and from which
// account a refund left, is known without its secrets.
func (s *tills) ways(ctx context.Context, db pg.DB) (out []charges.Way, failed error) {
	plugs, failed := s.plugged.Plugs(ctx, db, connectors.PortWallet)
	for _, p := range plugs {
		w, err := s.ready(p)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		w.Barred, w.First = p.Barred, p.First
		out = append(out, w)
	}
	if failed == nil {
		return out, nil
	}
	all, err := s.plugged.Plains(ctx, db, connectors.PortWallet)
	for _, c := range all {
		if slices.ContainsFunc(out, func(w charges.Way) bool { return w.Wallet.ID() == c.ID }) {
			continue
		}
		mute := remote.NewWallet(&remote.Connector{}, c.ID, c.Features) // without credentials it calls nobody
		out = append(out, charges.Way{Wallet: wallet.New(c.ID, mute, wallet.Options{}), Barred: failed.Error()})
	}
	return out, err
}

// ready is the port of a connector, made once for each version of its row.
func (s *tills) ready(p connectors.Plug) (charges.Way, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if have, ok := s.open[p.ID]; ok && have.version >= p.Version {
		return have.way, nil
	}
	n, err := s.dial(p.Opening)
	if err != nil {
		return charges.Way{}, err
	}
	w := charges.Way{Wallet: wallet.New(p.ID, remote.NewWallet(n, p.ID, p.Features), wallet.Options{Metrics: s.metrics})}
	s.open[p.ID] = openedTill{p.Version, w}
	return w, nil
}

// hear takes in an event of a plugged wallet: connectors.ErrNotFound for nobody's,
// connectors.ErrSignature, wallet.ErrUnreadable. It proves no more than that there
// is a reason to ask.
func (s *tills) hear(ctx context.Context, db pg.DB, name string, header map[string][]string, body []byte) error {
	p, err := s.plugged.Plug(ctx, db, connectors.PortWallet, name)
	if err != nil {
		return err
	}
	one := func(name string) string {
		if v := header[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	signed := webhook.Signed{ID: one("webhook-id"), Timestamp: one("webhook-timestamp"), Signature: one("webhook-signature"), Body: body}
	if !signed.By(webhook.Now(), p.WebhookKeys...) {
		return connectors.ErrSignature
	}
	w, err := s.ready(p)
	if err != nil {
		return err
	}
	n, err := w.Wallet.Notice(wallet.Callback{Body: body})
	if err != nil {
		return err
	}
	return s.heard(ctx, name, n)
}

// settlers are those who settle to us, for reconciliation.
func settlers(plugged *connectors.Service) func(context.Context, pg.DB) (map[string]recon.Settler, error) {
	return func(ctx context.Context, db pg.DB) (map[string]recon.Settler, error) {
		found, err := plugged.Settlers(ctx, db)
		out := make(map[string]recon.Settler, len(found))
		for name, f := range found {
			out[name] = recon.Settler{From: f.SettlesFrom, Rate: f.FeePercent}
		}
		return out, err
	}
}
