package main

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A refundView is a refund as these tests look at it.
type refundView struct {
	ID, Order, State, Rail, Why string
	Amount                      moneyView
}

// sold is a sale that is paid, by a card.
func (r *rig) sold(t testing.TB, w ware, card map[string]string, settled bool) sale {
	t.Helper()
	s := r.checkout(t, r.buyer(t), map[string]int{w.variant: 1})
	r.payBy(t, s, card)
	r.paid(t, s)
	r.until(t, "the acquirer's settlement", func() bool {
		var c struct{ Settled bool }
		r.ask(t, req{key: s.buyer, method: "GET", path: "/v1/charges/" + s.Charge.ID}).into(t, &c)
		return c.Settled || !settled
	})
	return s
}

// shipped has the seller send what was sold.
func (r *rig) shipped(t testing.TB, s sale, seller *shop) {
	t.Helper()
	at := "/v1/orders/" + s.Orders[0].ID
	r.ask(t, req{key: seller.key, method: "POST", path: at + "/accept"}).into(t, nil)
	r.ask(t, req{key: seller.key, method: "POST", path: at + "/ship", body: map[string]string{"carrier": "Messagerie exemple", "tracking": "EX-1"}}).into(t, nil)
}

func refunding(s sale, key, amount string) req {
	return req{
		key: key, method: "POST", path: "/v1/orders/" + s.Orders[0].ID + "/refunds",
		body: map[string]any{"amount": dirhams(amount), "reason": "Un pot est cassé."}, idem: once(),
	}
}

func (r *rig) refundOf(t testing.TB, key, id string) (v refundView) {
	t.Helper()
	r.ask(t, req{key: key, method: "GET", path: "/v1/refunds/" + id}).into(t, &v)
	return v
}

// refundsOf are the refunds of an order.
func (r *rig) refundsOf(t testing.TB, key, order string) []refundView {
	t.Helper()
	var o struct{ Refunds []refundView }
	r.ask(t, req{key: key, method: "GET", path: "/v1/orders/" + order}).into(t, &o)
	return o.Refunds
}

// TestAcquirerThatMisbehavesGivesBackOnce plays each fault of the acquirer on a
// refund of its own: it ends confirmed, and the card got it once.
func TestAcquirerThatMisbehavesGivesBackOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	w := r.ware(t, s, 100, "40.00")
	for _, fault := range []string{
		"execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late", "drop_request", "rate_limited", "slow_body",
		"contradicts_itself", "not_found_then_visible",
	} {
		t.Run(fault, func(t *testing.T) {
			sale := r.sold(t, w, goodCard, true)
			r.shipped(t, sale, s)
			r.fault(t, sale.acquirer(), fault)
			var v refundView
			r.ask(t, refunding(sale, s.key, "15.00")).into(t, &v)
			r.nudged(t, "the refund "+v.ID, 46*time.Second, 1, "4m", func() bool { return r.refundOf(t, sale.buyer, v.ID).State == "confirmed" })
			r.moved(t, refOf(sale.Charge.ID), "refund", v.Amount)
			if left := r.armed(t); slices.Contains(left, fault) {
				t.Errorf("the acquirer did not play %s", fault)
			}
			if o := r.orderOf(t, sale.buyer, sale.Orders[0].ID); !o.Escrow.Refunded.Equal(v.Amount) || o.State != "shipped" {
				t.Errorf("the order is %s, with %+v", o.State, o.Escrow)
			}
		})
	}
	r.verify(t)
}

