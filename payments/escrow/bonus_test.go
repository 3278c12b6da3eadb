package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

func goods(l escrow.Legs) int64 { return l.Seller + l.Reserve + l.Commission + l.VAT }

// worth is what of a bonus belongs to so much of the goods.
func worth(h escrow.Hold, of int64) int64 {
	if h.Bonus == 0 {
		return 0
	}
	n := new(big.Int).Mul(big.NewInt(h.Bonus), big.NewInt(of))
	return n.Div(n, big.NewInt(goods(h.Legs))).Int64()
}

// added says what is wrong with what the market has added.
func added(h escrow.Hold) error {
	switch {
	case h.BonusGiven != worth(h, goods(h.Gone)):
		return fmt.Errorf("%d was added of %d, want %d for what was released: %+v", h.BonusGiven, h.Bonus, worth(h, goods(h.Gone)), h)
	case h.BonusBack < 0 || h.BonusBack > h.BonusGiven:
		return fmt.Errorf("%d came back of %d", h.BonusBack, h.BonusGiven)
	case goods(h.Gone) == goods(h.Taken) && h.BonusBack != h.BonusGiven:
		return fmt.Errorf("nothing that was released stays, and %d of the market's does", h.BonusGiven-h.BonusBack)
	}
	return nil
}

// However a hold is released and goes back, the seller has of the bonus what its
// part of the goods is worth, within a centime; and all of it together with them.
func TestTheMarketAddsInProportion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := anyHold(t)
		if err := added(h); err != nil {
			t.Fatal(err)
		}
		has, comes := h.Bonuses()
		if want := worth(h, goods(h.Gone)-goods(h.Taken)); has < want-1 || has > want+1 {
			t.Fatalf("the seller has %d, want about %d: %+v", has, want, h)
		}
		if h.State != escrow.Funded {
			if comes != 0 {
				t.Fatalf("%d is to come of a hold that has ended", comes)
			}
			return
		}
		if h.Held() == 0 {
			return
		}
		last, _, err := h.Release(h.Held())
		if err != nil {
			t.Fatal(err)
		}
		if got := last.BonusGiven - h.BonusGiven; got != comes {
			t.Fatalf("%d was to come, %d did", comes, got)
		}
		if goods(last.Gone) == goods(last.Legs) && last.BonusGiven != last.Bonus {
			t.Fatalf("all was released, and %d of %d was added", last.BonusGiven, last.Bonus)
		}
		back, err := last.Cut(last.Claim(), true)
		if err != nil {
			return // nothing to claim
		}
		if last = last.Refund(back); last.BonusBack != last.BonusGiven {
			t.Fatalf("all of it went back, and %d of the market's did not", last.BonusGiven-last.BonusBack)
		}
	})
}

// Of what is collected in part, the market adds a part.
func TestCashInPartHasAPartOfTheBonus(t *testing.T) {
	t.Parallel()
	legs := escrow.Legs{Seller: 4860, Reserve: 540, Commission: 500, VAT: 100, Carrier: 1500}
	for _, c := range []struct{ cash, fee, want int64 }{{7500, 1500, 2000}, {3750, 1500, 1000}, {1500, 1500, 0}, {7499, 0, 1999}} {
		h := escrow.Hold{Amount: 7500, Legs: legs, Bonus: 2000, State: escrow.Awaiting, Currency: money.MAD, Carrier: "k"}
		h, err := h.Collect(c.cash, c.fee, time.Time{})
		if err != nil || h.Bonus != c.want || h.BonusGiven != 0 {
			t.Errorf("%d collected: a bonus of %d, %d given (%v), want %d and none", c.cash, h.Bonus, h.BonusGiven, err, c.want)
		}
	}
}

// helpedBy is a funded sale of 75.00 at 95.00: the market adds 20.00.
func (h hub) helpedBy(charge string) (order string) {
	order = h.helped("org_s", charge, "k", 2000)
	h.fund(charge)
	return order
}

func (h hub) balances(want map[string]int64) {
	h.t.Helper()
	for account, n := range want {
		h.has(account, n)
	}
	if err := soundness(h); err != nil {
		h.t.Error(err)
	}
}

