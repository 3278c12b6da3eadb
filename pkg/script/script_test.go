package script_test

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"tiwiza/pkg/script"
)

func TestWhatNobodySeesIsFound(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"", "Coopérative Tighanimine", "تعاونية تيساليوين", "ⵜⴰⵎⵙⵎⵓⵏⵜ", "ligne\nligne\r\n\tet", "می\u200cخواهم", "\u202a+212 661-000098\u202c", "سعر\u200f 20 درهم\u200e", "Merci ❤\ufe0f 👩\u200d🌾", "تعـاونية"} {
		if script.Hidden(ok) || script.Clean(ok) != ok {
			t.Errorf("%+q holds something hidden", ok)
		}
	}
	for bad, want := range map[string]string{
		"Coop\u202eevitaré": "Coopevitaré", "a\u200bb": "ab", "\ufeffa": "a", "a\u2066b\u2069": "ab", "\x1b[31mrouge": "[31mrouge", "a\x00": "a", "a\u007f": "a", "a\u0085b": "ab", "a\u2060b": "ab", "\u3164": "",
		"a\U000e0041b": "ab", "a\u202bb": "ab", "a\u034fb": "ab", "a\ufffe": "a",
	} {
		if !script.Hidden(bad) {
			t.Errorf("%+q passes", bad)
		}
		if got := script.Clean(bad); got != want {
			t.Errorf("%+q is cleaned to %+q, want %+q", bad, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		clean := script.Clean(s)
		if script.Hidden(clean) || script.Clean(clean) != clean || script.Hidden(s) != (clean != s) {
			t.Fatalf("%+q is cleaned to %+q", s, clean)
		}
		if script.Line(s) && (script.Hidden(s) || strings.ContainsFunc(s, unicode.IsControl)) {
			t.Fatalf("%+q is no line", s)
		}
	})
}

func TestALineIsSeenAsItIsWritten(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"Coop n° 3 (Aït Baha)": true, "تعاونية أركان": true, "می\u200cخواهم": true, "L’Œuvre d’Aïcha": true, "": true,
		"a\u200cb": false, "\u200cم": false, "م\u200d": false, "a\nb": false, "a\u2028b": false, "a\u00adb": false, "a\u200eb": false, "a\ufe0f": false, "a\u202ab": false,
	} {
		if got := script.Line(s); got != want {
			t.Errorf("%+q is a line: %t, want %t", s, got, want)
		}
	}
}

func TestAWordIsOfOneAlphabet(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"Coopérative Tissaliwine": false, "Tissa تيسا": false, "تعـاونية": false, "ⵜⴰⵎⵙⵎⵓⵏⵜ 3": false, "IGP-2": false,
		"Cооpérative": true, "Κoop": true, "Coopتعاونية": true, "ⵜissa": true, "合作社": true,
	} {
		if got := script.Mixed(s); got != want {
			t.Errorf("%+q is mixed: %t, want %t", s, got, want)
		}
	}
}
