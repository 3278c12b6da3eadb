package seller

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"tiwiza/marketplace/procedures"
	"tiwiza/pkg/id"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

const caseFiles = "/v1/cases"

type casesPage struct {
	at
	Mine []asked
	Open []opened
	Next string
}

// An opened is a procedure that the member may begin.
type opened struct {
	Href       string
	Name, By   ui.Said
	Fee, About string
}

type casePage struct {
	at
	procedures.CaseView
	Rule   procedures.Definition
	Name   ui.Said
	By     ui.Said
	Said   string
	Fields []ui.Field
	Papers []paperLine
	Key    string
	Tone   string
	Square string // the document's code
	Events []ui.Event
	Wrongs []ui.Wrong
	Begun  bool // there is a case already
}

// A paperLine is a paper that the case needs.
type paperLine struct {
	Code, Text string
	There      bool
	Enrolled   bool // it may be the one of the enrolment
}

var caseTones = map[procedures.State]string{
	procedures.Draft: "warn", procedures.FeeDue: "warn", procedures.Asked: "warn", procedures.Granted: "ok", procedures.Closed: "ok", procedures.Refused: "bad", procedures.Lapsed: "bad", procedures.Withdrawn: "bad",
}

// caseList lists the member's cases, and what it may begin.
func (d *Desk) caseList(v *site.Visit, seat site.Seat) error {
	p := casesPage{at: d.at(v, seat, v.T("cases.title"), "/v")}
	mine, err := site.Get[page[procedures.CaseView]](v, caseFiles+query("cursor", v.Query.Get("cursor")))
	if err != nil {
		return err
	}
	for _, c := range mine.Data {
		p.Mine = append(p.Mine, asked{v.Href("/v/demarches/" + c.ID), "file-text", v.Say(c.Names), v.Say(c.Institution.Names), caseTones[c.State], v.T("cases.s_" + string(c.State)), c.MovedAt})
	}
	if next := mine.next(); next != "" {
		p.Next = v.Href("/v/demarches", "cursor", next)
	}
	all, err := site.Get[page[procedures.ProcedureView]](v, "/v1/procedures"+query("limit", "100", "kind", seat.Kind))
	if err != nil {
		return err
	}
	for _, x := range all.Data {
		o := opened{Href: v.Href("/v/demarches/" + x.ID), Name: v.Say(x.Definition.Names), By: v.Say(x.Institution.Names), About: v.Say(x.Definition.About).Text}
		if x.Definition.Fee != nil {
			o.Fee = v.Lang.Sum(x.Definition.Fee.Amount)
		}
		p.Open = append(p.Open, o)
	}
	return v.Show(casesView(p))
}

// caseFile shows a case, or the form of a procedure that may be begun.
func (d *Desk) caseFile(v *site.Visit, seat site.Seat) error {
	thing, err := named(v, "id")
	if err != nil {
		return err
	}
	return d.showCase(v, seat, thing, nil)
}

func (d *Desk) showCase(v *site.Visit, seat site.Seat, thing string, wrong error) error {
	p := casePage{Key: site.NewKey()}
	at := "/v1/procedures/" + thing
	if id.Is(id.Case, thing) {
		c, err := site.Get[procedures.CaseView](v, caseFiles+"/"+thing)
		if err != nil {
			return err
		}
		p.CaseView, p.Begun = c, true
		at = "/v1/procedures/" + c.Procedure + query("version", strconv.Itoa(c.Edition))
	} else if !id.Is(id.Procedure, thing) {
		return site.ErrNotFound
	}
	x, err := site.Get[procedures.ProcedureView](v, at)
	if err != nil {
		return err
	}
	p.Rule, p.Name, p.By = x.Definition, v.Say(x.Definition.Names), v.Say(x.Institution.Names)
	p.at, p.Tone = d.at(v, seat, p.Name.Text, "/v/demarches"), caseTones[p.State]
	if !p.Begun {
		p.CaseView.ID = x.ID
	}
	if err := p.fill(v); err != nil {
		return err
	}
	if wrong == nil {
		if f := v.Query.Get("fait"); slices.Contains(caseSaid, f) {
			p.Said = v.T("cases.done_" + f)
		}
		return v.Show(caseView(p))
	}
	fields := map[string]string{"/text": "texte", "/file": "papier"}
	for _, f := range p.Fields {
		fields["/answers/"+strings.TrimPrefix(f.Name, "r_")] = f.Name
	}
	return d.untaken(v, wrong, fields, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		for i, f := range p.Fields {
			p.Fields[i].Error = wrongOf(w, f.Name)
		}
		return caseView(p)
	})
}

