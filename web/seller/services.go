package seller

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/finance"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

// A shelf is one kind of services that members are offered: those of banks, those of
// insurers. Each page is one function; one that is not for a shelf's things says so
// with site.ErrNotFound, and the next is asked.
type shelf struct {
	offers func(d *Desk, v *site.Visit) ([]ui.OfferCard, error) // /v/services
	mine   func(d *Desk, v *site.Visit) ([]asked, error)        // what was asked for, the newest first
	kinds  []id.Kind                                            // whose pages these are
	show   func(d *Desk, v *site.Visit, seat site.Seat, thing string, wrong error) error
	act    func(d *Desk, v *site.Visit, seat site.Seat, thing string) error
}

// shelves are all, in the order in which they stand on the page.
var shelves = []shelf{
	{offers: bankOffers, mine: bankAsked, kinds: []id.Kind{id.Product, id.Application}, show: showFinance, act: actFinance},
	insurance,
}

// An asked is something that the member asked for.
type asked struct {
	Href, Icon string
	Name, By   ui.Said
	Tone, Text string
	When       time.Time
}

type servicesPage struct {
	at
	Mine   []asked
	Offers []ui.OfferCard
}

// services lists what banks and insurers offer, and what the member has asked for.
func (d *Desk) services(v *site.Visit, seat site.Seat) error {
	p := servicesPage{at: d.at(v, seat, v.T("services.title"), "/v")}
	for _, s := range shelves {
		mine, err := s.mine(d, v)
		if err != nil {
			return err
		}
		offers, err := s.offers(d, v)
		if err != nil {
			return err
		}
		p.Mine, p.Offers = append(p.Mine, mine...), append(p.Offers, offers...)
	}
	slices.SortStableFunc(p.Mine, func(a, b asked) int { return b.When.Compare(a.When) })
	return v.Show(servicesView(p))
}

// shelfOf is the shelf on which a thing stands.
func shelfOf(v *site.Visit) (shelf, string, error) {
	thing, err := named(v, "id")
	if err != nil {
		return shelf{}, "", err
	}
	for _, s := range shelves {
		if slices.ContainsFunc(s.kinds, func(k id.Kind) bool { return id.Is(k, thing) }) {
			return s, thing, nil
		}
	}
	return shelf{}, "", site.ErrNotFound
}

func (d *Desk) service(v *site.Visit, seat site.Seat) error {
	s, thing, err := shelfOf(v)
	if err != nil {
		return err
	}
	return s.show(d, v, seat, thing, nil)
}

func (d *Desk) serve(v *site.Visit, seat site.Seat) error {
	s, thing, err := shelfOf(v)
	if err != nil {
		return err
	}
	return s.act(d, v, seat, thing)
}

const applications = "/v1/finance/applications"

// bankOffers are what banks offer.
func bankOffers(_ *Desk, v *site.Visit) (out []ui.OfferCard, err error) {
	all, err := site.Get[page[finance.EditionView]](v, "/v1/finance/catalogue?limit=50")
	for _, e := range all.Data {
		c := services.Card(v.Lang, e)
		c.Href, c.Label = v.Href("/v/services/"+e.Product), v.T("services.ask")
		out = append(out, c)
	}
	return out, err
}

var financeTones = map[finance.State]string{
	finance.Draft: "warn", finance.PapersAsked: "warn", finance.Offered: "warn", finance.Opened: "ok", finance.Granted: "ok", finance.Accepted: "ok", finance.Refused: "bad", finance.Expired: "bad",
}

// bankAsked are the member's applications.
func bankAsked(_ *Desk, v *site.Visit) (out []asked, err error) {
	all, err := site.Get[page[finance.ApplicationView]](v, applications+"?limit=24")
	for _, a := range all.Data {
		out = append(out, asked{
			v.Href("/v/services/" + a.ID), icons[a.Kind], v.Say(a.ProductNames), v.Say(a.Bank.Names), financeTones[a.State], v.T("finance.s_" + string(a.State)), a.MovedAt,
		})
	}
	return out, err
}

var icons = map[finance.ProductKind]string{finance.Account: "landmark", finance.Loan: "hand-coins"}

type productPage struct {
	at
	Card          ui.OfferCard
	Product       finance.EditionView
	Key           string
	Sum, Months   string
	Purpose, Days string
	Wrongs        []ui.Wrong
}

type applicationPage struct {
	at
	finance.ApplicationView
	Tone, Text string
	Said       string // what was just done
	Agree      string // the text to agree to, in the page's language
	Question   *finance.QuestionView
	Key        string
	Answer     string
	Wrongs     []ui.Wrong
	Events     []ui.Event
	Over       int
	Due        string
}

// showFinance shows a product with its form, or an application.
func showFinance(d *Desk, v *site.Visit, seat site.Seat, thing string, wrong error) error {
	if id.Is(id.Product, thing) {
		return d.product(v, seat, thing, wrong)
	}
	return d.application(v, seat, thing, wrong)
}

func (d *Desk) product(v *site.Visit, seat site.Seat, product string, wrong error) error {
	all, err := site.Get[finance.VersionsView](v, "/v1/finance/products/"+product)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all.Versions, func(e finance.EditionView) bool { return e.State == finance.Published })
	if i < 0 {
		return site.ErrNotFound
	}
	e := all.Versions[i]
	p := productPage{at: d.at(v, seat, v.Say(e.Names).Text, "/v/services"), Card: services.Card(v.Lang, e), Product: e, Key: site.NewKey(), Days: "90"}
	if wrong == nil {
		return v.Show(productView(p))
	}
	p.Key, p.Sum, p.Months, p.Purpose, p.Days = v.Key(), v.Field("somme"), v.Field("mois"), v.Field("pour"), cmp.Or(v.Field("jours"), "90")
	return d.untaken(v, wrong, map[string]string{"/amount": "somme", "/amount/amount": "somme", "/months": "mois", "/purpose": "pour", "/days": "jours"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return productView(p)
	})
}

