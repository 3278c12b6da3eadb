package escrow_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// hub is escrow over real books.
type hub struct {
	t      *testing.T
	db     *pg.Store
	books  *ledger.Books
	escrow *escrow.Service
	timers *job.Timers
}

func newHub(t *testing.T) hub {
	t.Helper()
	return newHubAt(t, pgtest.URL(t))
}

// newHubAt is newHub on a database that is there.
func newHubAt(t *testing.T, url string) hub {
	t.Helper()
	db := pgtest.Open(t, url, pg.Options{MaxConns: 12})
	db.Use(nil, event.NewBus())
	policies, err := authz.New()
	if err != nil {
		t.Fatal(err)
	}
	h := hub{t, db, ledger.New(db), nil, job.NewTimers(db)}
	h.escrow = escrow.New(db, h.books, policies).TopUpFrom("b")
	h.escrow.Work(h.timers)
	return h
}

func (h hub) do(f func(ctx context.Context, tx *pg.Tx) error) error {
	ctx := h.t.Context()
	return h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
}

func (h hub) must(f func(ctx context.Context, tx *pg.Tx) error) {
	h.t.Helper()
	if err := h.do(f); err != nil {
		h.t.Fatal(err)
	}
}

// open makes a funded escrow of 75.00: 48.60 for the seller, 5.40 in reserve,
// 5.00 commission, 1.00 VAT on it, 15.00 for the carrier.
func (h hub) open(charge string) (order, esc string) {
	h.t.Helper()
	order = id.New(id.Order)
	h.must(func(ctx context.Context, tx *pg.Tx) (err error) {
		esc, err = h.escrow.Open(ctx, tx, escrow.Terms{
			Order: order, Seller: "org_s", Buyer: "per_b", Charge: charge, Carrier: "k", Amount: money.Dirhams(7500),
			Legs:    escrow.Legs{Seller: 4860, Reserve: 540, Commission: 500, VAT: 100, Carrier: 1500},
			Release: escrow.Windows{Inspection: 72 * time.Hour, Withdrawal: 7 * 24 * time.Hour},
		})
		return err
	})
	return order, esc
}

func (h hub) fund(charge string) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Fund(ctx, tx, charge, "psp:p:clearing")
		return err
	})
}

func (h hub) has(account string, want int64) {
	h.t.Helper()
	got, err := h.books.Balance(h.t.Context(), h.db, account, money.MAD)
	if err != nil || got != want {
		h.t.Errorf("%s has %d (%v), want %d", account, got, err, want)
	}
}

func TestReleaseGivesEachItsShare(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order, _ := h.open("chg_1")
	h.fund("chg_1")
	h.has("escrow:"+order, 7500)
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
	for account, want := range map[string]int64{
		"escrow:" + order: 0, "seller:org_s:available": 4860, "seller:org_s:reserve": 540, "fees": 500, "payable:vat": 100,
		"payable:carrier:k": 1500, "psp:p:clearing": 7500,
	} {
		h.has(account, want)
	}
	err := h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
	if !errors.Is(err, escrow.ErrState) {
		t.Errorf("releasing again: %v, want ErrState", err)
	}
}

func TestAnEscrowIsFundedOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order, _ := h.open("chg_1")
	h.fund("chg_1")
	if err := h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Fund(ctx, tx, "chg_1", "psp:p:clearing")
		return err
	}); !errors.Is(err, escrow.ErrState) {
		t.Errorf("funding again: %v, want ErrState", err)
	}
	h.has("escrow:"+order, 7500)
}

func TestFiftyReleasesAtOnceReleaseOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order, esc := h.open("chg_1")
	h.fund("chg_1")
	ctx := auth.With(t.Context(), auth.Principal{Subject: "per_b", Role: auth.Buyer})
	var wg sync.WaitGroup
	results := make(chan error, 50)
	for i := range 50 {
		wg.Go(func() {
			results <- h.db.InTx(ctx, func(tx *pg.Tx) (err error) {
				if i%2 == 0 {
					_, err = h.escrow.ReleaseOrder(ctx, tx, order)
				} else {
					_, err = h.escrow.Release(ctx, tx, escrow.ReleaseInput{Escrow: esc, Amount: money.Dirhams(7500)})
				}
				return err
			})
		})
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, escrow.ErrState):
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d of 50 released it, want 1", won)
	}
	h.has("seller:org_s:available", 4860)
}

