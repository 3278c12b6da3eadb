package search

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// longest is how many letters of a word count.
const longest = 64

// Fold breaks a text into the words that engines store and look for, so that
// the many ways of writing one word meet: no capitals, accents, ligatures,
// harakat, tatweel or hamza; one alef, one ya, one kaf; ta marbuta and its ha
// dropped; Arabic and Persian digits as 0–9; no elided or Arabic article; a
// light ending (French and English plurals, mute e and doubled consonants, y as
// i; Arabic ات, ين, ه and the ي of belonging) taken off. Tifinagh stays.
// Small words that say nothing go, unless nothing else is left. The result is
// only for comparing, never for showing. Folding what was folded changes
// nothing.
func Fold(text string) []string {
	words, _ := fold(text)
	return words
}

// fold also returns each word as it was before light endings were taken off,
// which belong to French and English and not to Darija (adas, lhommos). There an
// apostrophe inside a word stands for ع (za'fran).
func fold(text string) (words, raw []string) {
	cuts := strings.FieldsFunc(letters(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != elided })
	said := 0
	for _, w := range cuts {
		w = elision(w)
		stemmed := stem(cut(strings.ReplaceAll(w, "'", "")))
		if stemmed == "" {
			continue
		}
		if !empty[stemmed] {
			said++
		}
		words, raw = append(words, stemmed), append(raw, cut(strings.ReplaceAll(w, "'", "3")))
	}
	if said == 0 || said == len(words) {
		return words, raw
	}
	kept, rawKept := words[:0], raw[:0]
	for i, w := range words {
		if !empty[w] {
			kept, rawKept = append(kept, w), append(rawKept, raw[i])
		}
	}
	return kept, rawKept
}

// elided stands for any apostrophe while words are cut.
const elided = '\''

// empty are the words that say nothing, as stem leaves them.
var empty = set("de du des la le les et en au aux a un une pour avec sur dans par d l",
	"في من الى عن مع او ديال بال تاع نتاع متاع", "the of and for with in from", "dyal dial diyal diel dyel ta3 nta3 mta3 f b w li el al",
	"maroc marocain marocaine مغربي المغرب morocco moroccan") // where everything is from

func set(lists ...string) map[string]bool {
	m := map[string]bool{}
	for _, l := range lists {
		for w := range strings.FieldsSeq(letters(l)) {
			m[stem(w)] = true
		}
	}
	return m
}

// letters lowers, decomposes and unifies the letters of a text.
func letters(text string) string {
	text = strings.ToValidUTF8(text, " ")
	text = norm.NFKD.String(strings.ToLower(norm.NFKD.String(text)))
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		default:
			if s, ok := same[r]; ok {
				b.WriteString(s)
			} else if d := digit(r); d >= 0 {
				b.WriteByte(byte('0' + d))
			} else {
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// same are letters that decomposition leaves apart.
var same = map[rune]string{
	'œ': "oe", 'æ': "ae", 'ß': "ss", 'ø': "o", 'ł': "l", 'đ': "d", 'ı': "i", 'ſ': "s",
	'’': "'", '‘': "'", 'ʼ': "'", 'ʾ': "'", 'ʿ': "'", '´': "'", '′': "'", '＇': "'",
	'ٱ': "ا", 'ى': "ي", 'ی': "ي", 'ې': "ي", 'ک': "ك", 'گ': "ك", 'ڭ': "ك", 'ݣ': "ك", 'ڤ': "ف",
	'ة': "ه", 'ۃ': "ه", 'ہ': "ه", 'ە': "ه", 'ھ': "ه", 'ء': "", 'ـ': "",
}

// digit is the value of an Arabic-Indic or Persian digit, or -1.
func digit(r rune) int {
	switch {
	case r >= '٠' && r <= '٩':
		return int(r - '٠')
	case r >= '۰' && r <= '۹':
		return int(r - '۰')
	}
	return -1
}

// elision drops the French article before an apostrophe; any other apostrophe
// (m'semen) stays.
func elision(w string) string {
	w = strings.Trim(w, "'")
	for _, article := range []string{"l'", "d'", "qu'"} {
		for strings.HasPrefix(w, article) {
			w = strings.TrimLeft(w[len(article):], "'")
		}
	}
	return w
}

func cut(w string) string {
	n := 0
	for i := range w {
		if n == longest {
			return w[:i]
		}
		n++
	}
	return w
}

// stem takes articles and light endings off, as long as a word of at least
// three letters stays. What it returns, it would not change again. The Arabic
// endings are those of Larkey, Ballesteros and Connell's light stemming, less
// those that end whole words of goods (زيتون، رمان).
func stem(w string) string {
	if w == "" || w[0] < 0x80 {
		return latin(w)
	}
	for was := ""; was != w; {
		was = w
		for _, p := range []string{"وال", "بال", "كال", "فال", "لل", "ال"} {
			w = off(w, strings.TrimPrefix(w, p))
		}
		for _, s := range []string{"ات", "ين", "ه", "ي"} {
			w = off(w, strings.TrimSuffix(w, s))
		}
	}
	return w
}

// off is the shorter word, if it still is one: at least three Arabic letters.
func off(w, shorter string) string {
	if len(shorter) < 6 {
		return w
	}
	return shorter
}

// latin takes the light endings of French and English off, after Savoy's
// minimal stemmer: plurals, the mute e, a doubled last consonant; a last y
// becomes i, so that cherry meets cherries.
func latin(w string) string {
	for was := ""; was != w; {
		was = w
		n := len(w)
		if n < 4 || w[n-1] >= 0x80 {
			return w
		}
		switch last, before := w[n-1], w[n-2]; {
		case last == 's' && before != 's' && before != 'x', last == 'x' && before == 'u' && n > 4:
			w = w[:n-1]
		case last == 'e', last == before && strings.IndexByte("bcdfglmnprt", last) >= 0:
			w = w[:n-1]
		case last == 'y':
			w = w[:n-1] + "i"
		}
	}
	return w
}
