package operations

import (
	"fmt"
	"time"

	"tiwiza/pkg/job"
)

// Policy is how a kind of operation is treated. Zero times take the defaults.
type Policy struct {
	// Resend: what is surely absent may be sent again under its own reference,
	// at connectors that have a certificate for it (Engine.Certify). Without
	// one, and for kinds that never are, people decide.
	Resend bool
	// Quiet is how long an absence must last before it is believed: longer than
	// a sending can possibly take, and never under 15 minutes.
	Quiet time.Duration
	// Lease bounds one sending. Whoever sends looks right before the call that
	// more of it is left than the call's deadline.
	Lease time.Duration
	// Deadline bounds the call itself.
	Deadline time.Duration
	// Window bounds sending the same reference again, from when it may first
	// have left us.
	Window time.Duration
}

// DefaultPolicy has the times of a kind that does not say otherwise. No call
// outlives its job.
var DefaultPolicy = Policy{Quiet: 15 * time.Minute, Lease: time.Minute, Deadline: job.Timeout, Window: 24 * time.Hour}

// minQuiet is the least time for which a partner must know nothing before we
// believe it: what it took in may show late.
const minQuiet = 15 * time.Minute

// Or fills the zero times of p with those of d.
func (p Policy) Or(d Policy) Policy {
	for _, f := range []struct{ field, other *time.Duration }{
		{&p.Quiet, &d.Quiet},
		{&p.Lease, &d.Lease},
		{&p.Deadline, &d.Deadline},
		{&p.Window, &d.Window},
	} {
		if *f.field == 0 {
			*f.field = *f.other
		}
	}
	return p
}

// Check says what about a policy could have one reference executed twice.
func (p Policy) Check() error {
	switch {
	case p.Lease <= p.Deadline:
		return fmt.Errorf("the lease of %s is not longer than the call's deadline of %s", p.Lease, p.Deadline)
	case p.Quiet <= p.Lease+p.Deadline:
		return fmt.Errorf("the quiet period of %s is not longer than lease and deadline together (%s)", p.Quiet, p.Lease+p.Deadline)
	case p.Quiet < minQuiet:
		return fmt.Errorf("the quiet period of %s is shorter than %s", p.Quiet, minQuiet)
	}
	return nil
}

// schedule is how long an operation waits from one inquiry to the next: quick
// at first, then daily for a week.
var schedule = []time.Duration{
	5 * time.Second, 15 * time.Second, 45 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, day, day, day, day, day, day, day,
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// NextInquiry is how long to wait after so many inquiries. It never ends: after
// the schedule it is weekly.
func NextInquiry(inquiries int) time.Duration {
	if inquiries >= len(schedule) {
		return week
	}
	return schedule[inquiries]
}

// NextTry is how long an intent waits for its next try: a moment after a proven
// absence, and longer each time that nothing could be sent, up to an hour.
func (o Operation) NextTry() time.Duration {
	return min(NextInquiry(o.Tries-o.Gone), time.Hour)
}

// pages are the ages at which people are called to an operation that does not
// resolve itself: first when in doubt, then whatever it is that is open.
var pages = []time.Duration{time.Hour, week}

// Page says whether people are called to an operation now, and notes it. Age
// counts from when it may first have left us. What a partner has accepted takes
// its days; what is in doubt is looked at after an hour.
func (o Operation) Page(at time.Time) (Operation, bool) {
	if o.Done() || o.FirstSentAt == nil {
		return o, false
	}
	age, due := at.Sub(*o.FirstSentAt), 0
	switch {
	case age >= pages[1]:
		due = 1 + int(age/pages[1])
	case age >= pages[0] && o.InDoubt():
		due = 1
	}
	if due <= o.Paged {
		return o, false
	}
	o.Paged = due
	return o, true
}

// NextLook is when an operation is looked at again: by the schedule, and never
// later than when people must be called to it.
func (o Operation) NextLook(at time.Time) time.Time {
	next := at.Add(NextInquiry(o.Inquiries))
	if o.FirstSentAt == nil {
		return next
	}
	for i, after := range pages {
		if call := o.FirstSentAt.Add(after); o.Paged <= i && call.After(at) && call.Before(next) {
			return call
		}
	}
	return next
}
