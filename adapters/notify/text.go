package notify

import "strings"

// Signs of the alphabet of GSM 03.38 with one septet each, and those of its
// extension, which need two.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmMore  = "\f^{}\\[~]|€"
)

// maxParts is into how many messages a text may be cut.
const maxParts = 4

// An Alphabet is how a text travels as an SMS.
type Alphabet string

// The alphabets: 160 signs of GSM fit in one message, 70 of UCS-2. Of a text
// that is cut each part loses the room of seven, or three, that put it together.
const (
	GSM  Alphabet = "gsm"
	UCS2 Alphabet = "ucs2"
)

// Count says in which alphabet a text travels, and in how many messages.
func Count(text string) (a Alphabet, parts int) {
	septets := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(gsmBasic, r):
			septets++
		case strings.ContainsRune(gsmMore, r):
			septets += 2
		default:
			return UCS2, cut(units(text), 70, 67)
		}
	}
	return GSM, cut(septets, 160, 153)
}

func cut(n, one, each int) int {
	if n <= one {
		return 1
	}
	return (n + each - 1) / each
}

// units counts as UTF-16 does.
func units(text string) (n int) {
	for _, r := range text {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// plain are letters that GSM lacks, and what stands for them.
var plain = strings.NewReplacer(
	"ç", "c", "â", "a", "á", "a", "ê", "e", "ë", "e", "î", "i", "ï", "i", "í", "i", "ô", "o", "ó", "o", "û", "u", "ú", "u", "ÿ", "y", "œ", "oe", "Œ", "OE",
	"À", "A", "Â", "A", "È", "E", "Ê", "E", "Ë", "E", "Î", "I", "Ï", "I", "Ô", "O", "Û", "U", "Ù", "U",
	"’", "'", "‘", "'", "“", `"`, "”", `"`, "«", `"`, "»", `"`, "–", "-", "—", "-", "…", "...", "\u00a0", " ", "\u202f", " ", "•", "*",
)

// Plain writes a Latin text in the letters of GSM, if that can be: an accent is
// given up so that the message costs half. A text in another script stays.
func Plain(text string) string {
	p := plain.Replace(text)
	_, before := Count(text)
	if a, after := Count(p); a == GSM && after <= before {
		return p
	}
	return text
}

// Mask hides an address but for what its owner knows it by.
func Mask(to string) string {
	if name, host, ok := strings.Cut(to, "@"); ok {
		first := []rune(name)
		return string(first[:min(1, len(first))]) + "•••@" + host
	}
	if len(to) < 8 {
		return "•••"
	}
	return to[:4] + strings.Repeat("•", len(to)-6) + to[len(to)-2:]
}
