package payouts

import (
	"context"
	"strings"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/payments/approvals"
	"tiwiza/payments/escrow"
	"tiwiza/payments/files"
	"tiwiza/payments/ledger"
	"tiwiza/payments/limits"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/authz"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Books is what payouts ask of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
	PostAll(ctx context.Context, tx *pg.Tx, all []ledger.Transfer) ([]error, error)
	Balances(ctx context.Context, db pg.DB, currency string, codes ...string) (map[string]int64, error)
	// Free locks accounts and says what could be taken out of each.
	Free(ctx context.Context, tx *pg.Tx, currency string, codes ...string) (map[string]int64, error)
	// Fixed locks busy accounts in all their parts and says what is in each.
	Fixed(ctx context.Context, tx *pg.Tx, currency string, codes ...string) (map[string]int64, error)
	Balance(ctx context.Context, db pg.DB, code, currency string) (int64, error)
	Held(ctx context.Context, db pg.DB, code, currency string) (int64, error)
}

// Escrows is what payouts ask of escrow.
type Escrows interface {
	Cover(ctx context.Context, tx *pg.Tx, seller, currency string, amount int64) ([]escrow.Cover, error)
	Uncover(tx *pg.Tx, covers []escrow.Cover)
	Coverings(ctx context.Context, tx *pg.Tx, currency string, sellers ...string) (map[string]escrow.Covering, error)
	CoverAll(tx *pg.Tx, covers []escrow.Cover)
	AllSettled(ctx context.Context, db pg.DB, releases []string) (bool, error)
	Payable(ctx context.Context, db pg.DB, seller, currency string) (int64, error)
	Unsettled(ctx context.Context, db pg.DB, carrier, currency string) (int64, error)
	Pending(ctx context.Context, db pg.DB, seller, currency string) (escrow.Pending, error)
	ReleasesOf(ctx context.Context, db pg.DB, charge string) ([]string, error)
	ReleasesOfOrders(ctx context.Context, db pg.DB, orders []string) ([]string, error)
	OrdersOf(ctx context.Context, db pg.DB, releases []string) ([]string, error)
}

// Risk is what payouts ask of the rules of risk.
type Risk interface {
	Payout(ctx context.Context, tx *pg.Tx, p limits.Payout) (waits []string, err error)
	Payouts(ctx context.Context, tx *pg.Tx, all []limits.Payout) (passes []bool, err error)
	Undo(ctx context.Context, tx *pg.Tx, payout string) error
}

// Accounts says where members are paid; one that has no account is left out.
type Accounts interface {
	PayoutAccounts(ctx context.Context, db pg.DB, members ...string) (map[string]Account, error)
}

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// Needs are what payouts stand on.
type Needs struct {
	Books     Books
	Escrows   Escrows
	Accounts  Accounts
	Files     *files.Service
	Approvals *approvals.Service
	Risk      Risk
	Judge     Judge
	Premiums  Premiums // nil: there are no insurers
}

// Premiums know what of the money payable to an insurer is not its own yet.
type Premiums interface {
	InAir(ctx context.Context, db pg.DB, insurer, currency string) (int64, error)
}

// Check says what else payouts wait for, by payout, in the unit of work that
// would approve them.
type Check func(ctx context.Context, tx *pg.Tx, all []Payout) (map[string][]Wait, error)

// Service is what others may ask of payouts. Check is called at start, the rest
// by many goroutines.
type Service struct {
	db *pg.Store
	Needs
	checks []Check
}

// Kinds of operations and of approvals.
const (
	kindPayout   = "payout"
	kindApproval = "payouts.pay"
	kindLimits   = "payouts.limits"
)

// New makes the service, and registers its operations and what a second person
// decides.
func New(db *pg.Store, n Needs) *Service {
	s := &Service{db: db, Needs: n}
	n.Files.Handle(kindPayout, files.Kind{Pay: s.pay, Moved: s.moved, Contradicted: s.contradicted})
	n.Approvals.Handle(kindApproval, s.decided)
	n.Approvals.Handle(kindLimits, s.limitsDecided)
	return s
}

// Check adds reasons for payouts to wait.
func (s *Service) Check(c Check) { s.checks = append(s.checks, c) }

// pay is the bank's instruction for a payout.
func (s *Service) pay(ctx context.Context, db pg.DB, payout string) (bank.Transfer, error) {
	p, err := load(ctx, db, payout)
	return bank.Transfer{Ref: p.Ref, Amount: p.Money(), To: bank.Account{RIB: p.RIB, Name: p.Holder}, Info: "Tiwiza " + p.Ref}, err
}

// AccountInput is where a carrier or an insurer is paid.
type AccountInput struct {
	RIB    string `json:"rib" required:"true" minLength:"24" maxLength:"40"`
	Holder string `json:"holder" required:"true" minLength:"1" maxLength:"140"`
}

