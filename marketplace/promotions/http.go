package promotions

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of the service.
func Routes(s *Service) []rest.Route {
	const all = "/v1/promotions"
	return []rest.Route{
		rest.Commit("POST", all, "promotions.make", "Take something off one's goods", http.StatusCreated, s.Make),
		rest.Handle("GET", all, "promotions.list", "List a seller's promotions, the market's, or what it gave the caller, the newest first", http.StatusOK, s.List),
		rest.Commit("POST", all+"/{promotion}/end", "promotions.end", "End a promotion", http.StatusOK, s.End),
	}
}

// One names a promotion.
type One struct {
	Promotion string `path:"promotion"`
}

// Input makes a promotion.
type Input struct {
	Seller     string            `json:"seller,omitempty" maxLength:"40" description:"Whose it is; for operators."`
	PaidBy     Payer             `json:"paid_by,omitempty" enum:"seller,market" default:"seller" description:"Operators say market: sellers of the goods get from the market what their buyers do not pay."`
	Budget     *money.Money      `json:"budget,omitempty" description:"What the market pays in all, and no more; above a sum a second person decides."`
	Code       string            `json:"code,omitempty" maxLength:"30" description:"What buyers type, in letters, digits and hyphens; it is for every buyer when left out."`
	Names      map[string]string `json:"names" required:"true" description:"By language; French at least."`
	Kind       Kind              `json:"kind" required:"true" enum:"percent,amount,free_delivery"`
	Percent    *decimal.Decimal  `json:"percent,omitempty"`
	Amount     *money.Money      `json:"amount,omitempty"`
	Most       *money.Money      `json:"most,omitempty" description:"It takes off no more than this."`
	Minimum    *money.Money      `json:"minimum,omitempty" description:"For goods, of those it is for, worth this much."`
	Offers     []string          `json:"offers,omitempty" maxItems:"100" description:"For these offers, and the categories, alone."`
	Categories []string          `json:"categories,omitempty" maxItems:"30"`
	From       string            `json:"from" required:"true" format:"date" description:"The first day in Morocco."`
	To         string            `json:"to" required:"true" format:"date" description:"The last day."`
	Total      *int              `json:"total,omitempty" minimum:"1" maximum:"1000000" description:"How many orders may use it."`
	PerBuyer   *int              `json:"per_buyer,omitempty" minimum:"1" maximum:"1000" description:"How many orders of one buyer."`
}

// View is a promotion as its seller and the operator see it.
type View struct {
	ID         string            `json:"id" required:"true"`
	Seller     string            `json:"seller,omitempty" description:"Left out when the market pays."`
	PaidBy     Payer             `json:"paid_by" required:"true" enum:"seller,market"`
	Person     string            `json:"person,omitempty" description:"Who alone can use it."`
	Code       string            `json:"code,omitempty"`
	Names      map[string]string `json:"names" required:"true"`
	Kind       Kind              `json:"kind" required:"true" enum:"percent,amount,free_delivery"`
	Percent    *decimal.Decimal  `json:"percent,omitempty"`
	Amount     *money.Money      `json:"amount,omitempty"`
	Most       *money.Money      `json:"most,omitempty"`
	Minimum    *money.Money      `json:"minimum,omitempty"`
	Offers     []string          `json:"offers" required:"true"`
	Categories []string          `json:"categories" required:"true"`
	From       string            `json:"from" required:"true" format:"date"`
	To         string            `json:"to" required:"true" format:"date"`
	Total      *int              `json:"total,omitempty"`
	PerBuyer   *int              `json:"per_buyer,omitempty"`
	Used       *int              `json:"used,omitempty" description:"How often it was used, if that is counted, by orders that did not end unpaid."`
	Budget     *money.Money      `json:"budget,omitempty" description:"What the market pays in all."`
	Spent      *money.Money      `json:"spent,omitempty" description:"Of it, for orders that did not end unpaid."`
	AgreedAt   *time.Time        `json:"agreed_at,omitempty" description:"From when it can be used; until then a second person must approve it."`
	Approval   string            `json:"approval,omitempty" description:"What a second person must approve: POST /v1/approvals/{id}. Told once."`
	MadeAt     time.Time         `json:"made_at" required:"true"`
	EndedAt    *time.Time        `json:"ended_at,omitempty"`
}

