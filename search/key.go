package search

import (
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
	return build(w, false)
}

// Bones is the key without its long vowels: what is left when only the
// consonants can be trusted.
func Bones(w string) string {
	return build(w, true)
}

func build(w string, bones bool) string {
	var b strings.Builder
	rs := []rune(w)
	last := byte(0)
	put := func(c byte) {
		if c != last && (!bones || c != 'u' && c != 'i' && c != 'A') {
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

// Spoken are the spellings by sound that a word may have: its own; in Latin
// letters also the one without the Arabic article (l7enna, el3sel), and those
// in which o stands for a long vowel (lloz).
func Spoken(w string) []string {
	keys := []string{Key(w)}
	add := func(w string) {
		for _, v := range []string{w, strings.ReplaceAll(w, "o", "u")} {
			if k := Key(v); k != "" && !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	add(w)
	for _, article := range []string{"l", "el", "al"} {
		rest, ok := strings.CutPrefix(w, article)
		if ok && len(rest) > 2 && !strings.ContainsRune("aeiouy", rune(rest[0])) {
			add(rest)
		}
	}
	return keys
}
