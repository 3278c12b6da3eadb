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
)

// Errors of reconciliation.
var (
	ErrNoBank  = fault.New(fault.NotFound, "recon.no_bank", "There is no such bank.")
	ErrDiffers = fault.New(fault.Conflict, "recon.statement_differs", "A statement by this name was read before, with another content.")
	ErrReport  = fault.New(fault.Invalid, "recon.not_a_statement", "This file is a report on payments, not a statement.")
	ErrForeign = fault.New(fault.Invalid, "recon.foreign_account", "This statement is of an account that is not ours.")
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
}

// A verdict is what was made of one part of a line.
type verdict struct {
	state State
	to    string
	why   string
}

// whole is what a line's parts make of it.
func whole(parts []verdict) verdict {
	v := parts[0]
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

// content is what a statement says, for telling two of one name apart whatever
// file they came in.
func content(s bank.Statement) []byte {
	s.Created = time.Time{}
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
	return []bank.Detail{{BankRef: e.BankRef, Amount: e.Amount, Gross: e.Amount, Info: e.Info}}
}
