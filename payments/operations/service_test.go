package operations_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/payments/operations"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// Every kind of operation is treated alike: the engine knows none of them.
func TestEachKindIsSentOnceAndItsUnknownsResolve(t *testing.T) {
	t.Parallel()
	kinds := []string{"charge", "capture", "void", "refund", "payout", "premium", "policy", "top_up", "sweep"}
	d := newDesk(t, func(d *desk, h *operations.Handler) {
		for _, k := range kinds {
			d.engine.Handle(k, *h)
		}
	})
	for _, k := range kinds {
		t.Run(k, func(t *testing.T) {
			d.t = t
			d.partner.answer = nil
			o := d.intend(operations.Intention{Kind: k})
			d.work()
			d.want(o.ID, operations.Confirmed)
			d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.Unknown }
			lost := d.intend(operations.Intention{Kind: k})
			d.work()
			d.want(lost.ID, operations.Unknown)
			d.pass(6*time.Second, 6*time.Second)
			if got := d.want(lost.ID, operations.Confirmed); got.Proof != operations.Inquiry {
				t.Errorf("it was proved by %q, want an inquiry", got.Proof)
			}
			for _, ref := range []string{o.Ref, lost.Ref} {
				if n, calls := d.partner.did(ref); n != 1 || calls != 1 {
					t.Errorf("the partner executed %s %d times in %d calls, want once in one", ref, n, calls)
				}
			}
		})
	}
}

func TestAJobThatRunsTwiceAtOnceSendsOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.partner.once = false
	for range 50 {
		o := d.intend(operations.Intention{})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if err := d.engine.Send(t.Context(), o.ID); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n, calls := d.partner.did(o.Ref); n != 1 || calls != 1 {
			t.Fatalf("4 runs at once made %d calls and %d executions, want one of each", calls, n)
		}
		d.want(o.ID, operations.Confirmed)
	}
}

// A crash is a panic that nobody in the hub catches before the job's runner.
func TestACrashAtAnyPointMovesTheMoneyOnce(t *testing.T) {
	t.Parallel()
	const (
		confirmed = operations.Confirmed
		review    = operations.Review
	)
	for _, c := range []struct {
		name      string
		at        string
		certified bool
		once      bool
		want      operations.State
		executed  int
	}{
		{"before the lease commits", "lease", false, false, confirmed, 1},
		{"after the lease, before the call", "before", true, true, confirmed, 1},
		{"after the lease, before the call, nothing proved", "before", false, false, review, 0},
		{"after the partner executed", "after", false, false, confirmed, 1},
		{"after the partner executed, and it is asked before it shows", "after", true, true, confirmed, 1},
		{"before the outcome commits", "outcome", false, false, confirmed, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			crashes := 1
			crash := func(at string) {
				if at == c.at && crashes > 0 {
					crashes--
					panic("a crash: " + at)
				}
			}
			d := newDesk(t, func(d *desk, h *operations.Handler) {
				h.Send = func(_ context.Context, o operations.Operation) outbound.Result {
					crash("before")
					r := d.partner.take(o)
					crash("after")
					return r
				}
				d.hook = func(o operations.Operation, was operations.State) error {
					if o.State == operations.Sending {
						crash("lease")
					}
					if was == operations.Sending && o.State == confirmed {
						crash("outcome")
					}
					return nil
				}
			})
			d.partner.once = c.once
			if c.certified {
				d.certify(kind)
			}
			o := d.intend(operations.Intention{})
			func() {
				defer func() {
					if recover() == nil {
						t.Error("it did not crash")
					}
				}()
				_ = d.engine.Send(t.Context(), o.ID)
			}()
			d.take() // and its job is lost
			d.pass(time.Hour, time.Minute)
			d.want(o.ID, c.want)
			if n, _ := d.partner.did(o.Ref); n != c.executed {
				t.Errorf("the partner executed it %d times, want %d", n, c.executed)
			}
		})
	}
}

func TestAWorkerHeldUpBeforeItsCallDoesNotMakeIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for name, late := range map[string]time.Duration{"with too little of the lease left": 16 * time.Second, "after its lease": 20 * time.Minute} {
		o := d.intend(operations.Intention{})
		taken, ours, err := d.engine.Begin(t.Context(), o.ID)
		d.ok(err)
		if !ours || taken.State != operations.Sending {
			t.Fatalf("%s: taken %v, %s", name, ours, taken.State)
		}
		d.advance(late)
		r, err := d.engine.Call(t.Context(), []operations.Operation{taken}, func(context.Context) outbound.Result {
			t.Errorf("%s the call was made", name)
			return outbound.Result{Outcome: outbound.Succeeded}
		})
		d.ok(err)
		if r.Outcome != outbound.NotSent {
			t.Errorf("%s it is %s, want not_sent", name, r.Outcome)
		}
		if got := d.want(o.ID, operations.Intent); got.Gone != 0 || got.Tries != 1 {
			t.Errorf("%s %d of %d tries may have reached the partner, want 0 of 1", name, got.Gone, got.Tries)
		}
	}
}

