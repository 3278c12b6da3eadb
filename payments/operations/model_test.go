package operations_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/operations"
	"tiwiza/pkg/outbound"
)

// A system is what the model drives: the pure functions alone, or the engine
// over PostgreSQL. Both must do the same.
type system interface {
	now() time.Time
	pass(d time.Duration)
	op() operations.Operation
	begin() (operations.Operation, bool)
	hear(try int, from operations.Source, o outbound.Outcome, at time.Time)
	lapse()
}

// A call is one try on its way: when it reaches the partner, whether it was
// executed there, and whether its answer is still to come.
type call struct {
	try      int
	fate     string // what becomes of it at the partner
	arrives  time.Time
	executed bool
	done     bool // arrived, or never will
	answered bool
}

// The fates of a call.
const (
	lost    = "lost"    // left us, and never arrives
	unsent  = "unsent"  // never left us, and we know
	refused = "refused" // for good
	works   = "works"   // arrives now
	late    = "late"    // arrives long after we gave up waiting
	lies    = "lies"    // arrives, and is answered as refused
)

// A model is one operation at one partner that keeps its own truth. Whatever the
// partner executed, and whatever reached it, the model knows; the system only
// hears what is said.
type model struct {
	system
	p         operations.Policy
	once      bool // the partner executes a reference once, as long as it remembers it
	liar      bool
	executed  int
	refused   bool          // and it says so when asked
	first     time.Time     // when it was first executed
	hidden    time.Time     // until then it is not shown to inquiries
	shows     time.Duration // and not longer than this
	calls     []*call
	snapshots []snapshot
	looks     int // at the end, within a month
}

// A snapshot is what an inquiry saw, to be told later.
type snapshot struct {
	try int
	at  time.Time
	o   outbound.Outcome
}

func (m *model) execute(c *call) {
	c.done = true
	if m.knows(c.arrives) {
		return
	}
	if m.executed == 0 {
		m.first = c.arrives
	}
	c.executed = true
	m.executed++
}

// knows says whether the partner has executed the reference and takes it once.
func (m *model) knows(at time.Time) bool {
	return m.once && m.executed > 0 && at.Before(m.first.Add(remembers))
}

// remembers is how long a certified partner knows a reference.
const remembers = 24 * time.Hour

// arrive lets what is due reach the partner.
func (m *model) arrive() {
	for _, c := range m.calls {
		if !c.done && !m.now().Before(c.arrives) {
			m.execute(c)
		}
	}
}

// send begins a sending and draws what becomes of it.
func (m *model) send(t *rapid.T) {
	o, ours := m.begin()
	if !ours {
		return
	}
	fates := []string{lost, unsent, refused, works, works, late}
	if m.liar {
		fates = append(fates, lies)
	}
	c := &call{try: o.Tries, fate: rapid.SampledFrom(fates).Draw(t, "fate"), arrives: m.now()}
	if c.fate == refused && m.knows(m.now()) {
		c.fate = works // it answers as it did the first time
	}
	m.calls = append(m.calls, c)
	switch c.fate {
	case works, lies:
		m.execute(c)
		if rapid.Bool().Draw(t, "hidden") {
			m.hidden = m.now().Add(10 * time.Minute)
		}
	case late: // within the quiet period, as a partner's own queues are
		c.arrives = m.now().Add(time.Duration(rapid.IntRange(40, 600).Draw(t, "late")) * time.Second)
	case refused:
		c.done = true
		m.refused = m.refused || rapid.Bool().Draw(t, "remembered")
	default:
		c.done = true
	}
}

// answer is what the caller of one try comes home with, perhaps long after its
// lease; or it never comes home.
func (m *model) answer(t *rapid.T) {
	for _, c := range m.calls {
		if c.answered || !rapid.Bool().Draw(t, "this one") {
			continue
		}
		c.answered = true
		var said outbound.Outcome
		switch c.fate {
		case unsent:
			said = outbound.NotSent
		case refused, lies:
			said = rapid.SampledFrom([]outbound.Outcome{outbound.Declined, outbound.Declined, outbound.Unknown}).Draw(t, "said")
		case works:
			said = rapid.SampledFrom([]outbound.Outcome{outbound.Succeeded, outbound.Accepted, outbound.Unknown}).Draw(t, "said")
		default:
			said = outbound.Unknown
		}
		m.hear(c.try, operations.Answer, said, m.now())
		return
	}
}

