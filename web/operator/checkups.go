package operator

import (
	"cmp"
	"strconv"

	"tiwiza/marketplace/diagnosis"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// checkUpsPage shows how far members have come, in figures of five at least, and what
// is written of questionnaires.
func checkUpsPage(v *view) error {
	all, err := site.Get[rest.Page[diagnosis.EditionView]](v.Visit, "/v1/questionnaires?limit=100")
	if err != nil {
		return err
	}
	drafts, err := site.Get[rest.Page[diagnosis.DraftView]](v.Visit, desk.At("/v1/questionnaire-drafts", "limit", "20", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	var f diagnosis.FiguresView
	options := []ui.Option{}
	for _, e := range all.Data {
		options = append(options, ui.Option{Value: e.Code, Text: v.Say(e.Questionnaire.Names).Text})
	}
	if len(options) > 0 {
		if f, err = site.Get[diagnosis.FiguresView](v.Visit, desk.At("/v1/diagnostics/figures", "questionnaire", cmp.Or(v.Q("questionnaire"), options[0].Value))); err != nil {
			return err
		}
	}
	s := v.quartiles(f)
	if v.wants() {
		return v.file("diagnostics", s)
	}
	d := desk.Sheet{Heads: v.checkUpHeads("questionnaire", "state", "changed"), Next: v.Next(drafts.Next)}
	for _, x := range drafts.Data {
		tone := map[string]string{"asked": "warn", "published": "ok"}[x.State]
		d.Rows = append(d.Rows, []desk.Cell{v.Named(x.Questionnaire.Names), {Text: v.T("checkup.s_" + x.State), Tone: tone, State: true}, v.Time(x.ChangedAt)})
	}
	return v.Blocks(v.T("checkup.op_title"), desk.Cell{}, nil,
		seek(v.Page, []ui.Field{{Name: "questionnaire", Label: v.T("checkup.h_questionnaire"), Required: true, Options: options, Value: f.Questionnaire}}, nil, v.With("csv", "1")),
		desk.Headed(v.T("checkup.figures"), desk.Para("", v.T("checkup.figures_help")), desk.List(v.Page, s, v.T("checkup.no_figures"), "", "")),
		desk.Headed(v.T("checkup.drafts"), desk.List(v.Page, d, v.T("checkup.no_drafts"), "", "")))
}

// checkUpHeads are a list's columns in the words of diagnostics; «>» stands at the end.
func (v *view) checkUpHeads(keys ...string) (out []desk.Head) {
	for _, k := range keys {
		h := desk.Head{Text: k}
		if k[0] == '>' {
			h = desk.Head{Text: k[1:], End: true}
		}
		h.Text = v.T("checkup.h_" + h.Text)
		out = append(out, h)
	}
	return out
}

// quartiles are the figures of a questionnaire as a list.
func (v *view) quartiles(f diagnosis.FiguresView) desk.Sheet {
	s := desk.Sheet{Heads: v.checkUpHeads("kind", "region", "part", ">members", ">low", ">median", ">high")}
	points := func(x *float64) desk.Cell {
		if x == nil {
			return desk.Text("")
		}
		return desk.Text(strconv.FormatFloat(*x, 'f', -1, 64))
	}
	for _, x := range f.Data {
		part, n := desk.Text(v.T("checkup.whole")), desk.Text(v.T("checkup.few"))
		if x.Dimension != "" {
			part = v.Named(f.Dimensions[x.Dimension])
		}
		if !x.Hidden {
			n = desk.Text(v.Lang.Number(int64(x.Organisations)))
		}
		s.Rows = append(s.Rows, []desk.Cell{desk.Text(v.word("op.o_", string(x.Kind))), desk.Text(v.region(x.Region)), part, n, points(x.Low), points(x.Median), points(x.High)})
	}
	return s
}
