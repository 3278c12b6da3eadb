package main

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/shopspring/decimal"

	"tiwiza/adapters/wallet"
	"tiwiza/adapters/wallet/gsma"
	"tiwiza/pkg/outbound"
)

// walletConfig is a provider of mobile wallets; without an address there is none.
type walletConfig struct {
	BaseURL     string `json:"base_url"`
	Merchant    string `json:"merchant"`
	MerchantKey string `json:"merchant_key"` // what kind of name that is; organisationid
	ClientID    string `json:"client_id"`
	APIKey      string `json:"api_key"`
	TokenURL    string `json:"token_url"` // where access tokens are asked for, if the provider wants them
	TokenID     string `json:"token_id"`
	TokenSecret string `json:"token_secret"`
	// CallbackKey is the hub's own: it makes the addresses for callbacks, which
	// nobody can guess. Without one the hub only asks.
	CallbackKey string           `json:"callback_key"`
	FeePercent  *decimal.Decimal `json:"fee_percent"`  // as the acquirer's
	SettlesFrom string           `json:"settles_from"` // the account that it pays us from
	Certified   proofs           `json:"certified"`
}

// unsafe lists what must not be in production.
func (c walletConfig) unsafe() (errs []error) {
	if c.BaseURL == "" {
		return nil
	}
	if c.SettlesFrom == "" {
		errs = append(errs, errors.New("the wallet's settles_from is missing: nothing tells its settlements from a stranger's transfer"))
	}
	for what, u := range map[string]string{"base_url": c.BaseURL, "token_url": c.TokenURL} {
		if p, err := url.Parse(u); u != "" && (err != nil || p.Scheme != "https") {
			errs = append(errs, fmt.Errorf("the wallet's %s %q is not https", what, u))
		}
	}
	if c.CallbackKey != "" && len(c.CallbackKey) < 32 {
		errs = append(errs, errors.New("the wallet's callback_key is shorter than 32 signs: addresses could be guessed"))
	}
	return errs
}

func (c walletConfig) driver(s outbound.Settings) (*gsma.Driver, error) {
	return gsma.New(gsma.Config{
		BaseURL: c.BaseURL, Merchant: c.Merchant, MerchantKey: c.MerchantKey, ClientID: c.ClientID, APIKey: c.APIKey,
		TokenURL: c.TokenURL, TokenID: c.TokenID, TokenSecret: c.TokenSecret, Settings: s,
	})
}

// open makes the wallet ready; nil when there is none.
func (c walletConfig) open(m *outbound.Metrics) (*wallet.Wallet, error) {
	if c.BaseURL == "" {
		return nil, nil
	}
	d, err := c.driver(outbound.Settings{})
	if err != nil {
		return nil, err
	}
	return wallet.New(walletName, d, wallet.Options{Key: c.CallbackKey, Metrics: m}), nil
}
