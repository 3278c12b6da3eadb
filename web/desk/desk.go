// Package desk is what the operator's and the partners' desks are made of: one
// request for a page, and the parts that their pages are put together from.
package desk

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A View is one request for a page of a desk.
type View struct {
	*site.Visit
	Now   time.Time // the hub's
	Words string    // what the desk's texts begin with
	Done  []string  // the things that a page may say were done; the address carries which
}

// A Page is blocks, one under the other.
type Page struct {
	*ui.Page
	Heading string
	Tag     Cell // beside the heading
	Done    string
	Wrongs  []ui.Wrong
	Blocks  []templ.Component
}

// Blocks shows blocks under a heading. err is what became of a form that stands on
// the page: it says so, and what was typed is still there.
func (v *View) Blocks(heading string, tag Cell, err error, blocks ...templ.Component) error {
	p := Page{Page: v.Page, Heading: heading, Tag: tag, Blocks: blocks}
	if v.Title == "" {
		v.Title = heading
	}
	if f := v.Q("fait"); slices.Contains(v.Done, f) && err == nil {
		p.Done = v.T(v.Words + ".done_" + f)
	}
	if err == nil {
		return v.Show(frame(p))
	}
	p.Wrongs = v.Wrongs(err, v.names())
	return v.ShowAs(status(err), frame(p))
}

// Refused is the page of what one may not see any more, and why.
func (v *View) Refused(heading string, blocks ...templ.Component) error {
	v.Title = heading
	return v.ShowAs(http.StatusForbidden, frame(Page{Page: v.Page, Heading: heading, Blocks: blocks}))
}

// names are the fields of the form that came back, by what the hub calls them: its
// «/names/fr» is the field names_fr; where a page has several forms, a field's name
// begins with its form's.
func (v *View) names() map[string]string {
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

// WrongField is what a page finds wrong before it asks the hub.
func WrongField(name string) error {
	f := &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.field"}
	f.Errors = append(f.Errors, struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	}{"/" + name, ""})
	return f
}

// At joins an address of the interface and what is asked for; empty values are
// left out.
func At(path string, queries ...string) string {
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

// ID is the page's own part of its address, as a part of another.
func (v *View) ID() string { return url.PathEscape(v.R.PathValue("id")) }

// Q is a part of the address, without spaces around it.
func (v *View) Q(name string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(v.Query.Get(name)), "\x00", ""), "")
}

// Moment is a time as people read it, with the year when it is another.
func (v *View) Moment(t time.Time) string {
	if t.In(clock.Morocco).Year() != v.Now.In(clock.Morocco).Year() {
		return v.Lang.Date(t) + v.T("common.comma") + v.Lang.Clock(t)
	}
	return v.Lang.Moment(t)
}

// When is Moment, and nothing of a time that is not there.
func (v *View) When(t *time.Time) string {
	if t == nil {
		return ""
	}
	return v.Moment(*t)
}

// Time is a cell of a time: Moment on the page, and a date with its offset in a file.
func (v *View) Time(t time.Time) Cell { return Cell{Text: v.Moment(t), Time: t} }

// TimeOf is Time, and empty of a time that is not there.
func (v *View) TimeOf(t *time.Time) Cell {
	if t == nil {
		return Cell{}
	}
	return v.Time(*t)
}

// Next is the address of a list's next part.
func (v *View) Next(cursor *string) string {
	if cursor == nil || *cursor == "" {
		return ""
	}
	return v.With("suite", *cursor)
}

// With is this page's address with one thing of it changed. A list begins anew,
// but for its file.
func (v *View) With(name, value string) string {
	var queries []string
	for k := range v.Query {
		if k != name && k != "fait" && (k != "suite" || name == "csv") {
			queries = append(queries, k, v.Query.Get(k))
		}
	}
	return v.Href(v.Path, append(queries, name, value)...)
}

// Dirhams reads what was typed into a field as dirhams, 1 240,50 or 1240.50; nil
// when nothing was.
func (v *View) Dirhams(name string) (*money.Money, error) {
	s := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ",", ".").Replace(v.Field(name))
	if s == "" {
		return nil, nil
	}
	m, err := money.Parse(s, money.MAD)
	if err != nil || m.Sign() < 0 {
		return nil, WrongField(name)
	}
	return &m, nil
}

// Heads names columns by their keys; those that begin with «>» hold figures.
func (v *View) Heads(keys ...string) []Head {
	out := make([]Head, len(keys))
	for i, k := range keys {
		name, end := strings.CutPrefix(k, ">")
		out[i] = Head{v.T(v.Words + ".h_" + name), end}
	}
	return out
}

// Named is a text that may be in another language than the page.
func (v *View) Named(texts map[string]string) Cell {
	s := v.Say(texts)
	return Cell{Said: &s}
}

// Typed gives the forms what was typed into the one that came back.
func (v *View) Typed(err error, all ...Action) []Action {
	if v.R.Method != http.MethodPost {
		return all
	}
	wrong := map[string]string{}
	if err != nil {
		for _, w := range v.Wrongs(err, v.names()) {
			wrong[w.Name] = w.Text
		}
	}
	form := v.Form()
	for i := range all {
		if all[i].Name != v.Field("quoi") {
			continue
		}
		all[i].Open = true
		for j, f := range all[i].Fields {
			all[i].Fields[j].Value, all[i].Fields[j].Error = v.Field(f.Name), wrong[f.Name]
		}
		for j, c := range all[i].Checks {
			all[i].Checks[j].On = slices.Contains(form[c.Name], c.Value)
		}
	}
	return all
}
