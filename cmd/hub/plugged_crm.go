package main

import (
	"context"
	"errors"
	"slices"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/remote"
	"tiwiza/marketplace/relations"
	"tiwiza/payments/connectors"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/webhook"
)

// relating are the customer relation systems that are plugged in.
type relating struct{ ready[*crm.CRM] }

// related are those systems, each made ready when it is needed.
func related(plugged *connectors.Service, dial func(connectors.Opening) (*remote.Connector, error), m *outbound.Metrics) *relating {
	return &relating{ready[*crm.CRM]{plugged: plugged, dial: dial, of: func(n *remote.Connector, p connectors.Plug) *crm.CRM {
		return crm.New(p.ID, remote.NewCRM(n, p.Features), crm.Options{Abroad: p.Hosted != connectors.InMorocco, Lane: p.Pace(outbound.Tell, 1), Metrics: m})
	}}}
}

// Any says whether there may be one.
func (r *relating) Any() bool { return r.plugged.Any(connectors.PortCRM) }

// Systems are those that were ever live.
func (r *relating) Systems(ctx context.Context, db pg.DB) ([]relations.System, error) {
	found, err := r.plugged.Plugs(ctx, db, connectors.PortCRM)
	all := make([]relations.System, len(found))
	for i, p := range found {
		all[i] = systemOf(p)
	}
	return all, err
}

func systemOf(p connectors.Plug) relations.System {
	has := func(feature string) bool { return slices.Contains(p.Features, feature) }
	return relations.System{ID: p.ID, Driver: "remote", Points: has("points"), Wishes: has("wishes"), Abroad: p.Hosted != connectors.InMorocco}
}

// Open is one, ready to be called: relations.ErrPartner.
func (r *relating) Open(ctx context.Context, db pg.DB, name string) (*crm.CRM, string, error) {
	p, err := r.plugged.Plug(ctx, db, connectors.PortCRM, name)
	if errors.Is(err, connectors.ErrNotFound) {
		return nil, "", relations.ErrPartner
	}
	if err != nil || p.Barred != "" {
		return nil, p.Barred, err
	}
	c, err := r.made(ctx, db, p)
	return c, "", err
}

// meets has relations meet systems when they go live, and hear when they have news.
func meets(plugged *connectors.Service, known *relations.Service) {
	plugged.OnLive(connectors.PortCRM, func(ctx context.Context, tx *pg.Tx, p connectors.Plug) error {
		return known.Meet(ctx, tx, systemOf(p))
	})
	plugged.OnNews(connectors.PortCRM, func(ctx context.Context, partner string, _ webhook.Signed) error {
		return known.Heard(auth.With(ctx, auth.Hub), partner)
	})
}
