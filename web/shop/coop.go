package shop

import (
	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A stall is a seller with what it sells.
type stall struct {
	*ui.Page
	ID          string
	Name, Story ui.Said
	Place       string
	Region      string
	Labels      []string
	Cards       []ui.Card
	Next        string
}

// seller shows who makes what is sold.
func (s *Shop) seller(v *site.Visit) error {
	id := v.R.PathValue("seller")
	if !plain(id) {
		return site.ErrNotFound
	}
	o, err := site.Open[members.SellerView](v, "/v1/sellers/"+escape(id))
	if err != nil {
		return err
	}
	found, err := s.Catalog.List(v.Context(), catalog.ListInput{
		Seller: o.ID, Lang: string(v.Lang.Text()), Sort: "newest", Paging: rest.Paging{Limit: 24, Cursor: v.Query.Get("cursor")},
	})
	if err != nil {
		return err
	}
	x := stall{Page: v.Page, ID: o.ID, Name: v.Say(o.Names), Story: v.Say(o.Story), Place: place(v.Page, o.Commune, o.Region), Region: o.Region}
	seen := map[string]bool{}
	for i, c := range found.Data {
		x.Cards = append(x.Cards, card(v.Page, c, i >= inView))
		for _, l := range c.Labels {
			if !seen[l.Code] {
				seen[l.Code] = true
				x.Labels = append(x.Labels, l.Code)
			}
		}
	}
	if found.Next != nil {
		x.Next = v.Href("/c/"+o.ID, "cursor", *found.Next)
	}
	v.Title, v.Public = x.Name.Text, v.Query.Get("cursor") == ""
	v.Description = summary(x.Story.Text)
	if v.Description == "" {
		v.Description = x.Name.Text + v.T("common.comma") + x.Place
	}
	picture := ""
	if len(found.Data) > 0 && found.Data[0].Image != nil {
		picture = *found.Data[0].Image
	}
	v.Head = described(headOf(v.Page, "profile", picture, map[string]any{
		"@type": "Organization", "name": x.Name.Text, "description": v.Description, "url": v.Origin + v.In(v.Lang),
		"address": map[string]any{"@type": "PostalAddress", "addressLocality": o.Commune, "addressRegion": o.Region, "addressCountry": "MA"},
	}))
	return v.Show(stallPage(x))
}
