// Package team is the page on which an organisation of any kind says who works for
// it: the same at each desk, with the words of that desk's work.
package team

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// roles are what somebody may be in an organisation that acts so on the market, the
// one with the most rights first.
var roles = map[string][]string{
	"seller": {"manager", "treasurer", "member", "courier", "agent"}, "bank": {"manager", "treasurer", "member"}, "insurer": {"manager", "treasurer", "member"},
	"institution": {"manager", "member"}, "provider": {"manager", "member", "agent"},
}

// works is whose work a kind's roles are described by.
var works = map[string]string{"bank": "partner", "insurer": "partner", "institution": "office", "provider": "provider", "seller": "seller"}

// done are the things that the page may say were done.
var done = []string{"invited", "removed"}

// A view is one request for the page.
type view struct {
	desk.View
	seat site.Seat
}

func on(v desk.View, seat site.Seat) *view {
	v.Words, v.Done = "team", done
	return &view{v, seat}
}

// Show lists who works for the organisation, and who is asked to.
func Show(v desk.View, seat site.Seat) error { return on(v, seat).show(nil) }

// Title is what the page is called, for who shows it among others.
const Title = "team.title"

// May says what a role lets somebody do in an organisation that acts so.
func May(p *ui.Page, acts, role string) string {
	if works[acts] == "" {
		return p.T("team.role_" + role)
	}
	return p.T("team.may_" + works[acts] + "_" + role)
}

func (v *view) show(wrong error) error {
	org := "/v1/organisations/" + v.seat.Organisation
	all, err := site.Get[rest.Page[members.MembershipView]](v.Visit, desk.At(org+"/members", "limit", "50", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("person", "phone", "role", "since"), Next: v.Next(all.Next)}
	var some []ui.Option
	for _, m := range all.Data {
		name, who := v.Named(m.Names), v.Say(m.Names).Text
		if len(m.Names) == 0 {
			name, who = desk.Code(m.Phone), m.Phone
		}
		s.Rows = append(s.Rows, []desk.Cell{name, desk.Code(m.Phone), {Text: v.T("team.role_" + m.Role), Lines: []string{May(v.Page, v.seat.Role, m.Role)}}, desk.Text(v.Lang.Date(m.Since))})
		some = append(some, ui.Option{Value: m.ID, Text: who})
	}
	blocks := desk.Group(desk.List(v.Page, s, v.T("team.nobody"), "", ""))
	if !slices.Contains(v.seat.Rights, "people") { // somebody else says who belongs here
		return v.Blocks(v.T(Title), desk.Cell{}, wrong, blocks, desk.Para("muted", v.T("team.no_people")))
	}
	invited, err := site.Get[rest.Page[members.InvitationView]](v.Visit, desk.At(org+"/invitations", "limit", "50"))
	if err != nil {
		return err
	}
	i := desk.Sheet{Heads: v.Heads("to", "role", "until")}
	for _, x := range invited.Data {
		until := desk.Text(v.Lang.Date(x.ExpiresAt))
		if x.Waits {
			until = desk.Cell{Text: v.T("team.waits"), Tone: "warn", State: true}
		}
		i.Rows = append(i.Rows, []desk.Cell{desk.Code(x.To), desk.Text(v.T("team.role_" + x.Role)), until})
	}
	var options []ui.Option
	for _, r := range roles[v.seat.Role] {
		options = append(options, ui.Option{Value: r, Text: v.T("team.role_"+r) + v.T("common.colon") + May(v.Page, v.seat.Role, r)})
	}
	forms := []desk.Action{
		{Name: "invite", Path: v.Path, Label: v.T("team.do_invite"), Hint: v.T("team.help_invite"), Style: "go", Open: true, Top: true, Fields: []ui.Field{
			{Name: "invite_address", Label: v.T("team.address"), Hint: v.T("team.address_help"), Required: true, Max: 254},
			{Name: "invite_role", Label: v.T("team.h_role"), Options: options, Required: true, Value: "member"},
		}},
	}
	if len(some) > 0 {
		forms = append(forms, desk.Action{Name: "remove", Path: v.Path, Label: v.T("team.do_remove"), Hint: v.T("team.help_remove"), Style: "stop", Top: true, Fields: []ui.Field{{Name: "remove_member", Label: v.T("team.h_person"), Options: some, Required: true}}})
	}
	return v.Blocks(v.T(Title), desk.Cell{}, wrong, blocks, desk.Acts(v.Page, v.Typed(wrong, forms...)), desk.Headed(v.T("team.invited"), desk.List(v.Page, i, v.T("team.nobody_invited"), "", "")))
}

// Do invites somebody, or ends somebody's place.
func Do(of desk.View, seat site.Seat) error {
	v := on(of, seat)
	org := "/v1/organisations/" + seat.Organisation
	var err error
	said := "invited"
	switch v.Field("quoi") {
	case "invite":
		in := map[string]string{"role": v.Field("invite_role")}
		if to := v.Field("invite_address"); strings.Contains(to, "@") {
			in["email"] = to
		} else {
			in["phone"] = to
		}
		_, err = site.Post[struct{}](v.Visit, org+"/members", in)
	case "remove":
		said = "removed"
		_, err = site.Do[struct{}](v.Visit, http.MethodDelete, org+"/members/"+url.PathEscape(v.Field("remove_member")), nil)
	default:
		return site.ErrNotFound
	}
	if f, ok := errors.AsType[*site.Fault](err); ok {
		for i, e := range f.Errors {
			if e.Pointer == "/phone" || e.Pointer == "/email" {
				f.Errors[i].Pointer = "/address"
			}
		}
	}
	if err != nil {
		return v.show(err)
	}
	return v.Go(v.Path, "fait", said)
}
