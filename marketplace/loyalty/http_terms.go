package loyalty

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/audit"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// RuleInput makes purchases earn points.
type RuleInput struct {
	Seller    string          `json:"seller,omitempty" maxLength:"40" description:"Of this seller; of all when left out."`
	Category  string          `json:"category,omitempty" maxLength:"60" description:"In this category; in all when left out."`
	PerDirham decimal.Decimal `json:"per_dirham" required:"true" description:"Points for each dirham, up to 20, with at most two decimals; 0 ends earning."`
	Since     *time.Time      `json:"since,omitempty" description:"For orders made from then on; now when left out."`
	Until     *time.Time      `json:"until,omitempty" description:"For orders made before."`
}

// RuleView is a rule. Of those that fit an article the one that names its seller
// holds, then the one that names its category, then the later one.
type RuleView struct {
	ID        string          `json:"id" required:"true"`
	Seller    string          `json:"seller,omitempty"`
	Category  string          `json:"category,omitempty"`
	PerDirham decimal.Decimal `json:"per_dirham" required:"true"`
	Since     time.Time       `json:"since" required:"true"`
	Until     *time.Time      `json:"until,omitempty"`
	MadeAt    time.Time       `json:"made_at" required:"true"`
}

func (r Rule) view() RuleView {
	return RuleView{r.ID, r.Seller, r.Category, r.PerDirham, r.Since.UTC(), rest.UTC(r.Until), r.MadeAt.UTC()}
}

