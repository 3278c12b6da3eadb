package outbound_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"tiwiza/pkg/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// answers makes a call that always gives r, and counts how often it was made.
func answers(r outbound.Result, calls *atomic.Int64) func(context.Context) outbound.Result {
	return func(context.Context) outbound.Result { calls.Add(1); return r }
}

var (
	down     = outbound.Result{Outcome: outbound.Unknown, Err: errors.New("no answer")}
	fine     = outbound.Result{Outcome: outbound.Succeeded}
	declined = outbound.Result{Outcome: outbound.Declined, Code: "51"}
)

func TestBreakerOpensAndThenNothingIsSent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, nil)
		for range 3 {
			l.Do(t.Context(), "send", answers(down, &calls))
		}
		r := l.Do(t.Context(), "send", answers(fine, &calls))
		if r.Outcome != outbound.NotSent || r.Reason != outbound.Open || calls.Load() != 3 {
			t.Errorf("after three failures: %+v, %d calls; want NotSent because Open, 3 calls", r, calls.Load())
		}
		if s := l.State(); s.Breaker != "open" || s.Since.IsZero() {
			t.Errorf("state = %+v, want open", s)
		}
		time.Sleep(31 * time.Second)
		if r := l.Do(t.Context(), "send", answers(fine, &calls)); r.Outcome != outbound.Succeeded {
			t.Errorf("after the cool-down: %+v, want Succeeded", r)
		}
		if s := l.State(); s.Breaker != "closed" {
			t.Errorf("state = %s, want closed", s.Breaker)
		}
	})
}

func TestDeclinesAndOurOwnDoingLeaveTheBreakerClosed(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]outbound.Result{
		"declined":    declined,
		"not found":   {Outcome: outbound.NotFound},
		"credentials": {Outcome: outbound.Unknown, Reason: outbound.Credentials},
		"trust":       {Outcome: outbound.NotSent, Reason: outbound.Trust},
		"cancelled":   {Outcome: outbound.Unknown, Reason: outbound.Cancelled},
	} {
		var calls atomic.Int64
		l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, nil)
		for range 15 {
			l.Do(t.Context(), "send", answers(r, &calls))
		}
		if s := l.State(); s.Breaker != "closed" || calls.Load() != 15 {
			t.Errorf("%s: breaker %s after %d calls, want closed after 15", name, s.Breaker, calls.Load())
		}
	}
}

func TestNoCustomersMoneyTriesAPartnerAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked, paid atomic.Int64
		health := down
		l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, nil).
			WithProbe(func(ctx context.Context) outbound.Result { return answers(health, &asked)(ctx) })
		for range 3 {
			l.Do(t.Context(), "send", answers(down, &paid))
		}
		time.Sleep(31 * time.Second)
		if r := l.Do(t.Context(), "send", answers(fine, &paid)); r.Outcome != outbound.NotSent || asked.Load() != 1 || paid.Load() != 3 {
			t.Errorf("half-open with a partner still down: %+v, %d asked, %d paid; want NotSent, 1, 3", r, asked.Load(), paid.Load())
		}
		health = outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Credentials}
		time.Sleep(31 * time.Second)
		for range 2 { // neither well nor ill: still no answer to trust
			if r := l.Do(t.Context(), "send", answers(fine, &paid)); r.Outcome != outbound.NotSent || paid.Load() != 3 {
				t.Errorf("half-open and not let in: %+v, %d paid; want NotSent, 3", r, paid.Load())
			}
		}
		health = outbound.Result{Outcome: outbound.NotFound}
		if r := l.Do(t.Context(), "send", answers(fine, &paid)); r.Outcome != outbound.Succeeded || asked.Load() != 4 || paid.Load() != 4 {
			t.Errorf("half-open with the partner back: %+v, %d asked, %d paid; want Succeeded, 4, 4", r, asked.Load(), paid.Load())
		}
	})
}

