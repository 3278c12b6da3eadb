package shop

import (
	"tiwiza/marketplace/charter"
	"tiwiza/web/bylaw"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A charterRead is the public page of the charter; Text is nil when the market has
// none.
type charterRead struct {
	*ui.Page
	Text *bylaw.Text
}

// charter is what members sign, for everybody to read and hear.
func (s *Shop) charter(v *site.Visit) error {
	v.Title, v.Description, v.Public = v.T("charter.title"), v.T("charter.about"), true
	found, err := site.Get[charter.VersionView](v, "/v1/charter")
	if site.Code(err) == charter.ErrNone.Code {
		return v.Show(charterPage(charterRead{Page: v.Page}))
	}
	if err != nil {
		return err
	}
	text := bylaw.Of(v.Lang, found)
	return v.Show(charterPage(charterRead{v.Page, &text}))
}
