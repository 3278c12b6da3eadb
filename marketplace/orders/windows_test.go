package orders_test

import (
	"testing"
	"time"
)

// How long the money waits after delivery: a day for fresh food alone, three
// days with other exempt goods, seven where the law lets the buyer withdraw.
func TestTheMoneyWaitsAsLongAsTheGoodsAsk(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	me := h.buyer()
	for exempt, want := range map[string]time.Duration{
		"perishable": 24 * time.Hour, "made_to_measure": 72 * time.Hour, "": 7 * 24 * time.Hour,
	} {
		c := h.buy(me, 1, h.shop("50.00", 3, exempt))
		holds, err := h.escrows.OfCharge(t.Context(), h.db, c.Charge.ID)
		if err != nil || len(holds) != 1 {
			t.Fatal(holds, err)
		}
		if got := time.Duration(holds[0].WaitS) * time.Second; got != want {
			t.Errorf("%q waits %s, want %s", exempt, got, want)
		}
	}
}
