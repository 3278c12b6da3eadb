package escrow_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

// sale is an open escrow of a seller of its own.
func (h hub) sale(seller, charge, carrier string) (order string) {
	h.t.Helper()
	return h.helped(seller, charge, carrier, 0)
}

// helped is a sale to which the market adds a bonus.
func (h hub) helped(seller, charge, carrier string, bonus int64) (order string) {
	h.t.Helper()
	order = id.New(id.Order)
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Open(ctx, tx, escrow.Terms{
			Order: order, Seller: seller, Buyer: "per_b", Charge: charge, Carrier: carrier, Amount: money.Dirhams(7500),
			Legs: escrow.Legs{Seller: 4860, Reserve: 540, Commission: 500, VAT: 100, Carrier: 1500}, Bonus: bonus,
			Release: escrow.Windows{Inspection: 72 * time.Hour, Withdrawal: 7 * 24 * time.Hour},
		})
		return err
	})
	return order
}

func (h hub) release(order string) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
}

func (h hub) back(b escrow.Back) (hold escrow.Hold, err error) {
	err = h.do(func(ctx context.Context, tx *pg.Tx) (err error) {
		hold, err = h.escrow.TakeBack(ctx, tx, b)
		return err
	})
	return hold, err
}

func (h hub) hold(order string) escrow.Hold {
	h.t.Helper()
	holds, err := h.escrow.OfOrders(h.t.Context(), h.db, []string{order})
	if err != nil {
		h.t.Fatal(err)
	}
	return holds[order]
}

func (h hub) is(order string, want escrow.State) {
	h.t.Helper()
	if got := h.hold(order).State; got != want {
		h.t.Errorf("the escrow is %s, want %s", got, want)
	}
}

// advance moves the clock and fires what is due.
func (h hub) advance(d time.Duration) {
	h.t.Helper()
	pgtest.Pass(h.t, h.db, h.timers, d)
}

// sound checks what must hold at any moment: client money is never short, the
// reserve is its lots, what is available is what payouts may cover, and each
// escrow's account is what the escrow holds.
func (h hub) sound() {
	h.t.Helper()
	if err := soundness(h); err != nil {
		h.t.Error(err)
	}
}

func soundness(h hub) error {
	type row struct {
		Code string
		Net  int64
	}
	rows, err := pg.All[row](h.t.Context(), h.db, `select a.code, sum(b.dr - b.cr)::bigint as net from ledger.account a join ledger.balance b on b.account_id = a.id group by a.code`)
	if err != nil {
		return err
	}
	var clients []string
	for _, r := range rows {
		if ledger.Client(r.Code) != 0 {
			clients = append(clients, r.Code)
		}
	}
	short, err := pg.Column[string](h.t.Context(), h.db, `select format('%s takes %s from clients', t.key, -sum(e.amount))
		from ledger.entry e join ledger.account a on a.id = e.account_id join ledger.transfer t on t.id = e.transfer_id
		where a.code = any($1) group by t.id having sum(e.amount) < 0`, clients)
	if err != nil {
		return err
	}
	if len(short) > 0 {
		return errors.New(short[0])
	}
	wrong, err := pg.Column[string](h.t.Context(), h.db, `
		with has as (select a.code, sum(b.cr - b.dr)::bigint as has from ledger.account a join ledger.balance b on b.account_id = a.id group by a.code),
		want as (
			select 'escrow:' || order_id as code, case when state = 'funded' then amount - released - refunded - charged else 0 end as want from escrow.hold
			union all select 'seller:' || seller || ':reserve', sum(amount - used)::bigint from escrow.lot where not done group by seller
			union all select 'seller:' || seller || ':available', sum(amount - covered - taken)::bigint from escrow.release group by seller
			union all select 'promotions', -sum(bonus_given - bonus_back)::bigint from escrow.hold
			union all select 'refund:' || refund, case state when 'flying' then amount else 0 end from escrow.back)
		select format('%s has %s, want %s', code, coalesce(has, 0), coalesce(want, 0)) from has full join want using (code)
		where coalesce(has, 0) <> coalesce(want, 0) and (code like 'escrow:%' or code like 'refund:%' or code like '%:reserve' or code like '%:available' or code = 'promotions')
		order by 1`)
	if err == nil && len(wrong) > 0 {
		return errors.New(wrong[0])
	}
	return err
}

