package seller

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tiwiza/marketplace/directory"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// fieldCodes are what a member may show besides, in the order of the pages.
var fieldCodes = []string{"contact", "phone", "email", "website", "hours", "capacity", "certificates"}

// shownTo are the kinds of members that something may be shown to.
var shownTo = []members.Kind{members.Cooperative, members.Entrepreneur, members.Provider, members.Institution, members.Bank, members.Insurer, members.EPayment}

// A shownPage is what a member shows in the directory, and what of it a stranger
// sees.
type shownPage struct {
	at
	Present  bool // strangers find it
	Speaks   bool // this person may change what is shown
	Rows     []shownRow
	Stranger []shownRow
	Done     string
}

// A shownRow is something that may be shown; Value is "" when it is not.
type shownRow struct {
	Code, Value string
	Tone, Who   string
	Named       string // who sees it, when it is only some
}

var shownTones = map[directory.Shown]string{directory.Public: "ok", directory.Some: "", directory.Nobody: "warn"}

// shown lists what the member shows besides, to whom, and the preview.
func (d *Desk) shown(v *site.Visit, seat site.Seat) error {
	p := shownPage{at: d.at(v, seat, v.T("directory.mine"), "/v"), Speaks: slices.Contains(seat.Rights, "people")}
	mine, err := site.Get[directory.FieldsView](v, "/v1/organisations/"+seat.Organisation+"/directory-fields")
	if err != nil {
		return err
	}
	for _, code := range fieldCodes {
		row := shownRow{Code: code}
		for _, f := range mine.Data {
			if f.Code == code {
				row = shownRow{code, f.Value, shownTones[f.Shown], v.T("directory.shown_" + string(f.Shown)), audience(v, f, mine.Names)}
			}
		}
		p.Rows = append(p.Rows, row)
	}
	seen, err := site.Stranger[directory.ProfileView](v, "/v1/directory/"+seat.Organisation)
	if f, ok := errors.AsType[*site.Fault](err); err != nil && (!ok || f.Status != http.StatusNotFound) {
		return err
	}
	p.Present = err == nil
	for _, code := range fieldCodes {
		if value := seen.Fields[code]; value != "" {
			p.Stranger = append(p.Stranger, shownRow{Code: code, Value: value})
		}
	}
	switch v.Query.Get("fait") {
	case "garde":
		p.Done = v.T("directory.mine_saved")
	case "retire":
		p.Done = v.T("directory.mine_removed")
	}
	return v.Show(shownView(p))
}

// audience are those who see a field that only some see, in words.
func audience(v *site.Visit, f directory.FieldView, names map[string]members.Texts) string {
	if f.Shown != directory.Some {
		return ""
	}
	var all []string
	for _, k := range f.Kinds {
		all = append(all, v.T("directory.kind_"+string(k)))
	}
	for _, org := range f.Organisations {
		all = append(all, nameOf(v, names[org]))
	}
	return v.T("directory.mine_to", "who", strings.Join(all, v.T("common.comma")))
}

func nameOf(v *site.Visit, names members.Texts) string {
	if s := v.Say(names).Text; s != "" {
		return s
	}
	return v.T("directory.mine_unknown")
}

// A shownForm is where one thing to show is written.
type shownForm struct {
	at
	Code   string
	Value  string
	Shown  string
	There  bool // it is shown now, so it can be taken away
	Kinds  []tick
	Named  []tick
	None   bool // nobody was found by the name
	Wrongs []ui.Wrong
}

// A tick is a choice among several.
type tick struct {
	Value, Text string
	On          bool
}

// showField is the form as it stands: how the field is shown now.
func (d *Desk) showField(v *site.Visit, seat site.Seat) error {
	p, err := d.shownForm(v, seat)
	if err != nil {
		return err
	}
	return v.Show(shownFormView(p))
}

func (d *Desk) shownForm(v *site.Visit, seat site.Seat) (p shownForm, err error) {
	p = shownForm{Code: v.R.PathValue("code"), Shown: string(directory.Public)}
	if !slices.Contains(fieldCodes, p.Code) {
		return p, site.ErrNotFound
	}
	p.at = d.at(v, seat, v.T("directory.field_"+p.Code), "/v/annuaire")
	mine, err := site.Get[directory.FieldsView](v, "/v1/organisations/"+seat.Organisation+"/directory-fields")
	if err != nil {
		return p, err
	}
	var now directory.FieldView
	for _, f := range mine.Data {
		if f.Code == p.Code {
			now, p.There, p.Value, p.Shown = f, true, f.Value, string(f.Shown)
		}
	}
	for _, k := range shownTo {
		p.Kinds = append(p.Kinds, tick{string(k), v.T("directory.kind_" + string(k)), slices.Contains(now.Kinds, k)})
	}
	for _, org := range now.Organisations {
		p.Named = append(p.Named, tick{org, nameOf(v, mine.Names[org]), true})
	}
	return p, nil
}

