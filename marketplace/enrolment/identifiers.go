package enrolment

import (
	"regexp"
	"strings"
	"unicode"

	"tiwiza/adapters/bank"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/phone"
)

// A Rule says how the value of a field is checked.
type Rule string

// The rules.
const (
	Text  Rule = "text"
	ICE   Rule = "ice"   // identifiant commun de l'entreprise
	IF    Rule = "if"    // identifiant fiscal
	RC    Rule = "rc"    // registre du commerce
	CNSS  Rule = "cnss"  // social security
	CIN   Rule = "cin"   // identity card
	RIB   Rule = "rib"   // bank account
	Phone Rule = "phone" // a Moroccan number
)

// secret says whether a value is sealed where it is kept, and shown by its last
// signs: numbers by which a person or its money is found.
func (r Rule) secret() bool { return r == CIN || r == CNSS || r == RIB }

// shapes are how numbers look that have no check digit.
var shapes = map[Rule]struct {
	is   *regexp.Regexp
	text string
}{
	IF:   {regexp.MustCompile(`^[0-9]{7,8}$`), "An identifiant fiscal has 7 or 8 digits."},
	RC:   {regexp.MustCompile(`^[0-9]{1,8}$`), "A number of the registre du commerce has up to 8 digits; leave the court out."},
	CNSS: {regexp.MustCompile(`^[0-9]{7,9}$`), "A CNSS number has 7 digits for an employer and 9 for a person."},
	CIN:  {regexp.MustCompile(`^[A-Z]{1,2}[0-9]{3,7}$`), "A CIN is one or two letters and up to seven digits, such as AB123456."},
}

// Check writes a value as everybody writes it, or says what is wrong with it.
func (r Rule) Check(value string) (normal, wrong string) {
	if strings.ContainsFunc(value, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) }) {
		return "", "Write it without signs that nobody sees."
	}
	value = strings.TrimSpace(value)
	switch r {
	case Text:
		if n := len([]rune(value)); n == 0 || n > 200 {
			return "", "Write something of at most 200 signs."
		}
		return value, ""
	case Phone:
		p, ok := phone.E164(value)
		if !ok || !phone.Takes(p) {
			return "", "Give a Moroccan phone number, such as 06 12 34 56 78."
		}
		return p, ""
	}
	value = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", ".", "", "\u00a0", "", "\u202f", "").Replace(value))
	switch r {
	case ICE:
		if err := members.CheckICE(value); err != nil {
			return "", "This is no ICE: " + err.Error() + "."
		}
	case RIB:
		if bank.CheckRIB(value) != nil {
			return "", "This is no RIB: compare its 24 digits with your bank's paper."
		}
	default:
		if s := shapes[r]; !s.is.MatchString(value) {
			return "", s.text
		}
	}
	return value, ""
}

// hint is the end of a value that is shown of it: its last four signs, and of a
// short one fewer.
func hint(value string) string {
	r := []rune(value)
	return "••••" + string(r[len(r)-min(4, len(r)/2):])
}
