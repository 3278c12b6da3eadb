package operator

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"

	"tiwiza/marketplace/charter"
	"tiwiza/pkg/rest"
	"tiwiza/web/bylaw"
	"tiwiza/web/chart"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// heading are a list's columns in the charter's own words.
func (v *view) heading(keys ...string) (out []desk.Head) {
	for _, k := range keys {
		out = append(out, desk.Head{Text: v.T("charter.h_" + k)})
	}
	return out
}

// charterPage lists the charter's versions, and the drafts of the next.
func charterPage(v *view) error {
	found, err := site.Get[rest.Page[charter.VersionView]](v.Visit, desk.At("/v1/charters", "limit", "20", "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.heading("version", "since", "last", "digest"), Next: v.Next(found.Next)}
	for _, x := range found.Data {
		s.Rows = append(s.Rows, []desk.Cell{
			{Text: v.Lang.Number(int64(x.Version)), Href: v.Href("/op/charte/" + strconv.Itoa(x.Version))},
			desk.Text(bylaw.Day(v.Lang, x.Since)), desk.Text(bylaw.Day(v.Lang, x.LastDay)), desk.Code(x.SHA256[:16]),
		})
	}
	drafts, err := site.Get[rest.Page[charter.DraftView]](v.Visit, "/v1/charter-drafts?limit=20")
	if err != nil {
		return err
	}
	d := desk.Sheet{Heads: v.heading("since", "last", "state", "changed")}
	for _, x := range drafts.Data {
		tone := map[charter.State]string{charter.Asked: "warn", charter.Published: "ok"}[x.State]
		d.Rows = append(d.Rows, []desk.Cell{
			desk.Text(bylaw.Day(v.Lang, x.Since)), desk.Text(bylaw.Day(v.Lang, x.LastDay)),
			{Text: v.T("charter.s_" + string(x.State)), Tone: tone, State: true},
			v.Time(x.ChangedAt),
		})
	}
	return v.Blocks(v.T("charter.title"), desk.Cell{}, nil,
		desk.Headed(v.T("charter.versions"), desk.List(v.Page, s, v.T("charter.none"), "", "")),
		desk.Headed(v.T("charter.drafts"), desk.List(v.Page, d, v.T("charter.no_drafts"), "", "")))
}

// bylawPage shows a version, and who has not signed it, by region.
func bylawPage(v *view) error {
	at := "/v1/charters/" + v.ID()
	if _, err := strconv.Atoi(v.ID()); err != nil {
		return site.ErrNotFound
	}
	found, err := site.Get[charter.VersionView](v.Visit, at)
	if err != nil {
		return err
	}
	late, err := site.Get[rest.Page[charter.LateView]](v.Visit, desk.At(at+"/unsigned", "limit", "50", "region", v.Q("region"), "cursor", v.Q("suite")))
	if err != nil {
		return err
	}
	s := desk.Sheet{Heads: v.heading("member", "region", "signed", "stopped"), Next: v.Next(late.Next)}
	for _, o := range late.Data {
		name := v.Say(o.Names)
		signed, sales := v.T("charter.nothing_signed"), desk.Cell{Text: v.T("charter.goes"), State: true}
		if o.Signed > 0 {
			signed = v.Lang.Number(int64(o.Signed))
		}
		if slices.Contains(o.Restricted, "charter") {
			sales = desk.Cell{Text: v.T("charter.stopped"), Tone: "bad", State: true}
		}
		s.Rows = append(s.Rows, []desk.Cell{{Said: &name, Href: v.Href("/op/entites/" + url.PathEscape(o.Organisation))}, desk.Text(v.region(o.Region), o.Commune), desk.Text(signed), sales})
	}
	if v.wants() {
		return v.file("charte", s)
	}
	regions := []ui.Option{{Value: "", Text: v.T("op.all")}}
	for _, r := range chart.Regions {
		regions = append(regions, ui.Option{Value: r.Code, Text: v.Say(r.Names).Text})
	}
	text := bylaw.Of(v.Lang, found)
	v.Back = v.Href("/op/charte")
	facts := []desk.Fact{{Name: v.T("charter.h_since"), Value: desk.Text(bylaw.Day(v.Lang, found.Since))}, {Name: v.T("charter.h_last"), Value: desk.Text(bylaw.Day(v.Lang, found.LastDay))}}
	blocks := []templ.Component{
		desk.Facts(v.Page, facts),
		desk.Headed(v.T("charter.unsigned"), seek(v.Page, []ui.Field{{Name: "region", Label: v.T("op.h_region"), Options: regions, Value: v.Q("region")}}, nil, v.With("csv", "1")),
			desk.List(v.Page, s, v.T("charter.all_signed"), "", "")),
		bylaw.Read(v.Page, text), bylaw.Rules(v.Page, text),
	}
	return v.Blocks(v.T("charter.version", "n", v.Lang.Number(int64(found.Version)), "d", bylaw.Day(v.Lang, found.Since)), desk.Cell{}, nil, blocks...)
}
