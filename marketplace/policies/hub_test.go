package policies_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/policies"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/invariants"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/blob"
	"tiwiza/pkg/blob/disk"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/picture"
	"tiwiza/pkg/rest"
)

// paper is an insurer on paper: its truth, and what it is told to do wrong.
type paper struct {
	mu       sync.Mutex
	now      func() time.Time
	products []insurance.Product
	quotes   map[string]insurance.Quote
	policies map[string]insurance.Policy
	claims   map[string]insurance.Claim
	bound    map[string]int // by reference, how often it was executed
	rows     []insurance.Row
	fault    string // what it does wrong next
	periods  []string
	deaf     bool // it is not to be reached for a cancelling
}

func (p *paper) take(faults ...string) string {
	if slices.Contains(faults, p.fault) {
		f := p.fault
		p.fault = ""
		return f
	}
	return ""
}

var (
	succeeded = outbound.Result{Outcome: outbound.Succeeded}
	lost      = outbound.Result{Outcome: outbound.Unknown, Text: "timeout"}
	unsent    = outbound.Result{Outcome: outbound.NotSent, Text: "no connection"}
	declined  = outbound.Result{Outcome: outbound.Declined, Code: "refused", Text: "not insured"}
)

func (p *paper) ID() string { return "paper" }

func (p *paper) Products(context.Context) ([]insurance.Product, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.products), succeeded
}

func (p *paper) Quote(_ context.Context, a insurance.Ask) (insurance.Quote, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q, ok := p.quotes[a.Ref]; ok {
		return q, succeeded
	}
	if p.take("decline") != "" {
		return insurance.Quote{}, declined
	}
	premium := a.Sum.Centimes() * 20 / 1000
	net := (premium*100 + 57) / 114
	q := insurance.Quote{
		ID: "Q" + a.Ref, Ref: a.Ref, Premium: money.Dirhams(premium), Taxes: money.Dirhams(premium - net), Commission: money.Dirhams((net*100 + 500) / 1000),
		ValidUntil: p.now().Add(72 * time.Hour), Documents: sheet,
	}
	if p.take("commission") != "" {
		q.Commission = money.Dirhams(premium - 1)
	}
	p.quotes[a.Ref] = q
	if p.take("lose") != "" {
		return insurance.Quote{}, lost
	}
	return q, succeeded
}

func (p *paper) Bind(_ context.Context, b insurance.Binding) (insurance.Policy, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.take("refuse", "drop", "unsent") {
	case "refuse":
		return insurance.Policy{}, declined
	case "drop":
		return insurance.Policy{}, lost
	case "unsent":
		return insurance.Policy{}, unsent
	}
	if y, ok := p.policies[b.Ref]; ok {
		return y, succeeded
	}
	q := p.quotes[strings.TrimPrefix(b.Quote, "Q")]
	y := insurance.Policy{ID: "P" + b.Ref, Ref: b.Ref, Number: "N-" + b.Ref, State: insurance.PolicyActive, Documents: sheet}
	p.policies[b.Ref] = y
	p.bound[b.Ref]++
	p.rows = append(p.rows, insurance.Row{Kind: "premium", Ref: b.Payment, Policy: y.ID, Amount: q.Premium, Commission: q.Commission})
	if p.take("lose") != "" {
		return insurance.Policy{}, lost
	}
	return y, succeeded
}

func (p *paper) FindPolicy(_ context.Context, ref string) (insurance.Policy, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	y, ok := p.policies[ref]
	if !ok {
		return y, outbound.Result{Outcome: outbound.NotFound}
	}
	return y, succeeded
}

