package orders_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// advance moves the hub's time and fires what is due.
func (h *hub) advance(d time.Duration) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		_, err := clock.Advance(h.t.Context(), tx, d)
		return err
	}))
	_, err := h.timers.Due(auth.With(h.t.Context(), auth.Hub))
	must(h.t, err)
}

// bought is a paid order of one article of 100.00 with its delivery.
func (h *hub) bought() (s shop, me auth.Key, c checkout) {
	h.t.Helper()
	s, me = h.shop("100.00", 5, ""), h.buyer()
	c = h.buy(me, 1, s)
	h.pay(c)
	return s, me, c
}

func (h *hub) went(want ...string) {
	h.t.Helper()
	if got := h.till.gone(); !slices.Equal(got, want) {
		h.t.Errorf("went back: %q, want %q", got, want)
	}
}

func TestAnOrderIsCancelledBeforeItIsShippedByEitherSide(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]func(h *hub, s shop, me auth.Key) auth.Key{
		"buyer":    func(_ *hub, _ shop, me auth.Key) auth.Key { return me },
		"seller":   func(_ *hub, s shop, _ auth.Key) auth.Key { return s.key },
		"operator": func(h *hub, _ shop, _ auth.Key) auth.Key { return h.boss },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			s, me, c := h.bought()
			o, total := c.ids()[0], c.Orders[0].Totals.Total.Amount()
			h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
			key := by(h, s, me)
			var v orders.View
			h.want(200, &v, key, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"plus besoin"}`, "k1")
			if v.State != orders.Cancelled || !v.Escrow.Held.IsZero() || v.Escrow.Refunded.Amount() != total {
				t.Errorf("the order is %s, with %+v", v.State, v.Escrow)
			}
			h.want(200, nil, key, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"encore"}`, "k2")
			h.went(total + " plus besoin")
			if st := h.stock(s); st.OnHand != 5 {
				t.Errorf("the stock is %+v, want 5 on hand", st)
			}
			h.refused(409, "orders.state", "", s.key, "POST", "/v1/orders/"+o+"/ship", `{"carrier":"c","tracking":"t"}`)
		})
	}
}

func TestAnOrderThatLeftOrWasNotPaidIsNotCancelled(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	o := c.ids()[0]
	h.refused(409, "orders.state", "", me, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"x"}`, "k1")
	h.refused(409, "orders.not_paid", "/state", s.key, "POST", "/v1/orders/"+o+"/refunds", `{"amount":{"amount":"1.00","currency":"MAD"},"reason":"x"}`, "k2")
	h.pay(c)
	h.refused(404, "orders.not_found", "", h.buyer(), "POST", "/v1/orders/"+o+"/cancel", `{"reason":"x"}`, "k3")
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/ship", `{"carrier":"c","tracking":"t"}`)
	h.refused(409, "orders.state", "", me, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"x"}`, "k4")
	h.went()
}

func TestASellerWhoSaysNothingLosesTheOrder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, c := h.bought()
	h.advance(47 * time.Hour)
	h.went()
	h.advance(time.Hour + time.Minute)
	h.went(c.Orders[0].Totals.Total.Amount() + " seller_silent")
	if v := h.show(me, c.ids()[0]); v.State != orders.Cancelled {
		t.Errorf("the order is %s", v.State)
	}
	if st := h.stock(s); st.OnHand != 5 {
		t.Errorf("the stock is %+v", st)
	}
}

func TestAnOrderThatIsNotShippedIsLateAndThenCancelled(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, c := h.bought()
	o := c.ids()[0]
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
	h.advance(96*time.Hour + time.Minute)
	v := h.show(me, o)
	if v.State != orders.Accepted || !slices.ContainsFunc(v.Timeline, func(e orders.Entry) bool { return e.What == "late" }) {
		t.Errorf("after 96 hours the order is %s: %+v", v.State, v.Timeline)
	}
	h.advance(96 * time.Hour)
	h.went(c.Orders[0].Totals.Total.Amount() + " not_shipped")
	if v := h.show(me, o); v.State != orders.Cancelled {
		t.Errorf("after 192 hours the order is %s", v.State)
	}
}

func TestACaseStopsTheTimersOfAnOrder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, me, c := h.bought()
	o := c.ids()[0]
	freeze := func(thaw bool) {
		must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) (err error) {
			if thaw {
				_, err = h.escrows.Thaw(t.Context(), tx, o, "dsp_1")
			} else {
				_, err = h.escrows.Freeze(t.Context(), tx, o, escrow.Case{ID: "dsp_1", Kind: "dispute", State: "open"})
			}
			return err
		}))
	}
	freeze(false)
	h.advance(49 * time.Hour)
	h.went()
	h.refused(409, "escrow.disputed", "", me, "POST", "/v1/orders/"+o+"/cancel", `{"reason":"x"}`, "k1")
	freeze(true)
	h.advance(2 * time.Hour)
	h.went(c.Orders[0].Totals.Total.Amount() + " seller_silent")
}

func refundOf(amount string, more ...string) string {
	return fmt.Sprintf(`{"amount":{"amount":%q,"currency":"MAD"},"reason":"abimé"%s}`, amount, strings.Join(more, ""))
}

