package payouts_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

const safeguard = "007780000123456789012396"

// accounts are where the test's sellers are paid.
type accounts map[string]payouts.Account

func (a accounts) PayoutAccounts(context.Context, pg.DB, ...string) (map[string]payouts.Account, error) {
	return a, nil
}

// hub is payouts over real books and escrows, with a bank on paper.
type hub struct {
	t         *testing.T
	db        *pg.Store
	books     *ledger.Books
	escrow    *escrow.Service
	engine    *operations.Engine
	payouts   *payouts.Service
	files     *files.Service
	approvals *approvals.Service
	risk      *limits.Service
	bank      *paperbank.Bank
	accounts  accounts
	timers    *job.Timers
	between   *between
}

// between has something happen once payouts have covered what they pay.
type between struct {
	*escrow.Service
	then   func()
	before func() // what is not settled yet is read
}

func (b *between) Unsettled(ctx context.Context, db pg.DB, carrier, currency string) (int64, error) {
	if b.before != nil {
		b.before()
	}
	return b.Service.Unsettled(ctx, db, carrier, currency)
}

func (b *between) Cover(ctx context.Context, tx *pg.Tx, seller, currency string, amount int64) ([]escrow.Cover, error) {
	covers, err := b.Service.Cover(ctx, tx, seller, currency, amount)
	if b.then != nil {
		b.then()
	}
	return covers, err
}

func newHub(t *testing.T) *hub {
	t.Helper()
	return newHubAt(t, pgtest.URL(t))
}

// newHubAt is newHub on a database that is there.
func newHubAt(t *testing.T, url string) *hub {
	t.Helper()
	db := pgtest.Open(t, url, pg.Options{MaxConns: 12})
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	bus, workers := event.NewBus(), job.NewWorkers()
	h := &hub{t: t, db: db, books: ledger.New(db), engine: operations.New(db), bank: &paperbank.Bank{}, timers: job.NewTimers(db), accounts: accounts{
		"org_s": {RIB: "011519000001205000534921", Holder: "Coopérative exemple", Verified: true},
	}}
	if err := h.engine.Certify(t.Context(), "bank", operations.Certificate{
		Connector: "bank", Kind: "payout", Proof: "a file on paper is found by its hash", Remembers: 24 * time.Hour,
	}); err != nil {
		t.Fatal(err)
	}
	h.escrow = escrow.New(db, h.books, policies)
	h.between = &between{Service: h.escrow}
	h.approvals = approvals.New(db)
	h.risk = limits.New(db, h.approvals)
	h.files = files.New(db, h.engine, files.House{Bank: bank.New("bank", h.bank, bank.Options{}), Safeguard: bank.Account{RIB: safeguard, Name: "Tiwiza"}})
	h.payouts = payouts.New(db, payouts.Needs{Books: h.books, Escrows: h.between, Accounts: h.accounts, Files: h.files, Approvals: h.approvals, Risk: h.risk, Judge: policies})
	h.engine.Work(workers, h.timers)
	h.files.Work(workers, h.timers)
	h.payouts.Work(h.timers)
	h.payouts.Subscribe(bus)
	job.Handle(workers, func(ctx context.Context, d event.Delivery) error { return bus.Deliver(ctx, db, d) })
	r, err := job.NewRunner(db, workers, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	db.Use(r.Jobs(), bus)
	if err := r.Start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *hub) do(ctx context.Context, f func(tx *pg.Tx) error) {
	h.t.Helper()
	if err := h.db.InTx(ctx, f); err != nil {
		h.t.Fatal(err)
	}
}

// earn releases amount centimes to the seller, of a charge that is settled or
// not.
func (h *hub) earn(amount int64, settled bool) (charge string) {
	h.t.Helper()
	return h.earnOf("org_s", amount, settled)
}

func (h *hub) earnOf(seller string, amount int64, settled bool) (charge string) {
	h.t.Helper()
	ctx := h.t.Context()
	order := id.New(id.Order)
	charge = id.New(id.Charge)
	h.do(ctx, func(tx *pg.Tx) error {
		_, err := h.escrow.Open(ctx, tx, escrow.Terms{Order: order, Seller: seller, Buyer: "per_b", Charge: charge, Amount: money.Dirhams(amount), Legs: escrow.Legs{Seller: amount}})
		return err
	})
	h.do(ctx, func(tx *pg.Tx) error {
		if _, err := h.escrow.Fund(ctx, tx, charge, "psp:acq:clearing"); err != nil {
			return err
		}
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
	if settled {
		h.settle(charge)
	}
	return charge
}

func (h *hub) settle(charge string) {
	h.t.Helper()
	ctx := h.t.Context()
	h.do(ctx, func(tx *pg.Tx) error {
		if err := h.escrow.Settled(ctx, tx, charge); err != nil {
			return err
		}
		return tx.Publish(ctx, charges.Settled{Charge: charge})
	})
}

var (
	seller = auth.Principal{Subject: "org_s", Role: auth.Seller}
	first  = auth.Principal{Subject: "per_1", Role: auth.Operator}
)

func (h *hub) ask(amount int64) (v payouts.View, err error) {
	ctx := auth.With(h.t.Context(), seller)
	var in payouts.CreateInput
	if amount != 0 {
		m := money.Dirhams(amount)
		in.Amount = &m
	}
	err = h.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		v, err = h.payouts.Create(ctx, tx, in)
		return err
	})
	return v, err
}

func (h *hub) mustAsk(amount int64) payouts.View {
	h.t.Helper()
	v, err := h.ask(amount)
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (h *hub) show(id string) payouts.View {
	h.t.Helper()
	v, err := h.payouts.Show(auth.With(h.t.Context(), seller), payouts.ShowInput{Payout: id})
	if err != nil {
		h.t.Fatal(err)
	}
	return v
}

func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	ctx := h.t.Context()
	h.do(ctx, func(tx *pg.Tx) error {
		_, err := clock.Advance(ctx, tx, d)
		return err
	})
	h.fire()
}

func (h *hub) fire() {
	h.t.Helper()
	if _, err := h.timers.Due(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// becomes waits, firing timers, until the payout is in the state.
func (h *hub) becomes(id string, want payouts.State) {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if h.show(id).State == want {
			return
		}
		h.fire()
	}
	h.t.Fatalf("the payout is %s, want %s", h.show(id).State, want)
}

// hear has a bank's word reach the payout.
func (h *hub) hear(ref string, from operations.Source, o outbound.Outcome) {
	h.t.Helper()
	ctx := h.t.Context()
	h.do(ctx, func(tx *pg.Tx) error {
		op, err := h.engine.Find(ctx, tx, "bank", ref)
		if err != nil {
			return err
		}
		_, err = h.engine.Heard(ctx, tx, op.ID, from, outbound.Result{Outcome: o}, "")
		return err
	})
}

func (h *hub) has(account string, want int64) {
	h.t.Helper()
	got, err := h.books.Balance(h.t.Context(), h.db, account, money.MAD)
	if err != nil || got != want {
		h.t.Errorf("%s has %d (%v), want %d", account, got, err, want)
	}
}

// until waits for something that jobs bring about.
func (h *hub) until(done func() bool) {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatal("waited in vain")
		}
	}
}

// idle says whether no job waits or runs.
func (h *hub) idle() bool {
	n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*) from river.river_job where state in ('available', 'running', 'retryable')`)
	if err != nil {
		h.t.Fatal(err)
	}
	return n == 0
}
