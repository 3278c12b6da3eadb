package insurance

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tiwiza/pkg/money"
)

// errSum says that an insurer's sums do not fit each other or ours: a person must
// look, and the insurer is not taken to be down.
var errSum = errors.New("a sum does not fit")

func sums(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errSum, fmt.Sprintf(format, args...))
}

// Bounds of what an insurer may say.
const (
	mostProducts = 500
	mostRows     = 100_000
	longestQuote = 400 * 24 * time.Hour
)

var (
	lines     = []Line{Parcel, Stock, Crop, Health}
	subjects  = []string{"shipment", "stock", "crop", "person"}
	documents = []string{"information_sheet", "terms", "exclusions", "certificate"}
	periods   = []string{"once", "month", "season", "year"}
	policies  = []PolicyState{PolicyPending, PolicyActive, PolicyLapsed, PolicyCancelled, PolicyExpired, PolicyClaimed, PolicyRefused}
	claims    = []ClaimState{ClaimNotified, ClaimReview, ClaimAccepted, ClaimRejected, ClaimPaid}
)

// line says whether a text is one line of so many signs.
func line(s string, least, most int) bool {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	return utf8.ValidString(s) && n >= least && n <= most && !strings.ContainsAny(s, "\r\n\x00")
}

// spoken says whether a text is there in the languages that the law and the market
// ask for.
func (t Texts) spoken(most int) bool {
	for lang, s := range t {
		if !langShape.MatchString(lang) || !utf8.ValidString(s) || utf8.RuneCountInString(s) > most || strings.ContainsRune(s, 0) {
			return false
		}
	}
	return strings.TrimSpace(t["fr"]) != "" && strings.TrimSpace(t["ar"]) != ""
}

func address(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") && len(s) <= 1000
}

// papers says what is wrong with documents, and whether the information sheet is
// among them, which nobody may be sold anything without.
func papers(all []Document, sheet bool) error {
	if len(all) > 40 {
		return errors.New("there are more than 40 documents")
	}
	for n, d := range all {
		if !slices.Contains(documents, d.Kind) || !langShape.MatchString(d.Lang) || !address(d.URL) || !hashShape.MatchString(d.SHA256) {
			return fmt.Errorf("documents[%d] lacks a known kind, a language, an address or the SHA-256 of its bytes", n)
		}
	}
	if sheet && !slices.ContainsFunc(all, func(d Document) bool { return d.Kind == "information_sheet" }) {
		return errors.New("there is no information sheet")
	}
	return nil
}

func checkProducts(all *[]Product) error {
	if len(*all) > mostProducts {
		return fmt.Errorf("%d products are more than %d", len(*all), mostProducts)
	}
	seen := map[string]bool{}
	for n := range *all {
		p := &(*all)[n]
		if seen[p.ID] {
			return fmt.Errorf("the product %q comes twice", p.ID)
		}
		seen[p.ID] = true
		if err := p.check(); err != nil {
			return fmt.Errorf("products[%d] %q: %w", n, p.ID, err)
		}
	}
	return nil
}