func TestASellerGivesBackWhatIsHeldAndNoMore(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, c := h.bought()
	o := c.ids()[0]
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/ship", `{"carrier":"c","tracking":"t"}`)
	path := "/v1/orders/" + o + "/refunds"
	var v charges.RefundView
	h.want(201, &v, s.key, "POST", path, refundOf("20.00"), "k1")
	if v.Order != o || v.State != charges.RefundCreated || v.Amount.Amount() != "20.00" {
		t.Errorf("the refund is %+v", v)
	}
	first := h.ask(s.key, "POST", path, refundOf("20.00"), "k1")
	if again := h.ask(s.key, "POST", path, refundOf("20.00"), "k1"); first.Code != 201 || !same(first, again) {
		t.Errorf("the same key again: %d %s", again.Code, again.Body)
	}
	h.refused(422, "idempotency.reused", "", s.key, "POST", path, refundOf("21.00"), "k1")
	h.refused(400, "idempotency.missing", "", s.key, "POST", path, refundOf("20.00"))
	h.refused(403, "auth.denied", "", me, "POST", path, refundOf("20.00"), "k2")
	h.refused(422, "orders.goodwill", "/goodwill", s.key, "POST", path, refundOf("1.00", `,"goodwill":true`), "k3")
	h.refused(422, "escrow.amount", "/amount", s.key, "POST", path, refundOf("900.00"), "k4")
	h.went("20.00 abimé")
	h.want(200, nil, me, "POST", "/v1/orders/"+o+"/receive", "", "k5")
	h.refused(409, "escrow.state", "", s.key, "POST", path, refundOf("1.00"), "k6")
}

func TestTheOperatorGivesBackAfterReleaseAndTwoPeopleWhatIsMuch(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("7000.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	h.pay(c)
	o := c.ids()[0]
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/ship", `{"carrier":"c","tracking":"t"}`)
	h.want(200, nil, me, "POST", "/v1/orders/"+o+"/receive", "", "k1")
	path := "/v1/orders/" + o + "/refunds"
	h.want(201, nil, h.boss, "POST", path, refundOf("100.00", `,"goodwill":true`), "k2")
	h.went("100.00 abimé")
	var v charges.RefundView
	h.want(201, &v, h.boss, "POST", path, refundOf("6000.00"), "k3")
	if v.Approval == "" {
		t.Fatalf("a large refund after release waits for nobody: %+v", v)
	}
	h.went("100.00 abimé")
	h.refused(403, "approvals.self", "", h.boss, "POST", "/v1/approvals/"+v.Approval, `{"decision":"approve"}`, "k4")
	h.want(200, nil, h.second(), "POST", "/v1/approvals/"+v.Approval, `{"decision":"approve"}`, "k5")
	h.went("100.00 abimé", "6000.00 abimé")
	has, err := ledger.New(h.db).Balance(t.Context(), h.db, ledger.Refund(v.ID), "MAD")
	if err != nil || has != 600000 {
		t.Errorf("refund:%s has %d (%v), want 6000.00", v.ID, has, err)
	}
}

func TestManySmallRefundsAreOneLargeOne(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("7000.00", 5, ""), h.buyer()
	c := h.buy(me, 1, s)
	h.pay(c)
	o := c.ids()[0]
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
	h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/ship", `{"carrier":"c","tracking":"t"}`)
	h.want(200, nil, me, "POST", "/v1/orders/"+o+"/receive", "", "k1")
	for i, waits := range []bool{false, false, true} {
		var v charges.RefundView
		h.want(201, &v, h.boss, "POST", "/v1/orders/"+o+"/refunds", refundOf("2300.00"), fmt.Sprint("r", i))
		if (v.Approval != "") != waits {
			t.Errorf("refund %d of 2300.00: %+v, waits for a second person: %t wanted", i+1, v, waits)
		}
	}
}

// second is another of the operator's people.
func (h *hub) second() (k auth.Key) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		p, err := h.members.CreateKey(h.t.Context(), tx, "org_second", auth.Operator, "second")
		k = p
		return err
	}))
	return k
}

func TestAWholeRefundBeforeShippingCancelsTheOrder(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, c := h.bought()
	total := c.Orders[0].Totals.Total.Amount()
	h.want(201, nil, s.key, "POST", "/v1/orders/"+c.ids()[0]+"/refunds", refundOf(total), "k1")
	if v := h.show(me, c.ids()[0]); v.State != orders.Cancelled {
		t.Errorf("the order is %s", v.State)
	}
	if st := h.stock(s); st.OnHand != 5 {
		t.Errorf("the stock is %+v", st)
	}
}

// A part that goes back before the goods are shipped leaves the order to be
// served; the rest of it cancels the order.
func TestAPartThatGoesBackBeforeShippingCancelsNothing(t *testing.T) {
	t.Parallel()
	for name, boss := range map[string]bool{"seller": false, "operator": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			s, me, c := h.bought()
			o, by := c.ids()[0], s.key
			if boss {
				by = h.boss
			}
			h.want(201, nil, by, "POST", "/v1/orders/"+o+"/refunds", refundOf("20.00"), "k1")
			if v := h.show(me, o); v.State != orders.Paid || v.Escrow.Refunded.Amount() != "20.00" {
				t.Errorf("the order is %s with %+v", v.State, v.Escrow)
			}
			if st := h.stock(s); st.OnHand != 4 {
				t.Errorf("the stock is %+v", st)
			}
			rest := c.Orders[0].Totals.Total.Sub(money.Dirhams(20_00)).Amount()
			h.want(201, nil, by, "POST", "/v1/orders/"+o+"/refunds", refundOf(rest), "k2")
			if v := h.show(me, o); v.State != orders.Cancelled {
				t.Errorf("the order is %s", v.State)
			}
			if st := h.stock(s); st.OnHand != 5 {
				t.Errorf("the stock is %+v", st)
			}
			h.went("20.00 abimé", rest+" abimé")
		})
	}
}
