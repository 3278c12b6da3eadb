// Package latin writes names of any of the market's scripts in plain ASCII
// letters, for the partners that take nothing else.
package latin

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// arabic and tifinagh follow what Moroccan papers print, as far as single
// letters can: short vowels are not written, so they cannot be guessed.
var letters = map[rune]string{
	'ا': "a", 'أ': "a", 'إ': "i", 'آ': "a", 'ٱ': "a", 'ب': "b", 'ت': "t", 'ث': "th", 'ج': "j", 'ح': "h", 'خ': "kh",
	'د': "d", 'ذ': "d", 'ر': "r", 'ز': "z", 'س': "s", 'ش': "ch", 'ص': "s", 'ض': "d", 'ط': "t", 'ظ': "d", 'ع': "a",
	'غ': "gh", 'ف': "f", 'ق': "k", 'ك': "k", 'ل': "l", 'م': "m", 'ن': "n", 'ه': "h", 'و': "ou", 'ي': "i", 'ى': "a",
	'ة': "a", 'ؤ': "ou", 'ئ': "i", 'ء': "", 'پ': "p", 'چ': "tch", 'ڤ': "v", 'ڭ': "g", 'گ': "g", 'ݣ': "g", 'ـ': "",
	'،': ",", '؛': ";", '؟': "?", '٪': "%",

	'ⴰ': "a", 'ⴱ': "b", 'ⵛ': "ch", 'ⴷ': "d", 'ⴹ': "d", 'ⴻ': "e", 'ⴼ': "f", 'ⴳ': "g", 'ⵯ': "w", 'ⵀ': "h", 'ⵃ': "h",
	'ⵉ': "i", 'ⵊ': "j", 'ⴽ': "k", 'ⵍ': "l", 'ⵎ': "m", 'ⵏ': "n", 'ⵓ': "ou", 'ⵔ': "r", 'ⵕ': "r", 'ⵖ': "gh", 'ⵙ': "s",
	'ⵚ': "s", 'ⵜ': "t", 'ⵟ': "t", 'ⵡ': "w", 'ⵢ': "y", 'ⵣ': "z", 'ⵥ': "z", 'ⵅ': "kh", 'ⵇ': "q", 'ⵄ': "a",

	'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'ß': "ss", 'ø': "o", 'Ø': "O", 'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "Th",
	'ł': "l", 'Ł': "L", 'đ': "d", 'Đ': "D", 'ı': "i", '’': "'", '‘': "'", '“': "\"", '”': "\"", '«': "\"", '»': "\"",
	'–': "-", '—': "-", '‐': "-", '…': "...", '€': "EUR",
}

// Text writes s in printable ASCII: accents fall, Arabic and Tifinagh letters
// become Latin ones, a capital begins each word that came from a script
// without capitals, white space becomes one space, and what has no Latin form
// is left out.
func Text(s string) string {
	var b strings.Builder
	fresh := true // at the start of a word
	for _, r := range norm.NFKC.String(s) {
		if unicode.IsSpace(r) {
			b.WriteByte(' ')
			fresh = true
			continue
		}
		out := one(r)
		if fresh && out != "" && (unicode.Is(unicode.Arabic, r) || unicode.Is(unicode.Tifinagh, r)) {
			out = strings.ToUpper(out[:1]) + out[1:]
		}
		b.WriteString(out)
		fresh = fresh && out == ""
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func one(r rune) string {
	if r >= ' ' && r <= '~' {
		return string(r)
	}
	if out, ok := letters[r]; ok {
		return out
	}
	if d := Digit(r); d != r {
		return string(d)
	}
	var b strings.Builder
	for _, d := range norm.NFKD.String(string(r)) {
		if d >= ' ' && d <= '~' {
			b.WriteRune(d)
		} else if out, ok := letters[d]; ok && d != r {
			b.WriteString(out)
		}
	}
	return b.String()
}

// Keep writes s in ASCII as Text does and keeps only letters, digits and the
// signs of extra, at most limit of them; what is not kept becomes a space.
func Keep(s, extra string, limit int) string {
	kept := strings.Map(func(r rune) rune {
		if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(extra, r)) {
			return r
		}
		return ' '
	}, Text(s))
	kept = strings.Join(strings.Fields(kept), " ")
	if len(kept) > limit {
		kept = strings.TrimSpace(kept[:limit])
	}
	return kept
}

// Alike compares names as banks write them: capitals, without accents, in any
// order. One that has a word more is alike.
func Alike(a, b string) bool {
	words := func(s string) map[string]bool {
		m := map[string]bool{}
		for _, w := range strings.FieldsFunc(strings.ToUpper(Text(s)), func(r rune) bool { return r < 'A' || r > 'Z' }) {
			if len(w) > 1 {
				m[w] = true
			}
		}
		return m
	}
	x, y := words(a), words(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	for w := range x {
		if !y[w] {
			return false
		}
	}
	return len(x) > 0
}

// Digit is 0 to 9 for a digit of any of the market's scripts, Persian ones too,
// and any other sign as it is.
func Digit(r rune) rune {
	switch {
	case r >= '٠' && r <= '٩':
		return '0' + r - '٠'
	case r >= '۰' && r <= '۹':
		return '0' + r - '۰'
	}
	return r
}
