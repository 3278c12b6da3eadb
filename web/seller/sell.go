package seller

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/latin"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A size is a variant as it is sold: its price and how many there are.
type size struct {
	SKU, ID, Price, Left string
	Name                 ui.Said
}

type sellPage struct {
	at
	Action, Key    string
	Offer          string // "" a new one
	Picture        ui.Picture
	Name, Category string
	Voice          bool
	Sizes          []size
	Kinds          []kind
	Guide          *guideView
	Wrongs         []ui.Wrong
	NeedsPhoto     bool
	Shell          bool            // nobody's: a telephone keeps it for when there is no network
	Held           map[string]held // files that came before, by their fields
}

// A kind of goods, as a picture to tap.
type kind struct {
	Code, Icon, Name string
	Here             bool
}

// shelfIcons are the drawings of the kinds of goods.
var shelfIcons = map[string]string{
	"oils": "droplet", "honey": "hexagon", "dates": "cherry", "saffron": "flower", "spices": "soup", "preserves": "amphora", "couscous_grains": "wheat",
	"dairy": "milk", "fruits": "apple", "herbs_teas": "leaf", "cosmetics": "bath", "rugs": "layers", "textiles": "shirt", "pottery": "amphora",
	"leather": "briefcase", "wood": "trees", "basketry": "shopping-basket", "jewellery": "gem", "food_other": "sprout",
}

func (p *sellPage) kinds(v *site.Visit) {
	for _, k := range catalog.Categories {
		x := kind{k.Code, shelfIcons[k.Code], v.Say(k.Names).Text, k.Code == p.Category}
		if x.Icon == "" {
			x.Icon = "tag"
		}
		if x.Here {
			p.Kinds = slices.Insert(p.Kinds, 0, x)
		} else {
			p.Kinds = append(p.Kinds, x)
		}
	}
}

// sell is one screen: photo, price, publish.
func (d *Desk) sell(v *site.Visit, seat site.Seat) error {
	p := sellPage{at: d.at(v, seat, v.T("sell.sell"), "/v"), Action: v.Href("/v/vendre"), Key: site.NewKey(), Sizes: []size{{Left: "1"}}, NeedsPhoto: true}
	last, err := site.Get[page[catalog.View]](v, "/v1/offers/mine?limit=1")
	if err != nil {
		return err
	}
	if p.Category = "food_other"; len(last.Data) > 0 {
		p.Category = last.Data[0].Category
	}
	return d.showSell(v, http.StatusOK, p)
}

func (d *Desk) showSell(v *site.Visit, status int, p sellPage) error {
	p.kinds(v)
	if len(p.Sizes) > 0 {
		if g, err := d.guideOf(v, p.Sizes[0].Price, p.Category); err == nil {
			p.Guide = &g
		}
	}
	return v.ShowAs(status, sellView(p))
}

// guideView is what a price means: in notes and words, what the seller has of it,
// and what others ask for the like.
type guideView struct {
	at
	Price   *money.Money
	Words   string
	Share   *money.Money
	Low, Up *money.Money
}

// guide is a piece of the page: seller.js asks for it while a price is typed.
func (d *Desk) guide(v *site.Visit, seat site.Seat) error {
	category := v.Query.Get("categorie")
	if category != "" && !plain(category) {
		return site.ErrNotFound
	}
	g, err := d.guideOf(v, v.Query.Get("prix"), category)
	if err != nil {
		return err
	}
	g.at = d.at(v, seat, "", "")
	return v.Show(guidePart(g))
}

func (d *Desk) guideOf(v *site.Visit, price, category string) (g guideView, err error) {
	g.Page = v.Page
	found, err := d.Catalog.List(v.Context(), catalog.ListInput{Category: category, Lang: string(v.Lang.Text()), Sort: "relevance", Paging: rest.Paging{Limit: 24}})
	if err != nil {
		return g, err
	}
	if n := len(found.Data); n >= 4 {
		prices := make([]money.Money, n)
		for i, c := range found.Data {
			prices[i] = c.Price
		}
		slices.SortFunc(prices, money.Money.Cmp)
		g.Low, g.Up = &prices[n/4], &prices[3*n/4]
	}
	m, err := readPrice(price)
	if err != nil {
		return g, nil // nothing typed yet, or half of it
	}
	share, err := site.Get[struct {
		Share money.Money `json:"share"`
	}](v, "/v1/fees/share"+query("goods", m.Amount(), "category", category))
	if err != nil {
		return g, err
	}
	g.Price, g.Words, g.Share = &m, v.Lang.Words(m), &share.Share
	return g, nil
}

