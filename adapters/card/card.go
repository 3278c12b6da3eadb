// Package card takes cards through an acquirer's hosted page: the buyer types
// the card there and never here. A signed notice says how it went, or an event that
// there is a reason to ask.
package card

import (
	"context"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Errors of a notice and of a payment.
var (
	ErrForged     = fault.New(fault.Denied, "card.forged", "The notice does not carry the acquirer's signature.")
	ErrUnreadable = fault.New(fault.Malformed, "card.unreadable", "The notice cannot be read.")
	ErrNoNotices  = fault.New(fault.NotFound, "card.no_notices", "This acquirer does not tell of payments here.")
	ErrNoCases    = fault.New(fault.NotFound, "card.no_cases", "This acquirer does not tell of chargebacks here.")
	ErrInvalid    = fault.New(fault.Invalid, "card.invalid", "The payment cannot be sent to the acquirer.")
)

// Buyer is whom the acquirer's page shows and writes to.
type Buyer struct{ Name, Email, Phone string }

// Payment is what the buyer is asked to pay. The nonce is fresh and random
// for each form; the caller makes it, since a driver is pure.
type Payment struct {
	Ref                                  string // ours, unique for ever
	Amount                               money.Money
	Buyer                                Buyer
	Lang                                 string // fr, ar, en or zgh
	OKURL, FailURL, CallbackURL, ShopURL string
	ExpiresAt                            time.Time // until when it may be paid; UTC
	Nonce                                string
}

// Form is what the buyer's browser posts to the acquirer's page.
type Form struct {
	URL, Method string
	Fields      map[string]string
}

// Notice is what the acquirer says about one attempt. Several may come for
// one reference: failures, then one success, and each again.
type Notice struct {
	Ref        string
	Merchant   string
	Amount     money.Money
	Approved   bool
	Code, Text string // the acquirer's own
	PartnerID  string
	EventID    string // the same for every copy of the same content
	Raw        []byte
}

// A State is where the acquirer says a payment stands.
type State string

// The states.
const (
	None       State = "none" // unknown to the acquirer, or not told
	Authorized State = "authorized"
	Captured   State = "captured"
	Settled    State = "settled"
	Voided     State = "voided"
	Refunded   State = "refunded"
	Declined   State = "declined"
)

// Status is the answer of an inquiry. Its outcome is Succeeded when the money
// is or was ours (captured, settled, refunded), Accepted while it is only
// authorised, Declined when nothing will come (declined, voided), NotFound
// when the acquirer knows no such reference, else Unknown or NotSent.
type Status struct {
	outbound.Result
	State    State
	Amount   money.Money // authorised
	Captured money.Money
	// Refunded is the sum given back so far, or nil when the acquirer does not
	// tell: then no inquiry can find a refund, nor prove its absence.
	Refunded *money.Money
}

// A Verdict is how the hub answers a notice.
type Verdict string

// The verdicts.
const (
	Capture     Verdict = "capture"     // approved and committed here: take the money
	Acknowledge Verdict = "acknowledge" // heard; take nothing
	Trouble     Verdict = "trouble"     // not understood, or not authentic
)

// A CaseState is how a chargeback stands at the acquirer.
type CaseState string

// The states of a chargeback.
const (
	CaseOpened CaseState = "opened" // the money is taken back, and may be fought for
	CaseWon    CaseState = "won"    // it comes again
	CaseLost   CaseState = "lost"   // it stays with the buyer
)

// A Case is what the acquirer says of a chargeback: a buyer's bank takes a
// captured payment back, whole or in part.
type Case struct {
	ID       string // the acquirer's own, the same for ever
	Ref      string // ours, of the payment
	Merchant string
	State    CaseState
	Amount   money.Money
	Fee      money.Money // what the acquirer takes for it
	Reason   string      // the scheme's code and words
	EventID  string      // the same for every copy of the same content
	Raw      []byte
}

// Order is what moves money of a payment, or lets go of it.
type Order struct {
	Ref    string      // of this capture, void or refund: ours, unique for ever
	Of     string      // our reference of the payment
	Amount money.Money // of a void: what is held
	// Back is, of a refund, what had been given back of the payment before it; nil
	// where that is not known.
	Back *money.Money
}

// Driver speaks one acquirer's protocol. It does no retrying, logging or
// metering: Acquirer does. Form is pure.
type Driver interface {
	// Merchant is the name the acquirer knows the hub by.
	Merchant() string
	// Form makes the form for a payment that Acquirer found valid.
	Form(Payment) (Form, error)
	// Query asks where a payment stands, by our reference.
	Query(ctx context.Context, ref string) Status
}

// Noticer is a driver whose acquirer tells of each attempt by a callback that it
// signs, and that is answered with what shall become of it. Both are pure.
type Noticer interface {
	// Notice reads a callback body and proves who signed it: ErrForged, ErrUnreadable.
	Notice(body []byte) (Notice, error)
	// Reply is the text that answers a callback.
	Reply(Verdict) string
}

// Teller is a driver whose acquirer's events say no more than that there is a reason
// to ask. Whoever takes one in has looked who signed it.
type Teller interface {
	// Told is the payment that an event is about: ErrUnreadable.
	Told(event []byte) (ref string, err error)
}

// Capturer is a driver that can take authorised money by a call.
type Capturer interface {
	Capture(ctx context.Context, o Order) outbound.Result
}

// Voider is a driver that can let go of money that is not settled.
type Voider interface {
	Void(ctx context.Context, o Order) outbound.Result
}

// Refunder is a driver that can give back settled money, whole or in part.
type Refunder interface {
	Refund(ctx context.Context, o Order) outbound.Result
}

// Disputer is a driver whose acquirer tells of chargebacks by a signed message.
// Case is pure: ErrForged, ErrUnreadable. Of a Teller, who signed it was looked at
// before.
type Disputer interface {
	Case(body []byte) (Case, error)
}
