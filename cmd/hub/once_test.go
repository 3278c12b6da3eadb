package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// A posting is a request that makes an order or moves money, with what the
// suite asks about it.
type posting struct {
	req
	bad    *req   // is refused, and its key is free afterwards
	other  *req   // something else under the same key
	by     string // another member's API key
	effect string // SQL: how often it was done, by of
	of     string
	before int64
	first  answer
	lane   bool // many callers share its commit
}

// A onceRig is a rig whose requests can be made to break off.
type onceRig struct {
	*rig
	line     *cable
	owner    *pg.Store // the database's owner, whom no trigger stops
	shop     *shop     // sells all that is sold
	ware     ware
	stranger *shop  // another seller
	day      string // is over, and its statements are in
	raced    bool
}

// TestEveryPostThatMovesMoneyHappensOnce plays the same suite on each route that
// keeps its answer: the key missing, used again, used for something else or by
// somebody else; refused, broken off wherever it can be; fifty at once; after
// the hub was killed; and after its answer was forgotten.
func TestEveryPostThatMovesMoneyHappensOnce(t *testing.T) {
	t.Parallel()
	o := newOnce(t)
	var names []string
	for _, route := range o.house.routes {
		if route.Commits {
			names = append(names, route.Name)
		}
	}
	slices.Sort(names)
	if known := slices.Sorted(maps.Keys(postings)); !slices.Equal(names, known) {
		t.Fatalf("the suite knows the routes\n%v; those that keep their answers are\n%v", known, names)
	}
	o.tomorrow(t)
	done := o.each(t, "broken off", names, o.breaks)
	o.kill()
	o.run(t)
	for name, p := range done {
		o.again(t, name+" after a kill", p)
	}
	o.forgets(t, done)
	o.tomorrow(t)
	o.raced = true
	o.each(t, "raced", names, o.races)
	o.quiet(t)
	o.rig.verify(t)
}

func newOnce(t *testing.T) *onceRig {
	t.Helper()
	db := pgtest.URL(t)
	line, url := splice(t, db)
	o := &onceRig{rig: rigOn(t, db, "HUB_DATABASE_URL="+url, "HUB_MAX_CONNS=16"), line: line, owner: pgtest.Open(t, db, pg.Options{MaxConns: 1})}
	o.crowd = nil // strangers' calls would be cut, and counted, among its own
	o.player = o.plays(io.Discard)
	o.sql(t, `set role none`)
	pgtest.Fuses(t, o.owner)
	o.shop, o.stranger = o.seller(t), o.seller(t)
	o.ware = o.rig.ware(t, o.shop, 1000, "100.00")
	o.earn(t, o.shop, "3000.00")
	o.credit(t, "6.00", "don") // told by a notification too
	o.until(t, "the notification", func() bool {
		told, err := filepath.Glob(filepath.Join(o.dir, "sim", "bank", "archive", "CAMT054_*"))
		return err == nil && len(told) > 0
	})
	return o
}

