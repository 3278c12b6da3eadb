package catalog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

func dirhams(s string) money.Money { return money.MustParse(s, money.MAD) }

func TestTwoHundredBuyersOfFiveGetFive(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(5)[0]
	var sold, short atomic.Int64
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			switch err := m.reserve(fmt.Sprintf("ord_%d", i), catalog.Line{Variant: v, Quantity: 1}); {
			case err == nil:
				sold.Add(1)
			case errors.Is(err, catalog.ErrSoldOut):
				short.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if sold.Load() != 5 || short.Load() != 195 {
		t.Errorf("%d sold and %d refused, want 5 and 195", sold.Load(), short.Load())
	}
	if got := m.left(v); !slices.Equal(got, []int{0}) {
		t.Errorf("%v left, want none", got)
	}
	m.whole()
	if l := m.list(""); len(l.Data) != 1 || l.Data[0].Available {
		t.Errorf("the list shows %+v, want one offer that is sold out", l.Data)
	}
}

func TestReserveIsAllOrNothingAndSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(5, 2, 9)
	err := m.tx(func(tx *pg.Tx) error {
		return m.s.Reserve(t.Context(), tx, map[string][]catalog.Line{
			"ord_a": {{Variant: v[0], Quantity: 3}, {Variant: v[1], Quantity: 3}},
			"ord_b": {{Variant: v[0], Quantity: 3}, {Variant: v[2], Quantity: 9}, {Variant: "var_none", Quantity: 1}},
		})
	})
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != catalog.ErrSoldOut.Code || f.Kind != fault.Conflict {
		t.Fatalf("error = %v, want %v", err, catalog.ErrSoldOut)
	}
	said := map[string]string{}
	for _, d := range f.Details {
		said[d.Pointer] = d.Detail
	}
	if len(said) != 3 || !strings.Contains(said["/lines/"+v[0]], "Only 5 left") || !strings.Contains(said["/lines/"+v[1]], "Only 2 left") ||
		!strings.Contains(said["/lines/var_none"], "Only 0 left") {
		t.Errorf("details = %v, want what is left of the three that fall short", said)
	}
	if got := m.left(v...); !slices.Equal(got, []int{5, 2, 9}) {
		t.Errorf("left %v, want all of it", got)
	}
	m.whole()
}

func TestTakingAndGivingBackTwiceIsHarmless(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(5)[0]
	for _, order := range []string{"ord_a", "ord_b"} {
		if err := m.reserve(order, catalog.Line{Variant: v, Quantity: 1}, catalog.Line{Variant: v, Quantity: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.reserve("ord_a", catalog.Line{Variant: v, Quantity: 1}); !errors.Is(err, catalog.ErrReserved) {
		t.Errorf("a second hold for one order: error = %v, want %v", err, catalog.ErrReserved)
	}
	for _, step := range []error{m.take("ord_a"), m.take("ord_a"), m.unreserve("ord_a"), m.unreserve("ord_b"), m.unreserve("ord_b"), m.take("ord_b"), m.take("ord_none")} {
		if step != nil {
			t.Error(step)
		}
	}
	if got := m.left(v); !slices.Equal(got, []int{3}) {
		t.Errorf("left %v, want 3: two taken, two given back", got)
	}
	m.whole()
}

func TestStockRacesAddUp(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(20, 20, 20)
	var held, taken atomic.Int64
	var wg sync.WaitGroup
	for w := range 12 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			for i := range 15 {
				order := fmt.Sprintf("ord_%d_%d", w, i)
				a, b := v[r.IntN(3)], v[r.IntN(3)]
				err := m.reserve(order, catalog.Line{Variant: a, Quantity: 1 + r.IntN(2)}, catalog.Line{Variant: b, Quantity: 1})
				if errors.Is(err, catalog.ErrSoldOut) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				held.Add(1)
				// Both at once: exactly one of them finds the order held.
				var both sync.WaitGroup
				both.Go(func() {
					if err := m.unreserve(order); err != nil {
						t.Error(err)
					}
				})
				if r.IntN(3) == 0 {
					both.Go(func() {
						if err := m.take(order); err != nil {
							t.Error(err)
						}
						taken.Add(1)
					})
				}
				both.Wait()
			}
		})
	}
	wg.Wait()
	m.whole()
	if held.Load() < 20 || taken.Load() == 0 {
		t.Errorf("the race held %d and took %d: it proves nothing", held.Load(), taken.Load())
	}
	n, err := pg.Value[int](t.Context(), m.db, nil, `select count(*) from catalog.reservation where state = 'held'`)
	if err != nil || n != 0 {
		t.Errorf("%d reservations are still held (%v), want none", n, err)
	}
}

