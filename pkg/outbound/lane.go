package outbound

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"
)

// A Lane carries the calls of one class to one partner: rate limit, bulkhead,
// breaker and deadline, in this order. It never repeats what moves something;
// jobs do. It is safe for use by many goroutines.
type Lane struct {
	partner string
	class   Class
	own     Settings // as it was made
	set     atomic.Pointer[Settings]
	metrics *Metrics
	probe   func(context.Context) Result

	limit    *rate.Limiter
	inFlight atomic.Int64
	breaker  atomic.Pointer[gobreaker.TwoStepCircuitBreaker[Result]]
	changes  chan change
	held     atomic.Bool
	budget   *budget

	mu     sync.Mutex
	stay   time.Time // the partner asked us to stay away until then
	last   time.Time // when it was last called
	book   book
	recent []time.Duration // the last calls, a ring
	next   int
}

const remembered = 128

// ErrUnanswered is what the breaker counts: a call without a final answer.
var (
	ErrUnanswered = errors.New("the partner gave no final answer")
	errLookAway   = errors.New("not the partner's doing")
)

// NewLane makes a lane; zero settings take the class's defaults, and nil
// metrics count for nobody.
func NewLane(partner string, class Class, s Settings, m *Metrics) *Lane {
	if m == nil {
		m = NewMetrics(nil)
	}
	s = s.Or(Defaults(class))
	l := &Lane{
		partner: partner, class: class, own: s, metrics: m,
		limit:   rate.NewLimiter(rate.Limit(s.Rate), s.Burst),
		changes: make(chan change, 16),
		budget:  newBudget(),
		book:    book{state: gobreaker.StateClosed, since: time.Now()},
	}
	l.set.Store(&s)
	l.breaker.Store(l.newBreaker(s, false))
	m.state(partner, class, gobreaker.StateClosed)
	m.join(l)
	return l
}

// newBreaker makes a breaker; the window and the cool-down are fixed for its
// life, when it trips is read anew each time.
func (l *Lane) newBreaker(s Settings, open bool) *gobreaker.TwoStepCircuitBreaker[Result] {
	var b *gobreaker.TwoStepCircuitBreaker[Result]
	b = gobreaker.NewTwoStepCircuitBreaker[Result](gobreaker.Settings{
		Name: l.partner + "." + string(l.class), MaxRequests: 1,
		Interval: s.Window, BucketPeriod: s.Window / 12, Timeout: s.Cooldown,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			s := l.set.Load()
			return open || int(c.ConsecutiveFailures) >= s.Consecutive ||
				int(c.Requests) >= s.Volume && float64(c.TotalFailures) >= s.Ratio*float64(c.Requests)
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errLookAway) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if l.breaker.Load() != b {
				return // it was replaced
			}
			select { // called under the breaker's lock: never wait here
			case l.changes <- change{to, time.Now()}:
			default:
			}
		},
	})
	if open {
		if done, err := b.Allow(); err == nil {
			done(ErrUnanswered)
		}
		open = false
	}
	return b
}

// WithProbe gives the lane the harmless question that tries a partner again
// after the breaker was open, so that no customer's money does. It is called
// before the lane is used.
func (l *Lane) WithProbe(probe func(context.Context) Result) *Lane {
	l.probe = probe
	return l
}

// Settings are the lane's bounds now, defaults filled in.
func (l *Lane) Settings() Settings { return *l.set.Load() }

// Own are the bounds that the lane was made with.
func (l *Lane) Own() Settings { return l.own }

// Partner is whom the lane leads to.
func (l *Lane) Partner() string { return l.partner }

// Class is what the lane's calls do.
func (l *Lane) Class() Class { return l.class }

// Tune changes the lane's bounds while it is used: zero fields are as the lane
// was made. Calls under way end by the bounds they began with. A breaker that
// is open stays open.
func (l *Lane) Tune(s Settings) error {
	s = s.Or(l.own)
	if s == *l.set.Load() {
		return nil
	}
	if err := s.Check(l.class); err != nil {
		return err
	}
	was := l.set.Swap(&s)
	l.limit.SetLimit(rate.Limit(s.Rate))
	l.limit.SetBurst(s.Burst)
	if was.Window != s.Window || was.Cooldown != s.Cooldown {
		l.breaker.Store(l.newBreaker(s, l.breaker.Load().State() != gobreaker.StateClosed))
	}
	l.drain()
	return nil
}

// Hold stops the lane's calls, or lets them go on. Questions go on all the
// same: what is in doubt resolves itself.
func (l *Lane) Hold(held bool) {
	held = held && l.class != Query
	if l.held.Swap(held) != held {
		l.metrics.hold(l.partner, l.class, held)
	}
}

// Ready says whether a call would be let through to the partner now, as far as
// people and the breaker have a say.
func (l *Lane) Ready() bool { return !l.held.Load() && l.breaker.Load().State() != gobreaker.StateOpen }

