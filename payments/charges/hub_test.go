package charges_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// acquirer is a small acquirer in memory: a notice is JSON signed with a word.
type acquirer struct {
	mu       sync.Mutex
	state    map[string]card.State
	captures int
	voids    int
	queries  int
	refunds  int
	back     map[string]int64 // what it gave back of each
	amount   int64            // what it holds, when not what was asked
	down     bool
	gone     bool               // nobody is there to connect to
	closed   bool               // the card takes nothing back
	refuses  bool               // it never gets the next captures
	mute     bool               // it does not tell what went back
	answers  []outbound.Outcome // what it says of the next voids and refunds, after doing them
	ignores  int                // how many of the next voids and refunds it never gets
}

type signed struct {
	Ref, Merchant, Amount string
	Approved              bool
	Word                  string
	Partner               string `json:"-"`
}

func (a *acquirer) set(ref string, s card.State) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.state[ref] = s
}

func (a *acquirer) at(ref string) card.State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.state[ref]
}

func (a *acquirer) Merchant() string { return "600001" }
func (a *acquirer) Form(p card.Payment) (card.Form, error) {
	return card.Form{URL: "https://acquirer.example/gate", Method: "POST", Fields: map[string]string{"oid": p.Ref, "amount": p.Amount.Amount()}}, nil
}

func (a *acquirer) Notice(body []byte) (card.Notice, error) {
	var s signed
	if json.Unmarshal(body, &s) != nil {
		return card.Notice{}, card.ErrUnreadable
	}
	if s.Word != "secret" {
		return card.Notice{}, card.ErrForged
	}
	sum := sha256.Sum256(body)
	return card.Notice{Ref: s.Ref, Merchant: s.Merchant, Amount: money.MustParse(s.Amount, money.MAD), Approved: s.Approved, EventID: hex.EncodeToString(sum[:]), Raw: body}, nil
}
func (a *acquirer) Reply(v card.Verdict) string { return string(v) }
func (a *acquirer) Query(_ context.Context, ref string) card.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queries++
	if a.gone {
		return card.Status{Result: outbound.Result{Outcome: outbound.NotSent}, State: card.None}
	}
	if a.down {
		return card.Status{Result: outbound.Result{Outcome: outbound.Unknown}}
	}
	s, ok := a.state[ref]
	if !ok {
		return card.Status{Result: outbound.Result{Outcome: outbound.NotFound}, State: card.None}
	}
	st := card.Status{Result: outbound.Result{Outcome: outbound.Succeeded}, State: s, Amount: money.Dirhams(cmp.Or(a.amount, 11500)), Captured: money.Dirhams(cmp.Or(a.amount, 11500))}
	if back := money.Dirhams(a.back[ref]); !a.mute {
		st.Refunded = &back
	}
	return st
}

func (a *acquirer) Capture(_ context.Context, o card.Order) outbound.Result {
	ref := o.Of
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refuses {
		return outbound.Result{Outcome: outbound.Unknown}
	}
	a.captures++
	a.state[ref] = card.Captured
	return outbound.Result{Outcome: outbound.Succeeded}
}

func (a *acquirer) Void(_ context.Context, o card.Order) outbound.Result {
	ref := o.Of
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.does(func() {
		a.voids++
		a.state[ref] = card.Voided
	})
}

func (a *acquirer) Refund(_ context.Context, o card.Order) outbound.Result {
	ref, m := o.Of, o.Amount
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return outbound.Result{Outcome: outbound.Declined, Code: "14"}
	}
	return a.does(func() {
		a.refunds++
		a.back[ref] += m.Centimes()
	})
}

// does executes, and says of it what it was told to.
func (a *acquirer) does(it func()) outbound.Result {
	if a.ignores > 0 {
		a.ignores--
		return outbound.Result{Outcome: outbound.Unknown}
	}
	it()
	r := outbound.Result{Outcome: outbound.Succeeded}
	if len(a.answers) > 0 {
		r.Outcome, a.answers = a.answers[0], a.answers[1:]
	}
	return r
}

