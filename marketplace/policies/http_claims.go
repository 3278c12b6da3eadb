package policies

import (
	"context"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// EvidenceInput is a paper or a photograph that was uploaded.
type EvidenceInput struct {
	File string `json:"file" required:"true" maxLength:"40"`
	Kind string `json:"kind" required:"true" minLength:"2" maxLength:"40" description:"photograph, invoice, report, or what the insurer asked for."`
}

// ClaimInput declares a claim.
type ClaimInput struct {
	Policy      string          `json:"policy" required:"true" maxLength:"40"`
	EventAt     time.Time       `json:"event_at" required:"true"`
	Type        string          `json:"type" required:"true" enum:"damage,theft,fire,water,weather,illness,loss,other"`
	Description string          `json:"description" required:"true" minLength:"3" maxLength:"2000"`
	Amount      money.Money     `json:"amount" required:"true"`
	Evidence    []EvidenceInput `json:"evidence" maxItems:"20"`
}

// AddInput adds papers to a claim.
type AddInput struct {
	Claim    string          `path:"claim"`
	Evidence []EvidenceInput `json:"evidence" required:"true" minItems:"1" maxItems:"20"`
}

// AnswerInput is the word of an insurer's people.
type AnswerInput struct {
	Claim    string       `path:"claim"`
	State    string       `json:"state" required:"true" enum:"review,accepted,rejected"`
	Reason   string       `json:"reason,omitempty" maxLength:"500" description:"Needed to reject."`
	Asks     []string     `json:"asks,omitempty" maxItems:"12" description:"Papers that are missing; needed for review."`
	Amount   *money.Money `json:"amount,omitempty" description:"What is accepted."`
	Transfer string       `json:"transfer_ref,omitempty" maxLength:"64" description:"How the credit on the bank's statement will name it."`
	SetOff   bool         `json:"set_off,omitempty" description:"It is taken out of the premiums that are due to the insurer."`
}

// OneClaim names a claim.
type OneClaim struct {
	Claim string `path:"claim"`
}

// PaperInput names a paper of a claim.
type PaperInput struct {
	Claim string `path:"claim"`
	File  string `path:"file"`
}

// EvidenceView is a paper of a claim.
type EvidenceView struct {
	File    string    `json:"file" required:"true"`
	Kind    string    `json:"kind" required:"true"`
	SHA256  string    `json:"sha256" required:"true"`
	AddedAt time.Time `json:"added_at" required:"true"`
}

// ClaimView is a claim as its member and its insurer's people see it.
type ClaimView struct {
	ID          string               `json:"id" required:"true"`
	Policy      string               `json:"policy" required:"true"`
	Member      string               `json:"member" required:"true"`
	Under       *UnderView           `json:"under,omitempty" description:"Whose claim it is, and under what. Left out where a claim is changed."`
	Insurer     string               `json:"insurer" required:"true"`
	State       insurance.ClaimState `json:"state" required:"true" enum:"notified,review,accepted,rejected,paid" description:"paid: the money is in the balance here."`
	EventAt     time.Time            `json:"event_at" required:"true"`
	Type        string               `json:"type" required:"true"`
	Description string               `json:"description" required:"true"`
	Amount      money.Money          `json:"amount" required:"true"`
	Accepted    *money.Money         `json:"accepted,omitempty"`
	Reason      string               `json:"reason,omitempty"`
	Asks        []string             `json:"asks" required:"true" description:"Papers that the insurer asks for."`
	Transfer    string               `json:"transfer_ref,omitempty"`
	SetOff      bool                 `json:"set_off" required:"true"`
	AnswerBy    time.Time            `json:"answer_by" required:"true"`
	Told        bool                 `json:"told" required:"true" description:"The insurer has all of it."`
	Evidence    []EvidenceView       `json:"evidence" required:"true"`
	MadeAt      time.Time            `json:"made_at" required:"true"`
}

func (c Claim) view(all []Evidence) ClaimView {
	v := ClaimView{
		ID: c.ID, Policy: c.Policy, Member: c.Member, Insurer: c.Insurer, State: c.State, EventAt: c.EventAt.UTC(), Type: c.Kind, Description: c.Description, Amount: c.money(c.Amount),
		Reason: c.Why, Asks: c.Asks, Transfer: c.Transfer, SetOff: c.SetOff, AnswerBy: c.AnswerBy.UTC(), Told: c.Told == c.Filed, Evidence: []EvidenceView{}, MadeAt: c.MadeAt.UTC(),
	}
	if c.Accepted != nil {
		m := c.money(*c.Accepted)
		v.Accepted = &m
	}
	for _, e := range all {
		if e.Claim == c.ID {
			v.Evidence = append(v.Evidence, EvidenceView{e.File, e.Kind, e.Digest, e.AddedAt.UTC()})
		}
	}
	return v
}

// UnderView says whose a claim is, and under what.
type UnderView struct {
	MemberName  Texts          `json:"member_names,omitempty"`
	InsurerName Texts          `json:"insurer_names,omitempty"`
	ProductName Texts          `json:"product_names" required:"true"`
	Line        insurance.Line `json:"line" required:"true" enum:"parcel,stock,crop,health"`
	Number      string         `json:"number,omitempty" description:"The policy's, as its insurer has it."`
	Sum         money.Money    `json:"sum" required:"true" description:"What is insured."`
	Papers      []string       `json:"papers" required:"true" description:"What a claim needs."`
}

// under says of claims whose they are, and under what, by the claims' ids.
func (s *Service) under(ctx context.Context, all ...Claim) (map[string]*UnderView, error) {
	out := make(map[string]*UnderView, len(all))
	ids, insurers, members := make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, c := range all {
		ids[i], insurers[i], members[i] = c.Policy, c.Insurer, c.Member
	}
	found, err := policiesBy(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	policy, sold := make(map[string]Policy, len(found)), make([]string, len(found))
	for i, p := range found {
		policy[p.ID], sold[i] = p, p.Product
	}
	of, err := s.productsBy(ctx, sold)
	if err != nil {
		return nil, err
	}
	names, err := s.names(ctx, s.db, insurers...)
	if err != nil {
		return nil, err
	}
	who, err := s.Members.Sellers(ctx, s.db, members)
	for _, c := range all {
		p := policy[c.Policy]
		d := of[p.Product]
		u := &UnderView{MemberName: Texts(who[c.Member].Names), InsurerName: names[c.Insurer], ProductName: d.Doc.Names, Line: d.Line, Number: p.Number, Sum: p.money(p.SumInsured), Papers: d.Doc.Papers}
		if u.Papers == nil {
			u.Papers = []string{}
		}
		out[c.ID] = u
	}
	return out, err
}

// ClaimsInput says which claims.
type ClaimsInput struct {
	rest.Paging
	Policy string `query:"policy" maxLength:"40"`
	State  string `query:"state" enum:"open,notified,review,accepted,rejected,paid" description:"open: the insurer has not decided."`
}

// ListClaims lists the caller's claims: a member's own, an insurer's people those
// of their insurers, an operator all.
func (s *Service) ListClaims(ctx context.Context, in ClaimsInput) (p rest.Page[ClaimView], err error) {
	below, err := in.After(id.Claim)
	if err != nil {
		return p, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return p, err
	}
	all, err := claimsOf(ctx, s.db, w, in.Policy, in.State, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	ids := make([]string, len(all))
	for i, c := range all {
		ids[i] = c.ID
	}
	papers, err := evidenceOf(ctx, s.db, ids...)
	if err != nil {
		return p, err
	}
	of, err := s.under(ctx, all...)
	return rest.View(all, in.Limit, func(c Claim) ClaimView {
		v := c.view(papers)
		v.Under = of[c.ID]
		return v
	}, func(v ClaimView) any { return v.ID }), err
}

// ShowClaim shows a claim with its papers.
func (s *Service) ShowClaim(ctx context.Context, in OneClaim) (v ClaimView, err error) {
	c, err := loadClaim(ctx, s.db, in.Claim)
	if err != nil {
		return v, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return v, err
	}
	if !w.sees(c.Member, c.Insurer) {
		return v, ErrNotFound
	}
	all, err := evidenceOf(ctx, s.db, c.ID)
	if err != nil {
		return v, err
	}
	of, err := s.under(ctx, c)
	v = c.view(all)
	v.Under = of[c.ID]
	return v, err
}
