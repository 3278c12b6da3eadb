// Package seller is the desk of those who sell: what to pack, what to hand over
// and what money came, for people who read little and on a cheap phone.
package seller

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"tiwiza/marketplace/catalog"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A Desk serves the seller's pages. Pictures of goods are public and read from the
// catalogue; all else is asked of the interface.
type Desk struct {
	Site    *site.Site
	Catalog *catalog.Service
}

// Mount puts the desk's pages on mux.
func (d *Desk) Mount(mux *http.ServeMux) {
	for pattern, h := range map[string]func(*site.Visit, site.Seat) error{
		"GET /v":                            d.day,
		"GET /v/vendre":                     d.sell,
		"POST /v/vendre":                    d.publish,
		"POST /v/partage":                   d.shared,
		"GET /v/garde/{file}":               d.held,
		"GET /v/vendre/prix":                d.guide,
		"GET /v/vendre/{offer}":             d.edit,
		"POST /v/vendre/{offer}":            d.change,
		"GET /v/vendu/{offer}":              d.published,
		"GET /v/produits":                   d.goods,
		"POST /v/produits/{offer}/{act}":    d.keepGoods,
		"GET /v/colis":                      d.parcels,
		"GET /v/colis/{order}":              d.parcel,
		"GET /v/colis/{order}/etiquette":    d.label,
		"POST /v/colis/{order}/{act}":       d.act,
		"GET /v/argent":                     d.money,
		"GET /v/argent/retirer":             d.withdrawal,
		"POST /v/argent/retirer":            d.withdraw,
		"GET /v/argent/releve.csv":          d.statement,
		"GET /v/papiers":                    d.papers,
		"GET /v/annuaire":                   d.shown,
		"GET /v/annuaire/{code}":            d.showField,
		"POST /v/annuaire/{code}":           d.keepField,
		"GET /v/services":                   d.services,
		"GET /v/services/{id}":              d.service,
		"POST /v/services/{id}":             d.serve,
		"GET /v/demarches":                  d.caseList,
		"GET /v/demarches/{id}":             d.caseFile,
		"POST /v/demarches/{id}":            d.actCase,
		"GET /v/diagnostic":                 d.checkUps,
		"POST /v/diagnostic":                d.beginCheckUp,
		"GET /v/diagnostic/{id}":            d.checkUp,
		"POST /v/diagnostic/{id}":           d.actCheckUp,
		"GET /v/dossier":                    d.dossier,
		"POST /v/dossier":                   d.putPaper,
		"GET /v/dossier/{item}":             d.item,
		"POST /v/dossier/{item}":            d.actItem,
		"GET /v/dossier/{item}/fichier":     d.itemFile,
		"GET /v/accords":                    d.accords,
		"GET /v/accords/donner":             d.give,
		"POST /v/accords/donner":            d.giveDo,
		"GET /v/accords/{accord}":           d.accord,
		"POST /v/accords/{accord}":          d.actAccord,
		"GET /v/regards":                    d.looks,
		"GET /v/papiers/banque":             d.bank,
		"POST /v/papiers/banque":            d.changeBank,
		"GET /v/produits/{format}/exporter": d.export,
		"GET /v/produits/importer":          d.importing,
		"POST /v/produits/importer":         d.imports,
		"GET /v/importer/{import}":          d.imported,
		"POST /v/importer/{import}":         d.takeIn,
	} {
		mux.Handle(pattern, d.Site.Seated(ui.Seller, h, "seller"))
	}
	mux.Handle("GET /hors-ligne/v", d.Site.Page(ui.Seller, d.offline))
	mux.Handle("GET /hors-ligne/vendre", d.Site.Page(ui.Seller, d.offlineSell))
	mux.Handle("GET /moi/adhesion", d.Site.Page(ui.Seller, d.joining))
	mux.Handle("POST /moi/adhesion", d.Site.Page(ui.Seller, d.begin))
	for pattern, h := range map[string]func(*site.Visit, site.Seat) error{
		"GET /v/charte": d.charter, "POST /v/charte": d.signCharter, "GET /v/equipe": d.team, "POST /v/equipe": d.teamDo,
		"GET " + enrolling: d.enrol, "POST " + enrolling: d.actEnrol, "GET " + enrolling + "/pieces/{paper}": d.enrolPaper,
		"GET " + enrolling + "/organisation": d.amend, "POST " + enrolling + "/organisation": d.amended,
	} {
		mux.Handle(pattern, d.Site.Seated(ui.Seller, h, "seller", "provider", "institution", "bank", "insurer"))
	}
}

// at is where a page stands: whose desk it is, and the way back.
type at struct {
	*ui.Page
	Org   string
	Coop  ui.Said
	Phone string
}

func (d *Desk) at(v *site.Visit, seat site.Seat, title, back string) at {
	if v.Title = title; back != "" {
		v.Back = v.Href(back)
	}
	return at{v.Page, seat.Organisation, v.Say(seat.Names), d.Site.Phone}
}

// thumbs are small pictures of offers.
func (d *Desk) thumbs(v *site.Visit, offers []string) (map[string]ui.Picture, error) {
	found, err := d.Catalog.Thumbs(v.Context(), offers)
	out := map[string]ui.Picture{}
	for id, x := range found {
		out[id] = thumb(x)
	}
	return out, err
}

// thumb is a picture as small as there is.
func thumb(x catalog.ImageView) ui.Picture {
	p := ui.Picture{URL: x.URL, Drawing: x.Drawing, Width: 160, Height: 160}
	if x.Photo != nil && len(x.Photo.Sizes) > 0 {
		s := x.Photo.Sizes[0]
		p.URL, p.Width, p.Height = s.URL, s.Width, s.Height
	}
	return p
}

// wide is a picture as wide as a phone.
func wide(x catalog.ImageView) ui.Picture {
	p := ui.Picture{URL: x.URL, Drawing: x.Drawing, Width: 480, Height: 480}
	if x.Photo != nil {
		for _, s := range x.Photo.Sizes {
			p.URL, p.Width, p.Height = s.URL, s.Width, s.Height
			if s.Width >= 480 {
				break
			}
		}
	}
	return p
}

// Number is what stands on a parcel in large digits, and on the screen: four of
// them, which follow from the order. Beside the weft they tell one parcel on a
// table from the next; they open nothing.
func Number(order string) string {
	sum := sha256.Sum256([]byte("colis " + order))
	return fmt.Sprintf("%04d", binary.BigEndian.Uint32(sum[:4])%10000)
}

// plain says that s can be a part of an address of the interface.
func plain(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
}

// named is a part of the page's address, as the interface takes it.
func named(v *site.Visit, part string) (string, error) {
	s := v.R.PathValue(part)
	if !plain(s) {
		return "", site.ErrNotFound
	}
	return s, nil
}

func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// page is a piece of a list of the interface.
type page[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next"`
}

func (p page[T]) next() string {
	if p.Next == nil {
		return ""
	}
	return *p.Next
}