func (p *paper) Cancel(_ context.Context, c insurance.Cancellation) (insurance.Policy, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf {
		return insurance.Policy{}, unsent
	}
	ref := strings.TrimPrefix(c.Policy, "P")
	y, ok := p.policies[ref]
	if !ok || p.take("keep") != "" {
		return y, declined
	}
	if y.State != insurance.PolicyCancelled {
		var r insurance.Row
		for _, r = range p.rows {
			if r.Kind == "premium" && r.Policy == y.ID {
				break
			}
		}
		y.State, y.Refund = insurance.PolicyCancelled, r.Amount
		if p.take("much") != "" {
			y.Refund = r.Amount.Times(2)
		}
		p.policies[ref] = y
		p.rows = append(p.rows, insurance.Row{Kind: "refund", Ref: c.Ref, Policy: y.ID, Amount: r.Amount, Commission: r.Commission})
	}
	if p.take("lose") != "" {
		return insurance.Policy{}, lost
	}
	return y, succeeded
}

func (p *paper) Paid(_ context.Context, m insurance.Payment) outbound.Result {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.periods, m.Ref) {
		p.periods = append(p.periods, m.Ref)
		p.rows = append(p.rows, insurance.Row{Kind: "premium", Ref: m.Ref, Policy: m.Policy, Amount: m.Amount, Commission: p.commission(m.Amount)})
	}
	return succeeded
}

func (p *paper) commission(premium money.Money) money.Money {
	net := (premium.Centimes()*100 + 57) / 114
	return money.Dirhams((net*100 + 500) / 1000)
}

func (p *paper) Notify(_ context.Context, l insurance.Loss) (insurance.Claim, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.claims[l.Ref]
	if !ok {
		c = insurance.Claim{ID: "C" + l.Ref, Ref: l.Ref, Policy: l.Policy, State: insurance.ClaimNotified}
	}
	c.Asks = nil
	if len(l.Evidence) == 0 {
		c.State, c.Asks = insurance.ClaimReview, []string{"photo"}
	}
	p.claims[l.Ref] = c
	if p.take("lose") != "" {
		return insurance.Claim{}, lost
	}
	return c, succeeded
}

// decides says something of a claim.
func (p *paper) decides(ref string, state insurance.ClaimState, amount int64, transfer, reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.claims[ref]
	c.State, c.Transfer, c.Reason, c.Asks = state, transfer, reason, nil
	c.Amount = money.Dirhams(amount)
	p.claims[ref] = c
	if state == insurance.ClaimPaid {
		p.rows = append(p.rows, insurance.Row{Kind: "claim", Ref: ref, Policy: c.Policy, Amount: c.Amount, Commission: money.Dirhams(0)})
	}
}

func (p *paper) FindClaim(_ context.Context, ref string) (insurance.Claim, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, ok := p.claims[ref]
	if !ok {
		return c, outbound.Result{Outcome: outbound.NotFound}
	}
	return c, succeeded
}

func (p *paper) Observe(_ context.Context, o insurance.Observation) (insurance.Claim, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Value >= "40" {
		return insurance.Claim{Ref: o.Ref}, succeeded
	}
	c, ok := p.claims[o.Ref]
	if !ok {
		c = insurance.Claim{ID: "C" + o.Ref, Ref: o.Ref, Policy: o.Policy, State: insurance.ClaimAccepted, Amount: money.Dirhams(500_00), Transfer: "IDX" + o.Ref}
		p.claims[o.Ref] = c
	}
	return c, succeeded
}

func (p *paper) Statement(_ context.Context, period string) (insurance.Statement, outbound.Result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := insurance.Statement{ID: "S-" + period, Period: period, Rows: slices.Clone(p.rows)}
	switch p.take("row", "sums", "hide") {
	case "row":
		s.Rows[0].Amount = s.Rows[0].Amount.Add(money.Dirhams(5_00))
	case "hide":
		s.Rows = append(s.Rows[1:], insurance.Row{Kind: "premium", Ref: "NOBODYS", Policy: "X", Amount: money.Dirhams(1_00), Commission: money.Dirhams(0)})
	case "sums":
		s.Premiums, s.Commission, s.Claims, s.Due = s.Sums()
		s.Due = s.Due.Add(money.Dirhams(1_00))
		return s, outbound.Result{Outcome: outbound.Unknown, Reason: outbound.Differs, Text: "the sums are not those of the rows"}
	}
	s.Premiums, s.Commission, s.Claims, s.Due = s.Sums()
	return s, succeeded
}

