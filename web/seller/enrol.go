package seller

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/id"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// enrolling is where a member of any kind sees what is asked of it.
const enrolling = "/v/adhesion"

// An enrolPage is where an organisation stands before it is admitted, and what it
// goes on showing.
type enrolPage struct {
	at
	enrolment.EnrolmentView
	Steps  []ui.Step
	Tone   string
	Next   string // what happens next
	Asked  []taskPart
	Mine   bool // it may still change what it says of itself
	Speaks bool // who sits here may withdraw the application
	Agent  bool // who sits here acts for the member
	Said   string
	Key    string
	Wrongs []ui.Wrong
}

// A taskPart is a requirement with where it stands.
type taskPart struct {
	Code, Icon, Name string
	Tone, Word       string
	Lines            []string // what is there, who brought it, until when
	File             string   // where the paper is read
	Number           string   // of a value that is there
	Note             string   // what somebody asks to change
	Theirs           bool     // the market's people write it down
	Open             bool     // it waits for this member
	Document         bool
	Fields           []ui.Field
	Kept             string // a file that is there already, of a form that came back
	Wrong            string // what is wrong with the file
}

var enrolTones = map[members.State]string{
	members.Active: "ok", members.Submitted: "", members.UnderReview: "", members.Draft: "warn", members.ChangesRequested: "warn", members.Suspended: "bad",
}

// enrolSaid are what the page says that was done.
var enrolSaid = []string{"papier", "demande", "debut", "change"}

// soon is how long before its end a paper is told of on the page.
const soon = 30 * 24 * time.Hour

// enrol shows where the organisation stands, and what is asked of it.
func (d *Desk) enrol(v *site.Visit, seat site.Seat) error {
	p, err := d.enrolPage(v, seat)
	if err != nil {
		return err
	}
	if f := v.Query.Get("fait"); slices.Contains(enrolSaid, f) {
		p.Said = v.T("enrol.done_" + f)
	}
	return v.Show(enrolView(p))
}

// enrolPage is the page as the hub knows it.
func (d *Desk) enrolPage(v *site.Visit, seat site.Seat) (p enrolPage, err error) {
	p.at, p.Key = d.at(v, seat, v.T("enrol.title"), cmp.Or(desks[seat.Role], "/moi")), site.NewKey()
	if p.EnrolmentView, err = site.Get[enrolment.EnrolmentView](v, "/v1/organisations/"+seat.Organisation+"/enrolment"); err != nil {
		return p, err
	}
	who, err := v.Who()
	if err != nil {
		return p, err
	}
	p.Agent = who.Agent
	p.Mine = p.State == members.Draft || p.State == members.ChangesRequested
	p.Speaks = p.Mine && slices.Contains(seat.Rights, "people") && !p.Agent
	p.Tone, p.Next = enrolTones[p.State], v.T("enrol.next_"+string(p.State))
	p.Steps = enrolSteps(v, p.State)
	for _, t := range p.Requirements {
		p.Asked = append(p.Asked, p.part(v, t))
	}
	return p, nil
}

// enrolSteps are the way into the market, and how far along it is.
func enrolSteps(v *site.Visit, s members.State) (all []ui.Step) {
	at := map[members.State]int{members.Submitted: 1, members.UnderReview: 2, members.Active: 4, members.Suspended: 4}[s]
	for i, name := range []string{"fill", "sent", "read", "in"} {
		state := ""
		if i < at {
			state = "done"
		} else if i == at {
			state = "now"
		}
		all = append(all, ui.Step{Text: v.T("enrol.step_" + name), State: state})
	}
	return all
}

var taskIcons = map[enrolment.Type]string{enrolment.Document: "file-text", enrolment.Field: "pencil", enrolment.Visit: "map-pin", enrolment.Training: "users"}

// part is a requirement in words.
func (p *enrolPage) part(v *site.Visit, t enrolment.TaskView) taskPart {
	x := taskPart{Code: t.Code, Icon: taskIcons[t.Type], Name: v.Say(t.Names).Text, Document: t.Type == enrolment.Document, Theirs: t.Type == enrolment.Visit || t.Type == enrolment.Training}
	switch {
	case t.Waits != nil:
		x.Word = v.T("enrol.t_waits")
		x.shows(v, *t.Waits)
	case t.Ended != nil && t.Holds == nil:
		x.Tone, x.Word = "bad", v.T("enrol.t_"+string(t.Ended.State))
	case t.Holds != nil:
		x.Tone, x.Word = "ok", v.T("enrol.t_accepted")
		x.shows(v, *t.Holds)
	case t.Optional:
		x.Word = v.T("enrol.t_optional")
	case x.Theirs:
		x.Tone, x.Word = "warn", v.T("enrol.t_theirs")
	default:
		x.Tone, x.Word, x.Open = "warn", v.T("enrol.t_missing"), true
	}
	if t.Ended != nil {
		x.Note = t.Ended.Note
		x.Open = !x.Theirs && t.Holds == nil
		if t.Ended.State == enrolment.Expired {
			x.Lines = append(x.Lines, v.T("enrol.ended", "d", v.Lang.OnDay(t.Ended.LastDay)))
		}
	}
	if t.Holds != nil && t.Holds.LastDay != "" {
		p.lasts(v, t, &x)
	}
	if !x.Theirs {
		x.Fields = taskFields(v, t.Requirement)
	}
	return x
}

