package pools_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tiwiza/marketplace/pools"
)

func pledge(id string, side pools.Side, quantity int, price int64) pools.Pledge {
	return pools.Pledge{ID: id, Member: "org_" + id, Side: side, Quantity: quantity, Price: price}
}

func TestAPoolClearsAtOnePrice(t *testing.T) {
	t.Parallel()
	buy := func(id string, n int, most int64) pools.Pledge { return pledge(id, pools.Buys, n, most) }
	sell := func(id string, n int, least int64) pools.Pledge { return pledge(id, pools.Sells, n, least) }
	for _, c := range []struct {
		name    string
		pledges []pools.Pledge
		ceiling int64
		least   int
		want    string
	}{
		{"three and three", []pools.Pledge{
			buy("a", 40, 5000), buy("b", 30, 4500), buy("c", 50, 4200), sell("d", 60, 3800), sell("e", 40, 4000), sell("f", 80, 4600),
		}, 5000, 50, "4100: a 40 of d, b 20 of d, b 10 of e, c 30 of e"},
		{"the middle, half a centime down", []pools.Pledge{buy("a", 5, 1003), sell("b", 5, 1000)}, 9999, 1, "1001: a 5 of b"},
		{"the pool's ceiling is everybody's", []pools.Pledge{buy("a", 5, 9000), sell("b", 5, 1000)}, 1000, 1, "1000: a 5 of b"},
		{"one price for several: by largest remainder, ties to the earlier", []pools.Pledge{
			buy("a", 1, 500), buy("b", 1, 500), buy("c", 1, 500), sell("d", 2, 500),
		}, 500, 1, "500: a 1 of d, b 1 of d"},
		{"too little", []pools.Pledge{buy("a", 5, 100), sell("b", 4, 100)}, 100, 5, "nothing"},
		{"too dear", []pools.Pledge{buy("a", 5, 100), sell("b", 5, 101)}, 200, 1, "nothing"},
		{"above the pool's ceiling", []pools.Pledge{buy("a", 5, 100), sell("b", 5, 90)}, 80, 1, "nothing"},
		{"one side alone", []pools.Pledge{buy("a", 5, 100)}, 100, 1, "nothing"},
		{"nobody", nil, 100, 1, "nothing"},
	} {
		if got := told(pools.Clear(c.pledges, c.ceiling, c.least)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func told(c pools.Clearing, ok bool) string {
	if !ok {
		return "nothing"
	}
	s := fmt.Sprintf("%d:", c.Price)
	for i, m := range c.Matches {
		if i > 0 {
			s += ","
		}
		s += fmt.Sprintf(" %s %d of %s", m.Buy.ID, m.Quantity, m.Sell.ID)
	}
	return s
}

// TestNobodyIsWorseOffThanPledged draws pools.
func TestNobodyIsWorseOffThanPledged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var all []pools.Pledge
		for i := range rapid.IntRange(0, 12).Draw(t, "pledges") {
			side := rapid.SampledFrom([]pools.Side{pools.Buys, pools.Sells}).Draw(t, "side")
			all = append(all, pledge(fmt.Sprintf("%02d", i), side, rapid.IntRange(1, 30).Draw(t, "quantity"), rapid.Int64Range(1, 12).Draw(t, "price")))
		}
		ceiling, least := rapid.Int64Range(1, 15).Draw(t, "ceiling"), rapid.IntRange(1, 60).Draw(t, "least")
		c, ok := pools.Clear(all, ceiling, least)
		most := 0
		for p := int64(1); p <= 15; p++ {
			if p <= ceiling {
				most = max(most, exchanged(all, p))
			}
		}
		if ok != (most >= least && most > 0) {
			t.Fatalf("cleared %t, though %d could be exchanged and %d must be", ok, most, least)
		}
		if !ok {
			return
		}
		if c.Quantity != most || c.Price > ceiling || exchanged(all, c.Price) != most {
			t.Fatalf("%d at %d; %d could be exchanged", c.Quantity, c.Price, most)
		}
		got, sum, sides := map[string]int{}, 0, map[string]bool{}
		for _, m := range c.Matches {
			if m.Quantity <= 0 || m.Buy.Side != pools.Buys || m.Sell.Side != pools.Sells || sides[m.Buy.ID+m.Sell.ID] {
				t.Fatalf("match %+v", m)
			}
			sides[m.Buy.ID+m.Sell.ID] = true
			got[m.Buy.ID] += m.Quantity
			got[m.Sell.ID] += m.Quantity
			sum += m.Quantity
		}
		if sum != c.Quantity {
			t.Fatalf("the matches make %d, not %d", sum, c.Quantity)
		}
		parties := 0
		for _, p := range all {
			n := got[p.ID]
			switch {
			case n > p.Quantity:
				t.Fatalf("%+v gets %d", p, n)
			case n > 0 && p.Side == pools.Buys && p.Price < c.Price, n > 0 && p.Side == pools.Sells && p.Price > c.Price:
				t.Fatalf("%+v takes part at %d", p, c.Price)
			}
			if n > 0 {
				parties++
			}
			for _, q := range all { // a worse price is served after all better ones
				better := p.Side == pools.Buys && min(p.Price, ceiling) > min(q.Price, ceiling) || p.Side == pools.Sells && p.Price < q.Price
				if p.Side == q.Side && better && got[q.ID] > 0 && n < p.Quantity {
					t.Fatalf("%+v gets %d, and %+v, which is worse, %d", p, n, q, got[q.ID])
				}
				if p.Side == q.Side && (p.Price == q.Price || p.Side == pools.Buys && min(p.Price, ceiling) == min(q.Price, ceiling)) && p.Quantity == q.Quantity && n-got[q.ID] > 1 {
					t.Fatalf("of two alike one gets %d and the other %d", n, got[q.ID])
				}
			}
		}
		if len(c.Matches) > parties-1 {
			t.Fatalf("%d matches of %d", len(c.Matches), parties)
		}
		again := slices.Clone(all)
		rand.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if c2, _ := pools.Clear(again, ceiling, least); cmp.Diff(c, c2) != "" {
			t.Fatal("it depends on the order in which pledges are read")
		}
	})
}

// exchanged is how much would be at a price.
func exchanged(all []pools.Pledge, price int64) int {
	asked, offered := 0, 0
	for _, p := range all {
		if p.Side == pools.Buys && p.Price >= price {
			asked += p.Quantity
		}
		if p.Side == pools.Sells && p.Price <= price {
			offered += p.Quantity
		}
	}
	return min(asked, offered)
}
