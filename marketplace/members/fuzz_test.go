package members_test

import (
	"math/big"
	"strings"
	"testing"

	"tiwiza/marketplace/members"
)

// An ICE is taken exactly when long division says so.
func FuzzICE(f *testing.F) {
	for _, s := range []string{"000000000000097", "001512572000078", "00151257200007", "٠٠٠٠٠٠٠٠٠٠٠٠٠٩٧", "", "00000000000009x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := new(big.Int).SetString(s, 10)
		want := ok && len(s) == 15 && strings.Trim(s, "0123456789") == "" && new(big.Int).Mod(n, big.NewInt(97)).Sign() == 0
		if err := members.CheckICE(s); want != (err == nil) {
			t.Fatalf("%q: %v, want it taken: %t", s, err, want)
		}
	})
}
