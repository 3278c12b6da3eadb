package seller

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"tiwiza/marketplace/directory"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// An accordsPage is what a member was asked to show, and to whom it shows what.
type accordsPage struct {
	at
	Asked, Live, Ended []accordRow
	Next               string
	Done               string
}

// An accordRow is a consent in a list.
type accordRow struct {
	Href, Org, Icon string
	Name            ui.Said
	What            string
	Tone, Text      string
	When            string
}

var accordTones = map[sharing.State]string{sharing.Requested: "warn", sharing.Granted: "ok", sharing.Refused: "bad", sharing.Withdrawn: "bad", sharing.Expired: "bad"}

func accordIcon(c sharing.ConsentView) string {
	if c.Programme != "" {
		return "users"
	}
	return "landmark"
}

func accordRowOf(v *site.Visit, c sharing.ConsentView) accordRow {
	r := accordRow{v.Href("/v/accords/" + c.ID), c.Grantee, accordIcon(c), v.Say(c.Names), v.T("accord.for_" + c.Purpose), accordTones[c.State], v.T("accord.s_" + string(c.State)), ""}
	switch {
	case c.State == sharing.Granted:
		r.When = v.T("accord.until", "d", v.Lang.Date(*c.Until))
	case c.State == sharing.Requested:
		r.When = v.T("accord.asked_on", "d", v.Lang.Date(c.AskedAt))
	case c.EndedAt != nil:
		r.When = v.T("accord.ended_on", "d", v.Lang.Date(*c.EndedAt))
	}
	return r
}

// accords lists requests to answer first, then what lives, then what ended.
func (d *Desk) accords(v *site.Visit, seat site.Seat) error {
	p := accordsPage{at: d.at(v, seat, v.T("accord.title"), "/v/dossier"), Done: said(v, "accord.done_", "given", "refused", "withdrawn")}
	for _, x := range []struct {
		to             *[]accordRow
		state, limit   string
		cursor         string
		next           *string
		onlyWhenPaging bool
	}{
		{&p.Asked, "requested", "24", "", nil, false},
		{&p.Live, "granted", "50", "", nil, false},
		{&p.Ended, "ended", "12", v.Query.Get("suite"), &p.Next, true},
	} {
		if v.Query.Get("suite") != "" && !x.onlyWhenPaging {
			continue
		}
		all, err := site.Get[page[sharing.ConsentView]](v, "/v1/consents"+query("state", x.state, "limit", x.limit, "cursor", x.cursor))
		if err != nil {
			return err
		}
		for _, c := range all.Data {
			*x.to = append(*x.to, accordRowOf(v, c))
		}
		if next := all.next(); next != "" && x.next != nil {
			*x.next = v.Href("/v/accords", "suite", next)
		}
	}
	return v.Show(accordsView(p))
}

// An accordPage is one consent: what is asked, the text, and what may be answered.
type accordPage struct {
	at
	sharing.ConsentView
	Name       ui.Said
	Icon       string
	Tone, Said string
	Parts      string
	Agree      ui.Said
	Ends       string // when it ends, or has ended
	Key        string
	Done       string
	Wrongs     []ui.Wrong
}

// accord shows a consent of the member's.
func (d *Desk) accord(v *site.Visit, seat site.Seat) error { return d.showAccord(v, seat, nil) }

func (d *Desk) showAccord(v *site.Visit, seat site.Seat, wrong error) error {
	consent, err := named(v, "accord")
	if err != nil || !id.Is(id.Consent, consent) {
		return site.ErrNotFound
	}
	c, err := site.Get[sharing.ConsentView](v, "/v1/consents/"+consent)
	if err != nil {
		return err
	}
	who := v.Say(c.Names)
	p := accordPage{
		at: d.at(v, seat, who.Text, "/v/accords"), ConsentView: c, Name: who, Icon: accordIcon(c), Tone: accordTones[c.State], Said: v.T("accord.s_" + string(c.State)), Parts: services.Sections(v.Lang, c.Sections),
		Agree: v.Say(c.Text), Key: site.NewKey(), Done: said(v, "accord.done_", "given", "refused", "withdrawn"),
	}
	switch {
	case c.State == sharing.Granted:
		p.Ends = v.T("accord.until", "d", v.Lang.Date(*c.Until))
	case c.EndedAt != nil:
		p.Ends = v.T("accord.ended_on", "d", v.Lang.Date(*c.EndedAt))
	}
	if wrong == nil {
		return v.Show(accordView(p))
	}
	return d.untaken(v, wrong, nil, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return accordView(p)
	})
}

// actAccord grants what was asked, refuses it, or takes it back.
func (d *Desk) actAccord(v *site.Visit, seat site.Seat) error {
	consent, err := named(v, "accord")
	if err != nil || !id.Is(id.Consent, consent) {
		return site.ErrNotFound
	}
	one := "/v1/consents/" + consent
	done, path, in := "", one+"/answer", map[string]string{}
	switch v.Field("quoi") {
	case "oui":
		done, in["decision"], in["digest"] = "given", "grant", v.Field("empreinte")
	case "non":
		done, in["decision"] = "refused", "refuse"
	case "retirer":
		done, path = "withdrawn", one+"/withdraw"
	default:
		return site.ErrNotFound
	}
	if _, err := site.Post[sharing.ConsentView](v, path, in); err != nil {
		return d.showAccord(v, seat, err)
	}
	return v.Go("/v/accords/"+consent, "fait", done)
}

