package treasury_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

const (
	safeguard = "007780000123456789012396"
	operating = "011519000001205000534921"
	somebody  = "230780210345678901234517"
)

var (
	first  = auth.Principal{Subject: "per_1", Role: auth.Operator}
	second = auth.Principal{Subject: "per_2", Role: auth.Operator}
)

// slow is a bank on paper that may take its time, until somebody gives up.
type slow struct {
	*paperbank.Bank
	waits atomic.Bool
	began chan struct{}
}

// Publish takes a file in, or waits for the caller to go away.
func (s *slow) Publish(ctx context.Context, f bank.File) outbound.Result {
	if !s.waits.Load() {
		return s.Bank.Publish(ctx, f)
	}
	s.began <- struct{}{}
	<-ctx.Done()
	return outbound.Result{Outcome: outbound.NotSent, Reason: outbound.Cancelled, Err: ctx.Err()}
}

// hub is a treasury over real books and files.
type hub struct {
	t         *testing.T
	db        *pg.Store
	books     *ledger.Books
	engine    *operations.Engine
	files     *files.Service
	approvals *approvals.Service
	treasury  *treasury.Service
	bank      *slow
	timers    *job.Timers
	sent      atomic.Int32 // calls of the kind that is sent one by one
}

func newHub(t *testing.T) *hub {
	t.Helper()
	return join(t, pgtest.URL(t), &slow{Bank: &paperbank.Bank{}, began: make(chan struct{}, 10)})
}

// join starts a hub on a database where others may be at work.
func join(t *testing.T, url string, b *slow) *hub {
	t.Helper()
	db := pgtest.Open(t, url, pg.Options{MaxConns: 8})
	h := &hub{t: t, db: db, books: ledger.New(db), engine: operations.New(db), approvals: approvals.New(db), bank: b, timers: job.NewTimers(db)}
	h.files = files.New(db, h.engine, files.House{
		Bank:      bank.New("bank", h.bank, bank.Options{File: outbound.Settings{Consecutive: 1000, Volume: 1000}}),
		Safeguard: bank.Account{RIB: safeguard, Name: "Clients"}, Operating: bank.Account{RIB: operating, Name: "Tiwiza"},
	})
	h.treasury = treasury.New(db, h.books, h.files, h.engine, h.approvals)
	workers := job.NewWorkers()
	quiet := func(context.Context, *pg.Tx, operations.Operation, operations.State) error { return nil }
	h.files.Handle("payout", files.Kind{Moved: quiet, Pay: func(context.Context, pg.DB, string) (bank.Transfer, error) {
		return bank.Transfer{To: bank.Account{RIB: somebody, Name: "Quelqu'un (exemple)"}}, nil
	}})
	for kind, out := range map[string]bool{"refund": true, "capture": false} {
		h.engine.Handle(kind, operations.Handler{Out: out, Moved: quiet, Send: func(context.Context, operations.Operation) outbound.Result {
			h.sent.Add(1)
			return outbound.Result{Outcome: outbound.Succeeded}
		}})
	}
	h.engine.Work(workers, h.timers)
	h.files.Work(workers, h.timers)
	h.treasury.Work(h.timers)
	pgtest.Work(t, db, workers, event.NewBus())
	return h
}

func (h *hub) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) do(f func(ctx context.Context, tx *pg.Tx) error) {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), first)
	h.ok(h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) }))
}

func (h *hub) post(key, kind string, legs ...ledger.Leg) {
	h.t.Helper()
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		return h.books.Post(ctx, tx, ledger.Transfer{Key: key, Kind: kind, Currency: money.MAD, Legs: legs})
	})
}

