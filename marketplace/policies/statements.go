package policies

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/payments/files"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// A Statement is what an insurer says of a month, in centimes.
type Statement struct {
	ID         string
	Insurer    string
	Period     string
	State      string // asked, read or refused
	Doc        *insurance.Statement
	Rows       int
	Matched    int
	Premiums   int64
	Commission int64
	Claims     int64
	Due        int64
	Why        string
	AskedBy    string
	AskedAt    time.Time
	ReadAt     *time.Time
}

// A Gap is where an insurer and the market say different things.
type Gap struct {
	ID         string
	Insurer    string
	Statement  string
	Period     string
	Kind       string
	Ref        string
	Subject    string
	Ours       *int64
	Theirs     *int64
	Detail     string
	Suggestion string
	State      string
	Resolution string
	ResolvedBy string
	ResolvedAt *time.Time
	Note       string
	MadeAt     time.Time
}

// An entry is one movement as the market has it: it answers to any of its names.
type entry struct {
	kind       string
	refs       []string
	subject    string
	amount     int64
	commission int64
	at         time.Time
	awaited    string // the transfer that a claim is waited for by, while it has not come
	open       bool
}

// monthOf is a month's beginning and end.
func monthOf(period string) (from, until time.Time, err error) {
	from, err = time.Parse("2006-01", period)
	return from, from.AddDate(0, 1, 0), err
}

// entries are what the market has of a month.
func entries(all []premiums.Premium, owed []premiums.Due, refs map[string]string) (out []entry) {
	for _, p := range all {
		e := entry{kind: "premium", refs: []string{files.RefOf(p.ID)}, subject: p.ID, amount: p.Amount, commission: p.Commission, at: p.TakenAt}
		if p.Period == firstPeriod {
			e.refs = append(e.refs, files.RefOf(p.Policy))
		}
		out = append(out, e)
	}
	for _, d := range owed {
		e := entry{kind: "claim", subject: d.Subject, amount: d.Amount, at: d.DueAt}
		if d.Kind == premiums.Refund {
			e.kind, e.refs, e.commission = "refund", []string{"C" + files.RefOf(d.Policy)}, d.Commission
		} else {
			e.refs, e.open, e.awaited = []string{files.RefOf(d.Subject)}, d.State == premiums.Open, d.Transfer
			if r := refs[d.Subject]; r != "" {
				e.refs = append(e.refs, r)
			}
		}
		out = append(out, e)
	}
	return out
}

