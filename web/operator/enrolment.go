package operator

import (
	"errors"
	"slices"

	"github.com/a-h/templ"

	"tiwiza/marketplace/enrolment"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// queueSheet lists who asks for admission, who waits longest first.
func (v *view) queueSheet() (s desk.Sheet, err error) {
	found, err := site.Get[rest.Page[enrolment.WaiterView]](v.Visit, desk.At("/v1/enrolments", "limit", "50", "cursor", v.Q("suite"), "region", v.Q("region")))
	if err != nil {
		return s, err
	}
	s = desk.Sheet{Heads: v.Heads("member", "kind", "region", "asked_at", ">papers_wait", ">papers_hold", "state"), Next: v.Next(found.Next)}
	for _, o := range found.Data {
		name := v.Say(o.Names)
		s.Rows = append(s.Rows, []desk.Cell{
			{Said: &name, Href: v.Href("/op/entites/" + o.Organisation)},
			desk.Text(v.word("op.o_", string(o.Kind))), desk.Text(v.region(o.Region), o.Commune), v.Time(o.AskedAt),
			desk.Text(v.Lang.Number(int64(o.Waiting))), desk.Text(v.Lang.Number(int64(o.Accepted))), v.state("org", string(o.State)),
		})
	}
	return s, nil
}

// An enrolFile is an organisation's enrolment on its page, and the paper that is looked at.
type enrolFile struct {
	enrolment.EnrolmentView
	task  enrolment.TaskView
	paper *enrolment.PaperView // nil: none is chosen
}

// enrolled reads an organisation's enrolment. A paper that is not its own is not
// found.
func (v *view) enrolled(org string) (f enrolFile, err error) {
	if f.EnrolmentView, err = site.Get[enrolment.EnrolmentView](v.Visit, "/v1/organisations/"+org+"/enrolment"); err != nil {
		return f, err
	}
	chosen := v.Q("piece")
	if chosen == "" {
		return f, nil
	}
	for _, t := range f.Requirements {
		for _, p := range []*enrolment.PaperView{t.Holds, t.Waits, t.Ended} {
			if p != nil && p.ID == chosen {
				f.task, f.paper = t, p
				return f, nil
			}
		}
	}
	return f, site.ErrNotFound
}

// paperTones are how the states of papers look.
var paperTones = map[enrolment.State]string{enrolment.Submitted: "warn", enrolment.Seconding: "warn", enrolment.Accepted: "ok", enrolment.Rejected: "bad", enrolment.Expired: "bad"}

func (v *view) paperState(s enrolment.State) desk.Cell {
	return desk.Cell{Text: v.T("op.s_paper_" + string(s)), Tone: paperTones[s], State: true}
}

// required lists what is asked of an organisation, with each paper that is there.
func (v *view) required(f enrolFile) templ.Component {
	s := desk.Sheet{Heads: v.Heads("requirement", "paper", "by", "last_day", "state")}
	for _, t := range f.Requirements {
		there := false
		for _, p := range []*enrolment.PaperView{t.Waits, t.Holds, t.Ended} {
			if p == nil {
				continue
			}
			there = true
			s.Rows = append(s.Rows, v.paperRow(f, t, *p))
		}
		if !there {
			cell := desk.Cell{Text: v.T("op.s_paper_missing"), Tone: "warn", State: true}
			if t.Optional {
				cell = desk.Text(v.T("op.s_paper_optional"))
			}
			s.Rows = append(s.Rows, []desk.Cell{v.Named(t.Names), desk.Text(""), desk.Text(""), desk.Text(""), cell})
		}
	}
	return desk.Headed(v.T("op.asked_papers"), desk.List(v.Page, s, v.T("op.no_papers"), "", ""))
}

func (v *view) paperRow(f enrolFile, t enrolment.TaskView, p enrolment.PaperView) []desk.Cell {
	said := v.T("op.paper_file")
	if p.File == "" {
		said = p.Value
	}
	look := desk.Cell{Text: said, Href: v.Href("/op/entites/"+f.Organisation, "piece", p.ID)}
	day := ""
	if p.LastDay != "" {
		day = v.Lang.OnDay(p.LastDay)
	}
	state := v.paperState(p.State)
	if p.Note != "" {
		state.Lines = []string{p.Note}
	}
	return []desk.Cell{v.Named(t.Names), look, desk.Text(v.T("op.paper_by_"+string(p.Channel)), v.Moment(p.MadeAt)), desk.Text(day), state}
}

// looked is the paper that was chosen, with what decides on it. shown is a sealed
// value that was just read.
func (v *view) looked(f enrolFile, wrong error, shown string) templ.Component {
	p, name := f.paper, v.Say(f.task.Names)
	facts := []desk.Fact{
		{Name: v.T("op.h_requirement"), Value: desk.Cell{Said: &name}},
		{Name: v.T("op.h_state"), Value: v.paperState(p.State)},
		{Name: v.T("op.h_by"), Value: desk.Text(v.T("op.paper_by_"+string(p.Channel)), v.Moment(p.MadeAt))},
	}
	if p.LastDay != "" {
		facts = append(facts, desk.Fact{Name: v.T("op.h_last_day"), Value: desk.Text(v.Lang.OnDay(p.LastDay))})
	}
	if p.Value != "" {
		facts = append(facts, desk.Fact{Name: v.T("op.h_value"), Value: desk.Text(p.Value)})
	}
	if p.Note != "" {
		facts = append(facts, desk.Fact{Name: v.T("op.note"), Value: desk.Text(p.Note)})
	}
	blocks := []templ.Component{desk.Facts(v.Page, facts)}
	if p.File != "" {
		blocks = append(blocks, desk.Button(v.T("op.paper_open"), v.Href("/op/entites/"+f.Organisation+"/pieces/"+p.ID)))
	}
	if shown != "" {
		blocks = append(blocks, desk.Notice(v.T("op.revealed")), desk.Facts(v.Page, []desk.Fact{{Name: v.T("op.h_value"), Value: desk.Code(shown)}}))
	}
	if p.State == enrolment.Seconding {
		blocks = append(blocks, desk.Notice(v.T("op.paper_seconding")), desk.Button(v.T("op.approvals"), v.Href("/op/approbations")))
	}
	blocks = append(blocks, desk.Acts(v.Page, v.Typed(wrong, v.paperActs(f)...)))
	return desk.Headed(v.T("op.paper"), blocks...)
}

// paperActs are what may be done with the paper that is looked at.
func (v *view) paperActs(f enrolFile) (all []desk.Action) {
	p, to := f.paper, "/op/entites/"+f.Organisation
	form := func(name, style, key string, fields ...ui.Field) desk.Action {
		return desk.Action{Name: name, Path: to + "?piece=" + p.ID, Label: v.T("op.m_" + name), Hint: v.T("op.m_" + name + "_help"), Style: style, Key: key, Fields: fields}
	}
	if p.State == enrolment.Submitted {
		a := form("accept", "go", "a")
		a.Open = true
		if f.task.Second {
			a.Hint = v.T("op.m_accept_second")
		}
		all = append(all, a)
	}
	if p.State == enrolment.Submitted || p.State == enrolment.Seconding {
		all = append(all, form("reject", "stop", "n", ui.Field{Name: "reject_note", Label: v.T("op.note_to_member"), Area: true, Required: true, Max: 500}))
	}
	if p.Sealed {
		all = append(all, form("reveal", "", "v"))
	}
	return all
}

// report is where a visit or a training is written down.
func (v *view) report(f enrolFile) (desk.Action, bool) {
	a := desk.Action{Name: "report", Path: v.Path, Label: v.T("op.m_report"), Hint: v.T("op.m_report_help")}
	what := ui.Field{Name: "report_requirement", Label: v.T("op.h_requirement"), Required: true}
	ends := false
	for _, t := range f.Requirements {
		if t.Type == enrolment.Visit || t.Type == enrolment.Training {
			what.Options = append(what.Options, ui.Option{Value: t.Code, Text: v.Say(t.Names).Text})
			ends = ends || t.Expires
		}
	}
	a.Fields = []ui.Field{what, {Name: "report_value", Label: v.T("op.report_value"), Area: true, Required: true, Max: 200}}
	if ends {
		a.Fields = append(a.Fields, ui.Field{Name: "report_last_day", Label: v.T("op.h_last_day"), Type: "date"})
	}
	return a, len(what.Options) > 0 && f.State != members.Terminated
}

// paperFile gives the file of one of an organisation's papers.
func paperFile(v *view) error {
	f, err := site.Get[enrolment.EnrolmentView](v.Visit, "/v1/organisations/"+v.ID()+"/enrolment")
	if err != nil {
		return err
	}
	for _, t := range f.Requirements {
		for _, p := range []*enrolment.PaperView{t.Holds, t.Waits, t.Ended} {
			if p != nil && p.File != "" && p.ID == v.R.PathValue("paper") {
				return v.HandOn("/v1/files/" + p.File + "/content")
			}
		}
	}
	return site.ErrNotFound
}

// paperMoves are what a form of a paper asks for.
var paperMoves = []string{"accept", "reject", "reveal", "report"}

// paperDo carries out what was chosen of a paper.
func (v *view) paperDo(what string) error {
	paper := v.Q("piece")
	if what == "report" {
		in := map[string]string{"requirement": v.Field("report_requirement"), "value": v.Field("report_value")}
		if day := v.Field("report_last_day"); day != "" {
			in["last_day"] = day
		}
		if _, err := site.Post[struct{}](v.Visit, "/v1/organisations/"+v.ID()+"/papers", in); err != nil {
			return v.member(err)
		}
		return v.Go("/op/entites/"+v.ID(), "fait", "reported")
	}
	if !id.Is(id.Paper, paper) {
		return site.ErrNotFound
	}
	if _, err := v.enrolled(v.ID()); err != nil { // of this organisation
		return err
	}
	said := "accepted"
	switch what {
	case "reveal":
		got, err := site.Get[enrolment.ValueView](v.Visit, "/v1/papers/"+paper+"/value")
		if err != nil {
			return err
		}
		v.shown = got.Value
		return v.member(nil)
	case "accept":
		made, err := site.Post[enrolment.PaperView](v.Visit, "/v1/papers/"+paper+"/accept", nil)
		if err != nil {
			return v.member(err)
		}
		if made.State == enrolment.Seconding {
			said = "waits"
		}
	case "reject":
		said = "sent_back"
		if _, err := site.Post[enrolment.PaperView](v.Visit, "/v1/papers/"+paper+"/reject", map[string]string{"note": v.Field("reject_note")}); err != nil {
			return v.member(err)
		}
	}
	return v.Go("/op/entites/"+v.ID(), "fait", said)
}

// whole says an error once, where the page's table shows what it is about.
func whole(err error) error {
	f, ok := errors.AsType[*site.Fault](err)
	if !ok || f.Code != "enrolment.missing" {
		return err
	}
	g := *f
	g.Errors = nil
	return &g
}

// chosen says whether the form that came back was a paper's.
func chosen(what string) bool { return slices.Contains(paperMoves, what) }
