package operations_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

var (
	amina = auth.Principal{Subject: "per_1", Role: auth.Operator}
	omar  = auth.Principal{Subject: "per_2", Role: auth.Operator}
)

func (d *desk) review(who auth.Principal, opID, decision string) (v operations.ReviewView, err error) {
	ctx := auth.With(d.t.Context(), who)
	err = d.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		v, err = d.engine.Review(ctx, tx, operations.ReviewInput{
			Operation: opID, Decision: decision, Evidence: "The bank's letter of 12 March names our reference.", Reference: "LTR-12", SHA256: strings.Repeat("ab", 32),
		})
		return err
	})
	return v, err
}

func (d *desk) decide(who auth.Principal, approval, word string) error {
	ctx := auth.With(d.t.Context(), who)
	return d.db.InTx(ctx, func(tx *pg.Tx) error {
		_, err := d.approvals.Decide(ctx, tx, approvals.DecideInput{Approval: approval, Decision: word})
		return err
	})
}

// inReview is an operation that only people can end.
func (d *desk) inReview() operations.Operation {
	d.t.Helper()
	d.partner.loses = true
	d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.Unknown }
	o := d.intend(operations.Intention{})
	d.work()
	d.pass(time.Hour, 5*time.Minute)
	return d.want(o.ID, operations.Review)
}

func TestTwoPeopleEndAReviewAndItsDomainHearsInTheSameCommit(t *testing.T) {
	t.Parallel()
	for decision, want := range map[string]operations.State{"confirmed": operations.Confirmed, "rejected": operations.Rejected} {
		t.Run(decision, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			o := d.inReview()
			v, err := d.review(amina, o.ID, decision)
			d.ok(err)
			d.want(o.ID, operations.Review)
			if again, err := d.review(amina, o.ID, decision); err != nil || again.Approval != v.Approval {
				t.Errorf("asked again: %s (%v), want the request that waits, %s", again.Approval, err, v.Approval)
			}
			if err := d.decide(amina, v.Approval, "approve"); !errors.Is(err, approvals.ErrSelf) {
				t.Errorf("approved by the one who asked: %v, want ErrSelf", err)
			}
			failed := errors.New("the books are closed")
			d.hook = func(operations.Operation, operations.State) error { return failed }
			if err := d.decide(omar, v.Approval, "approve"); !errors.Is(err, failed) {
				t.Errorf("when its domain cannot book it: %v, want %v", err, failed)
			}
			d.want(o.ID, operations.Review)
			d.hook = nil
			d.ok(d.decide(omar, v.Approval, "approve"))
			if got := d.want(o.ID, want); got.Proof != operations.Person {
				t.Errorf("it was proved by %q, want people", got.Proof)
			}
			whole, err := d.engine.Show(t.Context(), operations.ShowInput{Operation: o.ID})
			d.ok(err)
			last := whole.Evidence[len(whole.Evidence)-1]
			if last.Source != operations.Person || !strings.Contains(last.Said, "letter") {
				t.Errorf("the last evidence is %+v, want what people said", last)
			}
			if told := d.heard(); told[len(told)-1] != "review→"+decision {
				t.Errorf("its domain heard %v", told)
			}
			if err := d.decide(omar, v.Approval, "approve"); !errors.Is(err, approvals.ErrEnded) {
				t.Errorf("approved again: %v, want ErrEnded", err)
			}
		})
	}
}

func TestAStatementOverrulesPeople(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.inReview()
	v, err := d.review(amina, o.ID, "rejected")
	d.ok(err)
	d.ok(d.decide(omar, v.Approval, "approve"))
	d.say(o.ID, operations.Inquiry, outbound.Succeeded)
	if d.op(o.ID).ContradictedAt != nil {
		t.Error("an inquiry overruled two people")
	}
	d.say(o.ID, operations.Statement, outbound.Succeeded)
	if got := d.want(o.ID, operations.Rejected); got.ContradictedAt == nil {
		t.Error("the statement did not contradict them")
	}
}

func TestWhatChangedSinceItWasAskedIsNotDecided(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.inReview()
	v, err := d.review(amina, o.ID, "rejected")
	d.ok(err)
	d.say(o.ID, operations.Statement, outbound.Succeeded)
	if err := d.decide(omar, v.Approval, "approve"); !errors.Is(err, approvals.ErrChanged) {
		t.Errorf("a decision on what a statement has ended: %v, want ErrChanged", err)
	}
	d.want(o.ID, operations.Confirmed)
	if _, err := d.review(amina, o.ID, "rejected"); !errors.Is(err, operations.ErrState) {
		t.Errorf("asked about what has ended: %v, want ErrState", err)
	}
}

func TestAnotherDecisionIsAnotherRequestAndARefusalChangesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.inReview()
	first, err := d.review(amina, o.ID, "rejected")
	d.ok(err)
	second, err := d.review(amina, o.ID, "confirmed")
	d.ok(err)
	if first.Approval == second.Approval {
		t.Fatal("two decisions share a request")
	}
	if err := d.decide(omar, first.Approval, "approve"); !errors.Is(err, approvals.ErrEnded) {
		t.Errorf("the first request after the second: %v, want ErrEnded", err)
	}
	d.ok(d.decide(omar, second.Approval, "refuse"))
	d.want(o.ID, operations.Review)
}

func TestPeopleDecideOnlyOnWhatDoesNotResolveItself(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(d *desk, h *operations.Handler) {
		h.Inquire = nil
		h.Policy.Resend = false
	})
	d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.Unknown }
	o := d.intend(operations.Intention{})
	if _, err := d.review(amina, o.ID, "rejected"); !errors.Is(err, operations.ErrState) {
		t.Errorf("before it left: %v, want ErrState", err)
	}
	d.work()
	if _, err := d.review(amina, o.ID, "rejected"); !errors.Is(err, operations.ErrState) {
		t.Errorf("while it is asked about: %v, want ErrState", err)
	}
	d.pass(2*time.Hour, 5*time.Minute) // nobody can be asked, and people were called
	v, err := d.review(amina, o.ID, "confirmed")
	d.ok(err)
	d.ok(d.decide(omar, v.Approval, "approve"))
	d.want(o.ID, operations.Confirmed)
	if _, err := d.review(amina, "op_00000000000000000000000000", "confirmed"); !errors.Is(err, operations.ErrNotFound) {
		t.Errorf("of nothing: %v, want ErrNotFound", err)
	}
}
