package tellconform

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"tiwiza/adapters/crm/crmconform"
	"tiwiza/pkg/money"
)

// CRM is a customer relation system that speaks crm.v1.
type CRM struct {
	Base
	contacts map[string]*crmContact // by its own names
	deals    map[string]*crmDeal    // by our ids
	refuse   map[string]string      // by address: told, or left
}

type crmPoints struct {
	ID      string `json:"id,omitempty"`
	Contact string `json:"contact,omitempty"`
	Points  int64  `json:"points"`
	Tier    string `json:"tier"`
	Version int64  `json:"version"`
}

type crmContact struct {
	ID        string     `json:"id"`
	RemoteID  string     `json:"remote_id"`
	Name      string     `json:"name"`
	Email     string     `json:"email"`
	Phone     string     `json:"phone"`
	Lang      string     `json:"lang"`
	Withdrawn bool       `json:"withdrawn"`
	Points    *crmPoints `json:"points,omitempty"`
}

type crmDeal struct {
	ID       string      `json:"id"`
	RemoteID string      `json:"remote_id"`
	Contact  string      `json:"contact"`
	Name     string      `json:"name"`
	Amount   money.Money `json:"amount"`
	Stage    string      `json:"stage"`
	At       string      `json:"at"`
}

type crmPut struct {
	ID       string `json:"id"`
	RemoteID string `json:"remote_id,omitempty"`
	Refused  string `json:"refused,omitempty"`
}

// NewCRM makes one that lets in who has the token.
func NewCRM(token string, features ...string) *CRM {
	s := &CRM{base("crm-exemple", "crm", token, features...), map[string]*crmContact{}, map[string]*crmDeal{}, map[string]string{}}
	s.mend = func(half []byte) []byte {
		named := halfID.FindSubmatch(half)
		if named == nil {
			return half
		}
		return []byte(`{"contacts":[{"id":"` + string(named[1]) + `","phone":"+212600000000"}]}`)
	}
	return s
}

var halfID = regexp.MustCompile(`"id":"([^"]+)"`)

// ServeHTTP answers a request.
func (s *CRM) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, s.call) }

func (s *CRM) call(c call) said {
	switch c.method + " " + c.path[0] {
	case "POST contacts":
		return s.putContacts(c)
	case "POST deals":
		return s.putDeals(c)
	case "POST points":
		return s.putPoints(c)
	case "POST wishes":
		if len(c.path) > 1 {
			return s.refusing(c)
		}
		return s.wish(c)
	case "POST erasures":
		return s.erase(c)
	case "POST sandbox":
		return s.leave(c)
	case "GET contacts":
		if p := s.named(c.path[1]); p != nil {
			return ok(p)
		}
		return problem(404, "contact_not_found", "Nobody has this id.")
	case "GET deals":
		if d := s.deals[c.path[1]]; d != nil {
			return ok(d)
		}
		return problem(404, "deal_not_found", "No order has this id.")
	}
	return problem(404, "not_found", "There is nothing here.")
}

var (
	crmID    = regexp.MustCompile(`^[a-z]{2,4}_[0-9a-z]{1,40}$`)
	crmPhone = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
)

func (s *CRM) named(id string) *crmContact {
	for _, p := range s.contacts {
		if p.ID == id && id != "" {
			return p
		}
	}
	return nil
}

func (s *CRM) addressed(email string) *crmContact {
	for _, p := range s.contacts {
		if p.Email == email && email != "" {
			return p
		}
	}
	return nil
}

func (s *CRM) next() string { s.serial++; return strconv.Itoa(100 + s.serial) }

func (s *CRM) putContacts(c call) (out said) {
	in, wrong := read[struct{ Contacts []crmContact }](c)
	if wrong != nil {
		return *wrong
	}
	puts, lost := []crmPut{}, false
	for i, p := range in.Contacts {
		if i > 50 && s.is("one of many is not kept") {
			puts = append(puts, crmPut{ID: p.ID, RemoteID: "9999"})
			continue
		}
		lost = lost || strings.HasSuffix(p.Phone, "03")
		if lost && s.is("lost with its answer") {
			continue
		}
		put := s.putContact(p)
		if put.Refused != "" && s.is("who is refused is not named") {
			continue
		}
		puts = append(puts, put)
	}
	out = ok(map[string]any{"data": puts})
	out.lost = lost && len(in.Contacts) == 1 && s.once(in.Contacts[0].ID)
	return out
}

// once says whether an answer about somebody was not lost before.
func (s *CRM) once(id string) bool {
	key := "lost " + id
	first := s.refuse[key] == ""
	s.refuse[key] = "lost"
	return first
}

func (s *CRM) putContact(p crmContact) crmPut {
	have := s.named(p.ID)
	p.Points, p.RemoteID = nil, ""
	switch {
	case !crmID.MatchString(p.ID):
		return crmPut{ID: p.ID, Refused: "invalid"}
	case p.Withdrawn && have == nil:
		return crmPut{ID: p.ID, Refused: "gone"}
	case p.Withdrawn:
		if have.Withdrawn = true; s.is("a withdrawal is forgotten") {
			have.Withdrawn = false
		}
		return crmPut{ID: p.ID, RemoteID: have.RemoteID}
	case p.Email == "" && p.Phone == "", p.Phone != "" && !crmPhone.MatchString(p.Phone) && !s.is("a number that is none is taken"), strings.HasSuffix(p.Phone, "01"):
		return crmPut{ID: p.ID, Refused: "invalid"}
	}
	if have == nil {
		same := s.addressed(p.Email)
		if same != nil && same.ID != "" {
			return crmPut{ID: p.ID, Refused: "email_of_another"}
		}
		have = same
	}
	if have == nil || s.is("somebody twice is two") {
		have = &crmContact{RemoteID: s.next()}
		s.contacts[have.RemoteID] = have
	}
	p.RemoteID, p.Points = have.RemoteID, have.Points
	if s.is("signs are lost") {
		p.Name = strings.Map(func(r rune) rune {
			if r > 127 {
				return '?'
			}
			return r
		}, p.Name)
	}
	*have = p
	return crmPut{ID: p.ID, RemoteID: p.RemoteID}
}

