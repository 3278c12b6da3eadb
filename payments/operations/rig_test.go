package operations_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

const (
	kind  = "payout"
	house = "bank"
	other = "otherbank"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !testing.Verbose() {
		slog.SetDefault(slog.New(slog.DiscardHandler))
	}
	m.Run()
}

// A partner keeps its own truth: how often it executed which reference.
type partner struct {
	mu       sync.Mutex
	once     bool // it executes a reference once, however often it is sent
	executed map[string]int
	calls    map[string]int
	answer   func(o operations.Operation) outbound.Outcome // Succeeded when nil
	loses    bool                                          // it never sees what is sent
}

func (p *partner) take(o operations.Operation) outbound.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[o.Ref]++
	said := outbound.Succeeded
	if p.answer != nil {
		said = p.answer(o)
	}
	if said == outbound.NotSent || said == outbound.Declined || p.loses || p.once && p.executed[o.Ref] > 0 {
		return outbound.Result{Outcome: said}
	}
	p.executed[o.Ref]++
	return outbound.Result{Outcome: said}
}

func (p *partner) find(o operations.Operation) outbound.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.executed[o.Ref] > 0 {
		return outbound.Result{Outcome: outbound.Succeeded}
	}
	return outbound.Result{Outcome: outbound.NotFound}
}

func (p *partner) did(ref string) (executed, calls int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.executed[ref], p.calls[ref]
}

// A task is a job that waits, for the test to run: once, twice, or never.
type task struct{ Kind, Operation string }

// take gives what is queued, and takes it out of the queue.
func (d *desk) take() []task {
	d.t.Helper()
	q, err := pg.All[task](d.t.Context(), d.db, `with taken as (delete from river.river_job returning id, kind, args)
		select kind, args->>'operation' as operation from taken order by id`)
	d.ok(err)
	return q
}

// desk is an engine over a database of its own, with a partner that keeps its
// own truth, and a domain that writes down what it is told.
type desk struct {
	t         testing.TB
	db        *pg.Store
	engine    *operations.Engine
	approvals *approvals.Service
	partner   *partner
	timers    *job.Timers
	mu        sync.Mutex
	told      []string // "op was→is" of Moved, "op contradicted" of Contradicted
	hook      func(o operations.Operation, was operations.State) error
}

func newDesk(t testing.TB, change ...func(d *desk, h *operations.Handler)) *desk {
	t.Helper()
	d := &desk{t: t, db: pgtest.New(t), partner: &partner{once: true, executed: map[string]int{}, calls: map[string]int{}}}
	pgtest.Queue(t, d.db, event.NewBus())
	d.timers = job.NewTimers(d.db)
	d.engine = operations.New(d.db)
	d.approvals = approvals.New(d.db)
	d.engine.Reviewed(d.approvals)
	h := operations.Handler{
		Send:    func(_ context.Context, o operations.Operation) outbound.Result { return d.partner.take(o) },
		Inquire: func(_ context.Context, o operations.Operation) outbound.Result { return d.partner.find(o) },
		Policy:  operations.Policy{Resend: true},
		Moved: func(_ context.Context, tx *pg.Tx, o operations.Operation, was operations.State) error {
			return d.hear(tx, o, was, fmt.Sprintf("%s→%s", was, o.State))
		},
		Contradicted: func(_ context.Context, tx *pg.Tx, o operations.Operation, was operations.State) error {
			return d.hear(tx, o, was, "contradicted "+string(was))
		},
	}
	for _, f := range change {
		f(d, &h)
	}
	d.engine.Handle(kind, h)
	d.engine.Work(job.NewWorkers(), d.timers)
	return d
}

func (d *desk) hear(tx *pg.Tx, o operations.Operation, was operations.State, what string) error {
	if d.hook != nil {
		if err := d.hook(o, was); err != nil {
			return err
		}
	}
	tx.After(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.told = append(d.told, what)
	})
	return nil
}

func (d *desk) heard() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.told...)
}

func (d *desk) certify(kinds ...string) {
	d.t.Helper()
	var all []operations.Certificate
	for _, k := range kinds {
		all = append(all, operations.Certificate{Connector: house, Kind: k, Proof: "the partner of this test", Remembers: 24 * time.Hour})
	}
	d.ok(d.engine.Certify(d.t.Context(), house, all...))
}

func (d *desk) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) tx(f func(ctx context.Context, tx *pg.Tx) error) {
	d.t.Helper()
	ctx := auth.With(d.t.Context(), auth.Hub)
	d.ok(d.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) }))
}

// intend writes down an operation about a subject of its own.
func (d *desk) intend(in operations.Intention) (o operations.Operation) {
	d.t.Helper()
	ref := id.New("ref")[4:]
	if in.Subject == "" {
		in.Subject = "pay_" + ref
	}
	if in.Kind == "" {
		in.Kind = kind
	}
	in.Connector, in.Ref, in.Amount = house, "R"+ref, money.Dirhams(1000)
	d.tx(func(_ context.Context, tx *pg.Tx) error {
		o = d.engine.Intend(tx, in)
		return nil
	})
	return o
}

func (d *desk) op(opID string) operations.Operation {
	d.t.Helper()
	o, err := pg.One[operations.Operation](d.t.Context(), d.db, operations.ErrNotFound, `select id, subject, kind, connector, ref, amount, currency,
		request, file, state, sent_at, lease_until, resend_until, partner_id, inquiries, absences, absent_at, why, version, created_at, changed_at,
		tries, gone, first_sent_at, proof, contradicted_at, paged from operations.operation where id = $1`, opID)
	d.ok(err)
	return o
}

func (d *desk) want(opID string, want operations.State) operations.Operation {
	d.t.Helper()
	o := d.op(opID)
	if o.State != want {
		d.t.Errorf("the operation is %s (%s), want %s", o.State, o.Why, want)
	}
	return o
}

func (d *desk) say(opID string, from operations.Source, o outbound.Outcome) {
	d.t.Helper()
	d.ok(d.engine.Outcome(d.t.Context(), from, outbound.Result{Outcome: o}, opID))
}

func (d *desk) now() time.Time {
	d.t.Helper()
	at, err := clock.Now(d.t.Context(), d.db)
	d.ok(err)
	return at
}

func (d *desk) advance(by time.Duration) {
	d.t.Helper()
	pgtest.Advance(d.t, d.db, by)
}

// work fires the timers that are due and runs each job that is queued, until
// there is neither.
func (d *desk) work() {
	d.t.Helper()
	for {
		fired, err := d.timers.Due(d.t.Context())
		d.ok(err)
		queued := d.take()
		if fired == 0 && len(queued) == 0 {
			return
		}
		for _, j := range queued {
			d.ok(d.run(j))
		}
	}
}

func (d *desk) run(j task) error {
	ctx := auth.With(d.t.Context(), auth.Hub)
	switch j.Kind {
	case operations.SendJob:
		return d.engine.Send(ctx, j.Operation)
	case operations.InquireJob:
		return d.engine.Ask(ctx, j.Operation)
	}
	return errors.New("a job of kind " + j.Kind)
}

// pass lets time go by in steps, with all that falls due.
func (d *desk) pass(all, step time.Duration) {
	d.t.Helper()
	for ; all > 0; all -= step {
		d.advance(min(step, all))
		d.work()
	}
}

// events are the events of a type, as JSON, oldest first.
func (d *desk) events(typ string) []string {
	d.t.Helper()
	rows, err := pg.Column[string](d.t.Context(), d.db, `select payload::text from platform.event where type = $1 order by seq`, typ)
	d.ok(err)
	return rows
}
