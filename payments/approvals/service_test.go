package approvals_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

var (
	first  = auth.Principal{Subject: "per_1", Role: auth.Operator, Key: "key_1"}
	second = auth.Principal{Subject: "per_2", Role: auth.Operator}
	third  = auth.Principal{Subject: "per_3", Role: auth.Operator}
)

// desk is approvals over one kind of thing, which counts what became of it.
type desk struct {
	t        *testing.T
	db       *pg.Store
	s        *approvals.Service
	approved atomic.Int32
	refused  atomic.Int32
	fails    error
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, db: pgtest.New(t)}
	d.db.Use(nil, event.NewBus())
	d.s = approvals.New(d.db)
	d.s.Handle("thing.let_go", func(_ context.Context, tx *pg.Tx, r approvals.Request) error {
		if d.fails != nil {
			return d.fails
		}
		tx.After(func() {
			if r.State == approvals.Approved {
				d.approved.Add(1)
			} else {
				d.refused.Add(1)
			}
		})
		return nil
	})
	return d
}

func (d *desk) ask(who auth.Principal, hash string) approvals.Request {
	d.t.Helper()
	var r approvals.Request
	amount := money.Dirhams(5000)
	err := d.db.InTx(auth.With(d.t.Context(), who), func(tx *pg.Tx) (err error) {
		r, err = d.s.Ask(auth.With(d.t.Context(), who), tx, approvals.Ask{Kind: "thing.let_go", Subject: "thg_1", Hash: []byte(hash), Amount: &amount, Why: "above the limit"})
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func (d *desk) say(who auth.Principal, id, word string) (v approvals.View, err error) {
	ctx := auth.With(d.t.Context(), who)
	err = d.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		v, err = d.s.Decide(ctx, tx, approvals.DecideInput{Approval: id, Decision: word})
		return err
	})
	return v, err
}

func (d *desk) must(who auth.Principal, id, word string, want approvals.State) {
	d.t.Helper()
	v, err := d.say(who, id, word)
	if err != nil || v.State != want {
		d.t.Fatalf("%s says %s: %s, %v; want %s", who.Subject, word, v.State, err, want)
	}
}

func TestASecondPersonApprovesAndTheFirstCannot(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.ask(first, "a")
	other := first
	other.Key = "key_9" // another key is no other person
	if _, err := d.say(other, r.ID, "approve"); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("the first person: %v, want ErrSelf", err)
	}
	d.must(second, r.ID, "approve", approvals.Approved)
	if _, err := d.say(third, r.ID, "approve"); !errors.Is(err, approvals.ErrEnded) {
		t.Errorf("after the end: %v, want ErrEnded", err)
	}
	if n := d.approved.Load(); n != 1 {
		t.Errorf("carried out %d times, want once", n)
	}
}

func TestWhatTheHubAsksForNeedsTwoPeople(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.ask(auth.Hub, "a")
	d.must(first, r.ID, "approve", approvals.Open)
	if _, err := d.say(first, r.ID, "approve"); !errors.Is(err, approvals.ErrVoted) {
		t.Errorf("the same person again: %v, want ErrVoted", err)
	}
	if d.approved.Load() != 0 {
		t.Error("carried out after one word")
	}
	d.must(second, r.ID, "approve", approvals.Approved)
}

func TestOneRefusalEndsIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.ask(auth.Hub, "a")
	d.must(first, r.ID, "approve", approvals.Open)
	d.must(second, r.ID, "refuse", approvals.Refused)
	if d.refused.Load() != 1 || d.approved.Load() != 0 {
		t.Errorf("refused %d, approved %d times", d.refused.Load(), d.approved.Load())
	}
}

func TestTheFirstPersonMayTakeItBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.must(first, d.ask(first, "a").ID, "refuse", approvals.Refused)
}

func TestAskingForAnotherThingMakesTheFirstVoid(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.ask(first, "a")
	if again := d.ask(first, "a"); again.ID != r.ID {
		t.Errorf("the same was asked for twice: %s and %s", r.ID, again.ID)
	}
	changed := d.ask(first, "b")
	if _, err := d.say(second, r.ID, "approve"); !errors.Is(err, approvals.ErrEnded) {
		t.Errorf("what changed was approved: %v", err)
	}
	d.must(second, changed.ID, "approve", approvals.Approved)
}

func TestADecisionThatCannotBeCarriedOutIsNone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.ask(first, "a")
	d.fails = approvals.ErrChanged
	if _, err := d.say(second, r.ID, "approve"); !errors.Is(err, approvals.ErrChanged) {
		t.Fatalf("error = %v, want ErrChanged", err)
	}
	d.fails = nil
	d.must(second, r.ID, "approve", approvals.Approved) // it is still open, and the word was not counted
}

func TestManyWordsAtOnceCarryItOutOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.ask(first, "a")
	var all sync.WaitGroup
	for i := range 20 {
		who := auth.Principal{Subject: "per_x" + string(rune('a'+i)), Role: auth.Operator}
		all.Go(func() { _, _ = d.say(who, r.ID, "approve") })
	}
	all.Wait()
	if n := d.approved.Load(); n != 1 {
		t.Errorf("carried out %d times, want once", n)
	}
}

func TestTheDatabaseRefusesAnApprovalNobodyGave(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.ask(auth.Hub, "a")
	d.must(first, r.ID, "approve", approvals.Open)
	_, err := d.db.Exec(t.Context(), `update approvals.request set state = 'approved', ended_at = platform.now() where id = $1`, r.ID)
	if pg.Code(err) != "HB004" {
		t.Errorf("error = %v, want HB004", err)
	}
	_, err = d.db.Exec(t.Context(), `insert into approvals.vote (request, asked_by, by, approve) values ($1, $2, $2, true)`, r.ID, r.AskedBy)
	if !pg.Violates(err, "vote_other") {
		t.Errorf("error = %v, want a refusal", err)
	}
}

// Who made the key that asks is no other person, nor is another of its own keys.
func TestWhoMadeTheKeyThatAsksMayNotApprove(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	seller := auth.Principal{Subject: "org_s", Role: auth.Seller, Behind: first.Person()}
	r := d.ask(seller, "a")
	made := auth.Principal{Subject: "org_o", Role: auth.Operator, Behind: first.Person()}
	for _, who := range []auth.Principal{first, made} {
		if _, err := d.say(who, r.ID, "approve"); !errors.Is(err, approvals.ErrSelf) {
			t.Errorf("%s: %v, want ErrSelf", who.Actor(), err)
		}
	}
	_, err := d.db.Exec(t.Context(), `insert into approvals.vote (request, asked_by, behind, by, approve) values ($1, $2, $3, $3, true)`, r.ID, r.AskedBy, r.Behind)
	if !pg.Violates(err, "vote_not_behind") {
		t.Errorf("error = %v, want a refusal", err)
	}
	_, err = d.db.Exec(t.Context(), `insert into approvals.vote (request, asked_by, by, approve) values ($1, $2, $3, true)`, r.ID, r.AskedBy, r.Behind)
	if pg.Code(err) != "23503" { // a vote names who is behind the request
		t.Errorf("error = %v, want a refusal", err)
	}
	d.must(first, r.ID, "refuse", approvals.Refused) // it may be taken back
	of := d.ask(auth.Hub, "b")
	d.must(first, of.ID, "approve", approvals.Open)
	if _, err := d.say(made, of.ID, "approve"); !errors.Is(err, approvals.ErrVoted) {
		t.Errorf("the same person with another key: %v, want ErrVoted", err)
	}
	d.must(second, of.ID, "approve", approvals.Approved)
}
