package money_test

import (
	"encoding/json"
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