func (s *CRM) putDeals(c call) said {
	in, wrong := read[struct{ Deals []crmDeal }](c)
	if wrong != nil {
		return *wrong
	}
	puts := []crmPut{}
	for _, d := range in.Deals {
		have := s.deals[d.ID]
		switch {
		case s.contacts[d.Contact] == nil:
			puts = append(puts, crmPut{ID: d.ID, Refused: "contact_not_found"})
			continue
		case have == nil:
			d.RemoteID = s.next()
		default:
			d.RemoteID = have.RemoteID
			if s.is("an order does not move on") {
				d.Stage = have.Stage
			}
		}
		if s.is("amounts are rounded") {
			d.Amount = money.Dirhams(d.Amount.Centimes() / 100 * 100)
		}
		s.deals[d.ID] = &d
		puts = append(puts, crmPut{ID: d.ID, RemoteID: d.RemoteID})
	}
	return ok(map[string]any{"data": puts})
}

func (s *CRM) putPoints(c call) said {
	in, wrong := read[struct{ Points []crmPoints }](c)
	if wrong != nil {
		return *wrong
	}
	puts := []crmPut{}
	for _, p := range in.Points {
		have := s.contacts[p.Contact]
		if have == nil || have.ID != p.ID {
			puts = append(puts, crmPut{ID: p.ID, Refused: "gone"})
			continue
		}
		was := have.Points
		if was == nil || p.Version >= was.Version || s.is("older points hold") {
			now := crmPoints{Points: p.Points, Tier: p.Tier, Version: p.Version}
			if was != nil && s.is("points are added up") {
				now.Points += was.Points
			}
			have.Points = &now
		}
		puts = append(puts, crmPut{ID: p.ID, RemoteID: have.RemoteID})
	}
	return ok(map[string]any{"data": puts})
}

func (s *CRM) wish(c call) said {
	in, wrong := read[struct {
		Email   string
		Granted bool
	}](c)
	if wrong != nil {
		return *wrong
	}
	if in.Granted && s.refuse[in.Email] == "left" && !s.is("who left is brought back") {
		return problem(422, "left", "The person itself left.")
	}
	switch {
	case in.Granted:
		delete(s.refuse, in.Email)
	case s.refuse[in.Email] == "" && !s.is("a refusal is not kept"):
		s.refuse[in.Email] = "told"
	}
	return ok(map[string]any{"email": in.Email, "granted": in.Granted})
}

func (s *CRM) refusing(c call) said {
	in, wrong := read[struct{ Emails []string }](c)
	if wrong != nil {
		return *wrong
	}
	all := []string{}
	for _, e := range in.Emails {
		if s.refuse[e] != "" {
			all = append(all, e)
		}
	}
	return ok(map[string]any{"refusing": all})
}

func (s *CRM) erase(c call) said {
	in, wrong := read[struct {
		ID       string `json:"id"`
		RemoteID string `json:"remote_id"`
	}](c)
	if wrong != nil {
		return *wrong
	}
	forgot := []string{}
	for name, p := range s.contacts {
		if p.ID == in.ID {
			forgot = append(forgot, name)
			if !s.is("nobody is forgotten") {
				delete(s.contacts, name)
			}
		}
	}
	for _, d := range s.deals {
		if len(forgot) > 0 && d.Contact == forgot[0] && !s.is("orders still name who was forgotten") {
			d.Contact = ""
		}
	}
	return ok(map[string]any{"id": in.ID, "forgot": forgot})
}

func (s *CRM) leave(c call) said {
	in, wrong := read[struct{ Email string }](c)
	if wrong != nil {
		return *wrong
	}
	s.refuse[in.Email] = "left"
	s.event(c.events, "wishes.changed", struct{}{})
	return ok(struct{}{})
}

// Leave has a person refuse here to be written to.
func (s *CRM) Leave(email string) { s.do(func() { s.refuse[email] = "left" }) }

// Stranger is somebody that it knows by an address alone.
func (s *CRM) Stranger(email string) (remote string) {
	s.do(func() { s.contacts["7"] = &crmContact{RemoteID: "7", Email: email} })
	return "7"
}

// Contacts is all that it has under our name of a person.
func (s *CRM) Contacts(id string) (all []crmconform.Seen) {
	s.do(func() {
		for _, p := range s.contacts {
			if p.ID == id {
				one := crmconform.Seen{RemoteID: p.RemoteID, Name: p.Name, Email: p.Email, Phone: p.Phone, Withdrawn: p.Withdrawn}
				if p.Points != nil {
					one.Points, one.Version = p.Points.Points, p.Points.Version
				}
				all = append(all, one)
			}
		}
	})
	return all
}

// Deals is what it has under our name of an order.
func (s *CRM) Deals(id string) (all []crmconform.Seen) {
	s.do(func() {
		if d := s.deals[id]; d != nil {
			all = append(all, crmconform.Seen{RemoteID: d.RemoteID, Name: d.Name, Amount: d.Amount.Amount(), Stage: d.Stage, Contact: d.Contact})
		}
	})
	return all
}