var errPrice = errors.New("no price")

// readPrice reads a price as people type it: 145, 145,50 or 1 240.
func readPrice(s string) (money.Money, error) {
	m, err := money.Parse(digits(s), money.MAD)
	if err != nil || m.Sign() <= 0 {
		return m, errPrice
	}
	return m, nil
}

// digits are those of a number as people type it: in Arabic digits too, with a comma
// or a point, its thousands apart.
func digits(typed string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case r == ',' || r == '٫':
			return '.'
		}
		return latin.Digit(r)
	}, typed)
}

// names are a name in the language that it is written in. Without one the goods
// are called what they are.
func names(typed, category string) map[string]string {
	switch {
	case typed == "":
		k, _ := catalog.Category(category)
		return k.Names
	case strings.ContainsFunc(typed, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }):
		return map[string]string{"ar": typed}
	}
	return map[string]string{"fr": typed}
}

// most signs of a name, and bytes of a photograph and of a voice note.
const (
	mostName  = 200
	mostPhoto = 12 << 20
	mostVoice = 3 << 20
)

// A form is what was sent with the page to sell.
type form struct {
	sellPage
	photo, voice       []byte
	photoKind, sayKind string
}

// read reads the form, and says what is wrong with it.
func (f *form) read(v *site.Visit) (err error) {
	if v.Form() == nil {
		return &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.file_too_large"}
	}
	wrong := func(name, key string) { f.Wrongs = append(f.Wrongs, ui.Wrong{Name: name, Text: v.T(key)}) }
	f.Key, f.Name, f.Category = v.Key(), v.Field("nom"), v.Field("categorie")
	if _, f.photoKind, f.photo, err = v.File("photo", mostPhoto); err != nil {
		wrong("photo", "problem.pages.file_too_large")
	}
	if _, f.sayKind, f.voice, err = v.File("voix", mostVoice); err != nil {
		wrong("nom", "sell.voice_large")
	}
	if len(f.photo) == 0 {
		f.photoKind, f.photo = recall(v, "photo")
	}
	if len(f.voice) == 0 {
		f.sayKind, f.voice = recall(v, "voix")
	}
	if f.NeedsPhoto && len(f.photo) == 0 && len(f.Wrongs) == 0 {
		wrong("photo", "sell.wants_photo")
	}
	if _, ok := catalog.Category(f.Category); !ok {
		wrong("categorie", "sell.wants_kind")
	}
	for i := range f.Sizes {
		n := strconv.Itoa(i)
		f.Sizes[i].Price, f.Sizes[i].Left = v.Field("prix-"+n), v.Field("reste-"+n)
		if _, err := readPrice(f.Sizes[i].Price); err != nil {
			wrong("prix-"+n, "sell.wants_price")
		}
		if left, err := strconv.Atoi(f.Sizes[i].Left); err != nil || left < 0 || left > 1_000_000 {
			wrong("reste-"+n, "sell.wants_left")
		}
	}
	return nil
}

// fields of the form by what the interface calls them.
var sellFields = map[string]string{
	"/names/fr": "nom", "/names/ar": "nom", "/category": "categorie", "/voice": "nom", "/variants/0/price": "prix-0", "/variants/0/on_hand": "reste-0", "/on_hand": "reste-0",
}

// publish takes the form in: it makes the offer, gives it its photograph and shows
// it. The form's key is the offer's own key, so what is sent twice, or sent again
// after it was put right, is the same offer.
func (d *Desk) publish(v *site.Visit, seat site.Seat) error {
	f := form{sellPage: sellPage{at: d.at(v, seat, v.T("sell.sell"), "/v"), Action: v.Href("/v/vendre"), Sizes: []size{{}}, NeedsPhoto: true}}
	if err := f.read(v); err != nil {
		return err
	}
	if len(f.Wrongs) > 0 {
		f.hold(v)
		return d.showSell(v, http.StatusUnprocessableEntity, f.sellPage)
	}
	offer, err := d.store(v, seat, &f)
	if err == nil {
		err = d.dress(v, offer.ID, &f)
	}
	if err == nil && offer.State != catalog.Published {
		_, err = site.Post[struct{}](v, "/v1/offers/"+offer.ID+"/publish", nil)
	}
	if err != nil {
		return d.again(v, &f, err)
	}
	return v.Go("/v/vendu/" + offer.ID)
}