// Do makes one call and says what came of it. The call gets a context with
// the lane's deadline and must return when it ends. Nothing is sent while the
// breaker is open, the bulkhead full or the rate used up: that is NotSent.
func (l *Lane) Do(ctx context.Context, op string, call func(context.Context) Result) Result {
	ctx, span := otel.Tracer("tiwiza/pkg/outbound").Start(ctx, "partner "+op, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("partner", l.partner), attribute.String("class", string(l.class))))
	defer span.End()
	start := time.Now()
	r := l.do(ctx, op, call)
	l.metrics.calls.WithLabelValues(l.partner, op, string(r.Outcome)).Inc()
	l.metrics.seconds.WithLabelValues(l.partner, op).Observe(time.Since(start).Seconds())
	span.SetAttributes(attribute.String("outcome", string(r.Outcome)), attribute.String("reason", string(r.Reason)))
	if r.Outcome == NotSent || r.Outcome == Unknown {
		span.SetStatus(codes.Error, string(r.Outcome))
	}
	l.drain()
	return r
}

// holdFor is how soon what was stopped by people is tried again.
const holdFor = 15 * time.Second

func (l *Lane) do(ctx context.Context, op string, call func(context.Context) Result) Result {
	if err := ctx.Err(); err != nil {
		return Result{Outcome: NotSent, Reason: Cancelled, Err: err}
	}
	if l.held.Load() {
		return Result{Outcome: NotSent, Reason: Paused, RetryAfter: holdFor, Text: "calls to this partner are paused"}
	}
	if wait := l.wait(); wait > 0 {
		return Result{Outcome: NotSent, Reason: Limited, RetryAfter: wait, Text: "the rate limit is reached"}
	}
	if l.inFlight.Add(1) > int64(l.set.Load().Bulkhead) {
		l.inFlight.Add(-1)
		return Result{Outcome: NotSent, Reason: Busy, RetryAfter: time.Second, Text: "too many calls are under way"}
	}
	defer l.inFlight.Add(-1)
	if l.probe != nil && l.breaker.Load().State() == gobreaker.StateHalfOpen {
		if r := l.guarded(ctx, "probe", l.probe); r.failed() || r.excluded() {
			return Result{Outcome: NotSent, Reason: Open, Code: r.Code, Text: "the partner does not answer yet", Err: r.Err}
		}
		if l.breaker.Load().State() != gobreaker.StateClosed {
			return Result{Outcome: NotSent, Reason: Open, Text: "the partner is being tried by another call"}
		}
	}
	return l.guarded(ctx, op, call)
}

// guarded passes the breaker, keeps the deadline and tells the breaker on
// every path, also when call panics.
func (l *Lane) guarded(ctx context.Context, op string, call func(context.Context) Result) (r Result) {
	set := l.set.Load()
	done, err := l.breaker.Load().Allow()
	if err != nil {
		return Result{Outcome: NotSent, Reason: Open, Err: err, RetryAfter: set.Cooldown, Text: "the partner does not answer; it is tried again soon"}
	}
	verdict := ErrUnanswered
	defer func() { done(verdict) }()
	r = l.timed(ctx, op, set, call)
	switch {
	case r.excluded():
		verdict = errLookAway
	case !r.failed():
		verdict = nil
	}
	return r
}

// timed makes a call within the deadline, and remembers how it went.
func (l *Lane) timed(ctx context.Context, op string, set *Settings, call func(context.Context) Result) Result {
	inner, cancel := context.WithTimeout(context.WithValue(ctx, carriedKey{}, &carried{set: set, lane: l, once: op == "probe" || op == "ping"}), set.Deadline)
	defer cancel()
	start := time.Now()
	l.budget.called()
	r := call(inner)
	l.remember(time.Since(start), start)
	if r.RetryAfter = min(r.RetryAfter, MaxRetryAfter); r.Reason == Limited {
		l.stayAway(r.RetryAfter)
	}
	if r.failed() && ctx.Err() != nil && inner.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		r.Reason = Cancelled
	}
	l.blame(op, r)
	return r
}

// wait says how long the caller must stay away; zero lets it pass.
func (l *Lane) wait() time.Duration {
	l.mu.Lock()
	left := time.Until(l.stay)
	l.mu.Unlock()
	if left > 0 {
		return left
	}
	if l.limit.Allow() {
		return 0
	}
	return max(time.Duration(float64(time.Second)/l.set.Load().Rate), time.Millisecond)
}

func (l *Lane) stayAway(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stay = time.Now().Add(max(d, time.Second))
}

func (l *Lane) remember(d time.Duration, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = at
	if len(l.recent) < remembered {
		l.recent = append(l.recent, d)
		return
	}
	l.recent[l.next] = d
	l.next = (l.next + 1) % remembered
}

// quick is the 95th percentile of the last calls. The caller holds mu.
func (l *Lane) quick() time.Duration {
	n := len(l.recent)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l.recent))
	return sorted[(n*95+99)/100-1]
}
