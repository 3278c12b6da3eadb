package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/pkg/money"
)

// nudged waits for something, and moves the clocks of the hub and of its
// partners on when it does not come by itself: the hub's by factor more each
// time, since it asks its partners less and less often. A hub that still works on
// what is due is given time, so that on a slow machine no order expires of it.
func (r *rig) nudged(t testing.TB, what string, hub time.Duration, factor int, partners string, done func() bool) {
	t.Helper()
	last := time.Now()
	r.until(t, what, func() bool {
		if done() {
			return true
		}
		if r.idle(t, last, 1500*time.Millisecond) {
			last = time.Now()
			r.advance(t, hub.String())
			r.partnersAdvance(t, partners)
			hub = min(hub*time.Duration(factor), 24*time.Hour)
		}
		return false
	})
}

// TestBankThatMisbehavesPaysOnce plays each fault of the bank on a payout of its
// own: it ends paid, by the statement, and the bank executed it once.
func TestBankThatMisbehavesPaysOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	r.earn(t, s, "9000.00")
	for _, fault := range []string{
		"execute_then_drop", "execute_then_500", "drop_request", "execute_then_garbage", "execute_late", "answer_twice",
		"callback_before_answer", "callbacks_shuffled", "callback_missing", "not_found_then_visible", "statement_missing",
		"statement_twice", "rate_limited", "bad_signature", "replayed_callback", "slow_body",
	} {
		t.Run(fault, func(t *testing.T) {
			r.fault(t, "bank", fault)
			p := r.payout(t, s, "100.00")
			r.advance(t, "3s") // its file need not wait for others
			r.nudged(t, "the payout "+p.ID, 8*time.Minute, 2, "11m", func() bool { p = r.payoutOf(t, s, p.ID); return p.State == "paid" })
			r.moved(t, p.Ref, "payout", p.Amount)
			if left := r.armed(t); slices.Contains(left, fault) {
				t.Errorf("the bank did not play %s", fault)
			}
		})
	}
	t.Run("paid_then_returned", func(t *testing.T) {
		before := r.available(t, s)
		r.fault(t, "bank", "paid_then_returned")
		p := r.payout(t, s, "100.00")
		r.advance(t, "3s")
		r.until(t, "the payout "+p.ID, func() bool { p = r.payoutOf(t, s, p.ID); return p.State == "paid" })
		r.partnersAdvance(t, "73h")
		r.until(t, "the return of "+p.ID, func() bool { return r.payoutOf(t, s, p.ID).State == "returned" })
		if got := r.available(t, s); !got.Equal(before) {
			t.Errorf("after the return the seller has %s, want %s", got, before)
		}
		if next := r.payout(t, s, "100.00"); next.State != "draft" || len(next.Waits) != 1 || next.Waits[0].Code != "account_refused" {
			t.Errorf("the next payout to an account that sent one back is %s and waits for %v, want a draft that waits for another RIB", next.State, next.Waits)
		}
	})
	t.Run("contradicts_itself", func(t *testing.T) { r.contradicted(t) })
	r.verify(t)
	t.Run("what is meant to be seen is listed", func(t *testing.T) { r.meantBreaks(t) })
}

func (r *rig) available(t testing.TB, s *shop) moneyView {
	t.Helper()
	var b struct{ Available moneyView }
	r.ask(t, req{key: s.key, method: "GET", path: "/v1/balance"}).into(t, &b)
	return b.Available
}

// contradicted has the bank pay what it says it refused. The money that the
// seller was given back is taken again, people are told, and the books stay
// whole.
func (r *rig) contradicted(t *testing.T) {
	s := r.seller(t)
	r.earn(t, s, "400.00")
	r.fault(t, "bank", "contradicts_itself")
	p := r.payout(t, s, "100.00")
	r.advance(t, "3s")
	var v struct {
		State        string
		Contradicted bool
	}
	r.until(t, "the payout "+p.ID+" to be paid after all", func() bool {
		r.ask(t, req{key: s.key, method: "GET", path: "/v1/payouts/" + p.ID}).into(t, &v)
		return v.State == "paid"
	})
	if !v.Contradicted {
		t.Errorf("the payout is %+v, want one that was contradicted", v)
	}
	r.moved(t, p.Ref, "payout", p.Amount)
	if !strings.Contains(r.shows(t, r.operator(), "/v1/ledger/transfers?account=bank:bank:safeguard&limit=100"), "payout.contradicted") {
		t.Error("the books do not say so")
	}
}

// meantBreaks has the bank pay another amount than it was told. That is not
// passed over: people find it among the breaks.
func (r *rig) meantBreaks(t *testing.T) {
	s := r.seller(t)
	r.earn(t, s, "400.00")
	r.fault(t, "bank", "same_ref_other_amount")
	p := r.payout(t, s, "100.00")
	r.advance(t, "3s")
	r.until(t, "a break about "+p.Ref, func() bool {
		var breaks struct{ Data []struct{ About, Why string } }
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/breaks?limit=100"}).into(t, &breaks)
		for _, b := range breaks.Data {
			if strings.Contains(b.About+b.Why, p.Ref) && strings.Contains(b.Why, "another amount") {
				return true
			}
		}
		return false
	})
	if got := r.payoutOf(t, s, p.ID).State; got == "paid" {
		t.Errorf("the payout of another amount is %s", got)
	}
	n := 0
	for _, e := range r.truth(t, p.Ref) {
		if e.Kind == "payout" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the bank executed %s %d times, want once", p.Ref, n)
	}
}

