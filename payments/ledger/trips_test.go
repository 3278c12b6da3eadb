package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// trips counts round trips: a batch is one, a query outside is one.
type trips struct{ n atomic.Int32 }

func (c *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (c *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (c *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

func TestAPostIsOneRoundTripWhateverItsLegs(t *testing.T) {
	t.Parallel()
	c := &trips{}
	db := pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 1, Tracer: c})
	b := books{ledger.New(db), db, t}
	for n := range 5 {
		legs := []ledger.Leg{ledger.Debit("psp:p:clearing", int64(1+n))}
		for i := range 1 + n {
			legs = append(legs, ledger.Credit(fmt.Sprintf("escrow:%d", i), 1))
		}
		b.must(fmt.Sprint("warm", n), legs...) // what it prepares, it prepares once
		before := c.n.Load()
		b.must(fmt.Sprint("k", n), legs...)
		if got := c.n.Load() - before; got != 1 {
			t.Errorf("a unit of work that posts %d legs takes %d round trips, want 1", len(legs), got)
		}
	}
}

// The lane itself finds out what became of a commit whose answer was lost: nobody
// has to ask again.
func TestTheLaneLooksUpWhatACommitLeftOpen(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db, trap := pgtest.Open(t, url, pg.Options{MaxConns: 8}), pgtest.NewTrap(t, url, "ledger.transfer")
	b := books{ledger.New(db), db, t}
	l := b.lane(ledger.LaneOptions{Batchers: 1})
	want := 0
	for _, n := range []int{1, 8} { // by the single path, and as a batch
		trap.Arm()
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				if err := l.Post(t.Context(), move(fmt.Sprintf("k%d-%d", n, i), "psp:p:clearing", "escrow:A", 1)); err != nil {
					t.Errorf("one of %d posts was told %v", n, err)
				}
			})
		}
		all.Wait()
		if want += n; !trap.Sprung() {
			t.Errorf("no commit of %d posts was lost", n)
		}
	}
	b.has("escrow:A", int64(want))
	if got := tally(t, db, `select count(*) from ledger.transfer`); got != want {
		t.Errorf("%d transfers, want %d", got, want)
	}
	b.sound()
}

// In a list what is refused for the day's limit stands in nobody else's way.
func TestWhatIsTooMuchForADayHoldsUpNothingBehindIt(t *testing.T) {
	t.Parallel()
	b := open(t)
	l, as := people(b)
	one := ledger.PostInput{Reference: "z", Note: "x", Legs: handed("z", "psp_cost", "fees", 1_00).Legs}
	if _, err := l.Take(as("per_1"), rest.KeepFor(auth.From(as("per_1")), "z", []byte{1}, 201), one); err != nil {
		t.Fatal(err)
	}
	in := ledger.PostInput{Transfers: []ledger.HandInput{
		handed("a", "psp_cost", "fees", 6_000_00), handed("b", "psp_cost", "fees", 6_000_00), handed("z", "psp_cost", "fees", 2_00),
		handed("c", "psp_cost", "fees", 3_000_00),
	}}
	k := rest.KeepFor(auth.From(as("per_1")), "k", []byte{1}, 201)
	if _, err := l.Take(as("per_1"), k, in); err != nil {
		t.Fatal(err)
	}
	body, _ := k.Body()
	var out ledger.PostOutput
	if err := json.Unmarshal(body, &out); err != nil || len(out.Data) != 4 {
		t.Fatalf("%s (%v)", body, err)
	}
	for i, want := range []string{"posted", "refused", "refused", "posted"} {
		if got := out.Data[i].State; got != want {
			t.Errorf("transfer %d of the list is %s (%s), want %s", i, got, out.Data[i].Code, want)
		}
	}
	if got := [2]string{out.Data[1].Code, out.Data[2].Code}; got != [2]string{ledger.ErrDay.Code, ledger.ErrReused.Code} {
		t.Errorf("refused for %q", got)
	}
	if got := tally(t, b.db, `select count(*) from ledger.transfer`); got != 3 {
		t.Errorf("%d transfers, want 3", got)
	}
}
