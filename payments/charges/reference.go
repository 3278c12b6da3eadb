package charges

import (
	"crypto/rand"
	"slices"
	"strings"

	"tiwiza/pkg/latin"
)

// A reference is what people type into the field of a transfer's purpose: two
// letters that say what it is for, seven random signs and a check sign, as
// «TV 4K7P 9Q2M». The alphabet has no I, L, O and U, so that what looks alike
// is read alike; the check sign catches every wrong sign and every two that
// changed places (a code over 32 elements, with a different weight for each
// place).
const (
	alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	refSigns = 10

	forTransfer   = "TV" // a buyer's transfer
	forParcel     = "TC" // the cash of one order
	forRemittance = "TR" // a carrier's list
)

// newReference makes a reference that nobody has.
func newReference(kind string) string {
	b := []byte(kind)
	random := make([]byte, refSigns-1-len(b))
	_, _ = rand.Read(random) // never fails (crypto/rand)
	for _, r := range random {
		b = append(b, alphabet[r%32])
	}
	return string(append(b, checkSign(string(b))))
}

// checkSign is the sign that makes the weighted sum of all signs nothing: the
// sum of xⁱ·sign over GF(32), with x⁵ + x² + 1.
func checkSign(s string) byte {
	var sum byte
	for i := range len(s) {
		sum ^= byte(strings.IndexByte(alphabet, s[i]))
		if sum <<= 1; sum&32 != 0 {
			sum ^= 0b100101
		}
	}
	return alphabet[sum]
}

// References finds every well-formed reference in what somebody wrote: in any
// case, with spaces or strokes in between, with O for 0 and I or L for 1.
// A reference does not go over a line's end. Whether it is of something is not
// known yet.
func References(text string) (found []string) {
	for line := range strings.Lines(text) {
		s := signs(line)
		for i := range max(0, len(s)-refSigns+1) {
			r := s[i : i+refSigns]
			switch r[:2] {
			case forTransfer, forParcel, forRemittance:
				if checkSign(r[:refSigns-1]) == r[refSigns-1] && !slices.Contains(found, r) {
					found = append(found, r)
				}
			}
		}
	}
	return found
}

// signs are the letters and digits of a text as the alphabet has them.
func signs(text string) string {
	return strings.Map(func(r rune) rune {
		r = latin.Digit(r)
		switch {
		case r >= '0' && r <= '9':
			return r
		case r >= 'a' && r <= 'z':
			r -= 'a' - 'A'
		}
		switch {
		case r == 'O':
			return '0'
		case r == 'I', r == 'L':
			return '1'
		case r == 'U':
			return 'V'
		case r >= 'A' && r <= 'Z':
			return r
		}
		return -1
	}, text)
}

// Spaced is a reference as it is printed: «TV 4K7P 9Q2M».
func Spaced(r string) string {
	if len(r) != refSigns {
		return r
	}
	return r[:2] + " " + r[2:6] + " " + r[6:]
}
