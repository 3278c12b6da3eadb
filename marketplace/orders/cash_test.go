package orders_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
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

// buyBy checks out n of each shop's article, paid in a way.
func (h *hub) buyBy(key auth.Key, method string, n int, shops ...shop) (c checkout) {
	h.t.Helper()
	b := h.fill(key, n, shops...)
	body := strings.Replace(order(b, h.quote(key, b).Hash), `"method":"card"`, fmt.Sprintf(`"method":%q`, method), 1)
	h.want(201, &c, key, "POST", "/v1/checkouts", body, b)
	return c
}

// comes has a statement show money with a reference.
func (h *hub) comes(reference string, centimes int64) {
	h.t.Helper()
	ctx := auth.With(h.t.Context(), auth.Hub)
	must(h.t, h.db.InTx(ctx, func(tx *pg.Tx) error {
		_, err := h.charges.Receive(ctx, tx, charges.Credit{
			Bank: "bank", Line: reference + fmt.Sprint(centimes), From: ledger.Safeguard("bank"), Suspense: ledger.Suspense("x"),
			Said: reference, Amount: centimes, Currency: money.MAD,
		})
		return err
	}))
	h.deliver()
}

func (h *hub) moveOn(by time.Duration) {
	h.t.Helper()
	must(h.t, h.db.InTx(h.t.Context(), func(tx *pg.Tx) error {
		_, err := clock.Advance(h.t.Context(), tx, by)
		return err
	}))
	_, err := h.timers.Due(context.WithoutCancel(h.t.Context()))
	must(h.t, err)
	h.deliver()
}

const shipping = `{"carrier":"Colis (exemple)","tracking":"EX1"}`

// atTheDoor has a cash order confirmed, accepted and sent.
func (h *hub) atTheDoor(me auth.Key, s shop, c checkout) (at string) {
	h.t.Helper()
	at = "/v1/orders/" + c.Orders[0].ID
	h.want(200, nil, me, "POST", at+"/confirm", "")
	h.want(200, nil, s.key, "POST", at+"/accept", "")
	h.want(200, nil, s.key, "POST", at+"/ship", shipping)
	return at
}

func TestACashOrderGoesItsWay(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buyBy(me, "cash_on_delivery", 1, s)
	if c.Charge.Status != charges.Accepted || c.Charge.NextAction.Type != "none" || c.Orders[0].State != orders.ToConfirm {
		t.Fatalf("checkout %+v", c)
	}
	if v := h.show(s.key, c.Orders[0].ID); v.Delivery.Address != "" || v.Payment.Method != "cash_on_delivery" {
		t.Errorf("before it is confirmed the seller sees %+v, paid %+v", v.Delivery, v.Payment)
	}
	at := h.atTheDoor(me, s, c)
	if st := h.stock(s); st.OnHand != 4 || st.Reserved != 0 {
		t.Errorf("stock %+v, want the goods gone", st)
	}
	h.refused(409, "orders.uncollected", "", me, "POST", at+"/receive", "", "early")
	h.refused(409, "orders.uncollected", "", s.key, "POST", at+"/deliver", `{"code":"0000"}`)
	h.refused(422, "cash.amount", "/amount", s.key, "POST", at+"/collect", `{"amount":{"amount":"500.00","currency":"MAD"}}`, "much")
	h.refused(403, "auth.denied", "", me, "POST", at+"/collect", `{"amount":{"amount":"130.00","currency":"MAD"}}`, "me")
	var v orders.View
	for i := range 2 {
		h.want(200, &v, s.key, "POST", at+"/collect", `{"amount":{"amount":"130.00","currency":"MAD"}}`, fmt.Sprint("c", i))
	}
	if v.State != orders.Delivered || v.Escrow.State != escrow.Funded || v.Payment.Cash.State != charges.Collected {
		t.Errorf("collected: %s, escrow %s, cash %+v", v.State, v.Escrow.State, v.Payment.Cash)
	}
	h.refused(409, "cash.state", "", s.key, "POST", at+"/collect", `{"amount":{"amount":"120.00","currency":"MAD"}}`, "other")
	reference := v.Payment.Cash.Reference
	for i := range 2 {
		h.want(200, &v, me, "POST", at+"/receive", "", fmt.Sprint("r", i))
	}
	if v.State != orders.Delivered || !v.Escrow.Released.Equal(money.Dirhams(3000)) {
		t.Errorf("accepted, not remitted: %s, released %s, want the carrier's fee alone", v.State, v.Escrow.Released)
	}
	h.comes(reference, 10000)
	if v = h.show(me, c.Orders[0].ID); v.State != orders.Completed || v.Escrow.State != escrow.Released {
		t.Errorf("remitted: %s, escrow %s", v.State, v.Escrow.State)
	}
	var what []string
	for _, e := range v.Timeline {
		what = append(what, e.Actor+" "+e.What)
	}
	if got, want := strings.Join(what, ", "), "buyer placed, buyer confirmed, seller accepted, seller shipped, seller collected, buyer received, system remitted, system completed"; got != want {
		t.Errorf("timeline = %s, want %s", got, want)
	}
}