// TestAWholeOrderIsLetGoBeforeItIsSettled cancels orders whose charge the
// acquirer has not settled: it lets the charge go, once, whatever it answers.
func TestAWholeOrderIsLetGoBeforeItIsSettled(t *testing.T) {
	t.Parallel()
	r := newRig(t, "HUBSIM_SETTLE_EVERY=1h")
	s := r.seller(t)
	w := r.ware(t, s, 100, "40.00")
	for _, fault := range []string{"", "execute_then_drop", "execute_then_500", "execute_then_garbage", "execute_late", "contradicts_itself"} {
		t.Run(fault, func(t *testing.T) {
			sale, before := r.sold(t, w, goodCard, false), r.left(t, w)
			if fault != "" {
				r.fault(t, sale.acquirer(), fault)
			}
			order := sale.Orders[0].ID
			var o orderView
			r.ask(t, req{key: sale.buyer, method: "POST", path: "/v1/orders/" + order + "/cancel", body: map[string]string{"reason": "Plus besoin."}, idem: once()}).into(t, &o)
			if got := r.left(t, w); o.State != "cancelled" || got != before+1 {
				t.Errorf("the order is %s, %d are on sale, want cancelled and %d", o.State, got, before+1)
			}
			r.nudged(t, "the charge to be let go", 46*time.Second, 1, "4m", func() bool {
				back := r.refundsOf(t, sale.buyer, order)
				return len(back) == 1 && back[0].State == "confirmed"
			})
			r.moved(t, refOf(sale.Charge.ID), "void", sale.Charge.Amount)
			if o := r.orderOf(t, sale.buyer, order); o.State != "cancelled" || o.Escrow.State != "refunded" {
				t.Errorf("the order is %s, its escrow %s", o.State, o.Escrow.State)
			}
		})
	}
	r.verify(t)
}

// TestARefundThatItsCardDoesNotTakeGoesToTheBuyersAccount follows it through the
// bank's faults, and back once.
func TestARefundThatItsCardDoesNotTakeGoesToTheBuyersAccount(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	r.earn(t, s, "500.00") // the clients' account can pay
	w := r.ware(t, s, 100, "40.00")
	closed := map[string]string{"pan": "4000000000000036", "expiry": "12/29", "cvv": "000", "otp": "123456"}
	const rib = "011519000001205000534921"
	for _, fault := range []string{"", "execute_then_drop", "drop_request", "execute_late", "answer_twice", "callback_missing", "not_found_then_visible", "paid_then_returned"} {
		t.Run(fault, func(t *testing.T) {
			sale := r.sold(t, w, closed, true)
			r.shipped(t, sale, s)
			var v refundView
			r.ask(t, refunding(sale, s.key, "15.00")).into(t, &v)
			r.until(t, "the card to refuse "+v.ID, func() bool { v = r.refundOf(t, sale.buyer, v.ID); return v.State == "awaiting_rib" })
			give := req{key: sale.buyer, method: "POST", path: "/v1/refunds/" + v.ID + "/account", body: map[string]string{"rib": rib}, idem: once()}
			wrong := give
			wrong.body, wrong.idem = map[string]string{"rib": strings.Repeat("1", 24)}, once()
			r.ask(t, wrong).refused(t, 422, "bank.rib", "/rib")
			wrong.body, wrong.idem, wrong.key = give.body, once(), r.buyer(t)
			r.ask(t, wrong).refused(t, 404, "refunds.not_found")
			if fault != "" {
				r.fault(t, "bank", fault)
			}
			first := r.ask(t, give).into(t, &v)
			if again := r.ask(t, give).into(t, nil); string(again.body) != string(first.body) {
				t.Errorf("a replay answers\n%s, want\n%s", again.body, first.body)
			}
			paid := func(ref string) {
				r.advance(t, "3s")
				r.nudged(t, "the refund "+v.ID, 8*time.Minute, 2, "11m", func() bool { return r.refundOf(t, sale.buyer, v.ID).State == "confirmed" })
				r.moved(t, ref, "refund", v.Amount)
			}
			paid(refOf(v.ID) + "-2")
			if fault == "paid_then_returned" {
				r.partnersAdvance(t, "73h")
				r.until(t, "the return of "+v.ID, func() bool { return r.refundOf(t, sale.buyer, v.ID).State == "returned" })
				give.idem = once()
				r.ask(t, give).into(t, &v)
				paid(refOf(v.ID) + "-3")
			}
			for _, e := range r.truth(t, refOf(sale.Charge.ID)) {
				if e.Kind == "refund" {
					t.Errorf("the closed card got %+v", e)
				}
			}
		})
	}
	r.verify(t)
}

