package payouts_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/payments/ledger"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// An earner is a seller of a world, as it stands when its time comes.
type earner struct {
	settled, unsettled []int64
	schedule           payouts.Schedule
	minimum            int64
	account            string // "", "none", "unverified", "cooling", "refused"
	owes, kept, asked  int64  // kept back for a chargeback; asked for by hand today
	held               bool   // a sale of its waits for a person
	blocked            bool
}

// caps are the limits of a world.
type caps struct{ two, member, total, rule int64 }

func drawEarners(t *rapid.T) (all []earner, c caps) {
	amounts := rapid.SliceOfN(rapid.SampledFrom([]int64{100, 2500, 40_00, 300_00}), 1, 4)
	pick := func(label string, of ...int64) *rapid.Generator[int64] { return rapid.SampledFrom(of) }
	all = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) earner {
		return earner{
			settled: amounts.Draw(t, "settled"), unsettled: amounts.Draw(t, "unsettled"),
			schedule: rapid.SampledFrom([]payouts.Schedule{payouts.Daily, payouts.Daily, payouts.Daily, payouts.Weekly, payouts.Monthly, payouts.Manual}).Draw(t, "schedule"),
			minimum:  pick("minimum", 0, 0, 50_00).Draw(t, "minimum"),
			account:  rapid.SampledFrom([]string{"", "", "", "", "", "", "", "", "none", "unverified", "cooling", "refused"}).Draw(t, "account"),
			owes:     pick("owes", 0, 0, 0, 0, 0, 0, 50_00, 200_00).Draw(t, "owes"), kept: pick("kept", 0, 0, 0, 30_00).Draw(t, "kept"),
			asked: pick("asked", 0, 0, 0, 20_00).Draw(t, "asked"),
			held:  rapid.IntRange(0, 7).Draw(t, "held") == 0, blocked: rapid.IntRange(0, 3).Draw(t, "blocked") == 0,
		}
	}), 4, 9).Draw(t, "earners")
	return all, caps{
		pick("two", 10_000_00, 10_000_00, 250_00).Draw(t, "two"), pick("member", 1000_00, 1000_00, 320_00).Draw(t, "member"),
		pick("total", 10_000_00, 10_000_00, 1000_00).Draw(t, "total"), pick("rule", 10_000_00, 10_000_00, 600_00).Draw(t, "rule"),
	}
}

func (c caps) sensible() caps { c.total = max(c.total, c.member); return c }

// morning moves the clock to eight in the morning of the day after next.
func (h *hub) morning() {
	h.t.Helper()
	h.do(h.t.Context(), func(tx *pg.Tx) error {
		now := tx.Now().UTC()
		_, err := clock.Advance(h.t.Context(), tx, time.Date(now.Year(), now.Month(), now.Day()+2, 8, 0, 0, 0, time.UTC).Sub(now))
		return err
	})
}

// ready makes a world whose sellers' time has come, one second after the other,
// those named first before the others.
func (h *hub) ready(all []earner, c caps, name string, blocked map[string]bool, first ...string) (sellers []string) {
	h.t.Helper()
	ctx := h.t.Context()
	_, err := h.db.Exec(ctx, `delete from platform.timer where kind like 'payouts.%'`) // what other worlds left
	if err != nil {
		h.t.Fatal(err)
	}
	h.morning()
	h.limits(c.two, c.member, c.total)
	if _, err := h.db.Exec(ctx, `delete from limits.rule where id = 'test'`); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.db.Exec(ctx, `insert into limits.rule (id, what, per, method, window_s, max_amount, max_count, action, about)
		values ('test', 'payout', 'all', '', 3600, $1, null, 'hold', 'A test.')`, c.rule); err != nil {
		h.t.Fatal(err)
	}
	now, err := pg.Value[time.Time](ctx, h.db, nil, `select platform.now()`)
	if err != nil {
		h.t.Fatal(err)
	}
	for i, e := range all {
		s := fmt.Sprintf("org_%s%d", name, i)
		sellers = append(sellers, s)
		blocked[s] = e.blocked
		a := payouts.Account{RIB: "011519000001205000534921", Holder: "Coopérative exemple", Verified: e.account != "unverified"}
		if e.account == "cooling" {
			a.Since = now.Add(-time.Hour)
		}
		if h.accounts[s] = a; e.account == "none" {
			delete(h.accounts, s)
		}
		h.give(s, e)
	}
	h.until(h.idle) // drafts are looked at again when money is settled
	for i, e := range all {
		h.fill(sellers[i], e)
	}
	h.do(ctx, func(tx *pg.Tx) error {
		for i, s := range sellers {
			if all[i].schedule != payouts.Manual {
				at := now.Add(time.Duration(i-100) * time.Second)
				if slices.Contains(first, s) {
					at = at.Add(-time.Minute)
				}
				job.Set(tx, "payouts.due", "seller:"+s, at)
			}
		}
		return nil
	})
	return sellers
}

