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
// breaker and deadline, in this order. It never retries; jobs do. It is safe
// for use by many goroutines.
type Lane struct {
	partner string
	class   Class
	set     Settings
	metrics *Metrics
	probe   func(context.Context) Result

	limit    *rate.Limiter
	slots    chan struct{}
	breaker  *gobreaker.TwoStepCircuitBreaker[Result]
	changes  chan change
	inFlight atomic.Int64

	mu     sync.Mutex
	pause  time.Time // the partner asked us to stay away until then
	since  time.Time
	recent []time.Duration // the last calls, a ring
	next   int
}

// change is a move of the breaker, told from under its lock.
type change struct {
	to gobreaker.State
	at time.Time
}

// LaneState is what an operator sees of a lane.
type LaneState struct {
	Partner  string        `json:"partner"`
	Class    Class         `json:"class"`
	Breaker  string        `json:"breaker"` // closed, half-open or open
	Since    time.Time     `json:"since"`   // when the breaker last moved
	InFlight int           `json:"in_flight"`
	P95      time.Duration `json:"p95"`
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
		partner: partner, class: class, set: s, metrics: m,
		limit:   rate.NewLimiter(rate.Limit(s.Rate), s.Burst),
		slots:   make(chan struct{}, s.Bulkhead),
		changes: make(chan change, 16),
		since:   time.Now(),
	}
	l.breaker = gobreaker.NewTwoStepCircuitBreaker[Result](gobreaker.Settings{
		Name: partner + "." + string(class), MaxRequests: 1,
		Interval: s.Window, BucketPeriod: s.Window / 12, Timeout: s.Cooldown,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return int(c.ConsecutiveFailures) >= s.Consecutive ||
				int(c.Requests) >= s.Volume && float64(c.TotalFailures) >= s.Ratio*float64(c.Requests)
		},
		IsExcluded: func(err error) bool { return errors.Is(err, errLookAway) },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			select { // called under the breaker's lock: never wait here
			case l.changes <- change{to, time.Now()}:
			default:
			}
		},
	})
	m.state(partner, class, gobreaker.StateClosed)
	return l
}

// WithProbe gives the lane the harmless question that tries a partner again
// after the breaker was open, so that no customer's money does. It is called
// before the lane is used.
func (l *Lane) WithProbe(probe func(context.Context) Result) *Lane {
	l.probe = probe
	return l
}

// Settings are the lane's bounds, defaults filled in.
func (l *Lane) Settings() Settings { return l.set }

// Do makes one call and says what came of it. The call gets a context with
// the lane's deadline and must return when it ends. Nothing is sent while the
// breaker is open, the bulkhead full or the rate used up: that is NotSent.
func (l *Lane) Do(ctx context.Context, op string, call func(context.Context) Result) Result {
	ctx, span := otel.Tracer("tiwiza/pkg/outbound").Start(ctx, "partner "+op, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("partner", l.partner), attribute.String("class", string(l.class))))
	defer span.End()
	start := time.Now()
	r := l.do(ctx, call)
	l.metrics.calls.WithLabelValues(l.partner, op, string(r.Outcome)).Inc()
	l.metrics.seconds.WithLabelValues(l.partner, op).Observe(time.Since(start).Seconds())
	span.SetAttributes(attribute.String("outcome", string(r.Outcome)), attribute.String("reason", string(r.Reason)))
	if r.Outcome == NotSent || r.Outcome == Unknown {
		span.SetStatus(codes.Error, string(r.Outcome))
	}
	l.drain()
	return r
}

func (l *Lane) do(ctx context.Context, call func(context.Context) Result) Result {
	if err := ctx.Err(); err != nil {
		return Result{Outcome: NotSent, Reason: Cancelled, Err: err}
	}
	if wait := l.wait(); wait > 0 {
		return Result{Outcome: NotSent, Reason: Limited, RetryAfter: wait, Text: "the rate limit is reached"}
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	default:
		return Result{Outcome: NotSent, Reason: Busy, RetryAfter: time.Second, Text: "too many calls are under way"}
	}
	l.inFlight.Add(1)
	defer l.inFlight.Add(-1)
	if l.probe != nil && l.breaker.State() == gobreaker.StateHalfOpen {
		if r := l.guarded(ctx, l.probe); r.failed() || r.excluded() {
			return Result{Outcome: NotSent, Reason: Open, Code: r.Code, Text: "the partner does not answer yet", Err: r.Err}
		}
		if l.breaker.State() != gobreaker.StateClosed {
			return Result{Outcome: NotSent, Reason: Open, Text: "the partner is being tried by another call"}
		}
	}
	return l.guarded(ctx, call)
}

// guarded passes the breaker, keeps the deadline and tells the breaker on
// every path, also when call panics.
func (l *Lane) guarded(ctx context.Context, call func(context.Context) Result) (r Result) {
	done, err := l.breaker.Allow()
	if err != nil {
		return Result{Outcome: NotSent, Reason: Open, Err: err, RetryAfter: l.set.Cooldown, Text: "the partner does not answer; it is tried again soon"}
	}
	verdict := ErrUnanswered
	defer func() { done(verdict) }()
	inner, cancel := context.WithTimeout(ctx, l.set.Deadline)
	defer cancel()
	start := time.Now()
	r = call(inner)
	l.remember(time.Since(start))
	if r.RetryAfter = min(r.RetryAfter, MaxRetryAfter); r.Reason == Limited {
		l.stayAway(r.RetryAfter)
	}
	if r.failed() && ctx.Err() != nil && inner.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		r.Reason = Cancelled
	}
	switch {
	case r.excluded():
		verdict = errLookAway
	case !r.failed():
		verdict = nil
	}
	return r
}

// wait says how long the caller must stay away; zero lets it pass.
func (l *Lane) wait() time.Duration {
	l.mu.Lock()
	left := time.Until(l.pause)
	l.mu.Unlock()
	if left > 0 {
		return left
	}
	if l.limit.Allow() {
		return 0
	}
	return max(time.Duration(float64(time.Second)/l.set.Rate), time.Millisecond)
}

func (l *Lane) stayAway(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause = time.Now().Add(max(d, time.Second))
}

func (l *Lane) remember(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.recent) < remembered {
		l.recent = append(l.recent, d)
		return
	}
	l.recent[l.next] = d
	l.next = (l.next + 1) % remembered
}

// drain takes what the breaker told since the last time.
func (l *Lane) drain() {
	for {
		select {
		case c := <-l.changes:
			l.metrics.state(l.partner, l.class, c.to)
			l.mu.Lock()
			l.since = c.at
			l.mu.Unlock()
		default:
			return
		}
	}
}

// State is what an operator sees of the lane now.
func (l *Lane) State() LaneState {
	now := l.breaker.State() // may move it to half-open, so before drain
	l.drain()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := LaneState{Partner: l.partner, Class: l.class, Breaker: now.String(), Since: l.since, InFlight: int(l.inFlight.Load())}
	if n := len(l.recent); n > 0 {
		sorted := slices.Sorted(slices.Values(l.recent))
		s.P95 = sorted[(n*95+99)/100-1]
	}
	return s
}
