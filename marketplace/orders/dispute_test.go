package orders_test

import (
	"context"
	"testing"
	"time"

	"tiwiza/marketplace/orders"
	"tiwiza/payments/disputes"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

func TestADisputedOrderStandsStill(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, c := h.bought()
	at := "/v1/orders/" + c.ids()[0]
	for _, key := range []auth.Key{s.key, h.boss} {
		h.refused(403, "auth.denied", "", key, "POST", at+"/disputes", `{"reason":"other"}`)
	}
	h.refused(404, "orders.not_found", "", h.buyer(), "POST", at+"/disputes", `{"reason":"other"}`)
	var d disputes.View
	h.want(201, &d, me, "POST", at+"/disputes", `{"reason":"not_received","text":"Rien."}`)
	v := h.show(me, c.ids()[0])
	if v.Case == nil || v.Case.ID != d.ID || v.Case.Kind != "dispute" || v.Case.State != "open" || v.Case.Deadline == nil || d.Wish != "refund" {
		t.Errorf("the order shows %+v of %+v", v.Case, d)
	}
	h.refused(409, "escrow.disputed", "", me, "POST", at+"/cancel", `{"reason":"plus besoin"}`, "k1")
	h.want(200, nil, s.key, "POST", at+"/accept", "")
	h.want(200, nil, s.key, "POST", at+"/ship", `{"carrier":"c","tracking":"t"}`)
	h.refused(409, "escrow.disputed", "", me, "POST", at+"/receive", "", "k2")
}

func TestAnOrderWhoseMoneyAllWentBackIsRefunded(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, c := h.bought()
	at := "/v1/orders/" + c.ids()[0]
	var d disputes.View
	h.want(201, &d, me, "POST", at+"/disputes", `{"reason":"not_received"}`)
	h.want(200, &d, s.key, "POST", "/v1/disputes/"+d.ID+"/reply", `{"accept":true}`, "k1")
	h.went(c.Orders[0].Totals.Total.Amount() + " dispute " + d.ID)
	must(t, h.db.InTx(t.Context(), func(tx *pg.Tx) error {
		_, err := h.escrows.Arrived(context.WithoutCancel(t.Context()), tx, d.Ruling.RefundID)
		return err
	}))
	h.deliver()
	if v := h.show(me, c.ids()[0]); v.State != orders.Refunded || v.Case != nil || !v.Escrow.Held.IsZero() {
		t.Errorf("the order is %s with %+v and case %+v", v.State, v.Escrow, v.Case)
	}
}

func TestAnOrderThatNeverArrivesIsDisputedByItself(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, c := h.bought()
	at := "/v1/orders/" + c.ids()[0]
	h.want(200, nil, s.key, "POST", at+"/accept", "")
	h.want(200, nil, s.key, "POST", at+"/ship", `{"carrier":"c","tracking":"t"}`)
	h.advance(15*24*time.Hour + time.Minute)
	if v := h.show(me, c.ids()[0]); v.Case == nil || v.State != orders.Shipped || v.Escrow.Released.Sign() != 0 {
		t.Errorf("the order is %s with %+v and case %+v", v.State, v.Escrow, v.Case)
	}
}
