// Package charges takes the buyer's money. A charge is one payment for one
// group of orders; it is confirmed by the partner's own word (a status query or
// a statement), never by the browser, and funds the orders' escrows in the same
// transaction.
package charges

import (
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of charges.
var (
	ErrNotFound     = fault.New(fault.NotFound, "charges.not_found", "There is no such charge.")
	ErrMethod       = fault.New(fault.Invalid, "charges.method", "This way of paying is not offered.")
	ErrParts        = fault.New(fault.Internal, "charges.parts", "The orders of a charge do not add up to it.")
	ErrSettled      = fault.New(fault.Conflict, "charges.settled", "The acquirer has settled this charge already.")
	ErrUnproved     = fault.New(fault.Conflict, "charges.unproved", "The capture of this charge ended as refused.")
	ErrNoParcel     = fault.New(fault.NotFound, "cash.not_found", "There is no such order that is paid in cash.")
	ErrParcel       = fault.New(fault.Conflict, "cash.state", "The cash of this order does not allow this now.")
	ErrCash         = fault.New(fault.Invalid, "cash.amount", "Give an amount above zero, at most what the order costs.")
	ErrNoRemittance = fault.New(fault.NotFound, "remittances.not_found", "There is no such remittance.")
	ErrRemittance   = fault.New(fault.Conflict, "remittances.state", "The remittance does not allow this now.")
	ErrList         = fault.New(fault.Invalid, "remittances.list", "These orders cannot be remitted together; see errors.")
	ErrNoCredit     = fault.New(fault.NotFound, "charges.no_credit", "No money waits under this name.")
	ErrLoose        = fault.New(fault.Conflict, "charges.loose", "The money is more than this explains.")
	ErrPartner      = fault.New(fault.Unavailable, "charges.no_acquirer", "Card payments are not available at the moment.")
)

// State is where a charge stands (API.md).
type State string

// The states.
const (
	Created   State = "created"
	Accepted  State = "accepted" // the payment page was handed out
	Confirmed State = "confirmed"
	Declined  State = "declined" // by the wallet: until its time is over it may be paid anew
	Unknown   State = "unknown"  // the capture's outcome is being asked for
	Expired   State = "expired"
)

// Window is how long a buyer has to pay by card or wallet, and TransferWindow by bank
// transfer; stock is reserved as long. Cash has no window: it is paid at the
// door.
const (
	Window         = 30 * time.Minute
	TransferWindow = 72 * time.Hour
)

// The ways to pay.
const (
	Card     = "card"
	Transfer = "transfer"
	Cash     = "cash_on_delivery"
	Wallet   = "wallet"
)

// A Part is what a charge holds for one order. Seller, Carrier and Fee matter
// for cash: who sells, who brings the goods, and what of the cash is the
// carrier's. Without a carrier the seller brings them.
type Part struct {
	Order           string
	Amount          money.Money
	Seller, Carrier string
	Fee             money.Money
}

// A Sale is what a charge is made of, at checkout.
type Sale struct {
	Group, Buyer       string
	Method             string // Card, Wallet, Transfer or Cash
	Amount             money.Money
	Parts              []Part
	Name, Email, Phone string // the buyer's, for the acquirer
	Wallet             string // the phone number of the wallet that pays; Phone when it is ""
	Lang               string // fr, ar or en: the language of the card page
}

// NextAction is what the buyer does next: post the form at URL, go there, or
// nothing here; a transfer is made at the buyer's own bank.
type NextAction struct {
	Type     string            `json:"type" required:"true" enum:"form,redirect,none"`
	URL      string            `json:"url,omitempty"`
	Method   string            `json:"method,omitempty"`
	Fields   map[string]string `json:"fields,omitempty"`
	Transfer *Instructions     `json:"transfer,omitempty" description:"What to tell one's bank."`
	Wallet   *Approval         `json:"wallet,omitempty" description:"What to approve on one's phone."`
}

// Instructions are what a buyer tells his or her bank.
type Instructions struct {
	RIB       string      `json:"rib" required:"true"`
	Holder    string      `json:"holder" required:"true"`
	BIC       string      `json:"bic,omitempty"`
	Amount    money.Money `json:"amount" required:"true" description:"What is still to be transferred."`
	Received  money.Money `json:"received" required:"true"`
	Reference string      `json:"reference" required:"true" description:"To be written as the purpose of the transfer; spaces and capitals do not matter."`
	Until     time.Time   `json:"until" required:"true"`
}

// A Charge is one payment.
type Charge struct {
	ID        string
	Group     string `db:"group_id"`
	Buyer     string
	Method    string
	Acquirer  string // or the wallet; "" when it is by neither
	Ref       string // what the acquirer, or the buyer's bank, knows it by
	Contact   Contact
	Currency  string
	Amount    int64 // centimes
	State     State
	Captured  int64 // centimes that came in for it, whatever became of them
	Refunded  int64 // of those, what goes back or went back to the buyer
	Settled   bool  // its money has reached the safeguard account
	Version   int64
	CreatedAt time.Time
	ExpiresAt time.Time
}

// A Contact is what the acquirer's page is told of the buyer.
type Contact struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	Phone string `json:"phone"`
	Lang  string `json:"lang"`
}

// Open says whether a payment can still come in the ordinary way.
func (c Charge) Open() bool {
	return c.State == Created || c.State == Accepted || c.State == Unknown || c.State == Declined
}

// Money is the charge's amount.
func (c Charge) Money() money.Money { return money.FromCentimes(c.Amount, c.Currency) }

// RefOf is the acquirer's name for a charge: the id in capitals, 29 signs.
func RefOf(charge string) string { return strings.ToUpper(strings.Replace(charge, "_", "", 1)) }

// Receipt is what checkout learns of a charge it made.
type Receipt struct {
	ID         string
	State      State
	ExpiresAt  time.Time
	NextAction NextAction
	Refusal    *Refusal // of the wallet, while the charge is declined
}
