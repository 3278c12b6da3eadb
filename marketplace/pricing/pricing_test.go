package pricing_test

import (
	"fmt"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/marketplace/pricing"
	"tiwiza/pkg/money"
)

// The best of a buyer's prices is never above the public one nor below any that
// is meant for it, and prices of others change nothing.
func TestTheBestOwnPriceCounts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		public := rapid.Int64Range(1, 1e8).Draw(t, "public")
		n := rapid.IntRange(1, 999).Draw(t, "number")
		want, found := public, false
		var own []pricing.Own
		for i := range rapid.IntRange(0, 6).Draw(t, "prices") {
			o := pricing.Own{List: fmt.Sprint(i), Seller: rapid.SampledFrom([]string{"org_a", "org_b"}).Draw(t, "seller"), Price: pricing.Price{
				Variant: rapid.SampledFrom([]string{"", "var_1", "var_2"}).Draw(t, "variant"), Least: rapid.IntRange(1, 20).Draw(t, "least"),
			}}
			var cost int64
			if o.Variant == "" || rapid.Bool().Draw(t, "percent") {
				tenths := rapid.Int64Range(1, 999).Draw(t, "tenths")
				o.Percent = decimal.New(tenths, -1)
				cost = public - (2*public*tenths+1000)/2000 // half a centime up
			} else {
				o.Price.Price = rapid.Int64Range(1, 1e8).Draw(t, "price")
				cost = o.Price.Price
			}
			own = append(own, o)
			if o.Seller == "org_a" && o.Variant != "var_2" && o.Least <= n && cost > 0 && cost < want {
				want, found = cost, true
			}
		}
		got, better := pricing.Best(own, "org_a", "var_1", n, money.Dirhams(public))
		if got.Centimes() != want || better != found {
			t.Fatalf("%d × at %d: %s, better %t; want %d", n, public, got, better, want)
		}
	})
}
