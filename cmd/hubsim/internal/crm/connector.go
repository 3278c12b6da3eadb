package crm

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tiwiza/cmd/hubsim/internal/door"
	"tiwiza/cmd/hubsim/internal/journal"
	"tiwiza/cmd/hubsim/internal/world"
)

// The CRM's second door: crm.v1 of the partner protocol, for a client with a system of
// its own. Nobody of the account is known there.

// points are what a person has, as it was put.
type points struct {
	ID      string `json:"id,omitempty"`
	Contact string `json:"contact,omitempty"`
	Points  int64  `json:"points"`
	Tier    string `json:"tier"`
	Version int64  `json:"version"`
}

// A contact is a person, as it was put.
type contact struct {
	ID        string  `json:"id"`
	RemoteID  string  `json:"remote_id"`
	Name      string  `json:"name"`
	Email     string  `json:"email"`
	Phone     string  `json:"phone"`
	Lang      string  `json:"lang"`
	Withdrawn bool    `json:"withdrawn"`
	Points    *points `json:"points,omitempty"`
}

// A deal is an order, as it was put.
type deal struct {
	ID       string          `json:"id"`
	RemoteID string          `json:"remote_id"`
	Contact  string          `json:"contact"`
	Name     string          `json:"name"`
	Amount   json.RawMessage `json:"amount"`
	Stage    string          `json:"stage"`
	At       string          `json:"at"`
}

// put is what became of one.
type put struct {
	ID       string `json:"id"`
	RemoteID string `json:"remote_id,omitempty"`
	Refused  string `json:"refused,omitempty"`
}

// A system is what is kept behind the second door.
type system struct {
	*door.Door
	world    *world.World
	contacts *journal.Table[contact] // by their ids there
	ids      *journal.Table[string]  // the client's id of a contact → there
	deals    *journal.Table[deal]    // by the client's ids
	refuse   *journal.Table[string]  // by address
	lost     *journal.Table[bool]    // of whom an answer was lost on purpose
}

func newSystem(w *world.World) *system {
	s := &system{
		Door: door.New(w, world.CRM, "crm"), world: w,
		contacts: journal.NewTable[contact](w.Journal, "crm_v1_contacts"), ids: journal.NewTable[string](w.Journal, "crm_v1_ids"),
		deals: journal.NewTable[deal](w.Journal, "crm_v1_deals"), refuse: journal.NewTable[string](w.Journal, "crm_v1_refusals"), lost: journal.NewTable[bool](w.Journal, "crm_v1_lost"),
	}
	s.ID, s.Owner, s.Features = "crm-exemple", "Relation clients exemple (démonstration)", []string{"points", "wishes", "erasure", "events", "sandbox"}
	return s
}

// truth shows what the system has.
func (s *system) truth(rw http.ResponseWriter, _ *http.Request) {
	out := map[string]any{}
	s.world.Journal.View(func(tx *journal.Tx) {
		out["contacts"], out["deals"], out["refusals"] = append([]contact{}, s.contacts.All(tx)...), append([]deal{}, s.deals.All(tx)...), append([]string{}, s.refuse.Keys(tx)...)
	})
	world.Answer(rw, http.StatusOK, out)
}

func (s *system) answer(tx *journal.Tx, c door.Call) door.Said {
	switch path := c.Method + " " + strings.Join(c.Path, "/"); {
	case path == "POST contacts":
		return s.putContacts(tx, c)
	case path == "POST deals":
		return s.putDeals(tx, c)
	case path == "POST points":
		return s.putPoints(tx, c)
	case path == "POST wishes":
		return s.wish(tx, c)
	case path == "POST wishes/refusing":
		return s.refusing(tx, c)
	case path == "POST erasures":
		return s.erase(tx, c)
	case path == "POST sandbox/leave":
		return s.leave(tx, c)
	case len(c.Path) == 2 && c.Method == http.MethodGet && c.Path[0] == "contacts":
		if p, ok := s.named(tx, c.Path[1]); ok {
			return door.OK(p)
		}
		return door.Problem(http.StatusNotFound, "contact_not_found", "Nobody has this id.")
	case len(c.Path) == 2 && c.Method == http.MethodGet && c.Path[0] == "deals":
		if d, ok := s.deals.Get(tx, c.Path[1]); ok {
			return door.OK(d)
		}
		return door.Problem(http.StatusNotFound, "deal_not_found", "No order has this id.")
	}
	return door.Problem(http.StatusNotFound, "not_found", "There is nothing here.")
}

var (
	idText    = regexp.MustCompile(`^[a-z]{2,4}_[0-9a-z]{1,40}$`)
	phoneText = regexp.MustCompile(`^\+[1-9][0-9]{7,14}$`)
)

func (s *system) named(tx *journal.Tx, id string) (contact, bool) {
	there, _ := s.ids.Get(tx, id)
	return s.contacts.Get(tx, there)
}

func (s *system) next(tx *journal.Tx) string {
	return strconv.FormatInt(9000+s.world.Next(tx, "crm_v1"), 10)
}

// putContacts puts people. The answer about one alone whose number ends in 03 is lost
// the first time.
func (s *system) putContacts(tx *journal.Tx, c door.Call) (out door.Said) {
	in, wrong := door.Read[struct{ Contacts []contact }](c)
	if wrong != nil {
		return *wrong
	}
	puts := []put{}
	for _, p := range in.Contacts {
		puts = append(puts, s.putContact(tx, p))
	}
	out = door.OK(map[string]any{"data": puts})
	if len(puts) == 1 && strings.HasSuffix(in.Contacts[0].Phone, "03") {
		_, before := s.lost.Get(tx, puts[0].ID)
		s.lost.Put(tx, puts[0].ID, true)
		out.Lost = !before
	}
	return out
}

