package auth

import (
	"slices"
	"strings"
)

// A Proof is how well a person has proved who it is, and what it may do at the
// desk where it sits. The zero Proof is an API key's: nothing of this is asked.
type Proof struct {
	Session   bool   // a person signed in
	SteppedUp bool   // a moment ago, with a passkey or a fresh code
	Passkey   bool   // by a passkey, which is two factors: the device, and who holds it
	Rights    Rights // at the desk; a person on its own account needs none
	Desk      bool   // it sits at an organisation's desk
	Agent     bool   // it acts for a member, who agreed with a code
	PIN       bool   // only by four digits, on a device where it signed in before
	Applicant bool   // the organisation at whose desk it sits is not admitted yet
}

// Rights are what somebody may do for an organisation.
type Rights uint8

// The rights.
const (
	Sell      Rights = 1 << iota // the catalogue and the orders
	Money                        // payouts, bank accounts
	People                       // who belongs to the organisation, and its keys
	Deliver                      // parcels and their proofs
	Represent                    // act for a member who agreed with a code
)

// rights are the names, in the order of their bits.
var rights = []string{"sell", "money", "people", "deliver", "represent"}

// RightsOf reads names of rights; what is none gives none.
func RightsOf(names []string) (r Rights) {
	for _, n := range names {
		if i := slices.Index(rights, n); i >= 0 {
			r |= 1 << i
		}
	}
	return r
}

// Names are the rights by their names.
func (r Rights) Names() []string {
	out := []string{}
	for i, n := range rights {
		if r&(1<<i) != 0 {
			out = append(out, n)
		}
	}
	return out
}

// String is the names in one line.
func (r Rights) String() string { return strings.Join(r.Names(), ", ") }