// keepField keeps what was written; takes the field away when asked to; or, when a
// name was written to look for, shows the form again with who has that name.
func (d *Desk) keepField(v *site.Visit, seat site.Seat) error {
	p, err := d.shownForm(v, seat)
	if err != nil {
		return err
	}
	path := "/v1/organisations/" + seat.Organisation + "/directory-fields/" + p.Code
	if v.Field("retirer") != "" {
		_, err := site.Do[directory.ClearedView](v, http.MethodDelete, path, nil)
		if f, ok := errors.AsType[*site.Fault](err); err != nil && (!ok || f.Status != http.StatusNotFound) {
			return err
		}
		return v.Go("/v/annuaire", "fait", "retire")
	}
	p.typed(v)
	if words := v.Field("cherche"); words != "" {
		if err := p.find(v, words); err != nil {
			return err
		}
		return v.Show(shownFormView(p))
	}
	in := map[string]any{"value": p.Value, "shown": p.Shown}
	if p.Shown == string(directory.Some) {
		in["kinds"], in["organisations"] = ticked(p.Kinds), ticked(p.Named)
	}
	_, err = site.Do[directory.FieldView](v, http.MethodPut, path, in)
	if err == nil {
		return v.Go("/v/annuaire", "fait", "garde")
	}
	f, ok := errors.AsType[*site.Fault](err)
	if !ok || f.Status != http.StatusUnprocessableEntity && f.Status != http.StatusBadRequest {
		return err
	}
	p.Wrongs = p.wrongs(f)
	return v.ShowAs(http.StatusUnprocessableEntity, shownFormView(p))
}

// typed takes over what the form holds.
func (p *shownForm) typed(v *site.Visit) {
	form := v.Form()
	p.Value, p.Shown = v.Field("valeur"), v.Field("montre")
	for i, k := range p.Kinds {
		p.Kinds[i].On = slices.Contains(form["sorte"], k.Value)
	}
	for i, n := range p.Named {
		p.Named[i].On = slices.Contains(form["nomme"], n.Value)
	}
	for _, org := range form["nomme"] {
		if plain(org) && len(p.Named) < 60 && !slices.ContainsFunc(p.Named, func(t tick) bool { return t.Value == org }) {
			p.Named = append(p.Named, tick{org, v.Field("nom." + org), true})
		}
	}
}

// find adds who is found by a name, to be ticked.
func (p *shownForm) find(v *site.Visit, words string) error {
	if runes := []rune(strings.ToValidUTF8(words, "")); len(runes) > 100 {
		words = string(runes[:100])
	}
	found, err := site.Get[rest.Page[directory.EntryView]](v, "/v1/directory?limit=8&q="+url.QueryEscape(words))
	if err != nil {
		return err
	}
	p.None = len(found.Data) == 0
	for _, m := range found.Data {
		if m.Organisation != p.Org && !slices.ContainsFunc(p.Named, func(t tick) bool { return t.Value == m.Organisation }) {
			p.Named = append(p.Named, tick{m.Organisation, nameOf(v, m.Names), false})
		}
	}
	p.Shown = string(directory.Some)
	return nil
}

func ticked(all []tick) []string {
	out := []string{}
	for _, t := range all {
		if t.On {
			out = append(out, t.Value)
		}
	}
	return out
}

// wrongs says what to correct, beside the field that it is about.
func (p shownForm) wrongs(f *site.Fault) (out []ui.Wrong) {
	value := p.T("directory.mine_value_text")
	switch p.Code {
	case "phone", "email", "website":
		value = p.T("directory.mine_value_" + p.Code)
	}
	for _, e := range f.Errors {
		if w := (ui.Wrong{Name: "montre", Text: p.T("directory.mine_only_some")}); e.Pointer != "/value" {
			out = append(out, w)
		} else {
			out = append(out, ui.Wrong{Name: "valeur", Text: value})
		}
	}
	if len(out) == 0 {
		out = append(out, ui.Wrong{Name: "valeur", Text: value})
	}
	return out
}

// Input is how the value is typed.
func (p shownForm) Input() ui.Field {
	f := ui.Field{Name: "valeur", Label: p.T("directory.mine_value"), Value: p.Value, Required: true, Max: 400, Error: wrongOf(p.Wrongs, "valeur")}
	switch p.Code {
	case "phone":
		f.Type, f.Mode, f.Complete = "tel", "tel", "tel"
	case "email":
		f.Mode, f.Complete = "email", "email"
	case "website":
		f.Mode, f.Hint = "url", p.T("directory.mine_value_website")
	case "capacity", "certificates", "hours":
		f.Area = true
	}
	return f
}
