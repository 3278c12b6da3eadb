package partner

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/sharing"
	"tiwiza/web/site"
)

// paper shows one item of a member's dossier, or passes its file on. The hub writes
// down that it was seen, and its owner sees that.
func paper(v *view) error {
	a, err := site.Get[finance.ApplicationView](v.Visit, applications+"/"+v.id())
	if err != nil {
		return err
	}
	path := "/v1/dossiers/" + a.Member.ID + "/items/" + url.PathEscape(v.R.PathValue("item"))
	if v.q("fichier") != "" {
		return v.pass(path + "/content")
	}
	i, err := site.Get[sharing.SeenView](v.Visit, path)
	if err != nil {
		return err
	}
	v.Back = v.Href("/b/d/"+a.ID, "papiers", "1")
	f := []fact{
		{v.T("partner.h_section"), text(v.T("finance.section_" + i.Section))},
		{v.T("partner.h_added"), text(v.Lang.Date(i.AddedAt))},
		{v.T("partner.h_until"), text(v.Lang.Date(i.On.Until))},
		{v.T("partner.h_digest"), code(i.SHA256)},
	}
	blocks := []templ.Component{facts(v.Page, f)}
	if i.Form != nil {
		s := sheet{Heads: v.heads("line", "said")}
		for _, name := range slices.Sorted(maps.Keys(i.Form)) {
			s.Rows = append(s.Rows, []cell{text(name), text(fmt.Sprint(i.Form[name]))})
		}
		blocks = append(blocks, table(v.Page, s))
	} else {
		blocks = append(blocks, button(v.Page, v.T("partner.download"), v.Href(v.Path, "fichier", "1")))
	}
	return v.show(i.Title, cell{}, nil, append(blocks, para("muted small", v.T("partner.recorded")))...)
}

// pass passes a file on.
func (v *view) pass(path string) error {
	b, h, err := v.Raw(path)
	if err != nil {
		return err
	}
	for _, name := range []string{"Content-Type", "Content-Disposition"} {
		if x := h.Get(name); x != "" {
			v.W.Header().Set(name, x)
		}
	}
	v.W.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	v.W.Header().Set("Cache-Control", "no-store")
	v.W.WriteHeader(http.StatusOK)
	_, _ = v.W.Write(b) // the visitor may be gone
	return nil
}
