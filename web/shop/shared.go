package shop

import (
	"errors"
	"net/http"
	"slices"

	"tiwiza/marketplace/members"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A share is a page of a telephone that several share.
type share struct {
	*ui.Page
	All    []site.Left
	One    site.Left
	Then   string
	Wrongs []ui.Wrong
	Closed bool // the PIN opens nothing any more: a code does
}

// wrong is what is wrong with a field.
func (s share) wrong(name string) string {
	for _, w := range s.Wrongs {
		if w.Name == name {
			return w.Text
		}
	}
	return ""
}

// leavePhone locks the session and leaves the telephone to the next one. Whoever has
// no PIN chooses one first, or could not come back.
func (s *Shop) leavePhone(v *site.Visit) error {
	who, err := v.Who()
	if err != nil {
		return err
	}
	_, err = site.Post[members.LockedView](v, "/v1/sessions/lock", nil)
	if site.Code(err) == "pin.none" {
		return v.Go("/moi/pin", "vers", "laisser")
	}
	if err != nil {
		return err
	}
	v.Leave(who.Person, v.Say(who.Names).Text)
	return v.Go("/qui")
}

// choosePIN is where somebody chooses its PIN.
func (s *Shop) choosePIN(v *site.Visit) error {
	if _, err := v.Who(); err != nil {
		return err
	}
	return s.showPIN(v, http.StatusOK, nil)
}

func (s *Shop) showPIN(v *site.Visit, status int, wrongs []ui.Wrong) error {
	v.Title = v.T("pin.choose")
	then := v.Query.Get("vers")
	if v.R.Method == http.MethodPost {
		then = v.Field("vers")
	}
	if then != "laisser" {
		then = ""
	}
	return v.ShowAs(status, pinPage(share{Page: v.Page, Then: then, Wrongs: wrongs}))
}

// setPIN takes a PIN in that was typed twice.
func (s *Shop) setPIN(v *site.Visit) error {
	pin := digits(v.Field("pin"))
	switch {
	case !fourDigits(pin):
		return s.showPIN(v, http.StatusUnprocessableEntity, []ui.Wrong{{Name: "pin", Text: v.T("pin.four")}})
	case pin != digits(v.Field("encore")):
		return s.showPIN(v, http.StatusUnprocessableEntity, []ui.Wrong{{Name: "encore", Text: v.T("pin.differ")}})
	}
	_, err := site.Do[members.PINView](v, http.MethodPut, "/v1/me/pin", map[string]string{"pin": pin})
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError && f.Status != http.StatusUnauthorized {
		text := v.Explain(err)
		if f.Code == "pin.easy" {
			text = v.T("pin.easy")
		}
		return s.showPIN(v, f.Status, []ui.Wrong{{Name: "pin", Text: text}})
	}
	if err != nil {
		return err
	}
	if v.Field("vers") == "laisser" {
		return s.leavePhone(v)
	}
	return v.Go("/moi", "fait", "1")
}

func fourDigits(s string) bool {
	return len(s) == 4 && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < '0' || c > '9' })
}

// whoIsIt asks who takes the telephone now.
func (s *Shop) whoIsIt(v *site.Visit) error {
	all := v.Left()
	if v.SignedIn() {
		if _, err := v.Who(); err == nil {
			return v.Go("/moi")
		}
	}
	if len(all) == 0 {
		return v.Go("/entrer")
	}
	v.Title = v.T("pin.who")
	return v.Show(whoPage(share{Page: v.Page, All: all}))
}

// one is somebody who left this telephone.
func (s *Shop) one(v *site.Visit) (site.Left, bool) {
	person := v.R.PathValue("person")
	for _, l := range v.Left() {
		if l.Person == person {
			return l, true
		}
	}
	return site.Left{}, false
}

// askPIN asks somebody who comes back for the PIN.
func (s *Shop) askPIN(v *site.Visit) error {
	l, ok := s.one(v)
	if !ok {
		return v.Go("/qui")
	}
	v.Title = l.Name
	return v.Show(unlockPage(share{Page: v.Page, One: l}))
}

// usePIN opens the locked session. After five wrong PINs only a code helps.
func (s *Shop) usePIN(v *site.Visit) error {
	l, ok := s.one(v)
	if !ok {
		return v.Go("/qui")
	}
	v.Title = l.Name
	p := share{Page: v.Page, One: l}
	pin := digits(v.Field("pin"))
	if !fourDigits(pin) {
		p.Wrongs = []ui.Wrong{{Name: "pin", Text: v.T("pin.four")}}
		return v.ShowAs(http.StatusUnprocessableEntity, unlockPage(p))
	}
	_, err := site.Post[members.UnlockedView](v, "/v1/sessions/unlock", map[string]string{"token": l.Token, "pin": pin})
	switch f, is := errors.AsType[*site.Fault](err); {
	case is && f.Code == "pin.wrong":
		p.Wrongs = []ui.Wrong{{Name: "pin", Text: v.T("pin.wrong")}}
		return v.ShowAs(f.Status, unlockPage(p))
	case is && f.Code == "pin.tries":
		p.Closed = true
		return v.ShowAs(f.Status, unlockPage(p))
	case is && f.Status == http.StatusUnauthorized: // it was ended meanwhile
		v.Returns(l.Person)
		p.Closed = true
		return v.ShowAs(http.StatusConflict, unlockPage(p))
	case err != nil:
		return err
	}
	v.Clear()
	v.SignIn(l.Token, session)
	v.Returns(l.Person)
	who, err := v.Who()
	if err != nil {
		return err
	}
	if seat, ok := who.Seat(); ok {
		return v.Go(deskPath(seat.Role))
	}
	return v.Go("/moi")
}

// calls is the name of somebody who left; who never gave one is somebody still.
func (s share) calls(l site.Left) string {
	if l.Name == "" {
		return s.T("pin.nameless")
	}
	return l.Name
}