var sheet = []insurance.Document{{Kind: "information_sheet", Lang: "fr", URL: "https://assureur.example/fiche", SHA256: strings.Repeat("ab", 32)}}

func texts(s string) insurance.Texts { return insurance.Texts{"fr": s, "ar": s, "en": s} }

func product(code string, line insurance.Line, period string) insurance.Product {
	p := insurance.Product{
		ID: code, Version: 1, Line: line, Names: texts(code + " (exemple)"), Covers: []insurance.Texts{texts("feu")}, Exclusions: []insurance.Texts{texts("usure")},
		Premium: insurance.Premium{Rate: 20, Period: period}, Most: money.Dirhams(100_000_00), CoolingOff: 14, Commission: 100, Papers: []string{"photo"}, Documents: sheet,
	}
	if line == insurance.Crop {
		p.Trigger = &insurance.Trigger{Index: "rain_mm", Source: "Station (exemple)", Below: true, Threshold: "40", Pays: money.Dirhams(500_00)}
	}
	return p
}

// hub is policies with the books, an insurer on paper, and the real edge and rules.
type hub struct {
	t          testing.TB
	db         *pg.Store
	members    *members.Service
	books      *ledger.Books
	escrow     *escrow.Service
	engine     *operations.Engine
	money      *premiums.Service
	policies   *policies.Service
	desk       *premiums.Desk
	timers     *job.Timers
	web        http.Handler
	insurer    *paper
	boss, mate auth.Key
	house      string // the insurer's organisation
	barred     string // why the insurer takes nothing new
	people     auth.Key
	sales      map[string]orders.Purchase
}

// nobody is who is asked about credits that are no insurer's.
type nobody struct{ others []string }

// buyers is who takes what is for one charge, by its reference or by people's word.
type buyers struct {
	nobody
	charge string
}

func (b *buyers) Receive(_ context.Context, _ *pg.Tx, c charges.Credit) (charges.Taken, error) {
	if slices.Contains(charges.References(c.Said), b.charge) {
		return charges.Taken{Subject: b.charge}, nil
	}
	return charges.Taken{}, nil
}

func (b *buyers) Match(_ context.Context, _ *pg.Tx, _, subject string) (charges.Taken, error) {
	if subject == b.charge {
		return charges.Taken{Subject: subject}, nil
	}
	return charges.Taken{}, charges.ErrNotFound
}

func (n *nobody) Receive(context.Context, *pg.Tx, charges.Credit) (charges.Taken, error) {
	return charges.Taken{}, nil
}

func (n *nobody) Match(context.Context, *pg.Tx, string, string) (charges.Taken, error) {
	return charges.Taken{}, charges.ErrNotFound
}
func (n *nobody) Otherwise(_ *pg.Tx, line, _ string) { n.others = append(n.others, line) }

