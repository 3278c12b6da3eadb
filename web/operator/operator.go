// Package operator is the desk of the market's operator: what happened to every
// payment, what waits for people, and what they may do about it. Its pages ask
// the hub's own interface with the visitor's token, so that whoever sits here
// can do no more than a program with the same rights.
package operator

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

// Desk serves the operator's pages.
type Desk struct{ Site *site.Site }

// wrongField is what a page finds wrong before it asks the hub.
func wrongField(name string) error {
	f := &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.field"}
	f.Errors = append(f.Errors, struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	}{"/" + name, ""})
	return f
}

// A view is one request for a page of this desk.
type view struct {
	*site.Visit
	now     time.Time // the hub's
	waiting waiting
}

// waiting is the work that waits, as GET /v1/desk says.
type waiting struct {
	Breaks, Disputes, Members, Accounts, Payouts, Approvals, Operations int
}

// Mount puts the desk's pages on mux.
func (d *Desk) Mount(mux *http.ServeMux) {
	page := func(pattern string, h func(v *view) error) {
		mux.Handle(pattern, d.Site.Seated(ui.Operator, func(v *site.Visit, _ site.Seat) error {
			w := &view{Visit: v}
			if err := w.sit(); err != nil {
				return err
			}
			return h(w)
		}, "operator"))
	}
	for pattern, h := range map[string]func(v *view) error{
		"GET /op": today, "GET /op/disjoncteurs": breakers,
		"GET /op/argent": find, "GET /op/argent/{id}": story, "POST /op/argent/{id}": act,
		"GET /op/litiges": disputesPage, "GET /op/litiges/{id}": disputePage, "POST /op/litiges/{id}": rule,
		"GET /op/litiges/{id}/pieces/{message}/{file}": evidence,
		"GET /op/versements":                           payoutsPage, "POST /op/versements": setHalt,
		"GET /op/approbations": approvalsPage, "POST /op/approbations": decide,
		"GET /op/rapprochement": reconPage, "POST /op/rapprochement": reconDo,
		"GET /op/rapprochement/{id}": breakPage, "POST /op/rapprochement/{id}": resolve,
		"GET /op/entites": membersPage, "GET /op/entites/{id}": memberPage, "POST /op/entites/{id}": memberDo,
		"GET /op/sante": healthPage, "GET /op/sante/{id}": partnerPage, "POST /op/sante/{id}": partnerDo, "GET /op/journal": journalPage, "GET /op/reglages": settingsPage, "POST /op/reglages": setLimits,
	} {
		page(pattern, h)
	}
}

// sit fills in the side list: it asks the hub once for all counts.
func (v *view) sit() error {
	d, err := site.Get[struct {
		Now     time.Time
		Waiting waiting
	}](v.Visit, "/v1/desk?part=waiting")
	if err != nil {
		return err
	}
	v.now, v.waiting = d.Now, d.Waiting
	w := d.Waiting
	v.Menu = []ui.Item{
		{Key: "op.today", Path: "/op"},
		{Key: "op.money", Path: "/op/argent"},
		{Key: "op.recon", Path: "/op/rapprochement", Waiting: w.Breaks},
		{Key: "op.disputes", Path: "/op/litiges", Waiting: w.Disputes},
		{Key: "op.payouts", Path: "/op/versements", Waiting: w.Payouts},
		{Key: "op.approvals", Path: "/op/approbations", Waiting: w.Approvals},
		{Key: "op.members", Path: "/op/entites", Waiting: w.Members + w.Accounts},
		{Key: "op.health", Path: "/op/sante", Waiting: w.Operations},
		{Key: "op.journal", Path: "/op/journal"},
		{Key: "op.settings", Path: "/op/reglages"},
	}
	return nil
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

// id is the page's own part of its address, as a part of another.
func (v *view) id() string { return url.PathEscape(v.R.PathValue("id")) }

// q is a part of the address, without spaces around it.
func (v *view) q(name string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(v.Query.Get(name)), "\x00", ""), "")
}

// day reads a day of the address as the time at which it begins in Morocco.
func (v *view) day(name string, later int) string {
	d, err := time.ParseInLocation(time.DateOnly, v.q(name), clock.Morocco)
	if err != nil {
		return ""
	}
	return d.AddDate(0, 0, later).UTC().Format(time.RFC3339)
}

// moment is a time as people read it, with the year when it is another.
func (v *view) moment(t time.Time) string {
	if t.In(clock.Morocco).Year() != v.now.In(clock.Morocco).Year() {
		return v.Lang.Date(t) + ", " + v.Lang.Clock(t)
	}
	return v.Lang.Moment(t)
}

func (v *view) when(t *time.Time) string {
	if t == nil {
		return ""
	}
	return v.moment(*t)
}

// amount reads what was typed into a field as dirhams: 1 240,50 or 1240.50.
func (v *view) amount(name string) (money.Money, error) {
	s := strings.NewReplacer(" ", "", "\u00a0", "", "\u202f", "", ",", ".").Replace(v.Field(name))
	m, err := money.Parse(s, money.MAD)
	if err != nil || m.Sign() < 0 {
		return m, wrongField(name)
	}
	return m, nil
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
var done = []string{"ruled", "proposed", "approved", "refused", "halted", "asked", "resolved", "snoozed", "waits", "closed", "taken", "moved", "account", "released", "refunded", "paused", "goes_on", "answers", "silent"}

// show shows blocks under a heading. err is what became of a form that stands on
// the page: it says so, and what was typed is still there.
func (v *view) show(heading string, tag cell, err error, blocks ...templ.Component) error {
	p := page{Page: v.Page, Heading: heading, Tag: tag, Blocks: blocks}
	if v.Title == "" {
		v.Title = heading
	}
	if f := v.q("fait"); slices.Contains(done, f) && err == nil {
		p.Done = v.T("op.done_" + f)
	}
	if err == nil {
		return v.Show(frame(p))
	}
	p.Wrongs = v.Wrongs(err, v.names())
	return v.ShowAs(status(err), frame(p))
}

// fields are the names of the forms' fields by what the hub calls them.
var fields = map[string]string{
	"/refund": "refund", "/refund/amount": "refund", "/release": "release", "/release/amount": "release", "/reason": "reason", "/note": "note",
	"/to": "to", "/until": "until", "/day": "day", "/rib": "rib", "/holder": "holder", "/amount": "amount", "/amount/amount": "amount",
	"/fee": "fee", "/fee/amount": "fee", "/parts": "parts", "/two_above": "two_above", "/member_day": "member_day", "/total_day": "total_day", "/debt_above": "debt_above",
}

// names are the fields of the form that came back, by what the hub calls them.
// Where several forms stand on a page, a field's name begins with its form's.
func (v *view) names() map[string]string {
	out := map[string]string{}
	form := v.Form()
	for pointer, name := range fields {
		if own := v.Field("quoi") + "_" + name; form.Has(own) {
			name = own
		}
		out[pointer] = name
	}
	for name := range form {
		out["/"+name] = name
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
