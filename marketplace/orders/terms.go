package orders

import (
	"context"
	"time"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Errors of the market's own terms.
var (
	ErrTerms   = fault.New(fault.Invalid, "terms.invalid", "These terms cannot be; see what is wrong with each.")
	ErrStarted = fault.New(fault.Conflict, "terms.taken", "There are such terms from that day on already; choose another day.")
)

// TariffView is what the market's own delivery costs from a day on.
type TariffView struct {
	Method    string      `json:"method" required:"true" enum:"carrier,own,pickup"`
	Base      money.Money `json:"base" required:"true" description:"Up to included_g."`
	IncludedG int64       `json:"included_g" required:"true" minimum:"0" maximum:"2000000"`
	PerKg     money.Money `json:"per_kg" required:"true" description:"For each kilogram begun above that."`
	Payee     string      `json:"payee,omitempty" pattern:"^[a-z][a-z0-9_]{1,39}$" description:"The carrier it goes to; the seller when left out."`
	Offered   *bool       `json:"offered,omitempty" description:"False: from that day on only sellers offer this method. True when left out."`
	Since     string      `json:"since" required:"true" format:"date" description:"The day in Morocco from whose beginning it holds."`
}

// RuleView says up to what an order may be paid in a way from a day on.
type RuleView struct {
	Method string      `json:"method" required:"true" enum:"card,wallet,transfer,cash_on_delivery"`
	Seller string      `json:"seller,omitempty" maxLength:"40" description:"For the orders of this one alone, instead of what holds for all."`
	Most   money.Money `json:"most" required:"true" description:"0: not at all."`
	Since  string      `json:"since" required:"true" format:"date" description:"The day in Morocco from whose beginning it holds."`
}

// A term is a row of what holds from a day on.
type term[T any] struct {
	row   T
	since time.Time
}

// terms gathers what is wrong with wanted terms.
type terms struct{ wrong *fault.Error }

func (t *terms) say(pointer, text string) {
	if t.wrong == nil {
		t.wrong = ErrTerms
	}
	t.wrong = t.wrong.At(pointer, text)
}

func (t *terms) err() error {
	if t.wrong == nil {
		return nil
	}
	return t.wrong
}

// since reads a day to come.
func (t *terms) since(day string, now time.Time) time.Time {
	d, err := time.ParseInLocation(time.DateOnly, day, clock.Morocco)
	if err != nil || !d.After(now) {
		t.say("/since", "a day to come, such as "+now.In(clock.Morocco).AddDate(0, 0, 1).Format(time.DateOnly))
	}
	return d
}

func (t *terms) sum(pointer string, m money.Money, most int64) int64 {
	switch {
	case m.Currency() != money.MAD:
		t.say(pointer+"/currency", "in "+money.MAD)
		return 0
	case m.Sign() < 0 || m.Centimes() > most:
		t.say(pointer+"/amount", "from 0.00 to "+money.Dirhams(most).Amount())
	}
	return m.Centimes()
}

// What a delivery and an order may cost at most, in centimes; a wallet never
// holds more.
const (
	mostDelivery = 1_000_000_00
	mostOrder    = 10_000_000_00
	mostWallet   = 20_000_00
)

// tariff reads what is wanted of the market's own delivery.
func (v TariffView) tariff(now time.Time) (term[Tariff], error) {
	var t terms
	if v.Method == "pickup" && v.Payee != "" {
		t.say("/payee", "No carrier brings what the buyer fetches.")
	}
	out := term[Tariff]{Tariff{
		Method: v.Method, Base: t.sum("/base", v.Base, mostDelivery), IncludedG: v.IncludedG, PerKg: t.sum("/per_kg", v.PerKg, mostDelivery/1000),
		Payee: v.Payee, Offered: v.Offered == nil || *v.Offered,
	}, t.since(v.Since, now)}
	return out, t.err()
}

// rule reads what is wanted of a way to pay.
func (v RuleView) rule(now time.Time) (term[Rule], error) {
	var t terms
	most := int64(mostOrder)
	if v.Method == "wallet" {
		most = mostWallet
	}
	if v.Seller != "" && !id.Is(id.Organisation, v.Seller) {
		t.say("/seller", "the id of an organisation (org_…)")
	}
	out := term[Rule]{Rule{v.Method, v.Seller, t.sum("/most", v.Most, most)}, t.since(v.Since, now)}
	return out, t.err()
}

// AddTariff sets what the market's own delivery costs from a day to come. The
// operator calls it; quotes that were given before hold until they expire or
// that day begins.
func (s *Service) AddTariff(ctx context.Context, tx *pg.Tx, in TariffView) (TariffView, error) {
	t, err := in.tariff(tx.Now())
	if err != nil {
		return in, err
	}
	insertTariff(tx, t)
	audit.Record(tx, "delivery_tariffs.add", in.Method, authz.Policy(ctx), in)
	return tariffView(t), tx.Publish(ctx, TermsChanged{"delivery_tariff", in.Method, "", in.Since})
}

// AddRule says up to what an order may be paid in a way from a day to come, for
// all sellers or one. The operator calls it.
func (s *Service) AddRule(ctx context.Context, tx *pg.Tx, in RuleView) (RuleView, error) {
	r, err := in.rule(tx.Now())
	if err != nil {
		return in, err
	}
	if in.Seller != "" {
		known := map[string]members.Seller{}
		if err := pg.Together(ctx, tx, s.Sellers.Facing([]string{in.Seller}, known)); err != nil {
			return in, err
		}
		if len(known) == 0 {
			return in, ErrTerms.At("/seller", "There is no such organisation.")
		}
	}
	insertRule(tx, r)
	audit.Record(tx, "payment_rules.add", in.Method, authz.Policy(ctx), in)
	return ruleView(r), tx.Publish(ctx, TermsChanged{"payment_rule", in.Method, in.Seller, in.Since})
}

func (t term[T]) day() string { return t.since.In(clock.Morocco).Format(time.DateOnly) }

// termKey is where a list of terms goes on.
type termKey struct {
	Since  time.Time `json:"since"`
	Method string    `json:"method"`
	Seller string    `json:"seller,omitempty"`
}

// ListTariffs lists what the market's own delivery costs and did, the latest
// first.
func (s *Service) ListTariffs(ctx context.Context, in rest.Paging) (p rest.Page[TariffView], err error) {
	var from termKey
	if err := rest.DecodeCursor(in.Cursor, &from); err != nil {
		return p, err
	}
	all, err := listTariffs(ctx, s.db, from, in.Limit+1)
	if err != nil {
		return p, err
	}
	return cutTerms(all, in.Limit, tariffView, func(t term[Tariff]) termKey { return termKey{t.since, t.row.Method, ""} }), nil
}

// ListRules lists up to what orders may be paid how and might, the latest first.
func (s *Service) ListRules(ctx context.Context, in rest.Paging) (p rest.Page[RuleView], err error) {
	var from termKey
	if err := rest.DecodeCursor(in.Cursor, &from); err != nil {
		return p, err
	}
	all, err := listRules(ctx, s.db, from, in.Limit+1)
	if err != nil {
		return p, err
	}
	return cutTerms(all, in.Limit, ruleView, func(t term[Rule]) termKey { return termKey{t.since, t.row.Method, t.row.Seller} }), nil
}

// cutTerms is a page of terms, whose cursor knows more than its view shows.
func cutTerms[T, V any](all []term[T], limit int, view func(term[T]) V, key func(term[T]) termKey) rest.Page[V] {
	page := rest.Cut(all, limit, func(t term[T]) any { return key(t) })
	out := rest.Page[V]{Data: make([]V, len(page.Data)), Next: page.Next}
	for i, t := range page.Data {
		out.Data[i] = view(t)
	}
	return out
}

func tariffView(t term[Tariff]) TariffView {
	r := t.row
	return TariffView{r.Method, money.Dirhams(r.Base), r.IncludedG, money.Dirhams(r.PerKg), r.Payee, &r.Offered, t.day()}
}

func ruleView(t term[Rule]) RuleView {
	return RuleView{t.row.Method, t.row.Seller, money.Dirhams(t.row.Most), t.day()}
}
