package partner

import (
	"fmt"
	"maps"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/sharing"
	"tiwiza/web/desk"
	"tiwiza/web/site"
)

// paper shows one item of a member's dossier, or passes its file on. The hub writes
// down that it was seen, and its owner sees that.
func paper(v *view) error {
	a, err := site.Get[finance.ApplicationView](v.Visit, applications+"/"+v.ID())
	if err != nil {
		return err
	}
	path := "/v1/dossiers/" + a.Member.ID + "/items/" + url.PathEscape(v.R.PathValue("item"))
	if v.Q("fichier") != "" {
		return v.HandOn(path + "/content")
	}
	i, err := site.Get[sharing.SeenView](v.Visit, path)
	if err != nil {
		return err
	}
	v.Back = v.Href("/b/d/"+a.ID, "papiers", "1")
	f := []desk.Fact{
		{Name: v.T("partner.h_section"), Value: desk.Text(v.T("finance.section_" + i.Section))},
		{Name: v.T("partner.h_added"), Value: desk.Text(v.Lang.Date(i.AddedAt))},
		{Name: v.T("partner.h_until"), Value: desk.Text(v.Lang.Date(i.On.Until))},
		{Name: v.T("partner.h_digest"), Value: desk.Code(i.SHA256)},
	}
	blocks := []templ.Component{desk.Facts(v.Page, f)}
	if i.Form != nil {
		s := desk.Sheet{Heads: v.Heads("line", "said")}
		for _, name := range slices.Sorted(maps.Keys(i.Form)) {
			s.Rows = append(s.Rows, []desk.Cell{desk.Text(name), desk.Text(fmt.Sprint(i.Form[name]))})
		}
		blocks = append(blocks, desk.Table(v.Page, s))
	} else {
		blocks = append(blocks, desk.Button(v.T("partner.download"), v.Href(v.Path, "fichier", "1")))
	}
	return v.Blocks(i.Title, desk.Cell{}, nil, append(blocks, desk.Para("muted small", v.T("partner.recorded")))...)
}
