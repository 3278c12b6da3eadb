package orders_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/money"
)

var tariffs = []orders.Tariff{
	{Method: "carrier", Base: 3000, IncludedG: 5000, PerKg: 400, Payee: "demo", Offered: true},
	{Method: "own", Base: 2000, IncludedG: 10000, PerKg: 200, Offered: true},
	{Method: "pickup", Offered: true},
}

// anyMarket draws articles of a few sellers, and a basket of them.
func anyMarket(t *rapid.T) (orders.Market, []orders.Line) {
	m := orders.Market{Items: map[string]catalog.Item{}, Sellers: map[string]members.Seller{}, Tariffs: tariffs, Fees: anySheet(t), At: time.Unix(0, 0)}
	var lines []orders.Line
	for i := range rapid.IntRange(1, 12).Draw(t, "lines") {
		v, s := fmt.Sprintf("var_%02d", i), fmt.Sprintf("org_%d", rapid.IntRange(0, 3).Draw(t, "seller"))
		price := rapid.Int64Range(1, 1e9).Draw(t, "price")
		m.Sellers[s] = members.Seller{ID: s, Active: true}
		m.Items[v] = catalog.Item{
			Variant: v, Offer: "off", Seller: s, Price: money.Dirhams(price), WeightG: rapid.IntRange(0, 30000).Draw(t, "weight"),
			Available: 999, Published: true, WithdrawalExempt: rapid.SampledFrom([]string{"", "perishable", "made_to_measure"}).Draw(t, "exempt"),
		}
		lines = append(lines, orders.Line{Variant: v, Quantity: rapid.IntRange(1, 999).Draw(t, "quantity"), Price: price})
	}
	return m, lines
}

func anyQuote(t *rapid.T) orders.Quote {
	q, _ := anyDeal(t)
	return q
}

// anyDeal is a quote with the sheet of fees it was made by.
func anyDeal(t *rapid.T) (orders.Quote, escrow.Sheet) {
	m, lines := anyMarket(t)
	q := m.Quote(lines, orders.Destination{Method: rapid.SampledFrom([]string{"carrier", "own", "pickup"}).Draw(t, "method"), Commune: "Fès", Region: "MA-03"})
	q.ID, q.Basket, q.Version, q.ExpiresAt = "quo_1", "bsk_1", 3, time.Unix(1764000000, 0)
	return q.Seal(), m.Fees
}

func TestRule3_4_PartsOfAQuoteAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := anyQuote(t)
		goods, fees, onTop := money.Dirhams(0), money.Dirhams(0), money.Dirhams(0)
		for _, l := range q.Lines {
			if !l.Total.Equal(l.Price.Times(int64(l.Quantity))) {
				t.Fatalf("%d times %s is not %s", l.Quantity, l.Price, l.Total)
			}
			goods = goods.Add(l.Total)
		}
		for _, f := range q.Fees {
			if f.Kind == "service" {
				onTop = onTop.Add(f.Amount)
				continue
			}
			fees = fees.Add(f.Amount)
		}
		if !q.Totals.Fees.Equal(onTop) {
			t.Fatalf("the buyer pays fees of %s, the lines make %s", q.Totals.Fees, onTop)
		}
		if !q.Totals.Goods.Equal(goods) || !q.Totals.Delivery.Equal(fees) || !q.Totals.Total.Equal(goods.Add(fees).Add(onTop)) {
			t.Fatalf("totals %+v, want %s and %s", q.Totals, goods, fees)
		}
		if len(q.Problems) > 0 {
			t.Fatalf("problems of a market without any: %+v", q.Problems)
		}
	})
}

func TestRule3_4_OrdersOfAQuoteAddUpToIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q, fees := anyDeal(t)
		var whole int64
		lines := 0
		for _, d := range q.Split("grp_1", "per_1", fees, time.Unix(0, 0)) {
			whole += d.Total
			lines += len(d.Lines)
			l := d.Legs
			if l.Total() != d.Total || d.Total != d.Goods+d.Delivery+d.Fees {
				t.Fatalf("legs %+v of an order of %d + %d + %d = %d", l, d.Goods, d.Delivery, d.Fees, d.Total)
			}
			if min(l.Seller, l.Reserve, l.Commission, l.VAT, l.Carrier) < 0 {
				t.Fatalf("a leg is negative: %+v", l)
			}
			if l.Carrier != d.Delivery {
				t.Fatalf("delivery costs %d and its leg is %d", d.Delivery, l.Carrier)
			}
		}
		if whole != q.Totals.Total.Centimes() || lines != len(q.Lines) {
			t.Fatalf("the orders make %d with %d lines, the quote %s with %d", whole, lines, q.Totals.Total, len(q.Lines))
		}
	})
}

// anySheet has one fee of the seller's and perhaps one of the buyer's.
func anySheet(t *rapid.T) escrow.Sheet {
	long := time.Unix(-1, 0)
	s := escrow.Sheet{
		Tariffs: []escrow.Tariff{{Code: "commission", Base: escrow.OfGoods, Percent: percent(t, "commission", 20), Payer: "seller", Since: long}},
		Rates:   []escrow.Rate{{Kind: "vat", Percent: percent(t, "vat", 20), Since: long}, {Kind: "reserve", Percent: percent(t, "reserve", 30), Since: long}},
	}
	if rapid.Bool().Draw(t, "a buyer's fee") {
		s.Tariffs = append(s.Tariffs, escrow.Tariff{Code: "service", Base: escrow.OfTotal, Percent: percent(t, "service", 10), Minimum: 100, Payer: "buyer", Since: long})
	}
	return s
}

