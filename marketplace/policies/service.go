package policies

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"tiwiza/adapters/insurance"
	"tiwiza/marketplace/media"
	"tiwiza/marketplace/members"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/operations"
	"tiwiza/payments/premiums"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// An Insurer is one that the hub speaks with.
type Insurer interface {
	ID() string
	Products(ctx context.Context) ([]insurance.Product, outbound.Result)
	Quote(ctx context.Context, a insurance.Ask) (insurance.Quote, outbound.Result)
	Bind(ctx context.Context, b insurance.Binding) (insurance.Policy, outbound.Result)
	FindPolicy(ctx context.Context, ref string) (insurance.Policy, outbound.Result)
	Cancel(ctx context.Context, c insurance.Cancellation) (insurance.Policy, outbound.Result)
	Paid(ctx context.Context, p insurance.Payment) outbound.Result
	Notify(ctx context.Context, l insurance.Loss) (insurance.Claim, outbound.Result)
	FindClaim(ctx context.Context, ref string) (insurance.Claim, outbound.Result)
	Statement(ctx context.Context, period string) (insurance.Statement, outbound.Result)
	Observe(ctx context.Context, o insurance.Observation) (insurance.Claim, outbound.Result)
}

// Members are the organisations that insure themselves, and the insurers.
type Members interface {
	Of(ctx context.Context, db pg.DB, org string) (members.Organisation, error)
	Sellers(ctx context.Context, db pg.DB, ids []string) (map[string]members.Seller, error)
}

// Orders know what a sale is of.
type Orders interface {
	Bought(ctx context.Context, db pg.DB, order string) (orders.Purchase, error)
}

// Files are photographs and papers that were uploaded.
type Files interface {
	Files(ctx context.Context, db pg.DB, ids []string) (map[string]media.File, error)
	Use(ctx context.Context, tx *pg.Tx, file, owner string, kind media.Kind, subject string) (media.File, error)
	Content(ctx context.Context, file string) ([]byte, error)
}

// Premiums move the money.
type Premiums interface {
	Take(ctx context.Context, tx *pg.Tx, in premiums.Taking) (premiums.Premium, error)
	Bind(ctx context.Context, tx *pg.Tx, premium string) error
	Undo(ctx context.Context, tx *pg.Tx, premium string) error
	GiveBack(ctx context.Context, tx *pg.Tx, policy, premium string, amount money.Money, transfer string) error
	Indemnify(ctx context.Context, tx *pg.Tx, in premiums.Indemnity) error
	OfPolicy(ctx context.Context, db pg.DB, policy string) ([]premiums.Premium, error)
	Named(ctx context.Context, db pg.DB, transfer string) (of string, err error)
	Between(ctx context.Context, db pg.DB, insurer string, from, until time.Time) ([]premiums.Premium, []premiums.Due, error)
}

// Insurers are those that the hub speaks with; they come and go while it runs.
type Insurers interface {
	// Of is an insurer by its name, or nil when it is not connected. Barred says why
	// nothing new may be made there now, or "".
	Of(ctx context.Context, db pg.DB, name string) (i Insurer, barred string, err error)
	// Names are all that may be asked.
	Names(ctx context.Context, db pg.DB) ([]string, error)
	// Owner is the organisation whose people speak for an insurer, or "".
	Owner(ctx context.Context, db pg.DB, name string) (organisation string, err error)
}

// Needs are the others that policies works with.
type Needs struct {
	Members  Members
	Orders   Orders
	Files    Files
	Premiums Premiums
	Engine   Engine
	Insurers Insurers
	URL      string // where insurers fetch papers of claims
	// Every is how often an insurer is asked how an open claim stands, when it says
	// nothing itself; zero is an hour. Policies that hold are asked about once a day.
	Every time.Duration
}

// Service keeps products, quotes, policies, claims and statements.
type Service struct {
	db *pg.Store
	Needs
}

// KindPolicy names the operation that asks an insurer to bind.
const KindPolicy = "policy"

