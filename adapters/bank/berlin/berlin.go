// Package berlin drives banks that speak the Berlin Group's NextGenPSD2 XS2A
// framework 1.3.12: orders go out as bulk payments, the bank is asked how far
// each has come, and what it has booked is read as statements.
//
// The standard has no question "do you have this order?" by a name of ours. What
// it does have is a name that the bank gives (paymentId), in the very answer that
// may be lost. So the driver writes down that an order leaves before it leaves,
// and never sends one a second time unless the bank promises that a repeated
// X-Request-ID does nothing again (Profile.Repeats): what was lost shows among
// the bank's transactions, or people settle it.
package berlin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/strict"
)

// Profile is what one bank makes of what the standard leaves open.
type Profile struct {
	// Product is the bank's name of the payment product; sepa-credit-transfers when
	// nothing is said.
	Product string `json:"product"`
	IBAN    bool   `json:"iban"` // write accounts as IBAN; else as BBAN, the bare RIB
	// Repeats is for how long the bank promises to answer an X-Request-ID that it
	// knows as it did the first time, and to do nothing again. Zero: it promises
	// nothing, and no order is ever sent a second time.
	Repeats time.Duration `json:"-"`
	// Lists is the bank's promise that an order shows among the pending or booked
	// transactions from the moment it is taken. Without it an order that does not
	// show may still be there.
	Lists bool `json:"lists"`
}

// Account is one of ours, by the name that the bank's API gives it (resourceId).
type Account struct {
	RIB      string `json:"rib"`
	Resource string `json:"resource"`
}

// Config is what a bank gives a client.
type Config struct {
	BaseURL string // up to /v1, without it
	// A bearer token, or where to fetch one (OAuth 2.0 client credentials).
	Token, TokenURL, ClientID, ClientSecret string
	// Certificate and Key are the client certificate of mutual TLS (QWAC), in PEM;
	// none where the bank does without.
	Certificate, Key string
	Roots            string // PEM certificates that sign the bank's; none: the system's
	// Address is our own IPv4 address, which the standard wants where a customer's
	// would stand.
	Address  string
	Consent  string // the consent under which accounts are read
	Accounts []Account
	// Since is the first day whose transactions are read.
	Since   time.Time
	Profile Profile
	// Every is how often the bank is asked at most for what it has to say; banks
	// bound that by contract.
	Every    time.Duration
	Settings outbound.Settings
	Notes    bank.Notes
	Now      func() time.Time
}

// Driver is a bank.Driver. It is safe for use by many goroutines.
type Driver struct {
	cfg     Config
	base    *url.URL
	at      string // base, as text
	client  *http.Client
	tokens  *outbound.Tokens
	secrets []string

	mu    sync.Mutex
	asked time.Time // when the bank was last asked for news
}

var _ bank.Driver = (*Driver)(nil)

var segment = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// New makes a driver; a configuration that lacks something is an error.
func New(cfg Config) (*Driver, error) {
	if cfg.Profile.Product == "" {
		cfg.Profile.Product = "sepa-credit-transfers"
	}
	u, err := url.Parse(strings.TrimRight(cfg.BaseURL, "/"))
	ip := net.ParseIP(cfg.Address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil:
		return nil, fmt.Errorf("berlin: the bank's address %q is no plain URL", cfg.BaseURL)
	case (cfg.Token == "") == (cfg.TokenURL == ""):
		return nil, errors.New("berlin: give a token, or where to fetch one")
	case ip == nil || ip.To4() == nil:
		return nil, fmt.Errorf("berlin: our address %q is no IPv4 address", cfg.Address)
	case !segment.MatchString(cfg.Profile.Product):
		return nil, fmt.Errorf("berlin: the product %q cannot stand in a path", cfg.Profile.Product)
	case cfg.Notes == nil || cfg.Now == nil || cfg.Since.IsZero() || cfg.Consent == "":
		return nil, errors.New("berlin: the notes, the clock, the first day or the consent are missing")
	case len(cfg.Accounts) == 0:
		return nil, errors.New("berlin: the accounts' names at the bank (resourceId) are missing")
	}
	for _, a := range cfg.Accounts {
		if bank.CheckRIB(a.RIB) != nil || !segment.MatchString(a.Resource) {
			return nil, fmt.Errorf("berlin: the account %q, by the bank %q, is not right", a.RIB, a.Resource)
		}
	}
	d := &Driver{cfg: cfg, base: u, at: u.String(), secrets: []string{cfg.Token, cfg.ClientSecret}}
	if d.client, err = client(cfg); err != nil {
		return nil, err
	}
	if cfg.TokenURL != "" {
		d.tokens = outbound.NewTokens(d.client, cfg.TokenURL, cfg.ClientID, cfg.ClientSecret)
	}
	return d, nil
}

