// Package gsma drives mobile wallets whose provider speaks the GSMA Mobile
// Money API, version 1.1: payments are asked for and answered later, and what
// became of a request is found by the correlation id that we gave it.
package gsma

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tiwiza/adapters/wallet"
	"tiwiza/pkg/outbound"
)

// Config is what a provider gives a merchant.
type Config struct {
	BaseURL  string // …/v1.1/mm, without a slash at the end
	Merchant string // who the wallets pay to
	// MerchantKey is what kind of name that is: an account identifier type of the
	// API, organisationid unless the provider says otherwise.
	MerchantKey string
	ClientID    string // X-Client-Id; "" when the provider gives none
	APIKey      string // X-API-Key; "" when the provider uses tokens alone
	// TokenURL, TokenID and TokenSecret are for providers that want an access
	// token (OAuth 2.0 client credentials).
	TokenURL, TokenID, TokenSecret string
	Roots                          *x509.CertPool
	Settings                       outbound.Settings // time-outs of the connections
}

// Driver is a wallet.Driver, and reverses and pays to wallets.
type Driver struct {
	cfg    Config
	client *http.Client
	tokens *outbound.Tokens // nil without a token address
}

var _ interface {
	wallet.Driver
	wallet.Reverser
	wallet.Payer
} = (*Driver)(nil)

// New makes a driver; a configuration that lacks something is an error.
func New(cfg Config) (*Driver, error) {
	if cfg.Merchant == "" {
		return nil, errors.New("gsma: the merchant's name at the provider is missing")
	}
	if cfg.APIKey == "" && cfg.TokenURL == "" {
		return nil, errors.New("gsma: neither an API key nor an address for access tokens is given")
	}
	if cfg.TokenURL != "" && (cfg.TokenID == "" || cfg.TokenSecret == "") {
		return nil, errors.New("gsma: the id or the secret for access tokens is missing")
	}
	for _, v := range []string{cfg.BaseURL, cfg.TokenURL} {
		if u, err := url.Parse(v); v != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") || cfg.BaseURL == "" {
			return nil, fmt.Errorf("gsma: %q is not an http(s) address", v)
		}
	}
	if cfg.MerchantKey == "" {
		cfg.MerchantKey = "organisationid"
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	d := &Driver{cfg: cfg, client: outbound.Client(cfg.Settings, cfg.Roots)}
	if cfg.TokenURL != "" {
		d.tokens = outbound.NewTokens(d.client, cfg.TokenURL, cfg.TokenID, cfg.TokenSecret)
	}
	return d, nil
}

// Merchant is who the wallets pay to.
func (d *Driver) Merchant() string { return d.cfg.Merchant }

// Correlation is the X-CorrelationID of a reference: the API wants a UUID, and
// the same reference must always have the same (RFC 9562, version 8: what it is
// made of is ours to say).
func (d *Driver) Correlation(ref string) string {
	sum := sha256.Sum256([]byte("mobile money|" + d.cfg.Merchant + "|" + ref))
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
