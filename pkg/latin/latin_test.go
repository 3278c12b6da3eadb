package latin_test

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/pkg/latin"
)

func TestTextWritesEveryScriptOfTheMarket(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Coopérative Tighanimine": "Cooperative Tighanimine",
		"تعاونية أركان":           "Taaounia Arkan",
		"ⵜⵉⵡⵉⵣⵉ":                  "Tiwizi",
		"L’Œuvre  d\u00e9\tfin":   "L'OEuvre de fin",
		"e\u0301te\u0301":         "ete",
		"رقم ١٢٣":                 "Rkm 123",
		"مُحَمَّد":                "Mhmd",
		"漢字":                      "",
		"":                        "",
		"plain ASCII-text_1":      "plain ASCII-text_1",
	} {
		if got := latin.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestKeepHoldsToTheSetAndTheLimit(t *testing.T) {
	t.Parallel()
	if got, want := latin.Keep("Fils & Père | Souss\\", "_ -", 50), "Fils Pere Souss"; got != want {
		t.Errorf("Keep = %q, want %q", got, want)
	}
	set := regexp.MustCompile(`^[A-Za-z0-9_ -]{0,20}$`)
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.String().Draw(t, "in")
		got := latin.Keep(in, "_ -", 20)
		if !set.MatchString(got) {
			t.Fatalf("Keep(%q) = %q, outside the set", in, got)
		}
		if again := latin.Keep(got, "_ -", 20); again != got {
			t.Fatalf("Keep(%q) = %q, not itself", got, again)
		}
	})
}
