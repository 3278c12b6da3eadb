// Package connectors keeps the partners that are plugged in while the hub runs:
// each is an address, the accounts we have there and sealed secrets. No real
// money moves through one before a certificate says what it has proved and two
// people have agreed.
package connectors

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/certificate"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
)

// Errors of connectors.
var (
	ErrNotFound    = fault.New(fault.NotFound, "partners.not_found", "There is no such partner; those that are built in are not changed here.")
	ErrInvalid     = fault.New(fault.Invalid, "partners.invalid", "This partner cannot be registered; see errors.")
	ErrTaken       = fault.New(fault.Conflict, "partners.taken", "A partner with this name or this account is there already.")
	ErrState       = fault.New(fault.Conflict, "partners.state", "This partner does not allow that now.")
	ErrCertificate = fault.New(fault.Invalid, "partners.certificate", "This certificate cannot be used.")
	ErrUncertified = fault.New(fault.Conflict, "partners.uncertified", "Nothing leaves through a connector without a valid certificate; run hub certify against it.")
	ErrSandbox     = fault.New(fault.Conflict, "partners.sandbox", "The connector says that it is a sandbox: nothing real leaves through it.")
	ErrUnasked     = fault.New(fault.Conflict, "partners.untested", "Test the connector first: POST /v1/partners/{id}/test.")
	ErrUnlike      = fault.New(fault.Invalid, "partners.unlike", "The connector is not the one that was registered.")
	ErrSignature   = fault.New(fault.Unauthenticated, "partners.signature", "The signature does not fit, or is too old.")
	ErrSealed      = fault.New(fault.Conflict, "partners.no_key", "Set HUB_PARTNERS_KEY: without it no secrets can be kept.")
)

const credentialID id.Kind = "crd"

// State is how a connector stands.
type State string

// The states.
const (
	Registered State = "registered"
	Live       State = "live"
	Paused     State = "paused" // nothing leaves; what it says is still read
)

// Credentials are one way to sign in at a connector.
type Credentials struct {
	Token        string `json:"token,omitempty" maxLength:"4000" description:"A bearer token; or the three that follow."`
	TokenURL     string `json:"token_url,omitempty" maxLength:"1000" description:"Where OAuth 2.0 access tokens are asked for."`
	ClientID     string `json:"client_id,omitempty" maxLength:"400"`
	ClientSecret string `json:"client_secret,omitempty" maxLength:"4000"`
	Certificate  string `json:"certificate,omitempty" maxLength:"20000" description:"A client certificate in PEM, for mutual TLS."`
	Key          string `json:"key,omitempty" maxLength:"20000" description:"Its key in PEM."`
}

// An Opening is all that is needed to call a connector.
type Opening struct {
	ID, Port, URL, Roots string
	Credentials          []Credentials // the newest first
}

// Found is what a connector says of itself.
type Found struct {
	ID, Owner   string
	Speaks      bool // the port's protocol
	Features    []string
	Remembers   time.Duration
	Sandbox     bool
	Manifest    string
	WebhookKeys []string
	PerSecond   int // how often it may be called
	Burst       int // how many calls may come together
}

// A Connector is a partner that was registered.
type Connector struct {
	ID, Port, URL, Roots string
	SafeguardRIB         string `db:"safeguard_rib"`
	SafeguardName        string
	OperatingRIB         string `db:"operating_rib"`
	OperatingName        string
	BIC                  string           `db:"bic"`
	SettlesFrom          string           // the RIB that a wallet pays us from
	FeePercent           *decimal.Decimal // what its contract lets it keep; nil where nobody said
	Owner                string
	Features             []string
	RemembersS           int64 `db:"remembers_s"`
	Sandbox              bool
	Manifest             string
	WebhookKeys          []string
	FoundAt              *time.Time
	Certificate          string
	State                State
	Pays, WantsPays      bool
	CreatedBy            string
	CreatedAt, ChangedAt time.Time
	Version              int64
	Hosted               string // of a customer relation system: InMorocco or Abroad
	PerSecond, Burst     int    // how often it may be called; 0 where it was not asked yet
}

