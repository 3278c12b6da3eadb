package ui_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/pkg/money"
	"tiwiza/web/ui"
)

func TestSumsAreSaidInWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		centimes   int64
		fr, ar, en string
	}{
		{0, "zéro dirham", "صفر درهم", "zero dirhams"},
		{100, "un dirham", "درهم واحد", "one dirham"},
		{200, "deux dirhams", "درهمان", "two dirhams"},
		{3_00, "trois dirhams", "ثلاثة دراهم", "three dirhams"},
		{11_00, "onze dirhams", "أحد عشر درهما", "eleven dirhams"},
		{21_00, "vingt et un dirhams", "واحد وعشرون درهما", "twenty-one dirhams"},
		{71_00, "soixante et onze dirhams", "واحد وسبعون درهما", "seventy-one dirhams"},
		{80_00, "quatre-vingts dirhams", "ثمانون درهما", "eighty dirhams"},
		{81_00, "quatre-vingt-un dirhams", "واحد وثمانون درهما", "eighty-one dirhams"},
		{99_50, "quatre-vingt-dix-neuf dirhams et cinquante centimes", "تسعة وتسعون درهما وخمسون سنتيما", "ninety-nine dirhams and fifty centimes"},
		{100_00, "cent dirhams", "مائة درهم", "one hundred dirhams"},
		{101_00, "cent un dirhams", "مائة درهم ودرهم", "one hundred and one dirhams"},
		{145_00, "cent quarante-cinq dirhams", "مائة وخمسة وأربعون درهما", "one hundred and forty-five dirhams"},
		{200_00, "deux cents dirhams", "مائتا درهم", "two hundred dirhams"},
		{280_00, "deux cent quatre-vingts dirhams", "مائتان وثمانون درهما", "two hundred and eighty dirhams"},
		{1_000_00, "mille dirhams", "ألف درهم", "one thousand dirhams"},
		{1_240_00, "mille deux cent quarante dirhams", "ألف ومائتان وأربعون درهما", "one thousand two hundred and forty dirhams"},
		{2_000_00, "deux mille dirhams", "ألفا درهم", "two thousand dirhams"},
		{2_003_00, "deux mille trois dirhams", "ألفان وثلاثة دراهم", "two thousand and three dirhams"},
		{15_000_00, "quinze mille dirhams", "خمسة عشر ألف درهم", "fifteen thousand dirhams"},
		{80_000_00, "quatre-vingt mille dirhams", "ثمانون ألف درهم", "eighty thousand dirhams"},
		{200_000_00, "deux cent mille dirhams", "مائتا ألف درهم", "two hundred thousand dirhams"},
		{999_999_00, "neuf cent quatre-vingt-dix-neuf mille neuf cent quatre-vingt-dix-neuf dirhams", "تسعمائة وتسعة وتسعون ألفا وتسعمائة وتسعة وتسعون درهما", "nine hundred and ninety-nine thousand nine hundred and ninety-nine dirhams"},
		{1_000_000_00, "", "", ""},
		{-100, "", "", ""},
		{5, "cinq centimes", "خمسة سنتيمات", "five centimes"},
	} {
		for l, want := range map[ui.Lang]string{ui.French: c.fr, ui.Arabic: c.ar, ui.English: c.en, ui.Amazigh: c.fr} {
			if got := l.Words(money.Dirhams(c.centimes)); got != want {
				t.Errorf("%d centimes in %s are %q, want %q", c.centimes, l, got, want)
			}
		}
	}
}

// No two sums sound alike: that is what the words are for.
func TestNoTwoSumsSoundAlike(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := rapid.SampledFrom(ui.Langs).Draw(t, "lang")
		sum := rapid.Int64Range(0, 999_999_99)
		a, b := sum.Draw(t, "a"), sum.Draw(t, "b")
		x, y := l.Words(money.Dirhams(a)), l.Words(money.Dirhams(b))
		if x == "" || (x == y) != (a == b) || strings.Contains(x, "  ") || strings.Contains(x, ".") {
			t.Fatalf("%d is %q and %d is %q", a, x, b, y)
		}
	})
}
