package orders_test

import (
	"fmt"
	"testing"

	"tiwiza/payments/charges"
)

// An agent has sellers give back what was released, each order up to a limit, and
// all orders of a day up to another; then a second person must agree.
func TestWhatOneAgentGivesBackHasASumADay(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s, me, other := h.shop("7000.00", 9, ""), h.buyer(), h.second()
	for i := range 6 {
		c := h.buy(me, 1, s)
		h.pay(c)
		o := c.ids()[0]
		h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/accept", "")
		h.want(200, nil, s.key, "POST", "/v1/orders/"+o+"/ship", `{"carrier":"c","tracking":"t"}`)
		h.want(200, nil, me, "POST", "/v1/orders/"+o+"/receive", "", fmt.Sprint("g", i))
		who, waits := h.boss, i == 4 // 18,000.00 of 20,000.00
		if i == 5 {
			who = other
		}
		var v charges.RefundView
		h.want(201, &v, who, "POST", "/v1/orders/"+o+"/refunds", refundOf("4500.00"), fmt.Sprint("r", i))
		if (v.Approval != "") != waits {
			t.Errorf("refund %d of 4500.00: %+v, waits for a second person: %t wanted", i+1, v, waits)
		}
	}
}
