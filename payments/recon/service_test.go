package recon_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/payments/recon"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

const (
	safeguard = "007780000123456789012396"
	operating = "230780210345678901234517"
	acquires  = "999780000000000000040457" // where the acquirer pays from
)

// sales are charges that wait for their settlement: amounts by reference.
type sales map[string]int64

func (s sales) Acquirers() []string { return []string{"acq"} }
func (s sales) Settle(_ context.Context, _ *pg.Tx, _, ref string, gross int64, _ string) (charges.Charge, error) {
	amount, ok := s[ref]
	switch {
	case !ok:
		return charges.Charge{}, charges.ErrNotFound
	case amount == 0:
		return charges.Charge{}, charges.ErrSettled
	case amount != gross:
		return charges.Charge{}, operations.ErrAmount
	}
	s[ref] = 0
	return charges.Charge{ID: "chg_" + ref, Acquirer: "acq"}, nil
}

func (s sales) ByRef(_ context.Context, _ pg.DB, _, ref string) (charges.Charge, error) {
	amount, ok := s[ref]
	if !ok {
		return charges.Charge{}, charges.ErrNotFound
	}
	return charges.Charge{
		ID: "chg_" + ref, Acquirer: "acq", Ref: ref, Amount: amount, Currency: money.MAD, State: charges.Confirmed, Settled: amount == 0,
		Contact: charges.Contact{Name: "Élodie Exemple " + ref},
	}, nil
}

func (s sales) ByID(ctx context.Context, db pg.DB, id string) (charges.Charge, error) {
	return s.ByRef(ctx, db, "acq", strings.TrimPrefix(id, "chg_"))
}

func (s sales) Unsettled(ctx context.Context, db pg.DB, amount int64, _ string, _ int) (out []charges.Charge, err error) {
	for ref, a := range s {
		if a == amount {
			c, _ := s.ByRef(ctx, db, "acq", ref)
			out = append(out, c)
		}
	}
	return out, nil
}

// Adjusted takes deductions for refunds of charges that were settled.
func (s sales) Adjusted(_ context.Context, _ *pg.Tx, _ string, a charges.Adjustment) (string, error) {
	if amount, ok := s[a.Ref]; !ok || amount != 0 || a.Gross > 0 {
		return "", charges.ErrNotFound
	}
	return "rfd_" + a.Ref, nil
}

// hub is reconciliation over real books, with a bank on paper.
type hub struct {
	t      *testing.T
	db     *pg.Store
	books  *ledger.Books
	engine *operations.Engine
	recon  *recon.Service
	words  *approvals.Service
	ties   recon.Ties
	bank   *paperbank.Bank
	house  recon.House
	sales  sales
	day    int64
	at     int64 // the bank's balance
}

func newHub(t *testing.T) *hub {
	t.Helper()
	return newHubAt(t, pgtest.URL(t))
}

// newHubAt is newHub on a database that is there.
func newHubAt(t *testing.T, url string) *hub {
	t.Helper()
	db := pgtest.Open(t, url, pg.Options{MaxConns: 12})
	db.Use(nil, event.NewBus())
	h := &hub{t: t, db: db, books: ledger.New(db), engine: operations.New(db), bank: &paperbank.Bank{}, sales: sales{}}
	h.house = recon.House{Bank: bank.New("bank", h.bank, bank.Options{}), Safeguard: safeguard, Operating: operating, Acquirers: map[string]string{"acq": acquires}}
	h.words = approvals.New(db)
	h.open()
	h.engine.Handle("payout", operations.Handler{Moved: h.moved, Contradicted: h.contradicted})
	return h
}

// open makes the service, with what h has by now.
func (h *hub) open() {
	h.recon = recon.New(h.db, h.books, h.sales, h.engine, h.words, []recon.House{h.house}, h.ties)
}

// moved books payouts as payments/payouts does.
func (h *hub) moved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	t := ledger.Transfer{Key: string(o.State) + o.ID, Kind: "payout.paid", Currency: o.Currency}
	switch o.State {
	case operations.Confirmed:
		t.Legs = []ledger.Leg{ledger.Debit(ledger.Payout(o.Subject), o.Amount), ledger.Credit(ledger.Safeguard("bank"), o.Amount)}
	case operations.Returned:
		t.Kind = "payout.returned"
		t.Legs = []ledger.Leg{ledger.Debit(ledger.Safeguard("bank"), o.Amount), ledger.Credit(ledger.Available("s"), o.Amount)}
	default:
		return nil
	}
	return h.books.Post(ctx, tx, t)
}

