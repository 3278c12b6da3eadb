package operator

import (
	"net/url"

	"github.com/a-h/templ"

	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/web/accords"
	"tiwiza/web/desk"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

var glassTones = map[string]string{"asked": "warn", "open": "ok", "refused": "bad"}

// glassesPage lists dossiers that are opened without their owner's consent, or shall
// be, with the form that asks for it.
func glassesPage(v *view) error { return v.glasses(nil) }

func (v *view) glasses(wrong error) error {
	chosen := v.Q("etat")
	tabs := []desk.Tab{{Text: v.T("op.all"), Href: v.With("etat", ""), Here: chosen == ""}}
	for _, s := range []string{"asked", "open", "refused"} {
		tabs = append(tabs, desk.Tab{Text: v.T("glass.s_" + s), Href: v.With("etat", s), Here: chosen == s})
	}
	all, err := site.Get[rest.Page[sharing.GlassView]](v.Visit, desk.At("/v1/broken-glasses", "state", chosen, "limit", "30", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Next: v.Next(all.Next)}
	for _, k := range []string{"member", "parts", "reason", "by", "state"} {
		s.Heads = append(s.Heads, desk.Head{Text: v.T("glass.h_" + k)})
	}
	for _, g := range all.Data {
		name := v.Named(g.Names)
		name.Lines = []string{v.Moment(g.AskedAt)}
		state := desk.Cell{Text: v.T("glass.s_" + g.State), Tone: glassTones[g.State], State: true}
		switch {
		case g.State == "open" && !v.Now.Before(*g.Until):
			state.Text, state.Tone = v.T("glass.over"), ""
		case g.State == "open":
			state.Lines = []string{v.T("glass.until", "at", v.Moment(*g.Until))}
			if g.Mine {
				name.Href = v.Href("/op/dossiers/" + g.Owner)
			}
		case g.State == "asked":
			state.Lines = []string{v.T("glass.second")}
		}
		s.Rows = append(s.Rows, []desk.Cell{name, desk.Text(services.Sections(v.Lang, g.Sections)), desk.Text(g.Reason), desk.Code(g.AskedBy), state})
	}
	a := desk.Action{
		Name: "glass", Path: "/op/dossiers", Label: v.T("glass.ask"), Hint: v.T("glass.ask_help"), Style: "stop", Open: v.Q("membre") != "", Top: true, Tick: v.T("glass.parts"),
		Fields: []ui.Field{
			{Name: "glass_org", Label: v.T("glass.org"), Value: v.Q("membre"), Required: true, Max: 40},
			{Name: "glass_reason", Label: v.T("glass.reason"), Hint: v.T("glass.reason_help"), Area: true, Required: true, Max: 500},
		},
	}
	for _, x := range sharing.Sections {
		a.Checks = append(a.Checks, desk.Check{Name: "glass_sections", Value: x, Text: v.T("finance.section_" + x)})
	}
	return v.Blocks(v.T("glass.title"), desk.Cell{}, wrong, desk.Para("muted", v.T("glass.about")), desk.Acts(v.Page, v.Typed(wrong, a)), desk.Choose(v.T("op.show"), tabs),
		desk.List(v.Page, s, v.T("glass.none"), "", ""), desk.Button(v.T("op.approvals"), v.Href("/op/approbations")))
}

// breakGlass asks a second person to open a dossier.
func breakGlass(v *view) error {
	org, sections := v.Field("glass_org"), v.Form()["glass_sections"]
	if !id.Is(id.Organisation, org) {
		return v.glasses(desk.WrongField("glass_org"))
	}
	if len(sections) == 0 {
		return v.glasses(desk.WrongField("glass_sections"))
	}
	if _, err := site.Post[sharing.GlassView](v.Visit, "/v1/dossiers/"+org+"/break-glass", map[string]any{"reason": v.Field("glass_reason"), "sections": sections}); err != nil {
		return v.glasses(err)
	}
	return v.Go("/op/dossiers", "fait", "glass")
}

// openPage lists what an open glass lets see; that somebody looked is written down, and
// the owner reads it.
func openPage(v *view) error {
	d, err := site.Get[sharing.DossierView](v.Visit, "/v1/dossiers/"+v.ID())
	if err != nil {
		return err
	}
	v.Back = v.Href("/op/dossiers")
	s := desk.Sheet{}
	for _, k := range []string{"paper", "parts", "added"} {
		s.Heads = append(s.Heads, desk.Head{Text: v.T("glass.h_" + k)})
	}
	for _, i := range d.Items {
		name := desk.Cell{Text: i.Title, Href: v.Href("/op/dossiers/" + d.Owner + "/" + i.ID)}
		if i.Sensitive {
			name.Lines = []string{v.T("dossier.sensitive")}
		}
		s.Rows = append(s.Rows, []desk.Cell{name, desk.Text(v.T("finance.section_" + i.Section)), desk.Text(v.Lang.Date(i.AddedAt))})
	}
	return v.Blocks(v.T("glass.opened"), desk.Cell{}, nil, desk.Notice(v.T("glass.noted")), desk.Facts(v.Page, []desk.Fact{{Name: v.T("glass.h_member"), Value: v.thing(d.Owner)}, {Name: v.T("glass.ends"), Value: desk.Text(v.Moment(d.On.Until))}}),
		desk.List(v.Page, s, v.T("glass.empty"), "", ""))
}

func (v *view) throughGlass() string {
	return "/v1/dossiers/" + v.ID() + "/items/" + url.PathEscape(v.R.PathValue("item"))
}

// openItem shows one thing through an open glass.
func openItem(v *view) error {
	i, err := site.Get[sharing.SeenView](v.Visit, v.throughGlass())
	if err != nil {
		return err
	}
	v.Back = v.Href("/op/dossiers/" + v.R.PathValue("id"))
	of := v.View
	of.Words = "accord"
	return v.Blocks(i.Title, desk.Cell{}, nil, append([]templ.Component{desk.Notice(v.T("glass.noted"))}, accords.Paper(&of, i, v.Path+"/pdf")...)...)
}

// openFile passes a paper on, with the mark of who took it.
func openFile(v *view) error { return v.HandOn(v.throughGlass() + "/content") }
