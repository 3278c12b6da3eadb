package main

import (
	"context"

	"tiwiza/adapters/remote"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/charges"
	"tiwiza/payments/connectors"
	"tiwiza/payments/recon"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// purses are the wallets that are plugged in.
type purses struct{ ready[*wallet.Wallet] }

// pursed are those wallets, each made ready when it is needed.
func pursed(plugged *connectors.Service, dial func(connectors.Opening) (*remote.Connector, error), m *outbound.Metrics) *purses {
	return &purses{ready[*wallet.Wallet]{plugged: plugged, dial: dial, of: func(n *remote.Connector, p connectors.Plug) *wallet.Wallet {
		return wallet.New(p.ID, remote.NewWallet(n, p.ID, p.Features), wallet.Options{Metrics: m})
	}}}
}

// ways are the plugged wallets, for charges. One that cannot be opened is there all
// the same, and is asked nothing: whose money a statement tells of, and from which
// account a refund left, is known without its secrets.
func (s *purses) ways(ctx context.Context, db pg.DB) ([]charges.Way, error) {
	plugs, err := s.plugged.Plugs(ctx, db, connectors.PortWallet)
	out := make([]charges.Way, len(plugs))
	for i, p := range plugs {
		w, err := s.made(ctx, db, p)
		if err != nil {
			w = wallet.New(p.ID, remote.NewWallet(&remote.Connector{}, p.ID, p.Features), wallet.Options{}) // without credentials it calls nobody
			p.Barred = err.Error()
		}
		out[i] = charges.Way{Wallet: w, Barred: p.Barred, First: p.First}
	}
	return out, err
}

// asks has charges ask a wallet at once that tells of a request.
func (s *purses) asks(ch *charges.Service) {
	s.plugged.OnNews(connectors.PortWallet, func(ctx context.Context, partner string, e webhook.Signed) error {
		return ch.WalletTold(ctx, partner, e.Body)
	})
}

// settlers are those who settle to us, for reconciliation.
func settlers(plugged *connectors.Service) func(context.Context, pg.DB) (map[string]recon.Settler, error) {
	return func(ctx context.Context, db pg.DB) (map[string]recon.Settler, error) {
		found, err := plugged.Plugs(ctx, db, connectors.PortWallet)
		out := make(map[string]recon.Settler, len(found))
		for _, p := range found {
			out[p.ID] = recon.Settler{From: p.SettlesFrom, Rate: p.FeePercent}
		}
		return out, err
	}
}
