package search

import (
	"regexp"
	"slices"
	"strings"
)

// Key spells a folded word by its sound, in ASCII and the same for all
// scripts: عسل, 3sal and l3ssel's core are all "Asl". Moroccans write Darija in
// Latin letters with 2 3 5 7 9 for ء ع خ ح ق, ch or sh for ش, ou, w or u for
// و, and short vowels as they please, which Arabic leaves out: so short vowels
// fall, long ones stay (u, i), doubled letters count once, and letters that
// one Latin sign stands for are one (ح and ه; ك, ق and گ; س and ص; ت and ط).
func Key(w string) string {
	return build(w, "")
}

// Bones is the key without its long vowels: what is left when only the
// consonants can be trusted.
func Bones(w string) string {
	return build(w, "uiA")
}

// Frame is the key without u and i, which in Latin letters may be short or
// long; ع stays.
func Frame(w string) string {
	return build(w, "ui")
}

func build(w, without string) string {
	var b strings.Builder
	rs := []rune(w)
	last := byte(0)
	put := func(c byte) {
		if c != last && strings.IndexByte(without, c) < 0 {
			b.WriteByte(c)
		}
		last = c
	}
	for i := 0; i < len(rs); i++ {
		if i+1 < len(rs) {
			if c, ok := pairs[string(rs[i:i+2])]; ok {
				put(c)
				i++
				continue
			}
		}
		r := rs[i]
		if r == 'c' && i+1 < len(rs) && strings.ContainsRune("eiy", rs[i+1]) {
			r = 's'
		}
		if r == 'h' || r == 'ه' {
			if i == len(rs)-1 {
				continue // ta marbuta, or a breath
			}
		}
		c, ok := sounds[r]
		if !ok {
			c, ok = tifinagh[r]
		} else if r >= 0x621 && r <= 0x64a && strings.IndexByte(without+"ui", c) < 0 {
			last = 0 // a doubled letter is written once in Arabic: مجفف has a vowel between
		}
		if c != 0 {
			put(c)
		} else if ok {
			last = 0 // what a vowel parts counts twice
		}
	}
	k := b.String()
	if n := len(k); n > 3 && (k[n-1] == 'i' || k[n-1] == 'u') {
		k = k[:n-1] // زربي and zarbia, seksou and سكسو
	}
	return k
}

var pairs = map[string]byte{
	"ch": 'c', "sh": 'c', "kh": 'x', "gh": 'G', "th": 't', "dh": 'd', "dj": 'j', "ou": 'u', "oo": 'u', "ee": 'i', "qu": 'k', "ph": 'f',
}

// sounds of Latin letters, of the digits that stand for Arabic ones, and of
// Arabic letters; 0 is silent.
var sounds = map[rune]byte{
	'a': 0, 'e': 0, 'o': 0, 'u': 'u', 'w': 'u', 'i': 'i', 'y': 'i',
	'b': 'b', 'p': 'b', 'c': 'k', 'd': 'd', 'f': 'f', 'v': 'f', 'g': 'k', 'h': 'H', 'j': 'j', 'k': 'k', 'l': 'l', 'm': 'm',
	'n': 'n', 'q': 'k', 'r': 'r', 's': 's', 't': 't', 'x': 'x', 'z': 'z',
	'2': 0, '3': 'A', '5': 'x', '6': 't', '7': 'H', '8': 'H', '9': 'k',
	'ا': 0, 'ب': 'b', 'پ': 'b', 'ت': 't', 'ث': 't', 'ج': 'j', 'چ': 'c', 'ح': 'H', 'خ': 'x', 'د': 'd', 'ذ': 'd', 'ر': 'r', 'ز': 'z',
	'س': 's', 'ش': 'c', 'ص': 's', 'ض': 'd', 'ط': 't', 'ظ': 'd', 'ع': 'A', 'غ': 'G', 'ف': 'f', 'ق': 'k', 'ك': 'k', 'ل': 'l',
	'م': 'm', 'ن': 'n', 'ه': 'H', 'و': 'u', 'ي': 'i',
}

var tifinagh = map[rune]byte{
	'ⴰ': 0, 'ⴱ': 'b', 'ⵛ': 'c', 'ⴷ': 'd', 'ⴹ': 'd', 'ⴻ': 0, 'ⴼ': 'f', 'ⴳ': 'k', 'ⵯ': 'u', 'ⵀ': 'H', 'ⵃ': 'H', 'ⵉ': 'i',
	'ⵊ': 'j', 'ⴽ': 'k', 'ⵍ': 'l', 'ⵎ': 'm', 'ⵏ': 'n', 'ⵓ': 'u', 'ⵔ': 'r', 'ⵕ': 'r', 'ⵖ': 'G', 'ⵙ': 's', 'ⵚ': 's', 'ⵜ': 't',
	'ⵟ': 't', 'ⵡ': 'u', 'ⵢ': 'i', 'ⵣ': 'z', 'ⵥ': 'z', 'ⵅ': 'x', 'ⵇ': 'k', 'ⵄ': 'A',
}

// Spoken are the spellings by sound that a word may have, the most literal
// first. In Latin letters: without the Arabic article (l7enna, el3sel); with o
// for a long vowel (lloz); with ع as a doubled or an initial vowel (zaafran,
// adas); with ح as a last h (lmelh); with the French g (guergaa, tagine); without the plural's at (zarbiyat).
func Spoken(w string) []string {
	var keys []string
	add := func(w string) {
		if k := Key(w); k != "" && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	add(w)
	if w == "" || w[0] >= 0x80 {
		return keys
	}
	forms := []string{w}
	for _, article := range []string{"l", "el", "al"} {
		rest, ok := strings.CutPrefix(w, article)
		if ok && len(rest) > 2 && (strings.IndexByte(vowels, rest[0]) < 0 || strings.HasPrefix(rest, "aa")) {
			forms = append(forms, rest)
		}
	}
	for _, turn := range turns {
		for _, f := range forms[:len(forms):len(forms)] {
			if turned := turn(f); turned != f && len(turned) > 2 {
				forms = append(forms, turned)
			}
		}
	}
	for _, f := range forms {
		add(f)
	}
	return keys[:min(len(keys), mostSpoken)]
}

const (
	vowels     = "aeiouy"
	mostSpoken = 16
)

// turns are what a word in Latin letters may mean besides.
var turns = []func(string) string{
	func(w string) string { return strings.ReplaceAll(w, "o", "u") },
	func(w string) string { return frenchG.ReplaceAllString(w, "k$1") },
	func(w string) string { return softG.ReplaceAllString(w, "j$1") },
	func(w string) string { return strings.ReplaceAll(w, "aa", "3") },
	func(w string) string { return finalH.ReplaceAllString(w, "${1}7") },
	func(w string) string { return initial.ReplaceAllString(w, "3$1") },
	func(w string) string {
		if len(w) > 5 {
			return strings.TrimSuffix(w, "t")
		}
		return w
	},
}

var (
	frenchG = regexp.MustCompile(`gu([eia])`)
	softG   = regexp.MustCompile(`g([ei])`)
	finalH  = regexp.MustCompile(`([^cdgpstaeiouyk])h$`)
	initial = regexp.MustCompile(`^[ae]([^aeiouy0-9])`)
)
