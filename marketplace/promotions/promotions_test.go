package promotions_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/marketplace/promotions"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func offered(change func(*promotions.Promotion)) promotions.Available {
	p := promotions.Promotion{Kind: promotions.Percent, Percent: decimal.NewFromInt(10), Since: day, Until: day.AddDate(0, 0, 7)}
	change(&p)
	return promotions.Available{Promotion: p}
}

func TestAPromotionTakesOffWhatItSays(t *testing.T) {
	t.Parallel()
	one, most := 1, int64(500)
	lines := []promotions.Line{{"off_a", "honey", 9999, 0}, {"off_b", "oil", 1, 0}, {"off_c", "honey", 5000, 0}}
	for _, c := range []struct {
		name string
		p    promotions.Available
		fee  int64
		sum  int64
		why  promotions.Why
	}{
		{"a tenth, half a centime up", offered(func(*promotions.Promotion) {}), 0, 1500, ""},
		{"of one category", offered(func(p *promotions.Promotion) { p.Categories = []string{"oil", "honey"} }), 0, 1500, ""},
		{"of one offer", offered(func(p *promotions.Promotion) { p.Offers = []string{"off_c"} }), 0, 500, ""},
		{"of others", offered(func(p *promotions.Promotion) { p.Offers = []string{"off_d"} }), 0, 0, promotions.Others},
		{"at most", offered(func(p *promotions.Promotion) { p.Most = &most }), 0, 500, ""},
		{"an amount", offered(func(p *promotions.Promotion) { p.Kind, p.Amount = promotions.Amount, 700 }), 0, 700, ""},
		{"never all of it", offered(func(p *promotions.Promotion) { p.Kind, p.Amount = promotions.Amount, 99999 }), 0, 14999, ""},
		{"the delivery", offered(func(p *promotions.Promotion) { p.Kind = promotions.FreeDelivery }), 3000, 3000, ""},
		{"a delivery that is free", offered(func(p *promotions.Promotion) { p.Kind = promotions.FreeDelivery }), 0, 0, promotions.Others},
		{"the minimum", offered(func(p *promotions.Promotion) { p.Minimum = 15000 }), 0, 1500, ""},
		{"below it", offered(func(p *promotions.Promotion) { p.Minimum = 15001 }), 0, 0, promotions.Minimum},
		{"too soon", offered(func(p *promotions.Promotion) { p.Since = day.Add(time.Hour) }), 0, 0, promotions.NotNow},
		{"too late", offered(func(p *promotions.Promotion) { p.Until = day }), 0, 0, promotions.NotNow},
		{"used up", offered(func(p *promotions.Promotion) { p.Total, p.Used = &one, 1 }), 0, 0, promotions.UsedUp},
		{"used up by me", promotions.Available{Promotion: offered(func(p *promotions.Promotion) { p.PerBuyer = &one }).Promotion, Mine: 1}, 0, 0, promotions.UsedUp},
	} {
		off, why := c.p.Discount(lines, c.fee, day)
		var sum int64
		for _, n := range off {
			sum += n
		}
		if sum != c.sum || why != c.why {
			t.Errorf("%s: %v %q, want %d %q", c.name, off, why, c.sum, c.why)
		}
	}
}

// TestRule3_4DiscountsAddUpAndNoLineGoesBelowNothing draws parcels.
func TestRule3_4DiscountsAddUpAndNoLineGoesBelowNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var lines []promotions.Line
		var all, meant int64
		for range rapid.IntRange(1, 20).Draw(t, "lines") {
			l := promotions.Line{Offer: rapid.SampledFrom([]string{"off_a", "off_b"}).Draw(t, "offer"), Total: rapid.Int64Range(1, 1e11).Draw(t, "total")}
			lines = append(lines, l)
			all += l.Total
			if l.Offer == "off_a" {
				meant += l.Total
			}
		}
		a := offered(func(p *promotions.Promotion) {
			p.Offers = []string{"off_a"}
			if rapid.Bool().Draw(t, "an amount") {
				p.Kind, p.Amount = promotions.Amount, rapid.Int64Range(1, 1e11).Draw(t, "amount")
			} else {
				p.Percent = decimal.New(rapid.Int64Range(1, 10000).Draw(t, "percent"), -2)
			}
		})
		off, why := a.Discount(lines, 0, day)
		var sum int64
		for i, n := range off {
			if n < 0 || n > lines[i].Total || n > 0 && lines[i].Offer != "off_a" {
				t.Fatalf("%d is taken off %+v", n, lines[i])
			}
			sum += n
		}
		switch {
		case why == "" && (sum <= 0 || sum > meant || sum >= all):
			t.Fatalf("%d is taken off %d of %d", sum, meant, all)
		case why == "" && a.Kind == promotions.Amount && sum != min(a.Amount, meant, all-1):
			t.Fatalf("%d is taken off instead of %d", sum, a.Amount)
		case why != "" && sum != 0:
			t.Fatalf("%q, and %d is taken off", why, sum)
		}
	})
}

func TestCodesAreReadHoweverTyped(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{" ramadan-10 ": "RAMADAN-10", "AÏD٢٠": "AÏD20", "x1": "X1"} {
		if got := promotions.Code(typed); got != want {
			t.Errorf("%q is %q, want %q", typed, got, want)
		}
	}
}