// again shows the form with what the interface found wrong; what is no fault of
// the form is a page of its own.
func (d *Desk) again(v *site.Visit, f *form, err error) error {
	fault, ok := errors.AsType[*site.Fault](err)
	if !ok || fault.Status == http.StatusNotFound || fault.Status == http.StatusUnauthorized || fault.Status >= 500 {
		return err
	}
	if f.Wrongs = v.Wrongs(err, sellFields); fault.Code == "pages.photo" {
		f.photo = nil // another one is asked for
	}
	f.hold(v)
	return d.showSell(v, http.StatusUnprocessableEntity, f.sellPage)
}

// store makes the offer, or finds the one that the same form made before.
func (d *Desk) store(v *site.Visit, seat site.Seat, f *form) (offer catalog.View, err error) {
	home, err := site.Get[struct {
		Region  string `json:"region"`
		Commune string `json:"commune"`
	}](v, "/v1/organisations/"+seat.Organisation)
	if err != nil {
		return offer, err
	}
	voice, err := f.say(v)
	if err != nil {
		return offer, err
	}
	price, _ := readPrice(f.Sizes[0].Price) // it was read before
	left, _ := strconv.Atoi(f.Sizes[0].Left)
	in := map[string]any{
		"key": f.Key, "category": f.Category, "names": names(f.Name, f.Category), "region": home.Region, "commune": home.Commune,
		"variants": []any{map[string]any{"sku": f.Key, "price": price, "on_hand": left}},
	}
	if voice != "" {
		in["voice"] = voice
	}
	offer, err = site.Post[catalog.View](v, "/v1/offers", in)
	if site.Code(err) != "catalog.key_taken" && site.Code(err) != "catalog.sku_taken" {
		return offer, err
	}
	before, err := site.Get[page[catalog.View]](v, "/v1/offers/mine"+query("key", f.Key, "limit", "1"))
	if err != nil || len(before.Data) == 0 {
		return offer, err
	}
	offer = before.Data[0]
	return offer, d.update(v, offer, f, voice)
}

// say hands the voice note over.
func (f *form) say(v *site.Visit) (id string, err error) {
	if len(f.voice) == 0 {
		return "", nil
	}
	kept, err := site.Upload[struct {
		ID string `json:"id"`
	}](v, "/v1/files?kind=sound", "voix", f.sayKind, f.voice)
	return kept.ID, err
}

// dress gives an offer its photograph, in front of the others.
func (d *Desk) dress(v *site.Visit, offer string, f *form) error {
	if len(f.photo) == 0 {
		return nil
	}
	kept, err := site.Upload[struct {
		ID string `json:"id"`
	}](v, "/v1/offers/"+offer+"/images", "photo", f.photoKind, f.photo)
	if err != nil {
		if fault, ok := errors.AsType[*site.Fault](err); ok && fault.Status < 500 {
			return &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.photo"}
		}
		return err
	}
	all, err := site.Get[catalog.View](v, "/v1/offers/"+offer)
	if err != nil {
		return err
	}
	ids := []string{kept.ID}
	for _, x := range all.Images {
		if x.Photo != nil && x.Photo.ID != kept.ID {
			ids = append(ids, x.Photo.ID)
		}
	}
	if len(ids) > 1 {
		_, err = site.Do[struct{}](v, http.MethodPut, "/v1/offers/"+offer+"/images", map[string]any{"images": ids})
	}
	return err
}

// update changes what the form says of an offer that is there.
func (d *Desk) update(v *site.Visit, offer catalog.View, f *form, voice string) error {
	in := map[string]any{"category": f.Category}
	if all := names(f.Name, f.Category); f.Name != "" && v.Say(offer.Names).Text != f.Name {
		for l, n := range offer.Names {
			if all[l] == "" {
				all[l] = n
			}
		}
		in["names"] = all
	}
	if voice != "" {
		in["voice"] = voice
	}
	var prices []any
	for i, s := range f.Sizes {
		if i < len(offer.Variants) {
			m, _ := readPrice(s.Price) // it was read before
			prices = append(prices, map[string]any{"sku": offer.Variants[i].SKU, "price": m})
		}
	}
	in["variants"] = prices
	if _, err := site.Do[struct{}](v, http.MethodPatch, "/v1/offers/"+offer.ID, in); err != nil {
		return err
	}
	for i, s := range f.Sizes {
		left, _ := strconv.Atoi(s.Left)
		if i >= len(offer.Variants) || offer.Variants[i].OnHand == nil || *offer.Variants[i].OnHand == left {
			continue
		}
		if _, err := site.Do[struct{}](v, http.MethodPatch, "/v1/variants/"+offer.Variants[i].ID+"/stock", map[string]any{"on_hand": left}); err != nil {
			return err
		}
	}
	return nil
}