func TestLastUnitsOfTwoVariantsSellOutTheOffer(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(1, 1)
	second := make(chan error, 1)
	start := sync.OnceFunc(func() {
		go func() { second <- m.reserve("ord_1", catalog.Line{Variant: v[1], Quantity: 1}) }()
	})
	// The second order comes while the first is not committed, and must wait for
	// it: else it would see, and index, the first's unit as still there.
	err := m.tx(func(tx *pg.Tx) error {
		if err := m.s.Reserve(t.Context(), tx, map[string][]catalog.Line{"ord_0": {{Variant: v[0], Quantity: 1}}}); err != nil {
			return err
		}
		if err := tx.Flush(t.Context()); err != nil {
			return err
		}
		start()
		for waits := 0; waits == 0; {
			var err error
			if waits, err = pg.Value[int](t.Context(), m.db, nil, `select count(*) from pg_locks l join pg_stat_activity a using (pid)
				where not l.granted and a.datname = current_database()`); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, <-second); err != nil {
		t.Fatal(err)
	}
	indexed := func() bool {
		t.Helper()
		yes, err := pg.Value[bool](t.Context(), m.db, nil, `select available from search.document`)
		if err != nil {
			t.Fatal(err)
		}
		return yes
	}
	if indexed() {
		t.Error("the index says there is some; both last units are held")
	}
	if err := m.unreserve("ord_0"); err != nil {
		t.Fatal(err)
	}
	if !indexed() {
		t.Error("the index says sold out; one unit came back")
	}
}

func TestRule3_1_DatabaseRefusesOverselling(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(5)[0]
	for sql, constraint := range map[string]string{
		`update catalog.variant set reserved = 6 where id = $1`:  "variant_stock",
		`update catalog.variant set reserved = -1 where id = $1`: "variant_stock",
		`update catalog.variant set on_hand = -1 where id = $1`:  "variant_stock",
		`update catalog.variant set price = 0 where id = $1`:     "variant_price_check",
	} {
		if _, err := m.db.Exec(t.Context(), sql, v); !pg.Violates(err, constraint) {
			t.Errorf("%s: error = %v, want the refusal of %s", sql, err, constraint)
		}
	}
	if _, err := m.db.Exec(t.Context(), `update catalog.stock_move set delta = 1 where variant = $1`, v); err == nil {
		t.Error("the stock's history can be rewritten")
	}
}

func TestReserveRefusesWhatIsNotPublished(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	v := m.stocked(5)[0]
	items, err := m.s.Items(t.Context(), m.db, []string{v, "var_none"})
	if err != nil || len(items) != 1 || !items[v].Published {
		t.Fatalf("items = %v (%v)", items, err)
	}
	if _, err := m.s.Pause(as(t, ourKey), catalog.OfferInput{Offer: items[v].Offer}); err != nil {
		t.Fatal(err)
	}
	if err := m.reserve("ord_a", catalog.Line{Variant: v, Quantity: 1}); !errors.Is(err, catalog.ErrSoldOut) {
		t.Errorf("error = %v, want %v", err, catalog.ErrSoldOut)
	}
	if err := m.reserve("ord_a", catalog.Line{Variant: v, Quantity: 0}); !errors.Is(err, catalog.ErrInvalid) {
		t.Errorf("error = %v, want %v", err, catalog.ErrInvalid)
	}
}
