package seller

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"tiwiza/marketplace/orders"
	"tiwiza/marketplace/policies"
	"tiwiza/pkg/clock"
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

// losses are why something is claimed, with their pictures.
var losses = []struct{ Code, Icon string }{
	{"water", "droplet"}, {"fire", "flame"}, {"weather", "cloud-rain"}, {"theft", "lock-open"}, {"damage", "triangle-alert"}, {"illness", "heart-pulse"}, {"loss", "search-x"}, {"other", "message-circle"},
}

func reasonIcon(code string) string {
	for _, r := range losses {
		if r.Code == code {
			return r.Icon
		}
	}
	return "umbrella"
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

type declarePage struct {
	at
	Policy       policies.PolicyView
	Key          string
	Reason, When string
	Sum, Words   string
	Wrongs       []ui.Wrong
}

type claimPage struct {
	at
	policies.ClaimView
	Under      policies.UnderView
	By         ui.Said
	Tone, Text string
	Said       string
	Steps      []ui.Step
	Key        string
	Wrongs     []ui.Wrong
}

// photos are how many photographs a claim is declared with at most; more are added
// on its page.
const photos = 3

// maxPaper is how large a photograph or a paper may be.
const maxPaper = 10 << 20

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

func (d *Desk) declaring(v *site.Visit, seat site.Seat, policy string, wrong error) error {
	y, err := site.Get[policies.PolicyView](v, insuring+"/policies/"+policy)
	if err != nil {
		return err
	}
	p := declarePage{at: d.at(v, seat, v.T("insure.declare"), "/v/services/"+policy), Policy: y, Key: site.NewKey()}
	if wrong == nil {
		return v.Show(declareView(p))
	}
	p.Reason, p.When, p.Sum, p.Words = v.Field("motif"), v.Field("jour"), v.Field("somme"), v.Field("texte")
	fields := map[string]string{"/type": "motif", "/event_at": "jour", "/amount": "somme", "/amount/amount": "somme", "/description": "texte", "/file": "photo1"}
	return d.untaken(v, wrong, fields, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return declareView(p)
	})
}

func (d *Desk) claim(v *site.Visit, seat site.Seat, claim string, wrong error) error {
	if piece := v.Query.Get("piece"); piece != "" {
		if !plain(piece) {
			return site.ErrNotFound
		}
		return v.HandOn(insuring + "/claims/" + claim + "/evidence/" + piece)
	}
	c, err := site.Get[policies.ClaimView](v, insuring+"/claims/"+claim)
	if err != nil {
		return err
	}
	p := claimPage{
		at: d.at(v, seat, v.T("insure.type_"+c.Type), "/v/services/"+c.Policy), ClaimView: c, Tone: services.Tone("claim", string(c.State)), Text: v.T("insure.claim_" + string(c.State)),
		Said: told(v, wrong, "declare", "add"), Steps: claimSteps(v.Lang, string(c.State)), Key: site.NewKey(),
	}
	if c.Under != nil {
		p.Under, p.By = *c.Under, insurerOf(v, c.Under.InsurerName, c.Insurer)
	}
	if wrong == nil {
		return v.Show(claimView(p))
	}
	return d.untaken(v, wrong, map[string]string{"/file": "photo", "/kind": "papier", "/evidence": "photo"}, func(w []ui.Wrong) templ.Component {
		p.Wrongs = w
		return claimView(p)
	})
}

// claimSteps are the way of a claim, and where it is.
func claimSteps(l ui.Lang, state string) (out []ui.Step) {
	all := []string{"notified", "review", "accepted", "paid"}
	if state == "rejected" {
		all = []string{"notified", "review", "rejected"}
	}
	here := slices.Index(all, state)
	for i, s := range all {
		step := ui.Step{Text: l.T("insure.claim_" + s)}
		switch {
		case i < here || state == "paid":
			step.State = "done"
		case i == here:
			step.State = "now"
		}
		out = append(out, step)
	}
	return out
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

// declare declares a claim with its photographs.
func (d *Desk) declare(v *site.Visit, seat site.Seat, policy string) error {
	y, err := site.Get[policies.PolicyView](v, insuring+"/policies/"+policy)
	if err != nil {
		return err
	}
	bad := func(pointer string) error {
		return d.declaring(v, seat, policy, wrongAt("policies.invalid", pointer))
	}
	reason := v.Field("motif")
	if reasonIcon(reason) == "umbrella" {
		return bad("/type")
	}
	day, err := time.ParseInLocation(time.DateOnly, v.Field("jour"), clock.Morocco)
	if err != nil {
		return bad("/event_at")
	}
	if day.Before(y.Starts) && day.AddDate(0, 0, 1).After(y.Starts) {
		day = y.Starts // the day on which it began
	}
	m, err := readPrice(v.Field("somme"))
	if err != nil {
		return bad("/amount")
	}
	words := v.Field("texte")
	if len([]rune(words)) < 3 { // the picture says it
		words = v.T("insure.type_" + reason)
	}
	evidence := []map[string]string{}
	for i := range photos {
		file, err := paperOf(v, "photo"+strconv.Itoa(i+1))
		if err != nil {
			return d.declaring(v, seat, policy, atFile(err))
		}
		if file != "" {
			evidence = append(evidence, map[string]string{"file": file, "kind": "photograph"})
		}
	}
	in := map[string]any{"policy": policy, "event_at": day.UTC(), "type": reason, "description": words, "amount": m, "evidence": evidence}
	c, err := site.Post[policies.ClaimView](v, insuring+"/claims", in)
	if err != nil {
		return d.declaring(v, seat, policy, err)
	}
	return v.Go("/v/services/"+c.ID, "fait", "declare")
}

// addPaper adds a paper to a claim.
func (d *Desk) addPaper(v *site.Visit, seat site.Seat, claim string) error {
	file, err := paperOf(v, "photo")
	if err != nil {
		return d.claim(v, seat, claim, atFile(err))
	}
	if file == "" {
		return d.claim(v, seat, claim, wrongAt("insure.no_file", "/file"))
	}
	kind := v.Field("papier")
	if kind == "" {
		kind = "photograph"
	}
	in := map[string]any{"evidence": []map[string]string{{"file": file, "kind": kind}}}
	if _, err := site.Post[struct{}](v, insuring+"/claims/"+claim+"/evidence", in); err != nil {
		return d.claim(v, seat, claim, err)
	}
	return v.Go("/v/services/"+claim, "fait", "add")
}

// paperOf hands a file of the form over, if there is one, and gives its id.
func paperOf(v *site.Visit, field string) (string, error) {
	name, kind, content, err := v.File(field, maxPaper)
	if err != nil || content == nil {
		return "", err
	}
	made, err := site.Upload[struct {
		ID string `json:"id"`
	}](v, "/v1/files?kind=proof", fmt.Sprintf("%s-%s", field, name), kind, content)
	return made.ID, err
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

// atFile says that what is wrong is the file of the form, whatever the hub says of
// it.
func atFile(err error) error {
	f, ok := errors.AsType[*site.Fault](err)
	if !ok || len(f.Errors) > 0 {
		return err
	}
	return wrongAt(f.Code, "/file")
}

// asked are the papers that the insurer asks for, to choose from.
func (p claimPage) asked() (out []ui.Option) {
	for _, a := range p.Asks {
		out = append(out, ui.Option{Value: a, Text: services.Word(p.Lang, "insure.paper_", a)})
	}
	return out
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
