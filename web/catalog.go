package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// A said text knows its language, which may not be the page's.
type said struct{ Lang, Text string }

// say picks the text in the page's language, or in the next best.
func (p page) say(texts map[string]string) said {
	for _, lang := range []string{p.Lang, "fr", "ar", "en", "zgh"} {
		if t := texts[lang]; t != "" {
			return said{lang, t}
		}
	}
	return said{p.Lang, ""}
}

// A picture is what the template «picture» shows. A photograph has widths to
// choose from.
type picture struct {
	T              map[string]string
	Image          string
	Srcset, Sizes  string
	Alt            said
	Width, Height  int
	Drawing, First bool // First: it is what the page is about
	Lazy           bool
}

// How wide pictures stand: two cards beside each other on a telephone, and a
// product as wide as it, or as half of a desk.
const (
	cardSizes    = "(min-width:48rem) 12rem, 45vw"
	productSizes = "(min-width:48rem) 50vw, 100vw"
)

// picture is a picture of an offer for a place of the page.
func (p page) picture(url string, drawing bool, photo *catalog.PhotoView, sizes string) picture {
	out := picture{T: p.T, Image: url, Drawing: drawing, Width: 480, Height: 360}
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
		out.Alt = p.say(photo.Alt)
	}
	return out
}

// A tile is one offer of the list.
type tile struct {
	picture
	Href      string
	Name      said
	Seller    said
	Price     string
	Available bool
	Labels    []string
}

// A cat is one category to choose.
type cat struct {
	Href, Name string
	N          int
	Here       bool
}

// list shows offers: all of them, of a category, or what is looked for.
func (s *site) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	in := catalog.ListInput{
		Q: shorten(strings.ToValidUTF8(q.Get("q"), "")), Lang: q.Get("lang"), Category: q.Get("category"), Region: q.Get("region"),
		Seller: q.Get("seller"), Sort: "relevance", Paging: rest.Paging{Limit: 24, Cursor: q.Get("cursor")},
	}
	if !plain(in.Category) || !plain(in.Region) || !plain(in.Seller) {
		s.problem(w, r, catalog.ErrQuery)
		return
	}
	found, err := s.catalog.List(r.Context(), in)
	if err != nil {
		s.problem(w, r, err)
		return
	}
	p := struct {
		page
		Heading string
		Cats    []cat
		Cards   []tile
		Next    string
	}{page: newPage(r)}
	p.Q, p.Category = in.Q, in.Category
	p.Title, p.Heading = p.T["tagline"], p.T["latest"]
	if in.Q != "" {
		p.Heading = fmt.Sprintf(p.T["found"], in.Q)
		p.Title = p.Heading + " – " + p.T["brand"]
	}
	p.Cats = p.categories(in, found.Facets["category"])
	for i, c := range found.Data {
		t := p.tile(c)
		t.Lazy = i >= inView
		p.Cards = append(p.Cards, t)
	}
	if found.Next != nil {
		p.Next = p.href("/", "q", in.Q, "category", in.Category, "region", in.Region, "seller", in.Seller, "cursor", *found.Next)
	}
	show(w, r, http.StatusOK, "list", p)
}

// inView is how many cards of a list are seen before one scrolls.
const inView = 6

// plain says that a database can look for s.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// shorten keeps what the catalogue would look for.
func shorten(q string) string {
	q = strings.TrimSpace(strings.ReplaceAll(q, "\x00", ""))
	for utf8.RuneCountInString(q) > 200 {
		q = strings.TrimSpace(string([]rune(q)[:200]))
	}
	return q
}

// categories are those in which something is found, and the way back to all.
func (p page) categories(in catalog.ListInput, counts map[string]int) []cat {
	if in.Category == "" && len(counts) < 2 {
		return nil
	}
	out := []cat{{p.href("/", "q", in.Q, "region", in.Region, "seller", in.Seller), p.T["every"], 0, in.Category == ""}}
	for _, k := range catalog.Categories {
		if n := counts[k.Code]; n > 0 || k.Code == in.Category {
			out = append(out, cat{p.href("/", "q", in.Q, "region", in.Region, "seller", in.Seller, "category", k.Code), p.say(k.Names).Text, n, k.Code == in.Category})
		}
	}
	return out
}