func (p Promotion) view() View {
	v := View{
		ID: p.ID, Seller: p.Seller, PaidBy: p.Payer, Person: p.Person, AgreedAt: rest.UTC(p.AgreedAt), Code: p.Code, Names: p.Names, Kind: p.Kind, Amount: dirhams(p.Amount), Minimum: dirhams(p.Minimum),
		Offers: p.Offers, Categories: p.Categories, From: p.Since.In(clock.Morocco).Format(time.DateOnly),
		To: p.Until.In(clock.Morocco).AddDate(0, 0, -1).Format(time.DateOnly), Total: p.Total, PerBuyer: p.PerBuyer,
		MadeAt: p.MadeAt.UTC(), EndedAt: rest.UTC(p.EndedAt),
	}
	if p.counted() {
		v.Used = &p.Used
	}
	if p.Budget != nil {
		spent := money.Dirhams(p.Spent)
		v.Budget, v.Spent = dirhams(*p.Budget), &spent
	}
	if p.Kind == Percent {
		v.Percent = &p.Percent
	}
	if p.Most != nil {
		v.Most = dirhams(*p.Most)
	}
	return v
}

func dirhams(centimes int64) *money.Money {
	if centimes == 0 {
		return nil
	}
	m := money.Dirhams(centimes)
	return &m
}

// ListInput asks for promotions.
type ListInput struct {
	Seller string `query:"seller" maxLength:"40" description:"Whose; for operators, who say this or paid_by."`
	PaidBy Payer  `query:"paid_by" enum:"market" description:"The market's own; for operators."`
	Ended  bool   `query:"ended" description:"Also those that have ended."`
	rest.Paging
}

