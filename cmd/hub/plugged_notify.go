package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"tiwiza/adapters/notify"
	"tiwiza/adapters/remote"
	"tiwiza/marketplace/notices"
	"tiwiza/payments/connectors"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// telling are those who bring messages that are plugged in: each serves the channels
// that its manifest names.
type telling struct{ ready[[]*notify.Carrier] }

// tellers are those, each made ready when it is needed.
func tellers(plugged *connectors.Service, dial func(connectors.Opening) (*remote.Connector, error), m *outbound.Metrics) *telling {
	return &telling{ready[[]*notify.Carrier]{plugged: plugged, dial: dial, of: func(n *remote.Connector, p connectors.Plug) (all []*notify.Carrier) {
		channels := remote.Channels(p.Features)
		for _, c := range channels {
			all = append(all, notify.New(p.ID, remote.NewNotify(n, c, p.WebhookKeys...), notify.Options{Lane: p.Pace(outbound.Tell, len(channels)), Metrics: m}))
		}
		return all
	}}}
}

// Carriers are those that may bring messages now: of a channel that several serve, the
// first by its name.
func (t *telling) Carriers(ctx context.Context, db pg.DB) ([]*notify.Carrier, error) {
	plugs, failed := t.plugged.Plugs(ctx, db, connectors.PortNotify)
	by := map[notify.Channel]*notify.Carrier{}
	for _, p := range plugs {
		if p.Barred != "" {
			continue
		}
		all, err := t.made(ctx, db, p)
		failed = errors.Join(failed, err)
		for _, c := range all {
			if by[c.Channel()] == nil {
				by[c.Channel()] = c
			}
		}
	}
	return slices.Collect(maps.Values(by)), failed
}

// Carrier is one by its name, whatever it may bring now: notices.ErrPartner.
func (t *telling) Carrier(ctx context.Context, db pg.DB, name string) (*notify.Carrier, error) {
	p, err := t.plugged.Plug(ctx, db, connectors.PortNotify, name)
	if errors.Is(err, connectors.ErrNotFound) {
		return nil, notices.ErrPartner
	}
	if err != nil {
		return nil, err
	}
	all, err := t.made(ctx, db, p)
	if err == nil && len(all) == 0 {
		err = notices.ErrPartner
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// hears has notices hear what became of messages that were brought by connectors.
func hears(plugged *connectors.Service, told *notices.Service) {
	plugged.OnNews(connectors.PortNotify, func(ctx context.Context, partner string, e webhook.Signed) error {
		return told.Reported(auth.With(ctx, auth.Hub), partner, notify.Callback{Signature: remote.PackSignature(e), ContentType: "application/json", Body: e.Body})
	})
}