// Protocol is what a connector must speak, by its port: bank.v1.
func (c Connector) Protocol() string { return c.Port + ".v1" }

func (c Connector) safeguard() bank.Account {
	return bank.Account{RIB: c.SafeguardRIB, Name: c.SafeguardName, BIC: c.BIC}
}

// percent is what a wallet keeps, "" where nobody said.
func (c Connector) percent() string {
	if c.FeePercent == nil {
		return ""
	}
	return c.FeePercent.String()
}

func (c Connector) operating() bank.Account {
	return bank.Account{RIB: c.OperatingRIB, Name: c.OperatingName, BIC: c.BIC}
}

// Take takes in what a connector says of itself: ErrUnlike when it is another.
func (c Connector) Take(f Found, at time.Time) (Connector, error) {
	switch {
	case f.ID != c.ID:
		return c, ErrUnlike.Say("The connector calls itself %q, and is registered as %q.", f.ID, c.ID)
	case !f.Speaks:
		return c, ErrUnlike.Say("The connector does not speak %s.", c.Protocol())
	}
	c.Owner, c.Features, c.RemembersS, c.Sandbox, c.Manifest = f.Owner, append([]string{}, f.Features...), int64(f.Remembers/time.Second), f.Sandbox, f.Manifest
	c.WebhookKeys, c.FoundAt, c.ChangedAt = append([]string{}, f.WebhookKeys...), &at, at
	c.PerSecond, c.Burst = f.PerSecond, f.Burst
	return c, nil
}

// A Policy is what a connector must have proved before anything leaves through it,
// money or words to people and of them, and to whom. It is one for all ports: who
// holds people's addresses must be as closed to strangers as who holds their money.
type Policy struct {
	Level certificate.Level
	Keys  []ed25519.PublicKey
	// Sandboxes may be live: in demonstrations no money is real.
	Sandboxes bool
}

// proves reads a connector's certificate, if it proves what the policy asks.
func (p Policy) proves(c Connector, text string, at time.Time) (certificate.Certificate, error) {
	if text == "" {
		return certificate.Certificate{}, ErrUncertified
	}
	got, err := certificate.Read(text, p.Keys...)
	if err != nil {
		return got, ErrUncertified.Say("The certificate is not good: %s.", err)
	}
	lack := got.Lacks(certificate.Claim{
		Connector: c.ID, Protocol: c.Protocol(), Features: c.Features, Level: p.Level, Remembers: time.Duration(c.RemembersS) * time.Second, At: at,
	})
	if lack != "" {
		return got, ErrUncertified.Say("The certificate does not do: %s.", lack)
	}
	return got, nil
}

// May says whether real money may move through a connector that is to be live.
func (p Policy) May(c Connector, at time.Time) error {
	switch {
	case c.FoundAt == nil:
		return ErrUnasked
	case c.Sandbox && !p.Sandboxes:
		return ErrSandbox
	}
	_, err := p.proves(c, c.Certificate, at)
	return err
}

// barred is why nothing may leave through a connector now, or "".
func (p Policy) barred(c Connector, at time.Time) string {
	if c.State != Live {
		return "the partner is " + string(c.State)
	}
	if err := p.May(c, at); err != nil {
		return err.Error()
	}
	return ""
}

// Sum stands for exactly what a second person approves: which program is paid
// through, from which accounts, on which proof, and whether payouts leave there.
func (c Connector) Sum() []byte {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %q %q %q %q %q %q %q %t", c.ID, c.URL, c.Roots, c.SafeguardRIB, c.SafeguardName, c.OperatingRIB, c.OperatingName, c.BIC, c.Certificate, c.WantsPays)
	if c.Hosted != "" {
		fmt.Fprintf(h, " %q", c.Hosted)
	}
	if c.SettlesFrom != "" {
		fmt.Fprintf(h, " %q %q", c.SettlesFrom, c.percent())
	}
	return h.Sum(nil)
}
