package escrow_test

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

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// A told is one sale of a world: what becomes of it before its reserve is due.
type told struct {
	seller  int
	back    int64 // goes back after the release
	contest int64 // a chargeback of so much
	frozen  bool  // a dispute
	late    bool  // released so late that its reserve is not due
}

// spent is what sellers have done with their money by the end.
type spent struct {
	out  int64 // paid out
	owes int64
}

func drawWorld(t *rapid.T) (sales []told, sellers []spent) {
	sellers = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) spent {
		return spent{rapid.SampledFrom([]int64{0, 4000, 12_000}).Draw(t, "out"), rapid.SampledFrom([]int64{0, 0, 700, 100_000}).Draw(t, "owes")}
	}), 1, 2).Draw(t, "sellers")
	sales = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) told {
		return told{
			seller: rapid.IntRange(0, len(sellers)-1).Draw(t, "seller"), back: rapid.SampledFrom([]int64{0, 0, 0, 300, 6000}).Draw(t, "back"),
			contest: rapid.SampledFrom([]int64{0, 0, 0, 7500}).Draw(t, "contest"), frozen: rapid.IntRange(0, 5).Draw(t, "frozen") == 0,
			late: rapid.IntRange(0, 3).Draw(t, "late") == 0,
		}
	}), 3, 8).Draw(t, "sales")
	return sales, sellers
}

// lot makes the world of a name, and lets its reserves become due. It returns the
// orders.
func (h hub) lots(name string, sales []told, sellers []spent) (orders []string) {
	seller := func(n int) string { return fmt.Sprint("org_", name, n) }
	pass := func(d time.Duration) {
		h.must(func(ctx context.Context, tx *pg.Tx) error { _, err := clock.Advance(ctx, tx, d); return err })
	}
	letGo := func(late bool) {
		for i, s := range sales {
			if s.late == late {
				h.release(orders[i])
				pass(time.Minute)
			}
		}
	}
	for i, s := range sales {
		charge := fmt.Sprint("chg_", name, i)
		orders = append(orders, h.sale(seller(s.seller), charge, "k"))
		h.fund(charge)
	}
	letGo(false)
	pass(20 * 24 * time.Hour)
	letGo(true)
	for n, s := range sellers {
		h.must(func(ctx context.Context, tx *pg.Tx) error {
			free, err := h.books.Free(ctx, tx, money.MAD, ledger.Available(seller(n)))
			out := min(s.out, free[ledger.Available(seller(n))])
			if err != nil {
				return err
			}
			covers, err := h.escrow.Cover(ctx, tx, seller(n), money.MAD, out)
			if err != nil {
				return err
			}
			var sum int64
			for _, c := range covers {
				sum += c.Amount
			}
			if sum == 0 {
				return nil
			}
			return h.books.Post(ctx, tx, ledger.Transfer{Key: "out " + seller(n), Kind: "payout.intent", Currency: money.MAD, Legs: []ledger.Leg{
				ledger.Debit(ledger.Available(seller(n)), sum), ledger.Credit(ledger.Payout(seller(n)), sum),
			}})
		})
	}
	for i, s := range sales {
		if s.back > 0 {
			if _, err := h.back(escrow.Back{Refund: fmt.Sprint("ref_", name, i), Order: orders[i], Amount: s.back}); err != nil {
				h.t.Fatal(err)
			}
		}
		if s.contest > 0 {
			h.must(func(ctx context.Context, tx *pg.Tx) error {
				return h.escrow.Contest(ctx, tx, escrow.Contest{Case: fmt.Sprint("cbk_", name, i), Charge: fmt.Sprint("chg_", name, i), Acquirer: "p", Amount: s.contest, Fee: 200})
			})
		}
		if s.frozen {
			h.freeze(orders[i], fmt.Sprint("dsp_", name, i))
		}
	}
	for n, s := range sellers {
		if s.owes > 0 {
			h.must(func(ctx context.Context, tx *pg.Tx) error {
				return h.books.Post(ctx, tx, ledger.Transfer{Key: "debt " + seller(n), Kind: "test", Currency: money.MAD, Legs: []ledger.Leg{
					ledger.Debit(ledger.Receivable(seller(n)), s.owes), ledger.Credit(ledger.Loss, s.owes),
				}})
			})
		}
	}
	pass(11 * 24 * time.Hour)
	return orders
}