func TestACashParcelOfWhichNobodySpeaksIsTold(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	silent, brought := h.buyBy(me, "cash_on_delivery", 1, s), h.buyBy(me, "cash_on_delivery", 1, s)
	at := h.atTheDoor(me, s, silent)
	collect := `{"amount":{"amount":"130.00","currency":"MAD"}}`
	h.want(200, nil, s.key, "POST", h.atTheDoor(me, s, brought)+"/collect", collect, "c1")
	h.advance(15*24*time.Hour + time.Minute)
	for order, want := range map[string]bool{silent.Orders[0].ID: true, brought.Orders[0].ID: false} {
		v := h.show(s.key, order)
		if told := slices.ContainsFunc(v.Timeline, func(e orders.Entry) bool { return e.What == "uncollected" }); told != want {
			t.Errorf("after 15 days the order that is %s is told of: %t, want %t", v.State, told, want)
		}
	}
	var v orders.View
	if h.want(200, &v, s.key, "POST", at+"/collect", collect, "c2"); v.State != orders.Delivered {
		t.Errorf("collected late it is %s", v.State)
	}
}

func TestCashIsReleasedByTheTimerOnlyOnceItIsRemitted(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]bool{"remitted before the time for sending back is over": true, "remitted after it": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			s, me := h.shop("100.00", 5, ""), h.buyer()
			c := h.buyBy(me, "cash_on_delivery", 1, s)
			at := h.atTheDoor(me, s, c)
			h.want(200, nil, h.boss, "POST", at+"/collect", `{"amount":{"amount":"130.00","currency":"MAD"}}`, "c")
			reference := h.show(s.key, c.Orders[0].ID).Payment.Cash.Reference
			if first {
				h.comes(reference, 13000)
			}
			h.moveOn(6 * 24 * time.Hour)
			if v := h.show(me, c.Orders[0].ID); v.State != orders.Delivered {
				t.Fatalf("%s on the sixth day, want delivered", v.State)
			}
			h.moveOn(25 * time.Hour)
			if !first {
				if v := h.show(me, c.Orders[0].ID); v.State != orders.Delivered || v.Escrow.State != escrow.Funded {
					t.Fatalf("%s and %s before it is remitted", v.State, v.Escrow.State)
				}
				h.comes(reference, 13000)
				h.moveOn(time.Second)
			}
			if v := h.show(me, c.Orders[0].ID); v.State != orders.Completed || v.Escrow.State != escrow.Released {
				t.Errorf("%s, escrow %s, want it released", v.State, v.Escrow.State)
			}
		})
	}
}

