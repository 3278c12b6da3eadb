package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/berlin"
	"tiwiza/adapters/bank/iso20022"
	"tiwiza/payments/files"
	"tiwiza/pkg/clock"
)

// berlinConfig is a bank that is reached over the Berlin Group's NextGenPSD2.
type berlinConfig struct {
	BaseURL string `json:"base_url"` // up to /v1, without it
	// A bearer token, or where to fetch one; beside either a client certificate.
	Token        string `json:"token"`
	TokenURL     string `json:"token_url"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	Certificate  string `json:"certificate"`
	Key          string `json:"key"`
	Roots        string `json:"roots"`
	Address      string `json:"address"` // our own IPv4 address
	Consent      string `json:"consent"`
	// Accounts are ours by the bank's own names of them.
	Accounts []berlin.Account `json:"accounts"`
	Since    string           `json:"since"` // the first day that is read: 2026-11-01
	berlin.Profile
	// Repeats is for how long the bank promises that a repeated request does nothing
	// again ("24h"); empty: it promises nothing, and nothing is sent twice.
	Repeats string `json:"repeats"`
	Every   string `json:"every"` // how often it is asked at most: "5m"
}

// unsafe lists what must not be in production.
func (c berlinConfig) unsafe() (errs []error) {
	for name, at := range map[string]string{"base_url": c.BaseURL, "token_url": c.TokenURL} {
		if u, err := url.Parse(at); at != "" && (err != nil || u.Scheme != "https") {
			errs = append(errs, fmt.Errorf("the bank's %s is not https: anybody could read and change what goes there", name))
		}
	}
	if c.Certificate == "" && c.TokenURL == "" {
		errs = append(errs, errors.New("the bank is given one token for ever: give token_url, or a client certificate"))
	}
	return errs
}

// open makes the driver.
func (c berlinConfig) open(notes *files.Notes) (*berlin.Driver, error) {
	cfg := berlin.Config{
		BaseURL: c.BaseURL, Token: c.Token, TokenURL: c.TokenURL, ClientID: c.ClientID, ClientSecret: c.ClientSecret,
		Certificate: c.Certificate, Key: c.Key, Roots: c.Roots, Address: c.Address, Consent: c.Consent, Accounts: c.Accounts,
		Profile: c.Profile, Notes: notes, Now: time.Now,
	}
	var err error
	if cfg.Since, err = time.ParseInLocation(time.DateOnly, c.Since, clock.Morocco); err != nil {
		return nil, fmt.Errorf("the first day of the bank's transactions: %w", err)
	}
	for into, text := range map[*time.Duration]string{&cfg.Profile.Repeats: c.Repeats, &cfg.Every: c.Every} {
		if text == "" {
			continue
		}
		if *into, err = time.ParseDuration(text); err != nil {
			return nil, fmt.Errorf("the bank's repeats and every: %w", err)
		}
	}
	return berlin.New(cfg)
}

// openBank makes the driver of the bank, with its notes when it needs any.
func (c partnerConfig) openBank() (bank.Driver, *files.Notes, error) {
	if c.Bank.Berlin != nil {
		notes := files.NewNotes(bankName)
		d, err := c.Bank.Berlin.open(notes)
		return d, notes, err
	}
	d, err := iso20022.New(iso20022.Config{
		Addr: c.Bank.SFTPAddr, User: c.Bank.User, PrivateKey: []byte(c.Bank.PrivateKey), HostKey: c.Bank.HostKey,
		Dirs:    iso20022.Dirs{In: c.Bank.Dirs.In, Out: c.Bank.Dirs.Out, Ack: c.Bank.Dirs.Ack, Archive: c.Bank.Dirs.Archive},
		Profile: iso20022.Profile{Initiator: c.Bank.Safeguard.Name, ICE: c.Bank.ICE, IBAN: c.Bank.IBAN},
	})
	return d, nil, err
}

// speaks is what the built-in bank is driven by.
func (p *partners) speaks() string {
	if p.notes != nil {
		return "berlin"
	}
	return "iso20022"
}
