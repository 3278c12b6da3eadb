package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/payments/approvals"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/pgtest"
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

func TestTwoPeopleChangeTheFeesFromADayToCome(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	desk := approvals.New(h.db)
	h.escrow.Approve(desk)
	as := func(who string, f func(ctx context.Context, tx *pg.Tx) error) error {
		ctx := auth.With(t.Context(), auth.Principal{Subject: who, Role: auth.Operator})
		return h.db.InTx(ctx, func(tx *pg.Tx) error { return f(ctx, tx) })
	}
	now, err := clock.Now(t.Context(), h.db)
	if err != nil {
		t.Fatal(err)
	}
	day := func(days int) string { return now.In(clock.Morocco).AddDate(0, 0, days).Format(time.DateOnly) }
	change := func(in escrow.FeesInput) (v escrow.AskedView, err error) {
		in.Why = "test"
		err = as("per_1", func(ctx context.Context, tx *pg.Tx) (err error) {
			v, err = h.escrow.ChangeFees(ctx, tx, in)
			return err
		})
		return v, err
	}
	decide := func(v escrow.AskedView) error {
		return as("per_2", func(ctx context.Context, tx *pg.Tx) error {
			_, err := desk.Decide(ctx, tx, approvals.DecideInput{Approval: v.Approval, Decision: "approve"})
			return err
		})
	}
	seven := decimal.NewFromInt(7)
	fee := escrow.TariffView{Code: "commission", Base: escrow.OfGoods, Percent: seven, Payer: "seller", Since: day(2)}
	euros, most := fee, money.FromCentimes(100, "EUR")
	euros.Maximum = &most
	brought, whole := fee, fee
	brought.Category, brought.Base = "honey", escrow.OfDelivery
	whole.Category, whole.Base = "honey", escrow.OfTotal
	for what, c := range map[string]struct {
		in escrow.FeesInput
		at string
	}{
		"nothing":               {escrow.FeesInput{}, "/tariffs"},
		"today":                 {escrow.FeesInput{Rates: []escrow.RateView{{"vat", seven, day(0)}}}, "/rates/0/since"},
		"more than all":         {escrow.FeesInput{Rates: []escrow.RateView{{"vat", decimal.NewFromInt(101), day(2)}}}, "/rates/0/percent"},
		"below nothing":         {escrow.FeesInput{Rates: []escrow.RateView{{"vat", decimal.NewFromInt(-1), day(2)}}}, "/rates/0/percent"},
		"five decimals":         {escrow.FeesInput{Rates: []escrow.RateView{{"vat", decimal.New(1, -5), day(2)}}}, "/rates/0/percent"},
		"a category's delivery": {escrow.FeesInput{Tariffs: []escrow.TariffView{brought}}, "/tariffs/0/base"},
		"a category's total":    {escrow.FeesInput{Tariffs: []escrow.TariffView{whole}}, "/tariffs/0/base"},
		"twice":                 {escrow.FeesInput{Tariffs: []escrow.TariffView{fee, fee}}, "/tariffs/1"},
		"no day":                {escrow.FeesInput{Rates: []escrow.RateView{{"vat", seven, "soon"}}}, "/rates/0/since"},
		"other money":           {escrow.FeesInput{Tariffs: []escrow.TariffView{euros}}, "/tariffs/0/maximum/currency"},
		"both, in order":        {escrow.FeesInput{Tariffs: []escrow.TariffView{{Code: "x", Since: day(-1)}}}, "/tariffs/0/since"},
	} {
		var f *fault.Error
		if _, err := change(c.in); !errors.Is(err, escrow.ErrFees) || !errors.As(err, &f) || f.Details[0].Pointer != c.at {
			t.Errorf("%s: %v (%+v), want fees.invalid at %s", what, err, f, c.at)
		}
	}
	v, err := change(escrow.FeesInput{Tariffs: []escrow.TariffView{fee}, Rates: []escrow.RateView{{"reserve", seven, day(2)}}})
	if err != nil {
		t.Fatal(err)
	}
	sale := escrow.Sale{Goods: map[string]int64{"food": 100_00}, At: now}
	commission := func(days int) int64 {
		var s escrow.Sheet
		if err := pg.Together(t.Context(), h.db, h.escrow.Fees(&s)); err != nil {
			t.Fatal(err)
		}
		sale.At = now.AddDate(0, 0, days)
		l, _ := s.Share(sale)
		return l.Commission
	}
	if commission(3) != 500 {
		t.Errorf("one person changed the fees: commission is %d, want 500", commission(3))
	}
	if err := decide(v); err != nil {
		t.Fatal(err)
	}
	if commission(0) != 500 || commission(3) != 700 {
		t.Errorf("commission is %d today and %d in three days, want 500 and 700", commission(0), commission(3))
	}
	fee.Since = day(1)
	if v, err = change(escrow.FeesInput{Tariffs: []escrow.TariffView{fee}}); err != nil {
		t.Fatal(err)
	}
	pgtest.Advance(t, h.db, 48*time.Hour)
	if err := decide(v); !errors.Is(err, escrow.ErrStarted) {
		t.Errorf("approved when its day had begun: %v, want fees.started", err)
	}
}
