package sim_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// A machine gives the hub and the oracle the same commands.
type machine struct {
	*yard
	o       *oracle
	rt      *rapid.T
	doing   string
	n       int // commands
	closing int64
	said    int // statements
	nonce   int
	told    int  // escrows that ended
	acted   bool // the last command did something
}

// capital is what the operator begins with: more than people take out by hand.
const capital = 100_000_000

// begin empties the yard for a new life, in which the operator has put in some
// money.
func (y *yard) begin(rt *rapid.T) *machine {
	y.sweep()
	y.hub = nil
	y.start()
	now, err := pg.Value[time.Time](y.t.Context(), y.db, nil, `select platform.now()`)
	y.ok(err)
	m := &machine{yard: y, o: newOracle(now.UTC()), rt: rt}
	m.tx(func(ctx context.Context, tx *pg.Tx) error {
		return m.hub.books.Post(ctx, tx, ledger.Transfer{Key: "capital", Kind: "capital", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Operating(house), capital), ledger.Credit(ledger.Capital, capital),
		}})
	})
	m.o.book(dr(operating, capital), cr("capital", capital))
	return m
}

// tx is a unit of work of the hub's own.
func (m *machine) tx(f func(ctx context.Context, tx *pg.Tx) error) {
	m.t.Helper()
	err := m.db.InTx(auth.With(m.t.Context(), auth.Hub), func(tx *pg.Tx) error { return f(ctx(m), tx) })
	if err != nil {
		m.rt.Fatalf("%s: %v", m.doing, err)
	}
}

func ctx(m *machine) context.Context { return auth.With(m.t.Context(), auth.Hub) }

// do sends a command as somebody, and holds its answer against what the oracle
// says. Some are broken off before, some are sent to a hub that was started
// anew, and some again.
func (m *machine) do(who person, run step, want func() string) reply {
	m.t.Helper()
	m.hub.steps[m.n+1] = run
	return m.send(who, call{"/v1/steps", fmt.Appendf(nil, `{"n":%d}`, m.n+1)}, want)
}

// post is do for a command that has its own route here.
func (m *machine) post(who person, path string, in any, want func() string) reply {
	m.t.Helper()
	m.hub.why = nil
	return m.send(who, call{path, asJSON(in)}, want)
}

func (m *machine) send(who person, c call, want func() string) reply {
	m.t.Helper()
	m.n++
	m.acted = true
	key := fmt.Sprint("key-", m.n)
	chance := 19 - m.roll("chance", 20)
	if chance < 2 { // 19 is what a failure is made small to
		point := []string{"answer", "commit"}[chance]
		m.sql(`insert into public.fuse (key, at) values ($1, $2)`, key, point)
		// What is refused never gets that far.
		if r := m.hub.ask(who, c, key); r.status < 400 {
			m.rt.Fatalf("%s is answered %d %s though it was broken off", m.doing, r.status, r.body)
		}
		m.sql(`delete from public.fuse where key = $1`, key)
		m.compare()
	}
	if chance < 4 {
		m.start()
	}
	r := m.hub.ask(who, c, key)
	for deadline := 0; r.code == "idempotency.in_progress" && deadline < 200; deadline++ { // the session that broke off is still dying
		time.Sleep(5 * time.Millisecond)
		r = m.hub.ask(who, c, key)
	}
	code := want()
	met.add(m.doing + " → " + code)
	if r.code != code {
		m.rt.Fatalf("%s is answered %q, want %q: %v %s", m.doing, r.code, code, m.hub.why, r.body)
	}
	if r.code == "" && (chance == 16 || chance == 17) {
		if chance == 16 {
			m.start()
		}
		if again := m.hub.ask(who, c, key); again.body != r.body || !again.replayed {
			m.rt.Fatalf("%s sent again is answered %s, want %s", m.doing, again.body, r.body)
		}
	}
	return r
}

// met counts what was answered to what.
var met = &tally{n: map[string]int{}}

type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (t *tally) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n[what]++
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(t.n)) {
		fmt.Fprintf(&b, "%6d %s\n", t.n[k], k)
	}
	return b.String()
}

// advance moves the time, and fires what is due.
func (m *machine) advance(d time.Duration) {
	m.acted = true
	m.tx(func(ctx context.Context, tx *pg.Tx) error {
		_, err := clock.Advance(ctx, tx, d)
		audit.Record(tx, "demo.clock", "clock", "test", map[string]string{"by": d.String()}) // ages count from the move
		return err
	})
	m.fire()
	m.o.pass(d)
}

