package money_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"tiwiza/pkg/money"
)

func TestTextKeepsTheCurrencysPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, out string }{{"1.2", "1.20"}, {"0", "0.00"}, {"99999.99", "99999.99"}, {"-0.01", "-0.01"}, {"103", "103.00"}} {
		m, err := money.Parse(c.in, money.MAD)
		if err != nil {
			t.Fatalf("Parse(%q): %v", c.in, err)
		}
		if got := m.Amount(); got != c.out {
			t.Errorf("Parse(%q).Amount() = %q, want %q", c.in, got, c.out)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "1e3", "+1", "01", "1.", ".5", "1.005", " 1", "1,00", "NaN", "99999999999999999999", "--1", "1.0.0"} {
		if m, err := money.Parse(in, money.MAD); err == nil {
			t.Errorf("Parse(%q) = %s, want an error", in, m)
		}
	}
	if _, err := money.Parse("1", "XXX"); err == nil {
		t.Error("an unknown currency was taken")
	}
}

func TestJSONIsStrict(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`{"amount":1,"currency":"MAD"}`, `{"amount":"1"}`, `{"currency":"MAD"}`, `null`, `"1.00"`, `{"amount":"1.001","currency":"MAD"}`, `{"amount":"1","currency":"MAD","x":1}`} {
		var m money.Money
		if err := json.Unmarshal([]byte(in), &m); err == nil && in != `null` {
			t.Errorf("%s was read as %s", in, m)
		}
	}
}

func TestJSONComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := money.Dirhams(rapid.Int64Range(-1e14, 1e14).Draw(t, "centimes"))
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back money.Money
		if err := json.Unmarshal(b, &back); err != nil || !back.Equal(m) || back.Centimes() != m.Centimes() {
			t.Fatalf("%s came back as %s (%v)", m, back, err)
		}
	})
}

func TestSplitLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Int64Range(-1e15, 1e15).Draw(t, "whole")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1e12), 1, 9).Draw(t, "weights")
		weights[0]++ // never all zero
		var sum, total int64
		for _, w := range weights {
			total += w
		}
		for i, p := range money.Dirhams(whole).Split(weights...) {
			sum += p.Centimes()
			exact := decimal.NewFromInt(whole).Mul(decimal.NewFromInt(weights[i])).Div(decimal.NewFromInt(total))
			if off := decimal.NewFromInt(p.Centimes()).Sub(exact).Abs(); off.GreaterThanOrEqual(decimal.NewFromInt(1)) {
				t.Fatalf("part %d is %s centimes off its share", i, off)
			}
		}
		if sum != whole {
			t.Fatalf("parts add up to %d, want %d", sum, whole)
		}
	})
}

func TestSplitGivesTiesToTheEarlierPart(t *testing.T) {
	t.Parallel()
	got := money.Allocate(100, 1, 1, 1)
	if got[0] != 34 || got[1] != 33 || got[2] != 33 {
		t.Errorf("Allocate(100; 1,1,1) = %v, want [34 33 33]", got)
	}
}

func TestRateRoundsHalfAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ amount, rate, want string }{{"145.00", "5", "7.25"}, {"7.25", "20", "1.45"}, {"0.10", "5", "0.01"}, {"0.09", "5", "0.00"}, {"-0.10", "5", "-0.01"}} {
		r := decimal.RequireFromString(c.rate)
		if got := money.MustParse(c.amount, money.MAD).Rate(r).Amount(); got != c.want {
			t.Errorf("%s%% of %s = %s, want %s", c.rate, c.amount, got, c.want)
		}
	}
}

func TestCurrenciesDoNotMix(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("adding MAD to EUR did not panic")
		}
	}()
	money.Dirhams(1).Add(money.FromCentimes(1, "EUR"))
}

func TestAmountsAreReckonedWith(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(-1e12, 1e12).Draw(t, "a"), rapid.Int64Range(-1e12, 1e12).Draw(t, "b")
		x, y := money.Dirhams(a), money.Dirhams(b)
		n := rapid.Int64Range(-999, 999).Draw(t, "n")
		if x.Add(y).Centimes() != a+b || x.Sub(y).Centimes() != a-b || x.Neg().Centimes() != -a || x.Times(n).Centimes() != n*a {
			t.Fatalf("%s and %s make %s, %s, %s, %s", x, y, x.Add(y), x.Sub(y), x.Neg(), x.Times(n))
		}
		if got, want := x.Cmp(y), cmp.Compare(a, b); got != want || x.Equal(y) != (want == 0) || x.Sign() != cmp.Compare(a, 0) || x.IsZero() != (a == 0) {
			t.Fatalf("%s and %s compare as %d, want %d", x, y, got, want)
		}
	})
}