func TestTheMarketAddsWithEachRelease(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.helpedBy("chg_1")
	pending, err := h.escrow.Pending(t.Context(), h.db, "org_s", money.MAD)
	if err != nil || pending != (escrow.Pending{Share: 4860, Bonus: 2000}) {
		t.Errorf("pending %+v, %v", pending, err)
	}
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		esc, err := h.escrow.OfCharge(ctx, tx, "chg_1")
		if err != nil {
			return err
		}
		_, err = h.escrow.Release(auth.With(ctx, auth.Principal{Subject: "per_b", Role: auth.Buyer}), tx, escrow.ReleaseInput{Escrow: esc[0].ID, Amount: money.Dirhams(2500)})
		return err
	})
	// A third of each leg: 16.20, 1.80, 1.67, 0.33 and 5.00; of the goods 20.00 of 60.00.
	h.balances(map[string]int64{"seller:org_s:available": 1620 + 666, "promotions": 666, "bank:b:transit": 666, "bank:b:operating": -666})
	pending, err = h.escrow.Pending(t.Context(), h.db, "org_s", money.MAD)
	if err != nil || pending != (escrow.Pending{Share: 3240, Bonus: 1334}) {
		t.Errorf("pending %+v, %v", pending, err)
	}
	h.release(order)
	h.balances(map[string]int64{
		"seller:org_s:available": 6860, "seller:org_s:reserve": 540, "fees": 500, "payable:vat": 100, "payable:carrier:k": 1500,
		"promotions": 2000, "bank:b:transit": 2000, "bank:b:operating": -2000, "escrow:" + order: 0,
	})
}

// A refund before the release cancels its part of the bonus, and nothing of that
// is ever booked.
func TestARefundBeforeReleaseCancelsTheBonus(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.helpedBy("chg_1")
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 3000, HeldOnly: true}); err != nil {
		t.Fatal(err)
	}
	h.balances(map[string]int64{"promotions": 0, "bank:b:transit": 0})
	h.release(order)
	h.balances(map[string]int64{"seller:org_s:available": 2430 + 1000, "promotions": 1000})
	h.must(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.PutBack(ctx, tx, "rfd_1"); return err })
	h.release(order)
	h.balances(map[string]int64{"seller:org_s:available": 6860, "promotions": 2000, "bank:b:operating": -2000})
}

// What is taken back of a release takes the bonus with it, down the waterfall; of
// what the seller has not got any more the market waits for the rest.
func TestARefundAfterReleaseTakesTheBonusBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		paidOut, owed, transit, after int64
	}{
		// Of 60.00 and the bonus of 20.00: 74.00 of the seller, 6.00 of fees and VAT. What
		// the market has back is more than it gives back: nothing comes in, and 14.00 leave
		// with the sweep, until they are needed again.
		{0, 0, 2000, 2000 + 1400},
		{6860, 6860, 2000 + 6860 + 600 - 2000, 2000},
	} {
		h := newHub(t)
		order := h.helpedBy("chg_1")
		h.release(order)
		if c.paidOut > 0 {
			h.must(func(ctx context.Context, tx *pg.Tx) error {
				if _, err := h.escrow.Cover(ctx, tx, "org_s", money.MAD, c.paidOut); err != nil {
					return err
				}
				return h.books.Post(ctx, tx, ledger.Transfer{Key: "pay_1", Kind: "payout.intent", Currency: money.MAD, Legs: []ledger.Leg{
					ledger.Debit(ledger.Available("org_s"), c.paidOut), ledger.Credit(ledger.Payout("pay_1"), c.paidOut),
				}})
			})
		}
		if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 6000}); err != nil {
			t.Fatal(err)
		}
		h.balances(map[string]int64{
			"seller:org_s:available": 0, "seller:org_s:receivable": c.owed, "seller:org_s:reserve": 0, "promotions": 0, "bank:b:transit": c.transit,
			"fees": 0, "payable:vat": 0, "refund:rfd_1": 6000,
		})
		h.must(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.PutBack(ctx, tx, "rfd_1"); return err })
		h.balances(map[string]int64{"promotions": 2000, "bank:b:transit": c.after, "seller:org_s:receivable": 0, "fees": 500})
	}
}

