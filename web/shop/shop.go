// Package shop is the storefront: what anybody sees who comes to buy.
package shop

import (
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"tiwiza/marketplace/catalog"
	"tiwiza/marketplace/orders"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// Papers are the invoices and credit notes of orders.
type Papers interface {
	Paper(ctx context.Context, invoice, key string) (orders.Paper, error)
}

// Shop serves the storefront. What everybody sees is read from the catalogue at
// once; what is a visitor's own is asked of the interface.
type Shop struct {
	Site    *site.Site
	Catalog *catalog.Service
	Papers  Papers
	Images  fs.FS // drawings of the demonstration
}

// Mount puts the storefront's pages on mux.
func (s *Shop) Mount(mux *http.ServeMux) {
	page := func(pattern string, h site.Handler) { mux.Handle(pattern, s.Site.Page(ui.Shop, h)) }
	page("GET /{$}", s.market)
	page("GET /p/{offer}", s.offer)
	page("GET /offres/{offer}", func(v *site.Visit) error {
		http.Redirect(v.W, v.R, v.Href("/p/"+url.PathEscape(v.R.PathValue("offer"))), http.StatusMovedPermanently)
		return nil
	})
	page("GET /factures/{invoice}", s.paper)
	page("GET /paiement/{group}", s.returned)
	page("POST /paiement/{group}", s.comeBack)
	page("POST /panier/ajouter", s.put)
	page("GET /panier", s.till)
	page("POST /panier", s.pay)
	page("GET /g/{group}", s.group)
	page("POST /g/{group}", s.anew)
	page("GET /c/{seller}", s.seller)
	page("GET /o/{order}", s.order)
	page("GET /o/{order}/probleme", s.problem)
	page("POST /o/{order}/probleme", s.complain)
	page("GET /o/{order}/retour", s.sendBack)
	page("POST /o/{order}/retour", s.giveBack)
	page("POST /o/{order}/envoi", s.goesBack)
	page("POST /o/{order}/rib", s.account)
	page("GET /o/{order}/piece/{message}/files/{file}", s.piece)
	page("GET /o/{order}/fichier/{variant}/{ware}", s.fetch)
	page("POST /o/{order}/{acte}", s.act)
	page("GET /entrer", s.enter)
	page("POST /entrer", s.askCode)
	page("POST /entrer/code", s.useCode)
	page("GET /entrer/cle", s.firstKey)
	page("GET /entrer/encore", s.showAgain)
	page("POST /entrer/encore", s.askAgain)
	page("POST /entrer/encore/code", s.useAgain)
	page("POST /cle/{what}", s.passkey)
	page("POST /moi/cles", s.endPasskey)
	page("POST /sortir", s.leave)
	page("GET /moi", s.me)
	page("POST /moi/appareils", s.endDevice)
	page("POST /moi/bureau", s.sit)
	page("POST /moi/laisser", s.leavePhone)
	page("GET /moi/pin", s.choosePIN)
	page("POST /moi/pin", s.setPIN)
	page("GET /qui", s.whoIsIt)
	page("GET /qui/{person}", s.askPIN)
	page("POST /qui/{person}", s.usePIN)
	page("GET /moi/donnees", s.data)
	page("POST /moi/donnees/{acte}", s.asksData)
	page("GET /moi/donnees/{export}/{forme}", s.takesData)
	page("GET /donnees-personnelles", s.register)
	page("GET /effacement/{secret}", s.erased)
	page("GET /verifier/{token}", s.verify)
	page("GET /rejoindre/{token}", s.invited)
	page("POST /rejoindre/{token}", s.join)
	page("GET /annuaire", s.directory)
	page("GET /annuaire/{org}", s.member)
	page("GET /aide", s.help)
	page("GET /charte", s.charter)
	page("GET /hors-ligne", s.offline)
	page("GET /manifest.webmanifest", s.manifest)
	page("GET /robots.txt", s.robots)
	page("GET /sitemap.xml", s.sitemaps)
	page("GET /sitemap/{category}", s.sitemap)
	mux.HandleFunc("GET /sw.js", s.worker)
	page("GET /media/{file}", s.media)
	page("/", func(*site.Visit) error { return site.ErrNotFound })
}

// Open are the patterns of the pages that other sites may post to: the acquirer
// sends the buyer back so.
func Open() []string { return []string{"POST /paiement/{group}", "POST /{lang}/paiement/{group}"} }

// pictures are the kinds of drawings.
var pictures = map[string]string{".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp"}

// media serves a drawing. An SVG opened by itself runs nothing.
func (s *Shop) media(v *site.Visit) error {
	name := v.R.PathValue("file")
	kind, ok := pictures[path.Ext(name)]
	if !ok || !fs.ValidPath(name) {
		return site.ErrNotFound
	}
	b, err := fs.ReadFile(s.Images, name)
	if err != nil {
		return site.ErrNotFound.With(err)
	}
	h := v.W.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "public, max-age=3600")
	_, _ = v.W.Write(b) // the visitor may be gone
	return nil
}

// plain says that a database can look for s.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }
