package members

import (
	"context"
	"strings"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/phone"
)

// Errors of people.
var (
	ErrAddress = fault.New(fault.Invalid, "people.address", "Give one phone number or one e-mail address.")
	ErrPerson  = fault.New(fault.NotFound, "people.not_found", "There is no such person.")
)

// An Address is where somebody is reached: a phone number (E.164) or an e-mail
// address.
type Address string

// addressOf reads the one that is given of two.
func addressOf(number, email string) (Address, error) {
	switch {
	case (number == "") == (email == ""):
		return "", ErrAddress
	case number != "":
		p, ok := phone.E164(number)
		if !ok || !phone.Takes(p) {
			return "", ErrAddress.At("/phone", "Give a Moroccan phone number, such as 06 12 34 56 78.")
		}
		return Address(p), nil
	}
	e := strings.ToLower(strings.TrimSpace(email))
	name, host, ok := strings.Cut(e, "@")
	if !ok || name == "" || !strings.Contains(host, ".") || strings.ContainsAny(e, " \t\r\n,;<>\"") || strings.Contains(host, "@") || len(e) > 254 {
		return "", ErrAddress.At("/email", "Give an e-mail address, such as nom@exemple.ma.")
	}
	return Address(e), nil
}

// Phone is the number, or "".
func (a Address) Phone() string {
	if strings.HasPrefix(string(a), "+") {
		return string(a)
	}
	return ""
}

// Email is the e-mail address, or "".
func (a Address) Email() string {
	if a.Phone() == "" {
		return string(a)
	}
	return ""
}

// A Notice is something to tell a person.
type Notice struct {
	Person string            // "" when nobody is known at the address
	Phone  string            // where it goes: one of the two
	Email  string            //
	Kind   string            // "sign_in.code"
	Lang   string            // "" when the person's is not known
	Params map[string]string // what the text needs
}

// Courier tells people. What it is given leaves once the unit of work has
// committed.
type Courier interface {
	Tell(ctx context.Context, tx *pg.Tx, n Notice) error
}

// SendBy has a courier carry what people are told. It is called at start; without
// one nobody can ask for a code.
func (s *Service) SendBy(c Courier) *Service {
	s.courier = c
	return s
}

// A Person is one of those who sign in.
type Person struct {
	ID        string
	Names     Texts
	Phone     *string
	Email     *string
	Lang      string
	Voice     bool
	CreatedAt time.Time
}

// arrive finds who is at an address, or writes down a person of whom nothing else
// is known.
func (s *Service) arrive(ctx context.Context, tx *pg.Tx, at Address, lang string) (p Person, fresh bool, err error) {
	found, err := personAt(ctx, tx, at)
	if err != nil || len(found) > 0 {
		if err == nil {
			p = found[0]
		}
		return p, false, err
	}
	p = Person{ID: id.New(id.Person), Names: Texts{}, Lang: lang, CreatedAt: tx.Now()}
	if p.Lang == "" {
		p.Lang = languages[0]
	}
	insertArrival(tx, p, at)
	return p, true, tx.Flush(ctx)
}

// Reach says at which phone number (E.164) a person is reached. It is for setting
// a hub up: nobody has shown that the number is the person's.
func (s *Service) Reach(ctx context.Context, tx *pg.Tx, person, number string) error {
	reach(tx, person, number)
	return tx.Flush(ctx)
}