func (m *machine) fire() {
	if _, err := m.hub.timers.Due(m.t.Context()); err != nil {
		m.rt.Fatal(err)
	}
	stuck, err := pg.Column[string](m.t.Context(), m.db, `select kind || ' ' || subject || ': ' || coalesce(error, '') from platform.timer
		where tries > 0 and error <> '' or due <= platform.now() and kind not similar to '(operations|files).%'`) // of those the oracle speaks for partners
	m.ok(err)
	if len(stuck) > 0 {
		m.rt.Fatalf("%s: timers fail, or are left: %v", m.doing, stuck)
	}
}

// news has disputes hear of the escrows that have ended since.
func (m *machine) news() {
	ids, err := pg.Column[string](m.t.Context(), m.db, `select id from platform.event where type = 'escrow.ended' order by seq offset $1`, m.told)
	m.ok(err)
	m.told += len(ids)
	for _, id := range ids {
		if err := m.hub.bus.Deliver(ctx(m), m.db, event.Delivery{Event: id, Type: "escrow.ended", Subscriber: "disputes"}); err != nil {
			m.rt.Fatalf("after %s the news of it: %v", m.doing, err)
		}
	}
	m.o.news()
}

// refund is the hub's name of a refund, and dispute that of a dispute: those of
// one order, or of one charge, are told apart by their age.
func (m *machine) refund(r *refund) string { return m.rows(refundRows)[slices.Index(m.o.byOrder(), r)] }

func (m *machine) dispute(d *dispute) string {
	return m.rows(disputeRows)[slices.Index(m.o.disputesByOrder(), d)]
}

func (o *oracle) byOrder() []*refund {
	of := func(r *refund) string {
		if r.order == nil {
			return r.charge.id
		}
		return r.order.id + r.charge.id
	}
	return slices.SortedStableFunc(slices.Values(o.refunds), func(a, b *refund) int { return cmp.Compare(of(a), of(b)) })
}

func (o *oracle) disputesByOrder() []*dispute {
	return slices.SortedStableFunc(slices.Values(o.disputes), func(a, b *dispute) int { return cmp.Compare(a.order.id, b.order.id) })
}

// rows are the names of a table's rows in their order: the oracle's n-th is the
// n-th. What happens at the same moment has no order of its own.
func (m *machine) rows(text string) []string {
	m.t.Helper()
	ids, err := pg.Column[string](m.t.Context(), m.db, text)
	m.ok(err)
	return ids
}

const (
	refundRows  = `select id from charges.refund order by concat(order_id, charge), id`
	payoutRows  = `select id from payouts.payout order by id`
	disputeRows = `select id from disputes.dispute order by order_id, id`
	moveRows    = `select id from treasury.move order by created_at`
)

// names are the oracle's for accounts whose names are drawn.
func (m *machine) names() map[string]string {
	m.t.Helper()
	names := map[string]string{}
	refunds := m.o.byOrder()
	for i, id := range m.rows(refundRows) {
		names["refund:"+id] = "refund:" + id
		if i < len(refunds) {
			names["refund:"+id] = refunds[i].account()
		}
	}
	for i, id := range m.rows(payoutRows) {
		names["payout:"+id] = fmt.Sprint("payout:#", i)
	}
	for line, about := range m.pairs(`select 'suspense:' || line, 'suspense:' || about from recon.break where line is not null`, nil) {
		names[line] = about
	}
	return names
}

