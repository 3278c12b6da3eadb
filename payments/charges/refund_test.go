package charges_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

func TestAWholeChargeIsLetGoBeforeItIsSettled(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(false, 11500)
	rid := h.giveBack(c, orders[0], 11500)
	h.has(ledger.Refund(rid), 11500)
	h.refundIs(rid, charges.RefundConfirmed)
	h.moved(1, 0)
	h.has(ledger.Refund(rid), 0)
	h.has("psp:acq:clearing", 0)
	h.has(ledger.Escrow(orders[0]), 0)
	holds, err := h.escrows.OfOrders(t.Context(), h.db, orders)
	h.must(err)
	if got := holds[orders[0]].State; got != escrow.Refunded {
		t.Errorf("the escrow is %s, want refunded", got)
	}
}

func TestAPartWaitsUntilTheChargeIsSettled(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(false, 7500, 4000)
	rid := h.giveBack(c, orders[0], 7500)
	if v := h.refund(rid); v.State != charges.RefundCreated || v.Rail != "card" {
		t.Fatalf("the refund is %+v", v)
	}
	h.advance(11 * time.Minute) // the acquirer is asked, and has not settled
	h.moved(0, 0)
	h.settle(c, 11500)
	h.refundIs(rid, charges.RefundConfirmed)
	h.moved(0, 1)
	h.has("psp:acq:clearing", 4000)
	h.safe()
}

func TestTheAcquirersOwnWordThatItHasSettledIsEnough(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(false, 7500, 4000)
	rid := h.giveBack(c, orders[0], 7500)
	h.acquirer.set(charges.RefOf(c.ID), card.Settled)
	h.advance(11 * time.Minute)
	h.refundIs(rid, charges.RefundConfirmed)
	h.moved(0, 1)
}

func TestRefundsOfAChargeGoOneAfterTheOther(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.answers = []outbound.Outcome{outbound.Unknown} })
	first := h.giveBack(c, orders[0], 1000)
	h.refundIs(first, charges.RefundUnknown)
	second, third := h.giveBack(c, orders[0], 1000), h.giveBack(c, orders[1], 500)
	h.fire()
	if got := h.refund(second).State; got != charges.RefundCreated {
		t.Errorf("while the first is open the second is %s, want created", got)
	}
	h.moved(0, 1)
	h.advance(10 * time.Second) // the inquiry finds it
	for _, r := range []string{first, second, third} {
		h.refundIs(r, charges.RefundConfirmed)
	}
	h.moved(0, 3)
	h.has("psp:acq:clearing", 11500-2500)
}

func TestALostRefundIsSentAgainOnlyWhenItIsSurelyAbsent(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.ignores = 1 })
	rid := h.giveBack(c, orders[0], 7500)
	h.refundIs(rid, charges.RefundUnknown)
	for range 3 {
		h.advance(time.Minute)
	}
	h.moved(0, 0)
	for i := 0; i < 40 && h.refund(rid).State != charges.RefundConfirmed; i++ {
		h.advance(10 * time.Minute)
		time.Sleep(20 * time.Millisecond)
	}
	h.refundIs(rid, charges.RefundConfirmed)
	h.moved(0, 1)
}

func TestARefusalThatWasExecutedAllTheSameIsNoRefusal(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.answers = []outbound.Outcome{outbound.Declined} })
	rid := h.giveBack(c, orders[0], 7500)
	h.refundIs(rid, charges.RefundConfirmed)
	h.moved(0, 1)
}

func TestAnotherSumThanAnyWeKnowIsForPeople(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.back[charges.RefOf(c.ID)] = 300 })
	rid := h.giveBack(c, orders[0], 7500)
	v := h.refundIs(rid, charges.RefundUnknown)
	if !strings.Contains(v.Why, "3.00") {
		t.Errorf("why is %q, want the sum that the acquirer tells", v.Why)
	}
	h.moved(0, 0)
}