// give gives a seller what it has earned.
func (h *hub) give(s string, e earner) {
	h.t.Helper()
	ctx := h.t.Context()
	minimum := money.Dirhams(e.minimum)
	h.set(auth.Principal{Subject: s, Role: auth.Seller}, payouts.SetSettingInput{Schedule: e.schedule, Minimum: &minimum})
	for _, n := range e.settled {
		charge := h.earnOf(s, n, true)
		if e.held {
			h.do(ctx, func(tx *pg.Tx) error {
				_, err := tx.Exec(ctx, `with d as (insert into limits.decision (id, what, ref, outcome, rules, figures, amount, at, open)
					values ('dec_' || $1::text, 'sale', $1, 'hold', '{}', '[]', 1, platform.now(), true) returning id)
					insert into limits.held (order_id, decision) select r.order_id, d.id from escrow.release r, d where r.charge = $1`, charge)
				return err
			})
		}
	}
	for _, n := range e.unsettled {
		h.earnOf(s, n, false)
	}
}

// fill brings a seller to where it stands.
func (h *hub) fill(s string, e earner) {
	h.t.Helper()
	ctx := h.t.Context()
	who := auth.Principal{Subject: s, Role: auth.Seller}
	if e.asked > 0 {
		_ = h.as(who, func(tx *pg.Tx) error { // may be more than there is
			m := money.Dirhams(e.asked)
			_, err := h.payouts.Create(auth.With(ctx, who), tx, payouts.CreateInput{Amount: &m})
			return err
		})
	}
	h.do(ctx, func(tx *pg.Tx) error {
		if e.kept > 0 {
			if _, err := h.books.HoldUpTo(ctx, tx, ledger.Hold{ID: "kept " + s, Account: ledger.Available(s), Currency: money.MAD, Amount: e.kept, Why: "test"}); err != nil {
				return err
			}
		}
		if e.account == "refused" {
			if _, err := tx.Exec(ctx, `insert into payouts.payout (id, seller, bank, ref, currency, amount, rib, holder, state, needs_two, created_by, created_at, changed_at)
				select 'pyt_' || $1::text, $1, 'bank', $2, 'MAD', 1, rib, 'x', 'returned', false, 'test', platform.now(), platform.now()
				from (values ('011519000001205000534921')) x (rib)`, s, id.New("x")); err != nil {
				return err
			}
		}
		if e.owes == 0 {
			return nil
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "debt " + s, Kind: "test", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Receivable(s), e.owes), ledger.Credit(ledger.Loss, e.owes),
		}})
	})
}

