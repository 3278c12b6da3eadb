package operations_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/operations"
	"tiwiza/pkg/outbound"
)

var (
	at     = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	policy = operations.Policy{Resend: true, Quiet: 15 * time.Minute, Lease: time.Minute, Window: time.Hour}
)

func sent() operations.Operation {
	o := operations.Operation{State: operations.Intent, ResendUntil: at.Add(policy.Window)}
	o, _ = o.Send(at, policy)
	return o
}

func answer(o outbound.Outcome) outbound.Result { return outbound.Result{Outcome: o} }

func TestAnAnswerDecidesWhatASendingBecomes(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[outbound.Outcome]operations.State{
		outbound.Succeeded: operations.Confirmed,
		outbound.Accepted:  operations.Accepted,
		outbound.Declined:  operations.Rejected,
		outbound.NotSent:   operations.Intent,
		outbound.Unknown:   operations.Unknown,
	} {
		if got := sent().Hear(operations.Answer, answer(outcome), at, policy).State; got != want {
			t.Errorf("after %s the state is %s, want %s", outcome, got, want)
		}
	}
}

func TestOnlyAnIntentIsSent(t *testing.T) {
	t.Parallel()
	for _, s := range []operations.State{operations.Sending, operations.Accepted, operations.Unknown, operations.Confirmed, operations.Rejected, operations.Returned, operations.Review} {
		if _, ok := (operations.Operation{State: s}).Send(at, policy); ok {
			t.Errorf("an operation that is %s was sent", s)
		}
	}
}

func TestALeaseThatIsOverMakesASendingUnknown(t *testing.T) {
	t.Parallel()
	o := sent()
	if _, ok := o.Lapse(at.Add(policy.Lease - time.Second)); ok {
		t.Error("a sending lapsed within its lease")
	}
	if o, ok := o.Lapse(at.Add(policy.Lease)); !ok || o.State != operations.Unknown {
		t.Errorf("after its lease a sending is %s", o.State)
	}
}

func TestAbsenceIsBelievedTwiceAndAfterTheQuietPeriod(t *testing.T) {
	t.Parallel()
	hear := func(o operations.Operation, after time.Duration, p operations.Policy) operations.Operation {
		return o.Hear(operations.Inquiry, answer(outbound.NotFound), at.Add(after), p)
	}
	o := hear(sent(), time.Second, policy)
	if o.State != operations.Unknown {
		t.Fatalf("after one absence it is %s, want unknown", o.State)
	}
	if o := hear(o, 10*time.Minute, policy); o.State != operations.Unknown {
		t.Errorf("a second absence within the quiet period makes it %s, want unknown", o.State)
	}
	if o := hear(o, 16*time.Minute, policy); o.State != operations.Intent {
		t.Errorf("a second absence after the quiet period makes it %s, want intent: sent again", o.State)
	}
	never := policy
	never.Resend = false
	if o := hear(o, 16*time.Minute, never); o.State != operations.Review {
		t.Errorf("where nothing proved that sending again is safe it is %s, want review", o.State)
	}
	if o := hear(o, 2*time.Hour, policy); o.State != operations.Review {
		t.Errorf("after the window for sending again it is %s, want review", o.State)
	}
	if o := hear(o, 50*time.Minute, policy); o.State != operations.Review {
		t.Errorf("so near to the window's end that it could arrive after it, it is %s, want review", o.State)
	}
	failed := o.Hear(operations.Inquiry, answer(outbound.NotSent), at.Add(time.Minute), policy)
	if o := hear(failed, 16*time.Minute, policy); o.State != operations.Intent {
		t.Errorf("an inquiry that could not be made in between makes it %s, want intent", o.State)
	}
	o = o.Hear(operations.Inquiry, answer(outbound.Accepted), at.Add(time.Minute), policy)
	if o = hear(o, 16*time.Minute, policy); o.State != operations.Accepted {
		t.Errorf("an absence after the partner was seen to have it was believed at once: %s", o.State)
	}
	if o = hear(o, 32*time.Minute, policy); o.State != operations.Review {
		t.Errorf("what the partner had accepted, and knows no more, is %s, want review: it is never sent again", o.State)
	}
}

// Whatever partners say in whatever order, an operation is sent again only from
// an intent, and never becomes one again by anything but proof that nothing
// left or is there.
func TestNoEvidenceEverBringsADonePaymentBack(t *testing.T) {
	t.Parallel()
	outcomes := []outbound.Outcome{outbound.Succeeded, outbound.Accepted, outbound.Declined, outbound.NotSent, outbound.Unknown, outbound.NotFound}
	sources := []operations.Source{operations.Answer, operations.Callback, operations.Inquiry, operations.Statement}
	rapid.Check(t, func(t *rapid.T) {
		o, now := sent(), at
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			was := o
			now = now.Add(time.Duration(rapid.IntRange(0, 1200).Draw(t, "seconds")) * time.Second)
			r := answer(rapid.SampledFrom(outcomes).Draw(t, "outcome"))
			from := rapid.SampledFrom(sources).Draw(t, "source")
			o = o.Hear(from, r, now, policy)
			switch {
			case was.State == operations.Confirmed && o.State != operations.Confirmed && o.State != operations.Review:
				t.Fatalf("confirmed became %s by %s from %s", o.State, r.Outcome, from)
			case was.State == operations.Rejected && o.State != operations.Rejected && o.State != operations.Review:
				t.Fatalf("rejected became %s by %s from %s", o.State, r.Outcome, from)
			case o.State == operations.Intent && was.State != operations.Intent && r.Outcome != outbound.NotSent && r.Outcome != outbound.NotFound:
				t.Fatalf("%s became an intent by %s from %s", was.State, r.Outcome, from)
			case o.State == operations.Intent && was.State == operations.Accepted && r.Outcome == outbound.NotSent:
				t.Fatalf("what the partner had accepted is sent again")
			}
		}
	})
}

func TestAStatementEndsAReviewAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	o := operations.Operation{State: operations.Review}
	for _, from := range []operations.Source{operations.Answer, operations.Callback, operations.Inquiry} {
		for _, out := range []outbound.Outcome{outbound.Succeeded, outbound.Declined, outbound.NotFound} {
			if got := o.Hear(from, answer(out), at, policy).State; got != operations.Review {
				t.Errorf("%s from %s made a review %s", out, from, got)
			}
		}
	}
	if got := o.Hear(operations.Statement, answer(outbound.Succeeded), at, policy).State; got != operations.Confirmed {
		t.Errorf("a statement made a review %s, want confirmed", got)
	}
}

// What ended an operation is contradicted by evidence of the opposite: of an
// execution if it is as strong, of none if it is stronger.
func TestTheStrongerWordContradictsAndNoWordChangesAnEnd(t *testing.T) {
	t.Parallel()
	order := []operations.Source{operations.Answer, operations.Callback, operations.Inquiry, operations.Person, operations.Statement}
	for i, ended := range order {
		for j, from := range order {
			for state, c := range map[operations.State]struct {
				opposite outbound.Outcome
				want     bool
			}{
				operations.Rejected:  {outbound.Succeeded, j >= i},
				operations.Confirmed: {outbound.Declined, j > i},
				operations.Returned:  {outbound.Declined, false},
			} {
				o := operations.Operation{State: state, Proof: ended}
				got := o.Hear(from, answer(c.opposite), at, policy)
				if got.State != state || (got.ContradictedAt != nil) != c.want {
					t.Errorf("%s by %s, then %s from %s: %s, contradicted %v; want contradicted %v", state, ended, c.opposite, from, got.State, got.ContradictedAt, c.want)
				}
				for _, same := range []outbound.Outcome{outbound.Accepted, outbound.NotFound, outbound.NotSent, outbound.Unknown} {
					if got := o.Hear(from, answer(same), at, policy); got.State != state || got.ContradictedAt != nil {
						t.Errorf("%s by %s, then %s from %s: %+v", state, ended, same, from, got)
					}
				}
			}
		}
	}
}

// A refusal for a reason that is not known to be final is nobody's guess.
func TestAnUnlistedRefusalOrAnotherAmountGoesToPeople(t *testing.T) {
	t.Parallel()
	o := sent().Hear(operations.Answer, answer(outbound.Accepted), at, policy)
	for _, why := range []outbound.Reason{outbound.Unlisted, outbound.Differs} {
		r := answer(outbound.Unknown)
		r.Reason = why
		if got := o.Hear(operations.Callback, r, at, policy).State; got != operations.Review {
			t.Errorf("%s makes it %s, want review", why, got)
		}
	}
}

func TestWhatCouldNeverBeSentGoesToPeople(t *testing.T) {
	t.Parallel()
	r := answer(outbound.NotSent)
	r.Reason = outbound.Unfit
	if got := sent().Hear(operations.Answer, r, at, policy).State; got != operations.Review {
		t.Errorf("it is %s, want review", got)
	}
}

func TestInquiriesGrowRareAndNeverEnd(t *testing.T) {
	t.Parallel()
	last := time.Duration(0)
	for n := range 50 {
		d := operations.NextInquiry(n)
		if d < last || d > 7*24*time.Hour || d <= 0 {
			t.Fatalf("inquiry %d waits %s after %s", n, d, last)
		}
		last = d
	}
}

// What moved comes back once, also what was refused and paid all the same.
func TestOnlyWhatMovedComesBack(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, s := range []operations.State{
		operations.Intent, operations.Sending, operations.Accepted, operations.Unknown, operations.Review,
		operations.Confirmed, operations.Rejected, operations.Returned,
	} {
		for _, contradicted := range []*time.Time{nil, &at} {
			o := operations.Operation{State: s, Proof: operations.Inquiry, ContradictedAt: contradicted}
			got, ok := o.Return("AC04")
			want := s == operations.Confirmed || s == operations.Rejected && contradicted != nil
			if ok != want || ok != o.Returnable() || ok != (got.State != s) {
				t.Errorf("%s, contradicted %t: came back %t as %s", s, contradicted != nil, ok, got.State)
			}
			if ok && (got.State != operations.Returned || got.Proof != operations.Statement || got.Why != "AC04") {
				t.Errorf("%s came back as %+v", s, got)
			}
		}
	}
}