// A worker that ignores its context calls for as long as it likes. Meanwhile its
// lease ends, the partner knows nothing, and the reference goes out again; what
// the first then brings home does not touch the second.
func TestAZombieNeitherPaysTwiceNorDisturbsTheNextTry(t *testing.T) {
	t.Parallel()
	for _, said := range []outbound.Outcome{outbound.NotSent, outbound.Declined, outbound.Unknown, outbound.Succeeded} {
		t.Run(string(said), func(t *testing.T) {
			t.Parallel()
			first, wake, next, again := make(chan struct{}), make(chan struct{}), make(chan struct{}), make(chan struct{})
			var tries atomic.Int32
			d := newDesk(t, func(d *desk, h *operations.Handler) {
				h.Send = func(_ context.Context, o operations.Operation) outbound.Result {
					if tries.Add(1) == 1 {
						close(first)
						<-wake
						if said == outbound.Succeeded {
							return d.partner.take(o)
						}
						return outbound.Result{Outcome: said}
					}
					d.partner.take(o)
					close(next)
					<-again
					return outbound.Result{Outcome: outbound.Unknown}
				}
			})
			d.certify(kind)
			o := d.intend(operations.Intention{})
			d.take()
			var zombie, second sync.WaitGroup
			zombie.Go(func() { _ = d.engine.Send(t.Context(), o.ID) })
			<-first
			for d.op(o.ID).Tries == 1 { // until it goes out again
				d.advance(time.Minute)
				_, err := d.timers.Due(t.Context())
				d.ok(err)
				for _, j := range d.take() {
					if j.Kind == operations.InquireJob {
						d.ok(d.run(j))
						continue
					}
					second.Go(func() { _ = d.engine.Send(t.Context(), o.ID) })
					<-next
				}
			}
			d.want(o.ID, operations.Sending)
			close(wake)
			zombie.Wait()
			switch got := d.op(o.ID).State; {
			case said == outbound.Succeeded && got != operations.Confirmed:
				t.Errorf("the first try's success made it %s, want confirmed", got)
			case said != outbound.Succeeded && got != operations.Sending:
				t.Errorf("the first try's %s made the second one's sending %s", said, got)
			}
			close(again)
			second.Wait()
			d.pass(time.Hour, 5*time.Minute)
			d.want(o.ID, operations.Confirmed)
			if n, _ := d.partner.did(o.Ref); n != 1 {
				t.Errorf("the partner executed it %d times, want once", n)
			}
		})
	}
}

func TestOnlyACertificateSendsAReferenceAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		prove func(d *desk)
		want  operations.State
	}{
		{"none", func(*desk) {}, operations.Review},
		{"another kind's", func(d *desk) { d.certify("refund") }, operations.Review},
		{"its own", func(d *desk) { d.certify(kind) }, operations.Confirmed},
		{"withdrawn", func(d *desk) { d.certify(kind); d.certify() }, operations.Review},
		{"for too short a time", func(d *desk) {
			d.ok(d.engine.Certify(d.t.Context(), house, operations.Certificate{Connector: house, Kind: kind, Proof: "a test", Remembers: 10 * time.Minute}))
		}, operations.Review},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			c.prove(d)
			d.partner.loses = true
			d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.Unknown }
			o := d.intend(operations.Intention{})
			d.work()
			d.partner.loses, d.partner.answer = false, nil
			d.pass(2*time.Hour, time.Minute)
			got := d.want(o.ID, c.want)
			if n, calls := d.partner.did(o.Ref); n != got.Tries-1 || calls != got.Tries {
				t.Errorf("the partner saw %d calls and executed %d, of %d tries", calls, n, got.Tries)
			}
		})
	}
}

func TestACertificateTakenBackStopsWhatWasAboutToGoAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.certify(kind)
	d.partner.loses = true
	d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.Unknown }
	o := d.intend(operations.Intention{})
	d.work()
	for d.op(o.ID).State != operations.Intent {
		d.advance(time.Minute)
		_, err := d.timers.Due(t.Context())
		d.ok(err)
		for _, j := range d.take() {
			d.ok(d.run(j))
		}
	}
	d.certify()
	d.ok(d.engine.Send(t.Context(), o.ID))
	d.want(o.ID, operations.Review)
	if _, calls := d.partner.did(o.Ref); calls != 1 {
		t.Errorf("it was called %d times, want once", calls)
	}
}

