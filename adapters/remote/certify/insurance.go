package certify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

const insurancePath = "/insurance/v1"

type (
	// how a request is sent, and what it must be answered.
	how struct {
		Status  []int  `yaml:"status"`
		Code    string `yaml:"code"`
		Token   string `yaml:"token"`
		Times   int    `yaml:"times"`
		AtOnce  int    `yaml:"at_once"`
		Altered bool   `yaml:"altered"`
		Lost    bool   `yaml:"lost"`
		Half    bool   `yaml:"half"`
	}
	quoteStep struct {
		As    string `yaml:"as"`
		Magic string `yaml:"magic"`
		Index bool   `yaml:"index"` // of a product that pays by an index
		Wrong string `yaml:"wrong"` // product, subject, end, sum
		how   `yaml:",inline"`
	}
	bindStep struct {
		As    string `yaml:"as"`
		Quote string `yaml:"quote"`
		Wrong string `yaml:"wrong"` // quote, consent
		how   `yaml:",inline"`
	}
	underStep struct { // a cancellation, a premium, a claim or an observation
		As     string `yaml:"as"`
		Policy string `yaml:"policy"`
		Magic  string `yaml:"magic"`
		Wrong  string `yaml:"wrong"`  // policy, amount
		Beyond bool   `yaml:"beyond"` // an observation that makes something due
		how    `yaml:",inline"`
	}
	againStep struct {
		Of  string `yaml:"of"`
		how `yaml:",inline"`
	}
	standsStep struct {
		Of     string   `yaml:"of"`
		State  []string `yaml:"state"`
		Absent bool     `yaml:"absent"`
		Asks   bool     `yaml:"asks"`
	}
	portfolioStep struct {
		Policies int `yaml:"policies"`
		Cancels  int `yaml:"cancels"`
		Claims   int `yaml:"claims"`
	}
	postStep struct {
		Path   string `yaml:"path"`
		Text   string `yaml:"text"`
		Token  string `yaml:"token"`
		Status int    `yaml:"status"`
		Code   string `yaml:"code"`
	}
)

// A deal is one thing that was asked of a partner other than a bank, and what it should come to.
type deal struct {
	kind, ref, path string // quote, bind, cancel, premium, claim, observation; payment, reversal, payout; …
	body            []byte
	of              *deal // what it is of: a policy's quote, a claim's policy
	product         insurance.Product
	sum, amount     money.Money
	payment         string // of a binding: the reference of its premium

	mu     sync.Mutex
	id     string // the insurer's name of it
	said   struct{ premium, commission, refund money.Money }
	state  string
	reason string
	counts bool                             // it was done, so a statement must tell
	hear   func(d *deal, body []byte) error // reads what answers it; answered, when nil

	// Of wallets and cards.
	noun, at string                                        // what it is, and where it is asked for; "" nowhere
	line     func(d *deal) (amount money.Money, want bool) // what a statement tells of it, once it was done
	under    []*deal                                       // of a card's payment: what was asked of it
	until    time.Time                                     // of a card's payment: how long its page is open
	fee      *money.Money                                  // of a chargeback: what was told of it
}

// Insurance's steps, if the step is one of them.
func (r *runner) insure(ctx context.Context, s Step) (done bool, err error) {
	switch {
	case s.Products != nil:
		return true, r.readProducts(ctx)
	case s.Quote != nil:
		return true, r.quote(ctx, *s.Quote)
	case s.Bind != nil:
		return true, r.bind(ctx, *s.Bind)
	case s.Cancel != nil:
		return true, r.under(ctx, "cancel", *s.Cancel)
	case s.Premium != nil:
		return true, r.under(ctx, "premium", *s.Premium)
	case s.Claim != nil:
		return true, r.under(ctx, "claim", *s.Claim)
	case s.Observe != nil:
		return true, r.under(ctx, "observation", *s.Observe)
	case s.Stands != nil:
		return true, r.stands(ctx, *s.Stands)
	case s.Insure != nil:
		return true, r.insured(ctx)
	case s.Portfolio != nil:
		return true, r.portfolio(ctx, *s.Portfolio)
	}
	return false, nil
}

func (r *runner) raw(ctx context.Context, s postStep) error {
	a, err := r.call(ctx, http.MethodPost, s.Path, "CERTIFY", s.Token, []byte(s.Text))
	if err != nil {
		return err
	}
	return is("POST "+s.Path, a, []int{s.Status}, s.Code)
}

var errUnread = errors.New("the manifest could not be read")

// readProducts reads the products through the hub's own driver, and fetches the
// papers that nobody may be sold anything without.
func (r *runner) readProducts(ctx context.Context) error {
	if r.insurer == nil {
		return errUnread
	}
	all, res := r.insurer.Products(ctx)
	if res.Outcome != outbound.Succeeded {
		return because("the products", res)
	}
	if len(all) == 0 {
		return errors.New("there is no product")
	}
	for _, p := range all {
		for _, d := range p.Documents {
			if err := r.sheet(ctx, d); err != nil {
				return fmt.Errorf("the %s of %s in %q: %w", d.Kind, p.ID, d.Lang, err)
			}
		}
	}
	r.products = all
	return nil
}