// The books hold the currency's smallest unit, so that yen have no hundredths.
func TestEachCurrencyHasItsPlaces(t *testing.T) {
	t.Parallel()
	for currency, want := range map[string]string{"MAD": "12.34 MAD", "EUR": "12.34 EUR", "JPY": "1234 JPY"} {
		m := money.FromCentimes(1234, currency)
		if m.String() != want || m.Centimes() != 1234 || m.Currency() != currency {
			t.Errorf("1234 in %s is %s, %d", currency, m, m.Centimes())
		}
	}
}

func TestNoMoneyAddsToAnyCurrency(t *testing.T) {
	t.Parallel()
	var none money.Money
	eur := money.FromCentimes(150, "EUR")
	if a, b := none.Add(eur), eur.Add(none); !a.Equal(eur) || !b.Equal(eur) || a.Currency() != "EUR" || b.Currency() != "EUR" {
		t.Errorf("nothing and %s make %s and %s", eur, a, b)
	}
	if !none.Equal(money.Dirhams(0)) || money.Dirhams(150).Equal(eur) || !none.IsZero() {
		t.Error("amounts of two currencies are equal, or no money is not no money")
	}
}

func TestWhatCannotBeShared(t *testing.T) {
	t.Parallel()
	for name, weights := range map[string][]int64{"a negative weight": {2, -1}, "no weight": {0, 0}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was shared by", name)
				}
			}()
			money.Allocate(5, weights...)
		}()
	}
	if got := money.Allocate(0, 0, 0); len(got) != 2 || got[0] != 0 || got[1] != 0 {
		t.Errorf("nothing by no weights is %v", got)
	}
	if got := money.Allocate(-100, 1, 1, 1); got[0] != -34 || got[1] != -33 || got[2] != -33 {
		t.Errorf("Allocate(-100; 1,1,1) = %v", got)
	}
}

// What is read is written again the same, to the currency's places, and nothing
// is taken that a person could read otherwise.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "-0", "-0.00", "1.2", "123456789012345.67", "1e5", "+1", "01", "1.", ".5", "١", "1_000"} {
		f.Add(s, "MAD")
		f.Add(s, "JPY")
	}
	f.Fuzz(func(t *testing.T, text, currency string) {
		m, err := money.Parse(text, currency)
		if err != nil {
			if !errors.Is(err, money.ErrAmount) && !errors.Is(err, money.ErrCurrency) {
				t.Fatalf("%v is neither kind of error", err)
			}
			return
		}
		exact, ok := new(big.Rat).SetString(text)
		if !ok || strings.Trim(text, "-0123456789.") != "" {
			t.Fatalf("%q was taken", text)
		}
		if got, ok := new(big.Rat).SetString(m.Amount()); !ok || got.Cmp(exact) != 0 {
			t.Fatalf("%q was read as %s", text, m)
		}
		again, err := money.Parse(m.Amount(), currency)
		if err != nil || !again.Equal(m) || again.String() != m.String() || !money.FromCentimes(m.Centimes(), currency).Equal(m) {
			t.Fatalf("%q became %s, then %s (%v)", text, m, again, err)
		}
	})
}

// JSON is read as MarshalJSON writes it, or refused: what is taken has both
// members once as texts, and comes back the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"amount":"1.50","currency":"MAD"}`, `{"amount":1.5,"currency":"MAD"}`, `{"amount":"1","currency":"MAD","x":1}`, `null`, `{}`, `{"AMOUNT":"1","currency":"MAD"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m money.Money
		if err := json.Unmarshal(b, &m); err != nil || string(bytes.TrimSpace(b)) == "null" {
			return
		}
		var plain map[string]any
		if err := json.Unmarshal(b, &plain); err != nil {
			t.Fatalf("%q was read as %s", b, m)
		}
		for name, v := range plain {
			if _, ok := v.(string); !ok || !strings.EqualFold(name, "amount") && !strings.EqualFold(name, "currency") {
				t.Fatalf("%q was read as %s", b, m)
			}
		}
		text, err := json.Marshal(m)
		var back money.Money
		if err != nil || json.Unmarshal(text, &back) != nil || !back.Equal(m) || back.Currency() != m.Currency() {
			t.Fatalf("%q became %s, then %s (%v)", b, m, back, err)
		}
	})
}