// truth is what the partner's own books say now.
func (m *model) truth() outbound.Outcome {
	switch {
	case m.executed > 0 && !m.now().Before(m.hidden) && m.now().Before(m.first.Add(m.shows)):
		return outbound.Succeeded
	case m.executed == 0 && m.refused:
		return outbound.Declined
	}
	return outbound.NotFound
}

// look asks the partner; what it says is told at once or later.
func (m *model) look(t *rapid.T) {
	o := m.op()
	if o.Done() || o.State == operations.Intent || o.State == operations.Review {
		return
	}
	s := snapshot{o.Tries, m.now(), m.truth()}
	if rapid.IntRange(0, 4).Draw(t, "fails") == 0 {
		s.o = rapid.SampledFrom([]outbound.Outcome{outbound.Unknown, outbound.NotSent}).Draw(t, "failure")
	}
	if rapid.IntRange(0, 2).Draw(t, "told later") > 0 {
		m.hear(s.try, operations.Inquiry, s.o, s.at)
		return
	}
	m.snapshots = append(m.snapshots, s)
}

func (m *model) tell(t *rapid.T) {
	if len(m.snapshots) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.snapshots)-1).Draw(t, "which")
	s := m.snapshots[i]
	m.snapshots = append(m.snapshots[:i:i], m.snapshots[i+1:]...)
	m.hear(s.try, operations.Inquiry, s.o, s.at)
}

// callback has the partner tell by itself what it did, perhaps twice.
func (m *model) callback(t *rapid.T) {
	said := outbound.Accepted
	if m.executed == 0 {
		return
	}
	for range rapid.IntRange(1, 2).Draw(t, "times") {
		m.hear(m.op().Tries, operations.Callback, said, m.now())
	}
}

func (m *model) statement() {
	if m.executed > 0 {
		m.hear(m.op().Tries, operations.Statement, outbound.Succeeded, m.now())
	}
}

// judge holds what was done against what is allowed.
func (m *model) judge(t *rapid.T, was operations.Operation) {
	o := m.op()
	switch {
	case m.executed > 1:
		t.Fatalf("the partner executed it %d times", m.executed)
	case o.State == operations.Confirmed && m.executed == 0:
		t.Fatal("confirmed, and the partner never executed it")
	case o.State == operations.Rejected && m.executed > 0 && o.ContradictedAt == nil && !m.lied():
		t.Fatalf("rejected by %s, and the partner executed it", o.Proof)
	case was.Done() && o.State != was.State:
		t.Fatalf("%s became %s", was.State, o.State)
	case o.Tries > was.Tries && was.Gone > 0 && !m.p.Resend:
		t.Fatal("sent again where nothing proves that this is safe")
	case o.Gone < 0 || o.Gone > o.Tries:
		t.Fatalf("%d of %d tries may have left", o.Gone, o.Tries)
	case o.State == operations.Intent && was.State == operations.Accepted:
		t.Fatal("what the partner had accepted is about to be sent again")
	case o.State == operations.Intent && was.State == operations.Unknown && o.Gone == was.Gone && was.SentAt != nil && m.now().Before(was.SentAt.Add(m.p.Quiet)):
		t.Fatal("an absence was believed within the quiet period")
	}
}

func (m *model) lied() bool {
	for _, c := range m.calls {
		if c.fate == lies {
			return true
		}
	}
	return false
}

// settle lets the partner behave: it answers truthfully, for a month, and its
// statement comes at last. Nothing is left open then.
func (m *model) settle(t *rapid.T) {
	for _, c := range m.calls {
		if !c.answered && c.fate == unsent { // its worker died
			c.answered = true
		}
	}
	for range m.looks {
		m.pass(30 * 24 * time.Hour / time.Duration(m.looks))
		m.arrive()
		m.lapse()
		if o, ours := m.begin(); ours && rapid.Bool().Draw(t, "arrives") {
			c := &call{try: o.Tries, fate: works, arrives: m.now(), answered: true}
			m.calls = append(m.calls, c)
			m.execute(c)
		}
		if o := m.op(); !o.Done() && o.State != operations.Intent && o.State != operations.Review {
			m.hear(o.Tries, operations.Inquiry, m.truth(), m.now())
		}
	}
	m.statement()
	o := m.op()
	switch {
	case !o.Done() && o.State != operations.Review:
		t.Fatalf("after a month it is %s", o.State)
	case m.executed > 0 && !o.Executed():
		t.Fatalf("the statement shows it, and it is %s", o.State)
	case m.executed == 0 && o.Executed():
		t.Fatalf("nothing was executed, and it is %s", o.State)
	}
}

