package loyalty_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/promotions"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
)

func (c *till) burns(key auth.Key, points int) (v loyalty.BurnView) {
	c.t.Helper()
	c.want(201, &v, key, "POST", "/v1/loyalty/burn", fmt.Sprintf(`{"points":%d}`, points))
	return v
}

// hear delivers what promotions have said so far.
func (c *till) hear() {
	c.t.Helper()
	type said struct{ ID, Type string }
	all, err := pg.All[said](c.t.Context(), c.db, `select id, type from platform.event where type in ('promotions.used', 'promotions.lapsed') order by seq`)
	must(c.t, err)
	for _, e := range all {
		must(c.t, c.bus.Deliver(auth.With(c.t.Context(), auth.Hub), c.db, event.Delivery{Event: e.ID, Type: e.Type, Subscriber: "loyalty"}))
	}
}

// uses has an order of so many dirhams use a voucher; it is paid unless it ends
// unpaid.
func (c *till) uses(who string, v loyalty.BurnView, dirhams int64, paid bool) (order string) {
	c.t.Helper()
	order = id.New(id.Order)
	state := orders.Paid
	if !paid {
		state = orders.PendingPayment
	}
	c.mu.Lock()
	c.bought[order] = orders.Purchase{Order: order, Buyer: who, State: state, Total: dirhams * 100}
	c.kept[order] = dirhams * 100
	c.mu.Unlock()
	must(c.t, c.db.InTx(c.t.Context(), func(tx *pg.Tx) error {
		return c.offs.Redeem(c.t.Context(), tx, promotions.Use{Promotion: v.Promotion, Order: order, Buyer: who, Amount: v.Amount.Centimes(), Counted: true, Own: true})
	}))
	if !paid {
		must(c.t, c.db.InTx(c.t.Context(), func(tx *pg.Tx) error { return c.offs.GiveBack(c.t.Context(), tx, order) }))
	}
	c.hear()
	return order
}

func TestPointsAreSpentOldestFirstOnSomethingOfOnesOwn(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, key := c.buyer()
	c.buys(who, 600)
	pgtest.Advance(t, c.db, 10*24*time.Hour)
	c.buys(who, 600)
	for body, want := range map[string]int{`{"points":499}`: 422, `{"points":0}`: 422, `{"points":-5}`: 422, `{"points":1201}`: 409, `{}`: 400} {
		if w := c.ask(key, "POST", "/v1/loyalty/burn", body); w.Code != want {
			t.Errorf("%s: %d %s, want %d", body, w.Code, w.Body, want)
		}
	}
	v := c.burns(key, 700)
	c.has(key, 500, 0)
	if !v.Amount.Equal(money.Dirhams(700)) || v.Code == "" {
		t.Errorf("spent on %+v", v)
	}
	var have loyalty.View
	c.want(200, &have, key, "GET", "/v1/loyalty", "")
	if len(have.Expire) != 1 {
		t.Errorf("left are %+v, not the youngest", have.Expire)
	}
	if w := c.ask(c.boss, "POST", "/v1/loyalty/burn", `{"points":500}`); w.Code != http.StatusForbidden {
		t.Errorf("the operator burns: %d", w.Code)
	}
}

func TestWhatIsNotUsedInTimeComesBackAndGrowsNoYounger(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, key := c.buyer()
	c.buys(who, 600)
	var before, after loyalty.View
	c.want(200, &before, key, "GET", "/v1/loyalty", "")
	v := c.burns(key, 600)
	c.has(key, 0, 0)
	c.uses(who, v, 50, false) // its order ends unpaid
	c.has(key, 0, 0)
	pgtest.Pass(t, c.db, c.timers, 31*24*time.Hour)
	c.hear()
	c.hear()
	c.has(key, 600, 0)
	c.want(200, &after, key, "GET", "/v1/loyalty", "")
	if !after.Expire[0].At.Equal(before.Expire[0].At) {
		t.Errorf("the points are over on %s, before on %s", after.Expire[0].At, before.Expire[0].At)
	}
	v = c.burns(key, 600)
	pgtest.Pass(t, c.db, c.timers, 20*24*time.Hour)
	c.uses(who, v, 50, true)
	pgtest.Pass(t, c.db, c.timers, 20*24*time.Hour)
	c.hear()
	c.has(key, 0, 0)
}

func TestPointsComeBackWithTheMoneyOfTheOrderTheyWereSpentOn(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, key := c.buyer()
	c.buys(who, 1000)
	order := c.uses(who, c.burns(key, 1000), 100, true)
	pgtest.Pass(t, c.db, c.timers, 400*24*time.Hour)
	c.keeps(order, 25)
	c.has(key, 750, 0)
	c.keeps(order, 50) // some was put back: these points are spent again
	c.has(key, 500, 0)
	c.keeps(order, 0)
	c.has(key, 1000, 0)
	var v loyalty.View
	c.want(200, &v, key, "GET", "/v1/loyalty", "")
	now, err := pg.Value[time.Time](t.Context(), c.db, nil, `select platform.now()`)
	must(t, err)
	for _, e := range v.Expire {
		if left := e.At.Sub(now); left < 29*24*time.Hour || left > 31*24*time.Hour {
			t.Errorf("points that would have been over hold another %s", left)
		}
	}
	if got := strings.Join(c.moves(key, 24), ", "); got != "given_back +500, taken_back -250, given_back +750, burnt -1000, earned +1000" {
		t.Errorf("moves %s", got)
	}
}

func TestTwoBurnsAtOnceSpendWhatThereIsOnce(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, key := c.buyer()
	c.buys(who, 1700)
	var done, refused atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			switch w := c.ask(key, "POST", "/v1/loyalty/burn", `{"points":500}`); w.Code {
			case 201:
				done.Add(1)
			case 409:
				refused.Add(1)
			default:
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	wg.Wait()
	if done.Load() != 3 || refused.Load() != 7 {
		t.Errorf("%d burns of 500 of 1700 points, %d refused", done.Load(), refused.Load())
	}
	c.has(key, 200, 0)
	n, err := pg.Value[int](t.Context(), c.db, nil, `select count(*)::int from promotions.promotion where person = $1`, who)
	must(t, err)
	if n != 3 {
		t.Errorf("%d vouchers of three burns", n)
	}
}
