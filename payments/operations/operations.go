// Package operations is the engine for asking partners to move money. What is
// asked is written down and committed before it is sent; what is not known
// afterwards is a state that resolves itself by inquiry, and never a second
// payment.
//
// A domain that moves money (charges, payouts) registers a Handler for each of
// its kinds; the engine decides when to send, when to ask and when to stop.
package operations

import (
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of operations.
var (
	ErrNotFound = fault.New(fault.NotFound, "operations.not_found", "There is no such operation.")
	ErrAmount   = fault.New(fault.Conflict, "operations.amount", "The partner speaks of another amount than ours.")
	ErrFilter   = fault.New(fault.Malformed, "operations.filter", "Ask for a subject or for a state, not for both.")
	ErrState    = fault.New(fault.Conflict, "operations.state", "People do not decide on this operation now: it has ended, or still resolves itself.")
)

// State is where an operation stands.
type State string

// The states. Confirmed, rejected and returned end it; a review is ended by
// people.
const (
	Intent    State = "intent"    // written down, not sent
	Sending   State = "sending"   // may have left us
	Accepted  State = "accepted"  // the partner has it; the end comes later
	Unknown   State = "unknown"   // it may or may not have happened
	Confirmed State = "confirmed" // it happened
	Rejected  State = "rejected"  // it did not, for good
	Returned  State = "returned"  // it happened, and came back
	Review    State = "review"    // people must look
)

// Source is where a piece of evidence comes from. The browser is none.
type Source string

// The sources, weakest first: what stands on the money's own account outweighs
// whatever anybody says about it.
const (
	Answer    Source = "answer"
	Callback  Source = "callback"
	Inquiry   Source = "inquiry"
	Person    Source = "person" // two people, with their evidence
	Statement Source = "statement"
)

var strength = map[Source]int{Answer: 1, Callback: 2, Inquiry: 3, Person: 4, Statement: 5}

// An Operation is one thing asked of one partner.
type Operation struct {
	ID             string
	Subject        string // the charge, payout …
	Kind           string // charge, capture, payout …
	Connector      string
	Ref            string // ours, for ever: the partner knows it by this
	Amount         int64  // centimes
	Currency       string
	Request        []byte // hash of what is asked
	File           string // the file it goes out in, or ""
	State          State
	Tries          int        // how often it was sent
	Gone           int        // how many of those may have reached the partner
	FirstSentAt    *time.Time // when it may first have left us
	SentAt         *time.Time
	LeaseUntil     *time.Time
	ResendUntil    time.Time
	PartnerID      string
	Inquiries      int
	Absences       int // inquiries that found nothing, one after the other
	AbsentAt       *time.Time
	Proof          Source     // what ended it
	ContradictedAt *time.Time // when stronger evidence said the opposite of how it ended
	Paged          int        // how often people were called
	Why            string     // the partner's last word, for people
	Version        int64
	CreatedAt      time.Time
	ChangedAt      time.Time
}

// Money is the operation's amount.
func (o Operation) Money() money.Money { return money.FromCentimes(o.Amount, o.Currency) }

// Done says whether nothing more will come of it by itself.
func (o Operation) Done() bool {
	return o.State == Confirmed || o.State == Rejected || o.State == Returned
}

// Executed says whether the partner moved the money, as far as is known: a
// rejection that was contradicted counts as paid.
func (o Operation) Executed() bool {
	return o.State == Confirmed || o.State == Returned || o.State == Rejected && o.ContradictedAt != nil
}

// Returnable says whether its money may come back: it moved, also where it was
// refused first, and has not come back yet.
func (o Operation) Returnable() bool { return o.Executed() && o.State != Returned }

// Return is what an operation becomes whose money came back.
func (o Operation) Return(why string) (Operation, bool) {
	if !o.Returnable() {
		return o, false
	}
	o.State, o.Why, o.Proof = Returned, why, Statement
	return o, true
}

// InDoubt says whether it is not known if the money moved.
func (o Operation) InDoubt() bool {
	return o.State == Sending || o.State == Unknown || o.State == Review
}