func newHub(t testing.TB) *hub {
	t.Helper()
	h := &hub{t: t, db: pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 10})}
	rules, err := authz.New()
	must(t, err)
	h.members = members.New(h.db, rules)
	bucket, err := disk.Open(t.TempDir())
	must(t, err)
	t.Cleanup(func() { _ = bucket.Close() })
	files := media.New(h.db, blob.Over(bucket), picture.NewPress(picture.PressOptions{}))
	desk := approvals.New(h.db)
	h.members.Approve(desk)
	h.books, h.engine, h.timers = ledger.New(h.db), operations.New(h.db), job.NewTimers(h.db)
	h.engine.Reviewed(desk)
	h.escrow = escrow.New(h.db, h.books, rules).TopUpFrom("bank")
	h.money = premiums.New(h.db, premiums.Needs{Books: h.books, Escrows: h.escrow, Bank: "bank"})
	h.desk = h.money.Before(&nobody{})
	h.insurer = &paper{
		products: []insurance.Product{product("stock", insurance.Stock, "year"), product("sante", insurance.Health, "month"), product("pluie", insurance.Crop, "season"), product("colis", insurance.Parcel, "once")},
		quotes:   map[string]insurance.Quote{}, policies: map[string]insurance.Policy{}, claims: map[string]insurance.Claim{}, bound: map[string]int{},
		now: func() time.Time {
			at, err := clock.Now(context.Background(), h.db)
			if err != nil {
				panic(err)
			}
			return at
		},
	}
	bus, workers := event.NewBus(), job.NewWorkers()
	h.policies = policies.New(h.db, policies.Needs{
		Members: h.members, Orders: h, Files: files, Premiums: h.money, Engine: h.engine, Insurers: h, URL: "https://hub.example",
	})
	must(t, h.engine.Certify(t.Context(), "paper", operations.Certificate{Connector: "paper", Kind: policies.KindPolicy, Proof: "bound once by our reference", Remembers: 30 * 24 * time.Hour}))
	policies.Subscribe(bus, h.policies)
	h.engine.Work(workers, h.timers)
	h.money.Work(h.timers)
	h.policies.Work(workers, h.timers)
	pgtest.Work(t, h.db, workers, bus)
	mux := http.NewServeMux()
	rest.Mount(mux, slices.Concat(members.Routes(h.members), media.Routes(files), policies.Routes(h.policies), approvals.Routes(desk), operations.Routes(h.engine)), rest.Edge{
		Store: h.db, Authenticate: h.members.Authenticate, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return rules.May(p, action, authz.Resource{})
		},
	})
	h.web = mux
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) (err error) {
		for _, k := range []struct {
			to   *auth.Key
			name string
		}{{&h.boss, "per_boss"}, {&h.mate, "per_mate"}} {
			if *k.to, err = h.members.CreateKey(t.Context(), tx, k.name, auth.Operator, "test"); err != nil {
				return err
			}
		}
		return h.books.Post(t.Context(), tx, ledger.Transfer{Key: "capital", Kind: "capital", Currency: money.MAD, Legs: []ledger.Leg{ledger.Debit("bank:bank:operating", 100_000_00), ledger.Credit("capital", 100_000_00)}})
	}))
	h.house, h.people = h.member(members.Insurer, "Assurance (exemple)")
	return h
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type fields = map[string]any

func (h *hub) ask(key auth.Key, method, path string, body any) *httptest.ResponseRecorder {
	h.t.Helper()
	var b []byte
	kind := "application/json"
	switch v := body.(type) {
	case nil:
	case []byte:
		b, kind = v, "application/octet-stream"
	default:
		var err error
		b, err = json.Marshal(v)
		must(h.t, err)
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, bytes.NewReader(b))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+key.String())
	r.Header.Set("Idempotency-Key", rand.Text())
	w := httptest.NewRecorder()
	h.web.ServeHTTP(w, r)
	return w
}

func (h *hub) want(status int, out any, key auth.Key, method, path string, body any) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	if w.Code != status {
		h.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		must(h.t, json.Unmarshal(w.Body.Bytes(), out))
	}
}

// refused wants an error, somewhere in whose body stands a word.
func (h *hub) refused(status int, code, word string, key auth.Key, method, path string, body any) {
	h.t.Helper()
	w := h.ask(key, method, path, body)
	if w.Code != status || !strings.Contains(w.Body.String(), `"`+code+`"`) || !strings.Contains(w.Body.String(), word) {
		h.t.Errorf("%s %s: %d %s, want %d %s with %q", method, path, w.Code, w.Body, status, code, word)
	}
}