// A caseView is a chargeback as these tests look at it.
type caseView struct{ ID, Case, Charge, State string }

func (r *rig) chargebackOf(t testing.TB, charge string) (v caseView) {
	t.Helper()
	var list struct{ Data []caseView }
	r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/chargebacks?limit=100"}).into(t, &list)
	for _, b := range list.Data {
		if b.Charge == charge {
			v = b
		}
	}
	return v
}

// TestChargebacks has buyers' banks take payments back, before and after their
// release: told, told falsely, told by the settlement alone.
func TestChargebacks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	w := r.ware(t, s, 100, "40.00")
	r.earn(t, s, "500.00")
	for _, c := range []struct {
		name, fault, verdict string
		released             bool
	}{
		{"won before its release", "", "won", false},
		{"lost before its release", "answer_twice", "lost", false},
		{"lost after its release", "replayed_callback", "lost", true},
		{"shown by the settlement alone", "callback_missing", "won", false},
		{"told again after a false signature", "bad_signature", "lost", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			sale := r.sold(t, w, goodCard, true)
			if c.released {
				r.complete(t, sale, s)
			}
			if c.fault != "" {
				r.fault(t, sale.acquirer(), c.fault)
			}
			var at struct{ ID string }
			r.partner(t, "POST", "/cases", map[string]string{"ref": refOf(sale.Charge.ID), "reason": "13.1"}, &at)
			r.until(t, "the chargeback", func() bool { return r.chargebackOf(t, sale.Charge.ID).State == "open" })
			var o struct{ Case *struct{ Kind, State string } }
			r.ask(t, req{key: sale.buyer, method: "GET", path: "/v1/orders/" + sale.Orders[0].ID}).into(t, &o)
			if o.Case == nil || o.Case.Kind != "chargeback" {
				t.Errorf("the order shows the case %+v", o.Case)
			}
			r.ask(t, refunding(sale, r.operator(), "1.00")).refused(t, 409, "escrow.disputed")
			r.partner(t, "POST", "/cases", map[string]string{"id": at.ID, "state": c.verdict}, nil)
			r.nudged(t, "the verdict", time.Second, 1, "6s", func() bool { return r.chargebackOf(t, sale.Charge.ID).State == c.verdict })
			e := r.orderOf(t, sale.buyer, sale.Orders[0].ID).Escrow
			if held := !e.Held.IsZero(); held != (c.verdict == "won") {
				t.Errorf("after the chargeback is %s the escrow is %+v", c.verdict, e)
			}
		})
	}
	r.until(t, "the settlements to be read", func() bool {
		var breaks struct{ Data []struct{ About, Why string } }
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/breaks"}).into(t, &breaks)
		if len(breaks.Data) > 0 {
			t.Fatalf("breaks: %+v", breaks.Data)
		}
		var b struct{ Balance moneyView }
		r.ask(t, req{key: r.operator(), method: "GET", path: "/v1/ledger/accounts/psp:acquirer:clearing"}).into(t, &b)
		return b.Balance.IsZero()
	})
	r.verify(t)
}

