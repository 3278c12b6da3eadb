// Package nestpay drives acquirers on the NestPay platform with ver3 hashes,
// as the Moroccan interbank centre and its successors run it.
package nestpay

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"tiwiza/adapters/card"
	"tiwiza/pkg/outbound"
)

// Config is what an acquirer gives a merchant.
type Config struct {
	ClientID             string // the merchant's number
	StoreKey             string // signs forms and notices
	APIUser, APIPassword string // for the server API
	GateURL              string // …/fim/est3Dgate
	APIURL               string // …/fim/api
	Roots                *x509.CertPool
	Settings             outbound.Settings // time-outs of the API's connections
	Fields               []string          // names this acquirer's notices carry beyond the usual ones
}

// Driver is a card.Driver, and captures, voids, refunds and
// hears of chargebacks.
type Driver struct {
	cfg    Config
	client *http.Client
	known  map[string]bool
}

var _ interface {
	card.Driver
	card.Capturer
	card.Voider
	card.Refunder
	card.Disputer
} = (*Driver)(nil)

// New makes a driver; a configuration that lacks something is an error.
func New(cfg Config) (*Driver, error) {
	for name, v := range map[string]string{"client id": cfg.ClientID, "store key": cfg.StoreKey, "API user": cfg.APIUser, "API password": cfg.APIPassword} {
		if v == "" {
			return nil, errors.New("nestpay: the " + name + " is missing")
		}
	}
	for _, v := range []string{cfg.GateURL, cfg.APIURL} {
		if u, err := url.Parse(v); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, fmt.Errorf("nestpay: %q is not an http(s) address", v)
		}
	}
	d := &Driver{cfg: cfg, client: outbound.Client(cfg.Settings, cfg.Roots), known: map[string]bool{}}
	for _, names := range [][]string{usual, cfg.Fields} {
		for _, n := range names {
			d.known[n] = true
		}
	}
	return d, nil
}

// Merchant is the merchant's number.
func (d *Driver) Merchant() string { return d.cfg.ClientID }
