// Package operator is the desk of the market's operator: what happened to every
// payment, what waits for people, and what they may do about it. Its pages ask
// the hub's own interface with the visitor's token, so that whoever sits here
// can do no more than a program with the same rights.
package operator

import (
	"net/http"
	"time"

	"tiwiza/pkg/clock"
	"tiwiza/pkg/money"
	"tiwiza/web/desk"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// Desk serves the operator's pages.
type Desk struct{ Site *site.Site }

// A view is one request for a page of this desk.
type view struct {
	desk.View
	waiting waiting
	shown   string // a sealed value that was just read
}

// waiting is the work that waits, as GET /v1/desk says.
type waiting struct {
	Breaks, Disputes, Members, Accounts, Payouts, Approvals, Operations int
}

// Mount puts the desk's pages on mux.
func (d *Desk) Mount(mux *http.ServeMux) {
	page := func(pattern string, h func(v *view) error) {
		mux.Handle(pattern, d.Site.Seated(ui.Operator, func(v *site.Visit, _ site.Seat) error {
			w := &view{View: desk.View{Visit: v, Words: "op", Done: done}}
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
		"GET /op/offres": offersPage, "GET /op/offres/{id}": offerPage, "POST /op/offres/{id}": offerDo, "GET /op/assurance": insurancePage, "POST /op/assurance": insuranceDo,
		"GET /op/entites": membersPage, "GET /op/entites/{id}": memberPage, "POST /op/entites/{id}": memberDo, "GET /op/entites/{id}/pieces/{paper}": paperFile,
		"GET /op/donnees": dataPage, "POST /op/donnees/{id}": dataDo,
		"GET /op/dossiers": glassesPage, "POST /op/dossiers": breakGlass, "GET /op/dossiers/{id}": openPage, "GET /op/dossiers/{id}/{item}": openItem, "GET /op/dossiers/{id}/{item}/pdf": openFile,
		"GET /op/charte": charterPage, "GET /op/charte/{id}": bylawPage, "GET /op/diagnostics": checkUpsPage,
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
	v.Now, v.waiting = d.Now, d.Waiting
	w := d.Waiting
	v.Menu = []ui.Item{
		{Key: "op.today", Path: "/op"},
		{Key: "op.money", Path: "/op/argent"},
		{Key: "op.recon", Path: "/op/rapprochement", Waiting: w.Breaks},
		{Key: "op.disputes", Path: "/op/litiges", Waiting: w.Disputes},
		{Key: "op.payouts", Path: "/op/versements", Waiting: w.Payouts},
		{Key: "op.approvals", Path: "/op/approbations", Waiting: w.Approvals},
		{Key: "op.offers", Path: "/op/offres"},
		{Key: "op.insurance", Path: "/op/assurance"},
		{Key: "op.members", Path: "/op/entites", Waiting: w.Members + w.Accounts},
		{Key: "glass.title", Path: "/op/dossiers"},
		{Key: "charter.title", Path: "/op/charte"},
		{Key: "checkup.op_title", Path: "/op/diagnostics"},
		{Key: "data.register", Path: "/op/donnees"},
		{Key: "op.health", Path: "/op/sante", Waiting: w.Operations},
		{Key: "op.journal", Path: "/op/journal"},
		{Key: "op.settings", Path: "/op/reglages"},
	}
	return nil
}

// day reads a day of the address as the time at which it begins in Morocco.
func (v *view) day(name string, later int) string {
	d, err := time.ParseInLocation(time.DateOnly, v.Q(name), clock.Morocco)
	if err != nil {
		return ""
	}
	return d.AddDate(0, 0, later).UTC().Format(time.RFC3339)
}

// amount is what was typed into a field that is needed, in dirhams.
func (v *view) amount(name string) (m money.Money, err error) {
	typed, err := v.Dirhams(name)
	if err == nil && typed == nil {
		err = desk.WrongField(name)
	}
	if err != nil {
		return m, err
	}
	return *typed, nil
}

// done are the things that a page may say were done; the address carries which.
var done = []string{"ruled", "proposed", "approved", "refused", "halted", "asked", "resolved", "snoozed", "waits", "closed", "taken", "moved", "account", "released", "refunded", "paused", "goes_on", "answers", "silent", "shown", "sent_back", "gone", "asked_insurer", "data_answered", "glass", "accepted", "reported"}
