package charges_test

import (
	"slices"
	"strings"
	"testing"

	"tiwiza/payments/charges"
)

// times multiplies two elements of GF(32) bit by bit, modulo x⁵ + x² + 1.
func times(a, b int) (p int) {
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			p ^= a
		}
		if a <<= 1; a > 31 {
			a ^= 37
		}
	}
	return p
}

// sound says whether the sum of xⁱ·sign is nothing, the last sign's i being 0.
func sound(r string) bool {
	sum, weight := 0, 1
	for i := len(r) - 1; i >= 0; i-- {
		sum ^= times(strings.IndexByte(signs, r[i]), weight)
		weight = times(weight, 2)
	}
	return sum == 0
}

// Whatever is found is a reference whose check sign another reckoning agrees
// with, once each; printed, it is found again; and one that is there is found.
func FuzzReferences(f *testing.F) {
	f.Add("VIR RECU TV 4K7P 9Q2M", "TV0000000")
	f.Add("tvooooooil\nTC", "TR1234567")
	f.Add("ⅣTV٠٠٠٠", "")
	f.Fuzz(func(t *testing.T, text, base string) {
		found := charges.References(text)
		for i, r := range found {
			if len(r) != 10 || strings.Trim(r, signs) != "" || !slices.Contains([]string{"TV", "TC", "TR"}, r[:2]) || !sound(r) || slices.Contains(found[:i], r) {
				t.Fatalf("in %q found %q of %q", text, r, found)
			}
			if again := charges.References(charges.Spaced(r)); !slices.Equal(again, []string{r}) {
				t.Fatalf("%q, printed %q, is found as %q", r, charges.Spaced(r), again)
			}
		}
		if len(base) != 9 || strings.Trim(base, signs) != "" || !slices.Contains([]string{"TV", "TC", "TR"}, base[:2]) {
			return
		}
		for _, c := range signs { // exactly one check sign fits
			r := base + string(c)
			if is := len(charges.References(r)) == 1; is != sound(r) {
				t.Fatalf("%q is found: %t; it is sound: %t", r, is, sound(r))
			}
		}
	})
}