// CreateInput asks for a payout; without an amount, of all there is.
type CreateInput struct {
	Amount      *money.Money  `json:"amount,omitempty" description:"All that can be paid out when left out."`
	Beneficiary string        `json:"beneficiary,omitempty" maxLength:"200" description:"carrier:{name} or insurer:{name}, for the operator; a seller is paid itself."`
	Account     *AccountInput `json:"account,omitempty" description:"Where a carrier or an insurer is paid; when left out, where it was paid last. A second person checks an account that is given."`
}

// Create takes a payout out of the money that is due and sends it on its way,
// or keeps it as a draft that says what it waits for. A seller calls it for
// itself, the operator for a carrier or an insurer.
func (s *Service) Create(ctx context.Context, tx *pg.Tx, in CreateInput) (View, error) {
	b, err := beneficiary(ctx, in.Beneficiary)
	if err != nil {
		return View{}, err
	}
	if b.Payee == Seller && in.Account != nil {
		return View{}, ErrBeneficiary.At("/account", "a seller is paid to the bank account of its organisation")
	}
	if in.Amount != nil && in.Amount.Currency() != money.MAD {
		return View{}, ErrTooMuch.At("/amount/currency", "payouts are in MAD")
	}
	if err := lockParty(ctx, tx, b); err != nil {
		return View{}, err
	}
	have, err := s.due(ctx, tx, b, money.MAD)
	if err != nil {
		return View{}, err
	}
	want := have
	if in.Amount != nil {
		want = in.Amount.Centimes()
	}
	switch {
	case in.Amount != nil && want <= 0:
		return View{}, ErrTooMuch.At("/amount", "above zero")
	case have <= 0 && want <= 0:
		return View{}, ErrNothing
	case want > have:
		return View{}, tooMuch(have)
	}
	a, err := s.account(ctx, tx, b, in.Account)
	if err != nil {
		return View{}, err
	}
	covers, want, err := s.take(ctx, tx, b, want, in.Amount == nil)
	if err != nil {
		return View{}, err
	}
	p, err := s.draft(ctx, tx, b, want, covers, a, in.Account != nil)
	return p.view(covers), err
}

// tooMuch refuses an amount that is more than there is.
func tooMuch(have int64) error {
	most := money.Dirhams(max(0, have))
	return ErrTooMuch.At("/amount", "at most "+most.Amount()).Say("You can be paid at most %s at the moment.", most)
}

// beneficiary is whom the principal may have paid: a seller itself, the
// operator carriers and insurers.
func beneficiary(ctx context.Context, named string) (Beneficiary, error) {
	who := auth.From(ctx)
	switch {
	case who.Role == auth.Seller && named == "":
		return Beneficiary{Seller, who.Subject}, nil
	case who.Role != auth.Operator:
		return Beneficiary{}, ErrSeller
	}
	b, ok := parse(named)
	if !ok || b.Payee == Seller {
		return b, ErrBeneficiary.At("/beneficiary", "carrier:{name} or insurer:{name}")
	}
	return b, nil
}

// parse reads carrier:demo.
func parse(named string) (Beneficiary, bool) {
	kind, name, ok := strings.Cut(named, ":")
	b := Beneficiary{Payee(kind), name}
	return b, ok && name != "" && !strings.Contains(name, ":") && (b.Payee == Seller || b.Payee == Carrier || b.Payee == Insurer)
}

// due is what could be paid to a beneficiary, in centimes. A seller may ask for
// money that is not settled yet, and waits; a carrier or insurer is paid settled
// money.
func (s *Service) due(ctx context.Context, tx *pg.Tx, b Beneficiary, currency string) (int64, error) {
	have, err := s.there(ctx, tx, b, currency)
	if err == nil && b.Payee == Insurer && s.Premiums != nil {
		air, err := s.Premiums.InAir(ctx, tx, b.Name, currency)
		return have - air, err
	}
	if err != nil || b.Payee != Carrier {
		return have, err
	}
	open, err := s.Escrows.Unsettled(ctx, tx, b.Name, currency)
	return have - open, err
}

// there is what a beneficiary's account has, less what is kept back for a
// chargeback. That of a carrier or insurer has no floor: it is locked, so that
// nothing is let go for it or taken back between what is read here and what is
// paid by it.
func (s *Service) there(ctx context.Context, tx *pg.Tx, b Beneficiary, currency string) (int64, error) {
	if b.Payee != Seller {
		all, err := s.Books.Fixed(ctx, tx, currency, b.Source())
		return all[b.Source()], err
	}
	have, err := s.Books.Balance(ctx, tx, b.Source(), currency)
	if err != nil {
		return have, err
	}
	held, err := s.Books.Held(ctx, tx, b.Source(), currency)
	return have - held, err
}

