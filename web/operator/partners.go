package operator

import (
	"strconv"

	"github.com/a-h/templ"

	"tiwiza/pkg/lanes"
	"tiwiza/pkg/rest"
	"tiwiza/web/chart"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A partner is one of those the hub calls, as GET /v1/partners shows it.
type partner struct {
	ID, Port, Driver, Mode string
	Breaker                map[string]string
	P95                    float64 `json:"p95_ms"`
	Queue                  int
	lanes.StateView
}

// partners are all of them.
func (v *view) partners() ([]partner, error) {
	all, err := site.Get[struct{ Data []partner }](v.Visit, "/v1/partners")
	return all.Data, err
}

// state is how a partner is: what people did comes before what its breakers say.
func (v *view) partnerState(p partner) desk.Cell {
	if p.Paused != nil {
		return desk.Cell{Text: v.T("op.s_breaker_paused"), Tone: "warn", State: true}
	}
	worst := "closed"
	for _, state := range p.Breaker {
		if rank[state] > rank[worst] {
			worst = state
		}
	}
	return v.state("breaker", worst)
}

// strip draws a partner's last day.
func (v *view) strip(p partner) templ.Component {
	f := chart.Figure{ID: "strip-" + p.ID, Title: v.T("op.strip", "partner", p.ID)}
	counts := [4]int{}
	for _, s := range p.Strip {
		if s >= 0 && s < len(counts) {
			counts[s]++
		}
	}
	f.Finding = v.T("op.strip_well")
	if counts[2]+counts[3] > 0 {
		f.Finding = v.T("op.strip_say", "open", v.Lang.Number(int64(counts[3])), "paused", v.Lang.Number(int64(counts[2])))
	}
	s := desk.Sheet{Heads: v.Heads("state", ">quarters")}
	for i, key := range []string{"", "closed", "paused", "open"} {
		if i > 0 {
			s.Rows = append(s.Rows, []desk.Cell{desk.Text(v.T("op.s_breaker_" + key)), desk.Text(strconv.Itoa(counts[i]))})
		}
	}
	return figure(v.Page, chart.Heat(f, p.Strip), s, "", f.Finding)
}

// troubled are the strips of partners that were not well all day.
func (v *view) troubled(all []partner) (out []templ.Component) {
	for _, p := range all {
		for _, s := range p.Strip {
			if s > 1 {
				out = append(out, desk.Para("", p.ID), v.strip(p))
				break
			}
		}
	}
	return out
}

// partnerPage shows one partner, and stops it, lets it go on, or tries it.
func partnerPage(v *view) error { return v.partner(nil) }

func (v *view) partner(wrong error) error {
	all, err := v.partners()
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.ID == v.R.PathValue("id") {
			return v.partnerOf(p, wrong)
		}
	}
	return site.ErrNotFound
}

func (v *view) partnerOf(p partner, wrong error) error {
	found, err := site.Get[rest.Page[lanes.ChangeView]](v.Visit, desk.At("/v1/partners/"+v.ID()+"/changes", "limit", "24", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	how := desk.Sheet{Heads: v.Heads("class", "state", "since", ">p95", ">queue", "last_errors")}
	for _, l := range p.Lanes {
		said := desk.Cell{Lines: []string{}}
		for _, e := range l.Errors {
			said.Lines = append(said.Lines, join(e.Op, e.Text))
		}
		how.Rows = append(how.Rows, []desk.Cell{
			desk.Text(v.word("op.class_", string(l.Class))), v.state("breaker", l.Breaker), v.Time(l.Since),
			desk.Text(v.T("op.ms", "n", v.Lang.Number(l.P95))), desk.Text(v.Lang.Number(int64(l.InFlight))), said,
		})
	}
	past := desk.Sheet{Heads: v.Heads("at", "act", "class", "why"), Next: v.Next(found.Next)}
	for _, c := range found.Data {
		past.Rows = append(past.Rows, []desk.Cell{v.Time(c.At), desk.Text(v.word("op.c_", c.Change)), desk.Text(v.word("op.class_", string(c.Class))), desk.Text(c.Reason)})
	}
	return v.Blocks(p.ID, v.partnerState(p), wrong, v.strip(p), v.paused(p, wrong), desk.Headed(v.T("op.lanes"), desk.Table(v.Page, how)),
		desk.Headed(v.T("op.changes"), desk.List(v.Page, past, v.T("op.no_changes"), "", "")))
}

// paused says who stopped a partner, and offers what can be done.
func (v *view) paused(p partner, wrong error) templ.Component {
	path := "/op/sante/" + v.ID()
	test := desk.Action{Name: "test", Path: path, Label: v.T("op.test"), Hint: v.T("op.test_help")}
	if p.Paused == nil {
		stop := desk.Action{Name: "pause", Path: path, Label: v.T("op.pause"), Hint: v.T("op.pause_help_" + p.Port), Style: "stop", Fields: []ui.Field{{Name: "reason", Label: v.T("op.reason"), Required: true, Max: 500}}}
		return desk.Acts(v.Page, v.Typed(wrong, test, stop))
	}
	why := desk.Facts(v.Page, []desk.Fact{{Name: v.T("op.reason"), Value: desk.Text(p.Paused.Reason)}, {Name: v.T("op.h_by"), Value: desk.Code(p.Paused.By)}, {Name: v.T("op.h_at"), Value: v.Time(p.Paused.At)}})
	return desk.Group(why, desk.Acts(v.Page, v.Typed(wrong, test, desk.Action{Name: "resume", Path: path, Label: v.T("op.go_on"), Hint: v.T("op.go_on_help")})))
}

// partnerDo does what one of the partner's forms asks.
func partnerDo(v *view) error {
	base, said := "/v1/partners/"+v.ID()+"/lanes/", "goes_on"
	var err error
	switch v.Field("quoi") {
	case "pause":
		said = "paused"
		_, err = site.Post[lanes.StateView](v.Visit, base+"pause", map[string]string{"reason": v.Field("reason")})
	case "resume":
		_, err = site.Post[lanes.StateView](v.Visit, base+"resume", nil)
	default:
		var t lanes.TestView
		if t, err = site.Post[lanes.TestView](v.Visit, base+"test", nil); t.Answers {
			said = "answers"
		} else {
			said = "silent"
		}
	}
	if err != nil {
		return v.partner(err)
	}
	return v.Go("/op/sante/"+v.ID(), "fait", said)
}