// trade is a day's trade: 100.00 taken and released, 90.00 of it to a seller
// and 10.00 to us; settled less 2.00, which our own money is to make good.
func (h *hub) trade(n string) {
	h.t.Helper()
	h.post("fund "+n, "escrow.fund", ledger.Debit("psp:acq:clearing", 10000), ledger.Credit("escrow:"+n, 10000))
	h.post("release "+n, "escrow.release", ledger.Debit("escrow:"+n, 10000), ledger.Credit("seller:s:available", 9000), ledger.Credit("fees", 1000))
	h.post("settle "+n, "settlement", ledger.Debit("bank:bank:safeguard", 9800), ledger.Debit("psp_cost", 200), ledger.Debit("bank:bank:transit", 200),
		ledger.Credit("psp:acq:clearing", 10000), ledger.Credit("bank:bank:operating", 200))
}

func (h *hub) has(account string, want int64) {
	h.t.Helper()
	got, err := h.books.Balance(h.t.Context(), h.db, account, money.MAD)
	if err != nil || got != want {
		h.t.Errorf("%s has %d (%v), want %d", account, got, err, want)
	}
}

type mover func(context.Context, *pg.Tx, treasury.MoveInput) (treasury.View, error)

func (h *hub) move(do mover) (v treasury.View, err error) {
	ctx := auth.With(h.t.Context(), first)
	err = h.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		v, err = do(ctx, tx, treasury.MoveInput{})
		return err
	})
	return v, err
}

func (h *hub) mustMove(do mover) treasury.View {
	h.t.Helper()
	v, err := h.move(do)
	h.ok(err)
	return v
}

func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	pgtest.Pass(h.t, h.db, h.timers, d)
}

func (h *hub) fire() {
	h.t.Helper()
	_, err := h.timers.Due(h.t.Context())
	h.ok(err)
}

func (h *hub) operation(ref string) (o operations.Operation) {
	h.t.Helper()
	h.do(func(ctx context.Context, tx *pg.Tx) (err error) {
		o, err = h.engine.Find(ctx, tx, "bank", ref)
		return err
	})
	return o
}

// becomes waits, firing timers, until an operation is in a state. It reads
// without a lock: whoever makes a file passes over operations that are locked.
func (h *hub) becomes(ref string, want operations.State) {
	h.t.Helper()
	var is operations.State
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var err error
		is, err = pg.Value[operations.State](h.t.Context(), h.db, nil, `select state from operations.operation where connector = 'bank' and ref = $1`, ref)
		if h.ok(err); is == want {
			return
		}
		h.fire()
	}
	h.t.Fatalf("%s is %s, want %s", ref, is, want)
}

func (h *hub) hear(ref string, from operations.Source, said outbound.Outcome) {
	h.t.Helper()
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		o, err := h.engine.Find(ctx, tx, "bank", ref)
		if err == nil {
			_, err = h.engine.Heard(ctx, tx, o.ID, from, outbound.Result{Outcome: said}, "")
		}
		return err
	})
}

func (h *hub) intend(kind string, subject string) {
	h.t.Helper()
	h.do(func(_ context.Context, tx *pg.Tx) error {
		in := operations.Intention{Subject: subject, Kind: kind, Connector: "bank", Ref: files.RefOf(subject), Amount: money.Dirhams(500)}
		if kind == "payout" {
			h.files.Intend(tx, in)
		} else {
			h.engine.Intend(tx, in)
		}
		return nil
	})
}

// turn turns the switch as a person.
func (h *hub) turn(who auth.Principal, on bool) treasury.HaltView {
	h.t.Helper()
	v, err := h.treasury.SetHalt(auth.With(h.t.Context(), who), treasury.SetHaltInput{On: on, Reason: "test"})
	h.ok(err)
	return v
}

func (h *hub) approve(who auth.Principal, approval string) error {
	ctx := auth.With(h.t.Context(), who)
	return h.db.InTx(ctx, func(tx *pg.Tx) error {
		_, err := h.approvals.Decide(ctx, tx, approvals.DecideInput{Approval: approval, Decision: "approve"})
		return err
	})
}

// moves are the movements there are, newest first.
func (h *hub) moves(kind string) []treasury.View {
	h.t.Helper()
	in := treasury.ListInput{Kind: kind}
	in.Limit = 100
	page, err := h.treasury.List(auth.With(h.t.Context(), first), in)
	h.ok(err)
	return page.Data
}