// lasts says until when a paper holds, and what happens then.
func (p *enrolPage) lasts(v *site.Visit, t enrolment.TaskView, x *taskPart) {
	x.Lines = append(x.Lines, v.T("enrol.until", "d", v.Lang.OnDay(t.Holds.LastDay)))
	last, err := time.Parse(time.DateOnly, t.Holds.LastDay)
	if err != nil || last.Sub(p.Now) > soon || t.Waits != nil {
		return
	}
	x.Tone, x.Word, x.Open = "warn", v.T("enrol.t_ending"), true
	if !t.Optional {
		x.Lines = append(x.Lines, v.T("enrol.then"))
	}
}

// shows adds what is there of a paper.
func (x *taskPart) shows(v *site.Visit, p enrolment.PaperView) {
	if p.File != "" {
		x.File = v.Href(enrolling + "/pieces/" + p.ID)
	}
	x.Number = p.Value
	if p.Channel != enrolment.Self {
		x.Lines = append(x.Lines, v.T("enrol.by_"+string(p.Channel), "d", v.Lang.Date(p.MadeAt)))
	}
	if p.State == enrolment.Seconding {
		x.Lines = append(x.Lines, v.T("enrol.seconding"))
	}
}

// numeric are the rules whose values are digits.
var numeric = []enrolment.Rule{enrolment.ICE, enrolment.IF, enrolment.RC, enrolment.CNSS, enrolment.RIB}

// taskFields are what is typed to answer a requirement; of one that came back, what
// was typed.
func taskFields(v *site.Visit, r enrolment.Requirement) (all []ui.Field) {
	if r.Type == enrolment.Field {
		f := ui.Field{Name: "valeur-" + r.Code, Label: v.T("enrol.value"), Required: true, Max: 200, Complete: "off"}
		if r.Rule != enrolment.Text {
			f.Hint, f.Max = v.T("enrol.hint_"+string(r.Rule)), 40
		}
		if slices.Contains(numeric, r.Rule) {
			f.Mode = "numeric"
		}
		if r.Rule == enrolment.Phone {
			f.Mode, f.Complete = "tel", "tel"
		}
		all = append(all, f)
	}
	if r.Expires {
		all = append(all, ui.Field{Name: "jour-" + r.Code, Label: v.T("enrol.last_day"), Hint: v.T("enrol.hint_day"), Type: "date", Required: true})
	}
	if v.R.Method == http.MethodPost {
		for i := range all {
			all[i].Value = v.Field(all[i].Name)
		}
	}
	return all
}