func (p *Product) check() error {
	each := func(all []Texts) bool {
		return !slices.ContainsFunc(all, func(t Texts) bool { return !t.spoken(300) })
	}
	switch {
	case !nameShape.MatchString(p.ID) || p.Version < 1:
		return errors.New("a product has an id and a version from 1 on")
	case !slices.Contains(lines, p.Line):
		return fmt.Errorf("the line %q is not one of the protocol's", p.Line)
	case !p.Names.spoken(120):
		return errors.New("a product has a name in French and in Arabic")
	case len(p.Covers) < 1 || len(p.Covers) > 20 || !each(p.Covers):
		return errors.New("a product has 1 to 20 covers, each in French and in Arabic")
	case len(p.Exclusions) > 5 || !each(p.Exclusions):
		return errors.New("a product has at most five exclusions, each in French and in Arabic")
	case !dirhams(&p.Most) || p.Most.Sign() == 0 || !dirhams(&p.Excess) || p.Excess.Cmp(p.Most) >= 0:
		return sums("most %s and excess %s", p.Most, p.Excess)
	case p.Waiting < 0 || p.Waiting > 730 || p.CoolingOff < 0 || p.CoolingOff > 365:
		return errors.New("waiting_days is up to 730, cooling_off_days up to 365")
	case p.Commission < 0 || p.Commission > 1000:
		return errors.New("commission_permille is from 0 to 1000")
	case len(p.Papers) > 20 || slices.ContainsFunc(p.Papers, func(s string) bool { return !line(s, 1, 80) }):
		return errors.New("a claim needs at most 20 papers, each named in one line")
	}
	if err := p.Premium.check(); err != nil {
		return err
	}
	if t := p.Trigger; t != nil && (!wordShape.MatchString(t.Index) || !line(t.Source, 1, 120) || !valueShape.MatchString(t.Threshold) || !above(t.Pays)) {
		return errors.New("a trigger has an index, a source, a threshold and pays more than nothing")
	}
	return papers(p.Documents, true)
}

func (p *Premium) check() error {
	switch {
	case !dirhams(&p.Fixed) || !dirhams(&p.Min):
		return sums("a premium of %s, at least %s", p.Fixed, p.Min)
	case !slices.Contains(periods, p.Period):
		return fmt.Errorf("the period %q is not once, month, season or year", p.Period)
	case p.Rate < 0 || p.Rate > 1000 || (p.Rate == 0) == p.Fixed.IsZero():
		return errors.New("a premium is either fixed, or a rate of 1 to 1000 thousandths")
	}
	return nil
}

func (a Ask) check() error {
	switch {
	case !refShape.MatchString(a.Ref):
		return fmt.Errorf("the reference %q is not one of ours", a.Ref)
	case !nameShape.MatchString(a.Product) || a.Version < 1:
		return fmt.Errorf("the product %q, version %d, cannot be one", a.Product, a.Version)
	case !refShape.MatchString(a.Insured):
		return errors.New("who is insured is named by a reference that only the hub can resolve")
	case !slices.Contains(subjects, a.Subject.Kind) || !paymentShape.MatchString(a.Subject.Ref) || !line(a.Subject.Commune, 0, 80):
		return errors.New("what is insured has a kind and a reference of ours")
	case !above(a.Sum):
		return fmt.Errorf("the sum insured %s cannot be", a.Sum)
	case a.Start.IsZero() || !a.End.After(a.Start):
		return errors.New("the cover begins, and ends later")
	}
	return nil
}

func (q *Quote) check(a Ask, now time.Time) error {
	switch {
	case q.Ref != a.Ref:
		return fmt.Errorf("the answer speaks of the quote %q, want %q", q.Ref, a.Ref)
	case !nameShape.MatchString(q.ID):
		return errors.New("the quote has no id")
	case !dirhams(&q.Premium) || q.Premium.Sign() == 0 || !dirhams(&q.Taxes) || !dirhams(&q.Commission):
		return sums("a premium of %s with taxes of %s and a commission of %s", q.Premium, q.Taxes, q.Commission)
	case q.Taxes.Cmp(q.Premium) >= 0 || q.Taxes.Add(q.Commission).Cmp(q.Premium) > 0:
		return sums("taxes of %s and a commission of %s are more than the premium of %s", q.Taxes, q.Commission, q.Premium)
	case q.Premium.Cmp(a.Sum) > 0:
		return sums("the premium of %s is more than the sum insured, %s", q.Premium, a.Sum)
	case !q.ValidUntil.After(now) || q.ValidUntil.After(now.Add(longestQuote)):
		return fmt.Errorf("the quote is valid until %s", q.ValidUntil.Format(time.RFC3339))
	}
	return papers(q.Documents, true)
}