// sheet fetches a paper, as the hub does before it shows it, without credentials.
func (r *runner) sheet(ctx context.Context, d insurance.Document) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL, nil)
	if err != nil {
		return err
	}
	a, res, ok := outbound.Send(r.client, req)
	if !ok {
		return because(d.URL, res)
	}
	sum := sha256.Sum256(a.Body)
	if got := hex.EncodeToString(sum[:]); got != d.SHA256 {
		return fmt.Errorf("%s has the SHA-256 %s, and is listed with %s", d.URL, got, d.SHA256)
	}
	return nil
}

func because(what string, res outbound.Result) error {
	return fmt.Errorf("%s: the hub takes the answer for %s %s: %w", what, res.Outcome, res.Code, errors.Join(res.Err, errors.New(res.Text)))
}

var kindOf = map[insurance.Line]string{insurance.Parcel: "shipment", insurance.Stock: "stock", insurance.Crop: "crop", insurance.Health: "person"}

// product is one to ask for: of those that can be cancelled, if there are any.
func (r *runner) product(index bool) (insurance.Product, error) {
	if len(r.products) == 0 {
		return insurance.Product{}, errors.New("the products could not be read")
	}
	best := -1
	for n, p := range r.products {
		if (p.Trigger != nil) == index && (best < 0 || p.CoolingOff > 0 && r.products[best].CoolingOff == 0) {
			best = n
		}
	}
	switch {
	case best < 0 && index:
		return insurance.Product{}, errSkip("no product pays by an index")
	case best < 0:
		return insurance.Product{}, errors.New("every product pays by an index; certification needs one that takes claims")
	}
	return r.products[best], nil
}

// centimes ends an amount of whole dirhams as a case wants it.
func centimes(dirhams int64, magic string) (money.Money, error) {
	if magic == "" {
		magic = "00"
	}
	return money.Parse(fmt.Sprintf("%d.%s", dirhams, magic), money.MAD)
}

func (r *runner) newDeal(kind, path string) *deal {
	r.serial++
	return &deal{kind: kind, ref: fmt.Sprintf("CERT%s%04d", r.run, r.serial), path: path}
}

func (r *runner) quote(ctx context.Context, s quoteStep) error {
	p, err := r.product(s.Index)
	if err != nil {
		return err
	}
	d := r.newDeal("quote", insurancePath+"/quotes")
	half := p.Most.Centimes() / 200
	if d.sum, err = centimes(half-r.random.Int64N(half/2+1), s.Magic); err != nil {
		return err
	}
	d.product = p
	now := r.o.Now().UTC().Truncate(time.Second)
	ask := insurance.Ask{
		Ref: d.ref, Product: p.ID, Version: p.Version, Insured: "INS-" + r.run, Subject: insurance.Subject{Kind: kindOf[p.Line], Ref: "SUB-" + d.ref, Commune: "Exemple"},
		Sum: d.sum, Start: now, End: now.AddDate(0, 6, 0),
	}
	switch s.Wrong {
	case "product":
		ask.Product = "certify-no-such-product"
	case "subject":
		ask.Subject.Kind = "certify"
	case "end":
		ask.End = ask.Start.Add(-time.Hour)
	case "sum":
		ask.Sum = money.Dirhams(-100)
	}
	if d.body, err = json.Marshal(ask); err != nil {
		return err
	}
	r.deals[s.As] = d
	return r.send(ctx, d, s.how)
}

func (r *runner) dealt(name string) (*deal, error) {
	d := r.deals[name]
	if d == nil {
		return nil, fmt.Errorf("the case makes no %q", name)
	}
	return d, nil
}

func (r *runner) bind(ctx context.Context, s bindStep) error {
	q, err := r.dealt(s.Quote)
	if err != nil {
		return err
	}
	d, err := r.binding(q, s.Wrong)
	if err != nil {
		return err
	}
	r.deals[s.As] = d
	return r.send(ctx, d, s.how)
}

func (r *runner) binding(q *deal, wrong string) (d *deal, err error) {
	d = r.newDeal("bind", insurancePath+"/policies")
	d.of, d.product, d.sum, d.payment = q, q.product, q.sum, "PAY-"+d.ref
	b := insurance.Binding{
		Ref: d.ref, Quote: q.id, Holder: "Cooperative exemple", Payment: d.payment,
		Consent: insurance.Consent{TextHash: strings.Repeat("ce", 32), At: r.o.Now().UTC().Truncate(time.Second)},
	}
	switch wrong {
	case "quote":
		b.Quote = "certify-no-such-quote"
	case "consent":
		b.Consent = insurance.Consent{}
	}
	d.body, err = json.Marshal(b)
	r.dealings = append(r.dealings, d)
	return d, err
}

