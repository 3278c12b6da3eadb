package premiums_test

import (
	"testing"

	"pgregory.net/rapid"

	"tiwiza/payments/premiums"
)

// A commission has its VAT of 20 % within, to the centime.
func TestVATIsWithinTheCommission(t *testing.T) {
	t.Parallel()
	for commission, want := range map[int64]int64{0: 0, 1: 0, 2: 0, 3: 0, 4: 1, 120: 20, 1754: 292, 12000: 2000} {
		if got := premiums.VATOf(commission); got != want {
			t.Errorf("of %d the VAT is %d, want %d", commission, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.Int64Range(0, 1_000_000_00).Draw(t, "commission")
		vat := premiums.VATOf(c)
		if net := c - vat; vat < 0 || vat > c || 5*vat-net > 3 || net-5*vat > 3 {
			t.Fatalf("of %d the VAT is %d on %d", c, vat, net)
		}
	})
}

// The name of a transfer is one word that a statement can carry.
func TestATransferIsNamedByOneWord(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"VIR-4711": true, "vir-4711": true, "CLMCX000001": true, "A/B.C_1": true, "VIREMENT": false, "A/B.C_": false, "": false, "abc": false, "VIR 4711": false, "VIR\n4711": false, "é4711": false, "-4711": false,
	} {
		if got := premiums.IsTransfer(name); got != want {
			t.Errorf("IsTransfer(%q) = %t", name, got)
		}
	}
}
