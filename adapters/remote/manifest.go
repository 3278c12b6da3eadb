package remote

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/strict"
	"tiwiza/pkg/webhook"
)

// ManifestPath is where each connector says what it is.
const ManifestPath = "/.well-known/hub-connector"

// ErrManifest says that a connector does not say what it is.
var ErrManifest = fault.New(fault.Invalid, "remote.manifest", "The connector's manifest cannot be read; see docs/partner.")

// Manifest is what a connector says of itself, to whoever asks.
type Manifest struct {
	ID           string       `json:"id"`
	Owner        string       `json:"owner"`
	Capabilities []Capability `json:"capabilities"`
	Auth         []string     `json:"auth"`                  // bearer, oauth2, mtls
	Retention    string       `json:"idempotency_retention"` // "24h": for how long it knows a reference
	Rate         Rate         `json:"rate_limit"`
	WebhookKeys  []string     `json:"webhook_keys"` // whpk_…: its events' public keys, two while they change
	Sandbox      bool         `json:"sandbox"`
	// Digest is of the bytes it was read from.
	Digest string `json:"-"`
}

// Capability is a protocol that a connector speaks: bank, version 1.
type Capability struct {
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Features []string `json:"features"`
}

// Rate is how often a connector may be called.
type Rate struct {
	PerSecond int `json:"per_second"`
	Burst     int `json:"burst"`
}

var (
	idShape      = regexp.MustCompile(`^[a-z][a-z0-9-]{2,39}$`)
	featureShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
)

// Manifest asks the connector what it is: ErrManifest.
func (n *Connector) Manifest(ctx context.Context) (m Manifest, err error) {
	a, r, ok := n.send(ctx, n.open, request{method: http.MethodGet, path: ManifestPath}, "")
	if !ok {
		return m, ErrManifest.With(errors.Join(r.Err, fmt.Errorf("%s %s", r.Outcome, r.Code)))
	}
	return ReadManifest(a.Body)
}

// ReadManifest reads a manifest and says what is wrong with it: ErrManifest, with
// each wrong place.
func ReadManifest(body []byte) (m Manifest, err error) {
	if err := strict.Object(body, &m); err != nil {
		return m, ErrManifest.With(err)
	}
	sum := sha256.Sum256(body)
	m.Digest = hex.EncodeToString(sum[:])
	bad := ErrManifest
	for at, wrong := range map[string]bool{
		"/id":                    !idShape.MatchString(m.ID),
		"/owner":                 strings.TrimSpace(m.Owner) == "" || len(m.Owner) > 200,
		"/capabilities":          len(m.Capabilities) == 0 || len(m.Capabilities) > 20 || slices.ContainsFunc(m.Capabilities, Capability.wrong),
		"/auth":                  len(m.Auth) == 0 || slices.ContainsFunc(m.Auth, func(s string) bool { return !slices.Contains([]string{"bearer", "oauth2", "mtls"}, s) }),
		"/idempotency_retention": m.Remembers() < 24*time.Hour,
		"/rate_limit":            m.Rate.PerSecond < 1 || m.Rate.PerSecond > 10_000 || m.Rate.Burst < 1 || m.Rate.Burst > 10_000,
		"/webhook_keys":          len(m.WebhookKeys) > 2 || slices.ContainsFunc(m.WebhookKeys, func(s string) bool { _, ok := webhook.PublicKey(s); return !ok }),
	} {
		if wrong {
			bad = bad.At(at, rules[at])
		}
	}
	if len(bad.Details) > 0 {
		slices.SortFunc(bad.Details, func(a, b fault.Detail) int { return strings.Compare(a.Pointer, b.Pointer) })
		return m, bad
	}
	return m, nil
}

// rules say what each part of a manifest must be.
var rules = map[string]string{
	"/id":                    "3 to 40 small letters, digits and -, beginning with a letter",
	"/owner":                 "who runs it, in up to 200 bytes",
	"/capabilities":          "one to 20, each with name, version and features",
	"/auth":                  "bearer, oauth2 or mtls",
	"/idempotency_retention": "24h or longer",
	"/rate_limit":            "per_second and burst, from 1 to 10,000",
	"/webhook_keys":          "up to two, each whpk_ and an Ed25519 key in base64",
}

func (c Capability) wrong() bool {
	return !featureShape.MatchString(c.Name) || c.Version == "" || len(c.Version) > 10 || len(c.Features) > 50 ||
		slices.ContainsFunc(c.Features, func(f string) bool { return !featureShape.MatchString(f) })
}

// Speaks is the capability of a name and version, if the connector has it.
func (m Manifest) Speaks(name, version string) (Capability, bool) {
	for _, c := range m.Capabilities {
		if c.Name == name && c.Version == version {
			return c, true
		}
	}
	return Capability{}, false
}

// Has says whether a capability has a feature.
func (c Capability) Has(feature string) bool { return slices.Contains(c.Features, feature) }

// Remembers is for how long the connector knows a reference.
func (m Manifest) Remembers() time.Duration {
	d, err := time.ParseDuration(m.Retention)
	if err != nil {
		return 0
	}
	return d
}
