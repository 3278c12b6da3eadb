// Package hubspot keeps people and orders in HubSpot, by its CRM API v3 and its
// communication preferences. Our own names are in properties of theirs, which the
// account must have: hub_customer_id of contacts and hub_order_id of deals, both
// with unique values; hub_consent, hub_points, hub_points_version and hub_tier of contacts.
package hubspot

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"tiwiza/adapters/crm"
	"tiwiza/pkg/outbound"
)

// Config says how HubSpot is spoken to.
type Config struct {
	BaseURL      string               `json:"base_url"`     // https://api.hubapi.com
	Token        string               `json:"token"`        // of a private app
	Subscription string               `json:"subscription"` // the type of mails that consent is about
	Pipeline     string               `json:"pipeline"`     // default
	Stages       map[crm.Stage]string `json:"stages"`       // its stages for ours; those of a new account

	Roots    *x509.CertPool    `json:"-"` // nil: the system's
	Settings outbound.Settings `json:"-"`
	Every    rate.Limit        `json:"-"` // calls a second; 80 % of what the smallest account has
}

// stages are those of a new account's pipeline.
var stages = map[crm.Stage]string{
	crm.Created: "appointmentscheduled", crm.Paid: "qualifiedtobuy", crm.Shipped: "presentationscheduled", crm.Won: "closedwon", crm.Lost: "closedlost",
}

// Names of the properties that carry what is ours.
const (
	customer = "hub_customer_id"
	order    = "hub_order_id"
)

// Driver speaks with one account.
type Driver struct {
	c      Config
	base   string
	client *http.Client
	pace   *rate.Limiter
}

// New makes a driver; it calls nobody.
func New(c Config) (*Driver, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("HubSpot's base_url %q is no address", c.BaseURL)
	}
	if c.Token == "" || c.Subscription == "" {
		return nil, errors.New("HubSpot needs token and subscription")
	}
	all := maps.Clone(stages)
	for s, theirs := range c.Stages {
		if _, ok := all[s]; !ok || theirs == "" {
			return nil, fmt.Errorf("HubSpot's stages name %q for %q, which is no stage", theirs, s)
		}
		all[s] = theirs
	}
	c.Stages, c.Pipeline, c.Every = all, cmp.Or(c.Pipeline, "default"), cmp.Or(c.Every, 8)
	return &Driver{
		c: c, base: strings.TrimSuffix(c.BaseURL, "/"), pace: rate.NewLimiter(c.Every, 8),
		client: outbound.Client(c.Settings.Or(outbound.Defaults(outbound.Tell)), c.Roots),
	}, nil
}

// Name names the driver.
func (d *Driver) Name() string { return "hubspot" }

// Probe asks what kinds of mails there are.
func (d *Driver) Probe(ctx context.Context) outbound.Result {
	_, r := d.ask(ctx, http.MethodGet, "/communication-preferences/v3/definitions", nil)
	return r
}

// failure is how HubSpot says that something went wrong, of a whole call or of one
// of many.
type failure struct {
	Status     string
	Message    string
	Category   string
	PolicyName string
	Errors     []struct {
		Code    string
		Message string
	}
	Context struct {
		IDs []string `json:"ids"`
	}
}

// final are the categories by which HubSpot refuses what it was given, and would
// again.
var final = []string{"VALIDATION_ERROR", "CONFLICT", "OBJECT_NOT_FOUND", "INVALID_EMAIL", "DUPLICATE_UNIQUE_PROPERTY_VALUE"}

// ours are codes that speak of the account's setting, and of no contact.
var ours = []string{"PROPERTY_DOESNT_EXIST", "MISSING_SCOPES", "INVALID_OPTION", "PIPELINE_NOT_FOUND"}

// ask makes one call; body nil has none.
func (d *Driver) ask(ctx context.Context, method, path string, body any) (a outbound.Answer, r outbound.Result) {
	if err := d.pace.Wait(ctx); err != nil {
		return a, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Limited, RetryAfter: time.Second, Err: err}
	}
	var b []byte
	if body != nil {
		var err error
		if b, err = json.Marshal(body); err != nil {
			return a, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(b))
	if err != nil {
		return a, outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Unfit, Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+d.c.Token)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	a, r, ok := outbound.Send(d.client, req)
	if ok {
		return a, outbound.Result{Outcome: outbound.Succeeded}
	}
	r.Evidence = outbound.Redact(r.Evidence, d.c.Token)
	return a, refused(a, r)
}

// refused reads what HubSpot says of a call that it did not do.
func refused(a outbound.Answer, r outbound.Result) outbound.Result {
	var f failure
	if a.Status < 400 || json.Unmarshal(a.Body, &f) != nil {
		return r
	}
	switch {
	case r.Reason == outbound.Limited:
		if r.RetryAfter == 0 {
			r.RetryAfter = window(f.PolicyName)
		}
		r.Outcome, r.Code = outbound.NotSent, f.PolicyName // it says so before it looks at anything
	case f.about(ours):
		r.Reason, r.Code, r.Text = outbound.Unlisted, f.code(), f.Message
	case (a.Status == http.StatusBadRequest || a.Status == http.StatusConflict || a.Status == http.StatusNotFound) && slices.Contains(final, f.Category):
		r.Outcome, r.Code, r.Text = outbound.Declined, f.code(), f.Message
	}
	return r
}

// window is how long HubSpot's limits last: ten seconds, or until its midnight.
func window(policy string) time.Duration {
	switch policy {
	case "DAILY":
		return outbound.MaxRetryAfter
	case "SECONDLY":
		return time.Second
	}
	return 10 * time.Second
}

func (f failure) about(codes []string) bool {
	if slices.Contains(codes, f.Category) {
		return true
	}
	for _, e := range f.Errors {
		if slices.Contains(codes, e.Code) {
			return true
		}
	}
	// What an API of several parts says itself it says as a text.
	return slices.ContainsFunc(codes, func(c string) bool { return strings.Contains(f.Message, `"`+c+`"`) || strings.Contains(f.Message, c) })
}

// code is what the failure is kept as.
func (f failure) code() string {
	if f.Category == "OBJECT_NOT_FOUND" {
		return crm.Gone
	}
	for _, e := range f.Errors {
		if e.Code != "" {
			return e.Code
		}
	}
	return cmp.Or(f.Category, "refused")
}
