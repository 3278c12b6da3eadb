// Package recon reads what banks say happened and matches it with the books: a
// statement is the strongest word there is. What matches nothing is a break for
// people to look at; money whose owner is not known goes to suspense.
package recon

import (
	"crypto/sha256"
	"encoding/json"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of reconciliation.
var (
	ErrNoBank  = fault.New(fault.NotFound, "recon.no_bank", "There is no such bank.")
	ErrDiffers = fault.New(fault.Conflict, "recon.statement_differs", "A statement by this name was read before, with another content.")
	ErrBarred  = fault.New(fault.Denied, "recon.suspended", "This bank's organisation is suspended: its statements are not taken in until the operator reactivates it.")
	ErrReport  = fault.New(fault.Invalid, "recon.not_a_statement", "This file is a report on payments, not a statement.")
	ErrForeign = fault.New(fault.Invalid, "recon.foreign_account", "This statement is of an account that is not ours at this bank.")
	ErrMixed   = fault.New(fault.Invalid, "recon.mixed_currencies", "This statement is in another currency than our account.")
)

// State is what became of a line.
type State string

// The states.
const (
	Matched   State = "matched"
	Partly    State = "partly"    // some of what it gathers was matched
	Suspense  State = "suspense"  // booked, its owner not known
	Unmatched State = "unmatched" // not booked: people must look
	Noted     State = "noted"     // of a notification: the statement will say it again

	WrittenOff State = "written_off" // given up by people
)

// A Line is one entry of a statement, and what was made of it.
type Line struct {
	ID        string
	Statement string
	No        int
	Amount    int64 // + credit, - debit, centimes
	Currency  string
	State     State
	Ref       string // our reference, when it carries one
	BankRef   string
	MatchedTo string // the charge, payout …
	Why       string
	BookedOn  time.Time
	Booked    int64 // how much of it the mirror account has because of it
	Code      string
	Info      string
	Details   []bank.Detail `db:"-"`
}

// A kept is a detail as a line's row has it: amounts in smallest units, of
// whatever currency a bank may write.
type kept struct {
	bank.Detail
	Amount, Gross, Fee int64
	Currency           string
}

func keep(details []bank.Detail) []kept {
	out := make([]kept, len(details))
	for i, d := range details {
		out[i] = kept{d, d.Amount.Centimes(), d.Gross.Centimes(), d.Fee.Centimes(), d.Amount.Currency()}
	}
	return out
}

func given(rows []kept) []bank.Detail {
	out := make([]bank.Detail, len(rows))
	for i, k := range rows {
		out[i] = k.Detail
		out[i].Amount, out[i].Gross, out[i].Fee = money.FromCentimes(k.Amount, k.Currency), money.FromCentimes(k.Gross, k.Currency), money.FromCentimes(k.Fee, k.Currency)
	}
	return out
}

// A verdict is what was made of one part of a line.
type verdict struct {
	state State
	to    string
	why   string
}

// A part is one detail of a line, and what was made of it.
type part struct {
	bank.Detail
	verdict
}

// booked is how much of a line its parts have put into the books.
func booked(parts []part) (sum int64) {
	for _, p := range parts {
		if p.state == Matched || p.state == Suspense {
			sum += p.Amount.Centimes()
		}
	}
	return sum
}

// alone is a line that is one part.
func alone(e bank.Entry, v verdict) []part {
	d := details(e)[0]
	d.Amount, d.Gross, d.Fee = e.Amount, e.Amount, e.Amount.Sub(e.Amount)
	return []part{{d, v}}
}

// whole is what a line's parts make of it.
func whole(parts []part) verdict {
	v := parts[0].verdict
	for _, p := range parts[1:] {
		if p.state != v.state {
			v.state = Partly
		}
		if p.to != v.to {
			v.to = join(v.to, p.to)
		}
		if p.why != v.why {
			v.why = join(v.why, p.why)
		}
	}
	return v
}

func join(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "":
		return a
	}
	return a + "; " + b
}

// content is what a statement says, for telling two of one name apart, and one
// under two names, whatever file they came in.
func content(s bank.Statement) []byte {
	s.Created, s.ID = time.Time{}, ""
	b, err := json.Marshal(s)
	if err != nil {
		panic("recon: " + err.Error()) // a statement is plain data
	}
	h := sha256.Sum256(b)
	return h[:]
}

// details are a line's parts; a line without any is its own only part.
func details(e bank.Entry) []bank.Detail {
	if len(e.Details) > 0 {
		return e.Details
	}
	return []bank.Detail{{BankRef: e.BankRef, Amount: e.Amount, Gross: e.Amount, Fee: e.Amount.Sub(e.Amount), Info: e.Info}}
}

// mixed says whether a line brings money and takes some away.
func mixed(e bank.Entry) bool {
	for _, d := range details(e) {
		if d.Amount.Sign() != 0 && d.Amount.Sign() != e.Amount.Sign() {
			return true
		}
	}
	return false
}