// own is one of the seller's own offers.
func own(v *site.Visit, seat site.Seat) (catalog.View, error) {
	id, err := named(v, "offer")
	if err != nil {
		return catalog.View{}, err
	}
	o, err := site.Get[catalog.View](v, "/v1/offers/"+id)
	if err == nil && (o.Seller.ID != seat.Organisation || o.State == catalog.Archived) {
		err = site.ErrNotFound
	}
	return o, err
}

func (d *Desk) editing(v *site.Visit, seat site.Seat) (sellPage, catalog.View, error) {
	o, err := own(v, seat)
	if err != nil {
		return sellPage{}, o, err
	}
	p := sellPage{
		at: d.at(v, seat, v.T("sell.change"), "/v/produits"), Action: v.Href("/v/vendre/" + o.ID), Key: site.NewKey(), Offer: o.ID,
		Name: v.Say(o.Names).Text, Category: o.Category, Voice: o.Voice != "",
	}
	if len(o.Images) > 0 {
		p.Picture = wide(o.Images[0])
	}
	for _, x := range o.Variants {
		s := size{SKU: x.SKU, ID: x.ID, Price: strings.TrimSuffix(x.Price.Amount(), ".00"), Name: v.Say(x.Names)}
		if x.OnHand != nil {
			s.Left = strconv.Itoa(*x.OnHand)
		}
		p.Sizes = append(p.Sizes, s)
	}
	return p, o, nil
}

// edit is the same screen for goods that are there.
func (d *Desk) edit(v *site.Visit, seat site.Seat) error {
	p, _, err := d.editing(v, seat)
	if err != nil {
		return err
	}
	return d.showSell(v, http.StatusOK, p)
}

func (d *Desk) change(v *site.Visit, seat site.Seat) error {
	p, o, err := d.editing(v, seat)
	if err != nil {
		return err
	}
	f := form{sellPage: p}
	if err := f.read(v); err != nil {
		return err
	}
	if len(f.Wrongs) > 0 {
		f.hold(v)
		return d.showSell(v, http.StatusUnprocessableEntity, f.sellPage)
	}
	voice, err := f.say(v)
	if err == nil {
		err = d.update(v, o, &f, voice)
	}
	if err == nil {
		err = d.dress(v, o.ID, &f)
	}
	if err == nil && o.State == catalog.Draft {
		_, err = site.Post[struct{}](v, "/v1/offers/"+o.ID+"/publish", nil)
	}
	if err != nil {
		return d.again(v, &f, err)
	}
	return v.Go("/v/vendu/" + o.ID)
}

type soldPage struct {
	at
	Offer       string
	Card        ui.Card
	Price       money.Money
	Words       string
	Link, Share string
	Live        bool
	Key         string
}

// published shows the goods as buyers see them, what they cost in notes and in
// words, and how to tell of them.
func (d *Desk) published(v *site.Visit, seat site.Seat) error {
	o, err := own(v, seat)
	if err != nil {
		return err
	}
	p := soldPage{at: d.at(v, seat, v.T("sell.published"), "/v"), Offer: o.ID, Live: o.State == catalog.Published, Key: site.NewKey()}
	p.Card = ui.Card{Href: v.Href("/p/" + o.ID), Name: v.Say(o.Names), Seller: v.Say(o.Seller.Names), SellerID: o.Seller.ID, Available: o.Available, From: len(o.Variants) > 1}
	if len(o.Images) > 0 {
		p.Card.Picture = wide(o.Images[0])
	}
	for i, x := range o.Variants {
		if i == 0 || x.Price.Cmp(p.Price) < 0 {
			p.Price = x.Price
		}
	}
	if p.Card.Price = p.Price; len(o.Variants) > 0 {
		p.Words = v.Lang.Words(p.Price)
	}
	p.Link = v.Origin + v.Href("/p/"+o.ID)
	p.Share = "https://wa.me/" + query("text", fmt.Sprintf("%s, %s\n%s", p.Card.Name.Text, v.Sum(p.Price), p.Link))
	if !p.Live {
		v.Title = v.T("sell.hidden")
	}
	return v.Show(soldView(p))
}
