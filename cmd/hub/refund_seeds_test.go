package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"tiwiza/payments/operations"
)

// The faults that a partner can play on money that goes back.
var (
	faultsOfRefund = strings.Fields(`execute_then_drop execute_then_500 execute_then_garbage execute_late drop_request rate_limited slow_body
		contradicts_itself not_found_then_visible`)
	faultsOfPhone = strings.Fields(`drop_request execute_then_drop execute_then_500 execute_then_garbage execute_late answer_twice
		callback_before_answer callbacks_shuffled callback_missing not_found_then_visible bad_signature replayed_callback rate_limited
		slow_body contradicts_itself`)
	faultsOfAccount = strings.Fields(`execute_then_drop execute_then_500 drop_request execute_then_garbage execute_late answer_twice
		callback_before_answer callbacks_shuffled callback_missing not_found_then_visible statement_missing statement_twice rate_limited
		bad_signature replayed_callback slow_body`)
	closedCard = map[string]string{"pan": "4000000000000036", "expiry": "12/29", "cvv": "000", "otp": "123456"}
)

// bought is a sale of 40.00 that is paid by a card; settled, its acquirer has paid
// it too.
func (l *lab) bought(seller *stall, card map[string]string, settled bool) sale {
	l.t.Helper()
	w := l.ware(l.t, seller.shop, 1, "40.00")
	sold := l.checkout(l.t, l.buyer(l.t), map[string]int{w.variant: 1})
	l.payBy(l.t, sold, card)
	l.settles("a sale to be paid", 8*time.Second, func() bool { return l.orderOf(l.t, sold.buyer, sold.Orders[0].ID).State == "paid" })
	if settled {
		l.settles("its settlement", 8*time.Second, func() bool {
			var c struct{ Settled bool }
			l.ask(l.t, req{key: sold.buyer, method: "GET", path: "/v1/charges/" + sold.Charge.ID}).into(l.t, &c)
			return c.Settled
		})
	}
	return sold
}

// cancelled has a buyer cancel its order: all of it goes back.
func (l *lab) cancelled(buyer, order string) (v refundView) {
	l.t.Helper()
	l.ask(l.t, req{key: buyer, method: "POST", path: "/v1/orders/" + order + "/cancel", body: map[string]string{"reason": "Plus besoin."}, idem: once()}).into(l.t, nil)
	l.settles("a refund to be made", 8*time.Second, func() bool {
		back := l.refundsOf(l.t, buyer, order)
		if len(back) == 1 {
			v = back[0]
		}
		return len(back) > 0
	})
	return v
}

// givesBack has a card given back some of what it paid, or all of it, before its
// acquirer has settled or after.
func (l *lab) givesBack(rnd *rand.Rand, s *score) {
	faults := draw(rnd, faultsOfRefund)
	seller := l.shop(false)
	sold := l.bought(seller, goodCard, rnd.IntN(2) == 0)
	order, ref := sold.Orders[0].ID, refOf(sold.Charge.ID)
	var v refundView
	var disarm func() []string
	if rnd.IntN(2) == 0 {
		disarm = l.arm("acquirer", faults)
		v = l.cancelled(sold.buyer, order)
	} else {
		l.shipped(l.t, sold, seller.shop)
		disarm = l.arm("acquirer", faults)
		l.ask(l.t, refunding(sold, seller.key, fmt.Sprintf("%d.00", 5+rnd.IntN(20)))).into(l.t, &v)
	}
	l.back(s, "card", v, faults, disarm, sold.buyer, func() int { return l.times(ref, "refund") + l.times(ref, "void") })
}

