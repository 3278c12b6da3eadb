package bank_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/adapters/bank"
)

var good = []string{
	"011519000001205000534921", "001810007800020110620318", "310810101402900442310133", "007780000123456789012396",
	"230780210345678901234517", "225010000000000000000148", "350810000000000123456729", "007780000000000000002197",
	"007780000000000000001809",
}

func TestRIBsWithTheirKeyAreTaken(t *testing.T) {
	t.Parallel()
	for _, rib := range good {
		if err := bank.CheckRIB(rib); err != nil {
			t.Errorf("CheckRIB(%s): %v", rib, err)
		}
		back, err := bank.RIBOf(bank.IBAN(rib))
		if err != nil || back != rib || bank.IBAN(rib) != "MA64"+rib {
			t.Errorf("RIBOf(IBAN(%s)) = %s, %v", rib, back, err)
		}
	}
	if rib, err := bank.RIBOf("ma64 0115 1900 0001 2050 0053 4921"); err != nil || rib != good[0] {
		t.Errorf("a printed IBAN is %s, %v", rib, err)
	}
}

func TestOtherTextIsNoRIB(t *testing.T) {
	t.Parallel()
	for _, rib := range []string{
		"011519000001205000534922", "01151900000120500053492", "0115190000012050005349210", "O11519000001205000534921", "",
		"01151900000120500053492١", "000000000000000000000000", "0115190000012050005349 1", "-11519000001205000534921",
	} {
		if err := bank.CheckRIB(rib); !errors.Is(err, bank.ErrRIB) {
			t.Errorf("CheckRIB(%q) = %v, want ErrRIB", rib, err)
		}
	}
	for _, iban := range []string{"MA63" + good[0], "FR64" + good[0], good[0], "MA64", ""} {
		if _, err := bank.RIBOf(iban); !errors.Is(err, bank.ErrRIB) {
			t.Errorf("RIBOf(%q) = %v, want ErrRIB", iban, err)
		}
	}
}

func TestEverySlipOfOneDigitOrSwapIsCaught(t *testing.T) {
	t.Parallel()
	tried := 0
	for _, rib := range good {
		for i := range rib {
			for c := byte('0'); c <= '9'; c++ {
				b := []byte(rib)
				if b[i] = c; string(b) != rib {
					tried++
					if bank.CheckRIB(string(b)) == nil {
						t.Errorf("%s for %s was taken", b, rib)
					}
				}
			}
			if i > 0 && rib[i] != rib[i-1] {
				b := []byte(rib)
				b[i], b[i-1] = b[i-1], b[i]
				tried++
				if bank.CheckRIB(string(b)) == nil {
					t.Errorf("%s for %s was taken", b, rib)
				}
			}
		}
	}
	t.Logf("%d slips, none taken", tried)
}

// withKey completes 22 digits to a RIB.
func withKey(digits string) string {
	m := 0
	for _, c := range digits + "00" {
		m = (m*10 + int(c-'0')) % 97
	}
	key := 97 - m
	return digits + string(rune('0'+key/10)) + string(rune('0'+key%10))
}

func TestOneKeyFitsEachAccount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[0-9]{22}`).Draw(t, "digits")
		want, fits := withKey(digits), 0
		for key := range 100 {
			rib := digits + string(rune('0'+key/10)) + string(rune('0'+key%10))
			if bank.CheckRIB(rib) == nil {
				if fits++; rib != want {
					t.Fatalf("%s was taken, the key makes %s", rib, want)
				}
			}
		}
		if fits != 1 {
			t.Fatalf("%d keys fit %s", fits, digits)
		}
	})
}