// contradicted books a payout that was refused and paid, as payments/payouts does.
func (h *hub) contradicted(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	return h.books.Post(ctx, tx, ledger.Transfer{Key: "contradicted" + o.ID, Kind: "payout.contradicted", Currency: o.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Receivable("s"), o.Amount), ledger.Credit(ledger.Safeguard("bank"), o.Amount),
	}})
}

func entry(centimes int64, details ...bank.Detail) bank.Entry {
	return bank.Entry{Amount: money.Dirhams(centimes), Booked: true, BookedOn: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC), Details: details}
}

func settled(ref string, gross, fee int64) bank.Detail {
	return bank.Detail{Ref: ref, Amount: money.Dirhams(gross - fee), Gross: money.Dirhams(gross), Fee: money.Dirhams(fee), CounterpartyAccount: acquires}
}

func paid(ref string, amount int64) bank.Detail {
	return bank.Detail{Ref: ref, Amount: money.Dirhams(-amount), Gross: money.Dirhams(-amount)}
}

// statement is the account's next statement.
func (h *hub) statement(entries ...bank.Entry) bank.Statement {
	h.day++
	s := bank.Statement{
		Kind: bank.OfAccount, ID: fmt.Sprintf("STM-%d", h.day), Account: safeguard, Currency: money.MAD, Sequence: h.day, Page: 1, LastPage: true,
		Opening: money.Dirhams(h.at), HasBalances: true, Entries: entries,
	}
	for _, e := range entries {
		h.at += e.Amount.Centimes()
	}
	s.Closing = money.Dirhams(h.at)
	return s
}

func (h *hub) take(name string, m bank.Message) ([]recon.Read, error) {
	return h.recon.Take(h.t.Context(), h.house, paperbank.Received(name, m))
}

func (h *hub) read(entries ...bank.Entry) recon.Read {
	h.t.Helper()
	r, err := h.take(fmt.Sprintf("f%d", h.day), bank.Message{Statements: []bank.Statement{h.statement(entries...)}})
	if err != nil || len(r) != 1 {
		h.t.Fatalf("read %+v, %v", r, err)
	}
	return r[0]
}

// payout makes a payout's operation that the bank has accepted.
func (h *hub) payout(ref string, amount int64) (op string) {
	h.t.Helper()
	err := h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		err := h.books.Post(h.t.Context(), tx, ledger.Transfer{Key: "payout:" + ref, Kind: "payout.intent", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit("capital", amount), ledger.Credit(ledger.Payout("pay_"+ref), amount), // where it came from is no matter here
		}})
		if err != nil {
			return err
		}
		op = h.engine.Intend(tx, operations.Intention{Subject: "pay_" + ref, Kind: "payout", Connector: "bank", Ref: ref, Amount: money.Dirhams(amount), State: operations.Accepted}).ID
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return op
}

func (h *hub) state(ref string) operations.State {
	h.t.Helper()
	ops, err := h.engine.Of(h.t.Context(), h.db, "pay_"+ref)
	if err != nil || len(ops) != 1 {
		h.t.Fatalf("operations %+v, %v", ops, err)
	}
	return ops[0].State
}

func (h *hub) has(account string, want int64) {
	h.t.Helper()
	got, err := h.books.Balance(h.t.Context(), h.db, account, money.MAD)
	if err != nil || got != want {
		h.t.Errorf("%s has %d (%v), want %d", account, got, err, want)
	}
}

func (h *hub) breaks() []recon.BreakView {
	h.t.Helper()
	p, err := h.recon.Breaks(h.t.Context(), recon.BreaksInput{Paging: rest.Paging{Limit: 50}})
	if err != nil {
		h.t.Fatal(err)
	}
	return p.Data
}

func TestASettlementIsBookedNetOfItsFee(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.sales["A"], h.sales["B"] = 6000, 4000
	r := h.read(entry(9820, settled("A", 6000, 108), settled("B", 4000, 72)))
	if r.Entries != 1 || r.Matched != 1 {
		t.Errorf("read %+v", r)
	}
	for account, want := range map[string]int64{"bank:bank:safeguard": 9820, "psp_cost": 180, "bank:bank:transit": 180, "psp:acq:clearing": -10000, "bank:bank:operating": -180} {
		h.has(account, want)
	}
}

func TestAStatementCountsOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	st := h.statement(entry(-5000, paid("PAY1", 5000)))
	first, err := h.take("a.xml", bank.Message{Statements: []bank.Statement{st}})
	if err != nil {
		t.Fatal(err)
	}
	same, err := h.take("a.xml", bank.Message{Statements: []bank.Statement{st}})
	if err != nil || len(same) != 1 || same[0] != first[0] {
		t.Errorf("the same file again: %+v, %v; want %+v", same, err, first)
	}
	again, err := h.take("b.xml", bank.Message{ID: "other bytes", Statements: []bank.Statement{st}})
	if err != nil || len(again) != 1 || again[0] != first[0] {
		t.Errorf("the same statement in another file: %+v, %v", again, err)
	}
	st.Entries[0].Info = "something else"
	if _, err := h.take("c.xml", bank.Message{Statements: []bank.Statement{st}}); !errors.Is(err, recon.ErrDiffers) {
		t.Errorf("another content under the same name: %v, want ErrDiffers", err)
	}
	if got := h.state("PAY1"); got != operations.Confirmed {
		t.Errorf("the payout is %s, want confirmed", got)
	}
}

func TestWhatDoesNotFitIsABreakAndBooksNothingWrong(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.payout("PAY2", 3000)
	h.sales["A"] = 6000
	r := h.read(
		entry(-4900, paid("PAY1", 4900)),                                                  // another amount
		entry(-700, paid("NOBODY", 700)),                                                  // no operation
		entry(5892, settled("A", 5900, 8)),                                                // another amount than the charge
		entry(1000, bank.Detail{Amount: money.Dirhams(1000), Gross: money.Dirhams(1000)}), // no reference
		entry(-3000, paid("PAY2", 3000)),
	)
	if r.Matched != 1 || r.Unmatched != 4 {
		t.Errorf("read %+v, want 1 matched and 4 not", r)
	}
	if got := h.state("PAY1"); got != operations.Review {
		t.Errorf("the payout of another amount is %s, want review", got)
	}
	h.has("bank:bank:safeguard", 3892) // what came in and the payout; what left besides is explained by people
	kinds := map[recon.BreakKind]int{}
	for _, b := range h.breaks() {
		kinds[b.Kind]++
	}
	if kinds["suspense"] != 2 || kinds["unmatched"] != 2 {
		t.Errorf("breaks %v, want 2 in suspense and 2 unmatched", kinds)
	}
}

func TestASecondPaymentIsSeenAndNotBooked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.read(entry(-5000, paid("PAY1", 5000)))
	if r := h.read(entry(-5000, paid("PAY1", 5000))); r.Unmatched != 1 {
		t.Errorf("read %+v, want it unmatched", r)
	}
	if b := h.breaks(); len(b) != 1 || b[0].Why == "" {
		t.Errorf("breaks %+v", b)
	}
}

func TestAReturnedPaymentComesBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.read(entry(-5000, paid("PAY1", 5000)))
	d := bank.Detail{Ref: "PAY1", Amount: money.Dirhams(5000), Gross: money.Dirhams(5000), ReturnReason: "AC04"}
	if r := h.read(entry(5000, d)); r.Matched != 1 {
		t.Errorf("read %+v", r)
	}
	if got := h.state("PAY1"); got != operations.Returned {
		t.Errorf("the payout is %s, want returned", got)
	}
}

