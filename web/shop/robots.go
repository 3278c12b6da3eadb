package shop

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"

	"tiwiza/marketplace/catalog"
	"tiwiza/pkg/geo"
	"tiwiza/pkg/rest"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// answer writes a file that is not a page.
func answer(v *site.Visit, kind string, b []byte) error {
	h := v.W.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = v.W.Write(b) // the visitor may be gone
	return nil
}

// private are the pages that no search engine has any business with.
var private = []string{"/panier", "/g/", "/o/", "/paiement/", "/factures/", "/moi", "/effacement/", "/entrer", "/v", "/op", "/b/", "/i/", "/l/", "/v1/"}

// robots tells search engines what to leave alone.
func (s *Shop) robots(v *site.Visit) error {
	var b strings.Builder
	b.WriteString("User-agent: *\n")
	for _, p := range private {
		b.WriteString("Disallow: " + p + "\n")
		for _, l := range ui.Langs[1:] {
			b.WriteString("Disallow: " + l.Prefix() + p + "\n")
		}
	}
	b.WriteString("Sitemap: " + v.Origin + "/sitemap.xml\n")
	return answer(v, "text/plain; charset=utf-8", []byte(b.String()))
}

// A place of a sitemap.
type mapped struct {
	Loc   string      `xml:"loc"`
	Links []alternate `xml:"xhtml:link"`
}

type alternate struct {
	Rel  string `xml:"rel,attr"`
	Lang string `xml:"hreflang,attr"`
	Href string `xml:"href,attr"`
}

type sitemap struct {
	XMLName xml.Name
	NS      string   `xml:"xmlns,attr"`
	XHTML   string   `xml:"xmlns:xhtml,attr,omitempty"`
	Sites   []mapped `xml:"sitemap"`
	Pages   []mapped `xml:"url"`
}

const sitemapNS = "http://www.sitemaps.org/schemas/sitemap/0.9"

// ofMembers begins the name of a map of the members of a region.
const ofMembers = "annuaire-"

// sitemaps lists the maps of the site: one for each kind of goods, and one for the
// members of each region.
func (s *Shop) sitemaps(v *site.Visit) error {
	m := sitemap{XMLName: xml.Name{Local: "sitemapindex"}, NS: sitemapNS}
	for _, k := range catalog.Categories {
		m.Sites = append(m.Sites, mapped{Loc: v.Origin + "/sitemap/" + k.Code})
	}
	for _, r := range geo.Regions() {
		m.Sites = append(m.Sites, mapped{Loc: v.Origin + "/sitemap/" + ofMembers + r.Code})
	}
	return writeMap(v, m)
}

// mostMapped is how many pages a map lists: the newest offers of their kind, or
// the first members of a region, read in pieces of a hundred.
const mostMapped = 1000

// sitemap lists the newest offers of one kind, or the members of a region.
func (s *Shop) sitemap(v *site.Visit) error {
	kind := v.R.PathValue("category")
	if region, ok := strings.CutPrefix(kind, ofMembers); ok {
		return s.mapOfMembers(v, region)
	}
	if !slices.ContainsFunc(catalog.Categories, func(k catalog.Shelf) bool { return k.Code == kind }) {
		return site.ErrNotFound
	}
	var paths []string
	in := catalog.ListInput{Category: kind, Sort: "newest", Paging: rest.Paging{Limit: 100}}
	for len(paths) < mostMapped {
		found, err := s.Catalog.List(v.Context(), in)
		if err != nil {
			return err
		}
		for _, c := range found.Data {
			paths = append(paths, "/p/"+c.ID)
		}
		if found.Next == nil {
			break
		}
		in.Cursor = *found.Next
	}
	return writeMap(v, mapOf(v.Origin, paths))
}

// mapOf lists pages, each in all languages.
func mapOf(origin string, paths []string) sitemap {
	m := sitemap{XMLName: xml.Name{Local: "urlset"}, NS: sitemapNS, XHTML: "http://www.w3.org/1999/xhtml"}
	for _, path := range paths {
		p := mapped{Loc: origin + path}
		for _, l := range ui.Langs {
			p.Links = append(p.Links, alternate{"alternate", string(l), origin + ui.Href(l, path)})
		}
		m.Pages = append(m.Pages, p)
	}
	return m
}

func writeMap(v *site.Visit, m sitemap) error {
	b, err := xml.Marshal(m)
	if err != nil {
		return err
	}
	return answer(v, "application/xml", append([]byte(xml.Header), b...))
}

// manifest is how a telephone keeps the site beside its programs, in the page's
// language.
func (s *Shop) manifest(v *site.Visit) error {
	shortcut := func(key, path string) map[string]string {
		return map[string]string{"name": v.T(key), "url": v.Href(path)}
	}
	b, err := json.Marshal(map[string]any{
		"id": "/", "name": v.T("common.tagline"), "short_name": v.T("common.brand"), "lang": string(v.Lang), "dir": v.Lang.Dir(),
		"start_url": v.Href("/"), "scope": "/", "display": "standalone", "background_color": "#F5F7F4", "theme_color": "#ffffff",
		"icons":     []map[string]string{{"src": v.Static("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}, {"src": v.Static("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "maskable"}},
		"shortcuts": []map[string]string{shortcut("sell.sell", "/v/vendre"), shortcut("sell.parcels", "/v/colis"), shortcut("sell.money", "/v/argent")},
		"share_target": map[string]any{
			"action": v.Href("/v/partage"), "method": "POST", "enctype": "multipart/form-data",
			"params": map[string]any{"title": "titre", "text": "texte", "files": []map[string]any{{"name": "photo", "accept": []string{"image/*"}}}},
		},
	})
	if err != nil {
		return err
	}
	return answer(v, "application/manifest+json", b)
}

// worker is the program that keeps pages for when there is no network.
func (s *Shop) worker(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Service-Worker-Allowed", "/")
	s.Site.Static.Serve(w, r, "sw.js")
}

// help says how the market works, and whom to ask.
func (s *Shop) help(v *site.Visit) error {
	v.Title, v.Description, v.Public = v.T("help.title"), v.T("help.held_1"), true
	return v.Show(helpPage(helping{Page: v.Page, Phone: s.Site.Phone}))
}

// offline is what a telephone without a network shows.
func (s *Shop) offline(v *site.Visit) error {
	v.Title, v.Public = v.T("help.offline"), true
	return v.Show(ui.Problem(v.Page, v.T("help.offline_help"), v.Href("/")))
}

// A helping is the page of help. Phone is the number to call, "" when the market
// has none.
type helping struct {
	*ui.Page
	Phone string
}
