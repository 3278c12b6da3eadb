package finance_test

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tiwiza/marketplace/finance"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
)

func loanAmount() money.Money { return money.Dirhams(20_000_00) }

func free() money.Money { return money.Dirhams(0) }

func soon(c cast) time.Time {
	c.t.Helper()
	now, err := clock.Now(c.t.Context(), c.db)
	must(c.t, err)
	return now.Add(72 * time.Hour)
}

// Payments that were reckoned elsewhere, by the annuity formula in exact fractions.
func TestMonthlyIsTheAnnuity(t *testing.T) {
	t.Parallel()
	for _, x := range []struct {
		amount       int64
		rate, months int
		want         int64
	}{
		{20_000_00, 725, 24, 897_72},
		{100_000_00, 600, 12, 8_606_64},
		{250_000_00, 450, 240, 1_581_62},
		{12_000_00, 0, 24, 500_00},
		{1000_00, 0, 3, 333_33},
	} {
		got, err := finance.Monthly(x.amount, x.rate, x.months)
		if err != nil || got != x.want {
			t.Errorf("%d at %d over %d costs %d a month (%v), want %d", x.amount, x.rate, x.months, got, err, x.want)
		}
	}
	for _, x := range [][3]int64{{0, 5, 5}, {5, -1, 5}, {5, 5, 0}} {
		if _, err := finance.Monthly(x[0], int(x[1]), int(x[2])); err == nil {
			t.Errorf("%v is a loan", x)
		}
	}
}

// Whatever the loan, its payments repay it: reckoned in exact fractions, what is left
// after the last is less than half a centime a month makes of it with interest.
func TestPaymentsRepayTheLoan(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount, rate, months := rapid.Int64Range(100, 10_000_000_00).Draw(t, "amount"), rapid.IntRange(0, 5000).Draw(t, "rate"), rapid.IntRange(1, 360).Draw(t, "months")
		monthly, err := finance.Monthly(amount, rate, months)
		if err != nil {
			t.Fatal(err)
		}
		const bits = 300
		f := func(n int64) *big.Float { return new(big.Float).SetPrec(bits).SetInt64(n) }
		i := new(big.Float).SetPrec(bits).Quo(f(int64(rate)), f(120_000))
		left, slack := f(amount), f(0)
		half := new(big.Float).SetPrec(bits).Quo(f(1), f(2))
		for range months {
			left.Add(left, new(big.Float).SetPrec(bits).Mul(left, i))
			left.Sub(left, f(monthly))
			slack.Add(slack, new(big.Float).SetPrec(bits).Mul(slack, i))
			slack.Add(slack, half)
		}
		slack.Add(slack, new(big.Float).SetPrec(bits).SetFloat64(1e-9))
		if left.Abs(left).Cmp(slack) > 0 {
			t.Errorf("%d at %d over %d with %d a month leaves %s, more than %s", amount, rate, months, monthly, left.Text('f', 4), slack.Text('f', 4))
		}
	})
}

// A rate that is written is read as it was.
func TestRatesAreReadAsWritten(t *testing.T) {
	t.Parallel()
	for rate := range 10_000 {
		if got, err := finance.ParsePercent(finance.Percent(rate)); err != nil || got != rate {
			t.Fatalf("%d is written %s and read %d (%v)", rate, finance.Percent(rate), got, err)
		}
	}
	for _, s := range []string{"", ".", "7.", ".5", "7.255", "-1", "7,5", "1e1", "+3", "256"} {
		if got, err := finance.ParsePercent(s); err == nil {
			t.Errorf("%q is read as %d", s, got)
		}
	}
}
