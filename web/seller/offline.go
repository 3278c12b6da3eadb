package seller

import "tiwiza/web/site"

// The shells are what a telephone keeps of the desk for when there is no network.
// Anybody may read them: they hold nothing of a seller's, and what is typed there
// waits under the seat that the telephone was last opened at.

// offline stands where any page of the desk would: what waits, and the way to sell.
func (d *Desk) offline(v *site.Visit) error {
	v.Title, v.Public = v.T("help.offline"), true
	return v.Show(offlineView(at{Page: v.Page, Phone: d.Site.Phone}))
}

// offlineSell is the screen to sell, empty.
func (d *Desk) offlineSell(v *site.Visit) error {
	v.Title, v.Public, v.Back = v.T("sell.sell"), true, v.Href("/v")
	p := sellPage{at: at{Page: v.Page, Phone: d.Site.Phone}, Action: v.Href("/v/vendre"), Sizes: []size{{Left: "1"}}, Category: "food_other", NeedsPhoto: true, Shell: true}
	p.kinds(v)
	return v.Show(sellView(p))
}
