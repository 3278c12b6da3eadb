package gsma

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"tiwiza/pkg/money"
)

// party is one name of an account.
type party struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// request is the body of a payment, of a disbursement and of a reversal.
type request struct {
	Amount      string  `json:"amount"`
	Currency    string  `json:"currency"`
	Type        string  `json:"type,omitempty"` // of a reversal
	Debit       []party `json:"debitParty,omitempty"`
	Credit      []party `json:"creditParty,omitempty"`
	Reference   string  `json:"requestingOrganisationTransactionReference"`
	Description string  `json:"descriptionText,omitempty"`
}

// problem is the API's error object. The description's name is the API's own.
type problem struct {
	Category    string `json:"errorCategory"`
	Code        string `json:"errorCode"`
	Description string `json:"errordescription"`
	Described   string `json:"errorDescription"` // as many providers write it
}

func (p problem) text() string { return cut(p.Description+p.Described, 200) }

// requestState is what stands of a request that is answered later.
type requestState struct {
	ID        string   `json:"serverCorrelationId"`
	Status    string   `json:"status"`
	Reference string   `json:"objectReference"`
	Error     *problem `json:"error"`
}

// transaction is a payment, a disbursement or a reversal that was made.
type transaction struct {
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Type      string `json:"type"`
	Name      string `json:"transactionReference"`
	Status    string `json:"transactionStatus"`
	Reference string `json:"requestingOrganisationTransactionReference"`
}

// The API writes amounts without zeros at the end of the fraction.
func amountOf(m money.Money) string {
	s := m.Amount()
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

var amountShape = regexp.MustCompile(`^(0|[1-9][0-9]{0,11})(\.[0-9]{1,4})?$`)

// readAmount reads an amount, with or without zeros at the end; parts of a
// centime are none.
func readAmount(amount, currency string) (money.Money, error) {
	if !amountShape.MatchString(amount) {
		return money.Money{}, fmt.Errorf("the amount is %q", amount)
	}
	if whole, fraction, ok := strings.Cut(amount, "."); ok {
		fraction = strings.TrimRight(fraction, "0")
		amount = strings.TrimSuffix(whole+"."+fraction, ".")
	}
	return money.Parse(amount, currency)
}

// cut shortens a text to at most so many bytes, at a rune's edge.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}
