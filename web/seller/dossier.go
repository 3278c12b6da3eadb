package seller

import (
	"cmp"
	"maps"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"tiwiza/marketplace/sharing"
	"tiwiza/pkg/id"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A dossierPage is what a member keeps to show to banks and others, by section.
type dossierPage struct {
	at
	Parts  []dossierPart
	Next   string
	Done   string
	Key    string
	Wrongs []ui.Wrong
	Named  ui.Field
	Where  ui.Field
	Hidden bool // what was typed is marked as sensitive
}

// A dossierPart is a section with what is in it.
type dossierPart struct {
	Icon, Name string
	Items      []dossierRow
}

// A dossierRow is one thing in a dossier.
type dossierRow struct {
	Href, Title, When string
	Sensitive         bool
}

var sectionIcons = map[string]string{"identity": "badge-check", "financial": "coins", "production": "package", "social": "users", "project": "sprout"}

func dossierOf(seat site.Seat) string { return "/v1/organisations/" + seat.Organisation + "/dossier" }

// dossier lists what is in it, with the form that puts a paper in.
func (d *Desk) dossier(v *site.Visit, seat site.Seat) error { return d.showDossier(v, seat, nil) }

func (d *Desk) showDossier(v *site.Visit, seat site.Seat, wrong error) error {
	all, err := site.Get[page[sharing.ItemView]](v, dossierOf(seat)+query("limit", "100", "cursor", v.Query.Get("suite")))
	if err != nil {
		return err
	}
	p := dossierPage{at: d.at(v, seat, v.T("dossier.title"), "/v"), Key: site.NewKey(), Done: said(v, "dossier.done_", "put", "retired")}
	for _, s := range sharing.Sections {
		part := dossierPart{Icon: sectionIcons[s], Name: v.T("finance.section_" + s)}
		for _, i := range all.Data {
			if i.Section == s {
				part.Items = append(part.Items, dossierRow{v.Href("/v/dossier/" + i.ID), i.Title, v.T("dossier.since", "d", v.Lang.Date(i.AddedAt)), i.Sensitive})
			}
		}
		if len(part.Items) > 0 {
			p.Parts = append(p.Parts, part)
		}
	}
	if next := all.next(); next != "" {
		p.Next = v.Href("/v/dossier", "suite", next)
	}
	p.Named = ui.Field{Name: "titre", Label: v.T("dossier.name"), Hint: v.T("dossier.name_help"), Value: v.Field("titre"), Max: 120, Required: true}
	p.Where = ui.Field{Name: "partie", Label: v.T("dossier.section"), Value: v.Field("partie"), Required: true}
	for _, s := range sharing.Sections {
		p.Where.Options = append(p.Where.Options, ui.Option{Value: s, Text: v.T("finance.section_" + s)})
	}
	p.Hidden = v.Field("sensible") != ""
	if wrong == nil {
		return v.Show(dossierView(p))
	}
	return d.untaken(v, wrong, map[string]string{"/title": "titre", "/section": "partie", "/file": "fichier"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs, p.Named.Error, p.Where.Error = w, wrongOf(w, "titre"), wrongOf(w, "partie")
		return dossierView(p)
	})
}

// said is what was just done, in words: the address carries which of some it was.
func said(v *site.Visit, prefix string, some ...string) string {
	if f := v.Query.Get("fait"); slices.Contains(some, f) {
		return v.T(prefix + f)
	}
	return ""
}

// putPaper puts a paper into the dossier.
func (d *Desk) putPaper(v *site.Visit, seat site.Seat) error {
	file, err := paperOf(v, "fichier")
	if err == nil && file == "" {
		err = wrongAt("dossier.no_file", "/file")
	}
	if err != nil {
		return d.showDossier(v, seat, atFile(err))
	}
	in := map[string]any{"section": v.Field("partie"), "title": v.Field("titre"), "sensitive": v.Field("sensible") != "", "file": file}
	if _, err := site.Post[sharing.ItemView](v, dossierOf(seat), in); err != nil {
		return d.showDossier(v, seat, err)
	}
	return v.Go("/v/dossier", "fait", "put")
}

// An itemPage is one thing of the dossier.
type itemPage struct {
	at
	sharing.ItemView
	Icon, Part string
	Day        string
	Answers    [][2]string // of a form
	Done       string
	Key        string
	Wrongs     []ui.Wrong
}

// item shows one thing of the dossier, with what may be done with it.
func (d *Desk) item(v *site.Visit, seat site.Seat) error { return d.showItem(v, seat, nil) }

func (d *Desk) showItem(v *site.Visit, seat site.Seat, wrong error) error {
	item, err := named(v, "item")
	if err != nil || !id.Is(id.Item, item) {
		return site.ErrNotFound
	}
	i, err := site.Get[sharing.ItemView](v, "/v1/dossier-items/"+item)
	if err != nil {
		return err
	}
	p := itemPage{
		at: d.at(v, seat, i.Title, "/v/dossier"), ItemView: i, Icon: sectionIcons[i.Section], Part: v.T("finance.section_" + i.Section), Day: v.Lang.Date(i.AddedAt), Key: site.NewKey(),
		Done: said(v, "dossier.done_", "version"),
	}
	for _, name := range slices.Sorted(maps.Keys(i.Form)) {
		p.Answers = append(p.Answers, [2]string{name, v.Lang.Answer(i.Form[name])})
	}
	if wrong == nil {
		return v.Show(itemView(p))
	}
	return d.untaken(v, wrong, map[string]string{"/file": "fichier"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return itemView(p)
	})
}

// actItem puts a new version in the place of the old one, or takes the thing out.
func (d *Desk) actItem(v *site.Visit, seat site.Seat) error {
	item, err := named(v, "item")
	if err != nil || !id.Is(id.Item, item) {
		return site.ErrNotFound
	}
	one := "/v1/dossier-items/" + item
	switch v.Field("quoi") {
	case "version":
		file, err := paperOf(v, "fichier")
		if err == nil && file == "" {
			err = wrongAt("dossier.no_file", "/file")
		}
		if err != nil {
			return d.showItem(v, seat, atFile(err))
		}
		if _, err := site.Post[sharing.ItemView](v, one+"/versions", map[string]string{"file": file}); err != nil {
			return d.showItem(v, seat, err)
		}
		return v.Go("/v/dossier/"+item, "fait", "version")
	case "retirer":
		if _, err := site.Post[sharing.ItemView](v, one+"/retire", nil); err != nil && site.Code(err) != "sharing.retired" {
			return d.showItem(v, seat, err)
		}
		return v.Go("/v/dossier", "fait", "retired")
	}
	return site.ErrNotFound
}

// itemFile gives the paper itself.
func (d *Desk) itemFile(v *site.Visit, _ site.Seat) error {
	item, err := named(v, "item")
	if err != nil || !id.Is(id.Item, item) {
		return site.ErrNotFound
	}
	i, err := site.Get[sharing.ItemView](v, "/v1/dossier-items/"+item)
	if err != nil {
		return err
	}
	if i.File == "" {
		return site.ErrNotFound
	}
	return v.HandOn("/v1/files/" + url.PathEscape(i.File) + "/content")
}

// A looksPage is who looked into the dossier, the newest first.
type looksPage struct {
	at
	Rows []lookRow
	Next string
}

// A lookRow is one time that somebody looked.
type lookRow struct {
	Icon    string
	Said    ui.Said
	When    string
	For     string // purpose
	Why     string // the reason, when two of the market's people opened it
	Consent string // the page of what allowed it
}

var lookIcons = map[string]string{"list": "folder", "view": "eye", "download": "download"}

// looks lists who looked.
func (d *Desk) looks(v *site.Visit, seat site.Seat) error {
	p := looksPage{at: d.at(v, seat, v.T("dossier.looks"), "/v/dossier")}
	all, err := site.Get[page[sharing.LookView]](v, "/v1/organisations/"+seat.Organisation+"/consultations"+query("limit", "24", "cursor", v.Query.Get("suite")))
	if err != nil {
		return err
	}
	for _, x := range all.Data {
		r := lookRow{Icon: cmp.Or(lookIcons[x.Action], "eye"), Said: v.Say(x.Said), When: v.Lang.Moment(x.At), Why: x.Why}
		if x.Purpose != "" {
			r.For = v.T("accord.for_" + x.Purpose)
		}
		if x.Consent != "" {
			r.Consent = v.Href("/v/accords/" + x.Consent)
		}
		p.Rows = append(p.Rows, r)
	}
	if next := all.next(); next != "" {
		p.Next = v.Href("/v/regards", "suite", next)
	}
	return v.Show(looksView(p))
}