// Rules lists all rules.
func (s *Service) Rules(ctx context.Context, in rest.Paging) (p rest.Page[RuleView], err error) {
	below, err := in.After(id.EarnRule)
	if err != nil {
		return p, err
	}
	rows, err := listRules(ctx, s.db, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	return rest.View(rows, in.Limit, Rule.view, func(v RuleView) any { return v.ID }), nil
}

var categoryText = regexp.MustCompile(`^([a-z][a-z0-9_]{1,59})?$`)

// AddRule has purchases earn points, of orders made from a moment on.
func (s *Service) AddRule(ctx context.Context, tx *pg.Tx, in RuleInput) (v RuleView, err error) {
	r := Rule{ID: id.New(id.EarnRule), Seller: in.Seller, Category: in.Category, PerDirham: in.PerDirham, Until: in.Until, MadeAt: tx.Now()}
	var bad *fault.Error
	if r.Since, bad = from(in.Since, tx.Now()); bad == nil {
		bad = ErrInvalid
	}
	switch {
	case r.Seller != "" && !id.Is(id.Organisation, r.Seller):
		bad = bad.At("/seller", "The id of an organisation (org_…).")
	case !categoryText.MatchString(r.Category):
		bad = bad.At("/category", "The code of a category, such as honey.")
	}
	if r.PerDirham.Sign() < 0 || r.PerDirham.GreaterThan(decimal.NewFromInt(20)) || !r.PerDirham.Equal(r.PerDirham.Truncate(2)) {
		bad = bad.At("/per_dirham", "From 0 to 20, with at most two decimals.")
	}
	if r.Until != nil && !r.Until.After(r.Since) {
		bad = bad.At("/until", "After since.")
	}
	if len(bad.Details) > 0 {
		return v, bad
	}
	insertRule(tx, r)
	audit.Record(tx, "loyalty.rule", r.ID, authz.Policy(ctx), in)
	return r.view(), tx.Publish(ctx, TermsChanged{"rule", r.ID, r.Since})
}

// from is the moment that something shall hold from: now, or one to come.
func from(wanted *time.Time, now time.Time) (time.Time, *fault.Error) {
	switch {
	case wanted == nil:
		return now, nil
	case wanted.Before(now.Add(-time.Minute)):
		return *wanted, ErrInvalid.At("/since", "From now or from a moment to come: what was promised stands.")
	}
	return *wanted, nil
}

// TierInput makes a tier, or changes or ends the one of that code.
type TierInput struct {
	Code  string            `json:"code" required:"true" maxLength:"30"`
	Names map[string]string `json:"names" required:"true" description:"By language; French at least."`
	Spend *money.Money      `json:"spend,omitempty" description:"For those who bought for so much within twelve months; left out, the tier ends."`
	Bonus int               `json:"bonus" required:"true" minimum:"0" maximum:"300" description:"Percent more points."`
	Since *time.Time        `json:"since,omitempty" description:"Now when left out."`
}

// TierView is a tier.
type TierView struct {
	Code  string            `json:"code" required:"true"`
	Names map[string]string `json:"names" required:"true"`
	Spend *money.Money      `json:"spend,omitempty"`
	Bonus int               `json:"bonus" required:"true"`
	Since time.Time         `json:"since" required:"true"`
}

func (t Tier) view() *TierView {
	v := TierView{Code: t.Code, Names: t.Names, Bonus: t.Bonus, Since: t.Since.UTC()}
	if t.Spend != nil {
		m := money.Dirhams(*t.Spend)
		v.Spend = &m
	}
	return &v
}

// nextTier is the lowest tier above what somebody bought for; none has no code.
func nextTier(tiers []Tier, spent int64) (next Tier) {
	for _, t := range tiers {
		if t.Spend != nil && *t.Spend > spent && (next.Spend == nil || *t.Spend < *next.Spend) {
			next = t
		}
	}
	return next
}

var tierCode = regexp.MustCompile(`^[a-z][a-z0-9_]{1,29}$`)

// AddTier has a tier hold from a moment on.
func (s *Service) AddTier(ctx context.Context, tx *pg.Tx, in TierInput) (v TierView, err error) {
	t := Tier{Code: in.Code, Names: map[string]string{}, Bonus: in.Bonus, MadeAt: tx.Now()}
	since, bad := from(in.Since, tx.Now())
	if t.Since = since; bad == nil {
		bad = ErrInvalid
	}
	if !tierCode.MatchString(t.Code) {
		bad = bad.At("/code", "2 to 30 small letters from a to z, digits and underscores, such as gold.")
	}
	for lang, text := range in.Names {
		text = strings.Join(strings.Fields(text), " ")
		if !slices.Contains([]string{"fr", "ar", "zgh", "en"}, lang) || text == "" || utf8.RuneCountInString(text) > 60 {
			bad = bad.At("/names/"+lang, "Names have 1 to 60 letters, in fr, ar, zgh and en.")
		}
		t.Names[lang] = text
	}
	if t.Names["fr"] == "" {
		bad = bad.At("/names/fr", "Give the name in French at least.")
	}
	if in.Spend != nil {
		if in.Spend.Currency() != money.MAD || in.Spend.Sign() <= 0 || in.Spend.Centimes() > 10_000_000_00 {
			bad = bad.At("/spend", "Above 0.00 MAD, at most 10000000.00 MAD.")
		} else {
			c := in.Spend.Centimes()
			t.Spend = &c
		}
	}
	if len(bad.Details) > 0 {
		return v, bad
	}
	insertTier(tx, t)
	audit.Record(tx, "loyalty.tier", t.Code, authz.Policy(ctx), in)
	return *t.view(), tx.Publish(ctx, TermsChanged{"tier", t.Code, t.Since})
}

// TermsInput says what a point is worth and how long it holds.
type TermsInput struct {
	Worth       int        `json:"worth" required:"true" minimum:"1" maximum:"1000" description:"What a point takes off, in centimes."`
	Months      int        `json:"months" required:"true" minimum:"1" maximum:"60" description:"How long points hold that are earned from then on."`
	Least       int64      `json:"least" required:"true" minimum:"1" maximum:"1000000" description:"How many points can be spent at once at least."`
	VoucherDays int        `json:"voucher_days" required:"true" minimum:"1" maximum:"366" description:"How long what they are spent on can be used."`
	Since       *time.Time `json:"since,omitempty" description:"Now when left out."`
}

// TermsView is such terms.
type TermsView struct {
	Worth       int       `json:"worth" required:"true"`
	Months      int       `json:"months" required:"true"`
	Least       int64     `json:"least" required:"true"`
	VoucherDays int       `json:"voucher_days" required:"true"`
	Since       time.Time `json:"since" required:"true"`
}

// AddTerms has terms hold from a moment on.
func (s *Service) AddTerms(ctx context.Context, tx *pg.Tx, in TermsInput) (v TermsView, err error) {
	t := Terms{Worth: in.Worth, Months: in.Months, Least: in.Least, VoucherDays: in.VoucherDays, MadeAt: tx.Now()}
	since, bad := from(in.Since, tx.Now())
	if bad != nil {
		return v, bad
	}
	t.Since = since
	insertTerms(tx, t)
	day := since.UTC().Format(time.RFC3339)
	audit.Record(tx, "loyalty.terms", day, authz.Policy(ctx), in)
	return TermsView{t.Worth, t.Months, t.Least, t.VoucherDays, t.Since.UTC()}, tx.Publish(ctx, TermsChanged{"terms", day, t.Since})
}
