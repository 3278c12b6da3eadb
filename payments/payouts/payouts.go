// Package payouts sends members their money. A payout's money leaves the
// seller's account when it is asked for, so that nothing is spent twice while
// its outcome is open; it is paid when a bank statement says so.
package payouts

import (
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of payouts.
var (
	ErrNotFound  = fault.New(fault.NotFound, "payouts.not_found", "There is no such payout.")
	ErrNothing   = fault.New(fault.Conflict, "payouts.nothing_due", "There is no money to pay out yet.")
	ErrTooMuch   = fault.New(fault.Invalid, "payouts.too_much", "This is more than can be paid out.")
	ErrNoAccount = fault.New(fault.Conflict, "payouts.no_account", "Add a bank account (RIB) and have it verified before you ask for a payout.")
	ErrState     = fault.New(fault.Conflict, "payouts.state", "This payout does not allow that now.")
	ErrSelf      = fault.New(fault.Denied, "payouts.self", "A second person must approve: you asked for this payout yourself.")
	ErrSeller    = fault.New(fault.Denied, "payouts.sellers_only", "Only a seller can ask for a payout of its own money.")
)

// State is where a payout stands (API.md).
type State string

// The states.
const (
	Draft    State = "draft"    // asked for; waits for settlement, the account, or a second person
	Approved State = "approved" // goes out with the next file
	Sent     State = "sent"     // in a file that the bank has
	Unknown  State = "unknown"  // whether the bank has it is being asked
	Paid     State = "paid"     // a statement shows it
	Rejected State = "rejected"
	Returned State = "returned" // paid, and came back
)

// Limits of PAYMENTS.md §3.
const (
	// TwoAbove is the amount in centimes above which two people decide.
	TwoAbove = 50_000_00
	// Cooling is how long a changed RIB is not paid to.
	Cooling = 48 * time.Hour
)

// A Payout is one payment to a member's bank account.
type Payout struct {
	ID         string
	Seller     string
	Bank       string
	Ref        string // EndToEndId
	Currency   string
	Amount     int64  // centimes
	RIB        string `db:"rib"`
	Holder     string
	State      State
	NeedsTwo   bool
	CreatedBy  string
	ApprovedBy string
	Why        string
	Version    int64
	CreatedAt  time.Time
	ChangedAt  time.Time
}

// Money is the payout's amount.
func (p Payout) Money() money.Money { return money.FromCentimes(p.Amount, p.Currency) }

// RefOf is the EndToEndId of a payout: the id in capitals, 29 signs.
func RefOf(id string) string { return strings.ToUpper(strings.Replace(id, "_", "", 1)) }

// FileOf is the file that a bank knows by a MsgId of ours: RefOf backwards.
func FileOf(msgID string) string {
	kind, rest := strings.ToLower(msgID), ""
	if len(kind) > 3 {
		kind, rest = kind[:3], kind[3:]
	}
	return kind + "_" + rest
}

// An Account is where a member is paid.
type Account struct {
	RIB, Holder string
	Verified    bool
	// Since is when it became the account; zero for a member's first verified
	// one, which needs no cooling.
	Since time.Time
	// Refused: the bank sent a payout to this account back.
	Refused bool
}

// Rebind has a draft follow its member's account: what was approved for another
// RIB must be approved again.
func (p Payout) Rebind(a Account) Payout {
	if p.State == Draft && a.Verified && a.RIB != "" && (p.RIB != a.RIB || p.Holder != a.Holder) {
		p.RIB, p.Holder, p.ApprovedBy = a.RIB, a.Holder, ""
	}
	return p
}

// Ready says whether a draft may go out now, and if not, what it waits for. The
// wait is for people to read; a changed account waits for a time.
func (p Payout) Ready(a Account, settled bool, at time.Time) (ok bool, waits string, until time.Time) {
	switch {
	case p.State != Draft:
		return false, "", time.Time{}
	case !a.Verified || a.RIB != p.RIB:
		return false, "the bank account is not verified", time.Time{}
	case a.Refused:
		return false, "the bank sent a payout to this account back: give another RIB", time.Time{}
	case !a.Since.IsZero() && at.Before(a.Since.Add(Cooling)):
		return false, "the bank account was changed less than 48 hours ago", a.Since.Add(Cooling)
	case !settled:
		return false, "the buyers' money has not reached the safeguard account yet", time.Time{}
	case p.NeedsTwo && p.ApprovedBy == "":
		return false, "a second person must approve", time.Time{}
	}
	return true, "", time.Time{}
}

// moves are the states a payout may go on to.
var moves = map[State][]State{
	Draft:    {Approved, Rejected},
	Approved: {Sent, Unknown, Rejected, Paid},
	Sent:     {Unknown, Approved, Paid, Rejected},
	Unknown:  {Sent, Approved, Paid, Rejected},
	Paid:     {Returned},
}

// To moves a payout on.
func (p Payout) To(next State, why string, at time.Time) (Payout, error) {
	for _, s := range moves[p.State] {
		if s == next {
			p.State, p.Why, p.ChangedAt = next, why, at
			return p, nil
		}
	}
	return p, ErrState.Say("This payout is %s; it cannot become %s.", p.State, next)
}