// New makes the service.
func New(db *pg.Store, n Needs) *Service {
	if n.Every == 0 {
		n.Every = time.Hour
	}
	s := &Service{db, n}
	n.Engine.Handle(KindPolicy, operations.Handler{
		Send: s.bind, Inquire: s.inquire, Moved: s.bindingMoved, Contradicted: s.bindingContradicted,
		Policy: operations.Policy{Resend: true},
	})
	return s
}

// whose are the policies that the caller may see: a member's own, an insurer's
// people those of their insurers, an operator all.
type whose struct {
	Member   string
	Insurers []string // nil: of all
}

func (s *Service) whose(ctx context.Context, db pg.DB) (w whose, err error) {
	switch who := auth.From(ctx); who.Role {
	case auth.Operator, auth.System:
		return w, nil
	case auth.Insurer:
		w.Insurers, err = s.speaksFor(ctx, db, who.Subject)
		return w, err
	default:
		w.Member = who.Subject
		if w.Member == "" {
			w.Insurers = []string{}
		}
		return w, nil
	}
}

func (w whose) sees(member, insurer string) bool {
	return (w.Member == "" || w.Member == member) && (w.Insurers == nil || slices.Contains(w.Insurers, insurer))
}

// speaksFor are the insurers whose people an organisation's are.
func (s *Service) speaksFor(ctx context.Context, db pg.DB, org string) ([]string, error) {
	out := []string{}
	all, err := s.Insurers.Names(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		o, err := s.Insurers.Owner(ctx, db, i)
		if err != nil {
			return nil, err
		}
		if o != "" && o == org {
			out = append(out, i)
		}
	}
	return out, nil
}

// at is an insurer that is connected, or nil.
func (s *Service) at(ctx context.Context, db pg.DB, insurer string) Insurer {
	i, _, err := s.Insurers.Of(ctx, db, insurer)
	if err != nil {
		slog.WarnContext(ctx, "an insurer cannot be reached", "partner", insurer, "error", err)
		return nil
	}
	return i
}

// open says why nothing new may be made at an insurer, or nil.
func (s *Service) open(ctx context.Context, db pg.DB, insurer string) error {
	i, barred, err := s.Insurers.Of(ctx, db, insurer)
	switch {
	case err != nil || i == nil:
		return ErrNoHub.With(err)
	case barred != "":
		return ErrNoHub.Say("This insurer takes nothing new at the moment: %s.", barred)
	}
	return nil
}

// names are how insurers are called.
func (s *Service) names(ctx context.Context, db pg.DB, insurers ...string) (map[string]Texts, error) {
	out := make(map[string]Texts, len(insurers))
	orgs := map[string]string{}
	var asked []string
	for _, i := range insurers {
		if _, done := orgs[i]; done {
			continue
		}
		o, err := s.Insurers.Owner(ctx, db, i)
		if err != nil {
			return nil, err
		}
		orgs[i] = o
		if o != "" {
			asked = append(asked, o)
		}
	}
	found, err := s.Members.Sellers(ctx, db, asked)
	for i, o := range orgs {
		out[i] = found[o].Names
	}
	return out, err
}

// own is the member that the caller is; everybody else is told that there is
// nothing.
func own(ctx context.Context) (string, error) {
	if who := auth.From(ctx); who.Role == auth.Seller && who.Subject != "" {
		return who.Subject, nil
	}
	return "", ErrNotFound
}

// invalid is all that is wrong with something.
func invalid(wrong []fault.Detail) error {
	if len(wrong) == 0 {
		return nil
	}
	err := ErrInvalid
	for _, d := range wrong {
		err = err.At(d.Pointer, d.Detail)
	}
	return err
}

// gap notes, and tells, that an insurer and the market say different things: once
// while it is open, however often the insurer repeats it.
func (s *Service) gap(ctx context.Context, tx *pg.Tx, g Gap) error {
	g.ID, g.State, g.MadeAt = id.New(id.InsuranceGap), "open", tx.Now()
	if fresh, err := insertGap(ctx, tx, g); err != nil || !fresh {
		return err
	}
	slog.WarnContext(ctx, "an insurer says something else", "partner", g.Insurer, "kind", g.Kind, "ref", g.Ref, "subject", g.Subject, "detail", g.Detail)
	return tx.Publish(ctx, GapFound{g.ID, g.Insurer, g.Kind, g.Ref, g.Detail})
}
