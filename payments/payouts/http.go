package payouts

import (
	"context"
	"net/http"
	"time"

	"tiwiza/pkg/authz"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/rest"
)

// Routes is the HTTP face of payouts.
func Routes(s *Service) []rest.Route {
	return []rest.Route{
		rest.Handle("GET", "/v1/balance", "balance.show", "Show a seller its own money", http.StatusOK, s.Balance),
		rest.Commit("POST", "/v1/payouts", "payouts.create", "Ask for a payout of one's money, or a carrier's or insurer's as the operator", http.StatusCreated, s.Create),
		rest.Handle("GET", "/v1/payouts", "payouts.list", "List payouts, newest first", http.StatusOK, s.List),
		rest.Handle("GET", "/v1/payouts/{payout}", "payouts.show", "Show a payout", http.StatusOK, s.Show),
		rest.Commit("POST", "/v1/payouts/{payout}/approve", "payouts.approve", "Approve a payout as the second person", http.StatusOK, s.Approve),
		rest.Handle("GET", "/v1/payout-settings", "payout_settings.show", "Show how often one is paid", http.StatusOK, s.Setting),
		rest.Handle("PUT", "/v1/payout-settings", "payout_settings.update", "Say how often to be paid, and from what amount on", http.StatusOK, s.SetSetting),
		rest.Handle("GET", "/v1/payout-limits", "payout_limits.show", "Show the limits of payouts that are in force", http.StatusOK, s.ShowLimits),
		rest.Commit("POST", "/v1/payout-limits", "payout_limits.create", "Ask for other limits of payouts; a second person decides", http.StatusCreated, s.AskLimits),
	}
}

// View is a payout as the API shows it.
type View struct {
	ID           string       `json:"id" required:"true"`
	Seller       string       `json:"seller,omitempty" description:"The member that is paid; a carrier or an insurer is none."`
	Beneficiary  string       `json:"beneficiary" required:"true" description:"Who is paid: seller:{id}, carrier:{name} or insurer:{name}."`
	State        State        `json:"state" required:"true" enum:"draft,approved,sent,paid,unknown,rejected,returned"`
	Amount       money.Money  `json:"amount" required:"true"`
	Ref          string       `json:"ref" required:"true" description:"The EndToEndId: it stands on the bank's statement."`
	Account      string       `json:"account" required:"true" description:"The last four digits of the RIB."`
	Waits        []Wait       `json:"waits" required:"true" description:"Everything that a draft waits for."`
	Why          string       `json:"why,omitempty" description:"The bank's last word."`
	NeedsTwo     bool         `json:"needs_two" required:"true"`
	Contradicted bool         `json:"contradicted,omitempty" description:"The bank had refused it, and paid it all the same."`
	Owed         *money.Money `json:"owed,omitempty" description:"What of a contradicted payout was spent by then, and is owed."`
	Covers       []CoverView  `json:"covers,omitempty" description:"The releases it pays."`
	CreatedAt    time.Time    `json:"created_at" required:"true"`
	ChangedAt    time.Time    `json:"changed_at" required:"true"`
}

// CoverView is the part of one release that a payout pays.
type CoverView struct {
	Release string      `json:"release" required:"true"`
	Amount  money.Money `json:"amount" required:"true"`
}

func (p Payout) view(covers []escrow.Cover) View {
	v := View{
		ID: p.ID, Seller: p.member(), Beneficiary: p.To().String(), State: p.State, Amount: p.Money(), Ref: p.Ref, Account: p.RIB[20:], Waits: p.Waits, Why: p.Why,
		NeedsTwo: p.NeedsTwo, Contradicted: p.Contradicted, CreatedAt: p.CreatedAt.UTC(), ChangedAt: p.ChangedAt.UTC(),
	}
	if v.Waits == nil {
		v.Waits = []Wait{}
	}
	if p.Owed > 0 {
		m := money.FromCentimes(p.Owed, p.Currency)
		v.Owed = &m
	}
	for _, c := range covers {
		v.Covers = append(v.Covers, CoverView{c.Release, money.FromCentimes(c.Amount, p.Currency)})
	}
	return v
}

