package operator

import (
	"net/http"

	"github.com/a-h/templ"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/rest"
	"tiwiza/web/chart"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// membersPage lists organisations: first those that ask to be admitted, who waits
// longest at the head.
func membersPage(v *view) error {
	tabs, chosen := v.tabs("etat", "org", "queue", "submitted", "under_review", "changes_requested", "active", "suspended", "draft", "")
	here := v.Q("etat") == "comptes"
	tabs = append(tabs, desk.Tab{Text: v.T("op.accounts"), Href: v.Href(v.Path, "etat", "comptes"), Here: here})
	in := []string{"limit", "50", "cursor", v.Q("suite"), "region", v.Q("region")}
	if here {
		in = append(in, "account", "pending")
	} else {
		in = append(in, "state", chosen)
	}
	list := v.memberSheet
	if chosen == "queue" && !here {
		list = func(...string) (desk.Sheet, error) { return v.queueSheet() }
	}
	s, err := list(in...)
	if err != nil {
		return err
	}
	if v.wants() {
		return v.file("entites", s)
	}
	regions := []ui.Option{{Value: "", Text: v.T("op.all")}}
	for _, r := range chart.Regions {
		regions = append(regions, ui.Option{Value: r.Code, Text: v.Say(r.Names).Text})
	}
	return v.Blocks(v.T("op.members"), desk.Cell{}, nil, desk.Choose(v.T("op.show"), tabs), seek(v.Page, []ui.Field{{Name: "region", Label: v.T("op.h_region"), Options: regions, Value: v.Q("region")}}, [][2]string{{"etat", v.Q("etat")}}, v.With("csv", "1")),
		desk.List(v.Page, s, v.T("op.no_members"), v.T("op.see_all"), v.Href("/op/entites", "etat", "tous")))
}

// memberSheet lists organisations, the newest first.
func (v *view) memberSheet(in ...string) (s desk.Sheet, err error) {
	found, err := site.Get[rest.Page[members.View]](v.Visit, desk.At("/v1/organisations", in...))
	if err != nil {
		return s, err
	}
	s = desk.Sheet{Heads: v.Heads("member", "kind", "region", "since", "state"), Next: v.Next(found.Next)}
	for _, o := range found.Data {
		name := v.Say(o.Names)
		s.Rows = append(s.Rows, []desk.Cell{{Said: &name, Href: v.Href("/op/entites/" + o.ID)}, desk.Text(v.word("op.o_", string(o.Kind))), desk.Text(v.region(o.Region), o.Commune), v.Time(o.CreatedAt), v.state("org", string(o.State))})
	}
	return s, nil
}

func (v *view) region(code string) string {
	for _, r := range chart.Regions {
		if r.Code == code {
			return v.Say(r.Names).Text
		}
	}
	return code
}

// memberPage shows an organisation's file, and what may be done with it.
func memberPage(v *view) error { return v.member(nil) }

func (v *view) member(wrong error) error {
	o, err := site.Get[members.View](v.Visit, "/v1/organisations/"+v.ID())
	if err != nil {
		return err
	}
	accounts, err := site.Get[rest.Page[members.AccountView]](v.Visit, "/v1/organisations/"+v.ID()+"/bank-accounts")
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("rib", "holder", "state", "verified", "given_by")}
	waits := false
	for _, a := range accounts.Data {
		verified := desk.Text(v.T("common.no"))
		if a.Verified {
			verified = desk.Text(v.T("common.yes"), v.When(a.VerifiedAt))
		}
		waits = waits || a.State == members.Pending
		s.Rows = append(s.Rows, []desk.Cell{desk.Code(ribEnd(a.RIB)), desk.Text(a.Holder), v.state("account", string(a.State)), verified, desk.Code(a.GivenBy)})
	}
	name := v.Say(o.Names)
	alike, err := v.lookalikes(o)
	if err != nil {
		return err
	}
	file, err := v.enrolled(o.ID)
	if err != nil {
		return err
	}
	wrong = whole(wrong)
	acts := v.moves(o, waits)
	blocks := []templ.Component{alike}
	if file.paper != nil {
		blocks = append(blocks, v.looked(file, wrong, v.shown))
		for i := range acts {
			acts[i].Open, acts[i].Top, acts[i].Style = false, false, ""
		}
	}
	if a, any := v.report(file); any {
		acts = append(acts, a)
	}
	blocks = append(blocks, desk.Acts(v.Page, v.Typed(wrong, acts...)), v.required(file), desk.Facts(v.Page, v.memberFacts(o)))
	if story := v.Say(o.Story); story.Text != "" {
		blocks = append(blocks, desk.Headed(v.T("op.story"), words(v.Page, story)))
	}
	blocks = append(blocks, desk.Headed(v.T("op.bank_accounts"), desk.List(v.Page, s, v.T("op.no_accounts"), "", "")),
		desk.Button(v.T("op.see_trail"), v.Href("/op/journal", "objet", o.ID)))
	if acts, _ := o.Kind.Role(); acts == auth.Seller {
		blocks = append(blocks, desk.Button(v.T("glass.ask"), v.Href("/op/dossiers", "membre", o.ID)))
	}
	v.Back = v.Href("/op/entites")
	v.Title = name.Text
	return v.Blocks(name.Text, v.state("org", string(o.State)), wrong, blocks...)
}