// compare holds all that stands in the database against the oracle.
func (m *machine) compare() {
	m.t.Helper()
	var wrong []string
	see := func(what string, got, want map[string]string) {
		for _, k := range slices.Sorted(maps.Keys(merged(got, want))) {
			if got[k] != want[k] {
				wrong = append(wrong, fmt.Sprintf("%s %s: the hub has %s, the oracle %s", what, k, or(got[k]), or(want[k])))
			}
		}
	}
	names := m.names()
	see("balance", m.pairs(`select a.code, sum(b.dr - b.cr)::text from ledger.account a join ledger.balance b on b.account_id = a.id
		group by a.code having sum(b.dr - b.cr) <> 0`, names), m.o.balances())
	see("held in", m.pairs(`select a.code, sum(b.held)::text from ledger.account a join ledger.balance b on b.account_id = a.id group by a.code having sum(b.held) <> 0`, nil), m.o.kept())
	see("escrow", m.pairs(`select order_id, concat_ws(' ', state, 'released', released, 'refunded', refunded, recovered, 'charged', charged, clawed, 'flying', flying,
		'cases', cardinality(cases), 'market', bonus, bonus_given, bonus_back) from escrow.hold`, nil), m.o.escrows())
	see("refund", m.listed(`select concat_ws(' ', amount, rail, attempt, state) from charges.refund order by concat(order_id, charge), id`), m.o.refundsText())
	see("payout", m.listed(`select concat_ws(' ', amount, state, 'owes', owed) from payouts.payout order by id`), m.o.payoutsText())
	see("dispute", m.listed(`select state from disputes.dispute order by order_id, id`), m.o.disputesText())
	see("charge", m.pairs(`select id, concat_ws(' ', state, captured, refunded, settled) from charges.charge`, nil), m.o.chargesText())
	see("break", m.pairs(`select about, concat_ws(' ', kind, amount, state) from recon.break`, nil), m.o.breaksText())
	see("wallet", m.pairs(`select ref, concat_ws(' ', 'refused', refusal <> '', 'paid', paid, 'settled', settled) from charges.wallet_request`, nil), m.o.asksText())
	if len(wrong) > 0 {
		m.rt.Fatalf("after %s:\n%s", m.doing, strings.Join(wrong, "\n"))
	}
}

func or(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func (m *machine) pairs(text string, names map[string]string) map[string]string {
	m.t.Helper()
	type pair struct{ K, V string }
	rows, err := pg.All[pair](m.t.Context(), m.db, `select x.a as k, x.b as v from (`+text+`) x(a, b)`)
	m.ok(err)
	out := map[string]string{}
	for _, r := range rows {
		if n, ok := names[r.K]; ok {
			r.K = n
		}
		out[r.K] = r.V
	}
	return out
}

func (m *machine) listed(text string) map[string]string {
	m.t.Helper()
	out := map[string]string{}
	for i, s := range m.rows(text) {
		out[fmt.Sprint("#", i)] = s
	}
	return out
}

func (o *oracle) balances() map[string]string {
	out := map[string]string{}
	for a, n := range o.bal {
		if n != 0 {
			out[a] = fmt.Sprint(n)
		}
	}
	return out
}

func (o *oracle) kept() map[string]string {
	out := map[string]string{}
	for _, s := range o.sellers {
		if n := s.holds(); n != 0 {
			out[available(s)] = fmt.Sprint(n)
		}
	}
	return out
}

func (o *oracle) escrows() map[string]string {
	out := map[string]string{}
	for _, x := range o.orders {
		out[x.id] = fmt.Sprintln(x.state, "released", x.gone.sum(), "refunded", x.refunded, x.recovered, "charged", x.charged, x.clawed,
			"flying", x.flying, "cases", len(x.cases), "market", x.market.whole, x.market.paid, x.market.back)
		out[x.id] = strings.TrimSpace(out[x.id])
	}
	return out
}

func (o *oracle) refundsText() map[string]string {
	out := map[string]string{}
	for i, r := range o.byOrder() {
		rail := "transfer"
		switch {
		case r.card:
			rail = "card"
		case r.purse:
			rail = "wallet"
		}
		out[fmt.Sprint("#", i)] = fmt.Sprint(r.amount, " ", rail, " ", r.attempt, " ", r.state)
	}
	return out
}

func (o *oracle) payoutsText() map[string]string {
	out := map[string]string{}
	for _, p := range o.payouts {
		out[fmt.Sprint("#", p.n)] = fmt.Sprint(p.amount, " ", p.state, " owes ", p.owed)
	}
	return out
}

func (o *oracle) disputesText() map[string]string {
	out := map[string]string{}
	for i, d := range o.disputesByOrder() {
		out[fmt.Sprint("#", i)] = d.state
	}
	return out
}

func (o *oracle) chargesText() map[string]string {
	out := map[string]string{}
	for _, c := range o.charges {
		settled := map[bool]string{true: "t", false: "f"}[c.settled]
		out[c.id] = fmt.Sprint(c.state, " ", c.captured, " ", c.refunded, " ", settled)
	}
	return out
}

func asJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs
	}
	return b
}