// TestAcquirerThatMisbehavesTakesOnce plays each fault of the acquirer on a sale
// of its own: it ends paid, and the card was charged once. The last facts need
// a clock that can be moved.
func TestAcquirerThatMisbehavesTakesOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	w := r.ware(t, s, 100, "40.00")
	for _, faults := range []string{
		"callback_missing", "bad_signature", "same_ref_other_amount", "callbacks_shuffled", "answer_twice", "callback_before_answer",
		"replayed_callback", "execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late",
		// Without a callback the hub must ask, and then order the capture itself.
		"callback_missing drop_request", "callback_missing rate_limited", "callback_missing slow_body",
		"callback_missing contradicts_itself", "callback_missing not_found_then_visible",
	} {
		t.Run(faults, func(t *testing.T) {
			sale := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
			for _, f := range strings.Fields(faults) {
				r.fault(t, sale.acquirer(), f)
			}
			r.payBy(t, sale, goodCard)
			r.nudged(t, "the sale to be paid", 46*time.Second, 1, "4m", func() bool {
				o := r.orderOf(t, sale.buyer, sale.Orders[0].ID)
				return o.State == "paid" && o.Escrow.State == "funded" && o.Escrow.Held.Equal(sale.Charge.Amount)
			})
			r.captured(t, sale)
			if left := r.armed(t); len(left) != 0 {
				t.Errorf("the acquirer did not play %v", left)
			}
		})
	}
	t.Run("a refused capture may be followed by another card", func(t *testing.T) { r.refusedCapture(t, w) })
	t.Run("a settlement that tells only the net is booked by the contract", func(t *testing.T) { r.netOfFee(t, w) })
	t.Run("a quote expires", func(t *testing.T) { r.expiredQuote(t, w) })
	t.Run("rule 3.2: money after the window goes back", func(t *testing.T) { r.tooLate(t, s) })
	r.verify(t)
}

// refusedCapture has the acquirer decline what its callback announced.
func (r *rig) refusedCapture(t *testing.T, w ware) {
	s := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
	n := r.notice(t, s.Charge.ID, s.Charge.Amount.Amount())
	if got := r.callback(t, sign(n, r.config(t).Acquirer.StoreKey)); got != "ACTION=POSTAUTH" {
		t.Fatalf("the callback is answered %s", got)
	}
	r.payBy(t, s, map[string]string{"pan": "4000000000000002", "expiry": "12/29", "cvv": "000", "otp": "123456"})
	r.nudged(t, "the capture to be refused", 15*time.Second, 1, "1s", func() bool {
		var c struct{ State string }
		r.ask(t, req{key: s.buyer, method: "GET", path: "/v1/charges/" + s.Charge.ID}).into(t, &c)
		return c.State == "accepted"
	})
	r.payBy(t, s, goodCard)
	r.paid(t, s)
	r.captured(t, s)
}

// netOfFee has the acquirer's settlement tell only what it paid.
func (r *rig) netOfFee(t *testing.T, w ware) {
	r.fault(t, "bank", "statement_net_of_fee")
	sale := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
	r.payBy(t, sale, goodCard)
	r.paid(t, sale)
	r.until(t, "all charges to be settled", func() bool {
		var a struct{ Balance moneyView }
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/ledger/accounts/psp:acquirer:clearing"}).into(t, &a)
		return len(r.armed(t)) == 0 && a.Balance.IsZero()
	})
}

func (r *rig) expiredQuote(t *testing.T, w ware) {
	key := r.buyer(t)
	basket := r.basket(t, key, map[string]int{w.variant: 1})
	hash, before := r.quote(t, key, basket), r.left(t, w)
	r.advance(t, "16m")
	r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, hash), idem: once()}).refused(t, 409, "quotes.expired", "/quote")
	if got := r.left(t, w); got != before {
		t.Errorf("an expired quote took the stock from %d to %d", before, got)
	}
	r.ask(t, req{key: key, method: "POST", path: "/v1/checkouts", body: ordering(basket, r.quote(t, key, basket)), idem: once()}).into(t, nil)
}

// tooLate pays on a page that was opened before the window closed. The goods
// are on sale again, and the card's reservation is let go.
func (r *rig) tooLate(t *testing.T, seller *shop) {
	w := r.ware(t, seller, 1, "70.00")
	s := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
	if got := r.left(t, w); got != 0 {
		t.Errorf("%d are on sale while one buyer pays for the only one", got)
	}
	r.advance(t, "31m")
	r.until(t, "the order to expire", func() bool { return r.orderOf(t, s.buyer, s.Orders[0].ID).State == "expired" })
	if got := r.left(t, w); got != 1 {
		t.Errorf("after the window %d are on sale, want 1", got)
	}
	r.payBy(t, s, goodCard)
	r.until(t, "the reservation to be let go", func() bool {
		return slices.ContainsFunc(r.truth(t, refOf(s.Charge.ID)), func(e executed) bool { return e.Kind == "void" })
	})
	for _, e := range r.truth(t, refOf(s.Charge.ID)) {
		if e.Kind == "capture" {
			t.Errorf("money was taken after the window: %+v", e)
		}
	}
	o := r.orderOf(t, s.buyer, s.Orders[0].ID)
	if o.State != "expired" || !o.Escrow.Held.Equal(money.Dirhams(0)) {
		t.Errorf("after a late payment the order is %s and holds %s, want expired and nothing", o.State, o.Escrow.Held)
	}
}
