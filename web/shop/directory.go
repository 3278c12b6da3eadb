package shop

import (
	"slices"
	"strings"

	"github.com/a-h/templ"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/directory"
	"tiwiza/marketplace/members"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/rest"
	"tiwiza/web/chart"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A roll is a piece of the directory, or what is found in it.
type roll struct {
	*ui.Page
	Q, Region, Kind, Trade, Label string
	Kinds, Trades, Regions        []ui.Option
	Seen                          []string // labels of the members of this page
	Heading                       string
	Map                           string
	Members                       []memberCard
	Next                          string
}

// A memberCard is a member in a list.
type memberCard struct {
	ID, Place, Kind string
	Name            ui.Said
	Trades, Labels  []string
}

// kinds are the kinds of members that the directory has.
var kinds = []members.Kind{members.Cooperative, members.Entrepreneur, members.Provider, members.Institution, members.Bank, members.Insurer, members.EPayment}

// directory shows who the members are: all of them, or those who are looked for.
func (s *Shop) directory(v *site.Visit) error {
	q := v.Query
	r := roll{
		Page: v.Page, Q: shorten(strings.ToValidUTF8(q.Get("q"), "")), Region: q.Get("region"), Kind: q.Get("kind"), Trade: q.Get("trade"), Label: strings.TrimSpace(q.Get("label")),
		Heading: v.T("directory.members"),
	}
	if runes := []rune(r.Q); len(runes) > 100 {
		r.Q = strings.TrimSpace(string(runes[:100]))
	}
	if !plain(r.Region) || !plain(r.Kind) || !plain(r.Trade) || !plain(r.Label) || !plain(q.Get("cursor")) {
		return catalog.ErrQuery
	}
	found, err := site.Open[rest.Page[directory.EntryView]](v, ui.Href(ui.French, "/v1/directory", "q", r.Q, "region", r.Region, "kind", r.Kind, "trade", r.Trade, "label", r.Label, "cursor", q.Get("cursor")))
	if err != nil {
		return err
	}
	r.choices()
	var places []chart.Place
	for _, m := range found.Data {
		card := memberCard{ID: m.Organisation, Place: place(v.Page, m.Commune, m.Region), Kind: v.T("directory.kind_" + string(m.Kind)), Name: v.Say(m.Names), Trades: tradesOf(v.Page, m.Trades), Labels: codesOf(m.Labels)}
		r.Members = append(r.Members, card)
		places = append(places, chart.Place{Lat: m.Point.Lat, Lng: m.Point.Lng, Name: card.Name.Text})
		for _, code := range card.Labels {
			if !slices.Contains(r.Seen, code) {
				r.Seen = append(r.Seen, code)
			}
		}
	}
	r.Map = chart.Places(chart.Figure{ID: "map", Title: v.T("directory.map"), Finding: v.T("directory.map_say", "n", len(places))}, r.Region, places, regionName(v.Page))
	if found.Next != nil {
		r.Next = r.with("cursor", *found.Next)
	}
	v.Title, v.Description = v.T("directory.title"), v.T("directory.about")
	v.Public = r.Q+r.Label+q.Get("cursor") == ""
	if r.Q != "" {
		r.Heading = v.T("directory.found", "q", r.Q)
		v.Title = r.Heading
	}
	return v.Show(directoryPage(r))
}

// with is the address of this list with something else chosen, from its beginning.
func (r roll) with(name, value string) string {
	queries := []string{"q", r.Q, "region", r.Region, "kind", r.Kind, "trade", r.Trade, "label", r.Label, "cursor", ""}
	for i := 0; i < len(queries); i += 2 {
		if queries[i] == name {
			queries[i+1] = value
		}
	}
	return r.Href("/annuaire", queries...)
}

// narrowed says whether less than all is shown.
func (r roll) narrowed() bool { return r.Kind+r.Trade+r.Label != "" }

// choices are what one can choose from.
func (r *roll) choices() {
	r.Regions = []ui.Option{{Value: "", Text: r.T("directory.all_regions")}}
	for _, x := range geo.Regions() {
		r.Regions = append(r.Regions, ui.Option{Value: x.Code, Text: r.Say(x.Names).Text})
	}
	r.Kinds = []ui.Option{{Value: "", Text: r.T("directory.any_kind")}}
	for _, k := range kinds {
		r.Kinds = append(r.Kinds, ui.Option{Value: string(k), Text: r.T("directory.kind_" + string(k))})
	}
	r.Trades = []ui.Option{{Value: "", Text: r.T("directory.any_trade")}}
	for _, c := range catalog.Categories {
		r.Trades = append(r.Trades, ui.Option{Value: c.Code, Text: r.Say(c.Names).Text})
	}
}

func regionName(p *ui.Page) func(chart.Region) string {
	return func(r chart.Region) string { return p.Say(r.Names).Text }
}

// tradesOf are the names of categories.
func tradesOf(p *ui.Page, codes []string) (names []string) {
	for _, code := range codes {
		if c, ok := catalog.Category(code); ok {
			names = append(names, p.Say(c.Names).Text)
		}
	}
	return names
}

// codesOf are the codes of labels, each once: a member may have one for several of
// its offers.
func codesOf(labels []directory.BadgeView) (codes []string) {
	for _, l := range labels {
		if !slices.Contains(codes, l.Code) {
			codes = append(codes, l.Code)
		}
	}
	return codes
}

// A profile is a member as this visitor may see it.
type profile struct {
	*ui.Page
	ID, Kind, Place string
	Region          string
	Name, Story     ui.Said
	Labels          []profileLabel
	Trades          []ui.Cat
	Sells           bool
	Fields          []profileField
	Map             string
}

type profileLabel struct{ Code, Issuer, Number, Period string }

// A profileField is something that a member shows besides. Link is where it leads;
// "" when it is words.
type profileField struct {
	Code, Value string
	Link        templ.SafeURL
}

// fieldOrder is how the fields stand below each other.
var fieldOrder = []string{"contact", "phone", "email", "website", "hours", "capacity", "certificates"}

// member shows one member.
func (s *Shop) member(v *site.Visit) error {
	org := v.R.PathValue("org")
	if !plain(org) {
		return site.ErrNotFound
	}
	m, err := site.Open[directory.ProfileView](v, "/v1/directory/"+escape(org))
	if err != nil {
		return err
	}
	x := profile{
		Page: v.Page, ID: m.Organisation, Kind: v.T("directory.kind_" + string(m.Kind)), Place: place(v.Page, m.Commune, m.Region), Region: m.Region,
		Name: v.Say(m.Names), Story: v.Say(m.Story), Sells: m.Offers != "",
	}
	for _, l := range m.Labels {
		x.Labels = append(x.Labels, profileLabel{l.Code, l.Issuer, l.Number, period(v.Page, l)})
	}
	for _, code := range m.Trades {
		if c, ok := catalog.Category(code); ok {
			x.Trades = append(x.Trades, ui.Cat{Href: v.Href("/annuaire", "trade", code), Icon: shelfIcons[code], Name: v.Say(c.Names).Text})
		}
	}
	for _, code := range fieldOrder {
		if value := m.Fields[code]; value != "" {
			x.Fields = append(x.Fields, profileField{code, value, linked(code, value)})
		}
	}
	dot := []chart.Place{{Lat: m.Point.Lat, Lng: m.Point.Lng, Name: x.Name.Text}}
	x.Map = chart.Places(chart.Figure{ID: "map", Title: v.T("directory.map"), Finding: v.T("directory.at", "place", x.Place)}, m.Region, dot, regionName(v.Page))
	v.Title, v.Public, v.Description = x.Name.Text, true, summary(x.Story.Text)
	if v.Description == "" {
		v.Description = x.Name.Text + v.T("common.comma") + x.Place
	}
	if v.Token() != "" { // what this visitor sees is for it alone
		v.W.Header().Set("Cache-Control", "no-store")
	}
	v.Head = described(headOf(v.Page, "profile", "", x.thing(m)))
	return v.Show(memberPage(x))
}

// thing is the member in the words of schema.org. What it shows besides is not part
// of it: that may be for this visitor alone.
func (x profile) thing(m directory.ProfileView) map[string]any {
	at := x.Origin + x.In(x.Lang)
	out := map[string]any{
		"@type": "Organization", "@id": at, "name": x.Name.Text, "description": x.Description, "url": at,
		"address": map[string]any{"@type": "PostalAddress", "addressLocality": m.Commune, "addressRegion": m.Region, "addressCountry": "MA"},
	}
	if m.Point.Lat != 0 || m.Point.Lng != 0 {
		out["location"] = map[string]any{"@type": "Place", "geo": map[string]any{"@type": "GeoCoordinates", "latitude": m.Point.Lat, "longitude": m.Point.Lng}}
	}
	var seals []map[string]any
	for _, l := range m.Labels {
		seal := map[string]any{"@type": "Certification", "name": l.Code, "certificationIdentification": l.Number, "issuedBy": map[string]any{"@type": "Organization", "name": l.Issuer}}
		if l.ValidFrom != "" {
			seal["validFrom"] = l.ValidFrom
		}
		if l.ValidTo != "" {
			seal["expires"] = l.ValidTo
		}
		seals = append(seals, seal)
	}
	if len(seals) > 0 {
		out["hasCertification"] = seals
	}
	return out
}

// period is how long a label holds, in words.
func period(p *ui.Page, l directory.BadgeView) string {
	from, to := p.Lang.OnDay(l.ValidFrom), p.Lang.OnDay(l.ValidTo)
	switch {
	case from != "" && to != "":
		return p.T("directory.from_to", "from", from, "to", to)
	case from != "":
		return p.T("directory.since", "from", from)
	case to != "":
		return p.T("directory.until", "to", to)
	}
	return ""
}

// linked is where the value of a field leads: the interface has checked that it is
// what its code says.
func linked(code, value string) templ.SafeURL {
	switch code {
	case "phone":
		return templ.SafeURL("tel:" + value)
	case "email":
		return templ.URL("mailto:" + value)
	case "website":
		return templ.URL(value)
	}
	return ""
}

// mapOfMembers lists the members of a region, by their names.
func (s *Shop) mapOfMembers(v *site.Visit, region string) error {
	if !slices.ContainsFunc(geo.Regions(), func(r geo.Region) bool { return r.Code == region }) {
		return site.ErrNotFound
	}
	var paths []string
	for cursor := ""; len(paths) < mostMapped; {
		found, err := site.Stranger[rest.Page[directory.EntryView]](v, ui.Href(ui.French, "/v1/directory", "region", region, "limit", "100", "cursor", cursor))
		if err != nil {
			return err
		}
		for _, m := range found.Data {
			paths = append(paths, "/annuaire/"+m.Organisation)
		}
		if found.Next == nil {
			break
		}
		cursor = *found.Next
	}
	return writeMap(v, mapOf(v.Origin, paths))
}