func TestBulkheadAndRateRefuseWithoutSending(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{Bulkhead: 2, Rate: 0.001, Burst: 4}, nil)
	in, out := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			l.Do(t.Context(), "send", func(context.Context) outbound.Result { in <- struct{}{}; <-out; return fine })
		})
	}
	<-in
	<-in
	if s := l.State(); s.InFlight != 2 {
		t.Errorf("%d in flight, want 2", s.InFlight)
	}
	if r := l.Do(t.Context(), "send", answers(fine, &calls)); r.Outcome != outbound.NotSent || r.Reason != outbound.Busy {
		t.Errorf("third at once: %+v, want NotSent because Busy", r)
	}
	close(out)
	wg.Wait()
	if r := l.Do(t.Context(), "send", answers(fine, &calls)); r.Outcome != outbound.Succeeded {
		t.Errorf("after the others: %+v, want Succeeded", r)
	}
	if r := l.Do(t.Context(), "send", answers(fine, &calls)); r.Reason != outbound.Limited || r.RetryAfter <= 0 || calls.Load() != 1 {
		t.Errorf("over the rate: %+v, %d calls; want Limited with a wait, 1 call", r, calls.Load())
	}
}

func TestRetryAfterKeepsTheLaneAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		l := outbound.NewLane("bank", outbound.Query, outbound.Settings{}, nil)
		l.Do(t.Context(), "ask", answers(outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Limited, RetryAfter: 400 * time.Hour}, &calls))
		time.Sleep(14 * time.Minute)
		if r := l.Do(t.Context(), "ask", answers(fine, &calls)); r.Reason != outbound.Limited || calls.Load() != 1 {
			t.Errorf("within the wait: %+v, %d calls; want Limited, 1", r, calls.Load())
		}
		time.Sleep(2 * time.Minute)
		if r := l.Do(t.Context(), "ask", answers(fine, &calls)); r.Outcome != outbound.Succeeded {
			t.Errorf("a partner's wait of 400 hours is not cut to 15 minutes: %+v", r)
		}
	})
}

func TestDeadlineEndsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := outbound.NewLane("bank", outbound.Query, outbound.Settings{}, nil)
		start := time.Now()
		l.Do(t.Context(), "ask", func(ctx context.Context) outbound.Result { <-ctx.Done(); return down })
		if got, want := time.Since(start), 8*time.Second; got != want {
			t.Errorf("the call had %s, want %s", got, want)
		}
		if got := l.State().P95; got != 8*time.Second {
			t.Errorf("p95 = %s, want 8s", got)
		}
	})
}

func TestPanicAndGoexitFreeTheLane(t *testing.T) {
	t.Parallel()
	l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{Bulkhead: 1, Consecutive: 2}, nil)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		l.Do(t.Context(), "send", func(context.Context) outbound.Result { panic("driver") })
	}()
	if s := l.State(); s.InFlight != 0 || s.Breaker != "closed" {
		t.Errorf("after one panic: %+v", s)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		l.Do(context.Background(), "send", func(context.Context) outbound.Result { runtime.Goexit(); return fine })
	})
	wg.Wait()
	if s := l.State(); s.InFlight != 0 || s.Breaker != "open" {
		t.Errorf("a panic and an exit did not count as failures: %+v", s)
	}
}

func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{Consecutive: 1}, outbound.NewMetrics(reg))
	l.Do(t.Context(), "send", func(context.Context) outbound.Result { return declined })
	l.Do(t.Context(), "send", func(context.Context) outbound.Result { return down })
	for name, want := range map[string]float64{
		"hub_breaker_state class=pay partner=bank":                        2,
		"hub_partner_calls_total op=send outcome=declined partner=bank":   1,
		"hub_partner_calls_total op=send outcome=unknown partner=bank":    1,
		"hub_partner_call_seconds op=send partner=bank":                   2,
		"hub_partner_calls_total op=send outcome=succeeded partner=other": 0,
	} {
		if got := gather(t, reg)[name]; got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
}

// gather reads every figure by its name and labels; of a histogram, the count.
func gather(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := f.GetName()
			for _, l := range m.GetLabel() {
				name += " " + l.GetName() + "=" + l.GetValue()
			}
			out[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return out
}
