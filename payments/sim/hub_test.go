// Package sim_test plays random sequences of everything that can happen to
// money against the payments' own services on PostgreSQL, and against an oracle
// in memory that was written from the rules and knows nothing of their code.
package sim_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/adapters/card"
	"tiwiza/adapters/wallet"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/disputes"
	"tiwiza/payments/escrow"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/payments/operations"
	"tiwiza/payments/payouts"
	"tiwiza/payments/recon"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

const (
	acquirer = "acq"
	purse    = "wal"
	house    = "bnk"
)

// A yard is a database that is used for one seed after another.
type yard struct {
	t      testing.TB
	db     *pg.Store // as the hub
	owner  *pg.Store // as the database's owner
	looks  *pg.Store // as the same, for looking at all of it
	tables []string  // that are empty to begin with
	bank   *paperbank.Bank
	hub    *hub
}

func newYard(t testing.TB) *yard {
	t.Helper()
	url := pgtest.URL(t)
	y := &yard{t: t, bank: &paperbank.Bank{}, db: pgtest.Open(t, url, pg.Options{MaxConns: 4}), owner: pgtest.Open(t, url, pg.Options{MaxConns: 1})}
	y.sql(`set role none`)
	y.looks = pgtest.Open(t, url, pg.Options{MaxConns: 1}) // what it has planned stays planned
	_, err := y.looks.Exec(t.Context(), `select set_config('role', 'none', false), set_config('jit', 'off', false)`)
	y.ok(err)
	pgtest.Fuses(t, y.owner)
	y.sql(`insert into escrow.rate (kind, percent, since) values ('reserve', 10, '2025-02-01')`)
	all, err := pg.Column[string](t.Context(), y.owner, `select format('%I.%I', schemaname, tablename) from pg_tables
		where schemaname not in ('pg_catalog', 'information_schema', 'river') and tablename <> 'goose_db_version' and schemaname || '.' || tablename <> 'platform.clock' order by 1`)
	y.ok(err)
	for _, name := range all {
		n, err := pg.Value[int64](t.Context(), y.owner, nil, `select count(*) from `+name)
		y.ok(err)
		if n == 0 {
			y.tables = append(y.tables, name)
		}
	}
	return y
}

func (y *yard) ok(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) sql(text string, args ...any) {
	y.t.Helper()
	if _, err := y.owner.Exec(y.t.Context(), text, args...); err != nil {
		y.t.Fatalf("%s: %v", text, err)
	}
}

// sweep empties the database for the next seed.
func (y *yard) sweep() {
	y.t.Helper()
	y.sql(`set session_replication_role = replica`)
	var b strings.Builder
	b.WriteString("do $$ begin ")
	for _, name := range append(y.tables, "river.river_job") {
		b.WriteString("delete from " + name + "; ")
	}
	b.WriteString("update ledger.horizon set closed = null, kept = null, fence = null, done = null; ")
	b.WriteString("end $$")
	y.sql(b.String())
	y.sql(`set session_replication_role = origin`)
	y.bank = &paperbank.Bank{}
}

// A hub is the payments' services over the yard's database. A new one is what a
// restart makes.
type hub struct {
	*yard
	http.Handler
	books    *ledger.Books
	lane     *ledger.Lane
	escrows  *escrow.Service
	ops      *operations.Engine
	charges  *charges.Service
	disputes *disputes.Service
	people   *approvals.Service
	files    *files.Service
	payouts  *payouts.Service
	treasury *treasury.Service
	recon    *recon.Service
	timers   *job.Timers
	bus      *event.Bus
	ribs     map[string]int // which account each seller has by now
	steps    map[int]step
	why      error // the last step failed
}

// A step is what one command does in its unit of work.
type step func(ctx context.Context, tx *pg.Tx) (said, error)

// said is what a command answers.
type said struct {
	ID    string `json:"id,omitempty"`
	State string `json:"state,omitempty"`
	Then  string `json:"then,omitempty"` // what has to be approved, or is made besides
	Ref   string `json:"ref,omitempty"`
	Sum   int64  `json:"sum,omitempty"`
}

// start builds the services anew; what stands in the database stays.
func (y *yard) start() {
	y.t.Helper()
	h := &hub{yard: y, ribs: map[string]int{}, steps: map[int]step{}}
	if y.hub != nil {
		h.ribs, h.steps = y.hub.ribs, y.hub.steps
	}
	pgtest.Queue(y.t, y.db, event.NewBus())
	b := bank.New(house, y.bank, bank.Options{})
	h.books = ledger.New(y.db)
	h.escrows = escrow.New(y.db, h.books, anyone{}).TopUpFrom(house)
	h.ops = operations.New(y.db)
	h.people = approvals.New(y.db)
	h.ops.Reviewed(h.people)
	h.books.Approve(h.people)
	h.lane = ledger.NewLane(h.books, ledger.LaneOptions{})
	h.files = files.New(y.db, h.ops, files.House{Bank: b, Safeguard: bank.Account{RIB: paperbank.RIB(1), Name: "Hub"}, Operating: bank.Account{RIB: paperbank.RIB(2), Name: "Hub"}})
	h.charges = charges.New(y.db, h.books, h.escrows, h.ops, anyone{}, []*card.Acquirer{card.New(acquirer, hosted{}, card.Options{})},
		charges.Config{PublicURL: "https://hub.example", Bank: house}).PayBy(house, h.files).ApprovedBy(h.people).Wallets(wallet.New(purse, phones{}, wallet.Options{}))
	h.files.Handle(charges.KindTransfer, files.Kind{Pay: h.charges.Transfer, Moved: h.charges.RefundMoved, Contradicted: h.charges.RefundContradicted})
	h.disputes = disputes.New(y.db, h.escrows, h.charges, h.people, anyone{})
	h.payouts = payouts.New(y.db, payouts.Needs{Books: h.books, Escrows: h.escrows, Accounts: h, Files: h.files, Approvals: h.people, Risk: limits.New(y.db, h.people), Judge: anyone{}})
	h.payouts.Check(h.blocked)
	h.treasury = treasury.New(y.db, h.books, h.files, h.ops, h.people)
	h.recon = recon.New(y.db, h.books, h.charges, h.ops, h.people, []recon.House{{Bank: b, Safeguard: paperbank.RIB(1), Operating: paperbank.RIB(2), Acquirers: map[string]string{acquirer: paperbank.RIB(8), purse: paperbank.RIB(6)}}}, recon.Ties{Fee: contract, Owner: func(context.Context, string) (string, error) { return theBank.subject, nil }}).Receives(h.charges)
	h.timers = job.NewTimers(y.db)
	h.bus = event.NewBus() // of its own, for the hub's has no queue to deliver from
	disputes.Subscribe(h.bus, h.disputes)
	h.escrows.Work(h.timers)
	h.disputes.Work(h.timers)
	h.charges.Work(job.NewWorkers(), h.timers)
	h.payouts.Work(h.timers)
	h.recon.Work(h.timers)
	h.Handler = h.edge()
	y.hub = h
}

