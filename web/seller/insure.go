package seller

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/policies"
	"tiwiza/pkg/id"
	"tiwiza/web/services"
	"tiwiza/web/site"
	"tiwiza/web/ui"
)

const insuring = "/v1/insurance"

// insurance is the shelf of insurers.
var insurance = shelf{
	offers: covers, mine: covered, kinds: []id.Kind{id.InsuranceProduct, id.InsuranceQuote, id.Policy, id.Claim}, show: showInsurance, act: actInsurance,
}

// ofSales is the line of what is insured with a sale.
const ofSales = "parcel"

// covers are what insurers offer.
func covers(_ *Desk, v *site.Visit) (out []ui.OfferCard, err error) {
	all, err := site.Get[page[policies.ProductView]](v, insuring+"/products?limit=50")
	for _, p := range all.Data {
		c := services.Cover(v.Lang, p)
		c.Href, c.Label = v.Href("/v/services/"+p.ID), v.T("insure.see")
		out = append(out, c)
	}
	return out, err
}

// covered are the member's quotes that can still be taken, its policies and claims.
func covered(_ *Desk, v *site.Visit) (out []asked, err error) {
	add := func(thing, icon, kind, state string, name, by map[string]string, at time.Time) {
		if thing != "" {
			out = append(out, asked{v.Href("/v/services/" + thing), icon, v.Say(name), v.Say(by), services.Tone(kind, state), v.T("insure." + kind + "_" + state), at})
		}
	}
	quotes, err := site.Get[page[policies.QuoteView]](v, insuring+"/quotes?limit=12")
	if err != nil {
		return nil, err
	}
	for _, q := range quotes.Data {
		if q.State == policies.QuoteAsked || q.State == policies.QuoteOpen && !q.Expired {
			add(q.ID, services.LineIcon(string(q.Line)), "quote", string(q.State), q.ProductName, q.InsurerName, q.AskedAt)
		}
	}
	held, err := site.Get[page[policies.PolicyView]](v, insuring+"/policies?limit=24")
	if err != nil {
		return nil, err
	}
	for _, p := range held.Data {
		add(p.ID, services.LineIcon(string(p.Line)), "policy", string(p.State), p.ProductName, p.InsurerName, p.AskedAt)
	}
	claims, err := site.Get[page[policies.ClaimView]](v, insuring+"/claims?limit=24")
	for _, c := range claims.Data {
		if c.Under != nil {
			add(c.ID, reasonIcon(c.Type), "claim", string(c.State), c.Under.ProductName, c.Under.InsurerName, c.MadeAt)
		}
	}
	return out, err
}

type coverPage struct {
	at
	Card         ui.OfferCard
	Product      policies.ProductView
	Key          string
	Sum, Commune string
	Months       string
	Sale         *orders.View // whose parcel it is, of a parcel
	Wrongs       []ui.Wrong
}

type quotePage struct {
	at
	policies.QuoteView
	By         ui.Said
	Tone, Text string
	Agree      policies.ConsentView // in the page's language
	Key        string
	Wrongs     []ui.Wrong
}

type policyPage struct {
	at
	policies.PolicyView
	By         ui.Said
	Tone, Text string
	Said       string // what was just done
	Claims     []policies.ClaimView
	Key        string
	Because    string
	Wrongs     []ui.Wrong
}

// showInsurance shows a product, a quote, a policy or a claim.
func showInsurance(d *Desk, v *site.Visit, seat site.Seat, thing string, wrong error) error {
	switch {
	case id.Is(id.InsuranceProduct, thing):
		return d.cover(v, seat, thing, wrong)
	case id.Is(id.InsuranceQuote, thing):
		return d.quote(v, seat, thing, wrong)
	case id.Is(id.Claim, thing):
		return d.claim(v, seat, thing, wrong)
	case v.Query.Get("declarer") != "" || v.Field("quoi") == "declare":
		return d.declaring(v, seat, thing, wrong)
	}
	return d.policy(v, seat, thing, wrong)
}

func (d *Desk) cover(v *site.Visit, seat site.Seat, product string, wrong error) error {
	e, err := site.Get[policies.ProductView](v, insuring+"/products/"+product)
	if err != nil {
		return err
	}
	p := coverPage{at: d.at(v, seat, v.Say(e.Names).Text, "/v/services"), Card: services.Cover(v.Lang, e), Product: e, Key: site.NewKey(), Months: "12"}
	if sale := cmp.Or(v.Field("vente"), v.Query.Get("vente")); e.Line == ofSales && id.Is(id.Order, sale) {
		o, err := site.Get[orders.View](v, "/v1/orders/"+sale)
		if err != nil {
			return err
		}
		p.Sale, p.Months, p.Sum = &o, "1", o.Totals.Goods.Sub(o.Totals.Discount).Amount()
	}
	if wrong == nil {
		return v.Show(coverView(p))
	}
	p.Sum, p.Commune = v.Field("somme"), v.Field("commune")
	if p.Sale == nil {
		p.Months = v.Field("mois")
	}
	return d.untaken(v, wrong, map[string]string{"/order": "somme", "/sum": "somme", "/sum/amount": "somme", "/months": "mois", "/ends": "mois", "/commune": "commune"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return coverView(p)
	})
}

