package bank_test

import (
	"testing"

	"tiwiza/cmd/hubsim/internal/bank"
)

func TestAccountsAreReadWithTheirKeys(t *testing.T) {
	t.Parallel()
	for account, ok := range map[string]bool{
		"011519000001205000534921":     true,
		"MA64011519000001205000534921": true,
		"001810007800020110620318":     true,
		"310810101402900442310133":     true,
		"007780000000000000002197":     true,
		"007780000000000000001809":     true,
		bank.SafeguardRIB:              true,
		bank.OperatingRIB:              true,
		"011519000001205000534922":     false,
		"MA65011519000001205000534921": false,
		"MA64011519000001205000534922": false,
		"01151900000120500053492":      false,
		"":                             false,
		"FR7630006000011234567890189":  false,
	} {
		rib, right := bank.RIBOf(account)
		if right != ok || (ok && len(rib) != 24) {
			t.Errorf("%s: %s, %v; want %v", account, rib, right, ok)
		}
	}
}
