package partner

import (
	"net/url"

	"tiwiza/marketplace/finance"
	"tiwiza/marketplace/sharing"
	"tiwiza/web/accords"
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
	of := v.View
	of.Words = "accord"
	return v.Blocks(i.Title, desk.Cell{}, nil, append(accords.Paper(&of, i, v.Path+"?fichier=1"), desk.Para("muted small", v.T("partner.recorded")))...)
}