func TestPartsAndStrangers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, esc := h.open("chg_1")
	h.fund("chg_1")
	release := func(who auth.Principal, amount money.Money) (v escrow.View, err error) {
		ctx := auth.With(t.Context(), who)
		err = h.db.InTx(ctx, func(tx *pg.Tx) (err error) {
			v, err = h.escrow.Release(ctx, tx, escrow.ReleaseInput{Escrow: esc, Amount: amount})
			return err
		})
		return v, err
	}
	buyer := auth.Principal{Subject: "per_b", Role: auth.Buyer}
	for who, p := range map[string]auth.Principal{"another buyer": {Subject: "per_x", Role: auth.Buyer}, "the seller": {Subject: "org_s", Role: auth.Seller}} {
		if _, err := release(p, money.Dirhams(100)); !errors.Is(err, escrow.ErrNotFound) {
			t.Errorf("released by %s: %v, want not found", who, err)
		}
	}
	if _, err := release(buyer, money.Dirhams(7501)); !errors.Is(err, escrow.ErrAmount) {
		t.Errorf("more than is held: %v, want ErrAmount", err)
	}
	v, err := release(buyer, money.Dirhams(2500))
	if err != nil || v.State != escrow.Funded || v.Held.Centimes() != 5000 || v.Released.Centimes() != 2500 {
		t.Errorf("a third was released: %+v, %v", v, err)
	}
	h.has("seller:org_s:available", 1620)
}

func TestMoneyGoesByItselfAfterTheWait(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order, _ := h.open("chg_1")
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Delivered(ctx, tx, order, tx.Now()) })
	h.advance(7*24*time.Hour - time.Minute)
	h.has("escrow:"+order, 7500)
	h.advance(2 * time.Minute)
	h.has("escrow:"+order, 0)
	h.has("seller:org_s:available", 4860)
}

func TestPayoutsCoverWhatWasReleasedOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order, _ := h.open("chg_1")
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
	var mu sync.Mutex
	var wg sync.WaitGroup
	covered, settled := int64(0), 0
	for range 8 {
		wg.Go(func() {
			err := h.do(func(ctx context.Context, tx *pg.Tx) error {
				covers, err := h.escrow.Cover(ctx, tx, "org_s", money.MAD, 1000)
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				for _, c := range covers {
					covered += c.Amount
					if c.Settled {
						settled++
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if covered > 4860 || settled > 0 {
		t.Errorf("covered %d of 4860, %d as settled; want no more than there is, and nothing settled yet", covered, settled)
	}
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Settled(ctx, tx, "chg_1") })
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		covers, err := h.escrow.Cover(ctx, tx, "org_s", money.MAD, 10000)
		var rest int64
		for _, c := range covers {
			rest += c.Amount
			if !c.Settled {
				t.Error("a settled release is covered as unsettled")
			}
		}
		if covered+rest != 4860 {
			t.Errorf("covered %d and then %d, want 4860 in all", covered, rest)
		}
		return err
	})
}

func TestTheDatabaseRefusesAnEscrowThatDoesNotAddUp(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, esc := h.open("chg_1")
	for name, sql := range map[string]string{
		"released without legs":  `update escrow.hold set released = 100 where id = $1`,
		"more than there is":     `update escrow.hold set refunded = amount + 1 where id = $1`,
		"a leg more than it has": `update escrow.hold set released = 600, gone = '{0,0,600,0,0}' where id = $1`,
		"shares that do not fit": `update escrow.hold set legs = '{1,2,3,4,5}' where id = $1`,
	} {
		if _, err := h.db.Exec(t.Context(), sql, esc); pg.Code(err) != "23514" {
			t.Errorf("%s: %v, want a check violation", name, err)
		}
	}
	if err := h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Open(ctx, tx, escrow.Terms{Order: "o", Amount: money.Dirhams(100), Legs: escrow.Legs{Seller: 99}})
		return err
	}); !errors.Is(err, escrow.ErrTerms) {
		t.Errorf("shares that do not add up: %v, want ErrTerms", err)
	}
}