// Compare compares an insurer's statement with what the market has of the month,
// row by row and in its sums. It answers the breaks, and how many rows agree.
func Compare(st insurance.Statement, ours []entry, currency string) (gaps []Gap, matched int) {
	m := func(c int64) money.Money { return money.FromCentimes(c, currency) }
	used := make([]bool, len(ours))
	var sums struct{ premiums, refunds, claims, commission int64 }
	for _, r := range st.Rows {
		amount, commission := r.Amount.Centimes(), r.Commission.Centimes()
		switch r.Kind {
		case "premium":
			sums.premiums, sums.commission = sums.premiums+amount, sums.commission+commission
		case "refund":
			sums.refunds, sums.commission = sums.refunds+amount, sums.commission-commission
		case "claim":
			sums.claims += amount
		}
		i := slices.IndexFunc(ours, func(e entry) bool { return e.kind == r.Kind && slices.Contains(e.refs, r.Ref) })
		if i < 0 || used[i] {
			text, hint := fmt.Sprintf("The insurer has a %s of %s by %s that the market does not have in this month.", r.Kind, r.Amount, r.Ref), "Ask the insurer what it is; if it is of another month, it belongs there."
			if i >= 0 {
				text, hint = fmt.Sprintf("The insurer has the %s %s twice.", r.Kind, r.Ref), "Ask the insurer to take one of the rows out."
			}
			gaps = append(gaps, Gap{Kind: "missing_here", Ref: r.Ref, Subject: r.Policy, Theirs: &amount, Detail: text, Suggestion: hint})
			continue
		}
		used[i] = true
		e := ours[i]
		switch {
		case e.amount != amount || r.Amount.Currency() != currency:
			gaps = append(gaps, Gap{
				Kind: "amount", Ref: r.Ref, Subject: e.subject, Ours: &e.amount, Theirs: &amount,
				Detail: fmt.Sprintf("The %s %s is %s in the books and %s at the insurer.", r.Kind, r.Ref, m(e.amount), r.Amount), Suggestion: "The books hold what was taken and given with consent: ask the insurer to correct its row.",
			})
		case r.Kind != "claim" && e.commission-commission > 1 || r.Kind != "claim" && commission-e.commission > 1:
			gaps = append(gaps, Gap{
				Kind: "commission", Ref: r.Ref, Subject: e.subject, Ours: &e.commission, Theirs: &commission,
				Detail: fmt.Sprintf("The commission on the %s %s is %s in the books and %s at the insurer.", r.Kind, r.Ref, m(e.commission), m(commission)), Suggestion: "The quote says what the commission is: compare it, and settle the difference by hand.",
			})
		case e.open:
			gaps = append(gaps, Gap{
				Kind: "missing_here", Ref: r.Ref, Subject: e.subject, Ours: new(int64), Theirs: &amount,
				Detail: fmt.Sprintf("The insurer says that it paid the claim %s; the money has not come.", r.Ref), Suggestion: fmt.Sprintf("Look for the transfer %q on the bank's statement.", e.awaited),
			})
		default:
			matched++
		}
	}
	for i, e := range ours {
		if !used[i] && !e.open {
			hint := "Ask the insurer whether it has it: by this name."
			if e.at.AddDate(0, 0, 2).Month() != e.at.Month() {
				hint = "It is of the month's last two days: wait for the next statement."
			}
			gaps = append(gaps, Gap{
				Kind: "missing_there", Ref: e.refs[0], Subject: e.subject, Ours: &e.amount,
				Detail: fmt.Sprintf("The %s %s of %s is not in the insurer's statement.", e.kind, e.refs[0], m(e.amount)), Suggestion: hint,
			})
		}
	}
	due := sums.premiums - sums.refunds - sums.commission
	if st.Premiums.Centimes() != sums.premiums || st.Commission.Centimes() != sums.commission || st.Claims.Centimes() != sums.claims || st.Due.Centimes() != due {
		theirs := st.Due.Centimes()
		gaps = append(gaps, Gap{
			Kind: "totals", Ref: st.Period, Subject: st.ID, Ours: &due, Theirs: &theirs,
			Detail: fmt.Sprintf("The statement's sums are not those of its rows: premiums %s for %s, commission %s for %s, claims %s for %s, due %s for %s.",
				st.Premiums, m(sums.premiums), st.Commission, m(sums.commission), st.Claims, m(sums.claims), st.Due, m(due)),
			Suggestion: "Ask the insurer for a statement whose rows add up.",
		})
	}
	return gaps, matched
}

// AskStatement has an insurer asked for its statement of a month. The operator
// calls it, and the hub by itself on the second of each month.
func (s *Service) AskStatement(ctx context.Context, tx *pg.Tx, in StatementInput) (v StatementView, err error) {
	if s.at(ctx, tx, in.Insurer) == nil {
		return v, ErrNotFound
	}
	from, _, err := monthOf(in.Period)
	if err != nil || from.After(tx.Now()) {
		return v, ErrInvalid.At("/period", "A month that has begun, as 2026-11.")
	}
	st := Statement{ID: id.New(id.InsuranceStatement), Insurer: in.Insurer, Period: in.Period, State: "asked", AskedBy: auth.From(ctx).Person(), AskedAt: tx.Now()}
	insertStatement(tx, st, false)
	s.send(tx, st.Insurer, errandMonth, st.ID)
	audit.Record(tx, "insurance.statement", st.ID, authz.Policy(ctx), map[string]string{"insurer": st.Insurer, "period": st.Period})
	return st.view(nil), nil
}