func TestACashOrderThatEndsGivesItsGoodsBack(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end   func(h *hub, me auth.Key, s shop, c checkout)
		state orders.State
		stock int
		owes  int64 // the seller, for a parcel brought in vain
	}{
		"never confirmed": {func(h *hub, _ auth.Key, _ shop, _ checkout) { h.moveOn(orders.ConfirmWithin + time.Minute) }, orders.Expired, 5, 0},
		"given up by the buyer": {func(h *hub, me auth.Key, _ shop, c checkout) {
			h.want(200, nil, me, "POST", "/v1/orders/"+c.Orders[0].ID+"/refuse", `{"reason":"changed my mind"}`, "x")
		}, orders.Refused, 5, 0},
		"cancelled by the buyer": {func(h *hub, me auth.Key, _ shop, c checkout) {
			h.want(200, nil, me, "POST", "/v1/orders/"+c.Orders[0].ID+"/confirm", "")
			h.want(200, nil, me, "POST", "/v1/orders/"+c.Orders[0].ID+"/cancel", `{"reason":"too late"}`, "x")
		}, orders.Cancelled, 5, 0},
		"never accepted": {func(h *hub, me auth.Key, _ shop, c checkout) {
			h.want(200, nil, me, "POST", "/v1/orders/"+c.Orders[0].ID+"/confirm", "")
			h.moveOn(49 * time.Hour)
		}, orders.Cancelled, 5, 0},
		"nobody there": {func(h *hub, me auth.Key, s shop, c checkout) {
			h.want(200, nil, s.key, "POST", h.atTheDoor(me, s, c)+"/refuse", `{"reason":"absent"}`, "x")
		}, orders.Refused, 4, 3000},
		"nobody there, and back again": {func(h *hub, me auth.Key, s shop, c checkout) {
			at := h.atTheDoor(me, s, c)
			h.refused(409, "orders.state", "", s.key, "POST", at+"/take-back", `{}`, "soon")
			h.want(200, nil, s.key, "POST", at+"/refuse", `{"reason":"absent"}`, "x")
			h.refused(404, "orders.not_found", "", h.shop("1.00", 1, "").key, "POST", at+"/take-back", `{}`, "other")
			h.want(200, nil, s.key, "POST", at+"/take-back", `{}`, "back")
			h.want(200, nil, s.key, "POST", at+"/take-back", `{}`, "again")
		}, orders.Refused, 5, 3000},
		"back and broken": {func(h *hub, me auth.Key, s shop, c checkout) {
			at := h.atTheDoor(me, s, c)
			h.want(200, nil, h.boss, "POST", at+"/refuse", `{"reason":"damaged"}`, "x")
			h.want(200, nil, s.key, "POST", at+"/take-back", `{"restock":[]}`, "back")
		}, orders.Refused, 4, 0},
		"lost by the carrier": {func(h *hub, me auth.Key, s shop, c checkout) {
			at := h.atTheDoor(me, s, c)
			for _, reason := range []string{"lost", "damaged", "late"} {
				h.refused(403, "orders.carriers_fault", "/reason", s.key, "POST", at+"/refuse", `{"reason":"`+reason+`"}`, reason)
			}
			h.want(200, nil, h.boss, "POST", at+"/refuse", `{"reason":"lost"}`, "x")
			h.refused(409, "orders.state", "", s.key, "POST", at+"/take-back", `{}`, "lost")
		}, orders.Refused, 4, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHub(t)
			s, me := h.shop("100.00", 5, ""), h.buyer()
			c := h.buyBy(me, "cash_on_delivery", 1, s)
			tc.end(h, me, s, c)
			v := h.show(me, c.Orders[0].ID)
			if v.State != tc.state || v.Escrow.State != escrow.Voided || v.Payment.Cash.State != charges.Refused {
				t.Errorf("%s, escrow %s, cash %+v; want %s", v.State, v.Escrow.State, v.Payment.Cash, tc.state)
			}
			if st := h.stock(s); st.OnHand != tc.stock || st.Reserved != 0 {
				t.Errorf("stock %+v, want %d free", st, tc.stock)
			}
			owes, err := ledger.New(h.db).Balance(t.Context(), h.db, ledger.Receivable(s.id), money.MAD)
			if err != nil || owes != tc.owes {
				t.Errorf("the seller owes %d (%v), want %d", owes, err, tc.owes)
			}
			h.refused(409, "orders.state", "", me, "POST", "/v1/orders/"+c.Orders[0].ID+"/confirm", "")
		})
	}
}

