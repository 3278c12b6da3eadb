package seller

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/geo"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// An applyPage is where somebody says who its organisation is, to begin with or
// until it is decided on.
type applyPage struct {
	at
	To     string // where the form goes
	New    bool
	Fields []ui.Field
	Open   []begun // applications of this person that are under way
	Key    string
	Wrongs []ui.Wrong
}

// A begun application is one that goes on.
type begun struct {
	Organisation string
	Name         ui.Said
	Tone, Text   string
}

var (
	applicants = []members.Kind{members.Cooperative, members.Entrepreneur, members.Provider}
	forms      = []string{"cooperative", "gie", "association", "auto_entrepreneur", "sarl", "sa", "individual", "other"}
)

// applyFields is what the hub calls the fields.
var applyFields = map[string]string{"/kind": "sorte", "/names/fr": "nom_fr", "/names/ar": "nom_ar", "/names": "nom_fr", "/legal/ice": "ice", "/legal/form": "forme", "/commune": "commune", "/region": "region"}

// joining is where a person who signed in begins an organisation's application.
func (d *Desk) joining(v *site.Visit) error { return d.showApply(v, members.View{}, nil) }

func (d *Desk) showApply(v *site.Visit, o members.View, wrong error) error {
	who, err := v.Who()
	if err != nil {
		return err
	}
	p := applyPage{at: d.at(v, site.Seat{}, v.T("enrol.begin"), "/moi"), To: v.Href("/moi/adhesion"), New: o.ID == "", Key: site.NewKey()}
	if !p.New {
		seat, _ := who.Seat()
		p.at, p.To = d.at(v, seat, v.T("enrol.change"), enrolling), v.Href(enrolling+"/organisation")
	}
	for _, s := range who.Desks {
		state := members.State(s.State)
		if p.New && (state == members.Draft || state == members.Submitted || state == members.UnderReview || state == members.ChangesRequested) {
			p.Open = append(p.Open, begun{s.Organisation, v.Say(s.Names), enrolTones[state], v.T("sell.coop_" + s.State)})
		}
	}
	p.fill(v, o)
	if wrong == nil {
		return v.Show(applyView(p))
	}
	f, ok := errors.AsType[*site.Fault](wrong)
	if !ok || f.Status >= http.StatusInternalServerError || f.Status == http.StatusUnauthorized || f.Status == http.StatusNotFound || f.Code == "auth.step_up" {
		return wrong
	}
	p.Wrongs = v.Wrongs(wrong, applyFields)
	for i := range p.Fields {
		p.Fields[i].Error = wrongOf(p.Wrongs, p.Fields[i].Name)
	}
	return v.ShowAs(f.Status, applyView(p))
}

// fill makes the fields, with what is known or was typed.
func (p *applyPage) fill(v *site.Visit, o members.View) {
	choice := func(all []string, key, none string) (out []ui.Option) {
		if none != "" {
			out = append(out, ui.Option{Text: none})
		}
		for _, s := range all {
			out = append(out, ui.Option{Value: s, Text: v.T(key + s)})
		}
		return out
	}
	if p.New {
		var kinds []string
		for _, k := range applicants {
			kinds = append(kinds, string(k))
		}
		p.Fields = append(p.Fields, ui.Field{Name: "sorte", Label: v.T("enrol.kind"), Required: true, Options: choice(kinds, "directory.kind_", "")})
	}
	regions := []ui.Option{{Text: v.T("enrol.of_commune")}}
	for _, r := range geo.Regions() {
		regions = append(regions, ui.Option{Value: r.Code, Text: v.Say(r.Names).Text})
	}
	commune := o.Commune
	if commune != "" {
		commune = place(v, commune)
	}
	p.Fields = append(p.Fields,
		ui.Field{Name: "nom_fr", Label: v.T("enrol.name_fr"), Hint: v.T("enrol.hint_name"), Required: true, Max: 200, Complete: "organization", Value: o.Names["fr"]},
		ui.Field{Name: "nom_ar", Label: v.T("enrol.name_ar"), Max: 200, Value: o.Names["ar"]},
		ui.Field{Name: "commune", Label: v.T("enrol.commune"), Hint: v.T("enrol.hint_commune"), Required: true, Max: 100, Complete: "address-level2", Value: commune, List: communes(v.Lang)},
		ui.Field{Name: "region", Label: v.T("enrol.region"), Options: regions, Value: o.Region},
		ui.Field{Name: "forme", Label: v.T("enrol.form"), Options: choice(forms, "enrol.form_", "—"), Value: o.Legal.Form},
		ui.Field{Name: "ice", Label: v.T("paper.ice"), Hint: v.T("enrol.hint_ice"), Max: 40, Mode: "numeric", Complete: "off", Value: o.Legal.ICE},
	)
	if v.R.Method == http.MethodPost {
		for i := range p.Fields {
			p.Fields[i].Value = v.Field(p.Fields[i].Name)
		}
	}
}