// untaken shows a form that was not taken, with what is wrong. What is not about the
// form is not its matter.
func (d *Desk) untaken(v *site.Visit, wrong error, fields map[string]string, show func([]ui.Wrong) templ.Component) error {
	f, ok := errors.AsType[*site.Fault](wrong)
	if !ok || f.Status >= http.StatusInternalServerError || f.Code == "auth.step_up" || f.Status == http.StatusUnauthorized || f.Status == http.StatusNotFound || f.Status == http.StatusForbidden {
		return wrong
	}
	return v.ShowAs(f.Status, show(v.Wrongs(wrong, fields)))
}

func (d *Desk) application(v *site.Visit, seat site.Seat, application string, wrong error) error {
	a, err := site.Get[finance.ApplicationView](v, applications+"/"+application)
	if err != nil {
		return err
	}
	p := applicationPage{
		at: d.at(v, seat, v.Say(a.ProductNames).Text, "/v/services"), ApplicationView: a, Tone: financeTones[a.State], Text: v.T("finance.s_" + string(a.State)), Key: site.NewKey(),
	}
	if f := v.Query.Get("fait"); slices.Contains([]string{"submit", "answer", "accept", "decline", "withdraw", "use-account", "consent"}, f) && wrong == nil {
		p.Said = v.T("services.done_" + strings.ReplaceAll(f, "-", "_"))
	}
	if a.Agree != nil {
		p.Agree = v.Say(a.Agree.Text).Text
	}
	if n := len(a.Questions); n > 0 && a.State == finance.PapersAsked && a.Questions[n-1].AnsweredAt == nil {
		p.Question = &a.Questions[n-1]
	}
	for _, s := range a.Steps {
		e := ui.Event{At: v.Lang.Moment(s.At), Text: v.T("finance.s_" + string(s.State)), Who: v.T("services.by_" + s.By), Tone: financeTones[s.State]}
		if s.Note == "consent_withdrawn" || s.Note == "consent_expired" {
			e.Text = v.T("finance." + s.Note)
		}
		p.Events = append(p.Events, e)
	}
	if a.Deadline != nil && a.State == finance.Offered {
		p.Due = v.T("services.due", "at", v.Lang.Moment(*a.Deadline))
	}
	if wrong == nil {
		return v.Show(applicationView(p))
	}
	p.Key, p.Answer = v.Key(), v.Field("reponse")
	return d.untaken(v, wrong, map[string]string{"/text": "reponse", "/reason": "raison"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return applicationView(p)
	})
}

// actFinance does what a form asks for: apply, or a step of an application.
func actFinance(d *Desk, v *site.Visit, seat site.Seat, thing string) error {
	if id.Is(id.Product, thing) {
		return d.apply(v, seat, thing)
	}
	act, in := v.Field("quoi"), map[string]string{}
	switch act {
	case "submit":
		in["digest"] = v.Field("texte")
	case "answer":
		in["text"] = v.Field("reponse")
		if t := v.Field("texte"); t != "" {
			in["digest"] = t
		}
	case "decline":
		if r := v.Field("raison"); r != "" {
			in["reason"] = r
		}
	case "accept", "withdraw", "use-account":
	case "consent":
		return d.endConsent(v, seat, thing)
	default:
		return site.ErrNotFound
	}
	if _, err := site.Post[struct{}](v, applications+"/"+thing+"/"+act, in); err != nil {
		return d.application(v, seat, thing, err)
	}
	return v.Go("/v/services/"+thing, "fait", act)
}

// endConsent takes a consent of an application back.
func (d *Desk) endConsent(v *site.Visit, seat site.Seat, application string) error {
	consent := v.Field("accord")
	if !id.Is(id.Consent, consent) {
		return site.ErrNotFound
	}
	if _, err := site.Post[struct{}](v, "/v1/consents/"+consent+"/withdraw", nil); err != nil {
		return d.application(v, seat, application, err)
	}
	return v.Go("/v/services/"+application, "fait", "consent")
}

// apply drafts an application.
func (d *Desk) apply(v *site.Visit, seat site.Seat, product string) error {
	all, err := site.Get[finance.VersionsView](v, "/v1/finance/products/"+product)
	if err != nil {
		return err
	}
	e := all.Versions[0]
	in := map[string]any{"product": product, "sections": e.Sections, "sensitive": e.Sensitive, "purpose": v.Field("pour")}
	if in["days"], err = readNumber(v.Field("jours")); err != nil {
		return d.product(v, seat, product, wrongAt("finance.invalid", "/days"))
	}
	if e.Kind == finance.Loan {
		var m money.Money
		if m, err = readPrice(v.Field("somme")); err != nil {
			return d.product(v, seat, product, wrongAt("finance.invalid", "/amount"))
		}
		in["amount"] = m
		if in["months"], err = readNumber(v.Field("mois")); err != nil {
			return d.product(v, seat, product, wrongAt("finance.invalid", "/months"))
		}
	}
	a, err := site.Post[finance.ApplicationView](v, applications, in)
	if err != nil {
		return d.product(v, seat, product, err)
	}
	return v.Go("/v/services/" + a.ID)
}

// readNumber reads a whole number that was typed.
func readNumber(s string) (int, error) {
	return strconv.Atoi(digits(s))
}

// parted is a RIB in its four parts: bank, town, account and key.
func parted(rib string) []string {
	if len(rib) != 24 {
		return []string{rib}
	}
	return []string{rib[:3], rib[3:6], rib[6:22], rib[22:]}
}
