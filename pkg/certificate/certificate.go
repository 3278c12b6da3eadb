// Package certificate says what a partner's connector has proved. hub certify
// signs it; the hub moves no real money through a connector without one.
package certificate

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Level is how much was proved; each holds those below it.
type Level string

// The levels.
const (
	Contract       Level = "C1"
	Function       Level = "C2"
	Resilience     Level = "C3"
	Reconciliation Level = "C4"
	Security       Level = "C5"
)

// Levels are all of them, lowest first.
var Levels = []Level{Contract, Function, Resilience, Reconciliation, Security}

// Reaches says whether a level holds another.
func (l Level) Reaches(other Level) bool {
	have, want := slices.Index(Levels, l), slices.Index(Levels, other)
	return want >= 0 && have >= want
}

// A Certificate is bound to what a connector is and can do, not to where it
// stands: what its sandbox proved holds for the program behind it.
type Certificate struct {
	Connector string    `json:"connector"`
	Owner     string    `json:"owner"`
	Protocol  string    `json:"protocol"` // bank.v1
	Features  []string  `json:"features"`
	Level     Level     `json:"level"`
	Remembers string    `json:"remembers"` // for how long it knows a reference: "720h0m0s"
	Manifest  string    `json:"manifest"`  // SHA-256 of what it said of itself
	Cases     string    `json:"cases"`     // SHA-256 of the cases that it passed
	URL       string    `json:"url"`       // where it was asked
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Lifetime is how long a certificate holds.
const Lifetime = 180 * 24 * time.Hour

const form = "hub-certificate.v1."

var encoding = base64.RawURLEncoding.Strict()

// Sign makes a certificate's text: what it says and the signature, in one line.
func Sign(key ed25519.PrivateKey, c Certificate) (string, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := form + encoding.EncodeToString(body)
	return text + "." + encoding.EncodeToString(ed25519.Sign(key, []byte(text))), nil
}

// ErrUntrusted says that nobody we trust signed it.
var ErrUntrusted = errors.New("no key that is trusted signed this certificate")

// Read reads a certificate that one of the keys signed.
func Read(text string, keys ...ed25519.PublicKey) (c Certificate, err error) {
	text = strings.TrimSpace(text)
	dot := strings.LastIndexByte(text, '.')
	if len(text) > 16<<10 || !strings.HasPrefix(text, form) || dot < len(form) {
		return c, fmt.Errorf("this does not begin with %q", form)
	}
	signature, err := encoding.DecodeString(text[dot+1:])
	if err != nil {
		return c, fmt.Errorf("read the signature: %w", err)
	}
	if !slices.ContainsFunc(keys, func(k ed25519.PublicKey) bool { return ed25519.Verify(k, []byte(text[:dot]), signature) }) {
		return c, ErrUntrusted
	}
	body, err := encoding.DecodeString(text[len(form):dot])
	if err != nil {
		return c, fmt.Errorf("read the certificate: %w", err)
	}
	return c, json.Unmarshal(body, &c)
}

// A Claim is what a connector is to be trusted with.
type Claim struct {
	Connector, Protocol string
	Features            []string
	Level               Level
	Remembers           time.Duration
	At                  time.Time
}

// Lacks says what a certificate does not prove of a claim; "" when it proves all
// of it.
func (c Certificate) Lacks(w Claim) string {
	proved, err := time.ParseDuration(c.Remembers)
	switch {
	case c.Connector != w.Connector:
		return fmt.Sprintf("it is of the connector %q", c.Connector)
	case c.Protocol != w.Protocol:
		return fmt.Sprintf("it is for %s, not for %s", c.Protocol, w.Protocol)
	case !c.Level.Reaches(w.Level):
		return fmt.Sprintf("it reaches %s, and %s is asked for", c.Level, w.Level)
	case w.At.Before(c.IssuedAt.Add(-time.Hour)):
		return "it is of a time to come"
	case !w.At.Before(c.ExpiresAt):
		return "it ended on " + c.ExpiresAt.UTC().Format(time.DateOnly)
	case err != nil || w.Remembers > 0 && proved > w.Remembers:
		return "the connector now says that it forgets references sooner than it did then"
	}
	for _, f := range w.Features {
		if !slices.Contains(c.Features, f) {
			return fmt.Sprintf("it does not speak of the feature %q", f)
		}
	}
	return ""
}