// mostCommunes is how many names help somebody who types.
const mostCommunes = 150

func communes(l ui.Lang) (out []string) {
	for _, p := range geo.Places()[:mostCommunes] {
		out = append(out, cmp.Or(p.Names[string(l.Text())], p.Name))
	}
	return out
}

// introduced is what was typed, as the hub takes it.
func introduced(v *site.Visit) map[string]any {
	names := map[string]string{}
	for lang, field := range map[string]string{"fr": "nom_fr", "ar": "nom_ar"} {
		if s := v.Field(field); s != "" {
			names[lang] = s
		}
	}
	legal := map[string]string{}
	if ice := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" .-\u00a0\u202f", r) {
			return -1
		}
		return r
	}, v.Field("ice")); ice != "" {
		legal["ice"] = ice
	}
	if form := v.Field("forme"); slices.Contains(forms, form) {
		legal["form"] = form
	}
	in := map[string]any{"names": names, "commune": v.Field("commune"), "legal": legal}
	if r := v.Field("region"); r != "" {
		in["region"] = r
	}
	return in
}

// begin writes the organisation down, and sits its first manager at its desk.
func (d *Desk) begin(v *site.Visit) error {
	if _, err := v.Who(); err != nil {
		return err
	}
	if err := v.Sit(""); err != nil { // a form that is sent twice is one person's, wherever the first left it
		return err
	}
	in := introduced(v)
	in["kind"] = v.Field("sorte")
	made, err := site.Post[members.View](v, "/v1/applications", in)
	if err != nil {
		return d.showApply(v, members.View{}, err)
	}
	if err := v.Sit(made.ID); err != nil {
		return err
	}
	return v.Go(enrolling, "fait", "debut")
}

// amend shows what the organisation says of itself, to change it.
func (d *Desk) amend(v *site.Visit, seat site.Seat) error {
	o, err := site.Get[members.View](v, "/v1/organisations/"+seat.Organisation)
	if err != nil {
		return err
	}
	return d.showApply(v, o, nil)
}

// amended changes it.
func (d *Desk) amended(v *site.Visit, seat site.Seat) error {
	org := "/v1/organisations/" + seat.Organisation
	o, err := site.Get[members.View](v, org)
	if err != nil {
		return err
	}
	in := introduced(v)
	legal, _ := in["legal"].(map[string]string)
	for name, kept := range map[string]string{"if": o.Legal.IF, "rc": o.Legal.RC} {
		if kept != "" {
			legal[name] = kept
		}
	}
	names, _ := in["names"].(map[string]string)
	for _, lang := range []string{"zgh", "en"} {
		if o.Names[lang] != "" {
			names[lang] = o.Names[lang]
		}
	}
	if _, err := site.Do[members.View](v, http.MethodPut, org+"/application", in); err != nil {
		return d.showApply(v, o, err)
	}
	return v.Go(enrolling, "fait", "change")
}
