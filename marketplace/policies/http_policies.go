package policies

import (
	"context"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/clock"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// now is the hub's time.
func (s *Service) now(ctx context.Context) (time.Time, error) { return clock.Now(ctx, s.db) }

// PremiumView is one time that a policy was paid for.
type PremiumView struct {
	Period   string         `json:"period" required:"true"`
	Amount   money.Money    `json:"amount" required:"true"`
	Returned money.Money    `json:"returned" required:"true"`
	State    premiums.State `json:"state" required:"true" enum:"taken,bound,undone"`
	TakenAt  time.Time      `json:"taken_at" required:"true"`
}

// PolicyView is a policy as its member and its insurer's people see it.
type PolicyView struct {
	ID          string                `json:"id" required:"true"`
	Number      string                `json:"number,omitempty" description:"The insurer's, once it is bound."`
	Member      string                `json:"member" required:"true"`
	MemberName  Texts                 `json:"member_names,omitempty"`
	Insurer     string                `json:"insurer" required:"true"`
	InsurerName Texts                 `json:"insurer_names,omitempty"`
	Product     string                `json:"product" required:"true" description:"The version that it was made under."`
	ProductName Texts                 `json:"product_names" required:"true"`
	Line        insurance.Line        `json:"line" required:"true" enum:"parcel,stock,crop,health"`
	State       insurance.PolicyState `json:"state" required:"true" enum:"pending,active,lapsed,cancelled,expired,claimed,refused"`
	Why         string                `json:"why,omitempty"`
	Sum         money.Money           `json:"sum" required:"true"`
	Premium     money.Money           `json:"premium" required:"true"`
	Period      string                `json:"period" required:"true" enum:"once,month,season,year"`
	Starts      time.Time             `json:"starts" required:"true"`
	Ends        time.Time             `json:"ends" required:"true"`
	NextDue     *time.Time            `json:"next_due,omitempty" description:"When the next period is paid for out of the balance."`
	FreeUntil   *time.Time            `json:"cancel_until,omitempty" description:"Until when it can be cancelled freely; left out once that is over."`
	Cancelling  bool                  `json:"cancelling" required:"true" description:"The insurer was asked to cancel it."`
	Refund      *money.Money          `json:"refund,omitempty" description:"What the insurer gives back."`
	Documents   []DocumentView        `json:"documents" required:"true"`
	Consent     PolicyConsent         `json:"consent" required:"true"`
	Premiums    []PremiumView         `json:"premiums,omitempty" description:"Left out in lists."`
	AskedAt     time.Time             `json:"asked_at" required:"true"`
}

// PolicyConsent is what was agreed to, by whom and how.
type PolicyConsent struct {
	Lang     string    `json:"lang" required:"true" enum:"fr,ar,en"`
	Text     string    `json:"text" required:"true"`
	TextHash string    `json:"text_hash" required:"true"`
	By       string    `json:"by" required:"true" description:"The person, or the key."`
	Channel  string    `json:"channel" required:"true" enum:"session,agent,key"`
	At       time.Time `json:"at" required:"true"`
}

func (p Policy) view(d Product, insurer, member Texts, now time.Time) PolicyView {
	v := PolicyView{
		ID: p.ID, Number: p.Number, Member: p.Member, MemberName: member, Insurer: p.Insurer, InsurerName: insurer, Product: p.Product, ProductName: d.Doc.Names, Line: d.Line, State: p.State, Why: p.Why,
		Sum: p.money(p.SumInsured), Premium: p.money(p.Premium), Period: p.Period, Starts: p.Starts.UTC(), Ends: p.Ends.UTC(), NextDue: rest.UTC(p.NextDue), Cancelling: p.CancelRef != "" && p.Holds(),
		Documents: documents(append(p.Documents[:len(p.Documents):len(p.Documents)], d.Doc.Documents...)),
		Consent:   PolicyConsent{p.ConsentLang, p.ConsentText, p.ConsentHash, p.ConsentBy, p.ConsentWay, p.ConsentAt.UTC()}, AskedAt: p.AskedAt.UTC(),
	}
	if until := p.freeUntil(d); p.Holds() && p.CancelRef == "" && !now.After(until) {
		v.FreeUntil = &until
	}
	if p.State == insurance.PolicyCancelled {
		m := p.money(p.Refund)
		v.Refund = &m
	}
	return v
}

// PoliciesInput says which policies.
type PoliciesInput struct {
	rest.Paging
	State string `query:"state" enum:"pending,active,lapsed,cancelled,expired,claimed,refused"`
}

// OnePolicy names a policy.
type OnePolicy struct {
	Policy string `path:"policy"`
}

// CancelInput cancels a policy.
type CancelInput struct {
	Policy string `path:"policy"`
	Reason string `json:"reason" required:"true" minLength:"2" maxLength:"300" pattern:"^[^\\r\\n]+$"`
}

// ListPolicies lists the caller's policies: a member's own, an insurer's people
// those of their insurers, an operator all.
func (s *Service) ListPolicies(ctx context.Context, in PoliciesInput) (p rest.Page[PolicyView], err error) {
	below, err := in.After(id.Policy)
	if err != nil {
		return p, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return p, err
	}
	all, err := policiesOf(ctx, s.db, w, in.State, below, in.Limit+1)
	if err != nil {
		return p, err
	}
	ids, insurers, insured := make([]string, len(all)), make([]string, len(all)), make([]string, len(all))
	for i, x := range all {
		ids[i], insurers[i], insured[i] = x.Product, x.Insurer, x.Member
	}
	of, err := s.productsBy(ctx, ids)
	if err != nil {
		return p, err
	}
	names, err := s.names(ctx, s.db, insurers...)
	if err != nil {
		return p, err
	}
	who, err := s.Members.Sellers(ctx, s.db, insured)
	if err != nil {
		return p, err
	}
	now, err := s.now(ctx)
	return rest.View(all, in.Limit, func(x Policy) PolicyView {
		return x.view(of[x.Product], names[x.Insurer], Texts(who[x.Member].Names), now)
	}, func(v PolicyView) any { return v.ID }), err
}

// ShowPolicy shows a policy with its premiums.
func (s *Service) ShowPolicy(ctx context.Context, in OnePolicy) (v PolicyView, err error) {
	p, err := loadPolicy(ctx, s.db, in.Policy)
	if err != nil {
		return v, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return v, err
	}
	if !w.sees(p.Member, p.Insurer) {
		return v, ErrNotFound
	}
	d, err := loadProduct(ctx, s.db, p.Product)
	if err != nil {
		return v, err
	}
	names, err := s.names(ctx, s.db, p.Insurer)
	if err != nil {
		return v, err
	}
	who, err := s.Members.Sellers(ctx, s.db, []string{p.Member})
	if err != nil {
		return v, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return v, err
	}
	v = p.view(d, names[p.Insurer], Texts(who[p.Member].Names), now)
	all, err := s.Premiums.OfPolicy(ctx, s.db, p.ID)
	for _, pr := range all {
		v.Premiums = append(v.Premiums, PremiumView{pr.Period, pr.Money(), p.money(pr.Returned), pr.State, pr.TakenAt.UTC()})
	}
	return v, err
}

// SourceInput is the key of a source of indices.
type SourceInput struct {
	Name string `json:"name" required:"true" minLength:"2" maxLength:"120" description:"As products write it."`
	Key  string `json:"key" required:"true" maxLength:"60" description:"Ed25519, 32 bytes in base64."`
}

// SourceView is a source that is believed.
type SourceView struct {
	Name string `json:"name" required:"true"`
	Key  string `json:"key" required:"true"`
}

// ObserveInput is a value of an index.
type ObserveInput struct {
	Policy    string `path:"policy"`
	Index     string `json:"index" required:"true" maxLength:"40"`
	Source    string `json:"source" required:"true" maxLength:"120"`
	Place     string `json:"place" required:"true" minLength:"1" maxLength:"80"`
	Period    string `json:"period" required:"true" minLength:"4" maxLength:"20"`
	Value     string `json:"value" required:"true" minLength:"1" maxLength:"20"`
	Signature string `json:"signature" required:"true" maxLength:"100" description:"The source's, of index|source|place|period|value, in base64."`
}

// ObservationView is a value of an index and what came of it.
type ObservationView struct {
	ID     string `json:"id" required:"true"`
	Policy string `json:"policy" required:"true"`
	Index  string `json:"index" required:"true"`
	Period string `json:"period" required:"true"`
	Value  string `json:"value" required:"true"`
	State  string `json:"state" required:"true" enum:"entered,told,refused"`
	Claim  string `json:"claim,omitempty" description:"What it made due."`
}

func (o Observation) view() ObservationView {
	return ObservationView{o.ID, o.Policy, o.Index, o.Period, o.Value, o.State, o.Claim}
}

// StatementInput asks for an insurer's statement.
type StatementInput struct {
	Insurer string `json:"insurer" required:"true" maxLength:"64"`
	Period  string `json:"period" required:"true" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$"`
}

// OneStatement names a statement.
type OneStatement struct {
	Statement string `path:"statement"`
}

// RowView is a movement as the insurer has it.
type RowView struct {
	Kind       string      `json:"kind" required:"true" description:"premium, refund, claim"`
	Ref        string      `json:"ref" required:"true"`
	Amount     money.Money `json:"amount" required:"true"`
	Commission money.Money `json:"commission" required:"true"`
}

// StatementView is an insurer's statement and how it compares.
type StatementView struct {
	ID         string       `json:"id" required:"true"`
	Insurer    string       `json:"insurer" required:"true"`
	Period     string       `json:"period" required:"true"`
	State      string       `json:"state" required:"true" enum:"asked,read,refused"`
	Why        string       `json:"why,omitempty"`
	Rows       int          `json:"row_count" required:"true"`
	Matched    int          `json:"matched" required:"true"`
	Premiums   *money.Money `json:"premiums,omitempty"`
	Commission *money.Money `json:"commission,omitempty"`
	Claims     *money.Money `json:"claims,omitempty"`
	Due        *money.Money `json:"due,omitempty" description:"To the insurer."`
	AskedAt    time.Time    `json:"asked_at" required:"true"`
	ReadAt     *time.Time   `json:"read_at,omitempty"`
	Lines      []RowView    `json:"rows,omitempty" description:"Left out in lists."`
	Breaks     []GapView    `json:"breaks,omitempty" description:"Left out in lists; at most a hundred."`
}

func (s Statement) view(breaks []Gap) StatementView {
	v := StatementView{ID: s.ID, Insurer: s.Insurer, Period: s.Period, State: s.State, Why: s.Why, Rows: s.Rows, Matched: s.Matched, AskedAt: s.AskedAt.UTC(), ReadAt: rest.UTC(s.ReadAt)}
	if s.State == "read" {
		for _, m := range []struct {
			to   **money.Money
			from int64
		}{{&v.Premiums, s.Premiums}, {&v.Commission, s.Commission}, {&v.Claims, s.Claims}, {&v.Due, s.Due}} {
			d := money.Dirhams(m.from)
			*m.to = &d
		}
	}
	for _, g := range breaks {
		v.Breaks = append(v.Breaks, g.view())
	}
	return v
}

// ListStatements lists statements: an insurer's people those of their insurers, an
// operator all.
func (s *Service) ListStatements(ctx context.Context, in rest.Paging) (p rest.Page[StatementView], err error) {
	below, err := in.After(id.InsuranceStatement)
	if err != nil {
		return p, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return p, err
	}
	all, err := statements(ctx, s.db, w.Insurers, below, in.Limit+1)
	return rest.View(all, in.Limit, func(x Statement) StatementView { return x.view(nil) }, func(v StatementView) any { return v.ID }), err
}

// ShowStatement shows a statement with its rows and breaks.
func (s *Service) ShowStatement(ctx context.Context, in OneStatement) (v StatementView, err error) {
	st, err := loadStatement(ctx, s.db, in.Statement)
	if err != nil {
		return v, err
	}
	w, err := s.whose(ctx, s.db)
	if err != nil {
		return v, err
	}
	if !w.sees("", st.Insurer) {
		return v, ErrNotFound
	}
	breaks, err := gaps(ctx, s.db, "", st.ID, "", 100)
	v = st.view(breaks)
	if st.Doc != nil {
		for _, r := range whole(*st.Doc).Rows {
			v.Lines = append(v.Lines, RowView{r.Kind, r.Ref, r.Amount, r.Commission})
		}
	}
	return v, err
}

// GapView is where an insurer and the market say different things.
type GapView struct {
	ID         string       `json:"id" required:"true"`
	Insurer    string       `json:"insurer" required:"true"`
	Statement  string       `json:"statement,omitempty"`
	Period     string       `json:"period,omitempty"`
	Kind       string       `json:"kind" required:"true" enum:"missing_there,missing_here,amount,commission,totals,product_changed,product_invalid,quote_sum,refund_sum,claim_sum,policy_contradicted,claim_changed"`
	Ref        string       `json:"ref,omitempty"`
	Subject    string       `json:"subject,omitempty" description:"The premium, policy, claim or product."`
	Ours       *money.Money `json:"ours,omitempty"`
	Theirs     *money.Money `json:"theirs,omitempty"`
	Detail     string       `json:"detail" required:"true"`
	Suggestion string       `json:"suggestion" required:"true"`
	State      string       `json:"state" required:"true" enum:"open,resolved"`
	Resolution string       `json:"resolution,omitempty"`
	Note       string       `json:"note,omitempty"`
	MadeAt     time.Time    `json:"made_at" required:"true"`
	ResolvedAt *time.Time   `json:"resolved_at,omitempty"`
}

func (g Gap) view() GapView {
	v := GapView{
		ID: g.ID, Insurer: g.Insurer, Statement: g.Statement, Period: g.Period, Kind: g.Kind, Ref: g.Ref, Subject: g.Subject, Detail: g.Detail, Suggestion: g.Suggestion,
		State: g.State, Resolution: g.Resolution, Note: g.Note, MadeAt: g.MadeAt.UTC(), ResolvedAt: rest.UTC(g.ResolvedAt),
	}
	for _, m := range []struct {
		from *int64
		to   **money.Money
	}{{g.Ours, &v.Ours}, {g.Theirs, &v.Theirs}} {
		if m.from != nil {
			d := money.Dirhams(*m.from)
			*m.to = &d
		}
	}
	return v
}

// GapsInput says which breaks.
type GapsInput struct {
	rest.Paging
	State string `query:"state" enum:"open,resolved"`
}

// ResolveInput says how a break was seen to.
type ResolveInput struct {
	Break string `path:"break"`
	By    string `json:"by" required:"true" enum:"insurer_corrects,next_statement,moved_by_hand,explained"`
	Note  string `json:"note" required:"true" minLength:"3" maxLength:"1000"`
}

// ListGaps lists breaks, the newest first. The operator calls it.
func (s *Service) ListGaps(ctx context.Context, in GapsInput) (p rest.Page[GapView], err error) {
	below, err := in.After(id.InsuranceGap)
	if err != nil {
		return p, err
	}
	all, err := gaps(ctx, s.db, in.State, "", below, in.Limit+1)
	return rest.View(all, in.Limit, Gap.view, func(v GapView) any { return v.ID }), err
}