func (b Binding) check() error {
	switch {
	case !refShape.MatchString(b.Ref):
		return fmt.Errorf("the reference %q is not one of ours", b.Ref)
	case !nameShape.MatchString(b.Quote):
		return fmt.Errorf("the insurer's name %q of the quote cannot be right", b.Quote)
	case !line(b.Holder, 1, 200):
		return errors.New("a policy's holder is named in one line")
	case !hashShape.MatchString(b.Consent.TextHash) || b.Consent.At.IsZero():
		return errors.New("somebody agreed: give the SHA-256 of the text and when")
	case !paymentShape.MatchString(b.Payment):
		return errors.New("the premium was taken under a reference of our books")
	}
	return nil
}

func (p *Policy) check(ref string) error {
	switch {
	case p.Ref != ref || !refShape.MatchString(p.Ref):
		return fmt.Errorf("the answer speaks of the policy %q, want %q", p.Ref, ref)
	case !slices.Contains(policies, p.State):
		return fmt.Errorf("the state %q is not one of the protocol's", p.State)
	case !nameShape.MatchString(p.ID):
		return errors.New("the policy has no id")
	case !dirhams(&p.Refund):
		return sums("a refund of %s", p.Refund)
	case p.Refund.Sign() > 0 && p.State != PolicyCancelled:
		return sums("a policy that is %s gives %s back", p.State, p.Refund)
	case p.State != PolicyPending && p.State != PolicyRefused && (!line(p.Number, 1, 80) || !p.End.After(p.Start)):
		return errors.New("a policy that was issued has a number, a beginning and an end")
	case !utf8.ValidString(p.Reason) || utf8.RuneCountInString(p.Reason) > 500:
		return errors.New("a reason has at most 500 signs")
	}
	return papers(p.Documents, false)
}

func (l Loss) check() error {
	switch {
	case !refShape.MatchString(l.Ref):
		return fmt.Errorf("the reference %q is not one of ours", l.Ref)
	case !nameShape.MatchString(l.Policy):
		return fmt.Errorf("the insurer's name %q of the policy cannot be right", l.Policy)
	case l.At.IsZero() || !wordShape.MatchString(l.Type):
		return errors.New("a loss has a moment and a type")
	case !utf8.ValidString(l.Description) || utf8.RuneCountInString(l.Description) > 4000:
		return errors.New("a description has at most 4,000 signs")
	case !above(l.Amount):
		return fmt.Errorf("the amount %s cannot be claimed", l.Amount)
	case len(l.Evidence) > 40:
		return errors.New("a claim has at most 40 papers")
	}
	for n, e := range l.Evidence {
		if !line(e.Kind, 1, 80) || !address(e.URL) || !hashShape.MatchString(e.SHA256) {
			return fmt.Errorf("evidence[%d] lacks a kind, an address or the SHA-256 of its bytes", n)
		}
	}
	return nil
}

func (c *Claim) check(ref, policy string) error {
	switch {
	case c.Ref != ref || c.Policy != policy:
		return fmt.Errorf("the answer speaks of the claim %q under %q, want %q under %q", c.Ref, c.Policy, ref, policy)
	case !nameShape.MatchString(c.ID) || !nameShape.MatchString(c.Policy):
		return errors.New("the claim or its policy has no id")
	case !slices.Contains(claims, c.State):
		return fmt.Errorf("the state %q is not one of the protocol's", c.State)
	case !dirhams(&c.Amount):
		return sums("an amount of %s", c.Amount)
	case (c.State == ClaimAccepted || c.State == ClaimPaid) != (c.Amount.Sign() > 0):
		return sums("a claim that is %s is worth %s", c.State, c.Amount)
	case c.State == ClaimPaid && !paymentShape.MatchString(c.Transfer):
		return errors.New("a claim that is paid names its transfer")
	case c.State == ClaimRejected && strings.TrimSpace(c.Reason) == "":
		return errors.New("a claim that is rejected has a reason")
	case !utf8.ValidString(c.Reason) || utf8.RuneCountInString(c.Reason) > 500:
		return errors.New("a reason has at most 500 signs")
	case len(c.Asks) > 20 || slices.ContainsFunc(c.Asks, func(s string) bool { return !line(s, 1, 80) }):
		return errors.New("at most 20 papers are asked for, each named in one line")
	}
	return nil
}

