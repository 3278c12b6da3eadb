// Package payouts sends members their money, and carriers and insurers theirs.
// A payout's money leaves the account it is due from when it is asked for, so
// that nothing is spent twice while its outcome is open; it is paid when a bank
// statement says so.
package payouts

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of payouts.
var (
	ErrNotFound    = fault.New(fault.NotFound, "payouts.not_found", "There is no such payout.")
	ErrFind        = fault.New(fault.Invalid, "payouts.find", "Some of what is looked for cannot be read; see errors.")
	ErrNothing     = fault.New(fault.Conflict, "payouts.nothing_due", "There is no money to pay out yet.")
	ErrTooMuch     = fault.New(fault.Invalid, "payouts.too_much", "This is more than can be paid out.")
	ErrNoAccount   = fault.New(fault.Conflict, "payouts.no_account", "Add a bank account (RIB) and have it verified before you ask for a payout.")
	ErrState       = fault.New(fault.Conflict, "payouts.state", "This payout does not allow that now.")
	ErrSeller      = fault.New(fault.Denied, "payouts.sellers_only", "Only a seller can ask for a payout of its own money.")
	ErrBeneficiary = fault.New(fault.Invalid, "payouts.beneficiary", "Name a carrier or an insurer, such as carrier:demo; sellers ask for their own payouts.")
	ErrLimit       = fault.New(fault.Conflict, "payouts.limit", "This is above the limits of the day; the payout waits for the next one.")
)

// State is where a payout stands (API.md).
type State string

// The states.
const (
	Draft    State = "draft"    // asked for; says what it waits for
	Approved State = "approved" // goes out with the next file
	Sent     State = "sent"     // in a file that the bank has
	Unknown  State = "unknown"  // whether the bank has it is being asked
	Paid     State = "paid"     // a statement shows it
	Rejected State = "rejected"
	Returned State = "returned" // paid, and came back
)

// Cooling is how long a changed RIB is not paid to.
const Cooling = 48 * time.Hour

// Payee is what kind of party is paid.
type Payee string

// The payees.
const (
	Seller  Payee = "seller"
	Carrier Payee = "carrier"
	Insurer Payee = "insurer"
)

// A Beneficiary is who is paid: a member by its id, a carrier or an insurer by
// its name in the books.
type Beneficiary struct {
	Payee Payee
	Name  string
}

// String is the beneficiary as the API names it: carrier:demo.
func (b Beneficiary) String() string { return string(b.Payee) + ":" + b.Name }

// Source is the account that the money is due from.
func (b Beneficiary) Source() string {
	switch b.Payee {
	case Carrier:
		return ledger.CarrierPayable(b.Name)
	case Insurer:
		return ledger.InsurerPayable(b.Name)
	}
	return ledger.Available(b.Name)
}

// A Payout is one payment to a bank account.
type Payout struct {
	ID           string
	Payee        Payee
	Seller       string // who is paid: the member, or the carrier or insurer by its name
	Bank         string
	Ref          string // EndToEndId
	Currency     string
	Amount       int64  // centimes
	RIB          string `db:"rib"`
	Holder       string
	State        State
	NeedsTwo     bool
	CreatedBy    string
	ApprovedBy   string
	ApprovedHash []byte
	Waits        []Wait
	Why          string // the bank's last word
	Day          *time.Time
	Contradicted bool  // refused, then paid after all
	Owed         int64 // what of it was not there any more by then
	Version      int64
	CreatedAt    time.Time
	ChangedAt    time.Time
}

// Money is the payout's amount.
func (p Payout) Money() money.Money { return money.FromCentimes(p.Amount, p.Currency) }

// To is who is paid.
func (p Payout) To() Beneficiary { return Beneficiary{p.Payee, p.Seller} }

// Hash stands for exactly what a second person approves: who is paid how much,
// to which account, for which releases.
func (p Payout) Hash(covers []escrow.Cover) []byte {
	h := sha256.New()
	for _, s := range []string{p.ID, p.To().String(), p.Currency, p.RIB, p.Holder} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(p.Amount)))
	for _, c := range covers {
		h.Write([]byte(c.Release))
		h.Write(binary.BigEndian.AppendUint64([]byte{0}, uint64(c.Amount)))
	}
	return h.Sum(nil)
}

// RefOf is the EndToEndId of a payout: the id in capitals, 29 signs.
func RefOf(id string) string { return files.RefOf(id) }

// An Account is where a member is paid.
type Account struct {
	RIB, Holder string
	Verified    bool
	// Suspended says that the member is: a second person decides whether it is
	// paid meanwhile. The money is still its own.
	Suspended bool `db:"-"`
	// Since is when it became the account; zero for a member's first verified
	// one, which needs no cooling.
	Since time.Time
}

// Rebind has a draft follow its member's account: what was approved for another
// RIB must be approved again.
func (p Payout) Rebind(a Account) Payout {
	if p.State == Draft && a.Verified && a.RIB != "" && (p.RIB != a.RIB || p.Holder != a.Holder) {
		p.RIB, p.Holder, p.ApprovedBy, p.ApprovedHash = a.RIB, a.Holder, "", nil
	}
	return p
}

// moves are the states a payout may go on to. That a refused one was paid after
// all is no move of its own: see Contradict.
var moves = map[State][]State{
	Draft:    {Approved, Rejected},
	Approved: {Sent, Unknown, Rejected, Paid},
	Sent:     {Unknown, Approved, Paid, Rejected},
	Unknown:  {Sent, Approved, Paid, Rejected},
	Paid:     {Returned},
}

// Move moves a payout on.
func (p Payout) Move(next State, why string, at time.Time) (Payout, error) {
	for _, s := range moves[p.State] {
		if s == next {
			p.State, p.Why, p.ChangedAt, p.Waits = next, why, at, nil
			return p, nil
		}
	}
	return p, ErrState.Say("This payout is %s; it cannot become %s.", p.State, next)
}

// Contradict makes a refused payout a paid one, as a statement shows, when its
// money was given back long ago: there is so much of it left, and the rest is
// owed.
func (p Payout) Contradict(left int64, at time.Time) (Payout, error) {
	if p.State != Rejected {
		return p, ErrState.Say("This payout is %s; only a refused one can be contradicted.", p.State)
	}
	p.State, p.Contradicted, p.ChangedAt = Paid, true, at
	p.Owed = p.Amount - max(0, min(left, p.Amount))
	p.Why = refusedYetPaid.English
	return p, nil
}
