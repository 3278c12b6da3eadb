// Package wallet takes money from mobile wallets: the hub asks the owner of a
// phone number to pay, who approves on the phone, and asks the provider what
// became of it. The wallet is known by its phone number.
package wallet

import (
	"context"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Errors of a callback.
var (
	ErrForged     = fault.New(fault.Denied, "wallet.forged", "This address is none that the provider was given.")
	ErrUnreadable = fault.New(fault.Malformed, "wallet.unreadable", "The callback cannot be read.")
)

// A Payment is what the owner of a phone is asked to pay.
type Payment struct {
	Ref         string // ours, unique for ever: sent again it is the same payment
	Phone       string // +212 and nine digits
	Amount      money.Money
	Text        string // what the phone shows
	CallbackURL string
}

// A Refund gives back of a payment, to the phone that paid.
type Refund struct {
	Ref         string // ours, unique for ever, of the refund
	Of          string // the provider's own name of the payment
	Phone       string
	Amount      money.Money
	Text        string
	CallbackURL string
}

// A State is where the provider says a payment or a refund stands.
type State string

// The states.
const (
	None      State = "none"      // not known to the provider, or not told
	Pending   State = "pending"   // the provider has it; on the phone, perhaps, nobody has answered yet
	Completed State = "completed" // the money moved
	Failed    State = "failed"    // it did not, and will not
)

// Status is the answer of an inquiry. Its outcome is Succeeded when completed,
// Accepted while pending, Declined when failed by a code that is listed as
// final, NotFound when the provider knows no such reference, else Unknown or
// NotSent.
type Status struct {
	outbound.Result
	State  State
	Amount *money.Money // nil when it is not told
}

// A Notice is what a callback says. It is never proof: it is a reason to ask.
type Notice struct {
	Ref        string // ours, or "" when it is not told
	State      State  // Completed, Failed or Pending
	Code, Text string // the provider's own
	EventID    string // the same for every copy of the same content
	Raw        []byte
}

// A Callback is what a provider sent us, as it came.
type Callback struct {
	Body []byte
	Hash string // the sum that came with it, "" without one
}

// Driver speaks one provider's protocol. It does no retrying, logging or
// metering: Wallet does. Notice and Refusal are pure.
type Driver interface {
	// Merchant is the name the provider knows the hub by.
	Merchant() string
	// Ask asks the owner of a phone to pay. Asking again with the same reference
	// is the same payment.
	Ask(ctx context.Context, p Payment) outbound.Result
	// Query asks where a payment or a refund stands, by our reference. Known is
	// the PartnerID that was last told of it, or "".
	Query(ctx context.Context, ref, known string) Status
	// Notice reads a callback: ErrUnreadable.
	Notice(c Callback) (Notice, error)
	// Refusal is what a code by which a payment was refused means to its buyer.
	Refusal(code string) Refusal
}

// Reverser is a driver that can undo a payment, whole or in part.
type Reverser interface {
	Reverse(ctx context.Context, r Refund) outbound.Result
}

// Payer is a driver that can pay to a wallet, whatever came from it before.
type Payer interface {
	Pay(ctx context.Context, r Refund) outbound.Result
}

// A Refusal is why a payment was refused, as far as its buyer can do something
// about it.
type Refusal string

// The refusals.
const (
	Limit       Refusal = "limit"        // more than the wallet's level allows
	Funds       Refusal = "funds"        // there is not enough in it
	NotApproved Refusal = "not_approved" // declined on the phone, or not answered in time
	NoWallet    Refusal = "no_wallet"    // the number has none, or it is closed
	Other       Refusal = "refused"
)

// Text says it to the buyer, and what to do.
func (r Refusal) Text() string {
	switch r {
	case Limit:
		return "This is more than your wallet's level allows; have the level raised, or pay in another way."
	case Funds:
		return "There is not enough money in the wallet; fill it, or pay in another way."
	case NotApproved:
		return "The payment was not approved on the phone; ask for it again, or pay in another way."
	case NoWallet:
		return "There is no wallet of this number; give another number, or pay in another way."
	}
	return "The wallet's provider has refused the payment; pay in another way."
}
