package shop

import (
	"errors"
	"net/http"

	"tiwiza/marketplace/members"
	"tiwiza/web/site"
	"tiwiza/web/team"
	"tiwiza/web/ui"
)

// An invitedPage is an invitation as whoever it was sent to reads it.
type invitedPage struct {
	*ui.Page
	Enter  string // where one signs in first; "": one has
	Offer  members.OfferedView
	Name   ui.Said
	May    string
	Until  string
	Wrongs []ui.Wrong
}

// invited shows an invitation. Its address is the key, so it is told to nobody.
func (s *Shop) invited(v *site.Visit) error { return s.showInvited(v, nil) }

func (s *Shop) showInvited(v *site.Visit, wrong error) error {
	h := v.W.Header()
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	v.Title = v.T("team.join_title")
	p := invitedPage{Page: v.Page}
	if _, err := v.Who(); errors.Is(err, site.ErrSignIn) {
		p.Enter = v.Href("/entrer", "vers", v.Href(v.Path))
		return v.Show(invitedView(p))
	} else if err != nil {
		return err
	}
	offer, err := site.Get[members.OfferedView](v, "/v1/invitations/"+escape(v.R.PathValue("token")))
	if err != nil {
		return err
	}
	acts, _ := offer.Kind.Role()
	p.Offer, p.Name, p.Until = offer, v.Say(offer.Names), v.Lang.Date(offer.ExpiresAt)
	p.May = team.May(v.Page, string(acts), offer.Role)
	if wrong == nil {
		return v.Show(invitedView(p))
	}
	p.Wrongs = []ui.Wrong{{Text: v.Explain(wrong)}}
	return v.ShowAs(http.StatusConflict, invitedView(p))
}

// join accepts an invitation, and sits down at the new desk.
func (s *Shop) join(v *site.Visit) error {
	at := "/v1/invitations/" + escape(v.R.PathValue("token"))
	offer, err := site.Get[members.OfferedView](v, at)
	if err != nil {
		return err
	}
	made, err := site.Post[members.MembershipView](v, at+"/accept", nil)
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status == http.StatusConflict {
		return s.showInvited(v, err)
	}
	if err != nil {
		return err
	}
	if err := v.Sit(made.Organisation); err != nil {
		return v.Go("/moi")
	}
	acts, _ := offer.Kind.Role()
	return v.Go(deskPath(string(acts)))
}