func client(cfg Config) (*http.Client, error) {
	var roots *x509.CertPool
	if cfg.Roots != "" {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM([]byte(cfg.Roots)) {
			return nil, errors.New("berlin: the roots are no PEM certificates")
		}
	}
	if cfg.Certificate == "" {
		return outbound.Client(cfg.Settings, roots), nil
	}
	own, err := tls.X509KeyPair([]byte(cfg.Certificate), []byte(cfg.Key))
	if err != nil {
		return nil, fmt.Errorf("berlin: our certificate: %w", err)
	}
	return outbound.Client(cfg.Settings, roots, func(t *http.Transport) { t.TLSClientConfig.Certificates = []tls.Certificate{own} }), nil
}

// A request is one call of the API.
type request struct {
	method, path string // the path from /v1 on, with its query
	id           string // X-Request-ID; one of its own when it is empty
	body         []byte
}

// call makes a call. A token that the bank has ended before its time is fetched
// anew once: by such an answer the bank has done nothing.
func (d *Driver) call(ctx context.Context, q request) (a outbound.Answer, r outbound.Result, ok bool) {
	for try := 0; ; try++ {
		token := d.cfg.Token
		if d.tokens != nil {
			if token, r, ok = d.tokens.Token(ctx); !ok {
				return a, r, false
			}
		}
		a, r, ok = d.once(ctx, q, token)
		r.Evidence = outbound.Redact(r.Evidence, append(d.secrets, token)...)
		if ok {
			return a, r, true
		}
		r.Code, r.Text = refusal(a, r.Code)
		if a.Status != http.StatusUnauthorized || !slices.Contains(strangers, r.Code) {
			return a, r, false
		}
		r.Outcome, r.Reason = outbound.NotSent, outbound.Credentials
		if try > 0 || d.tokens == nil || !strings.HasPrefix(r.Code, "TOKEN_") {
			return a, r, false
		}
		d.tokens.Forget(ctx, token)
	}
}

// strangers are the standard's words for a client who is not let in: nothing of
// the request was done.
var strangers = []string{
	"CERTIFICATE_INVALID", "ROLE_INVALID", "CERTIFICATE_EXPIRED", "CERTIFICATE_BLOCKED", "CERTIFICATE_REVOKE", "CERTIFICATE_MISSING",
	"SIGNATURE_INVALID", "SIGNATURE_MISSING", "CORPORATE_ID_INVALID", "PSU_CREDENTIALS_INVALID", "CONSENT_INVALID", "CONSENT_EXPIRED",
	"TOKEN_UNKNOWN", "TOKEN_INVALID", "TOKEN_EXPIRED", "KID_MISSING",
}

// once makes one request.
func (d *Driver) once(ctx context.Context, q request, token string) (outbound.Answer, outbound.Result, bool) {
	req, err := http.NewRequestWithContext(ctx, q.method, d.at+q.path, bytes.NewReader(q.body))
	if err != nil {
		return outbound.Answer{}, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}, false
	}
	if q.id == "" {
		q.id = newRequest()
	}
	req.Header.Set("X-Request-ID", q.id)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	if q.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("PSU-IP-Address", d.cfg.Address)
		return outbound.Send(d.client, req)
	}
	req.Body, req.ContentLength = http.NoBody, 0
	if strings.HasPrefix(q.path, accounts) {
		req.Header.Set("Consent-ID", d.cfg.Consent) // and no address: no person asks
	}
	return outbound.Read(d.client, req)
}

// refusal is the bank's own code and words, in either of the standard's forms.
func refusal(a outbound.Answer, code string) (string, string) {
	var said struct {
		Messages []struct {
			Category string `json:"category"`
			Code     string `json:"code"`
			Text     string `json:"text"`
		} `json:"tppMessages"`
		Code   string `json:"code"`
		Detail string `json:"detail"`
	}
	if len(a.Body) == 0 || strict.Object(a.Body, &said) != nil {
		return code, ""
	}
	for _, m := range said.Messages {
		if m.Category == "ERROR" && m.Code != "" {
			return cut(m.Code, 64), cut(m.Text, 200)
		}
	}
	if said.Code != "" {
		return cut(said.Code, 64), cut(said.Detail, 200)
	}
	return code, ""
}

// because is a failed call as an error that keeps its reason.
func because(r outbound.Result) error {
	err := r.Err
	if err == nil {
		err = fmt.Errorf("the bank answers %s %s", r.Code, r.Text)
	}
	if r.Reason == "" {
		return err
	}
	return outbound.Because(r.Reason, err)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// cut shortens a text of the bank.
func cut(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
