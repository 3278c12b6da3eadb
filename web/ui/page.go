package ui

import (
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"tiwiza/pkg/money"
)

// A Desk is whose pages these are.
type Desk string

// The desks.
const (
	Shop     Desk = "shop"
	Seller   Desk = "seller"
	Courier  Desk = "courier"
	Partner  Desk = "partner"
	Office   Desk = "office" // institutions
	Operator Desk = "operator"
	Dev      Desk = "dev" // the page of all parts
)

// A Page is what every page has. It is made for one request.
type Page struct {
	Lang        Lang
	Desk        Desk
	Path        string     // without the language
	Query       url.Values // as asked for
	Title       string
	Description string
	Public      bool                // search engines may list it, in each language
	Canonical   string              // its whole address, when it is public
	Origin      string              // scheme and host of the hub
	Nonce       string              // of the desks' scripts
	Static      func(string) string // the address of a file of the program
	Person      string              // who is signed in; "" nobody
	Seat        string              // whose what is sent from a seller's desk is; "" nobody's
	Basket      int                 // things in the basket
	Back        string              // where the arrow of a desk leads
	Menu        []Item              // the side list of a desk
	Stopped     *Stopped            // why nothing can be sold from here; nil of most
	Head        templ.Component     // more for the head; nil for most
}

// An Item is a line of a desk's side list: Waiting is how much work waits there.
type Item struct {
	Key, Path string
	Waiting   int
}

// Stopped is why a seller is suspended, as the operator wrote it, and whom it calls.
type Stopped struct{ Why, Phone string }

// T is a text of the page's language; see Lang.T.
func (p *Page) T(key string, args ...any) string { return p.Lang.T(key, args...) }

// Say picks a text in the page's language, or in the next best.
func (p *Page) Say(texts map[string]string) Said { return p.Lang.Say(texts) }

// Href is an address on this site in the page's language. Queries are names and
// values in turn, of which empty ones are left out.
func (p *Page) Href(path string, queries ...string) string { return Href(p.Lang, path, queries...) }

// URL is Href for templates.
func (p *Page) URL(path string, queries ...string) templ.SafeURL {
	return templ.SafeURL(p.Href(path, queries...))
}

// Href is an address on this site in language l.
func Href(l Lang, path string, queries ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(queries); i += 2 {
		if queries[i+1] != "" {
			q.Set(queries[i], queries[i+1])
		}
	}
	if path == "/" && l.Prefix() != "" {
		path = ""
	}
	path = l.Prefix() + path
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// In is the address of this page in another language.
func (p *Page) In(l Lang) string {
	s := Href(l, p.Path)
	if q := p.Query.Encode(); q != "" {
		s += "?" + q
	}
	return s
}

// Here says whether path is this page.
func (p *Page) Here(path string) bool {
	return p.Path == path || path != "/" && strings.HasPrefix(p.Path, path+"/")
}

// Sum is an amount with its currency as plain text.
func (p *Page) Sum(m money.Money) string { return p.Lang.Sum(m) }

// file is the address of a file of the program.
func (p *Page) file(name string) string {
	if p.Static == nil {
		return "/static/" + name
	}
	return p.Static(name)
}

// font is the file of the headings' face that the page needs.
func (p *Page) font() string {
	if p.Lang == Arabic {
		return "fonts/el-messiri-arabic.woff2"
	}
	return "fonts/el-messiri-latin.woff2"
}

// styles are the sheets of a desk.
func (p *Page) styles() []string {
	switch p.Desk {
	case Operator, Partner, Office:
		return []string{"app.css", "desk.css"}
	case Seller, Courier:
		return []string{"app.css", "seller.css"}
	case Dev:
		return []string{"app.css", "seller.css", "desk.css"}
	}
	return []string{"app.css"}
}

// libraries are what the programs of a desk build on. They are no modules: each
// finds the other by its global name.
func (p *Page) libraries() []string {
	if p.Desk == Operator || p.Desk == Partner || p.Desk == Office {
		return []string{"htmx.js", "hx-csp.js"}
	}
	return nil
}

// scripts are the programs of a desk.
func (p *Page) scripts() []string {
	switch p.Desk {
	case Operator, Partner, Office:
		return []string{"desk.js"}
	case Seller:
		return []string{"app.js", "seller.js"}
	case Courier:
		return []string{"app.js", "seller.js"}
	}
	return []string{"app.js"}
}

// nonce is the mark that a desk's scripts bear; other pages have none.
func (p *Page) nonce() templ.Attributes {
	if p.Nonce == "" {
		return nil
	}
	return templ.Attributes{"nonce": p.Nonce}
}
