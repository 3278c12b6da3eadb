// Package accords is what banks, insurers and institutions do with members' consents,
// the same at each of their desks: ask a member for one, see how theirs stand, and
// open a dossier on one. Each look is written down by the hub, and that is said before.
package accords

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"tiwiza/marketplace/directory"
	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// Title is what the list is called in a desk's side list.
const Title = "accord.desk_title"

// A view is one request for a page; base is the desk's, /b or /i.
type view struct {
	desk.View
	base string
}

// Pages are the pages under a desk's address, by pattern.
func Pages(base string) map[string]func(of desk.View) error {
	out := map[string]func(of desk.View) error{}
	for pattern, page := range map[string]func(v *view) error{
		"GET " + base + "/accords":                          list,
		"GET " + base + "/accords/demander":                 func(v *view) error { return v.asking(nil) },
		"POST " + base + "/accords/demander":                ask,
		"GET " + base + "/accords/{id}":                     show,
		"GET " + base + "/dossiers/{id}":                    open,
		"GET " + base + "/dossiers/{id}/papiers/{item}":     item,
		"GET " + base + "/dossiers/{id}/papiers/{item}/pdf": file,
	} {
		out[pattern] = func(of desk.View) error {
			of.Words, of.Done = "accord", []string{"asked"}
			return page(&view{of, base})
		}
	}
	return out
}

// purposes are what a dossier may be shown for, and periods for how many days.
var (
	purposes = []string{"credit", "account", "insurance", "support", "label", "programme", "audit"}
	periods  = []int{30, 90, 180, 365, 730}
	tones    = map[sharing.State]string{sharing.Requested: "warn", sharing.Granted: "ok", sharing.Refused: "bad", sharing.Withdrawn: "bad", sharing.Expired: "bad"}
)

func (v *view) state(s sharing.State) desk.Cell {
	return desk.Cell{Text: v.T("accord.desk_" + string(s)), Tone: tones[s], State: true}
}

// when is what a consent's time says: until when it lives, or when it ended.
func (v *view) when(c sharing.ConsentView) string {
	switch {
	case c.State == sharing.Granted:
		return v.T("accord.until", "d", v.Lang.Date(*c.Until))
	case c.EndedAt != nil:
		return v.T("accord.ended_on", "d", v.Lang.Date(*c.EndedAt))
	}
	return v.T("accord.asked_on", "d", v.Lang.Date(c.AskedAt))
}