// lookalikes warns, as long as an organisation is not admitted, of members that it
// may be taken for.
func (v *view) lookalikes(o members.View) (templ.Component, error) {
	if o.State == members.Active || o.State == members.Suspended || o.State == members.Terminated {
		return templ.NopComponent, nil
	}
	found, err := site.Get[members.LookalikesView](v.Visit, "/v1/organisations/"+o.ID+"/lookalikes")
	if err != nil || len(found.Data) == 0 {
		return templ.NopComponent, err
	}
	s := desk.Sheet{Heads: v.Heads("member", "kind", "region", "state")}
	for _, x := range found.Data {
		name := v.Say(x.Names)
		s.Rows = append(s.Rows, []desk.Cell{{Said: &name, Href: v.Href("/op/entites/" + x.ID)}, desk.Text(v.word("op.o_", string(x.Kind))), desk.Text(v.region(o.Region), x.Commune), v.state("org", string(x.State))})
	}
	return desk.Headed(v.T("op.looks_like"), desk.Para("muted", v.T("op.looks_like_help")), desk.Table(v.Page, s)), nil
}

// ribEnd hides all but the end of an account's number: who verifies it types it
// from the member's own word, not from here.
func ribEnd(rib string) string {
	if len(rib) <= 4 {
		return rib
	}
	return "•••• " + rib[len(rib)-4:]
}

func (v *view) memberFacts(o members.View) []desk.Fact {
	out := []desk.Fact{{Name: v.T("op.h_id"), Value: desk.Code(o.ID)}, {Name: v.T("op.h_kind"), Value: desk.Text(v.word("op.o_", string(o.Kind)))}, {Name: v.T("op.h_region"), Value: desk.Text(v.region(o.Region), o.Commune)}, {Name: v.T("op.h_since"), Value: v.Time(o.CreatedAt)}}
	if o.Legal.Form != "" {
		out = append(out, desk.Fact{Name: v.T("enrol.form"), Value: desk.Text(v.word("enrol.form_", o.Legal.Form))})
	}
	for _, x := range [][2]string{{"ice", o.Legal.ICE}, {"if", o.Legal.IF}, {"rc", o.Legal.RC}} {
		if x[1] != "" {
			out = append(out, desk.Fact{Name: v.T("op.h_" + x[0]), Value: desk.Code(x[1])})
		}
	}
	if o.Note != "" {
		out = append(out, desk.Fact{Name: v.T("op.note"), Value: desk.Text(o.Note)})
	}
	return out
}

// moves are what may be done with an organisation as it stands.
func (v *view) moves(o members.View, waits bool) []desk.Action {
	note := func(name string) []ui.Field {
		return []ui.Field{{Name: name + "_note", Label: v.T("op.note_to_member"), Area: true, Required: true, Max: 1000}}
	}
	form := func(name, style string, f []ui.Field) desk.Action {
		return desk.Action{Name: name, Path: v.Path, Label: v.T("op.m_" + name), Hint: v.T("op.m_" + name + "_help"), Style: style, Fields: f}
	}
	var out []desk.Action
	switch o.State {
	case members.Submitted, members.UnderReview:
		out = append(out, form("approve", "go", nil), form("request_changes", "", note("request_changes")))
		out[0].Open, out[0].Top = true, true
		if o.State == members.Submitted {
			out = append(out, form("review", "", nil))
		}
	case members.Active:
		out = append(out, form("suspend", "stop", note("suspend")))
	case members.Suspended:
		out = append(out, form("reactivate", "", nil))
	}
	if waits {
		out = append(out, form("account", "", []ui.Field{
			{Name: "account_rib", Label: v.T("op.h_rib"), Hint: v.T("op.rib_help"), Mode: "numeric", Required: true, Max: 40},
			{Name: "account_holder", Label: v.T("op.h_holder"), Required: true, Max: 140},
		}))
	}
	return out
}

// memberDo carries out what was chosen.
func memberDo(v *view) error {
	org := "/v1/organisations/" + v.ID()
	var err error
	said := "moved"
	what := v.Field("quoi")
	if chosen(what) {
		return v.paperDo(what)
	}
	switch what {
	case "approve", "reactivate", "review":
		_, err = site.Post[members.View](v.Visit, org+"/"+what, nil)
	case "suspend":
		_, err = site.Post[members.View](v.Visit, org+"/suspend", map[string]string{"note": v.Field("suspend_note")})
	case "request_changes":
		_, err = site.Post[members.View](v.Visit, org+"/request-changes", map[string]string{"note": v.Field("request_changes_note")})
	case "account":
		said = "account"
		_, err = site.Post[members.AccountView](v.Visit, org+"/bank-accounts", map[string]string{"rib": v.Field("account_rib"), "holder": v.Field("account_holder")})
	default:
		err = &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.field"}
	}
	if err != nil {
		return v.member(err)
	}
	return v.Go("/op/entites/"+v.ID(), "fait", said)
}
