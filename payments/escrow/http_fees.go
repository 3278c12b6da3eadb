package escrow

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// Errors of fees.
var (
	ErrFees    = fault.New(fault.Invalid, "fees.invalid", "These fees cannot be; see what is wrong with each.")
	ErrStarted = fault.New(fault.Conflict, "fees.started", "The day from which these fees hold has begun; ask for a later one.")
)

// kindFees is what a second person decides: what the market takes.
const kindFees = "fees.change"

// TariffView is a fee as the interface shows it.
type TariffView struct {
	Code     string          `json:"code" required:"true" pattern:"^[a-z][a-z0-9_]{1,29}$"`
	Category string          `json:"category,omitempty" maxLength:"60" description:"Of the goods it is for, whose share it is. Left out: all that have no fee of this code of their own."`
	Base     Base            `json:"base" required:"true" enum:"goods,delivery,total"`
	Percent  decimal.Decimal `json:"percent" required:"true" description:"Of the base, before VAT; 0 ends the fee."`
	Minimum  *money.Money    `json:"minimum,omitempty"`
	Maximum  *money.Money    `json:"maximum,omitempty"`
	Payer    string          `json:"payer" required:"true" enum:"seller,buyer"`
	Since    string          `json:"since" required:"true" format:"date" description:"The day in Morocco from whose beginning it holds."`
}

// RateView is a rate as the interface shows it.
type RateView struct {
	Kind    string          `json:"kind" required:"true" enum:"vat,reserve"`
	Percent decimal.Decimal `json:"percent" required:"true"`
	Since   string          `json:"since" required:"true" format:"date"`
}

// FeesView is all that the market takes, past and to come.
type FeesView struct {
	Tariffs []TariffView `json:"tariffs" required:"true"`
	Rates   []RateView   `json:"rates" required:"true"`
}

// ShowFees shows what the market takes, to everybody with a key.
func (s *Service) ShowFees(ctx context.Context, _ rest.None) (FeesView, error) {
	sheet, err := loadSheet(ctx, s.db)
	return sheet.view(), err
}

func (s Sheet) view() (v FeesView) {
	most := func(c *int64) *money.Money {
		if c == nil {
			return nil
		}
		m := money.Dirhams(*c)
		return &m
	}
	for _, t := range s.Tariffs {
		var least *money.Money
		if t.Minimum > 0 {
			least = most(&t.Minimum)
		}
		v.Tariffs = append(v.Tariffs, TariffView{t.Code, t.Category, t.Base, t.Percent, least, most(t.Maximum), t.Payer, t.Since.In(clock.Morocco).Format(time.DateOnly)})
	}
	for _, r := range s.Rates {
		v.Rates = append(v.Rates, RateView{r.Kind, r.Percent, r.Since.In(clock.Morocco).Format(time.DateOnly)})
	}
	return v
}

// FeesInput are fees and rates that shall hold from a day to come.
type FeesInput struct {
	Tariffs []TariffView `json:"tariffs,omitempty" maxItems:"100"`
	Rates   []RateView   `json:"rates,omitempty" maxItems:"10"`
	Why     string       `json:"why" required:"true" minLength:"1" maxLength:"500" description:"For the person who decides."`
}

// AskedView says which approval something waits for.
type AskedView struct {
	Approval string          `json:"approval" required:"true"`
	State    approvals.State `json:"state" required:"true" enum:"open,approved,refused,void"`
}

// ChangeFees asks for other fees from a day to come; a second person puts them
// in force. What was agreed with buyers and sellers before stays as it was. The
// operator calls it; asking for others voids what was asked for before.
func (s *Service) ChangeFees(ctx context.Context, tx *pg.Tx, in FeesInput) (v AskedView, err error) {
	if _, err := in.sheet(tx.Now()); err != nil {
		return v, err
	}
	why := in.Why
	in.Why = ""
	ask, err := approvals.Ask{Kind: kindFees, Subject: "fees", Why: why}.Of(in)
	if err != nil {
		return v, err
	}
	r, err := s.approvals.Ask(ctx, tx, ask)
	if err != nil {
		return v, err
	}
	audit.Record(tx, "fees.change", r.ID, authz.Policy(ctx), in)
	return AskedView{r.ID, r.State}, nil
}

