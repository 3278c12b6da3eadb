package site

import (
	"errors"
	"net/http"
	"slices"

	"tiwiza/pkg/fault"
	"tiwiza/web/ui"
)

// Who is who is signed in, as GET /v1/me says.
type Who struct {
	Person   string            `json:"person"`
	Session  string            `json:"session"`
	Names    map[string]string `json:"names"`
	Phone    string            `json:"phone"`
	Email    string            `json:"email"`
	Voice    bool              `json:"voice"`
	Desk     string            `json:"desk"` // the organisation where it sits
	Desks    []Seat            `json:"desks"`
	Passkeys int               `json:"passkeys"`
	Agent    bool              `json:"agent"` // it acts for a member
}

// A Seat is an organisation that somebody works for, and as what.
type Seat struct {
	Organisation string            `json:"organisation"`
	Names        map[string]string `json:"names"`
	Kind         string            `json:"kind"`
	Role         string            `json:"role"` // seller, operator, bank, insurer, …
	Rights       []string          `json:"rights"`
	State        string            `json:"state"` // of the organisation
	Note         string            `json:"note"`  // why it is suspended
}

// Seat is the desk where somebody sits.
func (w Who) Seat() (Seat, bool) {
	for _, s := range w.Desks {
		if s.Organisation == w.Desk {
			return s, true
		}
	}
	return Seat{}, false
}

// ErrSignIn leads to the page where one signs in.
var ErrSignIn = fault.New(fault.Unauthenticated, "pages.sign_in", "Sign in first.")

// ErrNoSeat is the page of a desk at which one has no seat.
var ErrNoSeat = fault.New(fault.Denied, "pages.no_seat", "You have no seat at this desk.")

// Who is who visits; ErrSignIn when nobody is signed in. It is asked once a
// visit.
func (v *Visit) Who() (Who, error) {
	if v.who != nil {
		return *v.who, nil
	}
	if !v.SignedIn() {
		return Who{}, ErrSignIn
	}
	w, err := Get[Who](v, "/v1/me")
	if f, ok := errors.AsType[*Fault](err); ok && f.Status == http.StatusUnauthorized {
		v.keep(sessionCookie, "", 0) // it was ended elsewhere
		return Who{}, ErrSignIn
	}
	if err != nil {
		return w, err
	}
	v.who, v.Person = &w, v.Say(w.Names).Text
	return w, nil
}

// hasPasskey says whether somebody is signed in who has one to show.
func (v *Visit) hasPasskey() bool {
	who, err := v.Who()
	return err == nil && who.Passkeys > 0
}

// Sit makes the visitor sit at the desk of an organisation; "" as itself.
func (v *Visit) Sit(organisation string) error {
	_, err := Do[struct{}](v, http.MethodPut, "/v1/sessions/desk", map[string]string{"organisation": organisation})
	v.who = nil
	return err
}

// tell has every page of a suspended seller's desk say so.
func (v *Visit) tell(seat Seat) {
	if v.Desk == ui.Seller && seat.State == "suspended" {
		v.Stopped = &ui.Stopped{Why: seat.Note, Phone: v.site.Phone}
	}
}

// Seated serves a desk to those who have a seat there in one of the roles. Who
// sits elsewhere is seated at the first that fits.
func (s *Site) Seated(desk ui.Desk, h func(v *Visit, at Seat) error, roles ...string) http.HandlerFunc {
	return s.Page(desk, func(v *Visit) error {
		who, err := v.Who()
		if err != nil {
			return err
		}
		if seat, ok := who.Seat(); ok && slices.Contains(roles, seat.Role) {
			return v.sits(who.Person, seat, h)
		}
		for _, seat := range who.Desks {
			if slices.Contains(roles, seat.Role) {
				if err := v.Sit(seat.Organisation); err != nil {
					return err
				}
				return v.sits(who.Person, seat, h)
			}
		}
		if v.filledElsewhere("") {
			return errOtherSeat
		}
		return ErrNoSeat
	})
}

// errOtherSeat has a form wait for the seat where it was filled in.
var errOtherSeat = &Fault{Status: http.StatusPreconditionFailed, Code: "pages.other_seat"}

// filledElsewhere says whether a form of the seller's desk was filled in at another
// seat than this, as it may have been when it waited for the network.
func (v *Visit) filledElsewhere(seat string) bool {
	if v.Desk != ui.Seller || v.R.Method != http.MethodPost || v.Form() == nil {
		return false
	}
	from := v.Field("siege")
	return from != "" && from != seat
}

// sits serves a desk from a seat. A form that was filled in at another one is not
// this one's to send.
func (v *Visit) sits(person string, seat Seat, h func(v *Visit, at Seat) error) error {
	v.tell(seat)
	if v.Desk == ui.Seller {
		v.Seat = seat.Organisation + "." + person
	}
	if v.filledElsewhere(v.Seat) {
		return errOtherSeat
	}
	return h(v, seat)
}