// Case reads JSON signed with a word.
func (a *acquirer) Case(body []byte) (card.Case, error) {
	var s struct{ ID, Ref, Merchant, State, Amount, Fee, Word string }
	if json.Unmarshal(body, &s) != nil {
		return card.Case{}, card.ErrUnreadable
	}
	if s.Word != "secret" {
		return card.Case{}, card.ErrForged
	}
	sum := sha256.Sum256(body)
	return card.Case{
		ID: s.ID, Ref: s.Ref, Merchant: cmp.Or(s.Merchant, "600001"), State: card.CaseState(s.State), Amount: money.MustParse(s.Amount, money.MAD),
		Fee: money.MustParse(s.Fee, money.MAD), EventID: hex.EncodeToString(sum[:]), Raw: body,
	}, nil
}

// patient is a lane that is never cut off: it would be for as long as the
// machine's clock says.
var patient = outbound.Settings{Consecutive: 1000, Volume: 1000}

// hub is charges over real books and escrows, with the acquirer above.
type hub struct {
	t        *testing.T
	db       *pg.Store
	books    *ledger.Books
	charges  *charges.Service
	acquirer *acquirer
	second   *acquirer
	lanes    *outbound.Metrics
	escrows  *escrow.Service
	people   *approvals.Service
	engine   *operations.Engine
	timers   *job.Timers
	events   chan string
	phones   *phones
	halted   atomic.Bool
}

func newHub(t *testing.T) *hub {
	t.Helper()
	db := pgtest.New(t)
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	var certified []operations.Certificate
	bus := event.NewBus()
	workers := job.NewWorkers()
	h := &hub{t: t, db: db, books: ledger.New(db), acquirer: &acquirer{state: map[string]card.State{}, back: map[string]int64{}}, timers: job.NewTimers(db), events: make(chan string, 100), phones: &phones{by: map[string]*asked{}}}
	h.escrows, h.engine, h.people = escrow.New(db, h.books, policies).TopUpFrom("bank"), operations.New(db), approvals.New(db)
	h.second, h.lanes = &acquirer{state: map[string]card.State{}, back: map[string]int64{}}, outbound.NewMetrics(nil)
	lines := card.Options{Pay: patient, Query: patient, Metrics: h.lanes}
	h.charges = charges.New(db, h.books, h.escrows, h.engine, policies, []*card.Acquirer{card.New("acq", h.acquirer, lines), card.New("acq2", h.second, lines)}, charges.Config{
		PublicURL: "https://hub.example", Bank: "bank", Account: charges.Account{RIB: "999780000000000000010193", Holder: "EXEMPLE HUB"},
	}).
		ApprovedBy(h.people).PayBy("bank", h.engine).
		Wallets(wallet.New("wal", h.phones, wallet.Options{Key: "secret", Pay: patient, Query: patient, Metrics: h.lanes}))
	h.engine.HaltBy(func(context.Context, pg.DB) (bool, error) { return h.halted.Load(), nil })
	for _, kind := range []string{"capture", "void", "refund"} {
		certified = append(certified, operations.Certificate{Connector: "acq", Kind: kind, Proof: "the one above takes a reference once", Remembers: 24 * time.Hour})
	}
	if err := h.engine.Certify(t.Context(), "acq", certified...); err != nil {
		t.Fatal(err)
	}
	h.engine.Handle(charges.KindTransfer, operations.Handler{Moved: h.charges.RefundMoved, Contradicted: h.charges.RefundContradicted})
	h.engine.Work(workers, h.timers)
	h.escrows.Work(h.timers)
	h.charges.Work(workers, h.timers)
	event.Subscribe(bus, "test", func(_ context.Context, _ *pg.Tx, e charges.Paid) error { h.events <- "paid " + e.Charge; return nil })
	event.Subscribe(bus, "test", func(_ context.Context, _ *pg.Tx, e charges.RefundContradicted) error {
		h.events <- "contradicted " + e.Refund
		return nil
	})
	event.Subscribe(bus, "test", func(_ context.Context, _ *pg.Tx, e charges.Lapsed) error {
		h.events <- "lapsed " + e.Charge
		return nil
	})
	pgtest.Work(t, db, workers, bus)
	return h
}