// sql runs one statement as the database's owner.
func (o *onceRig) sql(t testing.TB, text string, args ...any) {
	t.Helper()
	if _, err := o.owner.Exec(t.Context(), text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// tomorrow lets a day end, with all of its statements.
func (o *onceRig) tomorrow(t *testing.T) {
	t.Helper()
	now := o.now(t)
	o.quiet(t)
	o.day = now.UTC().Format(time.DateOnly)
	o.advance(t, "25h")
	o.quiet(t)
}

// each makes a posting of each route and does something with it; some at a time.
func (o *onceRig) each(t *testing.T, what string, names []string, do func(*testing.T, posting) posting) map[string]posting {
	t.Helper()
	done, mu := map[string]posting{}, sync.Mutex{}
	t.Run(what, func(t *testing.T) {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				p := postings[name](t, o)
				if p.method == "" {
					p.method = http.MethodPost
				}
				p.before = o.count(t, p)
				p = do(t, p)
				mu.Lock()
				defer mu.Unlock()
				done[name] = p
			})
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return done
}

func (o *onceRig) count(t testing.TB, p posting) int64 {
	t.Helper()
	n, err := pg.Value[int64](pgtest.Hub(t), o.house.store.Asking(), nil, p.effect, p.of)
	if err != nil {
		t.Fatalf("%s: %v", p.effect, err)
	}
	return n
}

// happened checks how often a posting took effect.
func (o *onceRig) happened(t testing.TB, when string, p posting, want int64) {
	t.Helper()
	if got := o.count(t, p) - p.before; got != want {
		t.Errorf("%s %s: it happened %d times, want %d", p.path, when, got, want)
	}
}

// replayed says whether an answer is one that was kept.
func replayedAnswer(a answer) bool { return a.header.Get("Idempotency-Replayed") == "true" }

// again expects the first answer, byte for byte.
func (o *onceRig) again(t testing.TB, when string, p posting) {
	t.Helper()
	a := o.ask(t, p.req)
	if a.status != p.first.status || string(a.body) != string(p.first.body) || !replayedAnswer(a) ||
		a.header.Get("Content-Type") != p.first.header.Get("Content-Type") {
		t.Errorf("%s: answered %d %s, want the first answer again: %d %s", when, a.status, a.body, p.first.status, p.first.body)
	}
	o.happened(t, when, p, 1)
}

// breaks sends a posting without a key, then with one that is broken off at each
// point, and then again and again.
func (o *onceRig) breaks(t *testing.T, p posting) posting {
	missing := p.req
	missing.idem = ""
	o.ask(t, missing).refused(t, 400, "idempotency.missing")
	p.idem = once()
	if p.bad != nil {
		bad := *p.bad
		bad.method, bad.idem = p.method, p.idem
		for range 2 { // a refusal is not kept
			if a := o.ask(t, bad); a.status < 400 || a.status >= 500 || replayedAnswer(a) {
				t.Errorf("what is wrong is answered %d %s", a.status, a.body)
			}
		}
	}
	for _, point := range []string{"answer", "commit"} {
		o.sql(t, `insert into public.fuse (key, at) values ($1, $2)`, p.idem, point)
		if a := o.patient(t, p.req); a.status < 500 {
			t.Errorf("broken off at its %s it is answered %d %s", point, a.status, a.body)
		}
		o.sql(t, `delete from public.fuse where key = $1`, p.idem)
		o.happened(t, "broken off at its "+point, p, 0)
	}
	named := 2
	if p.lane {
		named = 1
	}
	o.line.cut(p.idem, named)
	if a := o.patient(t, p.req); a.status < 500 && !p.lane { // the lane reads again what became of it
		t.Errorf("with the word of its commit lost it is answered %d %s", a.status, a.body)
	}
	if o.line.waits(p.idem) {
		t.Errorf("the word of its commit was not lost")
	}
	if p.first = o.patient(t, p.req); p.first.status >= 300 || !replayedAnswer(p.first) {
		t.Fatalf("sent again it is answered %d %s, want what was committed", p.first.status, p.first.body)
	}
	o.again(t, "sent again", p)
	other := *p.other
	other.method, other.idem = p.method, p.idem
	o.ask(t, other).refused(t, 422, "idempotency.reused")
	o.happened(t, "after another request under its key", p, 1)
	stranger := p.req
	stranger.key = p.by
	if a := o.ask(t, stranger); replayedAnswer(a) || a.Code == "idempotency.reused" {
		t.Errorf("another member with the same key is answered %d %s", a.status, a.body)
	}
	p.before = o.count(t, p) - 1 // what the other member did is another's
	return p
}

// patient asks until the session that broke off is gone.
func (o *onceRig) patient(t *testing.T, q req) (a answer) {
	t.Helper()
	for a = o.ask(t, q); a.Code == "idempotency.in_progress"; a = o.ask(t, q) {
		time.Sleep(20 * time.Millisecond)
	}
	return a
}

// races sends a posting fifty times at once.
func (o *onceRig) races(t *testing.T, p posting) posting {
	p.idem = once()
	var all sync.WaitGroup
	var made atomic.Int64
	answers := make([]answer, 50)
	start := make(chan struct{})
	for i := range answers {
		all.Go(func() {
			<-start
			for answers[i] = o.ask(t, p.req); turnedAway(answers[i]); answers[i] = o.ask(t, p.req) {
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	close(start)
	all.Wait()
	for _, a := range answers {
		if a.status >= 300 || string(a.body) != string(answers[0].body) {
			t.Errorf("one of fifty is answered %d %s, another %d %s", a.status, a.body, answers[0].status, answers[0].body)
			return p
		}
		if !replayedAnswer(a) {
			made.Add(1)
		}
	}
	if made.Load() != 1 {
		t.Errorf("%d of fifty did it, want 1", made.Load())
	}
	o.happened(t, "raced by fifty", p, 1)
	return p
}

// turnedAway says whether a caller is told to come again.
func turnedAway(a answer) bool {
	return a.Code == "idempotency.in_progress" || a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests
}

// forgets lets the answers grow old: for 30 days they are kept, then their keys
// are free, and the request is judged anew.
func (o *onceRig) forgets(t *testing.T, done map[string]posting) {
	t.Helper()
	o.sql(t, `set session_replication_role = replica`)
	now := o.now(t)
	age := func(days int) {
		o.sql(t, `update platform.answer set at = $1`, now.AddDate(0, 0, -days))
		if _, err := rest.ForgetAnswers(t.Context(), o.house.store, now.Add(-keepAnswers)); err != nil {
			t.Fatal(err)
		}
	}
	age(29)
	for name, p := range done {
		o.again(t, name+" after 29 days", p)
	}
	age(31)
	for name, p := range done {
		if a := o.ask(t, p.req); replayedAnswer(a) || a.status >= 500 {
			t.Errorf("%s after 31 days: answered %d %s, want it judged anew", name, a.status, a.body)
		}
	}
}

const (
	ofRequests   = `select count(*) from charges.wallet_request where charge = $1`
	ofExpired    = `select count(*) from charges.charge where id = $1 and state = 'expired'`
	ofPosts      = `select count(*) from ledger.transfer where key = $1`
	ofFees       = `select count(*) from platform.audit where action = $1`
	ofTrail      = `select count(*) from platform.audit where action || ' ' || subject = $1`
	ofBasket     = `select count(*) from orders.order_group where basket = $1`
	ofReleases   = `select count(*) from escrow.release where order_id = $1`
	ofPayouts    = `select count(*) from payouts.payout where seller = $1`
	ofTheirs     = `select count(*) from charges.remittance where theirs = $1`
	ofFiles      = `select count(*) from recon.statement where statement_id = $1`
	ofAsked      = `select count(*) from approvals.request where why like '%' || $1 || '%'`
	ofWays       = `select count(*) from delivery.way where names ->> 'fr' = $1`
	ofPromotions = `select count(*) from promotions.promotion where names ->> 'fr' = $1`
	ofGroupBuys  = `select count(*) from groupbuys.group_buy where variant = $1`
	ofPools      = `select count(*) from pools.pool where names ->> 'fr' = $1`
	ofPledges    = `select count(*) from pools.pledge where pool = $1`
	ofLines      = `select count(*) from orders.basket_line where variant = $1`
	ofPoints     = `select count(*) from loyalty.move where note = $1`
	ofBurns      = `select count(*) from loyalty.voucher where person = $1`
	ofEarning    = `select count(*) from loyalty.rule where seller = $1`
	ofTariffs    = `select count(*) from orders.tariff where payee = $1`
	ofRules      = `select count(*) from orders.payment_rule where seller = $1`
	ofMoves      = `select count(*) from treasury.move where kind = $1`
)

// at is the same request to another address, or with another body.
func (p posting) at(path string, body any) *req {
	r := p.req
	r.path, r.body = path, body
	return &r
}

// trail is the row of the audit trail that a posting leaves.
func trail(action, subject string) (effect, of string) { return ofTrail, action + " " + subject }

// mark is a text nobody else wrote.
func mark(what string) string { return fmt.Sprintf("%s %s", what, strings.ToLower(once()[:10])) }