func percent(t *rapid.T, name string, most int) decimal.Decimal {
	return decimal.New(int64(rapid.IntRange(0, most*10).Draw(t, name)), -1)
}

// TestTheHashCoversTheDeal changes each field that the buyer agrees to.
func TestTheHashCoversTheDeal(t *testing.T) {
	t.Parallel()
	free := map[string]bool{ // what may change without changing the deal
		"Hash": true, "Problems": true, "Payments": true, "Names": true, "VariantNames": true, "SKU": true,
		"Offers": true, "Choices": true, "Fetch": true, "ShipsBy": true, "Codes": true, "Code": true, // what was chosen stands in the fees, by the id of a way that never changes
	}
	rapid.Check(t, func(t *rapid.T) {
		q := anyQuote(t)
		changed := 0
		spoil(reflect.ValueOf(&q).Elem(), free, func(path string) {
			changed++
			if q.Seal().Hash == q.Hash {
				t.Fatalf("%s changed and the hash did not", path)
			}
		})
		if want := 6 + 3 + len(q.Lines)*6 + len(q.Fees)*5 - 2; changed < want {
			t.Fatalf("only %d fields were changed, want at least %d", changed, want)
		}
		if q.Seal().Hash != q.Hash {
			t.Fatal("the same quote has two hashes")
		}
	})
}

// spoil changes each exported leaf below v, calls check, and puts it back.
func spoil(v reflect.Value, free map[string]bool, check func(path string)) {
	switch x := v.Addr().Interface().(type) {
	case *money.Money:
		old := *x
		*x = x.Add(money.Dirhams(1))
		check("money")
		*x = old
		return
	case *time.Time:
		old := *x
		*x = x.Add(time.Microsecond)
		check("time")
		*x = old
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		old := v.Interface()
		v.Set(reflect.New(v.Type().Elem()))
		check("there or not")
		v.Set(reflect.ValueOf(old))
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && !free[f.Name] {
				spoil(v.Field(i), free, func(path string) { check(f.Name + "." + path) })
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i), free, check)
		}
	case reflect.String:
		old := v.String()
		v.SetString(old + "x")
		check("text")
		v.SetString(old)
	case reflect.Int, reflect.Int64:
		v.SetInt(v.Int() + 1)
		check("number")
		v.SetInt(v.Int() - 1)
	default:
		panic("a field of kind " + v.Kind().String() + " is not looked at")
	}
}

func TestDeliveryIsPaidByKilogramsBegun(t *testing.T) {
	t.Parallel()
	for grams, want := range map[int64]string{0: "30.00", 5000: "30.00", 5001: "34.00", 6000: "34.00", 6001: "38.00", 25000: "110.00"} {
		if got := tariffs[0].Fee(grams); got.Amount() != want {
			t.Errorf("%d g cost %s, want %s", grams, got, want)
		}
	}
}

func TestProblemsSayWhatStandsInTheWay(t *testing.T) {
	t.Parallel()
	item := func(change func(*catalog.Item)) catalog.Item {
		i := catalog.Item{Seller: "org_a", Price: money.Dirhams(1000), Available: 5, Published: true, OfferNames: map[string]string{"fr": "Miel"}}
		change(&i)
		return i
	}
	for _, c := range []struct {
		name     string
		item     catalog.Item
		code     string
		blocking bool
	}{
		{"none", item(func(*catalog.Item) {}), "", false},
		{"hidden", item(func(i *catalog.Item) { i.Published = false }), "not_published", true},
		{"gone", catalog.Item{}, "not_published", true},
		{"closed", item(func(i *catalog.Item) { i.Seller = "org_b" }), "seller_unavailable", true},
		{"short", item(func(i *catalog.Item) { i.Available = 2 }), "sold_out", true},
		{"out", item(func(i *catalog.Item) { i.Available = 0 }), "sold_out", true},
		{"dearer", item(func(i *catalog.Item) { i.Price = money.Dirhams(1100) }), "price_changed", false},
	} {
		m := orders.Market{
			Items: map[string]catalog.Item{"var_1": c.item}, Tariffs: tariffs,
			Sellers: map[string]members.Seller{"org_a": {ID: "org_a", Active: true}, "org_b": {ID: "org_b"}},
		}
		if c.name == "gone" {
			m.Items = nil
		}
		p := m.Quote([]orders.Line{{Variant: "var_1", Quantity: 3, Price: 1000}}, orders.Destination{Method: "carrier"}).Problems
		if c.code == "" {
			if len(p) != 0 {
				t.Errorf("%s: %+v, want no problem", c.name, p)
			}
			continue
		}
		if len(p) != 1 || p[0].Code != c.code || p[0].Blocking != c.blocking || p[0].Pointer != "/lines/0" || p[0].Detail == "" {
			t.Errorf("%s: %+v, want %s at /lines/0", c.name, p, c.code)
		}
		if c.code == "sold_out" && (p[0].Left == nil || *p[0].Left != c.item.Available) {
			t.Errorf("%s: left = %v, want %d", c.name, p[0].Left, c.item.Available)
		}
		if c.code == "price_changed" && (p[0].Was.Amount() != "10.00" || p[0].Now.Amount() != "11.00") {
			t.Errorf("was %s, now %s", p[0].Was, p[0].Now)
		}
	}
}
