package policies

import (
	"context"
	"net/http"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const base, ok, made = "/v1/insurance", http.StatusOK, http.StatusCreated
	return []rest.Route{
		rest.Handle("GET", base+"/products", "insurance.products", "List the insurances on offer; an insurer's people see their own, an operator all", ok, s.ListProducts),
		rest.Handle("GET", base+"/products/{product}", "insurance.product", "Show a version of a product", ok, s.ShowProduct),
		rest.Commit("POST", base+"/products", "insurance.propose", "Write down the next version of a product, as its insurer's people", made, s.Propose),
		rest.Commit("POST", base+"/products/{product}/approve", "insurance.approve", "Let a version of a product be sold, in the place of the one before", ok, s.Approve),
		rest.Commit("POST", base+"/products/{product}/reject", "insurance.reject", "Say why a version of a product is not sold", ok, s.Reject),
		rest.Commit("POST", base+"/products/{product}/withdraw", "insurance.withdraw", "Stop the sale of a product; its policies go on", ok, s.Withdraw),

		rest.Commit("POST", base+"/quotes", "insurance.ask", "Ask an insurer for its price", made, s.Ask,
			rest.About("The quote is asked for until the insurer has answered; then it is open, with the text to agree to in three languages, or refused.")),
		rest.Handle("GET", base+"/quotes", "insurance.quotes", "List the prices that you asked for, the newest first", ok, s.ListQuotes),
		rest.Handle("GET", base+"/quotes/{quote}", "insurance.quote", "Show a quote with its papers and the text to agree to", ok, s.ShowQuote),

		rest.Commit("POST", base+"/policies", "insurance.take", "Agree to a quote: the premium leaves the balance, and the insurer is asked to bind", made, s.Take,
			rest.About("The policy is pending until the insurer has bound it. When the insurer refuses, the premium is back in the balance whole.")),
		rest.Handle("GET", base+"/policies", "insurance.policies", "List policies, the newest first", ok, s.ListPolicies),
		rest.Handle("GET", base+"/policies/{policy}", "insurance.policy", "Show a policy with its premiums and what was agreed to", ok, s.ShowPolicy),
		rest.Commit("POST", base+"/policies/{policy}/cancel", "insurance.cancel", "Cancel a policy in its cooling-off time", ok, s.Cancel),
		rest.Commit("POST", base+"/policies/{policy}/observations", "insurance.observe", "Enter a value of an index that a policy pays by, signed by its source", made, s.Observe),
		rest.Commit("POST", base+"/sources", "insurance.source", "Enter the key by which a source of indices signs", made, s.Enter),

		rest.Commit("POST", base+"/claims", "insurance.declare", "Declare a claim", made, s.Declare),
		rest.Handle("GET", base+"/claims", "insurance.claims", "List claims, the newest first", ok, s.ListClaims),
		rest.Handle("GET", base+"/claims/{claim}", "insurance.claim", "Show a claim with its papers", ok, s.ShowClaim),
		rest.Commit("POST", base+"/claims/{claim}/evidence", "insurance.evidence", "Add papers to a claim", ok, s.Add),
		rest.Handle("GET", base+"/claims/{claim}/evidence/{file}", "insurance.paper", "Download a paper of a claim", ok, s.Paper,
			rest.Gives("application/pdf", "image/jpeg", "audio/ogg", "audio/mpeg"), rest.AtOnce(8, 2)),
		rest.Commit("POST", base+"/claims/{claim}/answer", "insurance.answer", "Answer a claim, as its insurer's people", ok, s.Answer),

		rest.Commit("POST", base+"/statements", "insurance.statement", "Ask an insurer for its statement of a month, to compare it with the books", made, s.AskStatement),
		rest.Handle("GET", base+"/statements", "insurance.statements", "List insurers' statements, the newest first", ok, s.ListStatements),
		rest.Handle("GET", base+"/statements/{statement}", "insurance.statement_show", "Show a statement, its rows and what differs", ok, s.ShowStatement),
		rest.Handle("GET", base+"/breaks", "insurance.breaks", "List where insurers and the market say different things", ok, s.ListGaps),
		rest.Commit("POST", base+"/breaks/{break}/resolve", "insurance.resolve", "Say how a break was seen to", ok, s.Resolve),
	}
}

// DocumentView is a paper by its address and the hash of its bytes.
type DocumentView struct {
	Kind   string `json:"kind" required:"true" description:"information_sheet, terms, exclusions, certificate"`
	Lang   string `json:"lang" required:"true"`
	URL    string `json:"url" required:"true"`
	SHA256 string `json:"sha256" required:"true"`
}

func documents(all []insurance.Document) []DocumentView {
	out := make([]DocumentView, len(all))
	for i, d := range all {
		out[i] = DocumentView(d)
	}
	return out
}

