package main

import (
	"context"
	"errors"
	"time"

	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/policies"
	"tiwiza/payments/connectors"
	"tiwiza/payments/operations"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// covering is members' insurance over the hub's insurers, whose events it hears.
func (p *partners) covering(store *pg.Store, all *insurers, m *members.Service, ord *orders.Service, kept *media.Service, money *premiums.Service, ops *operations.Engine, o options) *policies.Service {
	s := policies.New(store, policies.Needs{
		Members: m, Orders: ord, Files: kept, Premiums: money, Engine: ops, Insurers: covers{all, p.insurerOwner(), demoInsurer(store, o.Demo)}, URL: o.PublicURL, Every: lookEvery(o.Demo),
	})
	all.On(s.Hear)
	return s
}

// hearCover has members hear of their insurance, and insurance of its money.
func hearCover(bus *event.Bus, s *policies.Service) {
	policies.Tell(bus)
	policies.Subscribe(bus, s)
}

func coverRoutes(s *policies.Service) []rest.Route { return policies.Routes(s) }

// lookEvery is how often insurers are asked how open claims stand.
func lookEvery(demo bool) time.Duration {
	if demo {
		return 5 * time.Second
	}
	return time.Hour
}

// covers are the hub's insurers as policies know them.
type covers struct {
	insured *insurers
	own     string // the organisation whose people speak for the insurer that is built in
	demo    func(ctx context.Context) (string, error)
}

// Of is an insurer, built in or plugged in.
func (c covers) Of(ctx context.Context, db pg.DB, name string) (policies.Insurer, string, error) {
	i, barred, err := c.insured.Of(ctx, db, name)
	if errors.Is(err, connectors.ErrNotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	return i, barred, nil
}

// Names are all insurers that may be asked. One that cannot be opened is left out.
func (c covers) Names(ctx context.Context, db pg.DB) ([]string, error) {
	all, failed := c.insured.All(ctx, db)
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = o.ID()
	}
	if len(names) > 0 {
		return names, nil
	}
	return names, failed
}

// Owner is whose people speak for an insurer.
func (c covers) Owner(ctx context.Context, db pg.DB, name string) (string, error) {
	if name == insurerName {
		if c.own != "" || c.demo == nil {
			return c.own, nil
		}
		return c.demo(ctx)
	}
	return c.insured.plugged.Owner(ctx, db, connectors.PortInsurance, name)
}

// insurerOwner is the organisation that the partners' file names for the built-in
// insurer.
func (p *partners) insurerOwner() string {
	if p.insurance.OpenInsurance == nil {
		return ""
	}
	return p.insurance.OpenInsurance.Organisation
}

// demoInsurer is the demonstration market's insurer.
func demoInsurer(store *pg.Store, demo bool) func(context.Context) (string, error) {
	if !demo {
		return nil
	}
	return func(ctx context.Context) (string, error) {
		m, err := loadNote[market](ctx, store, "demo")
		if errors.Is(err, errNoNote) {
			return "", nil
		}
		return m.Insurer, err
	}
}
