package nestpay

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tiwiza/adapters/card"
	"tiwiza/pkg/money"
)

// caseFields are all the fields of a message about a chargeback, each once. The
// hash covers the values in the order of their names but not the names, so a
// message with other fields than exactly these is refused: a signed notice of a
// payment can never be read as one, nor the other way round.
var caseFields = []string{
	"HASH", "amount", "caseFee", "caseId", "caseReason", "caseState", "clientid", "currency", "hashAlgorithm", "messageType", "oid",
}

// caseMessage is the messageType of a chargeback.
const caseMessage = "CHARGEBACK"

var (
	caseStates = map[string]card.CaseState{"OPENED": card.CaseOpened, "WON": card.CaseWon, "LOST": card.CaseLost}
	caseShape  = regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)
)

// Case reads a message about a chargeback, x-www-form-urlencoded, and proves
// its hash, which is that of a notice.
func (d *Driver) Case(body []byte) (card.Case, error) {
	fields, err := parse(body)
	if err != nil {
		return card.Case{}, err
	}
	if subtle.ConstantTimeCompare([]byte(fields["HASH"]), []byte(hash(fields, d.cfg.StoreKey, callback))) != 1 {
		return card.Case{}, card.ErrForged.With(errors.New("the hash does not fit"))
	}
	names := make([]string, 0, len(fields))
	for name, v := range fields {
		fields[name] = normal(v, callback)
		names = append(names, name)
	}
	slices.Sort(names)
	if !slices.Equal(names, caseFields) || fields["messageType"] != caseMessage || fields["hashAlgorithm"] != "ver3" {
		return card.Case{}, card.ErrForged.With(errors.New("these are not the fields of a message about a chargeback"))
	}
	if subtle.ConstantTimeCompare([]byte(fields["clientid"]), []byte(d.cfg.ClientID)) != 1 {
		return card.Case{}, card.ErrForged.With(errors.New("the message is for another merchant"))
	}
	return readCase(fields, body)
}

// readCase gives an authentic message its meaning.
func readCase(f map[string]string, body []byte) (card.Case, error) {
	c := card.Case{
		ID: f["caseId"], Ref: f["oid"], Merchant: f["clientid"], State: caseStates[f["caseState"]],
		Reason: strings.TrimSpace(f["caseReason"]), EventID: eventID(f), Raw: slices.Clone(body),
	}
	if c.State == "" || c.Ref == "" || !caseShape.MatchString(c.ID) {
		return c, card.ErrUnreadable.With(fmt.Errorf("case %q of order %q is %q", c.ID, c.Ref, f["caseState"]))
	}
	var err error
	for field, into := range map[string]*money.Money{"amount": &c.Amount, "caseFee": &c.Fee} {
		if !amountShape.MatchString(f[field]) {
			return c, card.ErrUnreadable.With(fmt.Errorf("the field %s is %q", field, f[field]))
		}
		if *into, err = money.Parse(f[field], currencies[f["currency"]]); err != nil {
			return c, card.ErrUnreadable.With(err)
		}
	}
	if c.Amount.Sign() <= 0 {
		return c, card.ErrUnreadable.With(errors.New("the chargeback is of nothing"))
	}
	return c, nil
}
