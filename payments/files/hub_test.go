package files_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/files"
	"tiwiza/payments/operations"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// The accounts of the test's bank, and one to pay to.
const (
	safeguard = "007780000123456789012396"
	operating = "011519000001205000534921"
	somebody  = "230780210345678901234517"
)

// kinds are those that leave in files, as their domains register them.
var kinds = map[string]files.Side{"payout": files.Safeguard, "refund": files.Safeguard, "sweep": files.Safeguard, "top_up": files.Operating}

// hub is files with a bank on paper, over four kinds of payments.
type hub struct {
	t      *testing.T
	db     *pg.Store
	engine *operations.Engine
	files  *files.Service
	bank   *paperbank.Bank
	timers *job.Timers

	mu  sync.Mutex
	pay map[string]bank.Transfer // by subject, when it is not the usual
}

func newHub(t *testing.T, tt files.Timetable) *hub {
	t.Helper()
	db := pgtest.New(t)
	workers := job.NewWorkers()
	h := &hub{t: t, db: db, engine: operations.New(db), bank: &paperbank.Bank{}, timers: job.NewTimers(db), pay: map[string]bank.Transfer{}}
	h.files = files.New(db, h.engine, files.House{}, files.House{
		Bank: bank.New("bank", h.bank, bank.Options{File: outbound.Settings{Consecutive: 1000, Volume: 1000}}), Times: tt,
		Safeguard: bank.Account{RIB: safeguard, Name: "Clients"}, Operating: bank.Account{RIB: operating, Name: "Tiwiza"},
	})
	var certified []operations.Certificate
	for kind, side := range kinds {
		h.files.Handle(kind, files.Kind{From: side, Pay: h.instruction, Moved: func(context.Context, *pg.Tx, operations.Operation, operations.State) error { return nil }})
		certified = append(certified, operations.Certificate{Connector: "bank", Kind: kind, Proof: "paper keeps", Remembers: 24 * time.Hour})
	}
	if err := h.engine.Certify(t.Context(), "bank", certified...); err != nil {
		t.Fatal(err)
	}
	h.engine.Work(workers, h.timers)
	h.files.Work(workers, h.timers)
	pgtest.Work(t, db, workers, event.NewBus())
	return h
}

func (h *hub) instruction(_ context.Context, _ pg.DB, subject string) (bank.Transfer, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t, ok := h.pay[subject]; ok {
		return t, nil
	}
	return bank.Transfer{To: bank.Account{RIB: somebody, Name: "Quelqu'un (exemple)"}, Info: "test"}, nil
}

// intend writes down payments of a kind, in dirhams.
func (h *hub) intend(kind string, dirhams ...int64) (ops []operations.Operation) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		for _, d := range dirhams {
			subject := id.New(id.Payout)
			ops = append(ops, h.files.Intend(tx, operations.Intention{Subject: subject, Kind: kind, Connector: "bank", Ref: files.RefOf(subject), Amount: money.Dirhams(100 * d)}))
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return ops
}

func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	pgtest.Pass(h.t, h.db, h.timers, d)
}

func (h *hub) fire() {
	h.t.Helper()
	if _, err := h.timers.Due(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

func (h *hub) state(o operations.Operation) operations.State {
	h.t.Helper()
	ops, err := h.engine.Of(h.t.Context(), h.db, o.Subject)
	if err != nil || len(ops) != 1 {
		h.t.Fatalf("%d operations of %s: %v", len(ops), o.Subject, err)
	}
	return ops[0].State
}

// becomes waits, firing timers, until an operation is in a state.
func (h *hub) becomes(o operations.Operation, want operations.State) {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if h.state(o) == want {
			return
		}
		h.fire()
	}
	h.t.Fatalf("the %s is %s, want %s", o.Kind, h.state(o), want)
}

// paid are the references that the bank's files ask for, each with how often.
func (h *hub) paid() map[string]int {
	refs := map[string]int{}
	for _, f := range h.bank.Files() {
		for _, t := range paperbank.Batch(f).Transfers {
			refs[t.Ref]++
		}
	}
	return refs
}

// hear has the bank say something of an operation.
func (h *hub) hear(o operations.Operation, from operations.Source, said outbound.Outcome) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		_, err := h.engine.Heard(h.t.Context(), tx, o.ID, from, outbound.Result{Outcome: said}, "")
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}
