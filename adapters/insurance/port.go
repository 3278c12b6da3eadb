// Package insurance carries what licensed insurers offer: their products, their
// quotes and policies, what is claimed under them, and their statements. The
// insurer insures; the hub shows its papers, keeps who agreed to what, and moves
// the money, which no insurer's driver does.
package insurance

import (
	"context"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// A Line is what a product insures.
type Line string

// The lines.
const (
	Parcel Line = "parcel" // one shipment
	Stock  Line = "stock"  // goods in a place
	Crop   Line = "crop"   // a harvest, by an index of a commune
	Health Line = "health" // a person
)

// Texts are one text in several languages.
type Texts map[string]string

// A Document is a paper that is shown before anybody agrees to it: the hash, in
// hex, is that of its bytes, and stands in what was agreed to.
type Document struct {
	Kind   string `json:"kind"` // information_sheet, terms, exclusions, certificate
	Lang   string `json:"lang"`
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
}

// A Trigger lets an index pay by itself: when the value that a source gives for a
// place and a period is beyond the threshold.
type Trigger struct {
	Index     string      `json:"index"` // rain_mm, for instance
	Source    string      `json:"source"`
	Below     bool        `json:"below"` // the value is beyond when it is below, else when it is above
	Threshold string      `json:"threshold"`
	Pays      money.Money `json:"pays"`
}

// A Premium says how the price of a product is made; the insurer's quote is what
// counts. Either Fixed, or Rate of the sum insured in thousandths, at least Min.
type Premium struct {
	Fixed  money.Money `json:"fixed,omitzero"`
	Rate   int         `json:"rate_permille"`
	Min    money.Money `json:"minimum,omitzero"`
	Period string      `json:"period"` // once, month, season or year
}

// A Product is an offer of the insurer. Version grows when anything of it changes:
// a policy keeps the one it was made under.
type Product struct {
	ID         string      `json:"id"`
	Version    int         `json:"version"`
	Line       Line        `json:"line"`
	Names      Texts       `json:"names"`
	Covers     []Texts     `json:"covers"`     // the risks, in plain words
	Exclusions []Texts     `json:"exclusions"` // at most five, in plain words
	Premium    Premium     `json:"premium"`
	Most       money.Money `json:"most"`            // the highest sum insured
	Excess     money.Money `json:"excess,omitzero"` // what the insured bears of a claim
	Waiting    int         `json:"waiting_days"`
	CoolingOff int         `json:"cooling_off_days"`
	Commission int         `json:"commission_permille"` // the hub's, of the premium without its taxes
	Papers     []string    `json:"papers"`              // what a claim needs
	Trigger    *Trigger    `json:"trigger,omitempty"`
	Documents  []Document  `json:"documents"`
}

// A Subject is what is insured.
type Subject struct {
	Kind    string `json:"kind"` // shipment, stock, crop, person
	Ref     string `json:"ref"`  // ours
	Commune string `json:"commune,omitempty"`
}

// An Ask is what a quote is asked for. Insured is a name that only the hub can
// resolve: no person is named before a policy is made.
type Ask struct {
	Ref     string      `json:"ref"` // ours, never used before
	Product string      `json:"product"`
	Version int         `json:"version"`
	Insured string      `json:"insured"`
	Subject Subject     `json:"subject"`
	Sum     money.Money `json:"sum"` // the sum insured
	Start   time.Time   `json:"start"`
	End     time.Time   `json:"end"`
}

// A Quote is the insurer's price, until it ends.
type Quote struct {
	ID         string      `json:"id"` // the insurer's
	Ref        string      `json:"ref"`
	Premium    money.Money `json:"premium"` // taxes within
	Taxes      money.Money `json:"taxes,omitzero"`
	Commission money.Money `json:"commission,omitzero"` // the hub's, within the premium
	ValidUntil time.Time   `json:"valid_until"`
	Documents  []Document  `json:"documents"`
}

// A Consent is what somebody agreed to, when, by the hash of the papers shown.
type Consent struct {
	TextHash string    `json:"text_hash"`
	At       time.Time `json:"at"`
}

// A Binding makes a policy of a quote. Holder is named from here on.
type Binding struct {
	Ref     string  `json:"ref"` // ours, never used before
	Quote   string  `json:"quote"`
	Holder  string  `json:"holder"`
	Consent Consent `json:"consent"`
	Payment string  `json:"premium_payment_ref"` // our books' reference of the premium taken
}

// A PolicyState is where a policy stands.
type PolicyState string

// The states of a policy.
const (
	PolicyPending   PolicyState = "pending"
	PolicyActive    PolicyState = "active"
	PolicyLapsed    PolicyState = "lapsed"
	PolicyCancelled PolicyState = "cancelled"
	PolicyExpired   PolicyState = "expired"
	PolicyClaimed   PolicyState = "claimed"
	PolicyRefused   PolicyState = "refused"
)

// A Policy is what the insurer says of one, under our reference.
type Policy struct {
	ID        string      `json:"id"` // the insurer's
	Ref       string      `json:"ref"`
	Number    string      `json:"number"`
	State     PolicyState `json:"state"`
	Reason    string      `json:"reason,omitempty"`
	Start     time.Time   `json:"start"`
	End       time.Time   `json:"end"`
	Refund    money.Money `json:"refund,omitzero"` // what a cancellation gives back of the premium
	Documents []Document  `json:"documents"`
}

// A Cancellation ends a policy; Ref is ours, never used before.
type Cancellation struct {
	Ref    string `json:"ref"`
	Policy string `json:"policy"` // the insurer's name of it
	Reason string `json:"reason"`
}

// A Payment tells that the premium of a later period was taken.
type Payment struct {
	Ref    string      `json:"ref"` // our books' reference
	Policy string      `json:"policy"`
	Period string      `json:"period"` // 2026-11
	Amount money.Money `json:"amount"`
}

// Evidence is a paper of a claim.
type Evidence struct {
	Kind   string `json:"kind"`
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
}

// A Loss is what is claimed under a policy.
type Loss struct {
	Ref         string      `json:"ref"` // ours, never used before
	Policy      string      `json:"policy"`
	At          time.Time   `json:"event_at"`
	Type        string      `json:"type"`
	Description string      `json:"description"`
	Amount      money.Money `json:"amount"`
	Evidence    []Evidence  `json:"evidence"`
}

// A ClaimState is where a claim stands.
type ClaimState string

// The states of a claim.
const (
	ClaimNotified ClaimState = "notified"
	ClaimReview   ClaimState = "review"
	ClaimAccepted ClaimState = "accepted"
	ClaimRejected ClaimState = "rejected"
	ClaimPaid     ClaimState = "paid"
)

// A Claim is what the insurer says of one. Amount is what it will pay, when it is
// accepted; Transfer names the credit on the bank's statement that brings it.
type Claim struct {
	ID       string      `json:"id"` // the insurer's
	Ref      string      `json:"ref"`
	Policy   string      `json:"policy"`
	State    ClaimState  `json:"state"`
	Reason   string      `json:"reason,omitempty"`
	Asks     []string    `json:"asks,omitempty"` // papers that are missing
	Amount   money.Money `json:"amount,omitzero"`
	Transfer string      `json:"transfer_ref,omitempty"`
}

// An Observation is one value of an index. Signature is its source's.
type Observation struct {
	Ref       string `json:"ref"`
	Policy    string `json:"policy"`
	Index     string `json:"index"`
	Source    string `json:"source"`
	Place     string `json:"place"`
	Period    string `json:"period"`
	Value     string `json:"value"`
	Signature string `json:"signature"`
}

// A Row is one movement of a statement, by the reference of ours it answers.
type Row struct {
	Kind       string      `json:"kind"` // premium, refund, claim
	Ref        string      `json:"ref"`
	Policy     string      `json:"policy"`
	Amount     money.Money `json:"amount"`
	Commission money.Money `json:"commission,omitzero"`
}

// A Statement is a month of movements as the insurer has them.
type Statement struct {
	ID         string      `json:"id"`
	Period     string      `json:"period"` // 2026-11
	Rows       []Row       `json:"rows"`
	Premiums   money.Money `json:"premiums"`
	Commission money.Money `json:"commission"`
	Claims     money.Money `json:"claims"`
	Due        money.Money `json:"due"` // to the insurer: premiums less refunds, commission
}

// A Driver speaks with one insurer. What it is given twice under one Ref is there
// once. A policy or a claim that the insurer does not know is NotFound.
type Driver interface {
	Name() string
	Products(ctx context.Context) ([]Product, outbound.Result)
	Quote(ctx context.Context, a Ask) (Quote, outbound.Result)
	Bind(ctx context.Context, b Binding) (Policy, outbound.Result)
	// FindPolicy asks by our reference of the binding.
	FindPolicy(ctx context.Context, ref string) (Policy, outbound.Result)
	Cancel(ctx context.Context, c Cancellation) (Policy, outbound.Result)
	Paid(ctx context.Context, p Payment) outbound.Result
	Notify(ctx context.Context, l Loss) (Claim, outbound.Result)
	// FindClaim asks by our reference of the loss.
	FindClaim(ctx context.Context, ref string) (Claim, outbound.Result)
	Statement(ctx context.Context, period string) (Statement, outbound.Result)
}

// An Observer is a Driver whose insurer pays by an index. The claim is what the
// observation made due; a claim without an ID says that nothing is.
type Observer interface {
	Observe(ctx context.Context, o Observation) (Claim, outbound.Result)
}

// A Listener is a Driver whose insurer tells what happens: the event of a callback
// whose signature holds, or an error that says why it is refused.
type Listener interface {
	Heard(header map[string][]string, body []byte) (Event, error)
}

// An Event tells that something of a policy or a claim has changed: what it is now
// is asked, never taken from the event.
type Event struct {
	ID   string
	Kind string // policy.issued, policy.cancelled, claim.updated, payout.due, payout.sent
	Ref  string // ours, of the policy or of the claim
}

// A Prober is a Driver whose insurer can be asked how it is.
type Prober interface {
	Probe(ctx context.Context) outbound.Result
}