// sell makes a charge of 115.00 for two orders of 75.00 and 40.00.
func (h *hub) sell() charges.Receipt {
	h.t.Helper()
	c, _ := h.sale(7500, 4000)
	return c
}

// sale makes a charge for orders of these amounts.
func (h *hub) sale(amounts ...int64) (c charges.Receipt, orders []string) {
	h.t.Helper()
	ctx := h.t.Context()
	err := h.db.InTx(ctx, func(tx *pg.Tx) (err error) {
		sale := charges.Sale{Group: id.New(id.Group), Buyer: "per_b", Method: "card", Amount: money.Dirhams(0), Name: "Acheteur exemple", Email: "a@exemple.ma", Lang: "fr"}
		orders = nil
		for _, a := range amounts {
			orders = append(orders, id.New(id.Order))
			sale.Amount = sale.Amount.Add(money.Dirhams(a))
			sale.Parts = append(sale.Parts, charges.Part{Order: orders[len(orders)-1], Amount: money.Dirhams(a)})
		}
		if c, err = h.charges.Create(ctx, tx, sale); err != nil {
			return err
		}
		for _, p := range sale.Parts {
			t := escrow.Terms{Order: p.Order, Seller: "org_s", Buyer: "per_b", Charge: c.ID, Amount: p.Amount, Legs: escrow.Legs{Seller: p.Amount.Centimes()}}
			if _, err := h.escrows.Open(ctx, tx, t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return c, orders
}

// notify sends a callback about a charge and returns the reply.
func (h *hub) notify(charge, amount string, change func(*signed)) string {
	h.t.Helper()
	s := signed{Ref: charges.RefOf(charge), Merchant: "600001", Amount: amount, Approved: true, Word: "secret"}
	if change != nil {
		change(&s)
	}
	b, err := json.Marshal(s)
	if err != nil {
		h.t.Fatal(err)
	}
	reply, err := h.charges.Callback(h.t.Context(), charges.CallbackInput{Partner: cmp.Or(s.Partner, "acq"), Body: rest.Raw{Bytes: b}})
	if err != nil {
		h.t.Fatal(err)
	}
	return string(reply)
}

func (h *hub) state(charge string) charges.State {
	h.t.Helper()
	s, err := pg.Value[charges.State](h.t.Context(), h.db, nil, `select state from charges.charge where id = $1`, charge)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// advance moves the hub's time and fires what is due.
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

// becomes waits, firing timers, until the charge is in the state.
func (h *hub) becomes(charge string, want charges.State) {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if h.state(charge) == want {
			return
		}
		h.fire()
	}
	h.t.Fatalf("the charge is %s, want %s", h.state(charge), want)
}

// until waits for something that jobs bring about.
func (h *hub) until(what string, done func(*acquirer) bool) {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		h.acquirer.mu.Lock()
		ok := done(h.acquirer)
		h.acquirer.mu.Unlock()
		if ok {
			return
		}
		h.fire()
	}
	h.t.Fatalf("waited in vain for %s", what)
}

func (h *hub) has(account string, want int64) {
	h.t.Helper()
	got, err := h.books.Balance(h.t.Context(), h.db, account, money.MAD)
	if err != nil || got != want {
		h.t.Errorf("%s has %d (%v), want %d", account, got, err, want)
	}
}

// holdIs waits until an order's escrow is in the state.
func (h *hub) holdIs(order string, want escrow.State) {
	h.t.Helper()
	var got escrow.State
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(15 * time.Millisecond) {
		holds, err := h.escrows.OfOrders(h.t.Context(), h.db, []string{order})
		if err != nil {
			h.t.Fatal(err)
		}
		if got = holds[order].State; got == want {
			return
		}
		h.fire()
	}
	h.t.Fatalf("the escrow is %s, want %s", got, want)
}
