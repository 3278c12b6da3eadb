package operations_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/outbound"
)

func TestPeopleAreCalledAfterAnHourAndEachWeekAndItNeverFails(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(d *desk, h *operations.Handler) {
		h.Inquire = func(context.Context, operations.Operation) outbound.Result {
			return outbound.Result{Outcome: outbound.Unknown}
		}
	})
	d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.Unknown }
	o := d.intend(operations.Intention{})
	calm := d.intend(operations.Intention{State: operations.Accepted})
	d.work()
	stuck := func() (n, accepted int) {
		for _, e := range d.events("operations.stuck") {
			if strings.Contains(e, o.ID) {
				n++
			}
			if strings.Contains(e, calm.ID) {
				accepted++
			}
		}
		return n, accepted
	}
	for _, c := range []struct {
		pass, step     time.Duration
		calls, calmOne int
	}{
		{59 * time.Minute, time.Minute, 0, 0},
		{2 * time.Minute, time.Minute, 1, 0},
		{5 * 24 * time.Hour, time.Hour, 1, 0},
		{3 * 24 * time.Hour, time.Hour, 2, 1},
		{30 * 24 * time.Hour, 12 * time.Hour, 6, 5},
	} {
		d.pass(c.pass, c.step)
		if n, accepted := stuck(); n != c.calls || accepted != c.calmOne {
			t.Errorf("people were called %d times to what is unknown and %d times to what is accepted, want %d and %d", n, accepted, c.calls, c.calmOne)
		}
	}
	d.want(o.ID, operations.Unknown)
	d.want(calm.ID, operations.Accepted)
	d.say(o.ID, operations.Statement, outbound.Succeeded)
	d.want(o.ID, operations.Confirmed)
}

func TestTheFiguresTellTheOldestDoubt(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	figures := func() operations.Figures {
		f, err := d.engine.Figures(t.Context())
		d.ok(err)
		return f
	}
	if got := figures(); got.Oldest != 0 || len(got.Open) != 0 {
		t.Errorf("with nothing asked: %+v", got)
	}
	d.partner.loses = true
	d.partner.answer = func(operations.Operation) outbound.Outcome { return outbound.Unknown }
	o := d.intend(operations.Intention{})
	d.work()
	d.advance(10 * time.Minute)
	if got := figures(); got.Oldest < 600*time.Second || got.Oldest > 700*time.Second || got.Open[operations.Unknown] != 1 {
		t.Errorf("ten minutes into a doubt: %+v", got)
	}
	page, err := d.engine.List(t.Context(), operations.ListInput{State: "unknown"})
	d.ok(err)
	if len(page.Data) != 1 || page.Data[0].Age < 600 || page.Data[0].Age > 700 || page.Data[0].Tries != 1 {
		t.Errorf("listed: %+v", page.Data)
	}
	d.say(o.ID, operations.Statement, outbound.Succeeded)
	whole, err := d.engine.Show(auth.With(t.Context(), auth.Hub), operations.ShowInput{Operation: o.ID})
	d.ok(err)
	if n := len(whole.Evidence); n < 2 || whole.Evidence[n-1].Source != operations.Statement || whole.State != operations.Confirmed || whole.Proof != operations.Statement {
		t.Errorf("shown: %+v", whole)
	}
	if got := figures(); got.Oldest != 0 || len(got.Open) != 0 {
		t.Errorf("after it ended: %+v", got)
	}
}
