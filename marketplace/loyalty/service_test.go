package loyalty_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/loyalty"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/promotions"
	"tiwiza/payments/approvals"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/pkg/rest"
)

// till is a market as loyalty sees it: orders that are bought, and what of their
// money stayed.
type till struct {
	t       testing.TB
	db      *pg.Store
	bus     *event.Bus
	points  *loyalty.Service
	offs    *promotions.Service
	people  *approvals.Service
	timers  *job.Timers
	web     http.Handler
	mu      sync.Mutex
	bought  map[string]orders.Purchase
	kept    map[string]int64
	keys    map[auth.Key]auth.Principal
	boss    auth.Key
	another auth.Key
}

func (c *till) Bought(_ context.Context, _ pg.DB, order string) (orders.Purchase, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.bought[order]
	if !ok {
		return p, orders.ErrNotFound
	}
	return p, nil
}

func (c *till) OfOrders(_ context.Context, _ pg.DB, ids []string) (map[string]escrow.Hold, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]escrow.Hold{}
	for _, o := range ids {
		if c.bought[o].State == orders.PendingPayment {
			continue
		}
		out[o] = escrow.Hold{Order: o, State: escrow.Released, FundedAt: new(time.Time), Amount: c.bought[o].Total, Recovered: c.bought[o].Total - c.kept[o]}
	}
	return out, nil
}

func (c *till) Sellers(context.Context, pg.DB, []string) (map[string]members.Seller, error) {
	return nil, nil
}

func newTill(t testing.TB) *till {
	t.Helper()
	c := &till{t: t, db: pgtest.New(t), bus: event.NewBus(), bought: map[string]orders.Purchase{}, kept: map[string]int64{}, keys: map[auth.Key]auth.Principal{}}
	pgtest.Queue(t, c.db, c.bus)
	c.people, c.timers = approvals.New(c.db), job.NewTimers(c.db)
	c.offs = promotions.New(c.db, c)
	c.points = loyalty.New(c.db, loyalty.Needs{Orders: c, Escrows: c, Approvals: c.people, Gifts: c.offs})
	c.offs.Work(c.timers)
	loyalty.Subscribe(c.bus, c.points)
	loyalty.Timers(c.timers, c.points)
	loyalty.Tell(c.bus)
	policies, err := authz.New()
	must(t, err)
	mux := http.NewServeMux()
	rest.Mount(mux, append(loyalty.Routes(c.points), approvals.Routes(c.people)...), rest.Edge{
		Store: c.db, Log: slog.New(slog.DiscardHandler), Limits: rest.Limits{Principal: -1, Address: -1},
		Authenticate: func(_ context.Context, key auth.Key) (auth.Principal, error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.keys[key], nil
		},
		May: func(_ context.Context, p auth.Principal, action string) (string, error) {
			return policies.May(p, action, authz.Resource{})
		},
	})
	c.web = mux
	c.boss, c.another = c.key(auth.Operator, id.New(id.Organisation)), c.key(auth.Operator, id.New(id.Organisation))
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *till) key(role auth.Role, subject string) auth.Key {
	k := auth.NewKey()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys[k] = auth.Principal{Key: k.ID, Subject: subject, Role: role}
	return k
}

func (c *till) buyer() (string, auth.Key) {
	who := id.New(id.Person)
	return who, c.key(auth.Buyer, who)
}

func (c *till) ask(key auth.Key, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+key.String())
	if method == "POST" {
		r.Header.Set("Idempotency-Key", id.New("idem"))
	}
	w := httptest.NewRecorder()
	c.web.ServeHTTP(w, r)
	return w
}

// want asks, and reads the answer when its status is right.
func (c *till) want(status int, out any, key auth.Key, method, path, body string) {
	c.t.Helper()
	w := c.ask(key, method, path, body)
	if w.Code != status {
		c.t.Fatalf("%s %s: %d %s, want %d", method, path, w.Code, w.Body, status)
	}
	if out != nil {
		must(c.t, json.Unmarshal(w.Body.Bytes(), out))
	}
}