// contract is what the acquirer may keep of each charge.
func contract(_ string, gross money.Money) (money.Money, bool) {
	return money.Dirhams(gross.Centimes() / 50), true
}

// blocked stops payouts as the hub does.
func (h *hub) blocked(ctx context.Context, tx *pg.Tx, all []payouts.Payout) (map[string][]payouts.Wait, error) {
	waits := map[string][]payouts.Wait{}
	for _, p := range all {
		why, err := h.escrows.Blocked(ctx, tx, p.Seller)
		if err != nil {
			return nil, err
		}
		if text := why[p.Seller]; p.Payee == payouts.Seller && text != "" {
			waits[p.ID] = []payouts.Wait{{Code: "escrow.blocked", Text: text}}
		}
	}
	return waits, nil
}

// edge is the hub's own edge over the books' routes, and over one for all other
// commands: each is kept with its answer, under its key, as every command of the
// interface is.
func (h *hub) edge() http.Handler {
	type in struct {
		N int `json:"n" required:"true"`
	}
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(ledger.Routes(h.books), ledger.TransferRoutes(h.lane), []rest.Route{rest.Commit("POST", "/v1/steps", "sim.step", "Do something", http.StatusOK, func(ctx context.Context, tx *pg.Tx, in in) (said, error) {
		out, err := h.steps[in.N](ctx, tx)
		h.why = err
		return out, err
	})}), rest.Edge{
		Store: h.db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		Authenticate: func(_ context.Context, k auth.Key) (auth.Principal, error) {
			for _, p := range persons {
				if p.key.ID == k.ID {
					return auth.Principal{Key: k.ID, Subject: p.subject, Role: p.role}, nil
				}
			}
			return auth.Principal{}, auth.ErrUnknown
		},
		May: func(context.Context, auth.Principal, string) (string, error) { return "test", nil },
	})
	return mux
}

type person struct {
	key     auth.Key
	subject string
	role    auth.Role
}

func somebody(subject string, role auth.Role) person { return person{auth.NewKey(), subject, role} }

// The people of the market.
var (
	buyer   = somebody("per_b", auth.Buyer)
	agent   = somebody("per_one", auth.Operator)
	second  = somebody("per_two", auth.Operator)
	theBank = somebody("org_bank", auth.Bank)
	sellers = []person{somebody("org_s1", auth.Seller), somebody("org_s2", auth.Seller)}
	persons = append([]person{buyer, agent, second, theBank}, sellers...)
)

// A reply is what came back for one sending of a command.
type reply struct {
	status   int
	code     string // "" when it was done
	body     string
	replayed bool
	said
}

// A call is a command as it is sent.
type call struct {
	path string
	body []byte
}

// ask sends a command under a key.
func (h *hub) ask(who person, c call, key string) (r reply) {
	h.t.Helper()
	q := httptest.NewRequest("POST", c.path, bytes.NewReader(c.body))
	q.Header.Set("Authorization", "Bearer "+who.key.String())
	q.Header.Set("Idempotency-Key", key)
	q.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, q)
	r.status, r.body, r.replayed = w.Code, w.Body.String(), w.Header().Get("Idempotency-Replayed") == "true"
	if w.Code >= 300 {
		var p struct{ Code, Detail string }
		h.ok(json.Unmarshal(w.Body.Bytes(), &p))
		r.code = p.Code
		return r
	}
	var asked struct{ Approval string }
	h.ok(errors.Join(json.Unmarshal(w.Body.Bytes(), &r.said), json.Unmarshal(w.Body.Bytes(), &asked)))
	r.Then = cmp.Or(r.Then, asked.Approval)
	return r
}

// PayoutAccounts are where sellers are paid.
func (h *hub) PayoutAccounts(_ context.Context, _ pg.DB, members ...string) (map[string]payouts.Account, error) {
	out := map[string]payouts.Account{}
	for _, m := range members {
		out[m] = payouts.Account{RIB: paperbank.RIB(100*len(m) + h.ribs[m]), Holder: "Coopérative (exemple)", Verified: true}
	}
	return out, nil
}

// anyone lets everybody do everything: who may is not the oracle's matter.
type anyone struct{}

// May allows.
func (anyone) May(auth.Principal, string, authz.Resource) (string, error) { return "test", nil }
