package catalog_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/media"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
	"tiwiza/search/pgsearch"
)

// places checks what must hold of stock at places: a variant's sums are those of
// its places, and what a place holds is what orders hold there.
func (m *market) places() {
	m.Helper()
	n, err := pg.Value[int](m.Context(), m.db, nil, `select count(*) from catalog.variant v
		where (v.placed, v.placed_reserved) is distinct from (select (coalesce(sum(on_hand), 0)::int, coalesce(sum(reserved), 0)::int)
				from catalog.stock_place s where s.variant = v.id)
			or v.placed_reserved <> (select coalesce(sum(p.quantity), 0) from catalog.reservation_place p
				join catalog.reservation r using (order_id, variant) where p.variant = v.id and r.state = 'held')`)
	if err != nil || n != 0 {
		m.Errorf("%d variants do not add up with their places (%v)", n, err)
	}
	m.whole()
}

func (m *market) place(name string) string {
	m.Helper()
	var p catalog.Place
	m.json(ourKey, "POST", "/v1/places", fmt.Sprintf(`{"name":%q,"commune":"Rabat"}`, name)).as(http.StatusCreated, &p)
	return p.ID
}

// made is an offer of one variant that is made to order, so many a week.
func (m *market) made(weekly int) (offer, variant string) {
	m.Helper()
	var v catalog.View
	m.json(ourKey, "POST", "/v1/offers", fmt.Sprintf(`{"category":"rugs","names":{"fr":"Tapis sur mesure"},"commune":"Taznakht",
		"variants":[{"sku":"T1","price":{"amount":"900.00","currency":"MAD"},"policy":"made_to_order","weekly":%d,"lead_days":40}]}`, weekly)).as(http.StatusCreated, &v)
	m.json(ourKey, "POST", "/v1/offers/"+v.ID+"/publish", "").as(http.StatusOK, nil)
	return v.ID, v.Variants[0].ID
}