// earns has a dirham earn a point from long ago on.
func (c *till) earns() {
	c.want(201, nil, c.boss, "POST", "/v1/loyalty/rules", `{"per_dirham":"1"}`)
}

// tell delivers an event to loyalty, and again.
func (c *till) tell(e pg.Event) {
	c.t.Helper()
	must(c.t, c.db.InTx(c.t.Context(), func(tx *pg.Tx) error { return tx.Publish(c.t.Context(), e) }))
	eid, err := pg.Value[string](c.t.Context(), c.db, nil, `select id from platform.event where type = $1 and subject = $2 order by seq desc limit 1`, e.EventType(), e.Subject())
	must(c.t, err)
	for range 2 {
		must(c.t, c.bus.Deliver(auth.With(c.t.Context(), auth.Hub), c.db, event.Delivery{Event: eid, Type: e.EventType(), Subscriber: "loyalty"}))
	}
}

// buys completes an order of so many dirhams.
func (c *till) buys(who string, dirhams int64) (order string) {
	c.t.Helper()
	now, err := pg.Value[time.Time](c.t.Context(), c.db, nil, `select platform.now()`)
	must(c.t, err)
	order = id.New(id.Order)
	c.mu.Lock()
	c.bought[order] = orders.Purchase{
		Order: order, Seller: id.New(id.Organisation), Buyer: who, State: orders.Completed, Total: dirhams * 100, At: now,
		Lines: []orders.PurchaseLine{{Category: "honey", Paid: dirhams * 100}},
	}
	c.kept[order] = dirhams * 100
	c.mu.Unlock()
	c.tell(orders.OrderCompleted{Moved: orders.Moved{Order: order, Buyer: who}})
	return order
}

// keeps has all but so many dirhams of an order go back, or be there again.
func (c *till) keeps(order string, dirhams int64) {
	c.t.Helper()
	c.mu.Lock()
	c.kept[order] = dirhams * 100
	c.mu.Unlock()
	c.tell(escrow.Returning{Escrow: id.New(id.Escrow), Order: order, Refund: id.New(id.Refund), Amount: money.Dirhams(1)})
}

func (c *till) has(key auth.Key, points, owed int64) {
	c.t.Helper()
	var v loyalty.View
	c.want(200, &v, key, "GET", "/v1/loyalty", "")
	if v.Points != points || v.Owed != owed {
		c.t.Errorf("%d points, %d owed; want %d and %d", v.Points, v.Owed, points, owed)
	}
}

func (c *till) moves(key auth.Key, limit int) (kinds []string) {
	c.t.Helper()
	path := fmt.Sprintf("/v1/loyalty/entries?limit=%d", limit)
	for cursor := ""; ; {
		var p rest.Page[loyalty.EntryView]
		c.want(200, &p, key, "GET", path+cursor, "")
		for _, m := range p.Data {
			kinds = append(kinds, fmt.Sprintf("%s %+d", m.Kind, m.Points))
		}
		if p.Next == nil {
			return kinds
		}
		cursor = "&cursor=" + *p.Next
	}
}

func TestAnOrderEarnsOnceAndWhatGoesBackTakesItsPart(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	who, key := c.buyer()
	c.buys(who, 70)
	c.has(key, 0, 0) // nothing earns yet
	c.earns()
	order := c.buys(who, 100)
	c.has(key, 100, 0)
	c.keeps(order, 75)
	c.keeps(order, 75)
	c.has(key, 75, 0)
	c.keeps(order, 90) // some of it came back to its seller
	c.has(key, 90, 0)
	c.keeps(order, 0)
	c.has(key, 0, 0)
	if got, want := strings.Join(c.moves(key, 2), ", "), "taken_back -90, earned +15, taken_back -25, earned +100"; got != want {
		t.Errorf("moves %s, want %s", got, want)
	}
	c.tell(charges.ChargebackEnded{Chargeback: "cbk", Orders: []string{order, "ord_none"}, Amount: money.Dirhams(1)})
	c.has(key, 0, 0)
}