func inputs(all []DocumentView) []insurance.Document {
	out := make([]insurance.Document, len(all))
	for i, d := range all {
		out[i] = insurance.Document(d)
	}
	return out
}

// PremiumRule is how the price of a product is made; the insurer's quote counts.
type PremiumRule struct {
	Fixed  *money.Money `json:"fixed,omitempty" description:"Either this, or a rate."`
	Rate   int          `json:"rate_permille,omitempty" description:"Thousandths of the sum insured."`
	Min    *money.Money `json:"minimum,omitempty"`
	Period string       `json:"period" required:"true" enum:"once,month,season,year"`
}

// TriggerView is an index that pays by itself.
type TriggerView struct {
	Index     string      `json:"index" required:"true" maxLength:"40"`
	Source    string      `json:"source" required:"true" maxLength:"120"`
	Below     bool        `json:"below" required:"true"`
	Threshold string      `json:"threshold" required:"true" maxLength:"40"`
	Pays      money.Money `json:"pays" required:"true"`
}

// Offer is what a product says.
type Offer struct {
	Code       string         `json:"code" required:"true" maxLength:"40" description:"The insurer's own name of it."`
	Line       insurance.Line `json:"line" required:"true" enum:"parcel,stock,crop,health"`
	Names      Texts          `json:"names" required:"true"`
	Covers     []Texts        `json:"covers" required:"true" maxItems:"20" description:"The risks, in plain words."`
	Exclusions []Texts        `json:"exclusions" required:"true" maxItems:"5"`
	Premium    PremiumRule    `json:"premium" required:"true"`
	Most       money.Money    `json:"most" required:"true" description:"The highest sum insured."`
	Excess     *money.Money   `json:"excess,omitempty" description:"What the insured bears of a claim."`
	Waiting    int            `json:"waiting_days"`
	CoolingOff int            `json:"cooling_off_days"`
	Commission int            `json:"commission_permille" description:"The market's, of the premium without its taxes."`
	Papers     []string       `json:"papers" maxItems:"20" description:"What a claim needs."`
	Trigger    *TriggerView   `json:"trigger,omitempty"`
	Documents  []DocumentView `json:"documents" required:"true" maxItems:"12" description:"One of them is the information sheet."`
}

// ProposeInput is the next version of a product.
type ProposeInput struct {
	Insurer string `json:"insurer,omitempty" maxLength:"64" description:"Left out by the people of one insurer: that one."`
	Offer
}

func amount(m *money.Money) money.Money {
	if m == nil {
		return money.Dirhams(0)
	}
	return *m
}

func (in ProposeInput) product() insurance.Product {
	p := insurance.Product{
		ID: in.Code, Line: in.Line, Names: in.Names, Covers: in.Covers, Exclusions: in.Exclusions,
		Premium: insurance.Premium{Fixed: amount(in.Premium.Fixed), Rate: in.Premium.Rate, Min: amount(in.Premium.Min), Period: in.Premium.Period},
		Most:    in.Most, Excess: amount(in.Excess), Waiting: in.Waiting, CoolingOff: in.CoolingOff, Commission: in.Commission, Papers: in.Papers, Documents: inputs(in.Documents),
	}
	if t := in.Trigger; t != nil {
		p.Trigger = &insurance.Trigger{Index: t.Index, Source: t.Source, Below: t.Below, Threshold: t.Threshold, Pays: t.Pays}
	}
	return p
}

func offerOf(p insurance.Product) Offer {
	o := Offer{
		Code: p.ID, Line: p.Line, Names: p.Names, Covers: p.Covers, Exclusions: p.Exclusions, Premium: PremiumRule{Rate: p.Premium.Rate, Period: p.Premium.Period},
		Most: p.Most, Waiting: p.Waiting, CoolingOff: p.CoolingOff, Commission: p.Commission, Papers: p.Papers, Documents: documents(p.Documents),
	}
	for _, m := range []struct {
		from money.Money
		to   **money.Money
	}{{p.Premium.Fixed, &o.Premium.Fixed}, {p.Premium.Min, &o.Premium.Min}, {p.Excess, &o.Excess}} {
		if !m.from.IsZero() {
			v := m.from
			*m.to = &v
		}
	}
	if t := p.Trigger; t != nil {
		o.Trigger = &TriggerView{t.Index, t.Source, t.Below, t.Threshold, t.Pays}
	}
	if o.Papers == nil {
		o.Papers = []string{}
	}
	if o.Exclusions == nil {
		o.Exclusions = []Texts{}
	}
	return o
}