// givesBackToPhone has a wallet pay, and given back what it paid; the faults come
// in one or the other.
func (l *lab) givesBackToPhone(rnd *rand.Rand, s *score) {
	faults := draw(rnd, faultsOfPhone)
	seller := l.shop(false)
	w := l.ware(l.t, seller.shop, 1, "40.00")
	early := rnd.IntN(2) == 0
	disarm := func() []string { return nil }
	if early {
		disarm = l.arm("wallet", faults)
	}
	sold := l.buyByWallet(l.t, w.variant, phone([]string{"00", "66"}[rnd.IntN(2)])) // undone, or paid to the phone
	order := sold.Orders[0].ID
	l.settles("the wallet to pay under "+strings.Join(faults, ", "), 20*time.Minute, func() bool {
		state := l.orderOf(l.t, sold.buyer, order).State
		return state == "paid" || state == "expired"
	})
	if n := l.times(refOf(sold.Charge.ID), "charge"); n > 1 {
		l.t.Errorf("under %v the wallet paid %d times", faults, n)
	}
	if state := l.orderOf(l.t, sold.buyer, order).State; state != "paid" {
		s.count(faults, disarm())
		s.end("sale by wallet " + state)
		return
	}
	if !early {
		disarm = l.arm("wallet", faults)
	}
	v := l.cancelled(sold.buyer, order)
	l.back(s, "wallet", v, faults, disarm, sold.buyer, func() int { return l.times(refOf(v.ID), "refund") + l.times(refOf(v.ID)+"-2", "refund") })
}

// givesBackToAccount has the bank pay what a closed card does not take.
func (l *lab) givesBackToAccount(rnd *rand.Rand, s *score) {
	faults := draw(rnd, faultsOfAccount)
	rich := l.shop(true) // the clients' account can pay
	sold := l.bought(rich, closedCard, true)
	var v refundView
	l.shipped(l.t, sold, rich.shop)
	l.ask(l.t, refunding(sold, rich.key, fmt.Sprintf("%d.00", 5+rnd.IntN(20)))).into(l.t, &v)
	l.settles("the card to refuse", 8*time.Second, func() bool { return l.refundOf(l.t, sold.buyer, v.ID).State == "awaiting_rib" })
	disarm := l.arm("bank", faults)
	l.ask(l.t, req{key: sold.buyer, method: "POST", path: "/v1/refunds/" + v.ID + "/account", body: map[string]string{"rib": "011519000001205000534921"}, idem: once()}).into(l.t, nil)
	l.pass(3*time.Second, 0)
	l.back(s, "account", v, faults, disarm, sold.buyer, func() int {
		return l.times(refOf(v.ID)+"-2", "refund") + l.times(refOf(sold.Charge.ID), "refund")
	})
}

// back follows a refund to its end: its partner gave it back once, and it is
// confirmed; or not at all, and another account is asked for.
func (l *lab) back(s *score, rail string, v refundView, faults []string, disarm func() []string, buyer string, executed func() int) {
	l.t.Helper()
	var ops []operations.Operation
	l.settles("the refund to the "+rail+" to end under "+strings.Join(faults, ", "), 6*time.Hour, func() (ended bool) {
		if ops, ended = l.ops(v.ID); len(ops) == 0 || !ended {
			return false
		}
		v = l.refundOf(l.t, buyer, v.ID)
		return v.State == "confirmed" || v.State == "awaiting_rib" && executed() == 0 || l.reviewed(ops)
	})
	s.count(faults, disarm())
	n := executed()
	switch {
	case n > 1:
		l.t.Errorf("under %v the refund was made %d times%s", faults, n, told(ops))
	case v.State == "confirmed" && n != 1, v.State == "awaiting_rib" && n != 0:
		l.t.Errorf("under %v the refund is %s and was made %d times%s", faults, v.State, n, told(ops))
	case l.reviewed(ops):
		l.t.Errorf("under %v nothing is left for people to decide%s", faults, told(ops))
	case v.State != "confirmed" && !slices.Contains(faults, "contradicts_itself"):
		l.t.Errorf("under %v the refund is %s%s", faults, v.State, told(ops))
	}
	s.end("refund to " + rail + " " + v.State)
}

// reviewed says whether people have to decide.
func (l *lab) reviewed(ops []operations.Operation) bool {
	return slices.ContainsFunc(ops, func(o operations.Operation) bool { return o.State == operations.Review })
}
