package bank_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"tiwiza/adapters/bank"
)

// A RIB is taken exactly when long division says so; one wrong digit never is,
// and its IBAN reads back.
func FuzzRIB(f *testing.F) {
	for _, rib := range good {
		f.Add(rib)
	}
	f.Add("011519000001205000534922")
	f.Add("MA64 0115 1900 0001 2050 0053 4921")
	f.Add("٠١١٥١٩٠٠٠٠٠١٢٠٥٠٠٠٥٣٤٩٢١")
	f.Fuzz(func(t *testing.T, s string) {
		err := bank.CheckRIB(s)
		want := len(s) == 24 && strings.Trim(s, "0123456789") == "" && s[22:] >= "01" && s[22:] <= "97"
		if n, ok := new(big.Int).SetString(s, 10); want && (!ok || new(big.Int).Mod(n, big.NewInt(97)).Sign() != 0) {
			want = false
		}
		if want != (err == nil) || err != nil && !errors.Is(err, bank.ErrRIB) {
			t.Fatalf("%q: %v, want it taken: %t", s, err, want)
		}
		if rib, err := bank.RIBOf(s); err == nil && bank.CheckRIB(rib) != nil {
			t.Fatalf("%q was read as the RIB %q, which is none", s, rib)
		}
		if !want {
			return
		}
		if back, err := bank.RIBOf(bank.IBAN(s)); err != nil || back != s {
			t.Fatalf("the IBAN of %s reads back as %s (%v)", s, back, err)
		}
		for i := range 24 {
			for d := byte('0'); d <= '9'; d++ {
				if slip := s[:i] + string(d) + s[i+1:]; slip != s && bank.CheckRIB(slip) == nil {
					t.Fatalf("%s for %s was taken", slip, s)
				}
			}
		}
	})
}