// The bank refuses a payment, shows it paid, and sends it back: each is told of
// by its line, and nothing is left in suspense.
func TestAPaymentThatWasRefusedAndPaidComesBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	ctx := t.Context()
	err := h.db.InTx(ctx, func(tx *pg.Tx) error {
		o, err := h.engine.Find(ctx, tx, "bank", "PAY1")
		if err == nil {
			_, err = h.engine.Heard(ctx, tx, o.ID, operations.Callback, outbound.Result{Outcome: outbound.Declined}, "")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	back := bank.Detail{Ref: "PAY1", Amount: money.Dirhams(5000), Gross: money.Dirhams(5000), ReturnReason: "AC04"}
	for _, e := range []bank.Entry{entry(-5000, paid("PAY1", 5000)), entry(5000, back)} {
		if r := h.read(e); r.Matched != 1 {
			t.Errorf("read %+v, want it matched", r)
		}
	}
	if got := h.state("PAY1"); got != operations.Returned {
		t.Errorf("the payout is %s, want returned", got)
	}
	h.has("bank:bank:safeguard", 0)
	if r := h.read(entry(5000, back)); r.Matched != 0 {
		t.Errorf("come back a second time it is %+v, want it in suspense", r)
	}
	h.has("bank:bank:safeguard", 5000)
}

func TestTwoUnknownPartsOfOneLineAreBothBooked(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	d := bank.Detail{Ref: "NOBODY", Amount: money.Dirhams(500), Gross: money.Dirhams(500), ReturnReason: "AC04"}
	h.read(entry(1000, d, d))
	h.has("bank:bank:safeguard", 1000)
}

func TestAStatementThatDoesNotBalanceChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	st := h.statement(entry(-5000, paid("PAY1", 5000)))
	st.Closing = money.Dirhams(-4999)
	if _, err := h.take("x", bank.Message{Statements: []bank.Statement{st}}); !errors.Is(err, bank.ErrUnbalanced) {
		t.Errorf("error %v, want ErrUnbalanced", err)
	}
	foreign := h.statement()
	foreign.Account = "011519000001205000534921"
	if _, err := h.take("y", bank.Message{Statements: []bank.Statement{foreign}}); !errors.Is(err, recon.ErrForeign) {
		t.Errorf("error %v, want ErrForeign", err)
	}
	if got := h.state("PAY1"); got != operations.Accepted {
		t.Errorf("the payout is %s, want accepted", got)
	}
}

func TestAReportMayRefuseButNeverProves(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, ref := range []string{"PAY1", "PAY2"} {
		h.payout(ref, 5000)
	}
	if _, err := h.db.Exec(t.Context(), `update operations.operation set file = 'fil_x'`); err != nil {
		t.Fatal(err)
	}
	_, err := h.take("ack.xml", bank.Message{Report: &bank.Report{OriginalID: "FILX", Group: bank.Partial, Items: []bank.Item{
		{Ref: "PAY1", Standing: bank.Settled}, {Ref: "PAY2", Standing: bank.Rejected, Reason: "AC04"},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.state("PAY1"); got != operations.Accepted {
		t.Errorf("what the bank calls settled is %s, want accepted until a statement shows it", got)
	}
	if got := h.state("PAY2"); got != operations.Rejected {
		t.Errorf("what the bank refused is %s, want rejected", got)
	}
}

func TestCollectKeepsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	bad := h.statement(entry(100))
	bad.Closing = money.Dirhams(1)
	h.bank.Put("bad.xml", bank.Message{Statements: []bank.Statement{bad}})
	h.at = 0
	h.payout("PAY1", 5000)
	h.bank.Put("good.xml", bank.Message{Statements: []bank.Statement{h.statement(entry(-5000, paid("PAY1", 5000)))}})
	n, err := h.recon.Collect(t.Context(), h.house)
	if err != nil || n != 2 {
		t.Fatalf("collected %d, %v", n, err)
	}
	if got := h.state("PAY1"); got != operations.Confirmed {
		t.Errorf("the good file's payout is %s", got)
	}
	if b := h.breaks(); len(b) != 1 || b[0].Kind != "unreadable" || b[0].About != "bad.xml" {
		t.Errorf("breaks %+v", b)
	}
	if left, _ := h.bank.Waiting(t.Context()); len(left) != 0 {
		t.Errorf("%d files are left", len(left))
	}
}

func TestWhatCouldNotBeReadMayBeReadLater(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	st := h.statement(entry(-5000, paid("PAY1", 5000)))
	h.house.Safeguard = "011519000001205000534921" // a wrong configuration
	h.bank.Put("a.xml", bank.Message{Statements: []bank.Statement{st}})
	if _, err := h.recon.Collect(t.Context(), h.house); err != nil {
		t.Fatal(err)
	}
	if b := h.breaks(); len(b) != 1 || b[0].Kind != "unreadable" {
		t.Fatalf("breaks %+v", b)
	}
	h.house.Safeguard = safeguard
	if r, err := h.take("a.xml", bank.Message{Statements: []bank.Statement{st}}); err != nil || len(r) != 1 || r[0].Matched != 1 {
		t.Errorf("after the configuration was mended: %+v, %v", r, err)
	}
	if got := h.state("PAY1"); got != operations.Confirmed {
		t.Errorf("the payout is %s", got)
	}
}

func TestAFileIsNeverSetAsideBecauseOfUs(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.bank.Put("a.xml", bank.Message{Statements: []bank.Statement{h.statement(entry(-5000, paid("PAY1", 5000)))}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if n, err := h.recon.Collect(ctx, h.house); err == nil || n != 0 {
		t.Errorf("collected %d, %v; want an error", n, err)
	}
	if left, _ := h.bank.Waiting(t.Context()); len(left) != 1 {
		t.Fatalf("%d files wait, want the one", len(left))
	}
	if n, err := h.recon.Collect(t.Context(), h.house); err != nil || n != 1 {
		t.Errorf("collected %d, %v", n, err)
	}
}

func TestPagesOfAStatementAreAllRead(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.payout("PAY1", 5000)
	h.payout("PAY2", 3000)
	one := h.statement(entry(-5000, paid("PAY1", 5000)))
	two := one
	two.Entries = []bank.Entry{entry(-3000, paid("PAY2", 3000))}
	one.LastPage, two.Page = false, 2
	one.HasBalances, two.HasBalances = false, false
	for i, st := range []bank.Statement{one, two} {
		if _, err := h.take(fmt.Sprint(i), bank.Message{Statements: []bank.Statement{st}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, ref := range []string{"PAY1", "PAY2"} {
		if got := h.state(ref); got != operations.Confirmed {
			t.Errorf("%s is %s", ref, got)
		}
	}
}

func TestACreditThatTakesMoneyAwayIsForPeople(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.sales["A"] = 10000
	r := h.read(entry(9000, settled("A", 10000, 0), bank.Detail{Amount: money.Dirhams(-1000), Gross: money.Dirhams(-1000)}))
	if r.Unmatched != 1 || h.sales["A"] != 10000 {
		t.Errorf("read %+v, the charge's settlement stands at %d", r, h.sales["A"])
	}
	h.has("bank:bank:safeguard", 0)
}

func TestAHoleBetweenStatementsIsABreakUntilItIsFilled(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.sales["A"], h.sales["B"] = 1000, 2000
	one := h.statement(entry(1000, settled("A", 1000, 0)))
	two := h.statement(entry(2000, settled("B", 2000, 0)))
	three := h.statement()
	for i, st := range []bank.Statement{one, three} {
		if _, err := h.take(fmt.Sprint(i), bank.Message{Statements: []bank.Statement{st}}); err != nil {
			t.Fatal(err)
		}
	}
	if b := h.breaks(); len(b) != 1 || b[0].Kind != "gap" {
		t.Errorf("breaks %+v, want the gap", b)
	}
	if _, err := h.take("late", bank.Message{Statements: []bank.Statement{two}}); err != nil {
		t.Fatal(err)
	}
	if b := h.breaks(); len(b) != 0 {
		t.Errorf("breaks %+v, want none", b)
	}
}

// receiver takes money for one reference, 30.00 of it.
type receiver struct {
	seen  []charges.Credit
	books *ledger.Books
	freed []string
}

// Match takes the whole of what waits for chg_1.
func (r *receiver) Match(ctx context.Context, tx *pg.Tx, line, subject string) (charges.Taken, error) {
	for _, c := range r.seen {
		if c.Line != line || subject != "chg_1" {
			continue
		}
		return charges.Taken{Subject: subject}, r.books.Post(ctx, tx, ledger.Transfer{Key: "matched:" + line, Kind: "escrow.fund", Currency: c.Currency, Legs: []ledger.Leg{
			ledger.Debit(c.Suspense, c.Amount), ledger.Credit(ledger.Escrow("ord_1"), c.Amount),
		}})
	}
	return charges.Taken{}, charges.ErrNoCredit
}

func (r *receiver) Otherwise(_ *pg.Tx, line, _ string) { r.freed = append(r.freed, line) }

func (r *receiver) Receive(_ context.Context, _ *pg.Tx, c charges.Credit) (charges.Taken, error) {
	r.seen = append(r.seen, c)
	if !strings.Contains(c.Said, "TV 4K7P 9Q2M") {
		return charges.Taken{Why: "no reference; it may be the transfer chg_1"}, nil
	}
	return charges.Taken{Subject: "chg_1", Loose: max(0, c.Amount-3000), Why: "more than asked"}, nil
}

func TestMoneyWithoutAnAcquirerIsAskedForByItsReference(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := &receiver{books: h.books}
	h.recon.Receives(r)
	in := func(centimes int64, text string) bank.Entry {
		return entry(centimes, bank.Detail{Amount: money.Dirhams(centimes), Gross: money.Dirhams(centimes), Info: text, Counterparty: "AICHA EXEMPLE", CounterpartyAccount: "MA64" + safeguard})
	}
	read := h.read(in(3000, "achat TV 4K7P 9Q2M"), in(3500, "TV 4K7P 9Q2M"), in(700, "merci"), bank.Entry{Amount: money.Dirhams(900), Booked: true, Info: "sans detail"})
	if read.Matched != 1 || read.Partly != 1 || read.Unmatched != 2 {
		t.Errorf("read %+v, want one matched, one partly and two in suspense", read)
	}
	if p := r.seen[0].Payer; p.Name != "AICHA EXEMPLE" || p.RIB != safeguard {
		t.Errorf("the payer is %+v", p)
	}
	h.has("bank:bank:safeguard", 500+700+900) // what is taken is booked by who takes it
	var why []string
	for _, b := range h.breaks() {
		why = append(why, b.Why)
	}
	if got := strings.Join(why, "; "); !strings.Contains(got, "it may be the transfer chg_1") {
		t.Errorf("breaks say %s", got)
	}
	seen := len(r.seen)
	st := h.statement(in(3000, "TV 4K7P 9Q2M"))
	st.Kind, st.HasBalances = bank.Notification, false
	if _, err := h.take("note", bank.Message{Statements: []bank.Statement{st}}); err != nil || len(r.seen) != seen {
		t.Errorf("a notification was asked about (%v): the statement tells it again", err)
	}
}

// What a payer did not name, people may; and what they say is something else is
// out of the receiver's hands.
func TestPeopleSayWhatMoneyInSuspenseIsFor(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	r := &receiver{books: h.books}
	h.recon.Receives(r)
	h.read(entry(700))
	first := h.only()
	h.must(recon.ResolveInput{Break: first.ID, By: "match", To: "chg_1"})
	h.has("escrow:ord_1", 700)
	h.has("bank:bank:safeguard", 700)
	h.has("suspense:"+first.Line, 0)
	h.read(entry(800))
	second := h.only()
	if _, err := h.resolve(recon.ResolveInput{Break: second.ID, By: "match", To: "ord_1"}); !errors.Is(err, recon.ErrTarget) {
		t.Errorf("for an order that awaits no money: %v, want ErrTarget", err)
	}
	h.must(recon.ResolveInput{Break: second.ID, By: "write_off", Note: "nobody claims it"})
	h.has("loss", -800)
	if len(r.freed) == 0 || !strings.HasPrefix(r.freed[len(r.freed)-1], second.Line) {
		t.Errorf("taken out of the receiver's hands: %v, want %s", r.freed, second.Line)
	}
}

// A list that comes after its money explains it: the break ends by that.
func TestABreakEndsWhenItsMoneyIsExplainedLater(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.read(entry(700))
	b := h.only()
	hear, say := event.NewBus(), event.NewBus()
	h.recon.Subscribe(hear)
	h.db.Use(nil, say)
	if err := h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		return tx.Publish(t.Context(), charges.Explained{Line: b.Line + "/0", For: "rem_1"})
	}); err != nil {
		t.Fatal(err)
	}
	said, err := pg.Value[string](t.Context(), h.db, nil, `select id from platform.event where type = 'charges.explained'`)
	if err != nil {
		t.Fatal(err)
	}
	if err := hear.Deliver(t.Context(), h.db, event.Delivery{Event: said, Type: "charges.explained", Subscriber: "recon"}); err != nil {
		t.Fatal(err)
	}
	v, err := h.recon.Break(t.Context(), recon.BreakInput{Break: b.ID})
	if err != nil || v.State != recon.Resolved || v.ResolvedBy != "hub" || v.Resolution.Pieces[0].To != "rem_1" {
		t.Errorf("the break is %+v, %v", v, err)
	}
}
