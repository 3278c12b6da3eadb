package bank

import (
	"regexp"
	"strings"
)

var (
	ribText  = regexp.MustCompile(`^[0-9]{24}$`)
	ibanText = regexp.MustCompile(`^MA([0-9]{2})([0-9]{24})$`)
)

// mod97 is the remainder of a number written in digits.
func mod97(digits string) int {
	r := 0
	for _, d := range digits {
		r = (r*10 + int(d-'0')) % 97
	}
	return r
}

// RIBOf reads an account written as a RIB or as a Moroccan IBAN; ok is false
// when a check digit is wrong.
func RIBOf(account string) (rib string, ok bool) {
	account = strings.ReplaceAll(account, " ", "")
	if m := ibanText.FindStringSubmatch(account); m != nil {
		// M and A count as 22 and 10 at the end (ISO 13616).
		return m[2], mod97(m[2]+"2210"+m[1]) == 1 && mod97(m[2]) == 0
	}
	return account, ribText.MatchString(account) && mod97(account) == 0
}

// closed says whether the demonstration treats an account as closed: its last
// two digits before the key are 66.
func closed(rib string) bool { return rib[20:22] == "66" }

// closing says whether the demonstration treats an account as one that is being
// closed: its last two digits before the key are 77. What is paid to it comes
// back three days later.
func closing(rib string) bool { return rib[20:22] == "77" }
