package notify_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tiwiza/adapters/notify"
)

func TestPartsAreCountedAsGatewaysDo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text     string
		alphabet notify.Alphabet
		parts    int
	}{
		{"", notify.GSM, 1},
		{strings.Repeat("a", 160), notify.GSM, 1},
		{strings.Repeat("a", 161), notify.GSM, 2},
		{strings.Repeat("a", 306), notify.GSM, 2},
		{strings.Repeat("a", 307), notify.GSM, 3},
		{strings.Repeat("€", 80), notify.GSM, 1}, // two septets each
		{strings.Repeat("€", 81), notify.GSM, 2},
		{"é à ù ò è Ç ñ ü @ #", notify.GSM, 1},
		{strings.Repeat("ç", 70), notify.UCS2, 1},
		{strings.Repeat("ç", 71), notify.UCS2, 2},
		{strings.Repeat("ط", 134), notify.UCS2, 2},
		{strings.Repeat("ط", 135), notify.UCS2, 3},
		{strings.Repeat("🧺", 35), notify.UCS2, 1}, // two units each
		{strings.Repeat("🧺", 36), notify.UCS2, 2},
	} {
		if a, n := notify.Count(c.text); a != c.alphabet || n != c.parts {
			t.Errorf("%.10q × %d: %d of %s, want %d of %s", c.text, len([]rune(c.text)), n, a, c.parts, c.alphabet)
		}
	}
}

func TestPlainKeepsWhatItCannotWrite(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Reçu : «l’été» à Fès… œuf": `Recu : "l'été" à Fès... oeuf`,
		"الطلب":                     "الطلب",
		"Reçu الطلب":                "Reçu الطلب",
		strings.Repeat("…", 70):     strings.Repeat("…", 70), // three dots each would cost more
	} {
		if got := notify.Plain(text); got != want {
			t.Errorf("Plain(%q) = %q, want %q", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		_, before := notify.Count(text)
		if _, after := notify.Count(notify.Plain(text)); after > before {
			t.Fatalf("%q costs %d, and written plainly %d", text, before, after)
		}
	})
}

func TestAMaskTellsItsOwnerOnly(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{"+212612345678": "+212•••••••78", "nom@exemple.ma": "n•••@exemple.ma", "é@exemple.ma": "é•••@exemple.ma", "@exemple.ma": "•••@exemple.ma", "+2126": "•••", "": "•••"} {
		if got := notify.Mask(to); got != want {
			t.Errorf("Mask(%q) = %q, want %q", to, got, want)
		}
	}
}
