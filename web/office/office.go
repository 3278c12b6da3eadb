// Package office is the back office of institutions: the cases on which they are to
// act, by deadline, each case's file, and what they decided. Its pages ask the hub's
// own interface with the visitor's token, so that whoever sits here can do no more
// than a program with the same rights.
package office

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/rest"
	"tiwiza/web/accords"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/team"
	"tiwiza/web/ui"
)

// Desk serves the institutions' pages.
type Desk struct{ Site *site.Site }

// A view is one request for a page of this desk.
type view struct {
	desk.View
	seat site.Seat
}

const cases = "/v1/cases"

// Mount puts the desk's pages on mux.
func (d *Desk) Mount(mux *http.ServeMux) {
	pages := map[string]func(v *view) error{
		"GET /i":                inbox,
		"GET /i/{id}":           file,
		"POST /i/{id}":          act,
		"GET /i/{id}/p/{paper}": paper,
		"GET /i/chiffres":       figures,
		"GET /i/equipe":         func(v *view) error { return team.Show(v.View, v.seat) },
		"POST /i/equipe":        func(v *view) error { return team.Do(v.View, v.seat) },
	}
	for pattern, page := range accords.Pages("/i") {
		pages[pattern] = func(v *view) error { return page(v.View) }
	}
	for pattern, page := range pages {
		mux.Handle(pattern, d.Site.Seated(ui.Office, func(sv *site.Visit, seat site.Seat) error {
			v := &view{View: desk.View{Visit: sv, Words: "office", Done: slices.Sorted(maps.Values(done))}, seat: seat}
			v.Menu = []ui.Item{{Key: "office.inbox", Path: "/i"}, {Key: "office.figures", Path: "/i/chiffres"}, {Key: accords.Title, Path: "/i/accords"}, {Key: team.Title, Path: "/i/equipe"}}
			return page(v)
		}, "institution"))
	}
}

// tones are how states look.
var tones = map[procedures.State]string{
	procedures.Submitted: "warn", procedures.Examining: "warn", procedures.InTransit: "warn", procedures.Seconding: "warn", procedures.Appealed: "warn",
	procedures.Granted: "ok", procedures.Refused: "bad", procedures.Withdrawn: "bad", procedures.Lapsed: "bad",
}

func (v *view) state(s procedures.State) desk.Cell {
	return desk.Cell{Text: v.T("office.s_" + string(s)), Tone: tones[s], State: true}
}

// due is a case's deadline; one that is over says so.
func (v *view) due(c procedures.CaseView) desk.Cell {
	cell := desk.Text(v.When(c.Due))
	if c.Due != nil {
		cell = desk.Text(v.Lang.Date(c.Due.Add(-time.Second)))
	}
	if c.Overdue {
		cell.Lines = []string{v.T("office.overdue")}
	}
	return cell
}

func (v *view) region(code string) string {
	for _, r := range geo.Regions() {
		if r.Code == code {
			return v.Say(r.Names).Text
		}
	}
	return code
}

// inbox lists the cases on which the institution is to act, the first due first; or
// all of its procedures.
func inbox(v *view) error {
	chosen := v.Q("etat")
	tabs := []desk.Tab{{Text: v.T("office.to_do"), Href: v.With("etat", ""), Here: chosen == ""}}
	for _, s := range []procedures.State{procedures.Submitted, procedures.InTransit, procedures.Seconding, procedures.Appealed} {
		tabs = append(tabs, desk.Tab{Text: v.T("office.s_" + string(s)), Href: v.With("etat", string(s)), Here: chosen == string(s)})
	}
	tabs = append(tabs, desk.Tab{Text: v.T("office.all"), Href: v.With("etat", "tous"), Here: chosen == "tous"})
	at := desk.At(cases+"/inbox", "state", chosen, "cursor", v.Q("suite"))
	if chosen == "tous" {
		at = desk.At(cases, "cursor", v.Q("suite"))
	}
	all, err := site.Get[rest.Page[procedures.CaseView]](v.Visit, at)
	if err != nil {
		return err
	}
	if len(all.Data) > 0 {
		v.Now = all.Data[0].Now
	}
	s := desk.Sheet{Heads: v.Heads("applicant", "procedure", "region", "due", "state"), Next: v.Next(all.Next)}
	for _, c := range all.Data {
		who := v.Named(c.Applicant.Names)
		who.Href = v.Href("/i/" + c.ID)
		s.Rows = append(s.Rows, []desk.Cell{who, v.Named(c.Names), desk.Text(v.region(c.Region)), v.due(c), v.state(c.State)})
	}
	return v.Blocks(v.T("office.inbox"), desk.Cell{}, nil, desk.Choose(v.T("office.show"), tabs), desk.List(v.Page, s, v.T("office.nothing"), v.T("office.see_all"), v.Href("/i", "etat", "tous")))
}

