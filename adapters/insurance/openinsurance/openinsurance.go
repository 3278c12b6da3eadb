// Package openinsurance speaks insurance.v1 with an insurer that gave us an API
// key: the same paths and bodies as a connector's (docs/partner), without its
// manifest and its certificate.
package openinsurance

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/webhook"
)

// Config is what an insurer gives to a distributor.
type Config struct {
	BaseURL string `json:"base_url"` // https://api.insurer.example/insurance/v1
	APIKey  string `json:"api_key"`
	// WebhookKeys are the public keys, whpk_…, that its events are signed with; two
	// while they change.
	WebhookKeys []string `json:"webhook_keys"`
	// Observations says that it pays by an index.
	Observations bool `json:"observations"`
	// EventsURL is where we want to hear of what happens; "" leaves it to what the
	// insurer was told.
	EventsURL string `json:"events_url"`

	Roots    *x509.CertPool    `json:"-"` // nil: the system's
	Settings outbound.Settings `json:"-"`
}

// New makes a driver; it calls nobody. A configuration that lacks something is an
// error.
func New(c Config) (insurance.Driver, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("openinsurance: base_url %q is no address", c.BaseURL)
	}
	if len(c.APIKey) < 16 || strings.ContainsAny(c.APIKey, " \t\r\n") {
		return nil, errors.New("openinsurance: an API key has 16 signs or more and no space")
	}
	if len(c.WebhookKeys) > 2 {
		return nil, errors.New("openinsurance: at most two webhook keys are valid at once")
	}
	for _, k := range c.WebhookKeys {
		if _, ok := webhook.PublicKey(k); !ok {
			return nil, errors.New("openinsurance: a webhook key is whpk_ and an Ed25519 key in base64")
		}
	}
	line := &line{base: strings.TrimRight(c.BaseURL, "/"), key: c.APIKey, events: c.EventsURL, client: outbound.Client(c.Settings, c.Roots)}
	d := insurance.NewV1("openinsurance", line.call, c.WebhookKeys...)
	if c.Observations {
		return insurance.Observing{V1: d}, nil
	}
	return d, nil
}

// line is how one insurer is called.
type line struct {
	base, key, events string
	client            *http.Client
}

// call makes one request. What only asks may be asked again, as its lane says; all
// else is sent once. An insurer that answers 401 with the code unauthenticated has
// done nothing: the protocol says so.
func (l *line) call(ctx context.Context, method, path, key string, body []byte) (outbound.Answer, outbound.Result, bool) {
	req, err := http.NewRequestWithContext(ctx, method, l.base+path, bytes.NewReader(body))
	if err != nil {
		return outbound.Answer{}, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}, false
	}
	carry := outbound.Send
	if method == http.MethodGet {
		carry, req.Body, req.ContentLength = outbound.Read, http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	req.Header.Set("X-API-Key", l.key)
	if l.events != "" && method == http.MethodPost {
		req.Header.Set("X-Callback-URL", l.events)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", `"`+key+`"`)
	}
	a, r, ok := carry(l.client, req)
	a.Body = outbound.Redact(a.Body, l.key)
	r.Evidence = a.Body
	if a.Status == http.StatusUnauthorized && outbound.ProblemOf(a).Code == "unauthenticated" {
		r.Outcome, r.Reason, r.Text = outbound.NotSent, outbound.Credentials, "the insurer does not know our key"
	}
	return a, r, ok
}