// A chargeback that is lost takes the bonus back as a refund does; where we bear
// it all the seller keeps it, and it is our loss instead.
func TestALostChargebackTakesTheBonusBack(t *testing.T) {
	t.Parallel()
	for ours, want := range map[bool]map[string]int64{
		false: {"promotions": 0, "loss": 0, "seller:org_s:available": 0, "seller:org_s:reserve": 0, "seller:org_s:receivable": 1500, "fees": 0},
		true:  {"promotions": 0, "loss": 9500, "seller:org_s:available": 6860, "seller:org_s:reserve": 540, "seller:org_s:receivable": 0, "fees": 500},
	} {
		h := newHub(t)
		order := h.helpedBy("chg_1")
		h.must(func(ctx context.Context, tx *pg.Tx) error {
			if err := h.escrow.Shipped(ctx, tx, order, tx.Now()); err != nil {
				return err
			}
			return h.escrow.Delivered(ctx, tx, order, tx.Now())
		})
		h.release(order)
		h.must(func(ctx context.Context, tx *pg.Tx) error {
			return h.escrow.Contest(ctx, tx, escrow.Contest{Case: "cbk_1", Charge: "chg_1", Acquirer: "p", Amount: 7500})
		})
		h.must(func(ctx context.Context, tx *pg.Tx) error {
			return h.escrow.Lost(ctx, tx, "cbk_1", escrow.Loser{PlatformBears: ours})
		})
		h.balances(want)
	}
}

func TestWhatTheMarketAddsMustLeaveTheSellerALeg(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for _, bad := range []escrow.Terms{
		{Amount: money.Dirhams(2100), Legs: escrow.Legs{Commission: 500, VAT: 100, Carrier: 1500}, Bonus: 5400},
		{Amount: money.Dirhams(2101), Legs: escrow.Legs{Seller: 1, Commission: 500, VAT: 100, Carrier: 1500}, Bonus: -1},
	} {
		bad.Order, bad.Seller, bad.Buyer, bad.Charge = "ord_x", "org_s", "per_b", "chg_x"
		if err := h.do(func(ctx context.Context, tx *pg.Tx) error { _, err := h.escrow.Open(ctx, tx, bad); return err }); !errors.Is(err, escrow.ErrBonus) {
			t.Errorf("%+v: %v, want ErrBonus", bad, err)
		}
	}
	order := h.helpedBy("chg_1")
	h.release(order)
	for _, sql := range []string{
		`update escrow.hold set bonus_given = 1999`, `update escrow.hold set bonus = 1999`, `update escrow.hold set bonus_back = 2001`,
		`update escrow.hold set taken = gone, recovered = released`, `update escrow.hold set bonus = -1`,
	} {
		if _, err := h.db.Exec(t.Context(), sql); pg.Code(err) != "23514" {
			t.Errorf("%s: %v, want the database to refuse it", sql, err)
		}
	}
}

// Of 100.00 of goods with a bonus of 50.00 a fifth was cancelled and given back, a
// part of what was released went back with 10.00 of the bonus, and a chargeback took
// as much as the refunds: half of what is undone is theirs.
func TestABonusThatIsUndoneIsSharedWithChargebacks(t *testing.T) {
	t.Parallel()
	h := escrow.Hold{
		Legs: escrow.Legs{Seller: 80_00, Commission: 20_00, Carrier: 30_00}, Cancelled: escrow.Legs{Seller: 16_00, Commission: 4_00},
		Bonus: 50_00, BonusGiven: 40_00, BonusBack: 10_00, Refunded: 15_00, Recovered: 5_00, Charged: 12_00, Clawed: 8_00,
	}
	if got := h.BonusUndone(); got != 10_00 {
		t.Errorf("undone are %d, want 1000", got)
	}
	h.Charged, h.Clawed = 0, 0
	if got := h.BonusUndone(); got != 20_00 {
		t.Errorf("without a chargeback undone are %d, want 2000", got)
	}
}
