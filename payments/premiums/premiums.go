// Package premiums is the money of insurance. A member's premium leaves its
// balance in one transfer, for the insurer and for the commission; a refused
// policy gives it back whole. What an insurer owes a member, an indemnity or part
// of a premium, is paid when the bank's statement shows the insurer's transfer, or
// out of what is payable to that insurer, and never on anybody's word.
//
// Whose the policy is, and why, marketplace/policies knows.
package premiums

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of premiums.
var (
	ErrNotFound = fault.New(fault.NotFound, "premiums.not_found", "There is no such premium.")
	ErrShort    = fault.New(fault.Conflict, "premiums.short", "There is not enough money in your balance for this premium.")
	ErrBusy     = fault.New(fault.Conflict, "premiums.busy", "A payout is taking some of this money at the moment; try again.")
	ErrState    = fault.New(fault.Conflict, "premiums.state", "This premium does not allow that now.")
	ErrPaid     = fault.New(fault.Conflict, "premiums.paid", "This period of the policy is paid for already.")
	ErrSum      = fault.New(fault.Invalid, "premiums.sum", "These amounts do not make a premium.")
	ErrTransfer = fault.New(fault.Conflict, "premiums.transfer", "Another payment goes by this name of a transfer.")
)

// State is where a premium stands.
type State string

// The states. One that is taken becomes one of the others.
const (
	Taken  State = "taken"  // the policy is being asked for
	Bound  State = "bound"  // the policy is there
	Undone State = "undone" // it is not, and the money went back
)

// A Premium is one time that a policy was paid for, in centimes. The commission
// stays with the market, its VAT within; the rest is the insurer's.
type Premium struct {
	ID         string
	Policy     string
	Period     string // first, or the month, season or year it is for
	Member     string
	Insurer    string // its name in the books
	Currency   string
	Amount     int64
	Commission int64
	VAT        int64 `db:"vat"`
	Returned   int64 // of the amount, by refunds that are due or paid
	State      State
	TakenAt    time.Time
	Version    int64
}

// Money is the premium's amount.
func (p Premium) Money() money.Money { return money.FromCentimes(p.Amount, p.Currency) }

// net is the insurer's part.
func (p Premium) net() int64 { return p.Amount - p.Commission }

// VATOf is the value-added tax of 20 % within a commission, in centimes.
func VATOf(commission int64) int64 { return commission - (commission*10+6)/12 }

// taking moves a premium out of its member's balance.
func (p Premium) taking() ledger.Transfer {
	return ledger.Transfer{Key: "premium:" + p.ID, Kind: "premium.taken", Currency: p.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Available(p.Member), p.Amount),
		ledger.Credit(ledger.InsurerPayable(p.Insurer), p.net()), ledger.Credit(ledger.Fees, p.Commission-p.VAT), ledger.Credit(ledger.VAT, p.VAT),
	}}
}

// undoing gives a premium back whole. The commission was the market's own by then:
// its own money comes in for it.
func (p Premium) undoing(bank string) ledger.Transfer {
	t := ledger.Transfer{Key: "premium.undone:" + p.ID, Kind: "premium.undone", Currency: p.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.InsurerPayable(p.Insurer), p.net()), ledger.Credit(ledger.Available(p.Member), p.Amount),
	}}
	t.Legs = append(t.Legs, back(bank, p.Commission, p.VAT)...)
	return t
}

// back are the legs by which a commission goes back, with the market's own money
// that keeps the clients' whole.
func back(bank string, commission, vat int64) []ledger.Leg {
	return []ledger.Leg{
		ledger.Debit(ledger.Fees, commission-vat), ledger.Debit(ledger.VAT, vat),
		ledger.Debit(ledger.Transit(bank), commission), ledger.Credit(ledger.Operating(bank), commission),
	}
}

// DueState is where a debt of an insurer's stands.
type DueState string

// The states of a debt.
const (
	Open DueState = "due"
	Paid DueState = "paid" // the money is in the member's balance
)

// The kinds of debt.
const (
	Claim  = "claim"
	Refund = "refund"
)

// A Due is what an insurer owes a member, in centimes.
type Due struct {
	ID         string
	Kind       string // claim or refund
	Subject    string // the claim, or the policy that was cancelled
	Policy     string
	Premium    string // of which a refund gives some back
	Member     string
	Insurer    string
	Currency   string
	Amount     int64  // what the member gets
	Commission int64  // what of it the market gives back
	VAT        int64  `db:"vat"`
	Transfer   string // how the insurer names its transfer; "" when there is none
	SetOff     bool   // it may be taken out of what is payable to the insurer
	State      DueState
	Way        string // transfer or set_off, once paid
	Line       string // of the statement
	DueAt      time.Time
	PaidAt     *time.Time
	Version    int64
}

// Money is what the member gets.
func (d Due) Money() money.Money { return money.FromCentimes(d.Amount, d.Currency) }

// net is what the insurer pays of it.
func (d Due) net() int64 { return d.Amount - d.Commission }

// paying moves a debt into its member's balance out of where its money is: the
// bank's account, suspense, or what is payable to the insurer.
func (d Due) paying(from []ledger.Leg, bank string) ledger.Transfer {
	kind := "indemnity.paid"
	if d.Kind == Refund {
		kind = "premium.returned"
	}
	t := ledger.Transfer{Key: "due:" + d.ID, Kind: kind, Currency: d.Currency, Legs: append(from, ledger.Credit(ledger.Available(d.Member), d.Amount))}
	t.Legs = append(t.Legs, back(bank, d.Commission, d.VAT)...)
	return t
}

// refundOf is what a premium gives back of an amount: the commission goes back in
// proportion. It is ErrSum when the amount is more than is left of it.
func (p Premium) refundOf(amount int64) (commission, vat int64, err error) {
	if p.State != Bound {
		return 0, 0, ErrState.Say("The premium is %s; only one of a bound policy is given back in part.", p.State)
	}
	if amount <= 0 || amount > p.Amount-p.Returned {
		return 0, 0, ErrSum.Say("%s cannot be given back of a premium of %s of which %s has been.",
			money.FromCentimes(amount, p.Currency), p.Money(), money.FromCentimes(p.Returned, p.Currency))
	}
	before := p.Commission * p.Returned / p.Amount
	commission = p.Commission*(p.Returned+amount)/p.Amount - before
	return commission, VATOf(commission), nil
}

var token = regexp.MustCompile(`[A-Z0-9][A-Z0-9._/-]{3,63}`)

// refs are the words of a credit that could name a transfer.
func refs(said string) []string {
	all := token.FindAllString(strings.ToUpper(said), 64)
	slices.Sort(all)
	return slices.Compact(all)
}

// IsTransfer says whether an insurer can name a transfer so: it is one word that
// a statement can carry, with a digit in it, so that no common word is a name.
func IsTransfer(s string) bool {
	return strings.ContainsAny(s, "0123456789") && token.FindString(strings.ToUpper(s)) == strings.ToUpper(s)
}