// List lists a seller's promotions or, for operators, the market's; to a buyer
// what it was given.
func (s *Service) List(ctx context.Context, in ListInput) (p rest.Page[View], err error) {
	who := auth.From(ctx)
	seller, ok := who.Of(in.Seller)
	person := ""
	switch {
	case !ok || in.PaidBy == Market && who.Role != auth.Operator:
		return p, ErrNotFound
	case who.Role == auth.Buyer:
		seller, person = "", who.Subject
	case in.PaidBy == Market && seller != "":
		return p, ErrInvalid.At("?seller", "What the market pays is no seller's.")
	case in.PaidBy != Market && seller == "":
		return p, ErrInvalid.At("?seller", "Say whose promotions.")
	}
	below, err := in.After(id.Promotion)
	if err != nil {
		return p, err
	}
	all, err := list(ctx, s.db, seller, person, in.Ended, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(all, in.Limit, Promotion.view, func(v View) any { return v.ID }), nil
}

// faults gathers what is wrong with a wanted promotion.
type faults struct{ wrong *fault.Error }

func (f *faults) say(pointer, text string, args ...any) {
	if f.wrong == nil {
		f.wrong = ErrInvalid
	}
	f.wrong = f.wrong.At(pointer, fmt.Sprintf(text, args...))
}

// mostOff is above any price of goods: it keeps sums far from the end of the
// numbers.
const mostOff = 10_000_000_00

func (f *faults) sum(pointer string, m *money.Money) int64 {
	switch {
	case m == nil:
		return 0
	case m.Currency() != money.MAD:
		f.say(pointer+"/currency", "Promotions are in %s.", money.MAD)
		return 0
	case m.Sign() <= 0 || m.Centimes() > mostOff:
		f.say(pointer+"/amount", "Above 0.00, at most %s.", money.Dirhams(mostOff).Amount())
	}
	return m.Centimes()
}

var (
	codeText     = regexp.MustCompile(`^([A-Z0-9][A-Z0-9-]{2,29})?$`)
	categoryText = regexp.MustCompile(`^[a-z][a-z0-9_]{1,59}$`)
)

// longest is how long a promotion lasts at most.
const longest = 366 * 24 * time.Hour

// promotion reads what is wanted and says all that is wrong with it.
func (in Input) promotion(payer Payer, seller string, now time.Time) (Promotion, error) {
	var f faults
	p := Promotion{
		ID: id.New(id.Promotion), Payer: payer, Seller: seller, Code: Code(in.Code), Names: map[string]string{}, Kind: in.Kind, Amount: f.sum("/amount", in.Amount),
		Minimum: f.sum("/minimum", in.Minimum), Offers: append([]string{}, in.Offers...), Categories: append([]string{}, in.Categories...),
		Total: in.Total, PerBuyer: in.PerBuyer, MadeAt: now,
	}
	if !codeText.MatchString(p.Code) {
		f.say("/code", "A code has 3 to 30 letters from A to Z, digits and hyphens, such as RAMADAN-10.")
	}
	f.names(p.Names, in.Names)
	if (in.Kind == Percent) != (in.Percent != nil) {
		f.say("/percent", "A percentage, and only that, says how many percent.")
	}
	if in.Percent != nil {
		p.Percent = *in.Percent
		if p.Percent.Sign() <= 0 || p.Percent.GreaterThan(decimal.NewFromInt(100)) || !p.Percent.Equal(p.Percent.Truncate(2)) {
			f.say("/percent", "Above 0, at most 100, with at most two decimals.")
		}
	}
	if (in.Kind == Amount) != (in.Amount != nil) {
		f.say("/amount", "An amount, and only that, says how much.")
	}
	if in.Most != nil {
		most := f.sum("/most", in.Most)
		p.Most = &most
	}
	f.budget(&p, in)
	f.scope(in)
	f.period(&p, in, now)
	if f.wrong != nil {
		return p, f.wrong
	}
	return p, nil
}

func (f *faults) names(to, from map[string]string) {
	for lang, text := range from {
		text = strings.Join(strings.Fields(text), " ")
		if !slices.Contains([]string{"fr", "ar", "zgh", "en"}, lang) || text == "" || utf8.RuneCountInString(text) > 100 {
			f.say("/names/"+lang, "Names have 1 to 100 letters, in fr, ar, zgh and en.")
		}
		to[lang] = text
	}
	if to["fr"] == "" {
		f.say("/names/fr", "Give the name in French at least.")
	}
}

func (f *faults) budget(p *Promotion, in Input) {
	if (p.Payer == Market) != (in.Budget != nil) {
		f.say("/budget", "What the market pays, and only that, has a budget.")
	}
	if in.Budget != nil {
		n := f.sum("/budget", in.Budget)
		p.Budget = &n
	}
}

func (f *faults) scope(in Input) {
	for i, o := range in.Offers {
		if !id.Is(id.Offer, o) {
			f.say(fmt.Sprintf("/offers/%d", i), "The id of an offer (off_…).")
		}
	}
	for i, c := range in.Categories {
		if !categoryText.MatchString(c) {
			f.say(fmt.Sprintf("/categories/%d", i), "The code of a category, such as honey.")
		}
	}
}

func (f *faults) period(p *Promotion, in Input, now time.Time) {
	from, err1 := time.ParseInLocation(time.DateOnly, in.From, clock.Morocco)
	to, err2 := time.ParseInLocation(time.DateOnly, in.To, clock.Morocco)
	p.Since, p.Until = from, to.AddDate(0, 0, 1)
	switch {
	case err1 != nil:
		f.say("/from", "Write the first day as 2026-01-31.")
	case err2 != nil:
		f.say("/to", "Write the last day as 2026-01-31.")
	case !p.Until.After(from):
		f.say("/to", "The last day is before the first.")
	case !p.Until.After(now):
		f.say("/to", "That day is over.")
	case p.Until.Sub(from) > longest:
		f.say("/to", "A promotion lasts at most a year.")
	}
}