// list shows the consents that the organisation was given, or asked for.
func list(v *view) error {
	chosen := v.Q("etat")
	var tabs []desk.Tab
	for _, s := range []string{"granted", "requested", "ended"} {
		here := s == chosen || chosen == "" && s == "granted"
		tabs = append(tabs, desk.Tab{Text: v.T("accord.tab_" + s), Href: v.Href(v.Path, "etat", s), Here: here})
	}
	if chosen == "" {
		chosen = "granted"
	}
	all, err := site.Get[rest.Page[sharing.ConsentView]](v.Visit, desk.At("/v1/consents", "state", chosen, "limit", "50", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("member", "purpose", "parts", "time", "state"), Next: v.Next(all.Next)}
	for _, c := range all.Data {
		who := v.Named(c.OwnerName)
		who.Href = v.Href(v.base + "/accords/" + c.ID)
		if c.Programme != "" {
			who.Lines = []string{v.T("accord.programme", "name", v.Say(c.Names).Text)}
		}
		s.Rows = append(s.Rows, []desk.Cell{who, desk.Text(v.T("accord.of_" + c.Purpose)), desk.Text(services.Sections(v.Lang, c.Sections)), desk.Text(v.when(c)), v.state(c.State)})
	}
	return v.Blocks(v.T(Title), desk.Cell{}, nil, desk.Para("muted", v.T("accord.desk_about")), desk.Choose(v.T("accord.h_state"), tabs),
		desk.List(v.Page, s, v.T("accord.desk_none"), "", ""), askKey(v.Page, v.Href(v.base+"/accords/demander")))
}

// asking finds a member first, and then shows the form that asks it.
func (v *view) asking(wrong error) error {
	v.Back = v.Href(v.base + "/accords")
	org := v.Q("membre")
	if typed := v.Field("ask_owner"); typed != "" {
		org = typed
	}
	if org == "" {
		return v.finding()
	}
	if !id.Is(id.Organisation, org) {
		return site.ErrNotFound
	}
	o, err := site.Open[directory.ProfileView](v.Visit, "/v1/directory/"+org)
	if err != nil {
		return err
	}
	a := desk.Action{
		Name: "ask", Path: v.base + "/accords/demander", Label: v.T("accord.ask"), Hint: v.T("accord.ask_help"), Style: "go", Open: true, Top: true, Tick: v.T("accord.parts"), Hidden: [][2]string{{"ask_owner", org}},
		Fields: []ui.Field{
			{Name: "ask_purpose", Label: v.T("accord.purpose"), Required: true},
			{Name: "ask_days", Label: v.T("accord.days"), Required: true, Value: "90"},
			{Name: "ask_why", Label: v.T("accord.own_words"), Hint: v.T("accord.own_words_help"), Area: true, Max: 500},
		},
	}
	for _, p := range purposes {
		a.Fields[0].Options = append(a.Fields[0].Options, ui.Option{Value: p, Text: v.T("accord.of_" + p)})
	}
	for _, n := range periods {
		a.Fields[1].Options = append(a.Fields[1].Options, ui.Option{Value: strconv.Itoa(n), Text: v.T("accord.n_days", "n", n)})
	}
	for _, s := range sharing.Sections {
		a.Checks = append(a.Checks, desk.Check{Name: "ask_sections", Value: s, Text: v.T("finance.section_" + s)})
	}
	a.Checks = append(a.Checks, desk.Check{Name: "ask_sensitive", Value: "1", Text: v.T("accord.also_sensitive")})
	return v.Blocks(v.Say(o.Names).Text, desk.Cell{}, wrong, desk.Acts(v.Page, v.Typed(wrong, a)))
}

// finding is where a member is looked for, by words of its name.
func (v *view) finding() error {
	blocks := []templ.Component{desk.Para("muted", v.T("accord.find_help")), seek(v.Page, v.Path, ui.Field{Name: "q", Label: v.T("accord.find"), Value: v.Q("q"), Max: 100, Required: true})}
	if q := v.Q("q"); q != "" {
		s := desk.Sheet{Heads: v.Heads("member", "place")}
		for _, kind := range []string{"beneficiary_coop", "auto_entrepreneur"} {
			all, err := site.Open[rest.Page[directory.EntryView]](v.Visit, desk.At("/v1/directory", "q", q, "kind", kind, "limit", "24"))
			if err != nil {
				return err
			}
			for _, o := range all.Data {
				who := v.Named(o.Names)
				who.Href = v.Href(v.Path, "membre", o.Organisation)
				s.Rows = append(s.Rows, []desk.Cell{who, desk.Text(o.Commune)})
			}
		}
		blocks = append(blocks, desk.List(v.Page, s, v.T("accord.nobody"), "", ""))
	}
	return v.Blocks(v.T("accord.ask"), desk.Cell{}, nil, blocks...)
}

// ask asks a member for consent.
func ask(v *view) error {
	if v.Field("quoi") != "ask" {
		return site.ErrNotFound
	}
	sections, err := v.Form()["ask_sections"], error(nil)
	if len(sections) == 0 {
		return v.asking(desk.WrongField("ask_sections"))
	}
	days, err := strconv.Atoi(v.Field("ask_days"))
	if err != nil {
		return v.asking(desk.WrongField("ask_days"))
	}
	in := map[string]any{"owner": v.Field("ask_owner"), "purpose": v.Field("ask_purpose"), "sections": sections, "days": days, "sensitive": v.Field("ask_sensitive") != "", "why": v.Field("ask_why")}
	c, err := site.Post[sharing.ConsentView](v.Visit, "/v1/consent-requests", in)
	if err != nil {
		return v.asking(err)
	}
	return v.Go(v.base+"/accords/"+c.ID, "fait", "asked")
}

// consent is the consent of the page's address.
func (v *view) consent() (c sharing.ConsentView, err error) {
	if !id.Is(id.Consent, v.R.PathValue("id")) {
		return c, site.ErrNotFound
	}
	return site.Get[sharing.ConsentView](v.Visit, "/v1/consents/"+v.ID())
}

func (v *view) facts(c sharing.ConsentView) templ.Component {
	f := []desk.Fact{
		{Name: v.T("accord.purpose"), Value: desk.Text(v.T("accord.of_" + c.Purpose))},
		{Name: v.T("accord.parts"), Value: desk.Text(services.Sections(v.Lang, c.Sections))},
		{Name: v.T("accord.h_time"), Value: desk.Text(v.T("accord.n_days", "n", c.Days), v.when(c))},
		{Name: v.T("accord.number"), Value: desk.Code(c.ID)},
	}
	if c.Sensitive {
		f[1].Value.Lines = []string{v.T("accord.also_sensitive")}
	}
	return desk.Facts(v.Page, f)
}

// show is one consent, with the way into the dossier while it lives.
func show(v *view) error {
	c, err := v.consent()
	if err != nil {
		return err
	}
	v.Back = v.Href(v.base + "/accords")
	blocks := []templ.Component{v.facts(c)}
	switch c.State {
	case sharing.Granted:
		blocks = append(blocks, desk.Notice(v.T("accord.noted")), enter(v.Page, v.Href(v.base+"/dossiers/"+c.ID)))
	case sharing.Requested:
		blocks = append(blocks, desk.Notice(v.T("accord.waits")))
	default:
		blocks = append(blocks, desk.Notice(v.T("accord.desk_closed")), desk.Button(v.T("accord.ask_again"), v.Href(v.base+"/accords/demander", "membre", c.Owner)))
	}
	if c.Why != "" {
		blocks = append(blocks, desk.Headed(v.T("accord.own_words"), desk.Words(c.Why)))
	}
	text := v.Say(c.Text)
	blocks = append(blocks, desk.Headed(v.T("accord.member_reads"), desk.Words(text.Text), desk.Facts(v.Page, []desk.Fact{{Name: v.T("accord.digest"), Value: desk.Code(c.Digest)}})))
	return v.Blocks(v.Say(c.OwnerName).Text, v.state(c.State), nil, blocks...)
}

// ended is the page of a dossier that one may see no more: the consent was withdrawn,
// or its time is over, perhaps while the page before was open.
func (v *view) ended(c sharing.ConsentView) error {
	if again, err := v.consent(); err == nil {
		c = again // as it stands by now
	}
	heading := v.T("accord.gone")
	if c.State == sharing.Withdrawn {
		heading = v.T("accord.gone_withdrawn")
	}
	v.Back = v.Href(v.base + "/accords")
	return v.Refused(heading, desk.Notice(v.T("accord.gone_help")), v.facts(c), desk.Button(v.T("accord.ask_again"), v.Href(v.base+"/accords/demander", "membre", c.Owner)))
}

// open lists what the consent lets see; the hub writes down that somebody looked.
func open(v *view) error {
	c, err := v.consent()
	if err != nil {
		return err
	}
	d, err := site.Get[sharing.DossierView](v.Visit, desk.At("/v1/dossiers/"+c.Owner, "consent", c.ID))
	if code := site.Code(err); code == sharing.ErrWithdrawn.Code || code == sharing.ErrNotFound.Code {
		return v.ended(c)
	}
	if err != nil {
		return err
	}
	v.Back = v.Href(v.base + "/accords/" + c.ID)
	s := desk.Sheet{Heads: v.Heads("paper", "parts", "added")}
	for _, i := range d.Items {
		name := desk.Cell{Text: i.Title, Href: v.Href(v.base + "/dossiers/" + c.ID + "/papiers/" + i.ID)}
		if i.Sensitive {
			name.Lines = []string{v.T("dossier.sensitive")}
		}
		s.Rows = append(s.Rows, []desk.Cell{name, desk.Text(v.T("finance.section_" + i.Section)), desk.Text(v.Lang.Date(i.AddedAt))})
	}
	who := v.Say(c.OwnerName).Text
	v.Title = v.T("accord.dossier_of", "who", who)
	return v.Blocks(who, v.state(c.State), nil, desk.Notice(v.T("accord.was_noted")), v.facts(c), desk.List(v.Page, s, v.T("accord.no_papers"), "", ""), desk.Para("muted small", v.T("accord.each_noted")))
}

func (v *view) item(c sharing.ConsentView) string {
	return "/v1/dossiers/" + c.Owner + "/items/" + url.PathEscape(v.R.PathValue("item"))
}

// item shows one thing of the dossier; that it was seen is written down.
func item(v *view) error {
	c, err := v.consent()
	if err != nil {
		return err
	}
	i, err := site.Get[sharing.SeenView](v.Visit, v.item(c))
	if site.Code(err) == sharing.ErrWithdrawn.Code {
		return v.ended(c)
	}
	if err != nil {
		return err
	}
	v.Back = v.Href(v.base + "/dossiers/" + c.ID)
	blocks := []templ.Component{desk.Notice(v.T("accord.was_noted"))}
	return v.Blocks(i.Title, desk.Cell{}, nil, append(blocks, Paper(&v.View, i, v.Path+"/pdf")...)...)
}

// Paper is what one sees of an item: what is known of it, its form, or the way to its
// file, which lies at an address of the desk.
func Paper(v *desk.View, i sharing.SeenView, file string) []templ.Component {
	f := []desk.Fact{
		{Name: v.T("accord.h_parts"), Value: desk.Text(v.T("finance.section_" + i.Section))},
		{Name: v.T("accord.h_added"), Value: desk.Text(v.Lang.Date(i.AddedAt))},
		{Name: v.T("accord.h_version"), Value: desk.Text(v.Lang.Number(int64(i.Version)))},
		{Name: v.T("accord.h_until"), Value: desk.Text(v.Lang.Date(i.On.Until))},
		{Name: v.T("accord.h_digest"), Value: desk.Code(i.SHA256)},
	}
	blocks := []templ.Component{desk.Facts(v.Page, f)}
	if i.Form == nil {
		return append(blocks, desk.Button(v.T("accord.download"), v.Href(file)), desk.Para("muted small", v.T("accord.marked")))
	}
	s := desk.Sheet{Heads: v.Heads("line", "said")}
	for _, name := range slices.Sorted(maps.Keys(i.Form)) {
		s.Rows = append(s.Rows, []desk.Cell{desk.Text(name), desk.Text(fmt.Sprint(i.Form[name]))})
	}
	return append(blocks, desk.Table(v.Page, s))
}

// file passes the paper itself on, with the mark of who took it.
func file(v *view) error {
	c, err := v.consent()
	if err != nil {
		return err
	}
	if err := v.HandOn(v.item(c) + "/content"); site.Code(err) == sharing.ErrWithdrawn.Code {
		return v.ended(c)
	} else if err != nil {
		return err
	}
	return nil
}
