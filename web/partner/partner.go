// Package partner is the desk of banks and insurers: what members ask of them, what
// they offer, what runs, and who works there. Its pages ask the hub's own interface
// with the visitor's token, so that whoever sits here can do no more than a program
// with the same rights.
package partner

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/finance"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// Desk serves the partners' pages.
type Desk struct{ Site *site.Site }

// A house is what the desk shows one kind of organisation. Each page is one
// function; what a kind does not have is nil, and is not there.
type house struct {
	inbox, file, act           func(v *view) error // /b, /b/d/{id}
	products, product, publish func(v *view) error // /b/produits, /b/produits/{id}
	contracts                  func(v *view) error // /b/contrats
	// waiting is how much work waits in the inbox besides applications; nil: none. It
	// is asked for on each page.
	waiting func(v *view) (int, error)
}

// houses are the kinds of organisations that sit at this desk.
var houses = map[string]house{
	"operational_bank": bankHouse,
}

// A view is one request for a page of this desk.
type view struct {
	*site.Visit
	seat site.Seat
	now  time.Time
	ours house
}

// Mount puts the desk's pages on mux.
func (d *Desk) Mount(mux *http.ServeMux) {
	for pattern, of := range map[string]func(h house) func(v *view) error{
		"GET /b":                 func(h house) func(v *view) error { return h.inbox },
		"GET /b/d/{id}":          func(h house) func(v *view) error { return h.file },
		"POST /b/d/{id}":         func(h house) func(v *view) error { return h.act },
		"GET /b/d/{id}/p/{item}": func(house) func(v *view) error { return paper },
		"GET /b/produits":        func(h house) func(v *view) error { return h.products },
		"GET /b/produits/{id}":   func(h house) func(v *view) error { return h.product },
		"POST /b/produits/{id}":  func(h house) func(v *view) error { return h.publish },
		"GET /b/contrats":        func(h house) func(v *view) error { return h.contracts },
		"GET /b/equipe":          func(house) func(v *view) error { return team },
		"POST /b/equipe":         func(house) func(v *view) error { return teamDo },
	} {
		mux.Handle(pattern, d.Site.Seated(ui.Partner, func(sv *site.Visit, seat site.Seat) error {
			v := &view{Visit: sv, seat: seat, ours: houses[seat.Kind]}
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
	v.now = d.Now
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
		{ui.Item{Key: "partner.inbox", Path: "/b", Waiting: n}, v.ours.inbox != nil},
		{ui.Item{Key: "partner.products", Path: "/b/produits"}, v.ours.products != nil},
		{ui.Item{Key: "partner.contracts", Path: "/b/contrats"}, v.ours.contracts != nil},
		{ui.Item{Key: "partner.team", Path: "/b/equipe"}, true},
	} {
		if i.has {
			v.Menu = append(v.Menu, i.item)
		}
	}
	return nil
}

// id is the page's own part of its address, as a part of another.
func (v *view) id() string { return url.PathEscape(v.R.PathValue("id")) }

// q is a part of the address, without spaces around it.
func (v *view) q(name string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(v.Query.Get(name)), "\x00", ""), "")
}

// at joins an address of the interface and what is asked for; empty values are
// left out.
func at(path string, queries ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(queries); i += 2 {
		if queries[i+1] != "" {
			q.Set(queries[i], queries[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// moment is a time as people read it, with the year when it is another.
func (v *view) moment(t time.Time) string {
	if t.In(clock.Morocco).Year() != v.now.In(clock.Morocco).Year() {
		return v.Lang.Date(t) + v.T("common.comma") + v.Lang.Clock(t)
	}
	return v.Lang.Moment(t)
}

func (v *view) when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return v.moment(*t)
}

// next is the address of a list's next part.
func (v *view) next(cursor *string) string {
	if cursor == nil || *cursor == "" {
		return ""
	}
	return v.with("suite", *cursor)
}

// with is this page's address with one thing of it changed.
func (v *view) with(name, value string) string {
	var queries []string
	for k := range v.Query {
		if k != name && k != "fait" && k != "suite" {
			queries = append(queries, k, v.Query.Get(k))
		}
	}
	return v.Href(v.Path, append(queries, name, value)...)
}

// sum reads what was typed into a field as dirhams, 1 240,50 or 1240.50; nil when
// nothing was.
func (v *view) sum(name string) (*money.Money, error) {
	s := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ",", ".").Replace(v.Field(name))
	if s == "" {
		return nil, nil
	}
	m, err := money.Parse(s, money.MAD)
	if err != nil || m.Sign() < 0 {
		return nil, wrongField(name)
	}
	return &m, nil
}

// wrongField is what a page finds wrong before it asks the hub.
func wrongField(name string) error {
	f := &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.field"}
	f.Errors = append(f.Errors, struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	}{"/" + name, ""})
	return f
}

// A page of this desk is blocks, one under the other.
type page struct {
	*ui.Page
	Heading string
	Tag     cell // beside the heading
	Done    string
	Wrongs  []ui.Wrong
	Blocks  []templ.Component
}

// done are the things that a page may say were done; the address carries which.
var done = []string{"received", "reviewed", "asked", "offered", "refused", "completed", "saved", "submitted", "withdrawn", "invited", "removed"}

// show shows blocks under a heading. err is what became of a form that stands on
// the page: it says so, and what was typed is still there.
func (v *view) show(heading string, tag cell, err error, blocks ...templ.Component) error {
	p := page{Page: v.Page, Heading: heading, Tag: tag, Blocks: blocks}
	if v.Title == "" {
		v.Title = heading
	}
	if f := v.q("fait"); slices.Contains(done, f) && err == nil {
		p.Done = v.T("partner.done_" + f)
	}
	if err == nil {
		return v.Show(frame(p))
	}
	p.Wrongs = v.Wrongs(err, v.names())
	return v.ShowAs(status(err), frame(p))
}

// names are the fields of the form that came back, by what the hub calls them: its
// «/names/fr» is the field names_fr; where a page has several forms, a field's name
// begins with its form's.
func (v *view) names() map[string]string {
	out := map[string]string{}
	for name := range v.Form() {
		of := strings.TrimPrefix(name, v.Field("quoi")+"_")
		out["/"+of] = name
		out["/"+strings.ReplaceAll(of, "_", "/")] = name
		out["/"+of+"/amount"] = name
	}
	return out
}

// status is what a form that was not taken is answered with.
func status(err error) int {
	if f, ok := errors.AsType[*site.Fault](err); ok && f.Status < http.StatusInternalServerError {
		return f.Status
	}
	if fault.KindOf(err) == fault.Invalid {
		return http.StatusUnprocessableEntity
	}
	return http.StatusServiceUnavailable
}
