package outbound_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tiwiza/pkg/outbound"
)

func TestBoundsChangeWhileALaneIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, nil)
		tune := func(s outbound.Settings) {
			t.Helper()
			if err := l.Tune(s); err != nil {
				t.Fatal(err)
			}
		}
		tune(outbound.Settings{Deadline: time.Second, Header: time.Second, Consecutive: 1, Cooldown: time.Minute})
		began := time.Now()
		l.Do(t.Context(), "send", func(ctx context.Context) outbound.Result { <-ctx.Done(); return down })
		if took := time.Since(began); took != time.Second {
			t.Errorf("the call had %s, want the new second", took)
		}
		if s := l.State(); s.Breaker != "open" {
			t.Fatalf("after the one failure that is let pass now the breaker is %s", s.Breaker)
		}
		tune(outbound.Settings{Cooldown: 2 * time.Minute}) // an open breaker stays open, for the new time
		time.Sleep(90 * time.Second)
		if r := l.Do(t.Context(), "send", answers(fine, &calls)); r.Reason != outbound.Open || calls.Load() != 0 {
			t.Errorf("within the new cool-down: %+v, %d calls; want Open, 0", r, calls.Load())
		}
		time.Sleep(31 * time.Second)
		if r := l.Do(t.Context(), "send", answers(fine, &calls)); r.Outcome != outbound.Succeeded {
			t.Errorf("after it: %+v", r)
		}
		tune(outbound.Settings{Rate: 0.001, Burst: 1})
		l.Do(t.Context(), "send", answers(fine, &calls))
		if r := l.Do(t.Context(), "send", answers(fine, &calls)); r.Reason != outbound.Limited {
			t.Errorf("over the new rate: %+v, want Limited", r)
		}
		tune(outbound.Settings{})
		if got, want := l.Settings(), outbound.Defaults(outbound.Pay); got != want {
			t.Errorf("set back: %+v, want %+v", got, want)
		}
		moves := l.Moves()
		if len(moves) != 2 || !moves[0].Open || moves[1].Open || moves[0].Reason == "" {
			t.Errorf("the breaker is said to have moved %+v, want opened with its reason, then closed", moves)
		}
		if again := l.Moves(); len(again) != 0 {
			t.Errorf("told twice: %+v", again)
		}
	})
}

func TestBoundsThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []outbound.Settings{
		{Deadline: 41 * time.Second}, {Header: 26 * time.Second}, {Bulkhead: -1}, {Rate: -1}, {Ratio: 1.5}, {Retries: 1}, {Cooldown: time.Millisecond},
	} {
		l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, nil)
		if err := l.Tune(s); err == nil || l.Settings() != outbound.Defaults(outbound.Pay) {
			t.Errorf("%+v: %v, and the lane has %+v", s, err, l.Settings())
		}
	}
	for _, c := range []outbound.Class{outbound.Pay, outbound.Query, outbound.File, outbound.Tell} {
		if err := outbound.Defaults(c).Check(c); err != nil {
			t.Errorf("the values built in for %s: %v", c, err)
		}
	}
}

func TestAHeldLaneSendsNothingAndQuestionsGoOn(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	for class, want := range map[outbound.Class]outbound.Outcome{outbound.Pay: outbound.NotSent, outbound.Query: outbound.Succeeded} {
		calls.Store(0)
		l := outbound.NewLane("bank", class, outbound.Settings{}, nil)
		l.Hold(true)
		if r := l.Do(t.Context(), "call", answers(fine, &calls)); r.Outcome != want || (want == outbound.NotSent) != (r.Reason == outbound.Paused) || (want == outbound.NotSent) != (calls.Load() == 0) {
			t.Errorf("%s while held: %+v after %d calls, want %s", class, r, calls.Load(), want)
		}
		if l.Ready() == (class == outbound.Pay) {
			t.Errorf("%s while held is ready: %v", class, l.Ready())
		}
		l.Hold(false)
		if r := l.Do(t.Context(), "call", answers(fine, &calls)); r.Outcome != outbound.Succeeded || !l.Ready() {
			t.Errorf("%s let go: %+v", class, r)
		}
	}
}

