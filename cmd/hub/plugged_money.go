package main

import (
	"context"

	"tiwiza/adapters/card"
	"tiwiza/adapters/remote"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/charges"
	"tiwiza/payments/connectors"
	"tiwiza/payments/recon"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// tills are the acquirers and wallets that are plugged in.
type tills struct {
	plugged *connectors.Service
	cards   ready[*card.Acquirer]
	wallets ready[*wallet.Wallet]
}

// tillsOf are those, each made ready when it is needed.
func tillsOf(plugged *connectors.Service, dial func(connectors.Opening) (*remote.Connector, error), m *outbound.Metrics) *tills {
	return &tills{
		plugged: plugged,
		cards:   ready[*card.Acquirer]{plugged: plugged, dial: dial, of: acquirerOf(m)},
		wallets: ready[*wallet.Wallet]{plugged: plugged, dial: dial, of: walletOf(m)},
	}
}

// acquirerOf makes an acquirer of a connector; without metrics nobody sees its calls.
func acquirerOf(m *outbound.Metrics) func(*remote.Connector, connectors.Plug) *card.Acquirer {
	return func(n *remote.Connector, p connectors.Plug) *card.Acquirer {
		pay := p.Pace(outbound.Pay, 2)
		pay.Ping = pinged
		return card.New(p.ID, remote.NewCard(n, p.ID, p.Features), card.Options{Pay: pay, Query: p.Pace(outbound.Query, 2), Metrics: m})
	}
}

// walletOf makes a wallet of a connector, likewise.
func walletOf(m *outbound.Metrics) func(*remote.Connector, connectors.Plug) *wallet.Wallet {
	return func(n *remote.Connector, p connectors.Plug) *wallet.Wallet {
		return wallet.New(p.ID, remote.NewWallet(n, p.ID, p.Features), wallet.Options{Pay: p.Pace(outbound.Pay, 2), Query: p.Pace(outbound.Query, 2), Metrics: m})
	}
}

// AnyAcquirer says whether there may be one.
func (t *tills) AnyAcquirer() bool { return t.plugged.Any(connectors.PortCard) }

// AnyWallet says whether there may be one.
func (t *tills) AnyWallet() bool { return t.plugged.Any(connectors.PortWallet) }

// Acquirers are those that are plugged in, for charges.
func (t *tills) Acquirers(ctx context.Context, db pg.DB) ([]charges.Way, error) {
	return asTheyStand(ctx, db, connectors.PortCard, &t.cards, acquirerOf(nil), func(a *card.Acquirer) charges.Way { return charges.Way{Acquirer: a} })
}

// Wallets are those that are plugged in, for charges.
func (t *tills) Wallets(ctx context.Context, db pg.DB) ([]charges.Way, error) {
	return asTheyStand(ctx, db, connectors.PortWallet, &t.wallets, walletOf(nil), func(w *wallet.Wallet) charges.Way { return charges.Way{Wallet: w} })
}

// asTheyStand are the connectors of a port as charges know them. One that cannot be
// opened is there all the same, and is asked nothing: whose money a statement tells of,
// and from which account a refund left, is known without its secrets.
func asTheyStand[T any](ctx context.Context, db pg.DB, port string, r *ready[T], bare func(*remote.Connector, connectors.Plug) T, way func(T) charges.Way) ([]charges.Way, error) {
	plugs, err := r.plugged.Plugs(ctx, db, port)
	out := make([]charges.Way, len(plugs))
	for i, p := range plugs {
		it, err := r.made(ctx, db, p)
		if err != nil {
			it = bare(&remote.Connector{}, p) // without credentials it calls nobody
			p.Barred = err.Error()
		}
		out[i] = way(it)
		out[i].Barred, out[i].First = p.Barred, p.First
	}
	return out, err
}

// tell has charges hear the events of those that tell of a payment.
func (t *tills) tell(ch *charges.Service) {
	for port, hear := range map[string]func(ctx context.Context, name string, event []byte) error{
		connectors.PortCard: ch.CardTold, connectors.PortWallet: ch.WalletTold,
	} {
		t.plugged.OnNews(port, func(ctx context.Context, partner string, e webhook.Signed) error { return hear(ctx, partner, e.Body) })
	}
}

// settlers are those who settle to us, for reconciliation.
func settlers(plugged *connectors.Service) func(context.Context, pg.DB) (map[string]recon.Settler, error) {
	return func(ctx context.Context, db pg.DB) (map[string]recon.Settler, error) {
		out := map[string]recon.Settler{}
		for _, port := range []string{connectors.PortCard, connectors.PortWallet} {
			found, err := plugged.Plugs(ctx, db, port)
			if err != nil {
				return out, err
			}
			for _, p := range found {
				out[p.ID] = recon.Settler{From: p.SettlesFrom, Rate: p.FeePercent}
			}
		}
		return out, nil
	}
}