func TestAClosedCardAsksTheBuyerForAnAccount(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.closed = true })
	rid := h.giveBack(c, orders[0], 7500)
	h.refundIs(rid, charges.RefundAwaiting)
	h.has(ledger.Refund(rid), 7500)
	for _, e := range []struct {
		as   func() error
		want error
	}{
		{func() error { _, err := h.account(buyer, rid, "011519000001205000534922"); return err }, nil},
		{func() error { _, err := h.account(stranger, rid, goodRIB); return err }, charges.ErrNoRefund},
		{func() error { _, err := h.account(agent, rid, goodRIB); return err }, charges.ErrPatience},
	} {
		if err := e.as(); err == nil || e.want != nil && !errors.Is(err, e.want) {
			t.Errorf("got %v, want %v", err, e.want)
		}
	}
	v, err := h.account(buyer, rid, "0115 1900 0001 2050 0053 4921")
	if err != nil || v.State != charges.RefundCreated || v.Rail != "transfer" || v.RIB != "•••• 4921" {
		t.Fatalf("account = %+v, %v", v, err)
	}
	if _, err := h.account(buyer, rid, otherRIB); !errors.Is(err, charges.ErrRefundState) {
		t.Errorf("a second account: %v, want ErrRefundState", err)
	}
	pay, err := h.charges.Transfer(t.Context(), h.db, rid)
	if err != nil || pay.To.RIB != goodRIB || pay.To.Name != "Acheteur exemple" || pay.Amount.Centimes() != 7500 || pay.Ref != charges.RefOf(rid)+"-2" {
		t.Errorf("the bank's instruction is %+v, %v", pay, err)
	}
	h.bankPaid(rid)
	h.refundIs(rid, charges.RefundConfirmed)
	h.has("bank:bank:safeguard", -7500)
	h.has(ledger.Refund(rid), 0)

	// Days later the bank sends it back: the refund is open again.
	h.bank(rid, func(ctx context.Context, tx *pg.Tx, o operations.Operation) error {
		_, err := h.engine.CameBack(ctx, tx, o, "AC04", "returned "+o.Ref)
		return err
	})
	h.refundIs(rid, charges.RefundReturned)
	h.has(ledger.Refund(rid), 7500)
	if _, err := h.account(buyer, rid, otherRIB); err != nil {
		t.Fatal(err)
	}
	h.bankPaid(rid)
	h.refundIs(rid, charges.RefundConfirmed)
	h.has("bank:bank:safeguard", -7500)
	h.has(ledger.Refund(rid), 0)
	h.moved(0, 0)
}

func TestTwoPeopleFindAnAccountForABuyerWhoGivesNone(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.closed = true })
	rid := h.giveBack(c, orders[0], 7500)
	h.refundIs(rid, charges.RefundAwaiting)
	h.advance(charges.Patience + time.Hour)
	v, err := h.account(agent, rid, goodRIB)
	if err != nil || v.Approval == "" || v.State != charges.RefundAwaiting {
		t.Fatalf("account = %+v, %v", v, err)
	}
	decide := func(as string) error {
		who := agent
		if as == "other" {
			who = other
		}
		return h.tx(who, func(ctx context.Context, tx *pg.Tx) error {
			_, err := h.people.Decide(ctx, tx, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
			return err
		})
	}
	if err := decide("agent"); !errors.Is(err, approvals.ErrSelf) {
		t.Errorf("the one who asked approves: %v, want ErrSelf", err)
	}
	if err := decide("other"); err != nil {
		t.Fatal(err)
	}
	h.bankPaid(rid)
	h.refundIs(rid, charges.RefundConfirmed)
}

func TestABuyersOwnAccountTakesThePlaceOfTheOneThatPeopleFound(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.closed = true })
	rid := h.giveBack(c, orders[0], 7500)
	h.refundIs(rid, charges.RefundAwaiting)
	h.advance(charges.Patience + time.Hour)
	v, err := h.account(agent, rid, goodRIB)
	h.must(err)
	if _, err := h.account(buyer, rid, otherRIB); err != nil {
		t.Fatal(err)
	}
	err = h.tx(other, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.people.Decide(ctx, tx, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
		return err
	})
	if !errors.Is(err, approvals.ErrEnded) {
		t.Errorf("approved after the buyer gave an account: %v, want ErrEnded", err)
	}
	if pay, err := h.charges.Transfer(t.Context(), h.db, rid); err != nil || pay.To.RIB != otherRIB {
		t.Errorf("it goes to %s (%v)", pay.To.RIB, err)
	}
}

// A statement shows that the card took the refund after all. What had not been
// sent anew is done with it; what had is a loss, and people are told.
func TestARefundPaidAfterItWasRefused(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{"nobody sent it anew": "", "its transfer waits": "waits", "its transfer was paid": "paid"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			c, orders := h.paid(true, 7500, 4000)
			h.tell(func(a *acquirer) { a.closed = true })
			rid := h.giveBack(c, orders[0], 7500)
			h.refundIs(rid, charges.RefundAwaiting)
			if sent != "" {
				_, err := h.account(buyer, rid, goodRIB)
				h.must(err)
			}
			if sent == "paid" {
				h.bankPaid(rid)
			}
			shown := func() error {
				return h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
					got, err := h.charges.Adjusted(ctx, tx, "acq", charges.Adjustment{Ref: charges.RefOf(c.ID), Gross: -7500, Currency: money.MAD, Line: "1"})
					if err == nil && got != rid {
						t.Errorf("the deduction is of %s, want %s", got, rid)
					}
					return err
				})
			}
			h.must(shown())
			if err := shown(); !errors.Is(err, charges.ErrNotFound) {
				t.Errorf("the same deduction again: %v, want ErrNotFound", err)
			}
			h.refundIs(rid, charges.RefundConfirmed)
			h.has(ledger.Refund(rid), 0)
			h.has("psp:acq:clearing", 11500-7500)
			if sent == "paid" {
				h.has(ledger.Loss, 7500)
				h.has("bank:bank:transit", 7500)
				h.heard("contradicted " + rid)
			} else {
				h.has(ledger.Loss, 0)
				h.has("bank:bank:safeguard", 0)
			}
			h.safe()
		})
	}
}