func TestATestThatIsAnsweredClosesTheBreaker(t *testing.T) {
	t.Parallel()
	health := down
	l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, nil).WithProbe(func(context.Context) outbound.Result { return health })
	for range 3 {
		l.Do(t.Context(), "send", answers(down, new(atomic.Int64)))
	}
	if r, _ := l.Probe(t.Context()); r.Answered() || l.Ready() {
		t.Errorf("a test without an answer: %+v, ready %v", r, l.Ready())
	}
	health = outbound.Result{Outcome: outbound.NotFound}
	if r, _ := l.Probe(t.Context()); !r.Answered() || !l.Ready() || l.State().Breaker != "closed" {
		t.Errorf("a test that is answered: %+v, state %+v", r, l.State())
	}
	var calls atomic.Int64
	if r := l.Do(t.Context(), "send", answers(fine, &calls)); r.Outcome != outbound.Succeeded {
		t.Errorf("after it: %+v", r)
	}
	if s := l.State(); len(s.Errors) != 4 || s.Errors[0].Op != "probe" || s.Errors[0].Text != "no answer" {
		t.Errorf("the last errors are %+v", s.Errors)
	}
}

func TestAQuietPartnerIsAskedHowItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		health := down
		l := outbound.NewLane("bank", outbound.Pay, outbound.Settings{Ping: 15 * time.Second}, nil).
			WithProbe(func(ctx context.Context) outbound.Result { return answers(health, &asked)(ctx) })
		l.Do(t.Context(), "send", answers(fine, new(atomic.Int64)))
		l.Ping(t.Context())
		if asked.Load() != 0 {
			t.Error("asked right after a call")
		}
		for range 3 {
			time.Sleep(16 * time.Second)
			l.Ping(t.Context())
		}
		if asked.Load() != 3 || l.Ready() {
			t.Errorf("asked %d times in vain, ready %v; want 3 and open before any customer comes", asked.Load(), l.Ready())
		}
		health = fine
		time.Sleep(31 * time.Second)
		l.Ping(t.Context())
		if s := l.State(); s.Breaker != "closed" {
			t.Errorf("once it answers again the breaker is %s", s.Breaker)
		}
	})
}

func TestErrorsDoNotTellAddresses(t *testing.T) {
	t.Parallel()
	l := outbound.NewLane("bank", outbound.Query, outbound.Settings{}, nil)
	l.Do(t.Context(), "ask", func(context.Context) outbound.Result {
		return outbound.Result{Outcome: outbound.Unknown, Err: fmt.Errorf("ask: %w", &url.Error{Op: "Get", URL: "https://x.example/?token=secret", Err: errors.New("refused")})}
	})
	if got := l.State().Errors[0].Text; got != "refused" {
		t.Errorf("an error reads %q", got)
	}
}

// within carries a read in a lane of questions.
func within(l *outbound.Lane, c *http.Client, req func(ctx context.Context) *http.Request) outbound.Result {
	return l.Do(context.Background(), "ask", func(ctx context.Context) outbound.Result {
		_, r, ok := outbound.Read(c, req(ctx))
		if ok {
			r.Outcome = outbound.Succeeded
		}
		return r
	})
}

