package outbound

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sony/gobreaker/v2"
)

// A book is what a lane remembers for people. Its lane's mu guards it.
type book struct {
	state  gobreaker.State
	since  time.Time
	reason string // why it is open
	errs   []Failure
	moves  []Move // not fetched yet
}

// A Failure is a call that the partner gave no final answer to, or did not let
// in.
type Failure struct {
	At      time.Time `json:"at"`
	Op      string    `json:"op"`
	Outcome Outcome   `json:"outcome"`
	Reason  Reason    `json:"reason,omitempty"`
	Text    string    `json:"text"`
}

// A Move is a breaker that opened, or closed. A trial in between is none.
type Move struct {
	Open   bool
	Reason string // the failure that opened it
	Ago    time.Duration
	at     time.Time
}

// change is a move of the breaker, told from under its lock.
type change struct {
	to gobreaker.State
	at time.Time
}

// keptErrors and keptMoves bound what nobody fetches.
const (
	keptErrors = 5
	keptMoves  = 64
)

// LaneState is what an operator sees of a lane.
type LaneState struct {
	Partner  string
	Class    Class
	Breaker  string    // closed, half-open or open
	Since    time.Time // when the breaker last opened or closed
	Reason   string    // why it is open
	Held     bool
	InFlight int
	P95      time.Duration
	Calls    int // in the breaker's window
	Failures int
	Errors   []Failure // the last, newest first
}

// blame remembers a call that failed.
func (l *Lane) blame(op string, r Result) {
	if !r.failed() && r.Reason != Credentials && r.Reason != Trust && r.Reason != Limited {
		return
	}
	f := Failure{At: time.Now(), Op: op, Outcome: r.Outcome, Reason: r.Reason, Text: r.why()}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.book.errs = append(l.book.errs, f)
	l.book.errs = l.book.errs[max(0, len(l.book.errs)-keptErrors):]
}

// why is a result's cause in few words, without the address that was called.
func (r Result) why() string {
	err := r.Err
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	text := r.Text
	if err != nil {
		text = err.Error()
	}
	if text == "" {
		text = string(r.Outcome)
	}
	for i := range text {
		if i > 200 {
			text = text[:i] + "…"
			break
		}
	}
	if !utf8.ValidString(text) {
		return string(r.Outcome)
	}
	return text
}

// drain takes what the breaker told since the last time.
func (l *Lane) drain() {
	for {
		select {
		case c := <-l.changes:
			l.metrics.state(l.partner, l.class, c.to)
			l.mu.Lock()
			l.moved(c)
			l.mu.Unlock()
		default:
			return
		}
	}
}

// moved notes a change. A half-open breaker is still an open one that is tried.
func (l *Lane) moved(c change) {
	was := l.book.state
	l.book.state = c.to
	open := c.to != gobreaker.StateClosed
	if open == (was != gobreaker.StateClosed) {
		return
	}
	l.book.since, l.book.reason = c.at, ""
	if n := len(l.book.errs); open && n > 0 {
		l.book.reason = l.book.errs[n-1].Op + ": " + l.book.errs[n-1].Text
	}
	l.book.moves = append(l.book.moves, Move{Open: open, Reason: l.book.reason, at: c.at})
	l.book.moves = l.book.moves[max(0, len(l.book.moves)-keptMoves):]
}

// Moves fetches what the breaker did since they were fetched last, oldest
// first, each with how long ago.
func (l *Lane) Moves() []Move {
	l.breaker.Load().State() // may be due for a trial
	l.drain()
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.book.moves
	l.book.moves = nil
	for i := range all {
		all[i].Ago = time.Since(all[i].at)
	}
	return all
}

// State is what an operator sees of the lane now.
func (l *Lane) State() LaneState {
	b := l.breaker.Load()
	now := b.State() // may move it to half-open, so before drain
	counts := b.Counts()
	l.drain()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := LaneState{
		Partner: l.partner, Class: l.class, Breaker: now.String(), Since: l.book.since, Reason: l.book.reason, Held: l.held.Load(),
		InFlight: int(l.inFlight.Load()), P95: l.quick(), Calls: int(counts.Requests), Failures: int(counts.TotalFailures), Errors: slices.Clone(l.book.errs),
	}
	slices.Reverse(s.Errors)
	return s
}

// Probe asks the partner the lane's harmless question now, whatever the breaker
// says; an answer closes it. Only lanes that have such a question are asked.
func (l *Lane) Probe(ctx context.Context) (r Result, took time.Duration) {
	began := time.Now()
	l.inFlight.Add(1)
	defer l.inFlight.Add(-1)
	r = l.timed(ctx, "probe", l.set.Load(), l.probe)
	l.metrics.calls.WithLabelValues(l.partner, "probe", string(r.Outcome)).Inc()
	if !r.failed() && !r.excluded() {
		l.Close()
	}
	return r, time.Since(began)
}

// Close closes a breaker that is open: the partner has answered elsewhere.
func (l *Lane) Close() {
	if l.breaker.Load().State() == gobreaker.StateClosed {
		return
	}
	l.drain()
	l.breaker.Store(l.newBreaker(*l.set.Load(), false))
	l.metrics.state(l.partner, l.class, gobreaker.StateClosed)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved(change{gobreaker.StateClosed, time.Now()})
}

// Probes says whether the lane has a harmless question.
func (l *Lane) Probes() bool { return l.probe != nil }

// Quiet says whether it is time to ask the partner how it is.
func (l *Lane) Quiet() bool {
	every := l.set.Load().Ping
	if l.probe == nil || every <= 0 || l.breaker.Load().State() == gobreaker.StateOpen {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.last) >= every
}

// Ping asks the partner how it is when nothing has for a while, as the lane's
// settings say: so that a breaker opens before a customer comes, and closes
// before the next one. It counts as any call.
func (l *Lane) Ping(ctx context.Context) {
	if !l.Quiet() {
		return
	}
	l.mu.Lock()
	l.last = time.Now()
	l.mu.Unlock()
	l.inFlight.Add(1)
	defer l.inFlight.Add(-1)
	l.guarded(ctx, "ping", l.probe)
	l.drain()
}