// member founds an organisation and gives it a key.
func (h *hub) member(kind members.Kind, name string) (org string, key auth.Key) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		o, err := h.members.Found(h.t.Context(), tx, members.Enrolment{Kind: kind, Names: members.Texts{"fr": name}, Region: "MA-09", Commune: "Taroudant"})
		if err != nil {
			return err
		}
		role, _ := kind.Role()
		org = o.ID
		key, err = h.members.CreateKey(h.t.Context(), tx, o.ID, role, "test")
		return err
	}))
	return org, key
}

// rich is a cooperative with so many centimes in its balance.
func (h *hub) rich(centimes int64) (org string, key auth.Key) {
	h.t.Helper()
	org, key = h.member(members.Cooperative, "Coopérative (exemple)")
	h.earns(org, centimes, true)
	return org, key
}

func (h *hub) do(f func(ctx context.Context, tx *pg.Tx) error) {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), auth.Hub)
	must(h.t, h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) }))
}

// earns releases money to a member, settled or not.
func (h *hub) earns(org string, centimes int64, settled bool) {
	h.t.Helper()
	order, charge, from := id.New(id.Order), id.New(id.Charge), "psp:acq:clearing"
	if settled {
		from = "bank:bank:safeguard"
	}
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Open(ctx, tx, escrow.Terms{Order: order, Seller: org, Buyer: "per_b", Charge: charge, Amount: money.Dirhams(centimes), Legs: escrow.Legs{Seller: centimes}})
		return err
	})
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := h.escrow.Fund(ctx, tx, charge, from); err != nil {
			return err
		}
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
}

// sold takes in what the insurer offers, and has all of it sold.
func (h *hub) sold() (products map[string]string) {
	h.t.Helper()
	must(h.t, h.policies.Arm(auth.With(h.t.Context(), auth.Hub)))
	products = map[string]string{}
	h.until("the products", func() bool {
		var p struct{ Data []policies.ProductView }
		h.want(200, &p, h.boss, "GET", "/v1/insurance/products", nil)
		for _, v := range p.Data {
			products[v.Code] = v.ID
		}
		return len(p.Data) == len(h.insurer.products)
	})
	for _, p := range products {
		h.want(200, nil, h.boss, "POST", "/v1/insurance/products/"+p+"/approve", fields{})
	}
	return products
}

// until fires timers until something is so.
func (h *hub) until(what string, done func() bool) {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("waited in vain for %s", what)
		}
		h.fire()
	}
}

func (h *hub) fire() {
	h.t.Helper()
	if _, err := h.timers.Due(auth.With(h.t.Context(), auth.Hub)); err != nil {
		h.t.Fatal(err)
	}
}

// quoted asks for a price and waits for it.
func (h *hub) quoted(key auth.Key, product string, sum string) (q policies.QuoteView) {
	h.t.Helper()
	at, err := clock.Now(h.t.Context(), h.db)
	must(h.t, err)
	h.want(201, &q, key, "POST", "/v1/insurance/quotes", fields{"product": product, "sum": fields{"amount": sum, "currency": "MAD"}, "ends": at.AddDate(1, 0, 0)})
	h.until("a price", func() bool {
		h.want(200, &q, key, "GET", "/v1/insurance/quotes/"+q.ID, nil)
		return q.State != policies.QuoteAsked
	})
	return q
}

func agreed(q policies.QuoteView) fields {
	return fields{"quote": q.ID, "consent": fields{"lang": "fr", "text_hash": q.Consents[0].TextHash}}
}

// takes agrees to a quote.
func (h *hub) takes(key auth.Key, q policies.QuoteView) (p policies.PolicyView) {
	h.t.Helper()
	h.want(201, &p, key, "POST", "/v1/insurance/policies", agreed(q))
	return p
}