func TestQuestionsAreAskedAgainAndMoneyNeverIs(t *testing.T) {
	t.Parallel()
	quick := outbound.Settings{RetryMin: time.Millisecond, RetryMax: 5 * time.Millisecond, Rate: 1e4, Burst: 1e4, Consecutive: 1000, Volume: 1000}
	for _, c := range []struct {
		name   string
		class  outbound.Class
		method string
		said   []int // then 200
		hits   int64
		want   outbound.Outcome
	}{
		{"stumbles", outbound.Query, "GET", []int{500, 502, 503}, 4, outbound.Succeeded},
		{"a question that is posted", outbound.Query, "POST", []int{500}, 2, outbound.Succeeded},
		{"down for longer", outbound.Query, "GET", []int{500, 500, 500, 500, 500}, 4, outbound.Unknown},
		{"not implemented", outbound.Query, "GET", []int{501}, 1, outbound.Unknown},
		{"says later", outbound.Query, "GET", []int{429}, 1, outbound.Unknown},
		{"not let in", outbound.Query, "GET", []int{401}, 1, outbound.Unknown},
		{"moves money", outbound.Pay, "POST", []int{500}, 1, outbound.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var hits atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b := make([]byte, 5)
				if n, _ := r.Body.Read(b); r.Method == "POST" && string(b[:n]) != "ask=1" {
					t.Errorf("asked with the body %q", b[:n])
				}
				if n := int(hits.Add(1)); n <= len(c.said) {
					if c.said[n-1] == 429 {
						w.Header().Set("Retry-After", "7")
					}
					w.WriteHeader(c.said[n-1])
				}
			}))
			defer s.Close()
			set := quick
			if c.class == outbound.Pay {
				set.RetryMin, set.RetryMax = 0, 0
			}
			l := outbound.NewLane("bank", c.class, set, nil)
			r := within(l, outbound.Client(outbound.Settings{}, nil), func(ctx context.Context) *http.Request {
				req, err := http.NewRequestWithContext(ctx, c.method, s.URL, strings.NewReader("ask=1"))
				if err != nil {
					t.Fatal(err)
				}
				return req
			})
			if r.Outcome != c.want || hits.Load() != c.hits {
				t.Errorf("%+v after %d requests, want %s after %d", r, hits.Load(), c.want, c.hits)
			}
			if c.name == "says later" && r.RetryAfter != 7*time.Second {
				t.Errorf("the wait that was asked for is %s, want 7s: it is the job's to keep", r.RetryAfter)
			}
		})
	}
}

// A partner that is down is not asked more often because of it.
func TestRetriesHaveABudget(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits.Add(1); w.WriteHeader(500) }))
	defer s.Close()
	l := outbound.NewLane("bank", outbound.Query, outbound.Settings{RetryMin: time.Millisecond, RetryMax: time.Millisecond, Rate: 1e4, Burst: 1e4, Consecutive: 1e6, Volume: 1e6}, nil)
	c := outbound.Client(outbound.Settings{}, nil)
	const calls = 100
	for range calls {
		within(l, c, func(ctx context.Context) *http.Request {
			req, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
			return req
		})
	}
	if again := hits.Load() - calls; again < 10 || again > 21 {
		t.Errorf("%d calls were repeated %d times; want about a tenth, and ten to begin with", calls, again)
	}
}

func TestTheHeaderBoundIsTheLanes(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-release }))
	defer s.Close()
	defer close(release)
	l := outbound.NewLane("bank", outbound.Query, outbound.Settings{Header: 80 * time.Millisecond, Retries: -1}, nil)
	c := outbound.Client(outbound.Settings{}, nil)
	var took []time.Duration
	for _, header := range []time.Duration{80 * time.Millisecond, 300 * time.Millisecond} {
		if err := l.Tune(outbound.Settings{Header: header}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		within(l, c, func(ctx context.Context) *http.Request {
			req, _ := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
			return req
		})
		took = append(took, time.Since(began))
	}
	if !slices.IsSorted(took) || took[0] < 80*time.Millisecond || took[1] < 300*time.Millisecond || took[1] > 5*time.Second {
		t.Errorf("answers that never begin were waited for %s, want 80ms and 300ms", took)
	}
}

// TestWhomPeopleStoppedStaysStoppedWhenOpenedAnew has a partner opened anew, as after
// a change of its credentials, while it is paused.
func TestWhomPeopleStoppedStaysStoppedWhenOpenedAnew(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	m := outbound.NewMetrics(nil)
	outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, m).Hold(true)
	anew := outbound.NewLane("bank", outbound.Pay, outbound.Settings{}, m)
	if r := anew.Do(t.Context(), "send", answers(fine, &calls)); r.Reason != outbound.Paused || calls.Load() != 0 {
		t.Errorf("opened anew: %+v, %d calls; want Paused, 0", r, calls.Load())
	}
	if other := outbound.NewLane("other", outbound.Pay, outbound.Settings{}, m); !other.Ready() {
		t.Error("another partner is stopped too")
	}
	anew.Hold(false)
	if r := anew.Do(t.Context(), "send", answers(fine, &calls)); r.Outcome != outbound.Succeeded {
		t.Errorf("let go on: %+v", r)
	}
}