// file shows a case with what may be done about it.
func file(v *view) error { return v.file(nil) }

func (v *view) file(wrong error) error {
	c, err := site.Get[procedures.CaseView](v.Visit, cases+"/"+v.ID())
	if err != nil {
		return err
	}
	v.Now = c.Now
	p, err := site.Get[procedures.ProcedureView](v.Visit, desk.At("/v1/procedures/"+c.Procedure, "version", fmt.Sprint(c.Edition)))
	if err != nil {
		return err
	}
	blocks := []templ.Component{desk.Facts(v.Page, v.facts(c))}
	if c.Due != nil && c.State.Open() {
		from := c.MadeAt
		if c.SubmittedAt != nil {
			from = *c.SubmittedAt
		}
		over := int(100 * v.Now.Sub(from) / max(c.Due.Sub(from), 1))
		blocks = append(blocks, ui.Deadline(v.T("office.due", "at", v.Lang.Date(c.Due.Add(-time.Second))), min(max(over, 0), 100)))
	}
	all, err := v.actions(c, p.Definition)
	if err != nil {
		return err
	}
	var doing []templ.Component
	if len(all) > 0 {
		doing = append(doing, desk.Acts(v.Page, v.Typed(wrong, all...)))
	} else if c.State.Open() {
		doing = append(doing, desk.Notice(v.T("office.not_here", "who", v.Say(c.Holder.Names).Text)))
	}
	doing = append(doing, v.decided(c)...)
	blocks = append(blocks, desk.Columns(false, desk.Group(doing...), desk.Group(v.content(c, p.Definition)...)), desk.Headed(v.T("office.history"), ui.Timeline(v.Page, v.history(c))))
	v.Back = v.Href("/i")
	who := v.Say(c.Applicant.Names).Text
	v.Title = v.T("office.case_of", "who", who)
	return v.Blocks(who, v.state(c.State), wrong, blocks...)
}

func (v *view) facts(c procedures.CaseView) []desk.Fact {
	f := []desk.Fact{
		{Name: v.T("office.h_procedure"), Value: v.Named(c.Names)},
		{Name: v.T("office.h_number"), Value: desk.Code(c.ID)},
		{Name: v.T("office.h_region"), Value: desk.Text(v.region(c.Region))},
		{Name: v.T("office.h_holder"), Value: v.Named(c.Holder.Names)},
		{Name: v.T("office.h_since"), Value: desk.Text(v.Moment(c.MovedAt))},
	}
	if c.Fee != nil {
		f = append(f, desk.Fact{Name: v.T("office.fee"), Value: desk.Text(c.Fee.Amount, v.T("office.fee_"+c.Fee.State))})
	}
	if c.Document != nil {
		f = append(f, desk.Fact{Name: v.T("office.document"), Value: desk.Cell{Text: c.Document.Number, Href: c.Document.Verify, Lines: []string{v.T("verify.state_" + c.Document.State)}}})
	}
	return f
}

// content is what the applicant handed in.
func (v *view) content(c procedures.CaseView, d procedures.Definition) (out []templ.Component) {
	var f []desk.Fact
	for _, field := range d.Fields() {
		if a, ok := c.Answers[field.Name]; ok {
			f = append(f, desk.Fact{Name: v.Say(field.Titles).Text, Value: desk.Text(v.Lang.Answer(a))})
		}
	}
	out = append(out, desk.Headed(v.T("office.answers"), desk.Facts(v.Page, f)))
	if len(c.Papers) > 0 {
		s := desk.Sheet{Heads: v.Heads("paper", "added")}
		for _, p := range c.Papers {
			name := desk.Cell{Text: v.Say(p.Names).Text}
			added := desk.Text(v.T("office.no_paper"))
			if p.AddedAt != nil {
				added = desk.Text(v.Moment(*p.AddedAt))
				if p.Enrolled {
					added.Lines = []string{v.T("office.enrolled")}
				}
			}
			if p.File != "" {
				name.Href = v.Href("/i/" + c.ID + "/p/" + p.Code)
			}
			s.Rows = append(s.Rows, []desk.Cell{name, added})
		}
		out = append(out, desk.Headed(v.T("office.papers"), desk.List(v.Page, s, "", "", ""), desk.Para("muted small", v.T("office.recorded"))))
	}
	for _, q := range slices.Backward(c.Questions) {
		words := []templ.Component{desk.Para("muted small", v.Moment(q.AskedAt)), desk.Words(q.Text)}
		if q.AnsweredAt == nil {
			words = append(words, desk.Para("muted", v.T("office.no_answer")))
		} else if q.Answer == "" {
			words = append(words, desk.Para("muted", v.T("office.answer_late")))
		} else {
			words = append(words, desk.Para("muted small", v.T("office.answered", "at", v.Moment(*q.AnsweredAt))), desk.Words(q.Answer))
		}
		out = append(out, desk.Headed(v.T("office.question"), words...))
	}
	return out
}

