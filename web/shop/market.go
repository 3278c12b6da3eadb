package shop

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A listing is the market, or what is found in it.
type listing struct {
	*ui.Page
	Q, Category, Region, Seller string
	Label, Min, Max, Sort       string
	Regions, Labels             []ui.Option
	Ideas                       []ui.Cat // when nothing is found
	Narrowed                    bool
	Heading                     string
	Cats                        []ui.Cat
	Cards                       []ui.Card
	Next                        string
}

// market shows offers: all of them, of a category, or what is looked for.
func (s *Shop) market(v *site.Visit) error {
	q := v.Query
	in := catalog.ListInput{
		Q: shorten(strings.ToValidUTF8(q.Get("q"), "")), Lang: string(v.Lang.Text()), Category: q.Get("category"), Region: q.Get("region"),
		Seller: q.Get("seller"), Label: q.Get("label"), Min: amountOf(q.Get("min")), Max: amountOf(q.Get("max")), Sort: sorting(q.Get("sort")), Paging: rest.Paging{Limit: 24, Cursor: q.Get("cursor")},
	}
	if !plain(in.Category) || !plain(in.Region) || !plain(in.Seller) || !plain(in.Label) {
		return catalog.ErrQuery
	}
	found, err := s.Catalog.List(v.Context(), in)
	if err != nil {
		return err
	}
	l := listing{
		Page: v.Page, Q: in.Q, Category: in.Category, Region: in.Region, Seller: in.Seller, Heading: v.T("shop.latest"),
		Label: in.Label, Min: in.Min, Max: in.Max, Sort: in.Sort,
	}
	l.Narrowed = in.Region+in.Label+in.Min+in.Max != "" || in.Sort != "relevance"
	l.narrow(found.Facets)
	if v.Public = in.Q+in.Label+in.Min+in.Max+in.Seller == "" && in.Sort == "relevance" && in.Paging.Cursor == ""; in.Q != "" {
		l.Heading = v.T("shop.found", "q", in.Q)
		v.Title = l.Heading
	}
	v.Description = v.T("common.tagline")
	l.Cats = l.categories(found.Facets["category"])
	for i, c := range found.Data {
		l.Cards = append(l.Cards, card(v.Page, c, i >= inView))
	}
	if found.Next != nil {
		l.Next = l.with("cursor", *found.Next)
	}
	if len(l.Cards) == 0 {
		l.ideas()
	}
	return v.Show(marketPage(l))
}

// sorts are the ways to sort what is found.
var sorts = []string{"relevance", "newest", "price", "-price"}

func sorting(s string) string {
	if slices.Contains(sorts, s) {
		return s
	}
	return "relevance"
}

// amountOf is a price as the catalogue reads it; "" when it is none.
func amountOf(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), ",", ".")
	if m, err := money.Parse(s, money.MAD); err != nil || m.Sign() < 0 {
		return ""
	}
	return s
}

// with is the address of this list with something else chosen.
func (l listing) with(name, value string) string {
	sort := l.Sort
	if sort == "relevance" {
		sort = ""
	}
	queries := []string{"q", l.Q, "category", l.Category, "region", l.Region, "seller", l.Seller, "label", l.Label, "min", l.Min, "max", l.Max, "sort", sort, "cursor", ""}
	for i := 0; i < len(queries); i += 2 {
		if queries[i] == name {
			queries[i+1] = value
		}
	}
	return l.Href("/", queries...)
}

// narrow is what else can be chosen: where something is, and the labels there are.
func (l *listing) narrow(facets map[string]map[string]int) {
	l.Regions = []ui.Option{{Value: "", Text: l.T("shop.all_regions")}}
	for _, r := range geo.Regions() {
		if n := facets["region"][r.Code]; n > 0 || r.Code == l.Region {
			l.Regions = append(l.Regions, ui.Option{Value: r.Code, Text: l.Say(r.Names).Text + " (" + l.Lang.Number(int64(n)) + ")"})
		}
	}
	l.Labels = []ui.Option{{Value: "", Text: l.T("shop.any_label")}}
	for _, code := range slices.Sorted(maps.Keys(facets["label"])) {
		l.Labels = append(l.Labels, ui.Option{Value: code, Text: code})
	}
	if l.Label != "" && facets["label"][l.Label] == 0 {
		l.Labels = append(l.Labels, ui.Option{Value: l.Label, Text: l.Label})
	}
}