// ProductView is a version of a product.
type ProductView struct {
	ID          string       `json:"id" required:"true"`
	Insurer     string       `json:"insurer" required:"true"`
	InsurerName Texts        `json:"insurer_names,omitempty"`
	Number      int          `json:"version" required:"true"`
	State       ProductState `json:"state" required:"true" enum:"offered,approved,rejected,withdrawn"`
	Source      string       `json:"source" required:"true" enum:"insurer,desk" description:"desk: its insurer's people wrote it down here."`
	MadeAt      time.Time    `json:"made_at" required:"true"`
	DecidedAt   *time.Time   `json:"decided_at,omitempty"`
	Note        string       `json:"note,omitempty"`
	Offer
}

func (p Product) view(insurer Texts) ProductView {
	return ProductView{p.ID, p.Insurer, insurer, p.Number, p.State, p.Source, p.MadeAt.UTC(), rest.UTC(p.DecidedAt), p.Note, offerOf(p.Doc)}
}

// ProductsInput says which products.
type ProductsInput struct {
	rest.Paging
	Line  string `query:"line" enum:"parcel,stock,crop,health"`
	State string `query:"state" enum:"offered,approved,rejected,withdrawn" description:"For insurers' people and operators; others see what is approved."`
}

// OneProduct names a product's version.
type OneProduct struct {
	Product string `path:"product"`
}

// DecideInput decides on a product's version.
type DecideInput struct {
	Product string `path:"product"`
	Note    string `json:"note,omitempty" maxLength:"500"`
}

// RefuseInput says why a product's version is not sold.
type RefuseInput struct {
	Product string `path:"product"`
	Note    string `json:"note" required:"true" minLength:"3" maxLength:"500"`
}

// ListProducts lists products, the newest first.
func (s *Service) ListProducts(ctx context.Context, in ProductsInput) (p rest.Page[ProductView], err error) {
	below, err := in.After(id.InsuranceProduct)
	if err != nil {
		return p, err
	}
	var insurers []string
	switch who := auth.From(ctx); who.Role {
	case auth.Operator:
	case auth.Insurer:
		if insurers, err = s.speaksFor(ctx, s.db, who.Subject); err != nil {
			return p, err
		}
	default:
		in.State = string(Approved)
	}
	all, err := products(ctx, s.db, insurers, in.State, in.Line, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	var ids []string
	for _, x := range all {
		ids = append(ids, x.Insurer)
	}
	names, err := s.names(ctx, s.db, ids...)
	return rest.View(all, in.Limit, func(x Product) ProductView { return x.view(names[x.Insurer]) }, func(v ProductView) any { return v.ID }), err
}

// ShowProduct shows a version of a product to whoever may see it: a member what is
// or was sold.
func (s *Service) ShowProduct(ctx context.Context, in OneProduct) (v ProductView, err error) {
	p, err := loadProduct(ctx, s.db, in.Product)
	if err != nil {
		return v, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return v, err
	}
	if sold := p.State == Approved || p.State == Withdrawn; w.Insurers != nil && !w.sees("", p.Insurer) || w.Member != "" && !sold {
		return v, ErrNotFound
	}
	names, err := s.names(ctx, s.db, p.Insurer)
	return p.view(names[p.Insurer]), err
}

// AskInput asks for a price.
type AskInput struct {
	Product string      `json:"product" required:"true" maxLength:"40"`
	Sum     money.Money `json:"sum" required:"true" description:"The sum insured."`
	Starts  time.Time   `json:"starts,omitempty" description:"Now when left out."`
	Ends    time.Time   `json:"ends,omitempty" description:"Either this, or months."`
	Months  int         `json:"months,omitempty" minimum:"1" maximum:"60" description:"For how long from its beginning."`
	Commune string      `json:"commune,omitempty" maxLength:"80" description:"Where it is; the member's own when left out."`
	Order   string      `json:"order,omitempty" maxLength:"40" description:"Of a parcel, the member's sale that it is of: paid for, or to be paid in cash, and not sent yet."`
}

// OneQuote names a quote.
type OneQuote struct {
	Quote string `path:"quote"`
}

// ConsentView is the text to agree to in one language.
type ConsentView struct {
	Lang     string `json:"lang" required:"true" enum:"fr,ar,en"`
	Text     string `json:"text" required:"true"`
	TextHash string `json:"text_hash" required:"true"`
}

// QuoteView is a quote as its member sees it.
type QuoteView struct {
	ID          string         `json:"id" required:"true"`
	Product     string         `json:"product" required:"true"`
	Insurer     string         `json:"insurer" required:"true"`
	InsurerName Texts          `json:"insurer_names,omitempty"`
	Order       string         `json:"order,omitempty" description:"The sale whose parcel it is."`
	ProductName Texts          `json:"product_names" required:"true"`
	Line        insurance.Line `json:"line" required:"true" enum:"parcel,stock,crop,health"`
	Policy      string         `json:"policy,omitempty" description:"That was made of it."`
	State       QuoteState     `json:"state" required:"true" enum:"asked,open,used,refused"`
	Sum         money.Money    `json:"sum" required:"true"`
	Starts      time.Time      `json:"starts" required:"true"`
	Ends        time.Time      `json:"ends" required:"true"`
	Premium     *money.Money   `json:"premium,omitempty" description:"Taxes within."`
	Taxes       *money.Money   `json:"taxes,omitempty"`
	Commission  *money.Money   `json:"commission,omitempty" description:"The market's, within the premium."`
	ValidUntil  *time.Time     `json:"valid_until,omitempty"`
	Expired     bool           `json:"expired" required:"true"`
	Documents   []DocumentView `json:"documents" required:"true"`
	Consents    []ConsentView  `json:"consents" required:"true" description:"What is agreed to when the quote is taken, by language."`
	Why         string         `json:"why,omitempty"`
	AskedAt     time.Time      `json:"asked_at" required:"true"`
}

func (q Quote) view(p Product, insurer Texts, now time.Time) QuoteView {
	v := QuoteView{
		ID: q.ID, Product: q.Product, Insurer: q.Insurer, InsurerName: insurer, ProductName: p.Doc.Names, Line: p.Line, Order: q.Order, State: q.State, Sum: q.money(q.SumInsured), Starts: q.Starts.UTC(), Ends: q.Ends.UTC(),
		ValidUntil: rest.UTC(q.ValidUntil), Documents: documents(append(q.Documents[:len(q.Documents):len(q.Documents)], p.Doc.Documents...)), Consents: []ConsentView{}, Why: q.Why, AskedAt: q.AskedAt.UTC(),
	}
	if q.State == QuoteOpen || q.State == QuoteUsed {
		premium, taxes, commission := q.money(q.Premium), q.money(q.Taxes), q.money(q.Commission)
		v.Premium, v.Taxes, v.Commission = &premium, &taxes, &commission
		v.Expired = !now.Before(*q.ValidUntil)
		for _, l := range Langs {
			text, hash := Consent(q, p, insurer, l)
			v.Consents = append(v.Consents, ConsentView{l, text, hash})
		}
	}
	return v
}

// ShowQuote shows a quote to its member, and to operators.
func (s *Service) ShowQuote(ctx context.Context, in OneQuote) (v QuoteView, err error) {
	q, err := loadQuote(ctx, s.db, in.Quote)
	if err != nil {
		return v, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return v, err
	}
	if !w.sees(q.Member, q.Insurer) {
		return v, ErrNotFound
	}
	p, err := loadProduct(ctx, s.db, q.Product)
	if err != nil {
		return v, err
	}
	names, err := s.names(ctx, s.db, q.Insurer)
	if err != nil {
		return v, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return v, err
	}
	v = q.view(p, names[q.Insurer], now)
	if q.State == QuoteUsed {
		v.Policy, err = policyOfQuote(ctx, s.db, q.ID)
	}
	return v, err
}

// ListQuotes lists a member's quotes; an operator's are all.
func (s *Service) ListQuotes(ctx context.Context, in rest.Paging) (p rest.Page[QuoteView], err error) {
	below, err := in.After(id.InsuranceQuote)
	if err != nil {
		return p, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return p, err
	}
	all, err := quotesOf(ctx, s.db, w.Member, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return p, err
	}
	ids, insurers := make([]string, len(all)), make([]string, len(all))
	for i, q := range all {
		ids[i], insurers[i] = q.Product, q.Insurer
	}
	of, err := s.productsBy(ctx, ids)
	if err != nil {
		return p, err
	}
	names, err := s.names(ctx, s.db, insurers...)
	return rest.View(all, in.Limit, func(q Quote) QuoteView { return q.view(of[q.Product], names[q.Insurer], now) }, func(v QuoteView) any { return v.ID }), err
}

// productsBy are products by their ids.
func (s *Service) productsBy(ctx context.Context, ids []string) (map[string]Product, error) {
	found, err := productsBy(ctx, s.db, ids)
	of := make(map[string]Product, len(found))
	for _, d := range found {
		of[d.ID] = d
	}
	return of, err
}

// TakeInput takes a quote with what was agreed to.
type TakeInput struct {
	Quote   string       `json:"quote" required:"true" maxLength:"40"`
	Consent ConsentInput `json:"consent" required:"true"`
}

// ConsentInput is what was agreed to.
type ConsentInput struct {
	Lang     string `json:"lang" required:"true" enum:"fr,ar,en" description:"In which it was read."`
	TextHash string `json:"text_hash" required:"true" pattern:"^[0-9a-f]{64}$" description:"Of the quote's text in that language."`
}