// read fetches a statement, and compares it. Breaks of an earlier statement of the
// month are over: this one says anew what differs.
func (s *Service) read(ctx context.Context, i Insurer, statement string) (bool, error) {
	st, err := loadStatement(ctx, s.db, statement)
	if err != nil || st.State != "asked" {
		return true, err
	}
	said, r := i.Statement(ctx, st.Period)
	there := done(r) || r.Reason == outbound.Differs && said.Period == st.Period
	if !there && r.Outcome != outbound.Declined && r.Outcome != outbound.NotFound {
		return false, nil
	}
	from, until, err := monthOf(st.Period)
	if err != nil {
		return true, err
	}
	return true, s.db.InTx(ctx, func(tx *pg.Tx) error {
		st, err := lockStatement(ctx, tx, statement)
		if err != nil || st.State != "asked" {
			return err
		}
		if !there {
			st.State, st.Why = "refused", "The insurer has none: "+r.Say()
			saveStatement(tx, st)
			return nil
		}
		all, owed, err := s.Premiums.Between(ctx, tx, st.Insurer, from, until)
		if err != nil {
			return err
		}
		refs, err := claimRefs(ctx, tx, st.Insurer, owed)
		if err != nil {
			return err
		}
		said := whole(said)
		gaps, matched := Compare(said, entries(all, owed, refs), money.MAD)
		now := tx.Now()
		st.State, st.Doc, st.ReadAt, st.Rows, st.Matched = "read", &said, &now, len(said.Rows), matched
		st.Premiums, st.Commission, st.Claims, st.Due = said.Premiums.Centimes(), said.Commission.Centimes(), said.Claims.Centimes(), said.Due.Centimes()
		saveStatement(tx, st)
		supersede(tx, st.Insurer, st.Period, st.ID, now)
		for _, g := range gaps {
			g.Insurer, g.Statement, g.Period = st.Insurer, st.ID, st.Period
			if err := s.gap(ctx, tx, g); err != nil {
				return err
			}
		}
		return tx.Publish(ctx, StatementRead{st.ID, st.Insurer, st.Period, st.Rows, st.Matched, len(gaps)})
	})
}

// whole writes amounts that are left out as nothing.
func whole(st insurance.Statement) insurance.Statement {
	zero := func(m *money.Money) {
		if m.Currency() == "" {
			*m = money.Dirhams(0)
		}
	}
	for _, m := range []*money.Money{&st.Premiums, &st.Commission, &st.Claims, &st.Due} {
		zero(m)
	}
	st.Rows = slices.Clone(st.Rows)
	for i := range st.Rows {
		zero(&st.Rows[i].Amount)
		zero(&st.Rows[i].Commission)
	}
	return st
}

// Resolve says how a break was seen to. It moves no money: what is to be moved two
// people move by hand. The operator calls it.
func (s *Service) Resolve(ctx context.Context, tx *pg.Tx, in ResolveInput) (v GapView, err error) {
	g, err := lockGap(ctx, tx, in.Break)
	if err != nil {
		return v, err
	}
	if g.State != "open" {
		return v, ErrState.Say("This break was resolved before.")
	}
	note := strings.TrimSpace(in.Note)
	if note == "" {
		return v, ErrInvalid.At("/note", "Say what was found and done.")
	}
	at := tx.Now()
	g.State, g.Resolution, g.ResolvedBy, g.ResolvedAt, g.Note = "resolved", in.By, auth.From(ctx).Person(), &at, note
	saveGap(tx, g)
	audit.Record(tx, "insurance.resolve", g.ID, authz.Policy(ctx), map[string]string{"kind": g.Kind, "by": g.Resolution, "note": note})
	return g.view(), nil
}