func TestWhatIsTakenBackWhenSpentIsOwedAndPaidByLaterPoints(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, key := c.buyer()
	order := c.buys(who, 100)
	c.want(201, nil, c.boss, "POST", "/v1/loyalty/adjustments", fmt.Sprintf(`{"person":%q,"points":-60,"reason":"Erreur de saisie."}`, who))
	c.has(key, 40, 0)
	c.keeps(order, 0)
	c.has(key, 0, 60)
	c.buys(who, 50)
	c.has(key, 0, 10)
	c.buys(who, 50)
	c.has(key, 40, 0)
	if w := c.ask(c.boss, "POST", "/v1/loyalty/adjustments", fmt.Sprintf(`{"person":%q,"points":-41,"reason":"Trop."}`, who)); w.Code != 409 {
		t.Errorf("more was taken by hand than there was: %d %s", w.Code, w.Body)
	}
}

func TestARefundTakesItsOwnOrdersPointsAndThenTheYoungest(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, key := c.buyer()
	c.buys(who, 100)
	pgtest.Advance(t, c.db, 20*24*time.Hour)
	order := c.buys(who, 100)
	pgtest.Advance(t, c.db, 20*24*time.Hour)
	c.buys(who, 100)
	c.keeps(order, 0)
	var v loyalty.View
	c.want(200, &v, key, "GET", "/v1/loyalty", "")
	if len(v.Expire) != 2 || v.Expire[1].At.Sub(v.Expire[0].At) < 39*24*time.Hour {
		t.Errorf("what is left expires %+v: old points were spared the end", v.Expire)
	}
	c.want(201, nil, c.boss, "POST", "/v1/loyalty/adjustments", fmt.Sprintf(`{"person":%q,"points":-100,"reason":"Erreur."}`, who))
	last := v.Expire[1].At
	pgtest.Advance(t, c.db, 20*24*time.Hour)
	spent := c.buys(who, 100)
	c.keeps(spent, 50)
	c.want(200, &v, key, "GET", "/v1/loyalty", "")
	if len(v.Expire) != 2 || v.Expire[1].Points != 50 {
		t.Errorf("half an order's own points are taken: %+v", v.Expire)
	}
	if !v.Expire[0].At.Equal(last) {
		t.Errorf("the oldest were taken by hand: %+v", v.Expire)
	}
}

func TestPointsEndOldestFirstAfterAReminder(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, key := c.buyer()
	c.buys(who, 100)
	pgtest.Pass(t, c.db, c.timers, 100*24*time.Hour)
	c.buys(who, 50)
	reminders := func() int {
		n, err := pg.Value[int](t.Context(), c.db, nil, `select count(*)::int from platform.event where type = 'loyalty.expiring' and subject = $1`, who)
		must(t, err)
		return n
	}
	pgtest.Pass(t, c.db, c.timers, 230*24*time.Hour)
	if n := reminders(); n != 0 {
		t.Errorf("%d reminders 35 days before", n)
	}
	pgtest.Pass(t, c.db, c.timers, 10*24*time.Hour)
	pgtest.Pass(t, c.db, c.timers, 10*24*time.Hour)
	if n := reminders(); n != 1 {
		t.Errorf("%d reminders of one lot", n)
	}
	c.has(key, 150, 0)
	pgtest.Pass(t, c.db, c.timers, 20*24*time.Hour)
	c.has(key, 50, 0)
	pgtest.Pass(t, c.db, c.timers, 100*24*time.Hour)
	c.has(key, 0, 0)
	if n := reminders(); n != 2 {
		t.Errorf("%d reminders of two lots", n)
	}
}

