package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"tiwiza/adapters/insurance"
	"tiwiza/adapters/insurance/openinsurance"
	"tiwiza/adapters/remote"
	"tiwiza/payments/connectors"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// insurerName is the built-in insurer's in the books and on /v1/partners.
const insurerName = "insurer"

// insuranceConfig says which insurer is built in; others are plugged in.
type insuranceConfig struct {
	OpenInsurance *openInsuranceConfig `json:"openinsurance"`
}

// openInsuranceConfig is an insurer that speaks insurance.v1 for an API key.
type openInsuranceConfig struct {
	openinsurance.Config
	Organisation string `json:"organisation"` // whose people speak for it at the hub, "" when nobody does
	Certified    proofs `json:"certified"`    // of the kind policy
	Account      rib    `json:"account"`      // where its money comes from, and what is owed to it goes
}

// unsafe lists what must not be in production.
func (c insuranceConfig) unsafe() (errs []error) {
	if c.OpenInsurance == nil {
		return nil
	}
	if u, err := url.Parse(c.OpenInsurance.BaseURL); err != nil || u.Scheme != "https" {
		errs = append(errs, fmt.Errorf("the insurer's base_url %q is not https", c.OpenInsurance.BaseURL))
	}
	if len(c.OpenInsurance.WebhookKeys) == 0 {
		errs = append(errs, errors.New("the insurer's webhook_keys are missing: its events could not be told from anybody's"))
	}
	return errs
}

// insurers are those that the market insures with: built in, and plugged in while
// the hub runs. It is safe for use by many goroutines.
type insurers struct {
	built []*insurance.Insurer
	tell  func(ctx context.Context, insurer string, e insurance.Event) error
	ready[*insurance.Insurer]
}

// insured opens the insurer that is built in, if there is one; it calls nobody.
func (p *partners) insured(o options) (*insurers, error) {
	s := &insurers{ready: ready[*insurance.Insurer]{dial: dialer(o.guard()), of: func(n *remote.Connector, c connectors.Plug) *insurance.Insurer {
		return insurance.New(c.ID, remote.NewInsurance(n, c.Features, c.WebhookKeys), insurance.Options{Pay: c.Pace(outbound.Pay, 2), Query: c.Pace(outbound.Query, 2), Metrics: p.metrics})
	}}}
	if p.insurance.OpenInsurance == nil {
		return s, nil
	}
	c := p.insurance.OpenInsurance.Config
	if c.EventsURL == "" && len(c.WebhookKeys) > 0 {
		c.EventsURL = o.PublicURL + "/callbacks/" + insurerName + "/events"
	}
	d, err := openinsurance.New(c)
	if err != nil {
		return nil, err
	}
	s.built = []*insurance.Insurer{insurance.New(insurerName, d, insurance.Options{Metrics: p.metrics})}
	return s, nil
}

// On has events that were heard passed on: what they are about is then asked. It is
// called before the hub starts.
func (s *insurers) On(tell func(ctx context.Context, insurer string, e insurance.Event) error) {
	s.tell = tell
}

// Of is an insurer by its name: connectors.ErrNotFound. Barred says why nothing may
// be made there now, or ""; it may still be asked.
func (s *insurers) Of(ctx context.Context, db pg.DB, name string) (i *insurance.Insurer, barred string, err error) {
	for _, i := range s.built {
		if i.ID() == name {
			return i, "", nil
		}
	}
	p, err := s.plugged.Plug(ctx, db, connectors.PortInsurance, name)
	if err != nil {
		return nil, "", err
	}
	i, err = s.made(ctx, db, p)
	return i, p.Barred, err
}

// All are the insurers that may be asked: built in, and plugged in ones that were
// ever live. One that cannot be opened keeps the others not.
func (s *insurers) All(ctx context.Context, db pg.DB) (all []*insurance.Insurer, failed error) {
	all = append(all, s.built...)
	plugs, failed := s.plugged.Plugs(ctx, db, connectors.PortInsurance)
	for _, p := range plugs {
		i, err := s.made(ctx, db, p)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		all = append(all, i)
	}
	return all, failed
}

// Hear takes in an insurer's event: connectors.ErrNotFound, insurance.ErrForged,
// insurance.ErrUnreadable. It proves no more than that there is a reason to ask.
func (s *insurers) Hear(ctx context.Context, db pg.DB, name string, header map[string][]string, body []byte) error {
	i, _, err := s.Of(ctx, db, name)
	if err != nil {
		return err
	}
	e, err := i.Heard(header, body)
	if err != nil || s.tell == nil {
		return err
	}
	return s.tell(ctx, name, e)
}
