package operations_test

import (
	"context"
	"testing"
	"time"

	"tiwiza/payments/operations"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// Only what surely did not happen goes to another connector: what never left us,
// and a page that takes no money without our word.
func TestOnlyWhatDidNotHappenIsTakenElsewhere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		hosted bool
		said   outbound.Outcome // "": nothing was sent
		in     func(*operations.Intention)
		moves  bool
	}{
		{name: "never sent", moves: true},
		{name: "not sent", said: outbound.NotSent, moves: true},
		{name: "accepted", said: outbound.Accepted},
		{name: "a hosted page", hosted: true, said: outbound.Accepted, moves: true},
		{name: "unknown", hosted: true, said: outbound.Unknown},
		{name: "declined", hosted: true, said: outbound.Declined},
		{name: "done", hosted: true, said: outbound.Succeeded},
		{name: "to itself", in: func(in *operations.Intention) { in.Connector = house }},
		{name: "of another amount", in: func(in *operations.Intention) { in.Amount = money.Dirhams(1) }},
		{name: "of another kind", in: func(in *operations.Intention) { in.Kind = "sweep" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(_ *desk, h *operations.Handler) { h.Hosted = c.hosted })
			d.partner.answer = func(operations.Operation) outbound.Outcome { return c.said }
			o := d.intend(operations.Intention{})
			if c.said != "" {
				d.work()
			}
			o = d.op(o.ID)
			in := operations.Intention{Subject: o.Subject, Kind: o.Kind, Connector: other, Ref: o.Ref, Amount: o.Money()}
			if c.in != nil {
				c.in(&in)
			}
			var next operations.Operation
			err := d.db.InTx(t.Context(), func(tx *pg.Tx) error {
				was, err := d.engine.ByID(t.Context(), tx, o.ID)
				if err != nil {
					return err
				}
				next, err = d.engine.Elsewhere(tx, was, in, "it does not answer")
				return err
			})
			if (err == nil) != c.moves {
				t.Fatalf("taken elsewhere from %s: %v", o.State, err)
			}
			if !c.moves {
				d.want(o.ID, o.State)
				return
			}
			left := d.want(o.ID, operations.Rejected)
			if left.Why != "taken to "+other+": it does not answer" || next.Connector != other || d.op(next.ID).State != operations.Intent {
				t.Errorf("left %q, next %s at %s", left.Why, next.State, next.Connector)
			}
			d.ok(d.engine.Send(t.Context(), o.ID)) // a job of before finds nothing to send
			if _, calls := d.partner.did(o.Ref); calls > 1 {
				t.Errorf("it was sent %d times where it had left", calls)
			}
		})
	}
}

// What waited for a partner that was away is tried as soon as it answers, and not
// when its own time comes.
func TestWhatWaitsIsTriedWhenThePartnerAnswersAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.NotSent }
	o := d.intend(operations.Intention{})
	for range 6 {
		d.work()
		d.advance(time.Hour)
	}
	d.partner.answer = nil
	_, before := d.partner.did(o.Ref)
	d.tx(func(ctx context.Context, tx *pg.Tx) error { return d.engine.Wake(ctx, tx, house) })
	d.advance(time.Second)
	d.work()
	if executed, calls := d.partner.did(o.Ref); executed != 1 || calls != before+1 {
		t.Errorf("executed %d times in %d calls after the partner was back, want once in one", executed, calls-before)
	}
	d.want(o.ID, operations.Confirmed)
}

// A partner that says when it may be asked again is asked then.
func TestAnInquiryWaitsAsLongAsThePartnerAsks(t *testing.T) {
	t.Parallel()
	asked := 0
	d := newDesk(t, func(d *desk, h *operations.Handler) {
		h.Inquire = func(context.Context, operations.Operation) outbound.Result {
			asked++
			return outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Limited, RetryAfter: 10 * time.Minute}
		}
	})
	d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.Unknown }
	d.intend(operations.Intention{})
	d.work()
	d.advance(6 * time.Second)
	d.work()
	if asked != 1 {
		t.Fatalf("asked %d times, want once", asked)
	}
	d.advance(9 * time.Minute)
	d.work()
	if asked != 1 {
		t.Errorf("asked again within the ten minutes that the partner wants")
	}
	d.advance(90 * time.Second)
	d.work()
	if asked != 2 {
		t.Errorf("asked %d times after them, want twice", asked)
	}
}

func TestEachPartnersJobsWaitInAQueueOfTheirOwn(t *testing.T) {
	t.Parallel()
	e := operations.New(nil).QueueOf("acquirer", "acquirer2")
	for connector, want := range map[string]string{"acquirer": "partners-acquirer", "acquirer2": "partners-acquirer2", "bank": "partners"} {
		if got := e.Queue(connector).Queue; got != want {
			t.Errorf("jobs of %s wait in %s, want %s", connector, got, want)
		}
	}
}