// sortings are the ways to sort, to choose from.
func (l listing) sortings() (out []ui.Option) {
	for _, s := range sorts {
		out = append(out, ui.Option{Value: s, Text: l.T("shop.sort_" + s)})
	}
	return out
}

// ideas are kinds of goods to look at when nothing is found.
func (l *listing) ideas() {
	for _, k := range catalog.Categories[:min(8, len(catalog.Categories))] {
		l.Ideas = append(l.Ideas, ui.Cat{Href: l.Href("/", "category", k.Code), Icon: shelfIcons[k.Code], Name: l.Say(k.Names).Text})
	}
}

// inView is how many cards of a list stand open: on a telephone the others, and
// their pictures, are fetched by whoever wants to see them. Wide screens show all.
const inView = 6

// shorten keeps what the catalogue would look for.
func shorten(q string) string {
	q = strings.TrimSpace(strings.ReplaceAll(q, "\x00", ""))
	for utf8.RuneCountInString(q) > 200 {
		q = strings.TrimSpace(string([]rune(q)[:200]))
	}
	return q
}

// categories are those in which something is found, and the way back to all.
func (l listing) categories(counts map[string]int) []ui.Cat {
	if l.Category == "" && len(counts) < 2 {
		return nil
	}
	out := []ui.Cat{{Href: l.with("category", ""), Icon: "store", Name: l.T("shop.every"), Here: l.Category == ""}}
	for _, k := range catalog.Categories {
		if n := counts[k.Code]; n > 0 || k.Code == l.Category {
			out = append(out, ui.Cat{
				Href: l.with("category", k.Code),
				Icon: shelfIcons[k.Code], Name: l.Say(k.Names).Text, N: n, Here: k.Code == l.Category,
			})
		}
	}
	return out
}

// shelfIcons are the drawings of the categories.
var shelfIcons = map[string]string{
	"oils": "droplet", "honey": "hexagon", "dates": "cherry", "saffron": "flower-2", "spices": "soup", "preserves": "amphora", "couscous_grains": "wheat",
	"dairy": "milk", "fruits": "apple", "herbs_teas": "leaf", "cosmetics": "bath", "rugs": "rows-3", "textiles": "shirt", "pottery": "amphora",
	"leather": "briefcase", "wood": "trees", "basketry": "shopping-basket", "jewellery": "gem", "food_other": "sprout",
}

// How wide pictures stand: two cards beside each other on a telephone, and a
// product as wide as it, or as half of a desk.
const (
	cardSizes    = "(min-width:48rem) 13rem, 45vw"
	productSizes = "(min-width:48rem) 50vw, 100vw"
)

func card(p *ui.Page, c catalog.CardView, lazy bool) ui.Card {
	t := ui.Card{
		Href: p.Href("/p/" + c.ID), Name: p.Say(c.Names), Seller: p.Say(c.Seller.Names), SellerID: c.Seller.ID, Price: c.Price, Available: c.Available,
	}
	if c.Image != nil {
		t.Picture = picture(p, *c.Image, c.Drawing, c.Photo, cardSizes)
		t.Picture.Lazy = lazy
	}
	for _, l := range c.Labels {
		t.Labels = append(t.Labels, l.Code)
	}
	return t
}

// picture is a picture of an offer for a place of the page.
func picture(p *ui.Page, url string, drawing bool, photo *catalog.PhotoView, sizes string) ui.Picture {
	out := ui.Picture{URL: url, Drawing: drawing, Width: 480, Height: 360}
	if photo == nil || len(photo.Sizes) == 0 {
		return out
	}
	var set []string
	for _, s := range photo.Sizes {
		set = append(set, fmt.Sprintf("%s %dw", s.URL, s.Width))
	}
	widest := photo.Sizes[len(photo.Sizes)-1]
	out.Srcset, out.Sizes, out.Width, out.Height = strings.Join(set, ", "), sizes, widest.Width, widest.Height
	if len(photo.Alt) > 0 {
		out.Alt = p.Say(photo.Alt)
	}
	return out
}