// account is where a beneficiary is paid: a seller to its own account, a carrier
// or insurer to the account given, to its account as a member, or where it was
// paid last.
func (s *Service) account(ctx context.Context, db pg.DB, b Beneficiary, given *AccountInput) (Account, error) {
	if given != nil {
		rib := strings.Join(strings.Fields(given.RIB), "")
		if err := bank.CheckRIB(rib); err != nil {
			return Account{}, bank.ErrRIB.At("/account/rib", bank.ErrRIB.Text)
		}
		return Account{RIB: rib, Holder: given.Holder, Verified: true}, nil
	}
	var a Account
	var err error
	if b.Payee != Carrier {
		a, err = s.member(ctx, db, b.Name)
	}
	if err == nil && a.RIB == "" {
		a, err = lastPaid(ctx, db, b)
	}
	return a, err
}

// member is where a member is paid; empty when it has no account.
func (s *Service) member(ctx context.Context, db pg.DB, name string) (Account, error) {
	all, err := s.Accounts.PayoutAccounts(ctx, db, name)
	return all[name], err
}

// draft makes a payout of what was taken of what is due to b.
func (s *Service) draft(ctx context.Context, tx *pg.Tx, b Beneficiary, want int64, covers []escrow.Cover, a Account, two bool) (Payout, error) {
	h, ok, err := s.Files.House(ctx, tx, "")
	if err != nil {
		return Payout{}, err
	}
	if !ok {
		return Payout{}, ErrNoAccount.Say("There is no bank to pay from.")
	}
	limits, err := limitsAt(ctx, tx, tx.Now())
	if err != nil {
		return Payout{}, err
	}
	p := newPayout(b, want, a, h.Bank.ID(), auth.From(ctx).Person(), tx.Now())
	p.NeedsTwo = two || want > limits.TwoAbove
	insert(tx, p, covers)
	if err = s.Books.Post(ctx, tx, p.intent()); err != nil {
		return p, err
	}
	return s.advance(ctx, tx, p, a, covers)
}

// newPayout is a draft of what is due to b.
func newPayout(b Beneficiary, want int64, a Account, bank, by string, at time.Time) Payout {
	p := Payout{
		ID: id.New(id.Payout), Payee: b.Payee, Seller: b.Name, Bank: bank, Currency: money.MAD, Amount: want, RIB: a.RIB, Holder: a.Holder,
		State: Draft, CreatedBy: by, CreatedAt: at, ChangedAt: at,
	}
	p.Ref = RefOf(p.ID)
	return p
}

// intent takes a payout's money out of the account that it is due from.
func (p Payout) intent() ledger.Transfer {
	return ledger.Transfer{
		Key: "payout:" + p.ID, Kind: "payout.intent", Currency: p.Currency,
		Legs: []ledger.Leg{ledger.Debit(p.To().Source(), p.Amount), ledger.Credit(ledger.Payout(p.ID), p.Amount)},
	}
}

// take covers what a seller's payout pays, and locks the account that it leaves:
// the releases first, as refunds do. A chargeback may have kept back some of it
// since it was looked at. Who asked for all there is then gets the rest; an
// amount that was named is refused.
func (s *Service) take(ctx context.Context, tx *pg.Tx, b Beneficiary, want int64, orLess bool) ([]escrow.Cover, int64, error) {
	if b.Payee != Seller {
		return nil, want, nil
	}
	covers, err := s.cover(ctx, tx, b, want)
	if err != nil {
		return nil, 0, err
	}
	all, err := s.Books.Free(ctx, tx, money.MAD, b.Source())
	free := all[b.Source()]
	switch {
	case err != nil || free >= want:
		return covers, want, err
	case !orLess:
		return nil, 0, tooMuch(free)
	case free <= 0:
		return nil, 0, ErrNothing
	}
	s.Escrows.Uncover(tx, covers)
	covers, err = s.cover(ctx, tx, b, free)
	return covers, free, err
}

// cover takes the releases that a payout pays.
func (s *Service) cover(ctx context.Context, tx *pg.Tx, b Beneficiary, want int64) ([]escrow.Cover, error) {
	covers, err := s.Escrows.Cover(ctx, tx, b.Name, money.MAD, want)
	if err != nil {
		return nil, err
	}
	if sum := total(covers); sum != want {
		return nil, ErrNothing.Say("Only %s of this is free at the moment: another payout is taking the rest.", money.Dirhams(sum))
	}
	return covers, nil
}

func total(covers []escrow.Cover) (sum int64) {
	for _, c := range covers {
		sum += c.Amount
	}
	return sum
}

func ids(covers []escrow.Cover) []string {
	out := make([]string, len(covers))
	for i, c := range covers {
		out[i] = c.Release
	}
	return out
}