func TestTiersGiveMoreToWhoBuysMore(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	who, key := c.buyer()
	early := c.buys(who, 600) // before anything earned points
	c.keeps(early, 0)
	c.earns()
	c.want(201, nil, c.boss, "POST", "/v1/loyalty/tiers", `{"code":"gold","names":{"fr":"Or"},"spend":{"amount":"500.00","currency":"MAD"},"bonus":50}`)
	order := c.buys(who, 500)
	c.has(key, 500, 0)
	c.buys(who, 100)
	c.has(key, 650, 0)
	var v loyalty.View
	c.want(200, &v, key, "GET", "/v1/loyalty", "")
	if v.Tier == nil || v.Tier.Code != "gold" || !v.Spent.Equal(money.Dirhams(60000)) || !v.Worth.Equal(money.Dirhams(650)) {
		t.Errorf("view %+v", v)
	}
	c.keeps(order, 0) // what went back does not count
	c.buys(who, 100)
	c.has(key, 250, 0)
	pgtest.Advance(t, c.db, 366*24*time.Hour)
	c.want(200, &v, key, "GET", "/v1/loyalty", "")
	if v.Tier != nil && v.Tier.Code == "gold" && v.Spent.Sign() != 0 {
		t.Errorf("a year later: %+v", v)
	}
}

func TestManyPointsByHandNeedASecondPerson(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	who, key := c.buyer()
	give := func(points int) (v loyalty.AdjustView) {
		c.want(201, &v, c.boss, "POST", "/v1/loyalty/adjustments", fmt.Sprintf(`{"person":%q,"points":%d,"reason":"Geste."}`, who, points))
		return v
	}
	if v := give(30_000); v.Approval != "" {
		t.Errorf("300 dirhams wait: %+v", v)
	}
	waits := give(20_001) // together more than 500 dirhams within a day
	if waits.Approval == "" {
		t.Fatal("a second adjustment within a day passes the bound alone")
	}
	c.has(key, 30_000, 0)
	if w := c.ask(c.boss, "POST", "/v1/approvals/"+waits.Approval, `{"decision":"approve"}`); w.Code != 403 {
		t.Errorf("who asked approves: %d %s", w.Code, w.Body)
	}
	c.want(200, nil, c.another, "POST", "/v1/approvals/"+waits.Approval, `{"decision":"approve"}`)
	c.has(key, 50_001, 0)
	if v := give(20_000); v.Approval != "" {
		t.Errorf("what two decided counts as one person's: %+v", v)
	}
	pgtest.Advance(t, c.db, 25*time.Hour)
	if v := give(50_000); v.Approval != "" {
		t.Errorf("a day later: %+v", v)
	}
	var l loyalty.LiabilityView
	c.want(200, &l, c.boss, "GET", "/v1/loyalty/liability", "")
	if l.Points != 120_001 || !l.Worth.Equal(money.Dirhams(120_001)) {
		t.Errorf("liability %+v", l)
	}
}

func TestPointsAreOnesOwn(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	who, key := c.buyer()
	_, stranger := c.buyer()
	for _, path := range []string{"/v1/loyalty", "/v1/loyalty/entries"} {
		for k, want := range map[auth.Key]int{key: 200, stranger: 404, c.boss: 200} {
			if w := c.ask(k, "GET", path+"?person="+who, ""); w.Code != want {
				t.Errorf("%s: %d, want %d", path, w.Code, want)
			}
		}
		if w := c.ask(c.boss, "GET", path, ""); w.Code != 422 {
			t.Errorf("%s of nobody: %d", path, w.Code)
		}
	}
	for _, path := range []string{"adjustments", "rules", "tiers", "terms"} {
		if w := c.ask(key, "POST", "/v1/loyalty/"+path, "{}"); w.Code != 403 {
			t.Errorf("a buyer's %s: %d", path, w.Code)
		}
	}
	if w := c.ask(key, "GET", "/v1/loyalty/liability", ""); w.Code != 403 {
		t.Errorf("a buyer sees the liability: %d", w.Code)
	}
}

func TestTermsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	for _, b := range []struct{ path, body, pointer string }{
		{"rules", `{"per_dirham":"20.01"}`, "/per_dirham"},
		{"rules", `{"per_dirham":"-1"}`, "/per_dirham"},
		{"rules", `{"per_dirham":"0.001"}`, "/per_dirham"},
		{"rules", `{"per_dirham":"1","since":"2020-01-01T00:00:00Z"}`, "/since"},
		{"rules", `{"per_dirham":"1","until":"2020-01-01T00:00:00Z"}`, "/until"},
		{"rules", `{"per_dirham":"1","seller":"x"}`, "/seller"},
		{"rules", `{"per_dirham":"1","category":"Miel!"}`, "/category"},
		{"tiers", `{"code":"Gold","names":{"fr":"Or"},"bonus":5}`, "/code"},
		{"tiers", `{"code":"gold","names":{"de":"Gold"},"bonus":5}`, "/names/de"},
		{"tiers", `{"code":"gold","names":{"fr":"Or"},"bonus":5,"spend":{"amount":"0.00","currency":"MAD"}}`, "/spend"},
		{"terms", `{"worth":1,"months":12,"least":1,"voucher_days":30,"since":"2020-01-01T00:00:00Z"}`, "/since"},
		{"adjustments", `{"person":"x","points":1,"reason":"x"}`, "/person"},
		{"adjustments", `{"person":"per_01jd0000000000000000000000","points":0,"reason":"x"}`, "/points"},
	} {
		if w := c.ask(c.boss, "POST", "/v1/loyalty/"+b.path, b.body); w.Code != 422 || !strings.Contains(w.Body.String(), b.pointer) {
			t.Errorf("%s %s: %d %s", b.path, b.body, w.Code, w.Body)
		}
	}
	const at = `"since":"2099-01-01T00:00:00Z"`
	for path, body := range map[string]string{
		"rules": `{"per_dirham":"2",` + at + `}`, "tiers": `{"code":"gold","names":{"fr":"Or"},"bonus":5,` + at + `}`,
		"terms": `{"worth":1,"months":12,"least":1,"voucher_days":30,` + at + `}`,
	} {
		c.want(201, nil, c.boss, "POST", "/v1/loyalty/"+path, body)
		c.want(409, nil, c.boss, "POST", "/v1/loyalty/"+path, body)
	}
	var p rest.Page[loyalty.RuleView]
	c.want(200, &p, c.boss, "GET", "/v1/loyalty/rules", "")
	if len(p.Data) != 1 || p.Data[0].PerDirham.String() != "2" {
		t.Errorf("rules %+v", p)
	}
}

// TestBooksOfPointsHold plays random lives in the database, which holds what the
// books promise at each commit, and adds them up at the end.
func TestBooksOfPointsHold(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	c.want(201, nil, c.boss, "POST", "/v1/loyalty/terms", `{"worth":1,"months":12,"least":1,"voucher_days":30}`)
	lives := 0
	rapid.Check(t, func(t *rapid.T) {
		if lives++; lives > 12 { // each is dozens of commits
			return
		}
		who, key := c.buyer()
		var bought []string
		var sizes []int64
		for range rapid.IntRange(3, 12).Draw(t, "steps") {
			switch rapid.SampledFrom([]string{"buy", "back", "hand", "pass", "burn", "use"}).Draw(t, "what") {
			case "buy":
				n := rapid.Int64Range(1, 300).Draw(t, "dirhams")
				bought, sizes = append(bought, c.buys(who, n)), append(sizes, n)
			case "back":
				if len(bought) > 0 {
					i := rapid.IntRange(0, len(bought)-1).Draw(t, "order")
					c.keeps(bought[i], rapid.Int64Range(0, sizes[i]).Draw(t, "kept"))
				}
			case "hand":
				n := rapid.SampledFrom([]int{-50, -7, 20}).Draw(t, "points")
				c.ask(c.boss, "POST", "/v1/loyalty/adjustments", fmt.Sprintf(`{"person":%q,"points":%d,"reason":"x"}`, who, n))
			case "burn", "use":
				var v loyalty.BurnView
				if w := c.ask(key, "POST", "/v1/loyalty/burn", fmt.Sprintf(`{"points":%d}`, rapid.IntRange(1, 200).Draw(t, "burnt"))); w.Code != 201 {
					continue
				} else if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "used") {
					bought, sizes = append(bought, c.uses(who, v, 40, true)), append(sizes, 40)
				}
			case "pass":
				pgtest.Pass(c.t, c.db, c.timers, time.Duration(rapid.IntRange(1, 200).Draw(t, "days"))*24*time.Hour)
				c.hear()
			}
		}
		var v loyalty.View
		c.want(200, &v, key, "GET", "/v1/loyalty", "")
		var open int64
		for _, e := range v.Expire {
			open += e.Points
		}
		if open != v.Points || v.Points < 0 || v.Points > 0 && v.Owed > 0 {
			t.Fatalf("%+v", v)
		}
	})
	off, err := pg.Column[string](t.Context(), c.db, `
		select 'move ' || move from loyalty.entry group by move having sum(amount) <> 0
		union all select 'points of ' || a.person from loyalty.account a left join loyalty.move m using (person)
			group by a.person, a.points, a.owed having a.points <> coalesce(sum(m.points), 0) or a.owed <> coalesce(sum(m.owed), 0)
		union all select 'lot ' || l.move from loyalty.lot l left join loyalty.draw d on d.lot = l.move
			group by l.move, l.points, l.remains having l.remains <> l.points - coalesce(sum(d.points), 0)`)
	must(t, err)
	if len(off) > 0 {
		t.Errorf("do not add up: %v", off)
	}
}