// trace is all that a world left behind, with names in place of ids.
func (h hub) trace(name string, orders []string) (out []string) {
	h.t.Helper()
	var names []string
	for i, o := range orders {
		names = append(names, o, fmt.Sprint("order ", i))
	}
	r := strings.NewReplacer(names...)
	for _, what := range []string{
		`select t.kind || ' ' || t.order_id || ': ' || string_agg(a.code || ' ' || e.amount, ', ' order by a.code, e.amount)
			from ledger.transfer t join ledger.entry e on e.transfer_id = t.id join ledger.account a on a.id = e.account_id
			where t.order_id = any($1) group by t.id`,
		`select format('lot of %s: %s used %s %s', order_id, amount, used, done) from escrow.lot where order_id = any($1)`,
		`select format('release of %s: %s covered %s taken %s settled %s', order_id, amount, covered, taken, settled) from escrow.release where order_id = any($1)`,
		`select format('stake in %s: kept %s of %s, %s uncovered', order_id, kept, amount, uncovered) from escrow.contested where order_id = any($1)`,
		`select format('hold %s %s %s %s', order_id, state, flying, gone) from escrow.hold where order_id = any($1)`,
		`select format('timer %s of %s', t.kind, coalesce(l.order_id, t.subject)) from platform.timer t left join escrow.lot l on l.id = t.subject
			where coalesce(l.order_id, t.subject) = any($1)`,
	} {
		rows, err := pg.Column[string](h.t.Context(), h.db, what, orders)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, row := range rows {
			out = append(out, r.Replace(row))
		}
	}
	slices.Sort(out)
	return out
}

// Reserves that are due go all at once as they go one by one: the same entries,
// lots and timers are left behind, whatever has happened to the orders.
func TestDueReservesAreSweptAsOneByOne(t *testing.T) {
	t.Parallel()
	swept, single := newHub(t), newHub(t)
	single.timers = single.timers.Alone()
	walks, most, broke := 0, 25, false
	if os.Getenv("HUB_LONG") != "" {
		most = 1_000_000
	}
	rapid.Check(t, func(rt *rapid.T) {
		if walks++; walks > most && !broke {
			return
		}
		defer func() { broke = broke || rt.Failed() }()
		sales, sellers := drawWorld(rt)
		name := strings.ToLower(id.New("w")[20:])
		var left [2][]string
		for i, h := range []hub{swept, single} {
			orders := h.lots(name, sales, sellers)
			if _, err := h.timers.Due(t.Context()); err != nil {
				rt.Fatal(err)
			}
			if err := soundness(h); err != nil {
				rt.Fatal(err)
			}
			left[i] = h.trace(name, orders)
		}
		if d := cmp.Diff(left[1], left[0]); d != "" {
			rt.Fatalf("one by one (-), swept (+):\n%s", d)
		}
	})
}

// due makes n orders of one seller whose reserves are due, and returns the lots.
func (h hub) due(n int) (lots []string) {
	h.t.Helper()
	sales := make([]told, n)
	orders := h.lots("s", sales, []spent{{}})
	h.must(func(ctx context.Context, tx *pg.Tx) error { _, err := clock.Advance(ctx, tx, 24*time.Hour); return err })
	lots, err := pg.Column[string](h.t.Context(), h.db, `select id from escrow.lot where order_id = any($1) order by id`, orders)
	if err != nil || len(lots) != n {
		h.t.Fatalf("%d lots, %v", len(lots), err)
	}
	return lots
}

// fire fires what is due, on several hubs at once.
func (h hub) fire(hubs int) {
	h.t.Helper()
	var all sync.WaitGroup
	for range hubs {
		all.Go(func() {
			if _, err := h.timers.Due(h.t.Context()); err != nil {
				h.t.Error(err)
			}
		})
	}
	all.Wait()
}

// freed checks how many reserves of 5.40 have gone, each once.
func (h hub) freed(of, want int) {
	h.t.Helper()
	h.has("seller:org_s0:reserve", int64(540*(of-want)))
	h.has("seller:org_s0:available", int64(4860*of+540*want))
	n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*) from ledger.transfer where kind = 'reserve.release'`)
	if err != nil || n != want {
		h.t.Errorf("%d reserves went (%v), want %d", n, err, want)
	}
	if err := soundness(h); err != nil {
		h.t.Error(err)
	}
}

func TestHubsThatSweepReservesAtOnceFreeEachOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.due(40)
	h.fire(4)
	h.freed(40, 40)
}

func TestASweepOfReservesIsOneCommit(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.due(12)
	h.fire(1)
	h.freed(12, 12)
	n, err := pg.Value[int](t.Context(), h.db, nil, `select count(distinct xid) from ledger.transfer where kind = 'reserve.release'`)
	if err != nil || n != 1 {
		t.Errorf("12 reserves in %d commits (%v)", n, err)
	}
}

// A lot that cannot go stays alone, and goes when it can.
func TestAReserveThatCannotGoStaysAlone(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	h, trap := newHubAt(t, url), pgtest.NewTrap(t, url, "escrow.lot")
	lots := h.due(7)
	trap.SQL(`alter table escrow.lot add constraint broken check (not done or id <> '` + lots[3] + `')`)
	h.fire(1)
	h.freed(7, 6)
	trap.SQL(`alter table escrow.lot drop constraint broken`)
	h.advance(time.Hour)
	h.freed(7, 7)
}

// A session that ends while a sweep commits has freed nothing, and all of it goes
// afterwards, once.
func TestASweepOfReservesThatDiesInItsCommit(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	h, trap := newHubAt(t, url), pgtest.NewTrap(t, url, "escrow.lot")
	h.due(9)
	trap.Arm()
	h.fire(2)
	if !trap.Sprung() {
		t.Error("no session ended")
	}
	h.advance(2 * time.Minute) // should a lease have been lost with it
	h.freed(9, 9)
}