// A givePage is where a member lets somebody see its dossier without having been
// asked: what is chosen first, then the text that stands for it.
type givePage struct {
	at
	To, For, Days ui.Field
	Parts         []tick
	Sensitive     bool
	Agree         *ui.Said // the text; nil: it is chosen yet
	Digest        string
	Key           string
	Wrongs        []ui.Wrong
}

// periods are for how many days something is shown, as members choose it.
var periods = []int{30, 90, 180, 365, 730}

// give is the form.
func (d *Desk) give(v *site.Visit, seat site.Seat) error { return d.showGive(v, seat, nil, "", nil) }

func (d *Desk) showGive(v *site.Visit, seat site.Seat, agree *ui.Said, digest string, wrong error) error {
	p := givePage{at: d.at(v, seat, v.T("accord.give"), "/v/accords"), Key: site.NewKey(), Sensitive: v.Field("sensible") != "", Agree: agree, Digest: digest}
	p.To = ui.Field{Name: "qui", Label: v.T("accord.to"), Value: v.Field("qui"), Required: true, Options: []ui.Option{{Text: v.T("accord.choose")}}}
	for _, kind := range []string{"operational_bank", "insurer", "institutional"} {
		all, err := site.Get[rest.Page[directory.EntryView]](v, "/v1/directory"+query("kind", kind, "limit", "100"))
		if err != nil {
			return err
		}
		for _, o := range all.Data {
			p.To.Options = append(p.To.Options, ui.Option{Value: o.Organisation, Text: v.Say(o.Names).Text})
		}
	}
	programmes, err := site.Get[rest.Page[sharing.ProgrammeView]](v, "/v1/programmes?limit=50")
	if err != nil {
		return err
	}
	for _, x := range programmes.Data {
		p.To.Options = append(p.To.Options, ui.Option{Value: x.ID, Text: v.T("accord.programme", "name", v.Say(x.Names).Text)})
	}
	p.For = ui.Field{Name: "pour", Label: v.T("accord.purpose"), Value: v.Field("pour"), Required: true}
	for _, x := range purposes {
		p.For.Options = append(p.For.Options, ui.Option{Value: x, Text: v.T("accord.for_" + x)})
	}
	p.Days = ui.Field{Name: "jours", Label: v.T("accord.days"), Value: v.Field("jours"), Required: true}
	if p.Days.Value == "" {
		p.Days.Value = "90"
	}
	for _, n := range periods {
		p.Days.Options = append(p.Days.Options, ui.Option{Value: strconv.Itoa(n), Text: v.T("accord.n_days", "n", n)})
	}
	for _, s := range sharing.Sections {
		p.Parts = append(p.Parts, tick{Value: s, Text: v.T("finance.section_" + s), On: slices.Contains(v.Form()["parties"], s)})
	}
	if wrong == nil {
		return v.Show(giveView(p))
	}
	return d.untaken(v, wrong, map[string]string{"/grantee": "qui", "/programme": "qui", "/purpose": "pour", "/days": "jours", "/sections": "parties"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs, p.To.Error, p.For.Error, p.Days.Error = w, wrongOf(w, "qui"), wrongOf(w, "pour"), wrongOf(w, "jours")
		return giveView(p)
	})
}

// purposes are what a dossier may be shown for.
var purposes = []string{"credit", "account", "insurance", "support", "label", "programme", "audit"}

// giveDo shows the text of what was chosen, and then agrees to that very text.
func (d *Desk) giveDo(v *site.Visit, seat site.Seat) error {
	to, parts := v.Field("qui"), v.Form()["parties"]
	days, err := strconv.Atoi(v.Field("jours"))
	switch {
	case to == "":
		return d.showGive(v, seat, nil, "", wrongAt("sharing.invalid", "/grantee"))
	case len(parts) == 0:
		return d.showGive(v, seat, nil, "", wrongAt("sharing.invalid", "/sections"))
	case err != nil:
		return d.showGive(v, seat, nil, "", wrongAt("sharing.invalid", "/days"))
	}
	whom := "grantee"
	if id.Is(id.Programme, to) {
		whom = "programme"
	}
	if v.Field("quoi") != "donner" {
		q := url.Values{whom: {to}, "purpose": {v.Field("pour")}, "days": {strconv.Itoa(days)}, "sections": parts}
		if v.Field("sensible") != "" {
			q.Set("sensitive", "true")
		}
		w, err := site.Get[sharing.WordingView](v, "/v1/consents/wording?"+q.Encode())
		if err != nil {
			return d.showGive(v, seat, nil, "", err)
		}
		agree := v.Say(w.Text)
		return d.showGive(v, seat, &agree, w.Digest, nil)
	}
	in := map[string]any{whom: to, "purpose": v.Field("pour"), "sections": parts, "days": days, "sensitive": v.Field("sensible") != "", "digest": v.Field("empreinte")}
	c, err := site.Post[sharing.ConsentView](v, "/v1/consents", in)
	if err != nil {
		return d.showGive(v, seat, nil, "", err)
	}
	return v.Go("/v/accords/"+c.ID, "fait", "given")
}