func TestAQuoteSaysHowItCanBePaid(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	cheap, dear, never, me := h.shop("100.00", 5, ""), h.shop("4990.00", 5, ""), h.shop("10.00", 5, ""), h.buyer()
	_, err := h.db.Exec(t.Context(), `insert into orders.payment_rule (method, seller, since, most) values ('cash_on_delivery', $1, platform.now(), 0)`, never.id)
	must(t, err)
	for name, tc := range map[string]struct {
		shops []shop
		cash  bool
	}{
		"one order under the limit":        {[]shop{cheap}, true},
		"an order above the limit":         {[]shop{dear}, false},
		"one of two above the limit":       {[]shop{cheap, dear}, false},
		"a seller who does not take cash":  {[]shop{never}, false},
		"two sellers, one of whom does so": {[]shop{cheap, never}, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := *h
			h.t = t
			b := h.fill(me, 1, tc.shops...)
			var q struct {
				Hash     string
				Payments []orders.Way
			}
			h.want(201, &q, me, "POST", "/v1/baskets/"+b+"/quotes", `{"delivery":{"method":"carrier","commune":"فاس"}}`)
			ways := map[string]orders.Way{}
			for _, w := range q.Payments {
				ways[w.Method] = w
			}
			if !ways["card"].Offered || !ways["transfer"].Offered || ways["wallet"].Offered || ways["wallet"].Why == "" {
				t.Errorf("ways %+v", q.Payments)
			}
			if w := ways["cash_on_delivery"]; w.Offered != tc.cash || w.Offered == (w.Why != "") {
				t.Errorf("cash %+v, want %t", w, tc.cash)
			}
			body := strings.Replace(order(b, q.Hash), `"method":"card"`, `"method":"cash_on_delivery"`, 1)
			if tc.cash {
				h.want(201, nil, me, "POST", "/v1/checkouts", body, b)
			} else {
				h.refused(422, "orders.payment_method", "/payment/method", me, "POST", "/v1/checkouts", body, b)
			}
		})
	}
}

func TestAnOrderIsPaidByTransfer(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buyBy(me, "transfer", 1, s)
	in := c.Charge.NextAction.Transfer
	if in == nil || in.Amount.Amount() != "130.00" {
		t.Fatalf("instructions %+v", in)
	}
	h.comes(in.Reference, 13000)
	if v := h.show(me, c.Orders[0].ID); v.State != orders.Paid || v.Payment.Method != "transfer" || v.Payment.Cash != nil {
		t.Errorf("%s, paid %+v", v.State, v.Payment)
	}
	if st := h.stock(s); st.OnHand != 4 {
		t.Errorf("%d on hand, want 4", st.OnHand)
	}
}

func TestCashCollectedAndRefusedByManyIsOneOfThem(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("100.00", 5, ""), h.buyer()
	c := h.buyBy(me, "cash_on_delivery", 1, s)
	at := h.atTheDoor(me, s, c)
	var collected, refused atomic.Int32
	race(20, func(i int) {
		path, body, n := at+"/refuse", `{"reason":"absent"}`, &refused
		if i%2 == 0 {
			path, body, n = at+"/collect", `{"amount":{"amount":"130.00","currency":"MAD"}}`, &collected
		}
		switch w := h.ask(s.key, "POST", path, body, fmt.Sprint("k", i)); w.Code {
		case 200:
			n.Add(1)
		case 409:
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
	v := h.show(me, c.Orders[0].ID)
	if (collected.Load() > 0) == (refused.Load() > 0) || (v.State == orders.Delivered) != (collected.Load() > 0) {
		t.Errorf("%d collected and %d refused; the order is %s", collected.Load(), refused.Load(), v.State)
	}
}

func TestCashThatWasNotRemittedIsNotRefunded(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me := h.shop("4000.00", 5, ""), h.buyer()
	c := h.buyBy(me, "cash_on_delivery", 1, s)
	at := h.atTheDoor(me, s, c)
	collected := `{"amount":{"amount":"` + c.Orders[0].Totals.Total.Amount() + `","currency":"MAD"}}`
	h.want(200, nil, s.key, "POST", at+"/collect", collected, "c1")
	for i, key := range []auth.Key{s.key, h.boss} {
		h.refused(409, "escrow.unremitted", "", key, "POST", at+"/refunds", refundOf("4000.00"), fmt.Sprint("k", i))
	}
	h.went()
	h.comes(h.show(s.key, c.Orders[0].ID).Payment.Cash.Reference, c.Orders[0].Totals.Total.Centimes())
	h.want(201, nil, s.key, "POST", at+"/refunds", refundOf("4000.00"), "k3")
	h.went("4000.00 abimé")
}
