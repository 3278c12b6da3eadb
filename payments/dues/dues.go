// Package dues is the money of institutions' fees. A member's fee leaves its
// balance when its case is handed in, and stands in the institution's from then
// on; it can be paid out once the institution has begun to look at the case. Until
// then it may go back whole.
//
// Whose the case is, and what it costs, marketplace/procedures knows.
package dues

import (
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of dues.
var (
	ErrNotFound = fault.New(fault.NotFound, "dues.not_found", "There is no such fee.")
	ErrShort    = fault.New(fault.Conflict, "dues.short", "There is not enough money in your balance for this fee.")
	ErrBusy     = fault.New(fault.Conflict, "dues.busy", "A payout is taking some of this money at the moment; try again.")
	ErrState    = fault.New(fault.Conflict, "dues.state", "This fee does not allow that now.")
	ErrPaid     = fault.New(fault.Conflict, "dues.paid", "This fee is paid already.")
	ErrSum      = fault.New(fault.Invalid, "dues.sum", "This amount does not make a fee.")
)

// State is where a fee stands.
type State string

// The states. One that is taken becomes one of the others.
const (
	Taken  State = "taken"
	Kept   State = "kept"   // the institution looks at the case: the fee is earned
	Undone State = "undone" // it went back whole
)

// A Fee is what a member paid for one case, in centimes.
type Fee struct {
	ID       string
	Subject  string // the case
	Member   string
	Payee    string // the institution
	Currency string
	Amount   int64
	State    State
	TakenAt  time.Time
	EndedAt  *time.Time
	Version  int64
}

// Money is the fee's amount.
func (f Fee) Money() money.Money { return money.FromCentimes(f.Amount, f.Currency) }

// End moves a taken fee to where it stays.
func (f Fee) End(to State, at time.Time) (Fee, error) {
	if f.State != Taken {
		return f, ErrState.Say("The fee is %s.", f.State)
	}
	f.State, f.EndedAt = to, &at
	return f, nil
}

// taking moves a fee from its member to the institution.
func (f Fee) taking() ledger.Transfer {
	return ledger.Transfer{Key: "fee:" + f.ID, Kind: "procedure_fee.taken", Currency: f.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Available(f.Member), f.Amount), ledger.Credit(ledger.Available(f.Payee), f.Amount),
	}}
}

// undoing gives a fee back whole.
func (f Fee) undoing() ledger.Transfer {
	return ledger.Transfer{Key: "fee.undone:" + f.ID, Kind: "procedure_fee.undone", Currency: f.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Available(f.Payee), f.Amount), ledger.Credit(ledger.Available(f.Member), f.Amount),
	}}
}