func (d *Desk) quote(v *site.Visit, seat site.Seat, quote string, wrong error) error {
	q, err := site.Get[policies.QuoteView](v, insuring+"/quotes/"+quote)
	if err != nil {
		return err
	}
	state := string(q.State)
	if q.State == policies.QuoteOpen && q.Expired {
		state = "expired"
	}
	p := quotePage{
		at: d.at(v, seat, v.Say(q.ProductName).Text, "/v/services"), QuoteView: q, By: insurerOf(v, q.InsurerName, q.Insurer),
		Tone: services.Tone("quote", state), Text: v.T("insure.quote_" + state), Key: site.NewKey(),
	}
	for _, c := range q.Consents {
		if c.Lang == string(v.Lang.Text()) || p.Agree.Lang == "" {
			p.Agree = c
		}
	}
	if wrong == nil {
		return v.Show(quoteView(p))
	}
	return d.untaken(v, wrong, map[string]string{"/read": "lu"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return quoteView(p)
	})
}

// insurerOf is how an insurer is called: by its organisation, or by its own name.
func insurerOf(v *site.Visit, names map[string]string, insurer string) ui.Said {
	if s := v.Say(names); s.Text != "" {
		return s
	}
	return ui.Said{Lang: v.Lang.Text(), Text: insurer}
}

// told is what the page says was just done.
func told(v *site.Visit, wrong error, all ...string) string {
	if f := v.Query.Get("fait"); slices.Contains(all, f) && wrong == nil {
		return v.T("insure.done_" + f)
	}
	return ""
}

func (d *Desk) policy(v *site.Visit, seat site.Seat, policy string, wrong error) error {
	y, err := site.Get[policies.PolicyView](v, insuring+"/policies/"+policy)
	if err != nil {
		return err
	}
	claims, err := site.Get[page[policies.ClaimView]](v, insuring+"/claims?limit=24&policy="+policy)
	if err != nil {
		return err
	}
	p := policyPage{
		at: d.at(v, seat, v.Say(y.ProductName).Text, "/v/services"), PolicyView: y, By: insurerOf(v, y.InsurerName, y.Insurer), Tone: services.Tone("policy", string(y.State)), Text: v.T("insure.policy_" + string(y.State)),
		Said: told(v, wrong, "take", "cancel"), Claims: claims.Data, Key: site.NewKey(),
	}
	if wrong == nil {
		return v.Show(policyView(p))
	}
	p.Because = v.Field("raison")
	return d.untaken(v, wrong, map[string]string{"/reason": "raison"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return policyView(p)
	})
}

// actInsurance does what a form asks for.
func actInsurance(d *Desk, v *site.Visit, seat site.Seat, thing string) error {
	at := "/v/services/" + thing
	switch act := v.Field("quoi"); {
	case v.Form() == nil: // more than a form may hold
		return &site.Fault{Status: http.StatusUnprocessableEntity, Code: "pages.file_too_large"}
	case id.Is(id.InsuranceProduct, thing):
		return d.askPrice(v, seat, thing)
	case id.Is(id.InsuranceQuote, thing) && act == "take":
		if v.Field("lu") == "" {
			return d.quote(v, seat, thing, wrongAt("insure.read", "/read"))
		}
		consent := map[string]string{"lang": v.Field("langue"), "text_hash": v.Field("texte")}
		y, err := site.Post[policies.PolicyView](v, insuring+"/policies", map[string]any{"quote": thing, "consent": consent})
		if err != nil {
			return d.quote(v, seat, thing, err)
		}
		return v.Go("/v/services/"+y.ID, "fait", act)
	case id.Is(id.Policy, thing) && act == "cancel":
		if _, err := site.Post[struct{}](v, insuring+"/policies/"+thing+"/cancel", map[string]string{"reason": v.Field("raison")}); err != nil {
			return d.policy(v, seat, thing, err)
		}
		return v.Go(at, "fait", act)
	case id.Is(id.Policy, thing) && act == "declare":
		return d.declare(v, seat, thing)
	case id.Is(id.Claim, thing) && act == "add":
		return d.addPaper(v, seat, thing)
	}
	return site.ErrNotFound
}

// askPrice asks an insurer for its price.
func (d *Desk) askPrice(v *site.Visit, seat site.Seat, product string) error {
	m, err := readPrice(v.Field("somme"))
	if err != nil {
		return d.cover(v, seat, product, wrongAt("policies.invalid", "/sum"))
	}
	months, err := readNumber(v.Field("mois"))
	if err != nil || months < 1 || months > 60 {
		return d.cover(v, seat, product, wrongAt("policies.invalid", "/months"))
	}
	in := map[string]any{"product": product, "sum": m, "months": months}
	if c := v.Field("commune"); c != "" {
		in["commune"] = c
	}
	if sale := v.Field("vente"); sale != "" {
		in["order"] = sale
	}
	q, err := site.Post[policies.QuoteView](v, insuring+"/quotes", in)
	if err != nil {
		return d.cover(v, seat, product, err)
	}
	return v.Go("/v/services/" + q.ID)
}

// wrongAt is what a page finds wrong before it asks the hub.
func wrongAt(code, pointer string) error {
	f := &site.Fault{Status: http.StatusUnprocessableEntity, Code: code}
	f.Errors = append(f.Errors, struct {
		Pointer string `json:"pointer"`
		Detail  string `json:"detail"`
	}{pointer, ""})
	return f
}

// inOrder are papers, each once, those in the page's language first.
func inOrder(l ui.Lang, all []policies.DocumentView) (out []policies.DocumentView) {
	for _, d := range all {
		if !slices.ContainsFunc(out, func(o policies.DocumentView) bool {
			return o.Kind == d.Kind && o.Lang == d.Lang && o.SHA256 == d.SHA256
		}) {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b policies.DocumentView) int {
		switch here := string(l.Text()); {
		case a.Lang == here && b.Lang != here:
			return -1
		case a.Lang != here && b.Lang == here:
			return 1
		}
		return 0
	})
	return out
}
