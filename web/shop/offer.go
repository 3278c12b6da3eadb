package shop

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/orders"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A product is one offer as it is shown.
type product struct {
	*ui.Page
	ID                 string
	Name, Seller, Text ui.Said
	SellerID           string
	Pictures           []ui.Picture
	Origin, Kind       string
	Exempt             string // why it cannot be given back
	Variants           []priced
	Tags, Labels       []string
	Category           string
	Chosen             string // the variant that is offered first; "" when all are sold out
	Tiers              []catalog.TierView
	LeadDays           int
	ByQuote            bool
	Reopens            string // the day on which its seller sells again
	Added              bool   // it was just put into the basket
	Rating             string
	Reviews            int
	Voices             []orders.ReviewView
}

// leavesIn is within how many days a seller sends what it has.
const leavesIn = 4

// A priced variant of the offer.
type priced struct {
	ID        string
	Name      ui.Said
	Price     money.Money
	Available bool
	Per       string // by which measure it can be compared: kg, l, …; "" when it has none
	PerPrice  money.Money
}

// offer shows one offer.
func (s *Shop) offer(v *site.Visit) error {
	if !plain(v.R.PathValue("offer")) {
		return site.ErrNotFound
	}
	o, err := s.Catalog.Show(v.Context(), catalog.OfferInput{Offer: v.R.PathValue("offer")})
	if err != nil {
		return err
	}
	p := show(v.Page, o)
	if p.Reviews > 0 {
		p.Voices = voices(v, o.ID)
	}
	p.Added = v.Query.Has("ajoute")
	v.Query.Del("ajoute")
	v.Title, v.Description, v.Public = p.Name.Text, summary(p.Text.Text), true
	v.Head = described(headOf(v.Page, "product", first(o.Images), p.thing(o)))
	return v.Show(offerPage(p))
}

// mostVoices is how many reviews stand on the page of an offer.
const mostVoices = 5

// voices are the latest reviews. The page does without them when they cannot be
// read.
func voices(v *site.Visit, offer string) []orders.ReviewView {
	page, err := site.Get[rest.Page[orders.ReviewView]](v, "/v1/offers/"+offer+"/reviews?limit="+strconv.Itoa(mostVoices))
	if err != nil {
		return nil
	}
	return page.Data
}

// first is the first picture, for those who share the page.
func first(all []catalog.ImageView) string {
	if len(all) == 0 {
		return ""
	}
	if p := all[0].Photo; p != nil && len(p.Sizes) > 0 {
		return p.Sizes[len(p.Sizes)-1].URL
	}
	return all[0].URL
}

// thing is the offer in the words of schema.org.
func (p product) thing(o catalog.View) map[string]any {
	at := p.site() + p.In(p.Lang)
	out := map[string]any{
		"@type": "Product", "name": p.Name.Text, "description": summary(p.Text.Text), "url": at,
		"brand": map[string]any{"@type": "Brand", "name": p.Seller.Text},
	}
	if x := first(o.Images); x != "" {
		out["image"] = p.site() + x
	}
	var offers []map[string]any
	for _, x := range p.Variants {
		stock := "https://schema.org/OutOfStock"
		if x.Available {
			stock = "https://schema.org/InStock"
		}
		offers = append(offers, map[string]any{
			"@type": "Offer", "name": cmp.Or(x.Name.Text, p.Name.Text), "price": x.Price.Amount(), "priceCurrency": x.Price.Currency(), "availability": stock, "url": at,
		})
	}
	out["offers"] = offers
	if p.Rating != "" {
		out["aggregateRating"] = map[string]any{"@type": "AggregateRating", "ratingValue": p.Rating, "reviewCount": p.Reviews}
	}
	return out
}

// site is the scheme and host of the site.
func (p product) site() string { return p.Page.Origin }

func show(page *ui.Page, o catalog.View) product {
	p := product{
		Page: page, ID: o.ID, Name: page.Say(o.Names), Seller: page.Say(o.Seller.Names), Text: page.Say(o.Descriptions), SellerID: o.Seller.ID,
		Category: o.Category, ByQuote: o.Way == catalog.ByQuote,
		Origin: place(page, o.Commune, o.Region),
	}
	for i, m := range o.Images {
		x := picture(page, m.URL, m.Drawing, m.Photo, productSizes)
		x.First, x.Lazy = i == 0, i > 0
		p.Pictures = append(p.Pictures, x)
	}
	slices.SortStableFunc(o.Variants, func(a, b catalog.VariantView) int { return cmp.Compare(a.Price.Centimes(), b.Price.Centimes()) })
	for _, x := range o.Variants {
		name := page.Say(x.Names)
		if name.Text == "" && len(o.Variants) > 1 {
			name.Text = x.SKU // by which several are told apart
		}
		one := priced{ID: x.ID, Name: name, Price: x.Price, Available: x.Available > 0}
		if u := x.UnitPrice; u != nil && u.Per != "piece" && !u.Price.Equal(x.Price) {
			one.Per, one.PerPrice = u.Per, u.Price
		}
		p.Variants = append(p.Variants, one)
		if p.Chosen == "" && one.Available {
			p.Chosen, p.LeadDays, p.Tiers = x.ID, x.LeadDays, x.Tiers
		}
	}
	if len(p.Variants) > 1 {
		p.Tiers = nil // each size has its own
	}
	if o.Rating != nil {
		p.Rating, p.Reviews = o.Rating.Average, o.Rating.Reviews
	}
	if day, err := time.Parse(time.DateOnly, o.Reopens); err == nil {
		p.Reopens = page.Lang.Day(day)
	}
	for _, l := range o.Labels {
		p.Tags = append(p.Tags, l.Code)
		p.Labels = append(p.Labels, label(page, l))
	}
	if o.WithdrawalExempt != "" {
		p.Exempt = page.T("shop." + o.WithdrawalExempt)
	}
	if k, ok := catalog.Category(o.Category); ok {
		p.Kind = page.Say(k.Names).Text
	}
	return p
}

// label is a label with its proof.
func label(p *ui.Page, l catalog.LabelView) string {
	parts := []string{l.Code}
	if l.Issuer != "" {
		parts = append(parts, l.Issuer)
	}
	if l.Number != "" {
		parts = append(parts, p.T("shop.label_number", "n", isolate(l.Number)))
	}
	if l.ValidTo != nil {
		parts = append(parts, p.T("shop.label_until", "d", isolate(*l.ValidTo)))
	}
	return strings.Join(parts, p.T("common.comma"))
}

// isolate keeps a number in order within a line of any direction.
func isolate(s string) string { return "\u2068" + s + "\u2069" }

// place is a commune and its region in the page's language.
func place(p *ui.Page, commune, region string) string {
	var parts []string
	if commune != "" {
		name := commune
		if found, ok := geo.Find(commune); ok && found.Names[string(p.Lang.Text())] != "" {
			name = found.Names[string(p.Lang.Text())]
		}
		parts = append(parts, name)
	}
	for _, r := range geo.Regions() {
		if r.Code == region {
			parts = append(parts, p.Say(r.Names).Text)
		}
	}
	return strings.Join(parts, p.T("common.comma"))
}