// becomes waits until a policy is in a state.
func (h *hub) becomes(key auth.Key, policy string, want insurance.PolicyState) (p policies.PolicyView) {
	h.t.Helper()
	h.until(fmt.Sprintf("%s to be %s", policy, want), func() bool {
		h.want(200, &p, key, "GET", "/v1/insurance/policies/"+policy, nil)
		return p.State == want
	})
	return p
}

func (h *hub) claimBecomes(key auth.Key, claim string, want insurance.ClaimState) (c policies.ClaimView) {
	h.t.Helper()
	h.until(fmt.Sprintf("%s to be %s", claim, want), func() bool {
		h.want(200, &c, key, "GET", "/v1/insurance/claims/"+claim, nil)
		return c.State == want
	})
	return c
}

// hears has the insurer say that something changed.
func (h *hub) hears(ref string) {
	h.t.Helper()
	must(h.t, h.policies.Hear(auth.With(h.t.Context(), auth.Hub), "paper", insurance.Event{ID: rand.Text(), Kind: "claim.updated", Ref: ref}))
}

// credit has the bank show money of an insurer's.
func (h *hub) credit(said string, centimes int64) (t charges.Taken) {
	h.t.Helper()
	line := "lin_" + strings.ToLower(rand.Text())
	h.do(func(ctx context.Context, tx *pg.Tx) (err error) {
		t, err = h.desk.Receive(ctx, tx, charges.Credit{
			Bank: "bank", Line: line + "/0", From: ledger.Safeguard("bank"), Suspense: ledger.Suspense(line), Said: said, Amount: centimes, Currency: money.MAD,
		})
		if err != nil {
			return err
		}
		loose := t.Loose
		if t.Subject == "" {
			loose = centimes
		}
		if loose == 0 {
			return nil
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: line, Kind: "suspense", Currency: money.MAD, Legs: []ledger.Leg{ledger.Debit(ledger.Safeguard("bank"), loose), ledger.Credit(ledger.Suspense(line), loose)}})
	})
	return t
}

func (h *hub) has(account string, want int64) {
	h.t.Helper()
	got, err := h.books.Balance(h.t.Context(), h.db, account, money.MAD)
	if err != nil || got != want {
		h.t.Errorf("%s has %d (%v), want %d", account, got, err, want)
	}
}

// sound wants the books and what hangs on them to be right.
func (h *hub) sound() {
	h.t.Helper()
	found, err := invariants.Check(h.t.Context(), h.db, "I1", "I2", "I3", "I4", "I6", "I7", "I8", "I9", "I12", "I13", "I16", "N1", "N2")
	must(h.t, err)
	for _, f := range found {
		if f.Count > 0 {
			h.t.Errorf("%s: %s", f.ID, strings.Join(f.Rows, "\n"))
		}
	}
}

// file uploads a paper.
func (h *hub) file(key auth.Key, text string) string {
	h.t.Helper()
	var f struct{ ID string }
	h.want(201, &f, key, "POST", "/v1/files?kind=proof", []byte("%PDF-1.4\n% "+text+"\n%%EOF\n"))
	return f.ID
}

func (p *paper) set(fault string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// times is how often policies were bound, of one each.
func (p *paper) times() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, times := range p.bound {
		n = max(n, times)
	}
	return n
}

func refOf(id string) string { return strings.ToUpper(strings.Replace(id, "_", "", 1)) }

// idle waits until no job waits or runs.
func (h *hub) idle() {
	h.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*)::int from river.river_job where state in ('available', 'running', 'retryable', 'scheduled')`)
		must(h.t, err)
		if n == 0 {
			return
		}
		if time.Now().After(end) {
			h.t.Fatalf("%d jobs go on", n)
		}
	}
}

func (h *hub) breaks(state string) []policies.GapView {
	h.t.Helper()
	var p struct{ Data []policies.GapView }
	h.want(200, &p, h.boss, "GET", "/v1/insurance/breaks?state="+state, nil)
	return p.Data
}

// told counts reminders of a policy.
func (h *hub) told(policy, what string) int {
	h.t.Helper()
	n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*)::int from platform.event where type = 'policies.policy_told' and payload->>'policy' = $1 and payload->>'what' = $2`, policy, what)
	must(h.t, err)
	return n
}

