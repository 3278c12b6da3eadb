package loyalty

import (
	"context"
	"fmt"
	"time"

	"tiwiza/payments/approvals"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// kindAdjust is what two people decide: many points by hand.
const kindAdjust = "loyalty.adjust"

// twoAbove is the worth in centimes of all that one person adjusts within a day
// above which a second person decides.
const twoAbove = 500_00

// AdjustInput gives or takes points by hand.
type AdjustInput struct {
	Person string `json:"person" required:"true" maxLength:"40"`
	Points int64  `json:"points" required:"true" minimum:"-10000000" maximum:"10000000" description:"Below zero takes them away, as far as they are there."`
	Reason string `json:"reason" required:"true" minLength:"1" maxLength:"500"`
}

// AdjustView is what became of it.
type AdjustView struct {
	ID       string `json:"id" required:"true"`
	Person   string `json:"person" required:"true"`
	Points   int64  `json:"points" required:"true"`
	Approval string `json:"approval,omitempty" description:"It waits for a second person."`
}

// A wanted adjustment is what the second person approves.
type wanted struct {
	Person string `json:"person"`
	Points int64  `json:"points"`
	Reason string `json:"reason"`
}

// Adjust gives or takes points in the operator's name. What one person adjusts
// within a day, above 500 dirhams together, waits for a second.
func (s *Service) Adjust(ctx context.Context, tx *pg.Tx, in AdjustInput) (v AdjustView, err error) {
	if !id.Is(id.Person, in.Person) && !id.Is(id.Organisation, in.Person) {
		return v, ErrInvalid.At("/person", "The id of a person (per_…) or an organisation (org_…).")
	}
	if in.Points == 0 {
		return v, ErrInvalid.At("/points", "Above or below zero.")
	}
	terms, err := termsAt(ctx, tx, tx.Now())
	if err != nil {
		return v, err
	}
	before, err := adjusted(ctx, tx, auth.From(ctx).Person(), tx.Now().Add(-24*time.Hour))
	if err != nil {
		return v, err
	}
	v = AdjustView{ID: id.New(id.Points), Person: in.Person, Points: in.Points}
	w := wanted(in)
	audit.Record(tx, "loyalty.adjust", v.ID, authz.Policy(ctx), w)
	if (before+max(in.Points, -in.Points))*int64(terms.Worth) > twoAbove {
		v.Approval, err = s.askAdjust(ctx, tx, v.ID, w, terms)
		return v, err
	}
	return v, s.adjust(ctx, tx, v.ID, w)
}

func (s *Service) askAdjust(ctx context.Context, tx *pg.Tx, ref string, w wanted, terms Terms) (string, error) {
	worth := money.Dirhams(max(w.Points, -w.Points) * int64(terms.Worth))
	ask, err := approvals.Ask{
		Kind: kindAdjust, Subject: ref, Amount: &worth, Why: fmt.Sprintf("%+d points for %s: %s", w.Points, w.Person, w.Reason),
	}.Of(w)
	if err != nil {
		return "", err
	}
	r, err := s.Approvals.Ask(ctx, tx, ask)
	return r.ID, err
}

// adjustDecided carries out what two people have decided.
func (s *Service) adjustDecided(ctx context.Context, tx *pg.Tx, r approvals.Request) error {
	if r.State != approvals.Approved {
		return nil
	}
	var w wanted
	if err := r.Read(&w); err != nil {
		return err
	}
	return s.adjust(ctx, tx, r.ID, w)
}

func (s *Service) adjust(ctx context.Context, tx *pg.Tx, ref string, w wanted) error {
	if w.Points > 0 {
		return s.credit(ctx, tx, w.Person, Adjusted, ref, w.Points, w.Reason, nil)
	}
	return s.debit(ctx, tx, w.Person, Adjusted, ref, -w.Points, w.Reason, all)
}
