// Package outbound is how the hub calls any partner: through a lane that
// limits, cuts off and measures, with an outcome that never guesses whether
// money moved.
package outbound

import (
	"bytes"
	"context"
	"errors"
	"time"
)

// An Outcome says what is known after a call that may have moved something.
type Outcome string

// The outcomes. There is no boolean: what is not known is Unknown, and an
// inquiry settles it.
const (
	Succeeded Outcome = "succeeded" // done, and the partner said so
	Accepted  Outcome = "accepted"  // taken in; the end comes later
	Declined  Outcome = "declined"  // refused for good, by a code that is listed as such
	NotSent   Outcome = "not_sent"  // nothing left us: sending again is safe
	Unknown   Outcome = "unknown"   // it may or may not have happened: inquire
	NotFound  Outcome = "not_found" // the partner knows no such reference; inquiries only
)

// A Reason says why a call has no answer, where that matters to more than its
// own operation: all but the empty reason leave the breaker alone.
type Reason string

// The reasons.
const (
	Busy        Reason = "busy"        // the bulkhead is full
	Open        Reason = "open"        // the breaker is open
	Paused      Reason = "paused"      // people have stopped calls to the partner
	Limited     Reason = "limited"     // the rate limit, ours or the partner's, says later
	Cancelled   Reason = "cancelled"   // we gave up, not the partner
	Credentials Reason = "credentials" // the partner does not let us in: a person must look
	Trust       Reason = "trust"       // we do not trust the partner's key or certificate: a person must look
	Unfit       Reason = "unfit"       // the request is not one the partner could take
	Unlisted    Reason = "unlisted"    // refused by a code that is not listed as final: a person must look
	Differs     Reason = "differs"     // the partner speaks of another amount than ours: a person must look
	Unsaid      Reason = "unsaid"      // the partner answers, and cannot say yet: it is asked again
)

// Result is what a partner's answer, or its silence, means.
type Result struct {
	Outcome    Outcome
	Reason     Reason
	Code, Text string        // the partner's own code and words
	PartnerID  string        // the partner's own name for what it did
	Evidence   []byte        // the raw answer, without secrets
	RetryAfter time.Duration // how long the partner asks us to wait, at most MaxRetryAfter
	Err        error         // the cause, for the log
}

// MaxRetryAfter bounds how long a partner can make us wait.
const MaxRetryAfter = 15 * time.Minute

// failed says whether the breaker counts the result against the partner.
func (r Result) failed() bool {
	return r.Reason == "" && (r.Outcome == NotSent || r.Outcome == Unknown)
}

// excluded says whether the breaker looks away from the result.
func (r Result) excluded() bool { return r.Reason != "" }

// Answered says whether the partner answered and let us in, whatever it said.
func (r Result) Answered() bool { return !r.failed() && !r.excluded() }

// Say is a result in few words, for people.
func (r Result) Say() string {
	switch {
	case !r.Answered():
		return r.why()
	case r.Code != "" && r.Text != "":
		return r.Code + " " + r.Text
	case r.Code+r.Text != "":
		return r.Code + r.Text
	}
	return string(r.Outcome)
}

// Redact returns b without any of the secrets, so that it can be kept as
// evidence.
func Redact(b []byte, secrets ...string) []byte {
	for _, s := range secrets {
		if s != "" {
			b = bytes.ReplaceAll(b, []byte(s), []byte("[redacted]"))
		}
	}
	return b
}

// Because marks an error with the reason a driver knows for it.
func Because(why Reason, err error) error { return &blamed{why, err} }

// ReasonOf is the reason an error was marked with, Cancelled for a context
// that its owner ended, else none.
func ReasonOf(err error) Reason {
	if b, ok := errors.AsType[*blamed](err); ok {
		return b.why
	}
	if errors.Is(err, context.Canceled) {
		return Cancelled
	}
	return ""
}

type blamed struct {
	why Reason
	err error
}

func (b *blamed) Error() string { return b.err.Error() }
func (b *blamed) Unwrap() error { return b.err }
