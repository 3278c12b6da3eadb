package notices_test

import (
	"strings"
	"testing"
	"time"

	"tiwiza/adapters/notify"
	"tiwiza/marketplace/notices"
	"tiwiza/pkg/clock"
)

// widest are values as long as they get.
var widest = map[string]string{
	"order": "A1B2C3", "amount": "12345.00", "seller": strings.Repeat("Tamounte", 5), "code": "123456", "host": "market.tiwiza.ma",
	"link": "https://tiwiza.ma/o/ord_01jd0000000000000000000000", "device": "Chrome, Android", "account": "4921",
	"count": "100000", "who": "Banque des cooperatives.", "title": "attestation de regulari.", "date": "31/12/2026",
	"summary": "12 à emballer (12 345,00 DH), 9 ventes réglées (9 999,00 DH)",
}

func TestEachTextSaysEachParameterInEachLanguage(t *testing.T) {
	t.Parallel()
	if len(notices.Kinds()) < 25 {
		t.Fatalf("only %d kinds", len(notices.Kinds()))
	}
	for _, k := range notices.Kinds() {
		for _, lang := range []string{"fr", "ar", "en", "zgh"} {
			names, subject, text := notices.Written(k, lang, widest)
			if subject == "" || len([]rune(subject)) > 60 {
				t.Errorf("%s in %s has the subject %q", k, lang, subject)
			}
			if strings.ContainsAny(text+subject, "{}") {
				t.Errorf("%s in %s has a place for something unknown: %q", k, lang, text)
			}
			_, _, template := notices.Written(k, lang, nil)
			at := 0
			for _, n := range names { // WhatsApp's templates number them in this order
				i := strings.Index(text, notices.As(k, n, lang, widest[n]))
				if i < at {
					t.Errorf("%s in %s says its %s too early: %q", k, lang, n, text)
				}
				at = i
			}
			for _, n := range names {
				if !strings.Contains(text, notices.As(k, n, lang, widest[n])) {
					t.Errorf("%s in %s does not say its %s: %q", k, lang, n, text)
				}
			}
			if lang == "zgh" {
				if _, _, fr := notices.Written(k, "fr", nil); template != fr {
					t.Errorf("%s in Tamazight is not the French text: %q", k, template)
				}
			}
			alphabet, parts := notify.Count(text)
			most := map[string]int{"fr": 1, "en": 1, "zgh": 1, "ar": 2}[lang]
			if want := map[bool]notify.Alphabet{true: notify.UCS2, false: notify.GSM}[lang == "ar"]; alphabet != want || parts > most {
				t.Errorf("%s in %s is %d messages of %s, want at most %d of %s: %q", k, lang, parts, alphabet, most, want, text)
			}
		}
	}
}

func TestACodesLastLineIsForBrowsers(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"fr", "ar", "en"} {
		_, _, text := notices.Written(notices.SignInCode, lang, widest)
		if !strings.HasSuffix(text, "\n\n@market.tiwiza.ma #123456") {
			t.Errorf("in %s the SMS ends otherwise: %q", lang, text)
		}
	}
}

func TestWhatMembersWriteChangesNoText(t *testing.T) {
	t.Parallel()
	evil := map[string]string{"order": "{link}", "seller": "A\nB\u202e {order}\x00" + strings.Repeat("x", 100), "link": "https://x/1"}
	_, _, text := notices.Written(notices.OrderAccepted, "fr", evil)
	if strings.ContainsAny(text, "\n\x00\u202e") || strings.Count(text, "https://x/1") != 1 || !strings.Contains(text, "{link}") || len([]rune(text)) > 130 {
		t.Errorf("text = %q", text)
	}
}

func TestNightIsMoroccos(t *testing.T) {
	t.Parallel()
	at := func(day, hour, minute int) time.Time {
		return time.Date(2026, 11, day, hour, minute, 0, 0, clock.Morocco)
	}
	for _, c := range []struct{ t, awake, evening time.Time }{
		{at(3, 7, 59), at(3, 8, 0), at(3, 19, 0)},
		{at(3, 8, 0), at(3, 8, 0), at(3, 19, 0)},
		{at(3, 20, 59), at(3, 20, 59), at(4, 19, 0)},
		{at(3, 21, 0), at(4, 8, 0), at(4, 19, 0)},
		{at(30, 23, 30), at(31, 8, 0), at(31, 19, 0)},
	} {
		if got := notices.Awake(c.t); !got.Equal(c.awake) {
			t.Errorf("who may be told from %s on is told at %s, want %s", c.t, got, c.awake)
		}
		if got := notices.Evening(c.t); !got.Equal(c.evening) {
			t.Errorf("after %s the evening is %s, want %s", c.t, got, c.evening)
		}
	}
}