// BalanceView is a seller's own money.
type BalanceView struct {
	Available  money.Money `json:"available" required:"true" description:"What a payout can take."`
	Pending    money.Money `json:"pending" required:"true" description:"Its share of what is still in escrow."`
	Bonus      money.Money `json:"pending_bonus" required:"true" description:"What the market adds to that, for buyers who pay less."`
	Reserve    money.Money `json:"reserve" required:"true"`
	Receivable money.Money `json:"receivable" required:"true" description:"What it owes the platform."`
}

// Balance shows a seller its own money.
func (s *Service) Balance(ctx context.Context, _ rest.None) (BalanceView, error) {
	who := auth.From(ctx)
	if who.Role != auth.Seller {
		return BalanceView{}, ErrSeller
	}
	var v BalanceView
	for to, code := range map[*money.Money]string{
		&v.Available: ledger.Available(who.Subject), &v.Reserve: ledger.Reserve(who.Subject), &v.Receivable: ledger.Receivable(who.Subject),
	} {
		n, err := s.Books.Balance(ctx, s.db, code, money.MAD)
		if err != nil {
			return v, err
		}
		*to = money.Dirhams(n)
	}
	n, err := s.Escrows.Pending(ctx, s.db, who.Subject, money.MAD)
	v.Pending, v.Bonus = money.Dirhams(n.Share), money.Dirhams(n.Bonus)
	return v, err
}

// ListInput says which payouts are looked for. What is left out is any.
type ListInput struct {
	State       string `query:"state" enum:"draft,approved,sent,paid,unknown,rejected,returned"`
	Ref         string `query:"reference" maxLength:"100" description:"The EndToEndId."`
	Beneficiary string `query:"seller" maxLength:"60" description:"The member that is paid."`
	Amount      string `query:"amount" maxLength:"20" description:"Exactly, in dirhams: 240.00."`
	rest.Paging
}

// List lists a seller's own payouts; the operator sees everybody's.
func (s *Service) List(ctx context.Context, in ListInput) (rest.Page[View], error) {
	who := auth.From(ctx)
	seller := who.Subject
	if who.Role == auth.Operator {
		seller = in.Beneficiary
	}
	by := sought{seller: seller, state: in.State, ref: in.Ref}
	if in.Amount != "" {
		m, err := money.Parse(in.Amount, money.MAD)
		if err != nil || m.Sign() <= 0 {
			return rest.Page[View]{}, ErrFind.At("?amount", "an amount in dirhams, such as 240.00")
		}
		by.amount = m.Centimes()
	}
	before, err := in.After(id.Payout)
	if err != nil {
		return rest.Page[View]{}, err
	}
	rows, err := list(ctx, s.db, by, before, in.Limit+1)
	if err != nil {
		return rest.Page[View]{}, err
	}
	return rest.View(rows, in.Limit, func(p Payout) View { return p.view(nil) }, func(v View) any { return v.ID }), nil
}

// ShowInput names a payout.
type ShowInput struct {
	Payout string `path:"payout"`
}

// Show shows a payout to its seller or the operator.
func (s *Service) Show(ctx context.Context, in ShowInput) (View, error) {
	p, err := load(ctx, s.db, in.Payout)
	if err != nil {
		return View{}, err
	}
	if !authz.Allows(ctx, s.Judge, "payouts.show", authz.Resource{Seller: p.owner()}) {
		return View{}, ErrNotFound
	}
	covers, err := covered(ctx, s.db, p.ID)
	return p.view(covers), err
}

// owner is the member whose payout it is; a carrier's or insurer's is shown to
// the operator alone.
func (p Payout) owner() string {
	if p.Payee == Seller {
		return p.Seller
	}
	return p.To().String()
}
