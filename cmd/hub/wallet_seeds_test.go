package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/payments/operations"
)

// faultsOfWallet are those that the wallets' provider plays on a payment.
var faultsOfWallet = strings.Fields(`drop_request execute_then_drop execute_then_500 execute_then_garbage execute_late answer_twice
	callback_before_answer callbacks_shuffled callback_missing not_found_then_visible same_ref_other_amount bad_signature
	replayed_callback rate_limited slow_body contradicts_itself`)

// TestRandomFaultsOfWalletsMoveMoneyOnce has wallets pay under faults that a
// seed draws: each pays once or not at all, and what it paid is the orders', or
// goes back. SEED and SEEDS are as for the others.
func TestRandomFaultsOfWalletsMoveMoneyOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	first, n := fromEnv(t, "SEED", 1), fromEnv(t, "SEEDS", 6)
	seller := l.seller(t)
	w := l.ware(t, seller, n, "40.00")
	for seed := first; seed < first+n && !t.Failed(); seed++ {
		rnd := rand.New(rand.NewPCG(uint64(seed), 7))
		faults := draw(rnd, faultsOfWallet)
		disarm := l.arm("wallet", faults)
		sale := l.buyByWallet(t, w.variant, phone("00"))
		var ops []operations.Operation
		l.settles("the wallet to end under "+strings.Join(faults, ", "), time.Minute, func() bool {
			var ended bool
			ops, ended = l.ops(sale.Charge.ID)
			o := l.orderOf(t, sale.buyer, sale.Orders[0].ID)
			return ended && (o.State == "paid" || o.State == "expired")
		})
		disarm()
		o, ref := l.orderOf(t, sale.buyer, sale.Orders[0].ID), refOf(sale.Charge.ID)
		charged, paid := l.times(ref, "charge"), o.State == "paid" && o.Escrow.Held.Equal(sale.Charge.Amount)
		if charged == 1 && !paid {
			l.settles("late money to go back", time.Minute, func() bool {
				var v struct{ Refunds []refundView }
				l.ask(t, req{key: sale.buyer, method: "GET", path: "/v1/charges/" + sale.Charge.ID}).into(t, &v)
				return len(v.Refunds) == 1 && v.Refunds[0].State == "confirmed" && l.times(refOf(v.Refunds[0].ID), "refund") == 1
			})
		}
		switch {
		case charged > 1, charged == 0 && o.State != "expired":
			t.Errorf("under %v the wallet paid %d times, and the order is %s%s", faults, charged, o.State, told(ops))
		case slices.ContainsFunc(ops, func(o operations.Operation) bool { return o.State == operations.Review }):
			t.Errorf("under %v nothing is left for people to decide%s", faults, told(ops))
		}
		if t.Failed() {
			t.Fatalf("… with SEED=%d SEEDS=1", seed)
		}
	}
	l.judge(t)
}