// trace is all that a world left behind.
func (h *hub) trace(sellers []string) (out []string) {
	h.t.Helper()
	for _, what := range []string{
		`select format('payout to %s of %s: %s %s %s two %s by %s, day %s, covers %s', seller, amount, replace(state, 'sent', 'approved'),
			(select string_agg(w ->> 'code', ' ' order by w ->> 'code') from jsonb_array_elements(waits) w), why, needs_two, created_by, day is not null,
			(select string_agg(c.amount::text, ' ' order by c.amount) from payouts.cover c where c.payout = p.id))
			from payouts.payout p where seller = any($1)`,
		`select format('release to %s of %s: covered %s', seller, amount, covered) from escrow.release where seller = any($1)`,
		`select format('timer %s of %s', t.kind, coalesce(p.seller, t.subject)) from platform.timer t left join payouts.payout p on p.id = t.subject
			where t.kind like 'payouts.%' and coalesce('seller:' || p.seller, t.subject) in (select 'seller:' || s from unnest($1::text[]) s)`,
		`select format('next of %s: %s', subject, date_trunc('minute', due)) from platform.timer where kind = 'payouts.due' and subject in (select 'seller:' || s from unnest($1::text[]) s)`,
		`select format('operation for %s: %s %s', p.seller, o.amount, o.connector) from operations.operation o join payouts.payout p on p.id = o.subject where p.seller = any($1)`,
		`select format('event of %s: %s %s', p.seller, e.type, e.payload ->> 'amount') from platform.event e join payouts.payout p on p.id = e.payload ->> 'payout'
			where p.seller = any($1) and e.payload ->> 'state' <> 'sent'`,
		`select format('decision on %s: %s %s %s open %s', seller, outcome, rules, amount, open) from limits.decision where seller = any($1)`,
		`select format('tally of %s: %s %s', key, sum(count), sum(amount)) from limits.tally where what = 'payout' and key = any($1) group by key`,
		`select format('%s has %s', regexp_replace(a.code, 'payout:.*', 'payout'), sum(b.dr - b.cr)) from ledger.account a join ledger.balance b on b.account_id = a.id
			where split_part(a.code, ':', 2) = any($1) or split_part(a.code, ':', 2) in (select id from payouts.payout where seller = any($1)) group by a.code`,
	} {
		rows, err := pg.Column[string](h.t.Context(), h.db, what, sellers)
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, rows...)
	}
	slices.Sort(out)
	return out
}

// stops has payouts of some sellers stop.
func (h *hub) stops(blocked map[string]bool) {
	h.payouts.Check(func(_ context.Context, _ *pg.Tx, all []payouts.Payout) (map[string][]payouts.Wait, error) {
		waits := map[string][]payouts.Wait{}
		for _, p := range all {
			if blocked[p.Seller] {
				waits[p.ID] = []payouts.Wait{{Code: "blocked", Text: "by the test"}}
			}
		}
		return waits, nil
	})
}

// Beneficiaries whose time has come are paid all at once as they are one by one:
// the same payouts with the same waits, entries, operations, events and counts
// are left behind. At once, those come first whom nothing holds.
func TestScheduledPayoutsAreSweptAsOneByOne(t *testing.T) {
	t.Parallel()
	swept, single := newHub(t), newHub(t)
	single.timers = single.timers.Alone()
	blocked := map[string]bool{}
	swept.stops(blocked)
	single.stops(blocked)
	walks, most, broke := 0, 15, false
	if os.Getenv("HUB_LONG") != "" {
		most = 1_000_000
	}
	rapid.Check(t, func(rt *rapid.T) {
		if walks++; walks > most && !broke {
			return
		}
		defer func() { broke = broke || rt.Failed() }()
		all, c := drawEarners(rt)
		name := strings.ToLower(id.New("w")[20:])
		sellers := swept.ready(all, c.sensible(), name, blocked)
		swept.fire()
		// Those of the bulk went before the others were looked at, each by itself.
		first, err := pg.Column[string](t.Context(), swept.db, `with made as (select * from payouts.payout where seller = any($1) and created_by like '%hub')
			select seller from made where state <> 'draft' and created_at < coalesce((select min(created_at) from made where state = 'draft'), 'infinity')`, sellers)
		if err != nil {
			rt.Fatal(err)
		}
		single.ready(all, c.sensible(), name, blocked, first...)
		single.fire()
		if d := cmp.Diff(single.trace(sellers), swept.trace(sellers)); d != "" {
			rt.Fatalf("one by one (-), swept (+):\n%s", d)
		}
	})
}

