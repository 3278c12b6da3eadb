package treasury_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/payments/treasury"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

func TestWhatMovesIsNeverMoreThanThereIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := func(name string) int64 { return rapid.Int64Range(0, 1000).Draw(t, name) }
		surplus, sweeping, safeguard, leaving := n("surplus"), n("sweeping"), n("safeguard"), n("leaving")
		w := treasury.SweepOf(surplus, sweeping, safeguard, leaving)
		if w < 0 || w > 0 && (w+sweeping > surplus || w+leaving > safeguard) {
			t.Fatalf("of a surplus of %d with %d under way, %d there and %d leaving, %d is swept", surplus, sweeping, safeguard, leaving, w)
		}
		transit, asked := n("transit"), n("asked")
		if u := treasury.TopUpOf(transit, asked); u < 0 || u+asked < transit {
			t.Fatalf("of %d in transit with %d asked for, %d is brought", transit, asked, u)
		}
	})
}

func TestATopUpComesInWhenTheStatementShowsIt(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.post("capital", "capital", ledger.Debit("bank:bank:operating", 5000), ledger.Credit("capital", 5000))
	if _, err := h.move(h.treasury.MakeTopUp); !errors.Is(err, treasury.ErrNothing) {
		t.Errorf("with nothing on its way: %v, want ErrNothing", err)
	}
	h.trade("1")
	v := h.mustMove(h.treasury.MakeTopUp)
	if v.Amount.Centimes() != 200 || v.State != treasury.Open {
		t.Fatalf("top-up = %+v, want 2.00", v)
	}
	h.trade("2")
	if _, err := h.move(h.treasury.MakeTopUp); !errors.Is(err, treasury.ErrOpen) {
		t.Errorf("a second on one day: %v, want ErrOpen", err)
	}
	h.advance(3 * time.Second)
	h.becomes(v.Ref, operations.Accepted)
	b := paperbank.Batch(h.bank.Files()[0])
	if b.From.RIB != operating || b.Transfers[0].To.RIB != safeguard || b.Transfers[0].Amount.Centimes() != 200 {
		t.Errorf("batch = %+v, want 2.00 from our account to the clients'", b)
	}
	h.has("bank:bank:transit", 400)
	h.hear(v.Ref, operations.Statement, outbound.Succeeded)
	h.has("bank:bank:transit", 200)
	h.has("bank:bank:safeguard", 2*9800+200)
	h.advance(24 * time.Hour)
	if v = h.mustMove(h.treasury.MakeTopUp); v.Amount.Centimes() != 200 {
		t.Errorf("the next day brings %s, want 2.00", v.Amount)
	}
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		o, err := h.engine.Find(ctx, tx, "bank", v.Ref)
		if err == nil {
			_, err = h.engine.Heard(ctx, tx, o.ID, operations.Callback, outbound.Result{Outcome: outbound.Declined, Code: "AM04"}, "")
		}
		return err
	})
	again := h.mustMove(h.treasury.MakeTopUp) // a refused one may be made again on its day
	h.hear(v.Ref, operations.Statement, outbound.Succeeded)
	h.has("bank:bank:transit", 0) // the first was done all the same
	if again.Amount.Centimes() != 200 {
		t.Errorf("again = %+v", again)
	}
}

func TestASweepTakesWhatIsOursAndNoMore(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.post("capital", "capital", ledger.Debit("bank:bank:operating", 5000), ledger.Credit("capital", 5000))
	if _, err := h.move(h.treasury.MakeSweep); !errors.Is(err, treasury.ErrNothing) {
		t.Errorf("with nothing of ours there: %v, want ErrNothing", err)
	}
	h.trade("1")
	var all sync.WaitGroup
	var made atomic.Int32
	for range 20 {
		all.Go(func() {
			_, err := h.move(h.treasury.MakeSweep)
			switch {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, treasury.ErrOpen):
				t.Error(err)
			}
		})
	}
	all.Wait()
	moves := h.moves("sweep")
	if made.Load() != 1 || len(moves) != 1 || moves[0].Amount.Centimes() != 1000 {
		t.Fatalf("%d made: %+v; want one of 10.00", made.Load(), moves)
	}
	ref := moves[0].Ref
	h.advance(3 * time.Second)
	h.becomes(ref, operations.Accepted)
	b := paperbank.Batch(h.bank.Files()[0])
	if b.From.RIB != safeguard || b.Transfers[0].To.RIB != operating {
		t.Errorf("batch = %+v, want from the clients' account to ours", b)
	}
	h.has("bank:bank:safeguard", 9800)
	h.hear(ref, operations.Statement, outbound.Succeeded)
	h.has("bank:bank:safeguard", 8800)
	h.has("bank:bank:operating", 5000-200+1000)
	if _, err := h.move(h.treasury.MakeSweep); !errors.Is(err, treasury.ErrNothing) {
		t.Errorf("when all of ours is out: %v, want ErrNothing", err)
	}
	h.do(func(ctx context.Context, tx *pg.Tx) error {
		o, err := h.engine.Find(ctx, tx, "bank", ref)
		if err == nil {
			_, err = h.engine.CameBack(ctx, tx, o, "AC04", "back")
		}
		return err
	})
	h.has("bank:bank:safeguard", 9800)
	if got := h.mustMove(h.treasury.MakeSweep); got.Amount.Centimes() != 1000 {
		t.Errorf("after it came back %s is swept, want 10.00", got.Amount)
	}
}

func TestASweepLeavesWhatPaymentsUnderWayNeed(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.trade("1")
	h.post("fund 2", "escrow.fund", ledger.Debit("psp:acq:clearing", 20000), ledger.Credit("escrow:2", 20000)) // not settled
	h.post("release 2", "escrow.release", ledger.Debit("escrow:2", 20000), ledger.Credit("seller:s:available", 12000), ledger.Credit("fees", 8000))
	h.post("payout", "payout.intent", ledger.Debit("seller:s:available", 9000), ledger.Credit("payout:1", 9000))
	if v := h.mustMove(h.treasury.MakeSweep); v.Amount.Centimes() != 800 {
		t.Errorf("of 90.00 that are ours, with 98.00 there and 90.00 leaving, %s is swept; want 8.00", v.Amount)
	}
}

func TestEachDayHasItsMovements(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.post("capital", "capital", ledger.Debit("bank:bank:operating", 5000), ledger.Credit("capital", 5000))
	h.ok(h.treasury.Arm(t.Context()))
	h.ok(h.treasury.Arm(t.Context())) // a second hub
	h.trade("1")
	h.advance(25 * time.Hour)
	for _, m := range h.moves("") {
		h.becomes(m.Ref, operations.Accepted)
		h.hear(m.Ref, operations.Statement, outbound.Succeeded)
	}
	h.trade("2")
	h.advance(24 * time.Hour)
	if ups, sweeps := h.moves("top_up"), h.moves("sweep"); len(ups) != 2 || len(sweeps) != 2 || sweeps[0].By != "system hub" {
		t.Errorf("top-ups %+v, sweeps %+v; want two of each, by the hub", ups, sweeps)
	}
}
