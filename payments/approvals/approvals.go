// Package approvals is the second person: payouts above a limit, reviews,
// rulings, write-offs and transfers by hand are asked for by one person and
// decided by another. A domain registers what follows for each of its kinds;
// that happens in the commit of the decision.
package approvals

import (
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of approvals.
var (
	ErrNotFound = fault.New(fault.NotFound, "approvals.not_found", "There is no such request for approval.")
	ErrSelf     = fault.New(fault.Denied, "approvals.self", "Another person must decide: you asked for this yourself, or made the key that did.")
	ErrEnded    = fault.New(fault.Conflict, "approvals.ended", "This has been decided already.")
	ErrVoted    = fault.New(fault.Conflict, "approvals.voted", "You have approved this already; another person must too.")
	ErrChanged  = fault.New(fault.Conflict, "approvals.changed", "What was to be approved has changed since; it must be asked for again.")
)

// State is where a request stands.
type State string

// The states.
const (
	Open     State = "open"
	Approved State = "approved"
	Refused  State = "refused"
	Void     State = "void" // what it was about changed or went away
)

// A Request is one thing that waits for people.
type Request struct {
	ID       string
	Kind     string // "operations.review": names the handler
	Subject  string // the id of what it is about
	Hash     []byte // of exactly what is to be approved
	Amount   *int64 // centimes, when it is about money
	Currency string
	Why      string
	Evidence string
	AskedBy  string
	Behind   string // who made the key that asked; "" when nobody else did
	Needs    int    // how many people must approve, besides the one who asked
	State    State
	Version  int64
	AskedAt  time.Time
	EndedAt  *time.Time
	By       []string // who approved so far
}

// Money is the request's amount, or nil.
func (r Request) Money() *money.Money {
	if r.Amount == nil {
		return nil
	}
	m := money.FromCentimes(*r.Amount, r.Currency)
	return &m
}

// asks says whether a person is behind the request: it asked, or made the key
// that did.
func (r Request) asks(by string) bool { return by == r.AskedBy || by == r.Behind }

// Vote is what a person's word makes of a request. One refusal ends it; it is
// approved once enough people have said so who are not behind it.
func (r Request) Vote(by string, approve bool, at time.Time) (Request, error) {
	if r.State != Open {
		return r, ErrEnded.Say("This was %s already.", r.State)
	}
	if approve && r.asks(by) {
		return r, ErrSelf
	}
	for _, b := range r.By {
		if b == by && approve {
			return r, ErrVoted
		}
	}
	switch {
	case !approve:
		r.State, r.EndedAt = Refused, &at
	default:
		r.By = append(r.By[:len(r.By):len(r.By)], by)
		if len(r.By) >= r.Needs {
			r.State, r.EndedAt = Approved, &at
		}
	}
	return r, nil
}
