package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"tiwiza/adapters/notify"
	"tiwiza/adapters/notify/smsgateway"
	"tiwiza/adapters/notify/smtp"
	"tiwiza/adapters/notify/whatsapp"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/notices"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// notifyConfig says by whom people are told things; without any nobody is.
type notifyConfig struct {
	// BoxKey is the hub's own, one for all hubs of a database: it seals the codes
	// that wait to be sent.
	BoxKey string `json:"box_key"`
	// Ways are the channels in the order in which they are tried for who wishes no
	// other; WhatsApp, SMS, e-mail when left out.
	Ways     []notify.Channel   `json:"ways"`
	SMS      *smsgateway.Config `json:"sms"`
	WhatsApp *whatsapp.Config   `json:"whatsapp"`
	Email    *smtp.Config       `json:"email"`
	// Connector is how hub certify, or a hub that plugs it in, reaches a
	// demonstration's gateway by the protocol; no hub uses it by itself.
	Connector *standInDoor `json:"connector"`
}

// unsafe lists what must not be in production.
func (c notifyConfig) unsafe() (errs []error) {
	if c.SMS == nil && c.WhatsApp == nil && c.Email == nil {
		return nil
	}
	if len(c.BoxKey) < 32 {
		errs = append(errs, errors.New("notify's box_key is missing, or shorter than 32 signs: codes that wait to be sent could be read, or not be opened by another hub"))
	}
	private := func(what, s string) {
		if u, err := url.Parse(s); err != nil || u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("%s %q is not https", what, s))
		}
	}
	if c.SMS != nil {
		private("the SMS gateway's url", c.SMS.URL)
	}
	if c.WhatsApp != nil {
		private("WhatsApp's base_url", c.WhatsApp.BaseURL)
	}
	if c.Email != nil && c.Email.Plain {
		errs = append(errs, errors.New("the mail server's plain lets mails travel in the open"))
	}
	return errs
}

// open makes those who bring messages ready. They report to the hub's public
// address.
func (c notifyConfig) open(m *outbound.Metrics, public string) (all []*notify.Carrier, box notices.Box, err error) {
	if box, err = notices.NewBox(c.BoxKey); err != nil {
		return nil, box, err
	}
	add := func(name string, d notify.Driver, err error) error {
		if err == nil {
			all = append(all, notify.New(name, d, notify.Options{Metrics: m}))
		}
		return err
	}
	if c.WhatsApp != nil {
		d, err := whatsapp.New(*c.WhatsApp)
		if err := add("whatsapp", d, err); err != nil {
			return nil, box, err
		}
	}
	if c.SMS != nil {
		set := *c.SMS
		set.ReportURL = public + "/callbacks/sms/notices"
		d, err := smsgateway.New(set)
		if err := add("sms", d, err); err != nil {
			return nil, box, err
		}
	}
	if c.Email != nil {
		d, err := smtp.New(*c.Email)
		if err := add("mail", d, err); err != nil {
			return nil, box, err
		}
	}
	return all, box, nil
}

// teller opens what tells people things, by those who bring messages: built in, or
// plugged in while the hub runs.
func (p *partners) teller(store *pg.Store, people notices.People, ord *orders.Service, public string, plugged *telling) (_ *notices.Service, err error) {
	n := notices.Needs{People: people, Orders: ord, URL: public, Ways: p.notify.Ways, Plugged: plugged}
	p.tells, n.Box, err = p.notify.open(p.metrics, public)
	n.Carriers = p.tells
	s := notices.New(store, n)
	hears(plugged.plugged, s)
	return s, err
}

// tellsPeople says whether there is anybody to tell people things by, or may be: a hub
// with a box_key and nobody built in waits for one to be plugged in.
func (p *partners) tellsPeople() bool { return len(p.tells) > 0 || p.notify.BoxKey != "" }

// listen has notices hear of what people want to know, when there is anybody to
// tell it by.
func (p *partners) listen(bus *event.Bus, told *notices.Service) {
	notices.Tell(bus)
	if p.tellsPeople() {
		notices.Subscribe(bus, told)
	}
}

// reach tells notices where people can be reached.
type reach struct{ members *members.Service }

// Reach is where a person can be told something, or those of an organisation who
// look after its sales or its money.
func (r reach) Reach(ctx context.Context, db pg.DB, subject string) (all []notices.Address, err error) {
	find := r.members.ContactsOf
	if id.Is(id.Person, subject) {
		find = r.members.Contact
	}
	found, err := find(ctx, db, subject)
	for _, c := range found {
		if c.Phone != "" || c.Email != "" {
			all = append(all, notices.Address{Phone: c.Phone, Email: c.Email, Lang: c.Lang})
		}
	}
	return all, err
}

// courier brings what members tell people who sign in; a demonstration shows it
// besides.
type courier struct {
	told  *notices.Service
	inbox *members.Inbox // nil in production
}

// courier has members tell people things, when there is anybody to do it.
func (p *partners) courier(m *members.Service, told *notices.Service, inbox *members.Inbox) {
	if !p.tellsPeople() {
		told = nil
	}
	if told != nil || inbox != nil {
		m.SendBy(courier{told, inbox})
	}
}

// Tell tells somebody something, as a step of the caller's unit of work.
func (c courier) Tell(ctx context.Context, tx *pg.Tx, n members.Notice) error {
	if c.inbox != nil {
		if err := c.inbox.Tell(ctx, tx, n); err != nil {
			return err
		}
	}
	if c.told == nil {
		return nil
	}
	t := notices.Telling{Owner: n.Person, Phone: n.Phone, Email: n.Email, Kind: notices.Kind(n.Kind), Lang: n.Lang, Params: n.Params}
	switch t.Kind {
	case notices.SignInCode:
		t.Params = map[string]string{"code": n.Params["code"], "host": c.told.Host()}
	case notices.Invitation:
		t.Params = map[string]string{"organisation": n.Params["organisation"], "token": c.told.URL + "/rejoindre/" + n.Params["token"]}
	}
	return c.told.Tell(ctx, tx, t)
}
