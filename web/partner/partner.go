// Package partner is the desk of banks and insurers: what members ask of them, what
// they offer, what runs, and who works there. Its pages ask the hub's own interface
// with the visitor's token, so that whoever sits here can do no more than a program
// with the same rights.
package partner

import (
	"net/http"

	"tiwiza/marketplace/finance"
	"tiwiza/web/accords"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/team"
	"tiwiza/web/ui"
)

// Desk serves the partners' pages.
type Desk struct{ Site *site.Site }

// A house is what the desk shows one kind of organisation. Each page is one
// function; what a kind does not have is nil, and is not there.
type house struct {
	inbox, file, act, paper    func(v *view) error // /b, /b/d/{id}, /b/d/{id}/p/{item}
	products, product, publish func(v *view) error // /b/produits, /b/produits/{id}
	contracts                  func(v *view) error // /b/contrats
	menu                       string              // what its inbox is called
	// waiting is how much work waits in the inbox besides applications; nil: none. It
	// is asked for on each page.
	waiting func(v *view) (int, error)
}

// houses are the kinds of organisations that sit at this desk.
var houses = map[string]house{
	"operational_bank": bankHouse,
	"insurer":          insurerHouse,
}

// A view is one request for a page of this desk.
type view struct {
	desk.View
	seat site.Seat
	ours house
}

// Mount puts the desk's pages on mux.
func (d *Desk) Mount(mux *http.ServeMux) {
	pages := map[string]func(h house) func(v *view) error{
		"GET /b":                 func(h house) func(v *view) error { return h.inbox },
		"GET /b/d/{id}":          func(h house) func(v *view) error { return h.file },
		"POST /b/d/{id}":         func(h house) func(v *view) error { return h.act },
		"GET /b/d/{id}/p/{item}": func(h house) func(v *view) error { return h.paper },
		"GET /b/produits":        func(h house) func(v *view) error { return h.products },
		"GET /b/produits/{id}":   func(h house) func(v *view) error { return h.product },
		"POST /b/produits/{id}":  func(h house) func(v *view) error { return h.publish },
		"GET /b/contrats":        func(h house) func(v *view) error { return h.contracts },
		"GET /b/equipe":          func(house) func(v *view) error { return func(v *view) error { return team.Show(v.View, v.seat) } },
		"POST /b/equipe":         func(house) func(v *view) error { return func(v *view) error { return team.Do(v.View, v.seat) } },
	}
	for pattern, page := range accords.Pages("/b") {
		pages[pattern] = func(house) func(v *view) error { return func(v *view) error { return page(v.View) } }
	}
	for pattern, of := range pages {
		mux.Handle(pattern, d.Site.Seated(ui.Partner, func(sv *site.Visit, seat site.Seat) error {
			v := &view{View: desk.View{Visit: sv, Words: "partner", Done: done}, seat: seat, ours: houses[seat.Kind]}
			page := of(v.ours)
			if page == nil {
				return site.ErrNotFound
			}
			if err := v.sit(); err != nil {
				return err
			}
			return page(v)
		}, "bank", "insurer"))
	}
}

// sit fills in the side list, and asks what time it is at the hub.
func (v *view) sit() error {
	d, err := site.Get[finance.DeskView](v.Visit, "/v1/finance/desk")
	if err != nil {
		return err
	}
	v.Now = d.Now
	n := d.Waiting
	if v.ours.waiting != nil {
		more, err := v.ours.waiting(v)
		if err != nil {
			return err
		}
		n += more
	}
	for _, i := range []struct {
		item ui.Item
		has  bool
	}{
		{ui.Item{Key: v.ours.menu, Path: "/b", Waiting: n}, v.ours.inbox != nil},
		{ui.Item{Key: "partner.products", Path: "/b/produits"}, v.ours.products != nil},
		{ui.Item{Key: "partner.contracts", Path: "/b/contrats"}, v.ours.contracts != nil},
		{ui.Item{Key: accords.Title, Path: "/b/accords"}, true},
		{ui.Item{Key: team.Title, Path: "/b/equipe"}, true},
	} {
		if i.has {
			v.Menu = append(v.Menu, i.item)
		}
	}
	return nil
}

// done are the things that a page may say were done; the address carries which.
var done = []string{"received", "reviewed", "asked", "accepted", "rejected", "named", "proposed", "offered", "refused", "completed", "saved", "submitted", "withdrawn"}