// many are n sellers whose time has come, with 25.00 each.
func (h *hub) many(n int) (sellers []string) {
	h.t.Helper()
	all := make([]earner, n)
	for i := range all {
		all[i] = earner{settled: []int64{2500}, schedule: payouts.Daily}
	}
	return h.ready(all, caps{10_000_00, 10_000_00, 100_000_00, 100_000_00}, "many", map[string]bool{})
}

// paidOnce checks that so many of these sellers have one payout of 25.00 each.
func (h *hub) paidOnce(sellers []string, want int) {
	h.t.Helper()
	n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*) from payouts.payout p where seller = any($1) and amount = 2500 and state not in ('draft', 'rejected')
		and exists (select from operations.operation o where o.subject = p.id)`, sellers)
	if err != nil || n != want {
		h.t.Errorf("%d payouts (%v), want %d", n, err, want)
	}
	left, err := pg.Value[int64](h.t.Context(), h.db, nil, `select sum(amount - covered)::bigint from escrow.release where seller = any($1)`, sellers)
	if err != nil || left != int64(2500*(len(sellers)-want)) {
		h.t.Errorf("%d of the releases are left (%v)", left, err)
	}
	counted, err := pg.Value[int64](h.t.Context(), h.db, nil, `select coalesce(sum(count), 0)::bigint from limits.tally where what = 'payout' and key = any($1)`, sellers)
	if err != nil || counted != int64(want) {
		h.t.Errorf("%d payouts are counted (%v), want %d", counted, err, want)
	}
}

func TestASweepOfPayoutsIsOneCommit(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	sellers := h.many(20)
	h.fire()
	h.paidOnce(sellers, 20)
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(distinct xid) from ledger.transfer where kind = 'payout.intent'`)
	if err != nil || n != 1 {
		t.Errorf("20 payouts in %d commits (%v)", n, err)
	}
}

func TestHubsThatSweepPayoutsAtOncePayEachOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	sellers := h.many(30)
	var all sync.WaitGroup
	for range 4 {
		all.Go(h.fire)
	}
	all.Wait()
	h.paidOnce(sellers, 30)
}

// A payout that cannot be made stays alone, and is made when it can.
func TestAPayoutThatCannotBeMadeStaysAlone(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	h, trap := newHubAt(t, url), pgtest.NewTrap(t, url, "payouts.payout")
	sellers := h.many(6)
	trap.SQL(`alter table payouts.payout add constraint broken check (seller <> '` + sellers[2] + `')`)
	h.fire()
	h.paidOnce(sellers, 5)
	trap.SQL(`alter table payouts.payout drop constraint broken`)
	h.advance(time.Hour)
	h.paidOnce(sellers, 6)
}

// A session that ends while a sweep commits has paid nobody, and all are paid
// afterwards, once.
func TestASweepOfPayoutsThatDiesInItsCommit(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	h, trap := newHubAt(t, url), pgtest.NewTrap(t, url, "payouts.payout")
	sellers := h.many(8)
	trap.Arm()
	h.fire()
	if !trap.Sprung() {
		t.Error("no session ended")
	}
	h.advance(2 * time.Minute)
	h.paidOnce(sellers, 8)
}

// What is asked for by hand while a sweep looks is not paid by both.
func TestASweepPassesOverWhoIsAskingByHand(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	sellers := h.many(3)
	who := auth.Principal{Subject: sellers[1], Role: auth.Seller}
	swept := make(chan struct{})
	err := h.as(who, func(tx *pg.Tx) error {
		if _, err := h.payouts.Create(auth.With(t.Context(), who), tx, payouts.CreateInput{}); err != nil {
			return err
		}
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		go func() {
			defer close(swept)
			h.fire()
		}()
		time.Sleep(200 * time.Millisecond) // the day's turn is ours: they wait for it
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	<-swept
	h.advance(2 * time.Minute)
	h.paidOnce(sellers, 3)
}
