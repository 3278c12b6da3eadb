package mt940

import (
	"regexp"

	"tiwiza/adapters/bank"
	"tiwiza/pkg/money"
)

var stated = regexp.MustCompile(`^([A-Z]{3})(\d{1,12},\d{0,3})$`)

// charged are the amount before charges and the charges, where :86: gives both
// and they lead to the line's amount; otherwise they are not taken.
func charged(e *bank.Entry, n note) (before, fee money.Money, ok bool) {
	g, c := stated.FindStringSubmatch(n[gross]), stated.FindStringSubmatch(n[taken])
	if g == nil || c == nil || g[1] != e.Amount.Currency() || c[1] != g[1] {
		return before, fee, false
	}
	before, err := amount(g[2], g[1])
	if err != nil {
		return before, fee, false
	}
	if fee, err = amount(c[2], c[1]); err != nil {
		return before, fee, false
	}
	if e.Amount.Sign() < 0 {
		before = before.Neg()
	}
	return before, fee, before.Sub(fee).Equal(e.Amount)
}