// fill adds what the page shows of a case in words.
func (p *casePage) fill(v *site.Visit) (err error) {
	for _, f := range p.Rule.Fields() {
		p.Fields = append(p.Fields, p.field(v, f))
	}
	for _, r := range p.Rule.Papers {
		line := paperLine{Code: r.Code, Text: v.Say(r.Names).Text, Enrolled: r.Enrolled != ""}
		for _, have := range p.CaseView.Papers {
			line.There = line.There || have.Code == r.Code && have.AddedAt != nil
		}
		p.Papers = append(p.Papers, line)
	}
	for _, m := range p.Moves {
		e := ui.Event{At: v.Lang.Moment(m.At), Text: v.T("cases.m_" + string(m.Move)), Who: v.T("cases.by_" + m.By), Tone: caseTones[m.State]}
		if m.OnBehalfOf != "" {
			e.Who = v.T("cases.on_behalf")
		}
		p.Events = append(p.Events, e)
	}
	if p.Document != nil {
		p.Square, err = ui.QR(p.Document.Verify)
	}
	return err
}

// field is a field of the procedure's form, with what was answered.
func (p *casePage) field(v *site.Visit, of procedures.FormField) ui.Field {
	f := ui.Field{Name: "r_" + of.Name, Label: v.Say(of.Titles).Text, Max: 2000}
	rule := p.rule(of.Name)
	switch rule["type"] {
	case "boolean":
		f.Options = []ui.Option{{Value: "", Text: "—"}, {Value: "true", Text: v.T("common.yes")}, {Value: "false", Text: v.T("common.no")}}
	case "integer", "number":
		f.Mode = "numeric"
	case "array":
		f.Hint = v.T("cases.several")
		if items, ok := rule["items"].(map[string]any); ok {
			f.Hint += " " + v.Lang.Answer(items["enum"])
		}
	default:
		if all, ok := rule["enum"].([]any); ok {
			f.Options = []ui.Option{{Value: "", Text: "—"}}
			for _, o := range all {
				f.Options = append(f.Options, ui.Option{Value: fmt.Sprint(o), Text: v.Lang.Answer(o)})
			}
		}
		if rule["format"] == "date" {
			f.Type = "date"
		}
	}
	switch a := p.Answers[of.Name].(type) {
	case bool:
		f.Value = strconv.FormatBool(a)
	default:
		f.Value = v.Lang.Answer(a)
	}
	if v.R.Method == http.MethodPost && v.Form().Has(f.Name) {
		f.Value = v.Field(f.Name)
	}
	return f
}

func (p *casePage) rule(name string) map[string]any {
	fields, _ := p.Rule.Form["properties"].(map[string]any)
	rule, _ := fields[name].(map[string]any)
	return rule
}

// answers reads what was typed, by the kinds of the form's fields; what cannot be
// read is left as a text, and the hub says what is wrong with it.
func (p *casePage) answers(v *site.Visit) map[string]any {
	out := map[string]any{}
	for _, f := range p.Rule.Fields() {
		text := v.Field("r_" + f.Name)
		if text == "" {
			continue
		}
		switch p.rule(f.Name)["type"] {
		case "boolean":
			out[f.Name] = text == "true"
		case "integer", "number":
			out[f.Name] = figure(text)
		case "array":
			all := []string{}
			for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '،' || r == '\n' }) {
				if s := strings.TrimSpace(part); s != "" {
					all = append(all, s)
				}
			}
			out[f.Name] = all
		default:
			out[f.Name] = text
		}
	}
	return out
}