// claims declares a claim with a paper.
func (h *hub) claims(key auth.Key, p policies.PolicyView, amount string) (c policies.ClaimView) {
	h.t.Helper()
	pgtest.Advance(h.t, h.db, time.Minute)
	h.want(201, &c, key, "POST", "/v1/insurance/claims", fields{
		"policy": p.ID, "event_at": p.Starts.Add(time.Second), "type": "fire", "description": "Le toit a brûlé.", "amount": fields{"amount": amount, "currency": "MAD"},
		"evidence": []fields{{"file": h.file(key, c.ID+amount), "kind": "photograph"}},
	})
	h.until("it to be told", func() bool {
		h.want(200, &c, key, "GET", "/v1/insurance/claims/"+c.ID, nil)
		return c.Told
	})
	return c
}

// statement reads the month's statement with a fault, and wants so many rows to
// agree.
func (h *hub) statement(fault string, matched int) (st policies.StatementView) {
	h.t.Helper()
	h.insurer.set(fault)
	at, err := clock.Now(h.t.Context(), h.db)
	must(h.t, err)
	h.want(201, &st, h.boss, "POST", "/v1/insurance/statements", fields{"insurer": "paper", "period": at.Format("2006-01")})
	h.until("the statement", func() bool {
		h.want(200, &st, h.boss, "GET", "/v1/insurance/statements/"+st.ID, nil)
		return st.State != "asked"
	})
	if st.State != "read" || st.Matched != matched {
		h.t.Errorf("with fault %q %d of %d rows agree, want %d; breaks %+v", fault, st.Matched, st.Rows, matched, st.Breaks)
	}
	return st
}

// quotedLate asks for a price whose first answer is lost.
func (h *hub) quotedLate(key auth.Key, product string) (q policies.QuoteView) {
	h.t.Helper()
	at, err := clock.Now(h.t.Context(), h.db)
	must(h.t, err)
	h.want(201, &q, key, "POST", "/v1/insurance/quotes", fields{"product": product, "sum": fields{"amount": "10000.00", "currency": "MAD"}, "ends": at.AddDate(1, 0, 0)})
	h.idle()
	pgtest.Pass(h.t, h.db, h.timers, 3*time.Minute)
	h.until("a price", func() bool {
		h.want(200, &q, key, "GET", "/v1/insurance/quotes/"+q.ID, nil)
		return q.State != policies.QuoteAsked
	})
	return q
}

// decode reads an answer of a status.
func decode(w *httptest.ResponseRecorder, status int, out any) error {
	if w.Code != status {
		return fmt.Errorf("%d %s, want %d", w.Code, w.Body, status)
	}
	return json.Unmarshal(w.Body.Bytes(), out)
}

// owed is what insurers owe a member that has not come yet.
func (h *hub) owed(org string) (int64, error) {
	return pg.Value[int64](h.t.Context(), h.db, nil, `select coalesce(sum(amount), 0)::bigint from premiums.due where member = $1 and state = 'due'`, org)
}

// The hub's one insurer.
func (h *hub) Of(_ context.Context, _ pg.DB, name string) (policies.Insurer, string, error) {
	if name != "paper" {
		return nil, "", policies.ErrNotFound
	}
	return h.insurer, h.barred, nil
}

// Bought is a sale of the market's.
func (h *hub) Bought(_ context.Context, _ pg.DB, order string) (orders.Purchase, error) {
	p, ok := h.sales[order]
	if !ok {
		return p, orders.ErrNotFound
	}
	return p, nil
}

func (h *hub) Names(context.Context, pg.DB) ([]string, error) { return []string{"paper"}, nil }

func (h *hub) Owner(context.Context, pg.DB, string) (string, error) { return h.house, nil }
