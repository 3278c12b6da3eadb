package finance

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// precision is how many decimals powers are kept with: far more than centimes need
// over 360 months.
const precision = 40

// Monthly is the constant monthly payment that repays an amount (centimes) at a
// yearly rate (hundredths of a percent) over so many months, rounded to the nearest
// centime, halves up. It is the annuity formula M = P·i ÷ (1 − (1+i)⁻ⁿ) with the
// proportional rate i = yearly ÷ 12; without interest it is P ÷ n. Fees and
// insurance are not in it.
func Monthly(amount int64, rate, months int) (int64, error) {
	if amount <= 0 || rate < 0 || months <= 0 {
		return 0, fmt.Errorf("no payment of %d centimes at %d over %d months", amount, rate, months)
	}
	p, n := decimal.NewFromInt(amount), int64(months)
	if rate == 0 {
		return p.DivRound(decimal.NewFromInt(n), 0).IntPart(), nil
	}
	i := decimal.NewFromInt(int64(rate)).DivRound(decimal.NewFromInt(12*100*100), precision)
	one := decimal.NewFromInt(1)
	grown := one // (1+i)ⁿ
	for range months {
		grown = grown.Mul(one.Add(i)).Round(precision)
	}
	return p.Mul(i).Mul(grown).DivRound(grown.Sub(one), 0).IntPart(), nil
}

// Percent is a rate as people write it: 725 is «7.25».
func Percent(rate int) string { return fmt.Sprintf("%d.%02d", rate/100, rate%100) }

// ParsePercent reads a rate of up to two decimals.
func ParsePercent(s string) (rate int, err error) {
	whole, part, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(whole, 10, 8)
	if err != nil || len(part) > 2 || strings.HasSuffix(s, ".") {
		return 0, fmt.Errorf("%q is no rate such as 7.25", s)
	}
	var cents uint64
	if part != "" {
		if cents, err = strconv.ParseUint((part + "0")[:2], 10, 8); err != nil {
			return 0, fmt.Errorf("%q is no rate such as 7.25", s)
		}
	}
	return int(n*100 + cents), nil
}
