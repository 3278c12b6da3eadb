package orders

import (
	"regexp"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/fault"
)

// A Company is the buyer that an invoice names. It is no party of the order: who
// may see and do what stays with the person who bought.
type Company struct {
	Name string `json:"name" required:"true" minLength:"1" maxLength:"200"`
	ICE  string `json:"ice" required:"true" maxLength:"30" description:"Identifiant commun de l’entreprise: 15 digits."`
	IF   string `json:"if,omitempty" maxLength:"20" description:"Identifiant fiscal."`
}

var fiscalText = regexp.MustCompile(`^[0-9]{0,12}$`)

// check brings a company to the form it is kept in and adds what is wrong.
func (c *Company) check(wrong *fault.Error) *fault.Error {
	c.Name = strings.Join(strings.Fields(c.Name), " ")
	c.ICE, c.IF = digits(c.ICE), digits(c.IF)
	if c.Name == "" {
		wrong = at(wrong, "/contact/company/name", "Say what the company is called.")
	}
	if err := members.CheckICE(c.ICE); err != nil {
		wrong = at(wrong, "/contact/company/ice", err.Error()+".")
	}
	if !fiscalText.MatchString(c.IF) {
		wrong = at(wrong, "/contact/company/if", "An IF has digits only, at most 12.")
	}
	return wrong
}