func (p page) tile(c catalog.CardView) tile {
	t := tile{
		Href: p.href("/offres/" + c.ID), Name: p.say(c.Names), Seller: p.say(c.Seller.Names),
		Price: amount(c.Price), Available: c.Available,
	}
	t.picture = picture{T: p.T}
	if c.Image != nil {
		t.picture = p.picture(*c.Image, c.Drawing, c.Photo, cardSizes)
	}
	for _, l := range c.Labels {
		t.Labels = append(t.Labels, l.Code)
	}
	return t
}

// amount writes dirhams as people do: 1 240,00 with a narrow space.
func amount(m money.Money) string {
	whole, cents, _ := strings.Cut(m.Amount(), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "\u202f" + whole[i:]
	}
	return whole + "," + cents
}

// A priced variant of the offer that is open.
type priced struct {
	Name, Price string
	Available   bool
}

// offer shows one offer.
func (s *site) offer(w http.ResponseWriter, r *http.Request) {
	if !plain(r.PathValue("offer")) {
		s.unknown(w, r)
		return
	}
	v, err := s.catalog.Show(r.Context(), catalog.OfferInput{Offer: r.PathValue("offer")})
	if err != nil {
		s.problem(w, r, err)
		return
	}
	p := struct {
		page
		Origin, Kind, Exempt    string
		Picture                 picture
		More                    []picture
		Name, Seller, Text      said
		SellerHref, From, Price string
		Prices                  []priced
		Tags, Labels            []string
	}{page: newPage(r)}
	p.Name, p.Seller, p.Text = p.say(v.Names), p.say(v.Seller.Names), p.say(v.Descriptions)
	p.Title = p.Name.Text + " – " + p.T["brand"]
	p.SellerHref = p.href("/", "seller", v.Seller.ID)
	p.Picture = picture{T: p.T}
	for i, m := range v.Images {
		shown := p.picture(m.URL, m.Drawing, m.Photo, productSizes)
		if i == 0 {
			shown.First = true
			p.Picture = shown
			continue
		}
		shown.Lazy = true
		p.More = append(p.More, shown)
	}
	slices.SortStableFunc(v.Variants, func(a, b catalog.VariantView) int { return cmp.Compare(a.Price.Centimes(), b.Price.Centimes()) })
	for _, x := range v.Variants {
		name := p.say(x.Names).Text
		p.Prices = append(p.Prices, priced{cmp.Or(name, x.SKU), amount(x.Price), x.Available > 0})
	}
	if len(p.Prices) > 0 {
		p.Price = p.Prices[0].Price
	}
	if len(p.Prices) > 1 {
		p.From = p.T["from"]
	}
	for _, l := range v.Labels {
		p.Tags = append(p.Tags, l.Code)
		p.Labels = append(p.Labels, p.label(l))
	}
	p.Origin, p.Exempt = p.origin(v), p.T[v.WithdrawalExempt]
	if k, ok := catalog.Category(v.Category); ok {
		p.Kind = p.say(k.Names).Text
	}
	show(w, r, http.StatusOK, "offer", p)
}

// label is a label with its proof.
func (p page) label(l catalog.LabelView) string {
	parts := []string{l.Code}
	if l.Issuer != "" {
		parts = append(parts, l.Issuer)
	}
	if l.Number != "" {
		parts = append(parts, fmt.Sprintf(p.T["labelNumber"], "\u2068"+l.Number+"\u2069"))
	}
	if l.ValidTo != nil {
		parts = append(parts, fmt.Sprintf(p.T["labelUntil"], "\u2068"+*l.ValidTo+"\u2069"))
	}
	return strings.Join(parts, p.T["comma"])
}

// origin is where the offer comes from, in the page's language.
func (p page) origin(v catalog.View) string {
	var parts []string
	if v.Commune != "" {
		name := v.Commune
		if place, ok := geo.Find(v.Commune); ok && place.Names[p.Lang] != "" {
			name = place.Names[p.Lang]
		}
		parts = append(parts, name)
	}
	for _, r := range geo.Regions() {
		if r.Code == v.Region {
			parts = append(parts, p.say(r.Names).Text)
		}
	}
	return strings.Join(parts, p.T["comma"])
}
