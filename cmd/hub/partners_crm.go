package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"tiwiza/adapters/crm"
	"tiwiza/adapters/crm/hubspot"
	"tiwiza/adapters/crm/tryton"
	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/relations"
	"tiwiza/pkg/event"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// crmConfig says which systems know the customers who agreed; without any nobody
// outside does.
type crmConfig struct {
	HubSpot *hubspotConfig `json:"hubspot"`
	Tryton  *trytonConfig  `json:"tryton"`
	// Connector is how hub certify, or a hub that plugs it in, reaches a
	// demonstration's second system; no hub uses it by itself.
	Connector *standInDoor `json:"connector"`
}

// standInDoor is where a stand-in's connector is.
type standInDoor struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// hubspotConfig is HubSpot, which keeps what it is told abroad.
type hubspotConfig struct {
	hubspot.Config
	// Transfer is the authorisation by which data may leave the country, as it
	// stands when the hub meets the system; an operator may change it later.
	Transfer string `json:"transfer"`
}

// trytonConfig is a Tryton server, in the country or abroad.
type trytonConfig struct {
	tryton.Config
	Abroad   bool   `json:"abroad"`
	Transfer string `json:"transfer"` // as of HubSpot, when it is abroad
}

// unsafe lists what must not be in production.
func (c crmConfig) unsafe() (errs []error) {
	private := func(what, s string) {
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("%s's base_url %q is not https", what, s))
		}
	}
	if c.HubSpot != nil {
		private("HubSpot", c.HubSpot.BaseURL)
		if c.HubSpot.Transfer == "demonstration" {
			errs = append(errs, errors.New("HubSpot's transfer is a demonstration's: name the authorisation, or leave it out and nothing leaves the country"))
		}
	}
	if c.Tryton != nil {
		private("Tryton", c.Tryton.BaseURL)
	}
	return errs
}

// open makes the systems ready; it calls none of them.
func (c crmConfig) open(m *outbound.Metrics) (all []*crm.CRM, transfer map[string]string, err error) {
	transfer = map[string]string{}
	if c.HubSpot != nil {
		d, err := hubspot.New(c.HubSpot.Config)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, crm.New("hubspot", d, crm.Options{Abroad: true, Metrics: m}))
		transfer["hubspot"] = c.HubSpot.Transfer
	}
	if c.Tryton != nil {
		d, err := tryton.New(c.Tryton.Config)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, crm.New("tryton", d, crm.Options{Abroad: c.Tryton.Abroad, Metrics: m, Lane: outbound.Settings{Deadline: trytonTime}}))
		transfer["tryton"] = c.Tryton.Transfer
	}
	return all, transfer, nil
}

// trytonTime is for a batch, which Tryton changes one by one.
const trytonTime = 25 * time.Second

// kept opens what keeps systems outside up to date, and has it hear of what goes
// on: systems may be plugged in while the hub runs.
func (p *partners) kept(store *pg.Store, bus *event.Bus, m *members.Service, ord *orders.Service, points *loyalty.Service, plugged *relating) (*relations.Service, error) {
	n := relations.Needs{People: acquaintances{m}, Orders: ord, Loyalty: points, Plugged: plugged}
	var err error
	if p.crms, n.Transfer, err = p.crm.open(p.metrics); err != nil {
		return nil, err
	}
	n.CRMs = p.crms
	s := relations.New(store, n)
	relations.Tell(bus)
	relations.Subscribe(bus, s)
	meets(plugged.plugged, s)
	return s, nil
}

// acquaintances tell relations who people are.
type acquaintances struct{ members *members.Service }

// Profiles are those of some persons, each with its name in the language it reads.
func (a acquaintances) Profiles(ctx context.Context, db pg.DB, persons []string) ([]relations.Profile, error) {
	found, err := a.members.Profiles(ctx, db, persons)
	all := make([]relations.Profile, len(found))
	for i, p := range found {
		all[i] = relations.Profile{ID: p.ID, Name: p.Names[p.Lang], Phone: p.Phone, Email: p.Email, Lang: p.Lang}
		for _, lang := range []string{"fr", "ar", "en"} {
			if all[i].Name == "" {
				all[i].Name = p.Names[lang]
			}
		}
	}
	return all, err
}