func TestTheDatabaseRefusesBooksThatDoNotAddUp(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, _ := c.buyer()
	c.buys(who, 100)
	other, _ := c.buyer()
	c.buys(other, 100)
	move := func(points int) string {
		return fmt.Sprintf(`insert into loyalty.move (id, person, kind, ref, actor, points, owed, after, at) values ('m', '%s', 'adjusted', 'm', 'x', %d, 0, 0, platform.now())`, who, points)
	}
	entry := func(account string, n int) string {
		return fmt.Sprintf(`insert into loyalty.entry (move, account, amount) values ('m', '%s', %d)`, account, n)
	}
	for name, all := range map[string][]string{
		"a move of nothing":          {move(5)},
		"one that does not add up":   {move(5), entry("points", 5), entry("issued", -4)},
		"points of no lot":           {move(5), entry("points", 5), entry("issued", -5)},
		"below zero":                 {move(-101), entry("points", -101), entry("issued", 101)},
		"out of another's lot":       {move(-5), entry("points", -5), entry("burnt", 5), fmt.Sprintf(`insert into loyalty.draw (move, lot, points) select 'm', move, 5 from loyalty.lot where person = '%s'`, other)},
		"more than the lot has":      {move(-5), entry("points", -5), entry("burnt", 5), fmt.Sprintf(`insert into loyalty.draw (move, lot, points) select 'm', move, 101 from loyalty.lot where person = '%s'`, who)},
		"entries of an earlier move": {fmt.Sprintf(`insert into loyalty.entry (move, account, amount) select id, 'burnt', 1 from loyalty.move where person = '%s'`, who)},
		"an entry that changes":      {`update loyalty.entry set amount = amount`},
		"points set by hand":         {`update loyalty.account set points = 7`},
	} {
		err := c.db.InTx(t.Context(), func(tx *pg.Tx) error {
			for _, sql := range all {
				tx.Queue(sql)
			}
			return nil
		})
		if err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestTwoWhoSettleAnOrderAtOnceEarnOnce(t *testing.T) {
	t.Parallel()
	c := newTill(t)
	c.earns()
	who, key := c.buyer()
	order := c.buys(who, 100)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c.mu.Lock()
			c.kept[order] = 40_00
			c.mu.Unlock()
			e := escrow.Returning{Escrow: id.New(id.Escrow), Order: order, Refund: fmt.Sprint(i), Amount: money.Dirhams(1)}
			if err := c.db.InTx(auth.With(t.Context(), auth.Hub), func(tx *pg.Tx) error { return tx.Publish(t.Context(), e) }); err != nil {
				t.Error(err)
			}
			eid, err := pg.Value[string](t.Context(), c.db, nil, `select id from platform.event where subject = $1`, e.Escrow)
			if err == nil {
				err = c.bus.Deliver(auth.With(t.Context(), auth.Hub), c.db, event.Delivery{Event: eid, Type: e.EventType(), Subscriber: "loyalty"})
			}
			if err != nil && !errors.Is(err, loyalty.ErrChanged) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	c.has(key, 40, 0)
}