// play draws what happens, step by step. Each run leaves some kinds of steps
// out, so that what is left comes together more often.
func (m *model) play(t *rapid.T, steps int) {
	kinds := []string{"send", "pass", "look", "lapse"}
	for _, k := range []string{"answer", "tell", "callback", "statement"} {
		if rapid.Bool().Draw(t, k) {
			kinds = append(kinds, k)
		}
	}
	for range steps {
		was := m.op()
		switch rapid.SampledFrom(kinds).Draw(t, "step") {
		case "send":
			m.send(t)
		case "answer":
			m.answer(t)
		case "look":
			m.look(t)
		case "tell":
			m.tell(t)
		case "callback":
			m.callback(t)
		case "statement":
			m.statement()
		case "lapse":
			m.lapse()
		case "pass":
			longest := rapid.SampledFrom([]int{30, 1300, 1300, 90000}).Draw(t, "longest")
			m.pass(time.Duration(rapid.IntRange(1, longest).Draw(t, "seconds")) * time.Second)
			m.arrive()
		}
		m.judge(t, was)
	}
	m.settle(t)
}

// draw makes a partner: one that is certified executes a reference once; one
// that is not may, or may not.
func draw(t *rapid.T, s func(resend bool) system) *model {
	certified := rapid.Bool().Draw(t, "certified")
	p := operations.Policy{Resend: certified}.Or(operations.DefaultPolicy)
	return &model{
		system: s(certified), p: p, once: certified || rapid.Bool().Draw(t, "once"), liar: rapid.IntRange(0, 3).Draw(t, "liar") == 0,
		looks: 30, shows: rapid.SampledFrom([]time.Duration{time.Minute, time.Hour, 365 * 24 * time.Hour}).Draw(t, "shows"),
	}
}

// pure is the state machine alone.
type pure struct {
	o  operations.Operation
	at time.Time
	p  operations.Policy
}

func (s *pure) now() time.Time           { return s.at }
func (s *pure) pass(d time.Duration)     { s.at = s.at.Add(d) }
func (s *pure) op() operations.Operation { return s.o }
func (s *pure) lapse()                   { s.o, _ = s.o.Lapse(s.at) }
func (s *pure) begin() (operations.Operation, bool) {
	var ours bool
	s.o, ours = s.o.Send(s.at, s.p)
	return s.o, ours
}

func (s *pure) hear(try int, from operations.Source, o outbound.Outcome, at time.Time) {
	s.o = s.o.HearOf(try, from, outbound.Result{Outcome: o}, at, s.p)
}

// Whatever is sent, answered, asked, told late, twice or never: the partner
// executes it at most once, no end is wrong unless the partner lied, and nothing
// stays open.
func TestNoSequenceExecutesTwice(t *testing.T) {
	t.Parallel()
	for i := range 500 { // of a hundred seeds each
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				m := draw(t, func(resend bool) system {
					p := operations.Policy{Resend: resend}.Or(operations.DefaultPolicy)
					return &pure{operations.Operation{State: operations.Intent, ResendUntil: at.Add(p.Window)}, at, p}
				})
				m.play(t, rapid.IntRange(1, 100).Draw(t, "steps"))
			})
		})
	}
}

// real is the engine over PostgreSQL.
type real struct {
	d  *desk
	id string
}

func (s *real) now() time.Time {
	s.d.t.Helper()
	return s.d.now()
}

func (s *real) pass(d time.Duration)     { s.d.advance(d) }
func (s *real) op() operations.Operation { return s.d.op(s.id) }
func (s *real) begin() (operations.Operation, bool) {
	o, ours, err := s.d.engine.Begin(s.d.t.Context(), s.id)
	s.d.ok(err)
	return o, ours
}

func (s *real) hear(try int, from operations.Source, o outbound.Outcome, at time.Time) {
	s.d.ok(s.d.engine.Say(s.d.t.Context(), s.id, try, from, outbound.Result{Outcome: o}, at))
}

// lapse fires the timers; what they would ask is left to the model.
func (s *real) lapse() {
	_, err := s.d.timers.Due(s.d.t.Context())
	s.d.ok(err)
	s.d.take()
}

func TestTheEngineDoesAsTheModelAllows(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	rapid.Check(t, func(t *rapid.T) {
		m := draw(t, func(resend bool) system {
			if resend {
				d.certify(kind)
			} else {
				d.certify()
			}
			return &real{d, d.intend(operations.Intention{}).ID}
		})
		m.looks = 6
		m.play(t, rapid.IntRange(1, 20).Draw(t, "steps"))
	})
}