// TestRefundsAreIdempotent plays the idempotency suite on the route that gives
// money back.
func TestRefundsAreIdempotent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := r.seller(t)
	sale := r.sold(t, r.ware(t, s, 1, "400.00"), goodCard, true)
	r.shipped(t, sale, s)
	q := refunding(sale, s.key, "10.00")
	missing := q
	missing.idem = ""
	r.ask(t, missing).refused(t, 400, "idempotency.missing")
	bad := q
	bad.body = map[string]any{"amount": dirhams("9000.00"), "reason": "trop"}
	bad.idem = once()
	for range 2 { // a refusal is not kept: it is refused again
		r.ask(t, bad).refused(t, 422, "escrow.amount")
	}
	bad.body = q.body
	r.ask(t, bad).into(t, nil) // and the key is free for what is right
	first := r.ask(t, q).into(t, nil)
	changed := q
	changed.body = map[string]any{"amount": dirhams("11.00"), "reason": "autre"}
	r.ask(t, changed).refused(t, 422, "idempotency.reused")
	var all sync.WaitGroup
	var same atomic.Int32
	for range 50 {
		all.Go(func() {
			switch a := r.ask(t, q); {
			case a.status == 201 && string(a.body) == string(first.body):
				same.Add(1)
			case a.status != 409:
				t.Errorf("a replay answers %d %s", a.status, a.body)
			}
		})
	}
	all.Wait()
	if same.Load() == 0 {
		t.Error("no replay was answered")
	}
	q.key = r.seller(t).key // another member's key by the same name
	r.ask(t, q).refused(t, 404, "orders.not_found")
	race := refunding(sale, s.key, "5.00")
	var made atomic.Int32
	for range 50 {
		all.Go(func() {
			if a := r.ask(t, race); a.status == 201 {
				made.Add(1)
			} else if a.status != 409 {
				t.Errorf("one of fifty is answered %d %s", a.status, a.body)
			}
		})
	}
	all.Wait()
	if back := r.refundsOf(t, sale.buyer, sale.Orders[0].ID); len(back) != 3 || made.Load() == 0 {
		t.Errorf("%d refunds were made, want 3: %v", len(back), back)
	}
	if o := r.orderOf(t, sale.buyer, sale.Orders[0].ID); o.Escrow.Refunded.Amount() != "25.00" {
		t.Errorf("%s went back, want 25.00", o.Escrow.Refunded)
	}
}

// givenBack cancels an order whose card takes nothing back, gives part of
// another back, and sends forged news of a chargeback.
func givenBack(t *testing.T, r *rig, _ trade) {
	s := r.seller(t)
	w := r.ware(t, s, 3, "30.00")
	sale := r.sold(t, w, map[string]string{"pan": "4000000000000036", "expiry": "12/29", "cvv": "000", "otp": "123456"}, true)
	order := "/v1/orders/" + sale.Orders[0].ID
	cancel := req{key: r.buyer(t), method: "POST", path: order + "/cancel", body: map[string]string{"reason": "Plus besoin."}, idem: once()}
	r.ask(t, cancel).refused(t, 404, "orders.not_found")
	cancel.key, cancel.idem = s.key, once()
	r.ask(t, cancel).into(t, nil)
	r.ask(t, refunding(sale, s.key, "1.00")).refused(t, 409, "escrow.state")
	back := r.refundsOf(t, sale.buyer, sale.Orders[0].ID)
	if len(back) != 1 || !back[0].Amount.Equal(sale.Charge.Amount) {
		t.Fatalf("a cancelled order shows the refunds %+v", back)
	}
	r.until(t, "the card to refuse", func() bool { return r.refundOf(t, s.key, back[0].ID).State == "awaiting_rib" })
	r.ask(t, req{key: r.buyer(t), method: "GET", path: "/v1/refunds/" + back[0].ID}).refused(t, 404, "refunds.not_found")
	r.ask(t, req{
		key: sale.buyer, method: "POST", path: "/v1/refunds/" + back[0].ID + "/account",
		body: map[string]string{"rib": "230780210345678901234517", "holder": "Acheteur exemple"}, idem: once(),
	}).into(t, nil)

	other := r.sold(t, w, goodCard, true)
	r.shipped(t, other, s)
	r.ask(t, refunding(other, s.key, "5.00")).into(t, nil)
	forged := req{method: "POST", path: "/callbacks/acquirer/chargeback", body: "messageType=CHARGEBACK&caseId=CBK-1", media: "application/x-www-form-urlencoded"}
	if a := r.ask(t, forged); string(a.body) != "FAILURE" {
		t.Errorf("a forged chargeback is answered %d %s", a.status, a.body)
	}
	if b := r.chargebackOf(t, other.Charge.ID); b.ID != "" {
		t.Errorf("a forged message made the chargeback %+v", b)
	}
}
