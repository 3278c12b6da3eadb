package partner

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// roles are what somebody may be at a bank or an insurer, the one with the most
// rights first.
var roles = []string{"manager", "treasurer", "member"}

// team lists who works for the organisation, and who is asked to.
func team(v *view) error { return v.team(nil) }

func (v *view) team(wrong error) error {
	org := "/v1/organisations/" + v.seat.Organisation
	all, err := site.Get[rest.Page[members.MembershipView]](v.Visit, desk.At(org+"/members", "limit", "50", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("person", "phone", "role", "since"), Next: v.Next(all.Next)}
	var some []ui.Option
	for _, m := range all.Data {
		name := v.Named(m.Names)
		if len(m.Names) == 0 {
			name = desk.Code(m.Person)
		}
		s.Rows = append(s.Rows, []desk.Cell{name, desk.Code(m.Phone), {Text: v.T("partner.role_" + m.Role), Lines: []string{v.T("partner.may_" + m.Role)}}, desk.Text(v.Lang.Date(m.Since))})
		who := v.Say(m.Names).Text
		if len(m.Names) == 0 {
			who = m.Person
		}
		some = append(some, ui.Option{Value: m.ID, Text: who})
	}
	blocks := desk.Group(desk.List(v.Page, s, v.T("partner.nobody"), "", ""))
	invited, err := site.Get[rest.Page[members.InvitationView]](v.Visit, desk.At(org+"/invitations", "limit", "50"))
	if site.Code(err) == "auth.denied" { // somebody else says who belongs here
		return v.Blocks(v.T("partner.team"), desk.Cell{}, wrong, blocks, desk.Para("muted", v.T("partner.no_people")))
	}
	if err != nil {
		return err
	}
	i := desk.Sheet{Heads: v.Heads("to", "role")}
	for _, x := range invited.Data {
		i.Rows = append(i.Rows, []desk.Cell{desk.Code(x.To), desk.Text(v.T("partner.role_" + x.Role))})
	}
	options := make([]ui.Option, len(roles))
	for n, r := range roles {
		options[n] = ui.Option{Value: r, Text: v.T("partner.role_"+r) + v.T("common.colon") + v.T("partner.may_"+r)}
	}
	forms := []desk.Action{
		{Name: "invite", Path: v.Path, Label: v.T("partner.do_invite"), Hint: v.T("partner.help_invite"), Style: "go", Open: true, Top: true, Fields: []ui.Field{
			{Name: "invite_address", Label: v.T("partner.address"), Hint: v.T("partner.address_help"), Required: true, Max: 254},
			{Name: "invite_role", Label: v.T("partner.h_role"), Options: options, Required: true, Value: "member"},
		}},
	}
	if len(some) > 0 {
		forms = append(forms, desk.Action{Name: "remove", Path: v.Path, Label: v.T("partner.do_remove"), Hint: v.T("partner.help_remove"), Style: "stop", Top: true, Fields: []ui.Field{{Name: "remove_member", Label: v.T("partner.h_person"), Options: some, Required: true}}})
	}
	return v.Blocks(v.T("partner.team"), desk.Cell{}, wrong, blocks, desk.Acts(v.Page, v.Typed(wrong, forms...)), desk.Headed(v.T("partner.invited"), desk.List(v.Page, i, v.T("partner.nobody_invited"), "", "")))
}

// teamDo invites somebody, or ends somebody's place.
func teamDo(v *view) error {
	org := "/v1/organisations/" + v.seat.Organisation
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
		return v.team(err)
	}
	return v.Go("/b/equipe", "fait", said)
}