func (o Observation) check() error {
	switch {
	case !refShape.MatchString(o.Ref):
		return fmt.Errorf("the reference %q is not one of ours", o.Ref)
	case !nameShape.MatchString(o.Policy):
		return fmt.Errorf("the insurer's name %q of the policy cannot be right", o.Policy)
	case !wordShape.MatchString(o.Index) || !line(o.Source, 1, 120) || !line(o.Place, 1, 120) || !line(o.Period, 4, 40):
		return errors.New("an observation has an index, a source, a place and a period")
	case !valueShape.MatchString(o.Value):
		return fmt.Errorf("the value %q is no decimal", o.Value)
	case !line(o.Signature, 1, 2000):
		return errors.New("an observation has its source's signature")
	}
	return nil
}

// check says whether a statement is one of the month, and its rows are rows.
func (s *Statement) check(period string) error {
	if s.Period != period || !nameShape.MatchString(s.ID) {
		return fmt.Errorf("the answer is the statement %q of %q, want one of %q", s.ID, s.Period, period)
	}
	if len(s.Rows) > mostRows {
		return fmt.Errorf("%d rows are more than %d", len(s.Rows), mostRows)
	}
	for n := range s.Rows {
		r := &s.Rows[n]
		switch {
		case !slices.Contains([]string{"premium", "refund", "claim"}, r.Kind) || !paymentShape.MatchString(r.Ref) || !nameShape.MatchString(r.Policy):
			return fmt.Errorf("rows[%d] lacks a kind, our reference or a policy", n)
		case !dirhams(&r.Amount) || r.Amount.Sign() == 0 || !dirhams(&r.Commission) || r.Commission.Cmp(r.Amount) > 0 || r.Kind == "claim" && r.Commission.Sign() != 0:
			return fmt.Errorf("rows[%d] has an amount of %s with a commission of %s", n, r.Amount, r.Commission)
		}
	}
	for _, m := range []*money.Money{&s.Premiums, &s.Commission, &s.Claims, &s.Due} {
		if m.IsZero() && m.Currency() == "" {
			*m = money.Dirhams(0)
		}
		if m.Currency() != money.MAD {
			return fmt.Errorf("a sum of %s", m)
		}
	}
	return nil
}

// Sums are what the rows of a statement come to: premiums, the commission on them
// less what went back on refunds, claims, and what is due to the insurer, which is
// premiums less refunds less commission.
func (s Statement) Sums() (premiums, commission, claims, due money.Money) {
	premiums, commission, claims, due = money.Dirhams(0), money.Dirhams(0), money.Dirhams(0), money.Dirhams(0)
	for _, r := range s.Rows {
		switch r.Kind {
		case "premium":
			premiums, commission, due = premiums.Add(r.Amount), commission.Add(r.Commission), due.Add(r.Amount).Sub(r.Commission)
		case "refund":
			commission, due = commission.Sub(r.Commission), due.Sub(r.Amount).Add(r.Commission)
		case "claim":
			claims = claims.Add(r.Amount)
		}
	}
	return premiums, commission, claims, due
}

// Check says which sum of a statement is not that of its rows, or that a row comes
// twice.
func (s Statement) Check() error {
	seen := map[string]bool{}
	for n, r := range s.Rows {
		if key := r.Kind + " " + r.Ref; seen[key] {
			return sums("rows[%d]: the %s %s comes twice", n, r.Kind, r.Ref)
		} else {
			seen[key] = true
		}
	}
	premiums, commission, claims, due := s.Sums()
	for _, x := range []struct {
		name      string
		said, are money.Money
	}{{"premiums", s.Premiums, premiums}, {"commission", s.Commission, commission}, {"claims", s.Claims, claims}, {"due", s.Due, due}} {
		if !x.said.Equal(x.are) {
			return sums("%s are %s, the rows come to %s", x.name, x.said, x.are)
		}
	}
	return nil
}
