package operator

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"tiwiza/marketplace/privacy"
	"tiwiza/pkg/id"
	"tiwiza/pkg/rest"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// dataPage lists what people asked about their data, what must be answered first before
// the others; who is to be forgotten; and what goes by itself.
func dataPage(v *view) error { return v.data(nil) }

// dataHeads are a list's columns in the words of personal data.
func (v *view) dataHeads(keys ...string) (out []desk.Head) {
	for _, k := range keys {
		out = append(out, desk.Head{Text: v.T("data.h_" + k)})
	}
	return out
}

func (v *view) data(wrong error) error {
	chosen, wanted := v.Q("etat"), v.Q("demande")
	if at := v.R.PathValue("id"); at != "" {
		wanted = at // what was typed about it is not right
	}
	tabs := []desk.Tab{}
	for _, s := range []string{"received", "answered", "refused"} {
		if chosen == "" {
			chosen = s
		}
		tabs = append(tabs, desk.Tab{Text: v.T("data.request_" + s), Href: v.Href("/op/donnees", "etat", s), Here: s == chosen})
	}
	found, err := site.Get[rest.Page[privacy.InboxView]](v.Visit, desk.At("/v1/data-requests", "limit", "50", "state", chosen, "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.dataHeads("due", "request", "about", "person"), Next: v.Next(found.Next)}
	var open *privacy.InboxView
	for i, q := range found.Data {
		due := v.Time(q.DueAt)
		due.State = true
		if q.State == privacy.Received && v.Now.After(q.DueAt) {
			due.Tone = "bad"
		}
		what := desk.Cell{Text: v.T("data.kind_" + string(q.Kind))}
		if q.State == privacy.Received {
			what.Href = v.Href("/op/donnees", "demande", q.ID)
		}
		s.Rows = append(s.Rows, []desk.Cell{due, what, desk.Text(q.About, q.Text), desk.Code(q.Person)})
		if q.ID == wanted {
			open = &found.Data[i]
		}
	}
	if v.wants() {
		return v.file("donnees", s)
	}
	blocks := []templ.Component{desk.Choose(v.T("data.requests"), tabs), csvLink(v.Page, v.With("csv", "1")), desk.List(v.Page, s, v.T("data.no_requests"), "", "")}
	if open != nil {
		path := v.Href("/op/donnees/" + url.PathEscape(open.ID))
		answer := desk.Action{Name: "answered", Path: path, Label: v.T("data.answer"), Style: "go", Open: true, Top: true, Fields: []ui.Field{{Name: "answered_note", Label: v.T("data.your_answer"), Area: true, Max: 2000}}}
		refuse := desk.Action{Name: "refused", Path: path, Label: v.T("data.refuse"), Style: "stop", Top: true, Fields: []ui.Field{{Name: "refused_note", Label: v.T("data.why"), Area: true, Required: true, Max: 2000}}}
		blocks = slices.Insert(blocks, 0, desk.Headed(v.T("data.kind_"+string(open.Kind))+v.T("common.colon")+open.About, desk.Para("", open.Text), desk.Acts(v.Page, v.Typed(wrong, answer, refuse))))
	}
	more, err := v.forgotten()
	if err != nil {
		return err
	}
	return v.Blocks(v.T("data.register"), desk.Cell{}, wrong, append(blocks, more...)...)
}

// forgotten are who is to be forgotten, and what goes by itself.
func (v *view) forgotten() ([]templ.Component, error) {
	all, err := site.Get[rest.Page[privacy.OperatorErasureView]](v.Visit, "/v1/data-erasures?limit=20")
	if err != nil {
		return nil, err
	}
	e := desk.Sheet{Heads: v.dataHeads("person", "state", "runs", "rooms")}
	for _, x := range all.Data {
		tone := map[privacy.ErasureState]string{privacy.Asked: "warn", privacy.Barred: "bad", privacy.Running: "warn", privacy.Done: "ok"}[x.State]
		e.Rows = append(e.Rows, []desk.Cell{
			desk.Code(x.Person),
			{Text: v.T("data.erasure_" + string(x.State)), Tone: tone, State: true},
			v.Time(x.RunsAt),
			desk.Text(strconv.Itoa(x.Done) + "/" + strconv.Itoa(x.Rooms)),
		})
	}
	periods, err := site.Get[privacy.PeriodsView](v.Visit, "/v1/retention")
	if err != nil {
		return nil, err
	}
	p := desk.Sheet{Heads: v.dataHeads("period", "last", "day", "total")}
	for _, x := range periods.Data {
		p.Rows = append(p.Rows, []desk.Cell{desk.Text(v.Say(x.Says).Text), v.TimeOf(x.LastAt), desk.Text(v.Lang.Number(x.LastDay)), desk.Text(v.Lang.Number(x.Total))})
	}
	return []templ.Component{
		desk.Headed(v.T("data.erasures"), desk.List(v.Page, e, v.T("data.no_erasures"), "", "")),
		desk.Headed(v.T("data.periods"), desk.Table(v.Page, p)),
	}, nil
}

// dataDo answers what somebody asked about its data, or refuses it with a reason.
func dataDo(v *view) error {
	what, request := v.Field("quoi"), v.R.PathValue("id")
	if what != "answered" && what != "refused" || !id.Is(id.DataRequest, request) {
		return site.ErrNotFound
	}
	note := v.Field(what + "_note")
	if what == "refused" && note == "" { // whoever asked reads why
		return v.data(desk.WrongField(what + "_note"))
	}
	if _, err := site.Post[privacy.InboxView](v.Visit, "/v1/data-requests/"+request+"/answer", map[string]string{"decision": what, "answer": note}); err != nil {
		return v.data(err)
	}
	return v.Go("/op/donnees", "fait", "data_answered")
}
