// Package phone reads Moroccan telephone numbers as people write them.
package phone

import (
	"strings"

	"tiwiza/pkg/latin"
)

// E164 brings a Moroccan number, however written, to its international form;
// false when it is none. Arabic and Persian digits are read as 0 to 9, and the
// spaces and signs that people put between digits do not matter.
func E164(s string) (string, bool) {
	d := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-()/\u00a0\u200e\u200f\u202a\u202c", r) {
			return -1
		}
		return latin.Digit(r)
	}, s)
	for _, head := range []string{"+212", "00212", "212", "0"} {
		rest, ok := strings.CutPrefix(d, head)
		if !ok {
			continue
		}
		rest = strings.TrimPrefix(rest, "0") // +212 (0)6…
		if len(rest) == 9 && strings.ContainsRune("5678", rune(rest[0])) && strings.Trim(rest, "0123456789") == "" {
			return "+212" + rest, true
		}
		return "", false
	}
	return "", false
}

// Takes says whether somebody can be reached at a number in international form
// by message or call: a mobile, or a line of a house or an office.
func Takes(e164 string) bool {
	return len(e164) == 13 && strings.HasPrefix(e164, "+212") && strings.ContainsRune("567", rune(e164[4]))
}

// Mask hides all but the first and the last two digits of a number, or all but
// the first sign of an e-mail address and its host.
func Mask(address string) string {
	if name, host, ok := strings.Cut(address, "@"); ok {
		return string([]rune(name + "•")[:1]) + "•••@" + host
	}
	if len(address) < 8 {
		return "•••"
	}
	return address[:5] + strings.Repeat("•", len(address)-7) + address[len(address)-2:]
}
