package orders_test

import (
	"slices"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

func (h *hub) balance(account string) int64 {
	h.t.Helper()
	n, err := ledger.New(h.db).Balance(h.t.Context(), h.db, account, money.MAD)
	must(h.t, err)
	return n
}

// letGo has the buyer let some of an order's money go, or all of it, before it
// is shipped.
func (h *hub) letGo(order string, amount int64) {
	h.t.Helper()
	holds, err := h.escrows.OfOrders(h.t.Context(), h.db, []string{order})
	must(h.t, err)
	hold := holds[order]
	if amount == 0 {
		amount = hold.Held()
	}
	ctx := auth.With(h.t.Context(), auth.Principal{Subject: hold.Buyer, Role: auth.Buyer})
	must(h.t, h.db.InTx(ctx, func(tx *pg.Tx) error {
		_, err := h.escrows.Release(ctx, tx, escrow.ReleaseInput{Escrow: hold.ID, Amount: money.Dirhams(amount)})
		return err
	}))
	h.deliver()
}

// paidOut has the seller take all that is available.
func (h *hub) paidOut(seller string) {
	h.t.Helper()
	n := h.balance(ledger.Available(seller))
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		if _, err := h.escrows.Cover(h.t.Context(), tx, seller, money.MAD, n); err != nil {
			return err
		}
		return ledger.New(h.db).Post(h.t.Context(), tx, ledger.Transfer{Key: "payout:x", Kind: "payout.intent", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Available(seller), n), ledger.Credit(ledger.Payout("pay_x"), n),
		}})
	}))
}

// Buyer and seller together could otherwise have the platform pay: the money
// goes to the seller, is paid out, and a cancellation gives it back.
func TestReleasedMoneyDoesNotComeBackByACancellation(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(h *hub, s shop, me auth.Key, at, total string){
		"buyer cancels": func(h *hub, _ shop, me auth.Key, at, _ string) {
			h.refused(409, "orders.released", "", me, "POST", at+"/cancel", `{"reason":"x"}`, "k1")
		},
		"seller cancels": func(h *hub, s shop, _ auth.Key, at, _ string) {
			h.refused(409, "orders.released", "", s.key, "POST", at+"/cancel", `{"reason":"x"}`, "k1")
		},
		"seller refunds all": func(h *hub, s shop, _ auth.Key, at, total string) {
			if w := h.ask(s.key, "POST", at+"/refunds", refundOf(total), "k1"); w.Code < 400 {
				h.t.Errorf("the refund is answered %d %s", w.Code, w.Body)
			}
		},
		"operator cancels alone": func(h *hub, _ shop, _ auth.Key, at, _ string) {
			h.refused(409, "orders.released", "", h.boss, "POST", at+"/cancel", `{"reason":"x"}`, "k1")
		},
		"the timer": func(h *hub, _ shop, _ auth.Key, _, _ string) { h.advance(49 * time.Hour) },
	} {
		for part, amount := range map[string]int64{"all": 0, "a part": 8_000_00} {
			t.Run(name+", of which was released "+part, func(t *testing.T) {
				t.Parallel()
				h := newHub(t)
				s, me := h.shop("9000.00", 5, ""), h.buyer()
				c := h.buy(me, 1, s)
				h.pay(c)
				o := c.ids()[0]
				h.letGo(o, amount)
				h.paidOut(s.id)
				do(h, s, me, "/v1/orders/"+o, c.Orders[0].Totals.Total.Amount())
				h.went()
				if owed := h.balance(ledger.Receivable(s.id)); owed != 0 {
					t.Errorf("the seller owes %d", owed)
				}
				if v := h.show(me, o); v.State != orders.Paid {
					t.Errorf("the order is %s", v.State)
				}
				if name == "the timer" && !slices.ContainsFunc(h.show(me, o).Timeline, func(e orders.Entry) bool { return e.What == "unserved" }) {
					t.Error("nobody is told")
				}
			})
		}
	}
}

func TestTwoPeopleGiveBackAnOrderThatWasReleasedAndNeverLeft(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("9000.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	h.pay(c)
	o, total := c.ids()[0], c.Orders[0].Totals.Total.Amount()
	h.letGo(o, 0)
	var v charges.RefundView
	h.want(201, &v, h.boss, "POST", "/v1/orders/"+o+"/refunds", refundOf(total), "k1")
	if v.Approval == "" {
		t.Fatalf("it waits for nobody: %+v", v)
	}
	h.went()
	h.want(200, nil, h.second(), "POST", "/v1/approvals/"+v.Approval, `{"decision":"approve"}`, "k2")
	h.went(total + " abimé")
	if v := h.show(me, o); v.State != orders.Cancelled {
		t.Errorf("the order is %s", v.State)
	}
	if st := h.stock(s); st.OnHand != 5 {
		t.Errorf("the stock is %+v", st)
	}
}
