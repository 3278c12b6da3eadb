package bank

import "strings"

// CheckRIB says whether rib is a Moroccan account number: 24 digits, bank 3,
// town 3, account 16, key 2, the whole divisible by 97 and the key from 01 to
// 97. Anything else is ErrRIB.
func CheckRIB(rib string) error {
	if len(rib) != 24 {
		return ErrRIB.Say("A RIB is 24 digits; this one has %d signs.", len(rib))
	}
	m := 0
	for i := range len(rib) {
		if rib[i] < '0' || rib[i] > '9' {
			return ErrRIB.Say("A RIB is digits only.")
		}
		m = (m*10 + int(rib[i]-'0')) % 97
	}
	if m != 0 || rib[22:] == "00" || rib[22:] > "97" {
		return ErrRIB.Say("The key of this RIB does not fit: a digit is wrong.")
	}
	return nil
}

// ibanHead begins every Moroccan IBAN: a valid RIB is a multiple of 97, so the
// check digits are always the same.
const ibanHead = "MA64"

// IBAN is the international form of a valid RIB.
func IBAN(rib string) string { return ibanHead + rib }

// RIBOf is the RIB in a Moroccan IBAN, printed with or without spaces.
func RIBOf(iban string) (string, error) {
	rib, ok := strings.CutPrefix(strings.ToUpper(strings.ReplaceAll(iban, " ", "")), ibanHead)
	if !ok {
		return "", ErrRIB.Say("A Moroccan IBAN begins with MA64.")
	}
	return rib, CheckRIB(rib)
}
