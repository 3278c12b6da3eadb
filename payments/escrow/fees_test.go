package escrow_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/payments/escrow"
)

// anySheet draws fees of every kind, and the sale they are taken of.
func anySheet(t *rapid.T) (escrow.Sheet, escrow.Sale) {
	hundredths := func(name string, most int64) decimal.Decimal {
		return decimal.New(rapid.Int64Range(0, most).Draw(t, name), -2)
	}
	s := escrow.Sheet{Rates: []escrow.Rate{{Kind: "vat", Percent: hundredths("vat", 10000)}, {Kind: "reserve", Percent: hundredths("reserve", 10000)}}}
	for i := range rapid.IntRange(0, 6).Draw(t, "tariffs") {
		f := escrow.Tariff{
			Code: fmt.Sprint("fee", i/2), Category: rapid.SampledFrom([]string{"", "food", "oil"}).Draw(t, "category"),
			Base:    rapid.SampledFrom([]escrow.Base{escrow.OfGoods, escrow.OfDelivery, escrow.OfTotal}).Draw(t, "base"),
			Percent: hundredths("percent", 10000), Minimum: rapid.Int64Range(0, 500).Draw(t, "minimum"),
			Payer: rapid.SampledFrom([]string{"seller", "buyer"}).Draw(t, "payer"),
		}
		if rapid.Bool().Draw(t, "bounded") {
			most := f.Minimum + rapid.Int64Range(0, 5000).Draw(t, "maximum")
			f.Maximum = &most
		}
		s.Tariffs = append(s.Tariffs, f)
	}
	return s, escrow.Sale{
		Goods:    map[string]int64{"food": rapid.Int64Range(0, 1e7).Draw(t, "food"), "oil": rapid.Int64Range(1, 1e7).Draw(t, "oil")},
		Delivery: rapid.Int64Range(0, 1e5).Draw(t, "delivery"),
	}
}

func TestSharesAlwaysAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, sale := anySheet(t)
		l, lines := s.Share(sale)
		if got, want := l.Total(), sale.Goods["food"]+sale.Goods["oil"]+sale.Delivery+escrow.OnTop(lines); got != want {
			t.Fatalf("shares add up to %d, want %d: %+v of %+v", got, want, l, lines)
		}
		if min(l.Seller, l.Reserve, l.Commission, l.VAT, l.Carrier) < 0 {
			t.Fatalf("a share is negative: %+v", l)
		}
		if l.Carrier != sale.Delivery {
			t.Fatalf("delivery of %d got %d", sale.Delivery, l.Carrier)
		}
	})
}

// The lines of one payer are rounded together: their sum is the exact sum
// rounded, and no line is a whole centime off.
func TestFeesAreRoundedTogether(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		goods := rapid.Int64Range(1, 1e8).Draw(t, "goods")
		s := escrow.Sheet{}
		exact := decimal.Zero
		var each []decimal.Decimal
		for i := range rapid.IntRange(1, 9).Draw(t, "fees") {
			p := decimal.New(rapid.Int64Range(1, 900).Draw(t, "percent"), -2)
			s.Tariffs = append(s.Tariffs, escrow.Tariff{Code: fmt.Sprint(i), Base: escrow.OfGoods, Percent: p, Payer: "seller"})
			e := decimal.NewFromInt(goods).Mul(p).Shift(-2)
			each, exact = append(each, e), exact.Add(e)
		}
		var sum int64
		for i, l := range s.Fees(escrow.Sale{Goods: map[string]int64{"": goods}}) {
			sum += l.Amount
			if off := decimal.NewFromInt(l.Amount).Sub(each[i]).Abs(); off.GreaterThanOrEqual(decimal.NewFromInt(1)) {
				t.Fatalf("fee %d is %d, exactly %s", i, l.Amount, each[i])
			}
		}
		if want := exact.Round(0).IntPart(); sum != want {
			t.Fatalf("the fees make %d, want %s rounded", sum, exact)
		}
	})
}

func TestWhatASheetSays(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	most := int64(1000)
	s := escrow.Sheet{
		Tariffs: []escrow.Tariff{
			{Code: "commission", Base: escrow.OfGoods, Percent: percent("5"), Payer: "seller", Since: day(1)},
			{Code: "commission", Base: escrow.OfGoods, Percent: percent("4"), Payer: "seller", Since: day(10)},
			{Code: "commission", Category: "crafts", Base: escrow.OfGoods, Percent: percent("8"), Minimum: 300, Maximum: &most, Payer: "seller", Since: day(1)},
			{Code: "service", Base: escrow.OfTotal, Percent: percent("1"), Payer: "buyer", Since: day(5)},
		},
		Rates: []escrow.Rate{{Kind: "vat", Percent: percent("20"), Since: day(1)}, {Kind: "vat", Percent: percent("10"), Since: day(20)}},
	}
	for _, c := range []struct {
		day    int
		goods  map[string]int64
		seller int64 // commission and VAT
		vat    int64 // the seller's
		buyer  int64
	}{
		{1, map[string]int64{"food": 10000}, 500, 100, 0},
		{9, map[string]int64{"food": 10000}, 500, 100, 110 + 22},
		{10, map[string]int64{"food": 10000}, 400, 80, 110 + 22},
		{20, map[string]int64{"food": 10000}, 400, 40, 110 + 11},
		{2, map[string]int64{"crafts": 1000}, 300, 60, 0},                   // its minimum
		{2, map[string]int64{"crafts": 100000}, 1000, 200, 0},               // its maximum
		{2, map[string]int64{"crafts": 10000, "food": 10000}, 1300, 260, 0}, // each category its own
	} {
		var amount, vat int64
		lines := s.Fees(escrow.Sale{Goods: c.goods, Delivery: 1000, At: day(c.day)})
		for _, l := range lines {
			if l.Payer == "seller" {
				amount, vat = amount+l.Amount, vat+l.VAT
			}
		}
		if amount != c.seller || vat != c.vat || escrow.OnTop(lines) != c.buyer {
			t.Errorf("on day %d fees of %v are %d + %d, and %d on top; want %d + %d, and %d", c.day, c.goods, amount, vat, escrow.OnTop(lines), c.seller, c.vat, c.buyer)
		}
	}
}
