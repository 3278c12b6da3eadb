// Package web is what people see: the storefront, the desks of sellers,
// couriers and the operator, in four languages, on small screens and without
// scripts.
package web

import (
	"embed"
	"io/fs"
	"net/http"
	"sync"

	"tiwiza/marketplace/catalog"
	"tiwiza/web/courier"
	"tiwiza/web/dev"
	"tiwiza/web/office"
	"tiwiza/web/operator"
	"tiwiza/web/partner"
	"tiwiza/web/seller"
	"tiwiza/web/shop"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

//go:embed static
var files embed.FS

// static are the program's own files, squeezed once.
var static = sync.OnceValue(func() *site.Static {
	sub, err := fs.Sub(files, "static")
	if err != nil {
		panic(err) // the folder is embedded
	}
	s, err := site.NewStatic(sub)
	if err != nil {
		panic(err)
	}
	return s
})

// A Hub is what the pages stand before.
type Hub struct {
	API     http.Handler // its interface, /v1/…
	Catalog *catalog.Service
	Papers  shop.Papers
	Images  fs.FS  // drawings of the demonstration, by file name
	Origin  string // scheme and host that visitors see
	Phone   string // whom people call, as +212…; "" when there is nobody
	Demo    bool
}

// New makes the handler of all pages. It panics when its own files cannot be
// read.
func New(h Hub) http.Handler {
	s := &site.Site{API: h.API, Static: static(), Origin: h.Origin, Phone: h.Phone, Demo: h.Demo}
	pages := http.NewServeMux()
	(&shop.Shop{Site: s, Catalog: h.Catalog, Papers: h.Papers, Images: h.Images}).Mount(pages)
	(&operator.Desk{Site: s}).Mount(pages)
	(&partner.Desk{Site: s}).Mount(pages)
	(&office.Desk{Site: s}).Mount(pages)
	(&seller.Desk{Site: s, Catalog: h.Catalog}).Mount(pages)
	(&courier.Desk{Site: s}).Mount(pages)
	if h.Demo {
		pages.Handle("GET /dev/parts", s.Page(ui.Dev, dev.Parts))
	}
	mux := http.NewServeMux()
	mux.Handle("GET /static/", s.Static)
	mux.Handle("/", s.Handler(pages, shop.Open()...))
	return mux
}
