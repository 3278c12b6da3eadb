package operations

import (
	"time"

	"tiwiza/pkg/outbound"
)

// Send begins a sending, if there is something to send. What may have left us
// before is not sent again after its window: people look, and the answer is
// no.
func (o Operation) Send(at time.Time, p Policy) (Operation, bool) {
	if o.State != Intent {
		return o, false
	}
	if o.Gone > 0 && !o.resendable(at, p) {
		o.State, o.Why = Review, timeOver.English
		return o, false
	}
	if o.Gone == 0 {
		o.FirstSentAt, o.ResendUntil = &at, at.Add(p.Window)
	}
	until := at.Add(p.Lease)
	o.State, o.SentAt, o.LeaseUntil = Sending, &at, &until
	o.Tries++
	o.Gone++
	return o, true
}

// resendable says whether the partner still knows the reference that it may
// have been given, and will when it takes in what is sent now, perhaps a quiet
// period later.
func (o Operation) resendable(at time.Time, p Policy) bool {
	last := at.Add(p.Quiet)
	return p.Resend && last.Before(o.ResendUntil) && o.FirstSentAt != nil && last.Before(o.FirstSentAt.Add(p.Window))
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

// HearOf is Hear of a word about one try: what was said about an older one than
// the last decides only if it says that the money moved, or that the partner
// has it. A partner that did not know the reference yet, or refused it then,
// says nothing of what it was given since.
func (o Operation) HearOf(try int, from Source, r outbound.Result, at time.Time, p Policy) Operation {
	if try != o.Tries && r.Outcome != outbound.Succeeded && r.Outcome != outbound.Accepted {
		return o
	}
	return o.Hear(from, r, at, p)
}

// Hear is what a piece of evidence makes of an operation.
//
// An end stays: evidence of the opposite that is at least as strong as what
// ended it marks it as contradicted, which its domain and people deal with.
func (o Operation) Hear(from Source, r outbound.Result, at time.Time, p Policy) Operation {
	if o.Done() {
		return o.doubted(from, r, at)
	}
	if o.State == Review && from != Statement && from != Person {
		return o
	}
	if said := join(r.Code, r.Text); said != "" {
		o.Why = said
	}
	if r.PartnerID != "" {
		o.PartnerID = r.PartnerID
	}
	if r.Outcome == outbound.Succeeded || r.Outcome == outbound.Accepted || r.Outcome == outbound.Declined {
		o.Absences, o.AbsentAt = 0, nil // it was seen; an inquiry that failed says nothing
	}
	switch r.Outcome {
	case outbound.Succeeded:
		o.State, o.Proof = Confirmed, from
	case outbound.Declined:
		o.State, o.Proof = Rejected, from
	case outbound.Accepted:
		if o.State != Review {
			o.State = Accepted
		}
	case outbound.NotSent:
		return o.unsent(from, r)
	case outbound.NotFound:
		return o.absent(at, p)
	default:
		if (r.Reason == outbound.Unlisted || r.Reason == outbound.Differs) && from != Answer {
			o.State = Review // refused by a word that we do not know to be final, or done otherwise than we asked
		} else if o.State == Sending {
			o.State = Unknown
		}
	}
	return o
}

// doubted is what evidence makes of an operation that has ended.
func (o Operation) doubted(from Source, r outbound.Result, at time.Time) Operation {
	paid := o.State == Rejected && r.Outcome == outbound.Succeeded && strength[from] >= strength[o.Proof]
	unpaid := o.State == Confirmed && r.Outcome == outbound.Declined && strength[from] > strength[o.Proof]
	if (paid || unpaid) && o.ContradictedAt == nil {
		o.ContradictedAt, o.Why = &at, join(string(from)+" says otherwise:", join(r.Code, r.Text))
	}
	return o
}

// unsent takes in that a sending never left: it may be done again.
func (o Operation) unsent(from Source, r outbound.Result) Operation {
	if from != Answer || o.State != Sending && o.State != Unknown || o.Tries == 0 {
		return o
	}
	o.State = Intent
	o.Gone-- // and the next try waits longer
	if r.Reason == outbound.Unfit {
		o.State = Review // it could never be sent
	}
	return o
}

// absent counts an inquiry that found nothing. One is never believed; the
// second is, once the quiet period since the first and since the sending has
// passed. Then the same reference goes out again if that is safe, and people
// look if it is not. What a partner had accepted is never sent again.
func (o Operation) absent(at time.Time, p Policy) Operation {
	if o.State == Intent || o.State == Review {
		return o
	}
	if o.Absences == 0 {
		o.AbsentAt = &at
	}
	o.Absences++
	quiet := !at.Before(o.AbsentAt.Add(p.Quiet)) && (o.SentAt == nil || !at.Before(o.SentAt.Add(p.Quiet)))
	switch {
	case o.Absences < 2 || !quiet:
		if o.State == Sending {
			o.State = Unknown
		}
	case o.State != Accepted && o.resendable(at, p):
		o.State, o.Absences, o.AbsentAt = Intent, 0, nil
	default:
		o.State = Review
	}
	return o
}

func join(code, text string) string {
	if code == "" || text == "" {
		return code + text
	}
	return code + " " + text
}