func TestARefundBeforeReleaseCancelsItsLegs(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	got, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 3000, HeldOnly: true})
	if err != nil || got.Held() != 4500 || got.Refunded != 3000 || got.Flying != 1 {
		t.Fatalf("after a refund of 30.00: %+v, %v", got, err)
	}
	h.has("refund:rfd_1", 3000)
	h.has("escrow:"+order, 4500)
	h.sound()
	if _, err := h.back(escrow.Back{Refund: "rfd_2", Order: order, Amount: 4501}); !errors.Is(err, escrow.ErrAmount) {
		t.Errorf("more than is left: %v, want ErrAmount", err)
	}
	h.release(order)
	h.is(order, escrow.Funded) // a refund is on its way
	// Half of the goods: 24.30, 2.70, 2.50, 0.50 are left, and all the delivery.
	for account, want := range map[string]int64{"seller:org_s:available": 2430, "seller:org_s:reserve": 270, "fees": 250, "payable:vat": 50, "payable:carrier:k": 1500} {
		h.has(account, want)
	}
	h.arrive("rfd_1", 3000)
	h.is(order, escrow.Released)
	h.sound()
}

// arrive books a refund's end as its rail does, and tells the escrow.
func (h hub) arrive(refund string, amount int64) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		if _, err := h.escrow.Arrived(ctx, tx, refund); err != nil {
			return err
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: "paid:" + refund, Kind: "refund.paid", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Refund(refund), amount), ledger.Credit(ledger.Clearing("p"), amount),
		}})
	})
}

func TestAWholeRefundEndsRefundedOnceItArrives(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, HeldOnly: true}); err != nil {
		t.Fatal(err)
	}
	h.is(order, escrow.Funded)
	err := h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.ReleaseOrder(ctx, tx, order)
		return err
	})
	if !errors.Is(err, escrow.ErrState) {
		t.Errorf("releasing what is on its way back: %v, want ErrState", err)
	}
	h.arrive("rfd_1", 7500)
	h.arrive("rfd_1", 7500) // told twice
	h.is(order, escrow.Refunded)
	h.sound()
	h.advance(181 * 24 * time.Hour)
	h.is(order, escrow.Closed)
}

func TestOnceShippedTheCarrierIsPaid(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Shipped(ctx, tx, order, tx.Now()) })
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, HeldOnly: true}); !errors.Is(err, escrow.ErrAmount) {
		t.Errorf("the carrier's leg was refunded: %v", err)
	}
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 7500, Delivery: true}); err != nil {
		t.Fatal(err)
	}
	// The goods come from the escrow; the delivery fee the seller owes from now on.
	h.has("escrow:"+order, 1500)
	h.has("seller:org_s:receivable", 1500)
	h.has("bank:b:transit", 1500)
	h.sound()
	h.release(order)
	h.has("payable:carrier:k", 1500)
	h.arrive("rfd_1", 7500)
	h.is(order, escrow.Released)
	h.sound()
}

func TestARefundAfterReleaseGoesDownTheWaterfall(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	other, order := h.sale("org_s", "chg_0", "k"), h.sale("org_s", "chg_1", "k")
	h.fund("chg_0")
	h.fund("chg_1")
	h.release(other)
	h.release(order)
	h.payout("org_s", 9000) // 7.20 is left available, 10.80 in reserve
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 6000}); err != nil {
		t.Fatal(err)
	}
	for account, want := range map[string]int64{
		"seller:org_s:reserve": 0, "seller:org_s:available": 0, "seller:org_s:receivable": 5400 - 1080 - 720,
		"fees": 500, "payable:vat": 100, "refund:rfd_1": 6000, "bank:b:transit": 3600 + 600, "payable:carrier:k": 3000,
	} {
		h.has(account, want)
	}
	h.sound()

	// The next sale pays half of its share at most, its reserve all of it.
	next := h.sale("org_s", "chg_2", "k")
	h.fund("chg_2")
	h.release(next)
	h.has("seller:org_s:receivable", 3600-2430)
	h.has("seller:org_s:available", 2430)
	h.sound()
	h.advance(31 * 24 * time.Hour)
	h.has("seller:org_s:receivable", 3600-2430-540)
	h.has("seller:org_s:reserve", 0)
	h.sound()
}

// payout takes money of a seller's as a payout does.
func (h hub) payout(seller string, amount int64) {
	h.t.Helper()
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		covers, err := h.escrow.Cover(ctx, tx, seller, money.MAD, amount)
		if err != nil {
			return err
		}
		for _, c := range covers {
			amount -= c.Amount
		}
		if amount != 0 {
			h.t.Errorf("%d of a payout is not covered", amount)
		}
		var sum int64
		for _, c := range covers {
			sum += c.Amount
		}
		return h.books.Post(ctx, tx, ledger.Transfer{Key: id.New(id.Payout), Kind: "payout.intent", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Available(seller), sum), ledger.Credit(ledger.Payout(id.New(id.Payout)), sum),
		}})
	})
}

func TestWhatWasNeverSentIsPutBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	part := h.hold(order)
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		ctx = auth.With(ctx, auth.Principal{Subject: "per_b", Role: auth.Buyer})
		_, err := h.escrow.Release(ctx, tx, escrow.ReleaseInput{Escrow: part.ID, Amount: money.Dirhams(5000)})
		return err
	})
	before := h.accounts()
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 6000, Delivery: true}); err != nil {
		t.Fatal(err)
	}
	h.sound()
	for range 2 { // told twice
		h.must(func(ctx context.Context, tx *pg.Tx) error {
			return pgtest.Through(ctx, h.t, tx, func() error { _, err := h.escrow.PutBack(ctx, tx, "rfd_1"); return err }, grows...)
		})
	}
	h.sound()
	for code, want := range before {
		h.has(code, want)
	}
	if got := h.hold(order); got.Held() != 2500 || got.Flying != 0 || got.Returned() != 0 {
		t.Errorf("after it was put back: %+v", got)
	}
	err := h.do(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Arrived(ctx, tx, "rfd_1")
		return err
	})
	if !errors.Is(err, escrow.ErrState) {
		t.Errorf("what was put back arrives: %v, want ErrState", err)
	}
}

// An escrow that held nothing any more, and only waited for a refund of what was
// released, ends when that refund is put back.
func TestAnEscrowEndsWithTheLastRefundThatIsPutBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "")
	h.fund("chg_1")
	part := h.hold(order)
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		ctx = auth.With(ctx, auth.Principal{Subject: "per_b", Role: auth.Buyer})
		_, err := h.escrow.Release(ctx, tx, escrow.ReleaseInput{Escrow: part.ID, Amount: money.Dirhams(5000)})
		return err
	})
	for _, b := range []escrow.Back{{Refund: "rfd_held", Amount: 2500}, {Refund: "rfd_gone", Amount: 2000}} {
		b.Order, b.Delivery = order, true
		if _, err := h.back(b); err != nil {
			t.Fatal(err)
		}
	}
	h.arrive("rfd_held", 2500)
	h.is(order, escrow.Funded) // one is on its way
	if got := h.putBack("rfd_gone"); got.State != escrow.Released || got.Flying != 0 || got.Returned() != 2500 {
		t.Errorf("after the last was put back: %+v", got)
	}
	h.is(order, escrow.Released)
	h.sound()
}

// accounts are what stands where.
func (h hub) accounts() map[string]int64 {
	h.t.Helper()
	out := map[string]int64{}
	codes, err := pg.Column[string](h.t.Context(), h.db, `select code from ledger.account`)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range codes {
		n, err := h.books.Balance(h.t.Context(), h.db, c, money.MAD)
		if err != nil {
			h.t.Fatal(err)
		}
		out[c] = n
	}
	return out
}

func TestWhatHasNoPlaceAnyMoreBecomesAvailable(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.release(order)
	h.payout("org_s", 4860)
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 6000}); err != nil { // 5.40 reserve, 48.60 owed
		t.Fatal(err)
	}
	next := h.sale("org_s", "chg_2", "k")
	h.fund("chg_2")
	h.release(next)                // pays 24.30 of the debt
	h.advance(31 * 24 * time.Hour) // both reserves are let go: 5.40 more is paid
	h.has("seller:org_s:receivable", 4860-2430-540)
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.PutBack(ctx, tx, "rfd_1")
		return err
	})
	h.has("seller:org_s:receivable", 0)
	h.has("seller:org_s:available", 2430+2430+540+540)
	h.sound()
}

func TestTheReserveGoesAfterThirtyDays(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "k")
	h.fund("chg_1")
	h.release(order)
	h.advance(30*24*time.Hour - time.Minute)
	h.has("seller:org_s:reserve", 540)
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Freeze(ctx, tx, order, escrow.Case{ID: "ret_1", Kind: "return", State: "open"})
		return err
	})
	h.advance(10 * 24 * time.Hour)
	h.has("seller:org_s:reserve", 540) // a case is open
	h.must(func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.escrow.Thaw(ctx, tx, order, "ret_1")
		return err
	})
	h.advance(30 * time.Second)
	h.has("seller:org_s:reserve", 540) // a minute is left
	h.advance(2 * time.Minute)
	h.has("seller:org_s:reserve", 0)
	h.has("seller:org_s:available", 5400)
	h.sound()
}

func TestOwnDeliveryIsTheSellers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	order := h.sale("org_s", "chg_1", "")
	h.fund("chg_1")
	h.must(func(ctx context.Context, tx *pg.Tx) error { return h.escrow.Shipped(ctx, tx, order, tx.Now()) })
	pending, err := h.escrow.Pending(t.Context(), h.db, "org_s", money.MAD)
	if err != nil || pending.Share != 6360 {
		t.Errorf("%d is pending (%v), want 6360", pending, err)
	}
	h.release(order)
	h.has("seller:org_s:available", 6360)
	h.payout("org_s", 6360)
	if _, err := h.back(escrow.Back{Refund: "rfd_1", Order: order, Amount: 6000}); err != nil {
		t.Fatal(err)
	}
	h.has("fees", 0) // the goods alone: the commission goes back whole
	h.sound()
}