func TestASettlementProvesARefundWhoseOutcomeIsOpen(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	h.tell(func(a *acquirer) { a.mute, a.answers = true, []outbound.Outcome{outbound.Unknown} })
	rid := h.giveBack(c, orders[0], 7500)
	h.refundIs(rid, charges.RefundUnknown)
	h.advance(20 * time.Minute) // an acquirer that does not tell is never sent it again
	h.advance(time.Hour)
	h.moved(0, 1)
	h.must(h.tx(auth.Hub, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Adjusted(ctx, tx, "acq", charges.Adjustment{Ref: charges.RefOf(c.ID), Gross: -7500, Currency: money.MAD, Line: "1"})
		return err
	}))
	h.refundIs(rid, charges.RefundConfirmed)
}

func TestMoneyThatComesTooLateGoesBackByItself(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, _ := h.sale(11500)
	h.advance(charges.Window + time.Second)
	h.becomes(c.ID, charges.Expired)
	h.tell(func(a *acquirer) { a.state[charges.RefOf(c.ID)] = card.Settled })
	h.settle(c, 11500) // the acquirer took it all the same
	h.has(ledger.Suspense(c.ID), 0)
	rid, err := pg.Value[string](t.Context(), h.db, nil, `select id from charges.refund where charge = $1`, c.ID)
	h.must(err)
	h.refundIs(rid, charges.RefundConfirmed)
	h.moved(0, 1)
	h.has("psp:acq:clearing", 0)
	if v := h.refund(rid); v.Order != "" || v.Amount.Centimes() != 11500 {
		t.Errorf("the refund is %+v", v)
	}
}

func TestNoMoreGoesBackThanCameIn(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.paid(true, 7500, 4000)
	var wg sync.WaitGroup
	won, mu := 0, sync.Mutex{}
	for range 20 {
		wg.Go(func() {
			rid := id.New(id.Refund)
			err := h.tx(agent, func(ctx context.Context, tx *pg.Tx) error {
				if err := h.charges.Lock(ctx, tx, c.ID); err != nil {
					return err
				}
				if _, err := h.escrows.TakeBack(ctx, tx, escrow.Back{Refund: rid, Order: orders[0], Amount: 3000}); err != nil {
					return err
				}
				_, err := h.charges.Refund(ctx, tx, charges.RefundOrder{ID: rid, Order: orders[0], Charge: c.ID, Amount: money.Dirhams(3000), Reason: "x", By: "y"})
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.Is(err, escrow.ErrAmount) && !errors.Is(err, escrow.ErrState) {
				t.Errorf("a refund fails with %v", err)
			}
		})
	}
	wg.Wait()
	if won != 2 {
		t.Errorf("%d refunds of 30.00 were taken of 75.00, want 2", won)
	}
	err := h.tx(agent, func(ctx context.Context, tx *pg.Tx) error {
		_, err := h.charges.Refund(ctx, tx, charges.RefundOrder{ID: id.New(id.Refund), Charge: c.ID, Amount: money.Dirhams(5501), Reason: "x", By: "y"})
		return err
	})
	if !errors.Is(err, charges.ErrTooMuch) {
		t.Errorf("a refund of more than is left: %v, want ErrTooMuch", err)
	}
}

// Whatever an acquirer answers and forgets, each refund is done once, and what
// it gave back is what the books say.
func TestEveryRefundIsDoneOnceWhateverTheAcquirerAnswers(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 1))
		var answers []outbound.Outcome
		for range r.IntN(5) {
			answers = append(answers, []outbound.Outcome{outbound.Succeeded, outbound.Unknown, outbound.Declined}[r.IntN(3)])
		}
		c, orders := h.paid(true, 7500, 4000)
		h.tell(func(a *acquirer) { a.answers, a.ignores, a.refunds = answers, r.IntN(3), 0 })
		var refunds []string
		for i := range 1 + r.IntN(3) {
			refunds = append(refunds, h.giveBack(c, orders[i%2], 1+r.Int64N(2000)))
		}
		var sum int64
		for _, id := range refunds {
			for end := time.Now().Add(2 * time.Minute); h.refund(id).State != charges.RefundConfirmed && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				h.advance(7 * time.Minute)
			}
			h.refundIs(id, charges.RefundConfirmed)
			sum += h.refund(id).Amount.Centimes()
		}
		h.tell(func(a *acquirer) {
			if back := a.back[charges.RefOf(c.ID)]; a.refunds != len(refunds) || back != sum {
				t.Errorf("seed %d (%v): the acquirer did %d refunds of %d, want %d of %d", seed, answers, a.refunds, back, len(refunds), sum)
			}
		})
	}
	h.safe()
}

func TestAReservationIsShownAndLetGoWithItsOrder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	c, orders := h.sale(11500)
	ref := charges.RefOf(c.ID)
	h.acquirer.set(ref, card.Authorized)
	h.tell(func(a *acquirer) { a.refuses = true })
	h.advance(50 * time.Second)
	h.holdIs(orders[0], escrow.Authorized)
	h.acquirer.set(ref, card.Voided) // it never captured, and let the reservation go
	for end := time.Now().Add(2 * time.Minute); h.state(c.ID) != charges.Expired && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		h.advance(7 * time.Minute)
	}
	h.holdIs(orders[0], escrow.Voided)
}