// under makes what is done under a policy.
func (r *runner) under(ctx context.Context, kind string, s underStep) error {
	p, err := r.dealt(s.Policy)
	if err != nil {
		return err
	}
	d, err := r.beneath(kind, p, s)
	if err != nil {
		return err
	}
	r.deals[s.As] = d
	return r.send(ctx, d, s.how)
}

// beneath makes a cancellation, a premium, a claim or an observation.
func (r *runner) beneath(kind string, p *deal, s underStep) (d *deal, err error) {
	id := p.id
	if s.Wrong == "policy" {
		id = "certify-no-such-policy"
	}
	now := r.o.Now().UTC()
	var body any
	switch kind {
	case "cancel":
		d = r.newDeal(kind, insurancePath+"/policies/"+id+"/cancel")
		body = map[string]string{"ref": d.ref, "reason": "certify"}
	case "premium":
		if p.product.Premium.Period == "once" {
			return nil, errSkip("the product has one premium for the whole term")
		}
		d = r.newDeal(kind, insurancePath+"/policies/"+id+"/premiums/"+now.AddDate(0, 1, 0).Format("2006-01")+"/confirm")
		if d.amount = p.of.said.premium; s.Wrong == "amount" {
			d.amount = d.amount.Add(money.Dirhams(1))
		}
		body = map[string]any{"ref": d.ref, "amount": d.amount}
	case "claim":
		d = r.newDeal(kind, insurancePath+"/claims")
		if d.amount, err = centimes(p.product.Excess.Centimes()/100+100+r.random.Int64N(100), s.Magic); err != nil {
			return nil, err
		}
		if s.Wrong == "amount" {
			d.amount = money.Dirhams(-100)
		}
		body = insurance.Loss{
			Ref: d.ref, Policy: id, At: now.Truncate(time.Second), Type: "certify", Description: "certify", Amount: d.amount,
			Evidence: []insurance.Evidence{{Kind: "photo", URL: "https://hub.example/certify", SHA256: strings.Repeat("ce", 32)}},
		}
	case "observation":
		d = r.newDeal(kind, insurancePath+"/policies/"+id+"/observations")
		t := p.product.Trigger
		if t == nil {
			return nil, errors.New("the policy's product pays by no index")
		}
		body = insurance.Observation{
			Ref: d.ref, Policy: id, Index: t.Index, Source: t.Source, Place: "Exemple", Period: now.Format("2006-01"), Value: beyond(*t, s.Beyond), Signature: "Y2VydGlmeQ==",
		}
	}
	d.of, d.product = p, p.product
	d.body, err = json.Marshal(body)
	r.dealings = append(r.dealings, d)
	return d, err
}

// beyond is a value on one side of a trigger's threshold.
func beyond(t insurance.Trigger, yes bool) string {
	if t.Below == yes {
		return "-99999"
	}
	return "99999999"
}

// insured insures through the hub's own driver.
func (r *runner) insured(ctx context.Context) error {
	if r.insurer == nil {
		return errUnread
	}
	p, err := r.product(false)
	if err != nil {
		return err
	}
	q := r.newDeal("quote", insurancePath+"/quotes")
	now := r.o.Now().UTC().Truncate(time.Second)
	if q.sum, err = centimes(p.Most.Centimes()/200, ""); err != nil {
		return err
	}
	q.product = p
	told, res := r.insurer.Quote(ctx, insurance.Ask{
		Ref: q.ref, Product: p.ID, Version: p.Version, Insured: "INS-" + r.run, Subject: insurance.Subject{Kind: kindOf[p.Line], Ref: "SUB-" + q.ref}, Sum: q.sum, Start: now, End: now.AddDate(0, 6, 0),
	})
	if res.Outcome != outbound.Succeeded {
		return because("a quote", res)
	}
	q.id, q.said.premium, q.said.commission = told.ID, told.Premium, told.Commission
	d, err := r.binding(q, "")
	if err != nil {
		return err
	}
	var b insurance.Binding
	if err := json.Unmarshal(d.body, &b); err != nil {
		return err
	}
	if _, res := r.insurer.FindPolicy(ctx, d.ref); res.Outcome != outbound.NotFound {
		return because("a policy that was not bound", res)
	}
	for range 2 {
		policy, res := r.insurer.Bind(ctx, b)
		if res.Outcome != outbound.Succeeded {
			return because("a binding", res)
		}
		if d.id != "" && d.id != policy.ID {
			return fmt.Errorf("bound again the policy is %q, and was %q", policy.ID, d.id)
		}
		d.id, d.counts = policy.ID, true
	}
	if _, res := r.insurer.FindPolicy(ctx, d.ref); res.Outcome != outbound.Succeeded {
		return because("a policy that was bound", res)
	}
	return nil
}
