package payouts_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/payouts"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// carried is a settled order of which all was let go for its seller and its
// carrier, 10.00 each; the goods have left or not.
func (h *hub) carried(sent bool) (order string) {
	h.t.Helper()
	ctx := h.t.Context()
	order, charge := id.New(id.Order), id.New(id.Charge)
	h.do(ctx, func(tx *pg.Tx) error {
		_, err := h.escrow.Open(ctx, tx, escrow.Terms{
			Order: order, Seller: "org_s", Buyer: "per_b", Charge: charge, Carrier: "k", Amount: money.Dirhams(2000), Legs: escrow.Legs{Seller: 1000, Carrier: 1000},
		})
		return err
	})
	h.do(ctx, func(tx *pg.Tx) error {
		if _, err := h.escrow.Fund(ctx, tx, charge, "bank:bank:safeguard"); err != nil {
			return err
		}
		if sent {
			if err := h.escrow.Shipped(ctx, tx, order, tx.Now()); err != nil {
				return err
			}
		}
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
	return order
}

// paysPayee asks for all that is due to a carrier or an insurer.
func (h *hub) paysPayee(named string) error {
	return h.as(first, func(tx *pg.Tx) error {
		_, err := h.payouts.Create(auth.With(h.t.Context(), first), tx, payouts.CreateInput{
			Beneficiary: named, Account: &payouts.AccountInput{RIB: "011519000001205000534921", Holder: "Transporteur exemple"},
		})
		return err
	})
}

// The fee of goods that never left goes back to the buyer while its carrier is
// paid for others, in the middle of it or at any moment: the carrier has what it
// earned and no more.
func TestARefundAndAPayoutAtOnceLeaveACarrierItsOwn(t *testing.T) {
	t.Parallel()
	for _, middle := range []bool{true, false} {
		t.Run(fmt.Sprintf("in the middle %t", middle), func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			for i := range 50 {
				h.feeGoesBack(i, middle)
				h.has("payable:carrier:k", int64(i+1)*500) // of each order that never left, half its fee
				if t.Failed() {
					t.FailNow()
				}
			}
		})
	}
}

func (h *hub) feeGoesBack(i int, middle bool) {
	h.t.Helper()
	order := h.carried(false)
	h.carried(true)
	var all sync.WaitGroup
	var refunded error
	refund := func() {
		refunded = h.as(first, func(tx *pg.Tx) error {
			_, err := h.escrow.TakeBack(h.t.Context(), tx, escrow.Back{Refund: fmt.Sprint("rfd_", i), Order: order, Amount: 1000, Delivery: true})
			return err
		})
	}
	if h.between.before = nil; middle {
		var once sync.Once
		h.between.before = func() {
			once.Do(func() {
				done := make(chan struct{})
				all.Go(func() { refund(); close(done) })
				h.stands(done)
			})
		}
	} else {
		all.Go(refund)
	}
	var paid [2]error
	for n := range paid {
		all.Go(func() { paid[n] = h.paysPayee("carrier:k") })
	}
	all.Wait()
	if refunded != nil || (paid[0] == nil) == (paid[1] == nil) || !errors.Is(errors.Join(paid[:]...), payouts.ErrNothing) {
		h.t.Errorf("a refund: %v, and two payouts: %v; want one payout, one of nothing, and the refund", refunded, paid)
	}
}

// stands waits until something is done, or waits for somebody's lock itself.
func (h *hub) stands(done <-chan struct{}) {
	h.until(func() bool {
		select {
		case <-done:
			return true
		default:
		}
		n, err := pg.Value[int](h.t.Context(), h.db, nil, `select count(*) from pg_locks l join pg_stat_activity a using (pid)
			where not l.granted and l.locktype in ('transactionid', 'tuple') and a.datname = current_database()`)
		return err != nil || n > 0
	})
}

// What two people move by hand at the same time is not paid out as well.
func TestAnInsurerIsPaidWhatIsThere(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	ctx := h.t.Context()
	shift := func(key, kind, from, to string) error {
		return h.as(first, func(tx *pg.Tx) error {
			return h.books.Post(ctx, tx, ledger.Transfer{Key: key, Kind: kind, Currency: money.MAD, Legs: []ledger.Leg{ledger.Debit(from, 700), ledger.Credit(to, 700)}})
		})
	}
	if err := shift("premium", "hand", "bank:bank:safeguard", "payable:insurer:i"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	errs := make([]error, 50)
	for i := range errs {
		all.Go(func() { errs[i] = h.paysPayee("insurer:i") })
	}
	all.Wait()
	paid := 0
	for _, err := range errs {
		if err == nil {
			paid++
		} else if !errors.Is(err, payouts.ErrNothing) {
			t.Error(err)
		}
	}
	if paid != 1 {
		t.Errorf("%d of 50 payouts of all there is were made, want 1", paid)
	}
	h.has("payable:insurer:i", 0)
	if err := shift("payout:x", "payout.intent", "payable:insurer:i", "payout:x"); pg.Code(err) != "HB013" {
		t.Errorf("the database pays one more: %v", err)
	}
}
