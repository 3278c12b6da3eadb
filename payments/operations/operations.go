// Package operations is the engine for asking partners to move money. What is
// asked is written down and committed before it is sent; what is not known
// afterwards is a state that resolves itself by inquiry, and never a second
// payment (PAYMENTS.md §4).
//
// A domain that moves money (charges, payouts) registers a Handler for each of
// its kinds; the engine decides when to send, when to ask and when to stop.
package operations

import (
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/outbound"
)

// Errors of operations.
var (
	ErrNotFound = fault.New(fault.NotFound, "operations.not_found", "There is no such operation.")
	ErrAmount   = fault.New(fault.Conflict, "operations.amount", "The partner speaks of another amount than ours.")
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

// Source is where a piece of evidence comes from, weakest first. The browser is
// none.
type Source string

// The sources.
const (
	Answer    Source = "answer"
	Callback  Source = "callback"
	Inquiry   Source = "inquiry"
	Statement Source = "statement"
)

// An Operation is one thing asked of one partner.
type Operation struct {
	ID          string
	Subject     string // the charge, payout …
	Kind        string // charge, capture, payout …
	Connector   string
	Ref         string // ours, for ever: the partner knows it by this
	Amount      int64  // centimes
	Currency    string
	Request     []byte // hash of what is asked
	File        string // the file it goes out in, or ""
	State       State
	SentAt      *time.Time
	LeaseUntil  *time.Time
	ResendUntil time.Time
	PartnerID   string
	Inquiries   int
	Absences    int // inquiries that found nothing, one after the other
	AbsentAt    *time.Time
	Why         string // the partner's last word, for people
	Version     int64
	CreatedAt   time.Time
	ChangedAt   time.Time
}

// Done says whether nothing more will come of it by itself.
func (o Operation) Done() bool {
	return o.State == Confirmed || o.State == Rejected || o.State == Returned
}

// Policy is how a kind of operation is treated at a connector.
type Policy struct {
	// Resend: the connector has proved that the same reference twice is
	// executed once, or can be asked so surely that absence is proof.
	Resend bool
	// Quiet is how long an absence must last before it is believed.
	Quiet time.Duration
	// Lease bounds one sending: longer than the call's deadline.
	Lease time.Duration
	// Window bounds sending the same reference again.
	Window time.Duration
}

// DefaultPolicy has the times of PAYMENTS.md §4.
var DefaultPolicy = Policy{Quiet: 15 * time.Minute, Lease: time.Minute, Window: 24 * time.Hour}

// schedule is how long after its sending an operation is asked about, step by
// step: quick at first, then daily, and never given up as failed.
var schedule = []time.Duration{
	5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 24 * time.Hour,
}

// NextInquiry is how long to wait after so many inquiries.
func NextInquiry(inquiries int) time.Duration { return schedule[min(inquiries, len(schedule)-1)] }

// Send begins a sending, if there is still something to send.
func (o Operation) Send(at time.Time, p Policy) (Operation, bool) {
	if o.State != Intent {
		return o, false
	}
	until := at.Add(p.Lease)
	o.State, o.SentAt, o.LeaseUntil = Sending, &at, &until
	return o, true
}

// Lapse makes a sending whose lease is over unknown: whoever sent may have died
// before, during or after.
func (o Operation) Lapse(at time.Time) (Operation, bool) {
	if o.State != Sending || o.LeaseUntil == nil || at.Before(*o.LeaseUntil) {
		return o, false
	}
	o.State = Unknown
	return o, true
}

// Hear is what a piece of evidence makes of an operation.
//
// An end is only ever left for another by stronger evidence of the opposite:
// that is a contradiction, and people look at it.
func (o Operation) Hear(from Source, r outbound.Result, at time.Time, p Policy) Operation {
	if r.Text != "" || r.Code != "" {
		o.Why = join(r.Code, r.Text)
	}
	if r.PartnerID != "" {
		o.PartnerID = r.PartnerID
	}
	if o.State == Review && from == Statement { // the strongest word ends a review
		switch r.Outcome {
		case outbound.Succeeded:
			o.State = Confirmed
		case outbound.Declined:
			o.State = Rejected
		}
		return o
	}
	if o.Done() || o.State == Review {
		if contradicts(o.State, r.Outcome) && from == Statement {
			o.State = Review
		}
		return o
	}
	if r.Outcome != outbound.NotFound && r.Outcome != outbound.NotSent && r.Outcome != outbound.Unknown {
		o.Absences, o.AbsentAt = 0, nil // it was seen; an inquiry that failed says nothing
	}
	switch r.Outcome {
	case outbound.Succeeded:
		o.State = Confirmed
	case outbound.Declined:
		o.State = Rejected
	case outbound.Accepted:
		o.State = Accepted
	case outbound.NotSent:
		if from == Answer && o.State == Sending {
			o.State = Intent
			o.Inquiries++ // the next try waits longer
			if r.Reason == outbound.Unfit {
				o.State = Review // it could never be sent
			}
		}
	case outbound.NotFound:
		o = o.absent(at, p)
	default:
		if o.State == Sending {
			o.State = Unknown
		}
	}
	return o
}

// absent counts an inquiry that found nothing. One is never believed; the
// second is, once the quiet period since the first and since the sending has
// passed. Then the same reference goes out again if that is safe, and people
// look if it is not.
func (o Operation) absent(at time.Time, p Policy) Operation {
	if o.State == Intent {
		return o
	}
	if o.Absences == 0 {
		o.AbsentAt = &at
	}
	o.Absences++
	quiet := o.AbsentAt != nil && !at.Before(o.AbsentAt.Add(p.Quiet)) && (o.SentAt == nil || !at.Before(o.SentAt.Add(p.Quiet)))
	switch {
	case o.Absences < 2 || !quiet:
		if o.State == Sending {
			o.State = Unknown
		}
	case p.Resend && at.Before(o.ResendUntil):
		o.State, o.Absences, o.AbsentAt = Intent, 0, nil
	default:
		o.State = Review
	}
	return o
}

func contradicts(s State, o outbound.Outcome) bool {
	return s == Rejected && o == outbound.Succeeded || s == Confirmed && o == outbound.Declined
}

func join(code, text string) string {
	if code == "" || text == "" {
		return code + text
	}
	return code + " " + text
}
