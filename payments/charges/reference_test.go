package charges_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/payments/charges"
)

const signs = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

func TestAReferenceIsReadHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	r := charges.NewReference("TV")
	for _, text := range []string{
		r, strings.ToLower(r), charges.Spaced(r), "VIR RECU DE M EXEMPLE /" + r[:4] + "-" + r[4:] + "/ COMMANDE",
		strings.NewReplacer("0", "O", "1", "l").Replace(r), "merci\n" + r + "\nfacture 12",
	} {
		if got := charges.References(text); !slices.Contains(got, r) {
			t.Errorf("in %q found %v, want %s", text, got, r)
		}
	}
	if got := charges.References(r[:5] + "\n" + r[5:]); len(got) != 0 {
		t.Errorf("over a line's end found %v", got)
	}
}

func TestEverySlipInAReferenceIsCaught(t *testing.T) {
	t.Parallel()
	tried := 0
	for range 20 {
		r := charges.NewReference("TC")
		for i := 2; i < len(r); i++ {
			for _, c := range []byte(signs) {
				b := []byte(r)
				if b[i] = c; string(b) == r {
					continue
				}
				tried++
				if len(charges.References(string(b))) != 0 {
					t.Errorf("%s for %s was taken", b, r)
				}
			}
			for j := i + 1; j < len(r); j++ {
				b := []byte(r)
				if b[i], b[j] = b[j], b[i]; string(b) == r {
					continue
				}
				tried++
				if len(charges.References(string(b))) != 0 {
					t.Errorf("%s for %s was taken: places %d and %d", b, r, i, j)
				}
			}
		}
	}
	t.Logf("%d slips, none taken", tried)
}

func TestReferencesInAnyTextAreWellFormed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := charges.NewReference("TR")
		text := rapid.String().Draw(t, "before") + "\n" + r + "\n" + rapid.String().Draw(t, "after")
		if got := charges.References(text); !slices.Contains(got, r) {
			t.Fatalf("found %v, want %s among them", got, r)
		}
	})
}