func TestAContradictionIsToldOnceAndChangesNoState(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.intend(operations.Intention{Subject: "pay_1"})
	d.take()
	_, _, err := d.engine.Begin(t.Context(), o.ID)
	d.ok(err)
	d.say(o.ID, operations.Callback, outbound.Declined)
	d.want(o.ID, operations.Rejected)
	again := d.intend(operations.Intention{Subject: "pay_1"}) // its domain tries anew
	d.work()
	d.want(again.ID, operations.Confirmed)
	d.say(o.ID, operations.Answer, outbound.Succeeded)
	if got := d.op(o.ID); got.ContradictedAt != nil {
		t.Error("a weaker word contradicted it")
	}
	for range 2 {
		d.ok(d.engine.Outcome(t.Context(), operations.Statement, outbound.Result{Outcome: outbound.Succeeded, Text: "shown"}, o.ID))
	}
	got := d.want(o.ID, operations.Rejected)
	if got.ContradictedAt == nil || !got.Executed() || !strings.Contains(got.Why, "statement says otherwise") {
		t.Errorf("after the statement it is %+v", got)
	}
	n := 0
	for _, what := range d.heard() {
		if what == "contradicted rejected" {
			n++
		}
	}
	if events := d.events("operations.contradicted"); n != 1 || len(events) != 1 || !strings.Contains(events[0], o.ID) {
		t.Errorf("the domain was told %d times and the events are %v, want one each", n, events)
	}
	page, err := d.engine.List(t.Context(), operations.ListInput{State: "contradicted"})
	d.ok(err)
	if len(page.Data) != 1 || page.Data[0].ID != o.ID || page.Data[0].ContradictedAt == nil {
		t.Errorf("listed as contradicted: %+v", page.Data)
	}
}

// What a domain cannot book is not half told: evidence, mark and event stay out
// with it, and come again.
func TestAContradictionThatCannotBeBookedIsHeardAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := d.intend(operations.Intention{})
	_, _, err := d.engine.Begin(t.Context(), o.ID)
	d.ok(err)
	d.say(o.ID, operations.Callback, outbound.Declined)
	failed := errors.New("the books are closed")
	d.hook = func(operations.Operation, operations.State) error { return failed }
	shown := outbound.Result{Outcome: outbound.Succeeded}
	if err := d.engine.Outcome(t.Context(), operations.Statement, shown, o.ID); !errors.Is(err, failed) {
		t.Fatalf("got %v, want %v", err, failed)
	}
	if d.op(o.ID).ContradictedAt != nil || len(d.events("operations.contradicted")) != 0 {
		t.Error("half of it was written down")
	}
	d.hook = nil
	d.ok(d.engine.Outcome(t.Context(), operations.Statement, shown, o.ID))
	if d.op(o.ID).ContradictedAt == nil {
		t.Error("it was not heard again")
	}
}

func TestTwoLiveOperationsOfAKindAreRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.intend(operations.Intention{Subject: "pay_1"})
	err := d.db.InTx(t.Context(), func(tx *pg.Tx) error {
		d.engine.Intend(tx, operations.Intention{Subject: "pay_1", Kind: kind, Connector: other, Ref: "X", Amount: money.Dirhams(1000)})
		return nil
	})
	if !pg.Violates(err, "operation_live") {
		t.Errorf("a second live operation: %v, want the database's refusal", err)
	}
}

func TestPoliciesThatCouldPayTwiceAreRefusedAtStart(t *testing.T) {
	t.Parallel()
	ask := func(context.Context, operations.Operation) outbound.Result { return outbound.Result{} }
	for name, h := range map[string]operations.Handler{
		"a lease as long as the call":    {Policy: operations.Policy{Lease: 30 * time.Second, Deadline: 30 * time.Second}},
		"a quiet period of five minutes": {Policy: operations.Policy{Quiet: 5 * time.Minute}},
		"a quiet period within a lease":  {Policy: operations.Policy{Quiet: 20 * time.Minute, Lease: 19 * time.Minute, Deadline: 2 * time.Minute}},
		"sent again, never asked about":  {Policy: operations.Policy{Resend: true}, Send: ask},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			operations.New(nil).Handle(kind, h)
		}()
	}
	operations.New(nil).Handle(kind, operations.Handler{Send: ask, Inquire: ask, Policy: operations.Policy{Resend: true}})
}

// However many operations there are, those of one subject or file are found.
func TestOperationsAreFoundByWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx := t.Context()
	err := d.db.InTx(ctx, func(tx *pg.Tx) error {
		for i := range 200 {
			d.engine.Intend(tx, operations.Intention{Subject: fmt.Sprint("chg_", i), Kind: kind, Connector: "bank", Ref: fmt.Sprint("CHG", i), Amount: money.Dirhams(100)})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = d.db.InTx(ctx, func(tx *pg.Tx) error {
		return pgtest.Through(ctx, t, tx, func() error {
			_, err := d.engine.Of(ctx, tx, "chg_1")
			if err == nil {
				_, err = d.engine.OfFile(ctx, tx, "fil_1")
			}
			return err
		}, "operations.operation")
	})
	if err != nil {
		t.Fatal(err)
	}
}