func (s *system) putContact(tx *journal.Tx, p contact) put {
	have, known := s.named(tx, p.ID)
	switch {
	case !idText.MatchString(p.ID):
		return put{ID: p.ID, Refused: "invalid"}
	case p.Withdrawn && !known:
		return put{ID: p.ID, Refused: "gone"}
	case p.Withdrawn:
		have.Withdrawn = true
		s.contacts.Put(tx, have.RemoteID, have)
		return put{ID: p.ID, RemoteID: have.RemoteID}
	case p.Email == "" && p.Phone == "", p.Phone != "" && !phoneText.MatchString(p.Phone), strings.HasSuffix(p.Phone, "01"):
		return put{ID: p.ID, Refused: "invalid"}
	}
	if !known {
		for _, other := range s.contacts.All(tx) {
			if other.Email == p.Email && p.Email != "" {
				return put{ID: p.ID, Refused: "email_of_another"}
			}
		}
		have.RemoteID = s.next(tx)
	}
	p.RemoteID, p.Points = have.RemoteID, have.Points
	s.contacts.Put(tx, p.RemoteID, p)
	s.ids.Put(tx, p.ID, p.RemoteID)
	return put{ID: p.ID, RemoteID: p.RemoteID}
}

func (s *system) putDeals(tx *journal.Tx, c door.Call) door.Said {
	in, wrong := door.Read[struct{ Deals []deal }](c)
	if wrong != nil {
		return *wrong
	}
	puts := []put{}
	for _, d := range in.Deals {
		if _, ok := s.contacts.Get(tx, d.Contact); !ok {
			puts = append(puts, put{ID: d.ID, Refused: "contact_not_found"})
			continue
		}
		if d.RemoteID = s.next(tx); idText.MatchString(d.ID) {
			if have, ok := s.deals.Get(tx, d.ID); ok {
				d.RemoteID = have.RemoteID
			}
			s.deals.Put(tx, d.ID, d)
			puts = append(puts, put{ID: d.ID, RemoteID: d.RemoteID})
		} else {
			puts = append(puts, put{ID: d.ID, Refused: "invalid"})
		}
	}
	return door.OK(map[string]any{"data": puts})
}

func (s *system) putPoints(tx *journal.Tx, c door.Call) door.Said {
	in, wrong := door.Read[struct{ Points []points }](c)
	if wrong != nil {
		return *wrong
	}
	puts := []put{}
	for _, p := range in.Points {
		have, ok := s.contacts.Get(tx, p.Contact)
		if !ok || have.ID != p.ID {
			puts = append(puts, put{ID: p.ID, Refused: "gone"})
			continue
		}
		if have.Points == nil || p.Version >= have.Points.Version {
			have.Points = &points{Points: p.Points, Tier: p.Tier, Version: p.Version}
			s.contacts.Put(tx, have.RemoteID, have)
		}
		puts = append(puts, put{ID: p.ID, RemoteID: have.RemoteID})
	}
	return door.OK(map[string]any{"data": puts})
}

func (s *system) wish(tx *journal.Tx, c door.Call) door.Said {
	in, wrong := door.Read[struct {
		Email   string
		Granted bool
	}](c)
	if wrong != nil {
		return *wrong
	}
	who, refused := s.refuse.Get(tx, in.Email)
	switch {
	case in.Granted && who == itself:
		return door.Problem(http.StatusUnprocessableEntity, "left", "The person itself left.")
	case in.Granted:
		s.refuse.Delete(tx, in.Email)
	case !refused:
		s.refuse.Put(tx, in.Email, byAPI)
	}
	return door.OK(map[string]any{"email": in.Email, "granted": in.Granted})
}

func (s *system) refusing(tx *journal.Tx, c door.Call) door.Said {
	in, wrong := door.Read[struct{ Emails []string }](c)
	if wrong != nil {
		return *wrong
	}
	all := []string{}
	for _, e := range in.Emails {
		if _, ok := s.refuse.Get(tx, e); ok {
			all = append(all, e)
		}
	}
	return door.OK(map[string]any{"refusing": all})
}

func (s *system) erase(tx *journal.Tx, c door.Call) door.Said {
	in, wrong := door.Read[struct{ ID string }](c)
	if wrong != nil {
		return *wrong
	}
	forgot := []string{}
	if p, ok := s.named(tx, in.ID); ok {
		forgot = append(forgot, p.RemoteID)
		s.contacts.Delete(tx, p.RemoteID)
		s.ids.Delete(tx, in.ID)
	}
	for _, d := range s.deals.All(tx) {
		if slices.Contains(forgot, d.Contact) {
			d.Contact = ""
			s.deals.Put(tx, d.ID, d)
		}
	}
	return door.OK(map[string]any{"id": in.ID, "forgot": forgot})
}

// leave has a person follow the link of a mail that it does not want.
func (s *system) leave(tx *journal.Tx, c door.Call) door.Said {
	in, wrong := door.Read[struct{ Email string }](c)
	if wrong != nil {
		return *wrong
	}
	s.refuse.Put(tx, in.Email, itself)
	return door.Said{Status: http.StatusOK, Body: struct{}{}, Event: "wishes.changed"}
}