// Two hubs sell 100 of each of three articles, kept at several places, to 500
// buyers who take them in random order.
func TestRule3_1_TwoHubsNeverOversellStockAtSeveralPlaces(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	db, other := pgtest.Open(t, url, pg.Options{MaxConns: 8}), pgtest.Open(t, url, pg.Options{MaxConns: 8})
	db.Use(nil, event.NewBus())
	other.Use(nil, event.NewBus())
	m := openMarket(t, db, time.Nanosecond)
	second := catalog.New(other, pgsearch.Open(other, pgsearch.Options{FacetAge: time.Nanosecond}), m.sellers, media.New(other, nil, nil))
	v := m.stocked(100, 100, 100)
	shop, barn := m.place("Boutique"), m.place("Grange")
	for _, id := range v {
		m.json(ourKey, "POST", "/v1/variants/"+id+"/moves", fmt.Sprintf(`{"from":"","to":%q,"quantity":30}`, shop)).as(http.StatusOK, nil)
		m.json(ourKey, "POST", "/v1/variants/"+id+"/moves", fmt.Sprintf(`{"from":"","to":%q,"quantity":45}`, barn)).as(http.StatusOK, nil)
	}
	var sold, short, back atomic.Int64
	var wg sync.WaitGroup
	for i := range 500 {
		wg.Go(func() {
			lines := []catalog.Line{{Variant: v[0], Quantity: 1}, {Variant: v[1], Quantity: 1}, {Variant: v[2], Quantity: 1}}
			rand.Shuffle(3, func(a, b int) { lines[a], lines[b] = lines[b], lines[a] })
			db, s, order := m.db, m.s, fmt.Sprintf("ord_%d", i)
			if i%2 == 1 {
				db, s = other, second
			}
			step := func(f func(tx *pg.Tx) error) error { return db.InTx(t.Context(), f) }
			err := step(func(tx *pg.Tx) error { return s.Reserve(t.Context(), tx, map[string][]catalog.Line{order: lines}) })
			switch {
			case errors.Is(err, catalog.ErrSoldOut):
				short.Add(1)
				return
			case err != nil:
				t.Error(err)
				return
			}
			sold.Add(1)
			if i%3 == 0 { // some pay
				err = step(func(tx *pg.Tx) error { return s.Take(t.Context(), tx, order) })
			}
			if i%10 == 0 { // and of these some get their goods back into stock
				back.Add(1)
				err = errors.Join(err, step(func(tx *pg.Tx) error {
					return errors.Join(s.Unreserve(t.Context(), tx, order), s.Return(t.Context(), tx, order))
				}))
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	kept := sold.Load() - back.Load()
	// Whoever is refused met nothing left, so a hundred were sold at some time.
	if kept > 100 || sold.Load() < 100 || sold.Load()+short.Load() != 500 || m.left(v[0])[0] != int(100-kept) {
		t.Errorf("%d sold, %d of them given back, %d refused, %v left; want 100 sold, no more kept, and nothing lost", sold.Load(), back.Load(), short.Load(), m.left(v...))
	}
	m.places()
}

// Goods leave and come to a place that has all there is.
func TestRule3_1_StockAtAPlaceThatHasAllOfIt(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(20)[0]
	shop := m.place("Boutique")
	m.json(ourKey, "POST", "/v1/variants/"+v+"/moves", fmt.Sprintf(`{"from":"","to":%q,"quantity":20}`, shop)).as(http.StatusOK, nil)
	for _, c := range []struct {
		body string
		left int
	}{{`{"place":%q,"delta":-3}`, 17}, {`{"place":%q,"delta":5}`, 22}, {`{"place":%q,"on_hand":1}`, 1}, {`{"place":%q,"on_hand":0}`, 0}} {
		m.json(ourKey, "PATCH", "/v1/variants/"+v+"/stock", fmt.Sprintf(c.body, shop)).as(http.StatusOK, nil)
		if got := m.left(v)[0]; got != c.left {
			t.Errorf("after %s %d are left, want %d", c.body, got, c.left)
		}
		m.places()
	}
}

// Whatever is done to stock at places, in any order, its sums hold.
func TestRule3_1_StockAtPlacesAlwaysAddsUp(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(20)[0]
	at := []string{"", m.place("Boutique"), m.place("Grange")}
	orders := 0
	rapid.Check(t, func(r *rapid.T) {
		orders++
		order, place, n := fmt.Sprintf("ord_%d", orders), rapid.SampledFrom(at).Draw(r, "place"), rapid.IntRange(1, 9).Draw(r, "n")
		switch rapid.IntRange(0, 4).Draw(r, "do") {
		case 0:
			_ = m.reserve(order, catalog.Line{Variant: v, Quantity: n}) // may be short
		case 1:
			_ = m.reserve(order, catalog.Line{Variant: v, Quantity: n})
			if err := m.take(order); err != nil {
				r.Fatal(err)
			}
		case 2:
			if err := m.unreserve(fmt.Sprintf("ord_%d", rapid.IntRange(1, orders).Draw(r, "order"))); err != nil {
				r.Fatal(err)
			}
		case 3:
			m.json(ourKey, "POST", "/v1/variants/"+v+"/moves", fmt.Sprintf(`{"from":%q,"to":%q,"quantity":%d}`, rapid.SampledFrom(at).Draw(r, "from"), place, n))
		default:
			a := m.json(ourKey, "PATCH", "/v1/variants/"+v+"/stock", fmt.Sprintf(`{"place":%q,"delta":%d}`, place, rapid.IntRange(-9, 9).Draw(r, "delta")))
			if a.status == http.StatusInternalServerError {
				r.Fatalf("%s", a.body)
			}
		}
		m.places()
	})
}

func TestRule3_1_AWeeksCapacityIsNeverExceededAndOpensOnMonday(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.to("2031-02-05 10:00:00") // a Wednesday
	offer, v := m.made(5)
	var sold atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			switch err := m.reserve(fmt.Sprintf("ord_%d", i), catalog.Line{Variant: v, Quantity: 1}); {
			case err == nil:
				sold.Add(1)
			case !errors.Is(err, catalog.ErrSoldOut):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if sold.Load() != 5 || m.list("").Data[0].Available {
		t.Errorf("%d sold, want 5 and the offer sold out", sold.Load())
	}
	m.whole()
	m.json(ourKey, "PATCH", "/v1/offers/"+offer, `{"variants":[{"sku":"T1","weekly":4}]}`).refused(http.StatusUnprocessableEntity, "catalog.invalid", "/variants/0/weekly")
	if err := m.db.InTx(t.Context(), func(tx *pg.Tx) error { // one gives up
		for i := range 40 {
			if err := m.s.Unreserve(t.Context(), tx, fmt.Sprintf("ord_%d", i)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := m.left(v); got[0] != 5 {
		t.Errorf("%v left after all gave up, want 5", got)
	}
	if err := m.reserve("ord_all", catalog.Line{Variant: v, Quantity: 5}); err != nil {
		t.Fatal(err)
	}
	if err := m.take("ord_all"); err != nil {
		t.Fatal(err)
	}
	m.to("2031-02-09 23:59:59")
	m.due()
	if m.list("").Data[0].Available {
		t.Error("available on Sunday night")
	}
	m.to("2031-02-10 00:00:00")
	m.due()
	if l := m.list(""); !l.Data[0].Available || m.left(v)[0] != 5 {
		t.Errorf("on Monday %v left", m.left(v))
	}
	if n, err := pg.Value[bool](t.Context(), m.db, nil, `select available from search.document`); err != nil || !n {
		t.Errorf("the index says available: %v (%v)", n, err)
	}
	m.whole()
}

// The price of one kilogram or litre is right to half a centime, and prices by
// number only fall.
func TestRule3_4_UnitPricesAreRoundedOnceAndTiersOnlyFall(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]string{"g", "kg", "ml", "cl", "l"}).Draw(t, "unit")
		parts := map[string]int64{"g": 1, "kg": 1000, "ml": 1, "cl": 10, "l": 1000}[unit]
		v := catalog.Variant{
			Price: money.Dirhams(rapid.Int64Range(1, 1_000_000_000).Draw(t, "price")),
			Net:   catalog.Net{Quantity: rapid.IntRange(1, 10_000_000).Draw(t, "net"), Unit: unit},
		}
		got, _, ok := v.UnitPrice()
		n := int64(v.Net.Quantity) * parts
		if off := got.Centimes()*n - v.Price.Centimes()*1000; !ok || 2*off > n || 2*off <= -n {
			t.Fatalf("%s for %d %s is %s", v.Price, v.Net.Quantity, unit, got)
		}
	})
	m := newMarket(t)
	in := func(tiers string) string {
		return `{"category":"oils","names":{"fr":"Huile"},"commune":"Rabat","variants":[{"sku":"H","price":{"amount":"10.00","currency":"MAD"},"tiers":[` + tiers + `]}]}`
	}
	tier := func(from int, amount string) string {
		return fmt.Sprintf(`{"from":%d,"price":{"amount":%q,"currency":"MAD"}}`, from, amount)
	}
	m.json(ourKey, "POST", "/v1/offers", in(tier(6, "9.00")+","+tier(12, "9.00"))).refused(422, "catalog.invalid", "/variants/0/tiers/1/price")
	m.json(ourKey, "POST", "/v1/offers", in(tier(6, "10.00"))).refused(422, "catalog.invalid", "/variants/0/tiers/0/price")
	m.json(ourKey, "POST", "/v1/offers", in(tier(6, "9.00")+","+tier(6, "8.00"))).refused(422, "catalog.invalid", "/variants/0/tiers/1/from")
	var v catalog.View
	m.json(ourKey, "POST", "/v1/offers", in(tier(12, "8.50")+","+tier(6, "9.00"))).as(http.StatusCreated, &v)
	items, err := m.s.Items(t.Context(), m.db, []string{v.Variants[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "10.00", 5: "10.00", 6: "9.00", 11: "9.00", 12: "8.50", 999: "8.50"} {
		if got := items[v.Variants[0].ID].PriceOf(n).Amount(); got != want {
			t.Errorf("%d cost %s each, want %s", n, got, want)
		}
	}
}

// asked counts what goes to the database.
type asked struct{ n atomic.Int64 }

func (a *asked) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	a.n.Add(1)
	return ctx
}
func (a *asked) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// A page of the list and an offer take the same number of queries whatever they
// carry.
func TestRule3_8_LabelsPlacesAndTiersAddNoQueries(t *testing.T) {
	t.Parallel()
	c := &asked{}
	db := pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 4, Tracer: c})
	db.Use(nil, event.NewBus())
	m := openMarket(t, db, time.Nanosecond)
	count := func(offer string) (list, show int64) {
		before := c.n.Load()
		m.list("")
		between := c.n.Load()
		m.json(auth.Key{}, "GET", "/v1/offers/"+offer, "").as(http.StatusOK, nil)
		return between - before, c.n.Load() - between
	}
	v := m.offer()
	count(v.ID) // the statements are prepared now
	few := fmt.Sprint(count(v.ID))
	m.made(3)
	m.stocked(1, 2, 3)
	m.claim(`{"code":"Bio","issuer":"Organisme exemple","number":"EX-9","scope":"organisation","valid_from":"2020-01-01"}`)
	m.verify()
	m.json(ourKey, "POST", "/v1/variants/"+v.Variants[0].ID+"/moves", fmt.Sprintf(`{"from":"","to":%q,"quantity":2}`, m.place("Boutique"))).as(http.StatusOK, nil)
	if many := fmt.Sprint(count(v.ID)); many != few {
		t.Errorf("queries of the list and of an offer: %s, and %s with labels and more offers", few, many)
	}
}

// What buyers find follows each change at once: by hand, by a moderator, by time.
func TestRule3_9_TheIndexFollowsLabelsOriginAndDates(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.to("2031-03-01 09:00:00")
	var v catalog.View
	m.json(ourKey, "POST", "/v1/offers", `{"kind":"service","way":"booking","category":"pottery","names":{"fr":"Atelier de poterie"},"commune":"Safi",
		"variants":[{"sku":"D1","price":{"amount":"200.00","currency":"MAD"},"on_hand":6,"starts_at":"2031-03-08T14:00:00Z","minutes":120},
			{"sku":"D2","price":{"amount":"200.00","currency":"MAD"},"on_hand":6,"starts_at":"2031-03-15T14:00:00Z","minutes":120}]}`).as(http.StatusCreated, &v)
	m.json(ourKey, "POST", "/v1/offers/"+v.ID+"/publish", "").as(http.StatusOK, nil)
	inIndex := func() bool {
		t.Helper()
		b, err := pg.Value[bool](t.Context(), m.db, nil, `select available from search.document`)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, step := range []struct {
		to   string
		left []int
	}{{"2031-03-08 13:59:59", []int{6, 6}}, {"2031-03-08 15:00:00", []int{0, 6}}, {"2031-03-15 15:00:00", []int{0, 0}}} {
		m.to(step.to)
		m.due()
		free := step.left[0]+step.left[1] > 0
		if got := m.left(v.Variants[0].ID, v.Variants[1].ID); !slices.Equal(got, step.left) || inIndex() != free || m.list("").Data[0].Available != free {
			t.Errorf("at %s: %v left, in the index %v; want %v", step.to, got, inIndex(), step.left)
		}
	}
	if err := m.reserve("ord_late", catalog.Line{Variant: v.Variants[0].ID, Quantity: 1}); !errors.Is(err, catalog.ErrSoldOut) {
		t.Errorf("a date that has begun is booked: %v", err)
	}
}

// A label's last day ends at midnight in Morocco, also where its clocks change:
// in 2025 they went back for Ramadan on 23 February and forward on 6 April.
func TestRule3_10_LabelsEndAtMidnightInMoroccoInAnySeason(t *testing.T) {
	t.Parallel()
	for last, want := range map[string]string{
		"2025-01-15": "2025-01-15T23:00:00Z", "2025-02-22": "2025-02-22T23:00:00Z", "2025-02-23": "2025-02-24T00:00:00Z",
		"2025-03-10": "2025-03-11T00:00:00Z", "2025-04-05": "2025-04-06T00:00:00Z", "2025-04-06": "2025-04-06T23:00:00Z",
	} {
		end, ok := catalog.Label{To: last}.Ends()
		if got := end.UTC().Format(time.RFC3339); !ok || got != want {
			t.Errorf("the label of %s ends at %s, want %s", last, got, want)
		}
		if got := end.Add(-time.Nanosecond).In(clock.Morocco).Format(time.DateOnly); got != last {
			t.Errorf("the moment before is on %s, want %s", got, last)
		}
	}
}

// A seller that is away stays in sight, says when it is back, and its goods say
// so to baskets; a suspended one disappears.
func TestRule3_12_ASellerThatIsAwaySaysWhenItOpensAgain(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.to("2031-03-01 09:00:00")
	v := m.offer()
	var c catalog.Closure
	m.json(ourKey, "POST", "/v1/closures", `{"from":"2031-03-10","to":"2031-03-20","reason":"Récolte"}`).as(http.StatusCreated, &c)
	for body, at := range map[string]string{
		`{"from":"2031-02-01","to":"2031-03-20"}`: "/from", `{"from":"2031-04-10","to":"2031-04-01"}`: "/to", `{"from":"2031-04-10","to":"2033-04-10"}`: "/to",
	} {
		m.json(ourKey, "POST", "/v1/closures", body).refused(http.StatusUnprocessableEntity, "catalog.invalid", at)
	}
	for _, body := range []string{`{"from":"2031-03-21","to":"2031-03-22"}`, `{"from":"2031-03-12","to":"2031-03-13"}`, `{"from":"2031-03-05","to":"2031-03-09"}`} {
		m.json(ourKey, "POST", "/v1/closures", body).refused(http.StatusConflict, "catalog.closure_meets")
	}
	m.json(otherKey, "POST", "/v1/closures", `{"from":"2031-03-12","to":"2031-03-13"}`).as(http.StatusCreated, nil)
	m.json(otherKey, "POST", "/v1/closures/"+c.ID+"/reopen", "").refused(http.StatusNotFound, "catalog.no_closure")
	check := func(when, reopens string) {
		t.Helper()
		items, err := m.s.Items(t.Context(), m.db, []string{v.Variants[0].ID})
		if err != nil {
			t.Fatal(err)
		}
		var shown catalog.View
		m.json(auth.Key{}, "GET", "/v1/offers/"+v.ID, "").as(http.StatusOK, &shown)
		if got := []string{items[v.Variants[0].ID].Reopens, shown.Reopens, m.list("").Data[0].Reopens}; slices.ContainsFunc(got, func(s string) bool { return s != reopens }) {
			t.Errorf("%s: opens %q, want %q", when, got, reopens)
		}
	}
	check("before", "")
	m.to("2031-03-10 00:00:00")
	check("on the first day", "2031-03-21")
	m.to("2031-03-20 23:59:59")
	check("on the last day", "2031-03-21")
	m.json(ourKey, "POST", "/v1/closures/"+c.ID+"/reopen", "").as(http.StatusOK, &c)
	check("back early", "")
	if c.Reopens != "2031-03-20" {
		t.Errorf("reopened on %s", c.Reopens)
	}
	m.json(ourKey, "POST", "/v1/closures/"+c.ID+"/reopen", "").as(http.StatusOK, &c)
	m.json(ourKey, "POST", "/v1/closures", `{"from":"2031-03-22","to":"2031-03-23"}`).as(http.StatusCreated, nil)
	suspended := m.sellers[ours]
	suspended.Active = false
	m.sellers[ours] = suspended
	if err := m.tx(func(tx *pg.Tx) error { return m.s.Reindex(t.Context(), tx, ours) }); err != nil {
		t.Fatal(err)
	}
	if n := len(m.list("").Data); n != 0 {
		t.Errorf("%d offers of a suspended seller are listed", n)
	}
}

// Lists of a seller's desk take the same number of queries whatever they show.
func TestRule3_8_TheDesksListsAskAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	c := &asked{}
	db := pgtest.Open(t, pgtest.URL(t), pg.Options{MaxConns: 4, Tracer: c})
	db.Use(nil, event.NewBus())
	m := openMarket(t, db, time.Nanosecond)
	for i := range 6 {
		m.call(ourKey, "POST", "/v1/imports", "text/csv", fmt.Sprintf("offer_key,category,name_fr,sku,price,stock,commune\nk%d,dates,Dattes,K%d,10.00,1,Erfoud\nl%d,dates,Dattes,L%d,10.00,1,Erfoud\n", i, i, i, i)).as(http.StatusCreated, nil)
		m.claim(fmt.Sprintf(`{"code":"Bio","issuer":"Organisme exemple","number":"EX-%d","scope":"organisation","valid_from":"2020-01-01"}`, i))
		m.place(fmt.Sprint("Lieu ", i))
		m.json(ourKey, "POST", "/v1/closures", fmt.Sprintf(`{"from":"2040-0%d-01","to":"2040-0%d-05"}`, i+1, i+1)).as(http.StatusCreated, nil)
	}
	for _, path := range []string{"/v1/imports", "/v1/labels", "/v1/offers/mine", "/v1/offers"} {
		page := func(limit int) (queries int64, rows int) {
			var v struct{ Data []any }
			at := fmt.Sprintf("%s?limit=%d", path, limit)
			m.json(ourKey, "GET", at, "").as(http.StatusOK, &v) // the statements are prepared now
			before := c.n.Load()
			m.json(ourKey, "GET", at, "").as(http.StatusOK, &v)
			return c.n.Load() - before, len(v.Data)
		}
		one, _ := page(1)
		many, rows := page(100)
		if rows < 6 || one != many {
			t.Errorf("%s: %d queries for one row, %d for %d", path, one, many, rows)
		}
	}
}

// A seller has 50 places and 50 closures to come, also when it asks for more of
// them at once, so that their lists stay short.
func TestRule3_8_PlacesAndClosuresAreBounded(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var made, told [2]atomic.Int64
	var wg sync.WaitGroup
	first := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 60 {
		day := first.AddDate(0, 0, 2*i).Format(time.DateOnly)
		for j, q := range []struct{ path, body, code string }{
			{"/v1/places", fmt.Sprintf(`{"name":"Lieu %d","commune":"Rabat"}`, i), "catalog.many_places"},
			{"/v1/closures", fmt.Sprintf(`{"from":%[1]q,"to":%[1]q}`, day), "catalog.many_closures"},
		} {
			wg.Go(func() {
				switch a := m.json(ourKey, "POST", q.path, q.body); {
				case a.status == http.StatusCreated:
					made[j].Add(1)
				case a.status == http.StatusConflict && strings.Contains(string(a.body), q.code):
					told[j].Add(1)
				default:
					t.Errorf("%s is answered %d: %s", q.path, a.status, a.body)
				}
			})
		}
	}
	wg.Wait()
	for j := range made {
		if made[j].Load() != 50 || told[j].Load() != 10 {
			t.Errorf("%d were made and %d refused, want 50 and 10", made[j].Load(), told[j].Load())
		}
	}
	m.json(otherKey, "POST", "/v1/places", `{"name":"Lieu","commune":"Rabat"}`).as(http.StatusCreated, nil)
	m.json(otherKey, "POST", "/v1/closures", `{"from":"2040-01-01","to":"2040-01-02"}`).as(http.StatusCreated, nil)
}

// The program and its database know the same hours of Morocco, whatever the
// machine knows: on each day on which its clocks change, and on those around it.
func TestRule3_10_TheHubAndItsDatabaseChangeTheirClocksTogether(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	var at []time.Time
	for d := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() < 2032; {
		_, end := d.In(clock.Morocco).ZoneBounds()
		if end.IsZero() {
			break
		}
		for _, by := range []time.Duration{-25 * time.Hour, -time.Hour, -time.Second, 0, time.Hour, 25 * time.Hour} {
			at = append(at, end.Add(by))
		}
		d = end.Add(time.Hour)
	}
	if len(at) < 6*14 {
		t.Fatalf("the program knows of %d changes until 2031, want two each year", len(at)/6)
	}
	theirs, err := pg.Column[string](t.Context(), m.db, `select to_char(x at time zone 'Africa/Casablanca', 'YYYY-MM-DD HH24:MI:SS')
		from unnest($1::timestamptz[]) with ordinality u(x, n) order by n`, at)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range at {
		if ours := x.In(clock.Morocco).Format(time.DateTime); ours != theirs[i] {
			t.Errorf("at %s it is %s here and %s in the database", x.UTC().Format(time.RFC3339), ours, theirs[i])
		}
	}
}

// Days begin at midnight in Morocco and weeks on Monday, also beside a Sunday on
// which the clocks change: one has 25 hours, when Ramadan begins, one has 23, when
// it is over.
func TestRule3_10_DaysAndWeeksBeginAtMidnightWhereClocksChange(t *testing.T) {
	t.Parallel()
	for _, hours := range []int{23, 25} {
		t.Run(fmt.Sprint("a day of ", hours, " hours"), func(t *testing.T) {
			t.Parallel()
			sunday := time.Date(2030, 1, 1, 0, 0, 0, 0, clock.Morocco)
			for sunday.AddDate(0, 0, 1).Sub(sunday) != time.Duration(hours)*time.Hour {
				sunday = sunday.AddDate(0, 0, 1)
			}
			if sunday.Weekday() != time.Sunday {
				t.Fatalf("the clocks change on a %s", sunday.Weekday())
			}
			m := newMarket(t)
			m.to(sunday.AddDate(0, 0, -3).Format(time.DateTime))
			v := m.offer()
			_, made := m.made(4)
			m.json(ourKey, "POST", "/v1/closures", fmt.Sprintf(`{"from":%[1]q,"to":%[1]q}`, sunday.Format(time.DateOnly))).as(http.StatusCreated, nil)
			if err := m.reserve("ord_1", catalog.Line{Variant: made, Quantity: 4}); err != nil {
				t.Fatal(err)
			}
			for _, step := range []struct {
				at   time.Time
				away bool
				left int
			}{
				{sunday.Add(-10 * time.Minute), false, 0},
				{sunday, true, 0},
				{sunday.AddDate(0, 0, 1).Add(-10 * time.Minute), true, 0},
				{sunday.AddDate(0, 0, 1), false, 4},
			} {
				if err := m.tx(func(tx *pg.Tx) error {
					_, err := clock.Advance(t.Context(), tx, step.at.Sub(tx.Now()))
					return err
				}); err != nil {
					t.Fatal(err)
				}
				items, err := m.s.Items(t.Context(), m.db, []string{v.Variants[0].ID})
				if err != nil {
					t.Fatal(err)
				}
				if got := items[v.Variants[0].ID].Reopens != ""; got != step.away {
					t.Errorf("at %s the seller is away: %t", step.at, got)
				}
				if got := m.left(made)[0]; got != step.left {
					t.Errorf("at %s %d can be made, want %d", step.at, got, step.left)
				}
			}
		})
	}
}