// decided is what was decided, and what goes on between institutions.
func (v *view) decided(c procedures.CaseView) (out []templ.Component) {
	for _, x := range slices.Backward(c.Decisions) {
		words := []templ.Component{desk.Para("", v.T("office.outcome_"+string(x.Outcome))+v.T("common.comma")+v.T("office.decision_"+string(x.State))), desk.Para("muted small", v.Moment(x.DecidedAt))}
		if len(x.ReasonText) > 0 {
			words = append(words, desk.Words(v.Say(x.ReasonText).Text))
		}
		if x.Text != "" {
			words = append(words, desk.Words(x.Text))
		}
		if x.Appeal != "" {
			words = append(words, desk.Para("muted small", v.T("office.appeal")), desk.Words(x.Appeal))
		}
		out = append(out, desk.Headed(v.T("office.decision"), words...))
	}
	for _, t := range c.Transits {
		f := []desk.Fact{
			{Name: v.T("office.receipt"), Value: desk.Code(t.Receipt)},
			{Name: v.T("office.from"), Value: v.Named(t.From.Names)},
			{Name: v.T("office.to"), Value: v.Named(t.To.Names)},
			{Name: v.T("office.h_state"), Value: desk.Text(v.T("office.transit_"+t.State), v.When(t.EndedAt))},
		}
		words := []templ.Component{desk.Facts(v.Page, f), desk.Words(t.Note)}
		switch t.Reason {
		case "":
		case procedures.NotReceived:
			words = append(words, desk.Para("", v.T("office.not_received")))
		default:
			words = append(words, desk.Words(t.Reason))
		}
		out = append(out, desk.Headed(v.T("office.transit"), words...))
	}
	return out
}

// history is what happened, the newest first.
func (v *view) history(c procedures.CaseView) []ui.Event {
	out := make([]ui.Event, len(c.Moves))
	for i, m := range c.Moves {
		who := v.T("office.by_"+m.By) + v.T("common.comma") + v.T("office.channel_"+m.Channel)
		if m.OnBehalfOf != "" {
			who += v.T("common.comma") + v.T("office.on_behalf")
		}
		out[i] = ui.Event{At: v.Moment(m.At), Text: v.T("office.m_" + string(m.Move)), Who: who, Tone: tones[m.State]}
	}
	return out
}

// paper gives a paper of a case.
func paper(v *view) error {
	return v.HandOn(cases + "/" + v.ID() + "/papers/" + v.R.PathValue("paper"))
}

// figures are how many cases were decided, and how long they took.
func figures(v *view) error {
	f, err := site.Get[procedures.StatisticsView](v.Visit, cases+"/statistics")
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.Heads("month", "region", ">decided", ">granted", ">median", ">ninth")}
	days := func(x *float64) desk.Cell {
		if x == nil {
			return desk.Cell{}
		}
		return desk.Text(strings.ReplaceAll(fmt.Sprintf("%.1f", *x), ".", v.T("office.point")))
	}
	for _, x := range f.Data {
		row := []desk.Cell{desk.Text(x.Month), desk.Text(v.region(x.Region)), desk.Text(v.T("office.few")), {}, {}, {}}
		if !x.Hidden {
			row = []desk.Cell{row[0], row[1], desk.Text(v.Lang.Number(int64(x.Decided))), desk.Text(v.Lang.Number(int64(x.Granted))), days(x.Median), days(x.Ninth)}
		}
		s.Rows = append(s.Rows, row)
	}
	return v.Blocks(v.T("office.figures"), desk.Cell{}, nil, desk.Para("muted", v.T("office.figures_help")), desk.List(v.Page, s, v.T("office.no_figures"), v.T("office.inbox"), v.Href("/i")))
}