// figure is a number that was typed; what is none stays the text that it is.
func figure(typed string) any {
	n := digits(typed)
	if _, err := strconv.ParseFloat(n, 64); err != nil || !json.Valid([]byte(n)) {
		return typed
	}
	return json.Number(n)
}

// caseSaid are what a case's page says that was done.
var caseSaid = []string{"begun", "saved", "added", "submitted", "paid", "answered", "withdrawn", "appealed"}

// actCase does what a form of a case's page asks for.
func (d *Desk) actCase(v *site.Visit, seat site.Seat) error {
	thing, err := named(v, "id")
	if err != nil {
		return err
	}
	said, to, err := d.moveCase(v, thing)
	if err != nil {
		if errors.Is(err, site.ErrNotFound) {
			return err
		}
		return d.showCase(v, seat, thing, err)
	}
	return v.Go("/v/demarches/"+to, "fait", said)
}

func (d *Desk) moveCase(v *site.Visit, thing string) (said, to string, err error) {
	one := caseFiles + "/" + thing
	bare := map[string]struct{ move, said string }{"submit": {"submit", "submitted"}, "pay": {"pay", "paid"}, "withdraw": {"withdraw", "withdrawn"}}
	switch what := v.Field("quoi"); what {
	case "begin", "save":
		p, err := d.ruled(v, thing)
		if err != nil {
			return "", "", err
		}
		if what == "save" {
			_, err = site.Do[struct{}](v, http.MethodPut, one+"/answers", map[string]any{"answers": p.answers(v)})
			return "saved", thing, err
		}
		c, err := site.Post[procedures.CaseView](v, caseFiles, map[string]any{"procedure": thing, "answers": p.answers(v)})
		return "begun", c.ID, err
	case "paper":
		return "added", thing, d.enclose(v, one)
	case "answer":
		_, err = site.Post[struct{}](v, one+"/answer", map[string]any{"text": v.Field("texte")})
		return "answered", thing, err
	case "appeal":
		_, err = site.Post[struct{}](v, one+"/appeal", map[string]any{"text": v.Field("texte")})
		return "appealed", thing, err
	default:
		m, ok := bare[what]
		if !ok {
			return "", "", site.ErrNotFound
		}
		_, err = site.Post[struct{}](v, one+"/"+m.move, map[string]any{})
		return m.said, thing, err
	}
}

// ruled is the procedure of a case, or itself.
func (d *Desk) ruled(v *site.Visit, thing string) (p casePage, err error) {
	at := "/v1/procedures/" + thing
	if id.Is(id.Case, thing) {
		c, err := site.Get[procedures.CaseView](v, caseFiles+"/"+thing)
		if err != nil {
			return p, err
		}
		at = "/v1/procedures/" + c.Procedure + query("version", strconv.Itoa(c.Edition))
	}
	x, err := site.Get[procedures.ProcedureView](v, at)
	p.Rule = x.Definition
	return p, err
}

// enclose uploads a paper and puts it into the case; without a file, it takes the
// one of the enrolment.
func (d *Desk) enclose(v *site.Visit, one string) error {
	file, err := paperOf(v, "papier")
	if err != nil {
		return atFile(err)
	}
	in := map[string]any{"code": v.Field("code")}
	if file != "" {
		in["file"] = file
	}
	_, err = site.Post[struct{}](v, one+"/papers", in)
	return err
}

// formKind is how a form is sent: only one with a file is sent in parts.
func formKind(act string) string {
	if act == "paper" {
		return "multipart/form-data"
	}
	return "application/x-www-form-urlencoded"
}