// actEnrol does what a form of the page asks for.
func (d *Desk) actEnrol(v *site.Visit, seat site.Seat) error {
	org := "/v1/organisations/" + seat.Organisation
	if v.Form() == nil { // it was more than any form may be
		return d.unenrolled(v, seat, &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.file_too_large"}, "")
	}
	var err error
	said := v.Field("quoi")
	switch said {
	case "papier":
		kept, wrong := d.handIn(v, org)
		if wrong != nil {
			return d.unenrolled(v, seat, wrong, kept)
		}
	case "demande":
		_, err = site.Post[struct{}](v, org+"/submit", nil)
	case "retirer":
		return d.withdrawn(v, seat)
	default:
		return site.ErrNotFound
	}
	if err != nil {
		return d.unenrolled(v, seat, err, "")
	}
	return v.Go(enrolling, "fait", said)
}

// withdrawn ends the application. Who does so stands up from its desk first: there is
// none afterwards.
func (d *Desk) withdrawn(v *site.Visit, seat site.Seat) error {
	if err := v.Sit(""); err != nil {
		return err
	}
	_, err := site.Post[struct{}](v, "/v1/organisations/"+seat.Organisation+"/withdraw", nil)
	if err == nil {
		return v.Go("/moi", "fait", "1")
	}
	if back := v.Sit(seat.Organisation); back != nil {
		return back
	}
	return d.unenrolled(v, seat, err, "")
}

// handIn uploads the file of a form once, and answers a requirement. What was
// uploaded is not lost when the rest is wrong.
func (d *Desk) handIn(v *site.Visit, org string) (kept string, err error) {
	code := v.Field("exigence")
	kept, err = paperOf(v, "papier-"+code)
	if err != nil {
		return "", atFile(err)
	}
	if before := v.Field("fichier-" + code); kept == "" && id.Is(id.Media, before) {
		kept = before
	}
	in := map[string]string{"requirement": code, "value": v.Field("valeur-" + code)}
	if kept != "" {
		in["file"] = kept
	}
	if day := v.Field("jour-" + code); day != "" {
		in["last_day"] = day
	}
	_, err = site.Post[struct{}](v, org+"/papers", in)
	return kept, err
}

// unenrolled shows the page again with what was wrong, and what was typed.
func (d *Desk) unenrolled(v *site.Visit, seat site.Seat, wrong error, kept string) error {
	f, ok := errors.AsType[*site.Fault](wrong)
	if !ok || f.Status >= http.StatusInternalServerError || f.Status == http.StatusUnauthorized || f.Status == http.StatusNotFound || f.Code == "auth.step_up" {
		return wrong
	}
	p, err := d.enrolPage(v, seat)
	if err != nil {
		return err
	}
	code := v.Field("exigence")
	if v.Field("quoi") == "papier" {
		p.Key = v.Key()
	}
	status := f.Status
	if f.Code == "enrolment.missing" {
		status = http.StatusUnprocessableEntity
	}
	p.Wrongs = p.wrongs(v, f, code)
	for i := range p.Asked {
		x := &p.Asked[i]
		x.Wrong = wrongOf(p.Wrongs, "papier-"+x.Code)
		if x.Code == code {
			x.Open, x.Kept = true, kept
		}
		for j := range x.Fields {
			x.Fields[j].Error = wrongOf(p.Wrongs, x.Fields[j].Name)
		}
	}
	return v.ShowAs(status, enrolView(p))
}

// wrongs say what is wrong in words of the requirement that it is about.
func (p *enrolPage) wrongs(v *site.Visit, f *site.Fault, code string) (all []ui.Wrong) {
	for _, e := range f.Errors {
		of, found := strings.CutPrefix(e.Pointer, "/papers/")
		if !found {
			of = code
		}
		for _, t := range p.Requirements {
			if t.Code != of {
				continue
			}
			first := "papier-" + of
			if t.Type != enrolment.Document {
				first = "valeur-" + of
			}
			switch name := v.Say(t.Names).Text; {
			case found:
				all = append(all, ui.Wrong{Name: first, Text: v.T("enrol.lacks", "what", name)})
			case e.Pointer == "/value":
				all = append(all, ui.Wrong{Name: first, Text: v.T("enrol.wrong_" + cmp.Or(string(t.Rule), "text"))})
			case e.Pointer == "/last_day":
				all = append(all, ui.Wrong{Name: "jour-" + of, Text: v.T("enrol.wrong_day")})
			case e.Pointer == "/file" && f.Code == "enrolment.invalid":
				all = append(all, ui.Wrong{Name: first, Text: v.T("enrol.no_file")})
			case e.Pointer == "/file":
				all = append(all, ui.Wrong{Name: first, Text: v.Explain(f)})
			}
		}
	}
	if len(all) == 0 {
		all = append(all, ui.Wrong{Text: v.Explain(f)})
	}
	return all
}

// enrolPaper gives one of the organisation's papers back.
func (d *Desk) enrolPaper(v *site.Visit, seat site.Seat) error {
	paper, err := named(v, "paper")
	if err != nil {
		return err
	}
	mine, err := site.Get[enrolment.EnrolmentView](v, "/v1/organisations/"+seat.Organisation+"/enrolment")
	if err != nil {
		return err
	}
	for _, t := range mine.Requirements {
		for _, x := range []*enrolment.PaperView{t.Holds, t.Waits, t.Ended} {
			if x != nil && x.ID == paper && x.File != "" {
				return v.HandOn("/v1/files/" + x.File + "/content")
			}
		}
	}
	return site.ErrNotFound
}

// enrolNotice is what the day's page says of the enrolment; nil when all is well.
func enrolNotice(v *site.Visit, org string) (*answer, error) {
	e, err := site.Get[enrolment.EnrolmentView](v, "/v1/organisations/"+org+"/enrolment")
	if err != nil {
		return nil, err
	}
	a := &answer{Href: v.Href(enrolling), Icon: "file-text"}
	switch {
	case e.State != members.Active:
		a.Text = v.T("enrol.day_" + string(e.State))
		return a, nil
	case len(e.Lacking) > 0:
		a.Text = v.T("enrol.day_lacks", "n", len(e.Lacking))
		return a, nil
	}
	for _, t := range e.Requirements {
		if t.Holds == nil || t.Waits != nil || t.Holds.LastDay == "" {
			continue
		}
		if last, err := time.Parse(time.DateOnly, t.Holds.LastDay); err == nil && last.Sub(e.Now) <= soon {
			a.Text = v.T("enrol.day_ending", "what", v.Say(t.Names).Text, "d", v.Lang.OnDay(t.Holds.LastDay))
			return a, nil
		}
	}
	return nil, nil
}