// Approve has two people change the fees, and let much money go without its
// buyer's word. It is called at start.
func (s *Service) Approve(a *approvals.Service) {
	s.approvals = a
	a.Handle(kindFees, s.feesDecided)
	a.Handle(kindRelease, s.releaseDecided)
}

// feesDecided puts fees in force that a second person approved, unless their day
// has begun meanwhile.
func (s *Service) feesDecided(_ context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	var in FeesInput
	if err := r.Read(&in); err != nil {
		return err
	}
	sheet, err := in.sheet(tx.Now())
	if err != nil {
		return ErrStarted
	}
	insertSheet(tx, sheet)
	audit.Record(tx, "fees.approve", "fees", "approvals.operator", map[string]any{"fees": in, "asked_by": r.AskedBy})
	return nil
}

// sheet reads what is wanted and says all that is wrong with it.
func (in FeesInput) sheet(now time.Time) (s Sheet, err error) {
	c := complaints{now: now, seen: map[string]bool{}}
	if len(in.Tariffs)+len(in.Rates) == 0 {
		c.say("/tariffs", "at least one fee or rate")
	}
	for i, t := range in.Tariffs {
		at := fmt.Sprintf("/tariffs/%d", i)
		c.once(at, t.Code+" "+t.Category+" "+t.Since)
		f := Tariff{Code: t.Code, Category: t.Category, Base: t.Base, Percent: c.percent(at, t.Percent), Payer: t.Payer, Since: c.since(at, t.Since)}
		c.inDirhams(at+"/minimum", t.Minimum)
		c.inDirhams(at+"/maximum", t.Maximum)
		if t.Minimum != nil {
			f.Minimum = t.Minimum.Centimes()
		}
		if t.Maximum != nil {
			most := t.Maximum.Centimes()
			f.Maximum = &most
		}
		if f.Category != "" && f.Base != OfGoods {
			c.say(at+"/base", "goods: delivery belongs to no category")
		}
		if f.Minimum < 0 || f.Maximum != nil && *f.Maximum < f.Minimum {
			c.say(at+"/maximum", "at least the minimum, and neither below zero")
		}
		s.Tariffs = append(s.Tariffs, f)
	}
	for i, r := range in.Rates {
		at := fmt.Sprintf("/rates/%d", i)
		c.once(at, r.Kind+" "+r.Since)
		s.Rates = append(s.Rates, Rate{r.Kind, c.percent(at, r.Percent), c.since(at, r.Since)})
	}
	if c.wrong != nil {
		return s, c.wrong
	}
	return s, nil
}

// complaints gathers what is wrong with wanted fees.
type complaints struct {
	now   time.Time
	seen  map[string]bool
	wrong *fault.Error
}

func (c *complaints) say(pointer, text string) {
	if c.wrong == nil {
		c.wrong = ErrFees
	}
	c.wrong = c.wrong.At(pointer, text)
}

func (c *complaints) once(at, name string) {
	if c.seen[name] {
		c.say(at, "this fee is there twice for one day")
	}
	c.seen[name] = true
}

func (c *complaints) since(at, day string) time.Time {
	d, err := time.ParseInLocation(time.DateOnly, day, clock.Morocco)
	if err != nil || !d.After(c.now) {
		c.say(at+"/since", "a day to come, such as "+c.now.In(clock.Morocco).AddDate(0, 0, 1).Format(time.DateOnly))
	}
	return d
}

func (c *complaints) inDirhams(at string, m *money.Money) {
	if m != nil && m.Currency() != money.MAD {
		c.say(at+"/currency", "fees are in "+money.MAD)
	}
}

func (c *complaints) percent(at string, p decimal.Decimal) decimal.Decimal {
	if p.IsNegative() || p.GreaterThan(decimal.NewFromInt(100)) || !p.Equal(p.Truncate(4)) {
		c.say(at+"/percent", "from 0 to 100, with at most four decimals")
	}
	return p
}
