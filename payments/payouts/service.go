package payouts

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"tiwiza/pkg/authz"

	"tiwiza/adapters/bank"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/audit"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/event"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Books is what payouts ask of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
	Balance(ctx context.Context, db pg.DB, code, currency string) (int64, error)
}

// Escrows is what payouts ask of escrow.
type Escrows interface {
	Cover(ctx context.Context, tx *pg.Tx, seller, currency string, amount int64) ([]escrow.Cover, error)
	Uncover(tx *pg.Tx, covers []escrow.Cover)
	AllSettled(ctx context.Context, db pg.DB, releases []string) (bool, error)
	Pending(ctx context.Context, db pg.DB, seller, currency string) (int64, error)
	ReleasesOf(ctx context.Context, db pg.DB, charge string) ([]string, error)
}

// Accounts says where members are paid.
type Accounts interface {
	PayoutAccount(ctx context.Context, db pg.DB, member string) (Account, error)
}

// Judge says who may do what, and by which policy.
type Judge interface {
	May(p auth.Principal, action string, r authz.Resource) (policy string, err error)
}

// From is the account payouts are paid from.
type From struct {
	Bank    *bank.Bank
	Account bank.Account
}

// Service is what others may ask of payouts.
type Service struct {
	db       *pg.Store
	books    Books
	escrows  Escrows
	accounts Accounts
	ops      *operations.Engine
	judge    Judge
	from     From
	failures atomic.Int32 // files in a row that did not leave
}

const kindPayout = "payout"

// New makes the service and registers its operations with the engine.
func New(db *pg.Store, books Books, escrows Escrows, accounts Accounts, ops *operations.Engine, judge Judge, from From) *Service {
	s := &Service{db: db, books: books, escrows: escrows, accounts: accounts, ops: ops, judge: judge, from: from}
	// A file is known by its name and bytes, and the bank refuses a second one
	// for a day: what is surely absent may go out again until then, at banks that
	// have proved it.
	ops.Handle(kindPayout, operations.Handler{Inquire: s.inquire, Moved: s.moved, Policy: operations.Policy{Resend: true, Window: 20 * time.Hour}})
	return s
}

// CreateInput asks for a payout; without an amount, of all there is.
type CreateInput struct {
	Amount *money.Money `json:"amount,omitempty" description:"All that can be paid out when left out."`
}

// Create takes a payout out of the seller's money and sends it on its way, or
// keeps it as a draft that says what it waits for. A seller calls it for
// itself.
func (s *Service) Create(ctx context.Context, tx *pg.Tx, in CreateInput) (View, error) {
	who := auth.From(ctx)
	if who.Role != auth.Seller {
		return View{}, ErrSeller
	}
	currency := money.MAD
	if err := lockSeller(ctx, tx, who.Subject); err != nil {
		return View{}, err
	}
	have, err := s.books.Balance(ctx, tx, ledger.Available(who.Subject), currency)
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
	case have == 0 && want <= 0:
		return View{}, ErrNothing
	case want > have:
		return View{}, ErrTooMuch.At("/amount", "at most "+money.Dirhams(have).Amount()).Say("You can be paid at most %s at the moment.", money.Dirhams(have))
	}
	a, err := s.accounts.PayoutAccount(ctx, tx, who.Subject)
	if err != nil {
		return View{}, err
	}
	if a.RIB == "" {
		return View{}, ErrNoAccount
	}
	covers, err := s.escrows.Cover(ctx, tx, who.Subject, currency, want)
	if err != nil {
		return View{}, err
	}
	p := Payout{
		ID: id.New(id.Payout), Seller: who.Subject, Bank: s.from.Bank.ID(), Currency: currency, RIB: a.RIB, Holder: a.Holder,
		State: Draft, CreatedBy: person(who), CreatedAt: tx.Now(), ChangedAt: tx.Now(),
	}
	p.Ref = RefOf(p.ID)
	for _, c := range covers {
		p.Amount += c.Amount
	}
	if p.Amount != want {
		return View{}, ErrNothing.Say("Only %s of this is free at the moment: another payout is taking the rest.", money.Dirhams(p.Amount))
	}
	p.NeedsTwo = p.Amount > TwoAbove
	insert(tx, p, covers)
	err = s.books.Post(ctx, tx, ledger.Transfer{
		Key: "payout:" + p.ID, Kind: "payout.intent", Currency: currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Available(p.Seller), p.Amount), ledger.Credit(ledger.Payout(p.ID), p.Amount)},
	})
	if err != nil {
		return View{}, err
	}
	p, err = s.advance(ctx, tx, p, a)
	return p.view(covers), err
}

// person is who decides: one organisation's or operator's keys are one person
// each for four eyes.
func person(p auth.Principal) string { return string(p.Role) + " " + p.Subject }

// advance approves a draft that is ready, and writes down what the others wait
// for.
func (s *Service) advance(ctx context.Context, tx *pg.Tx, p Payout, a Account) (Payout, error) {
	releases, err := covered(ctx, tx, p.ID)
	if err != nil {
		return p, err
	}
	settled, err := s.escrows.AllSettled(ctx, tx, ids(releases))
	if err != nil {
		return p, err
	}
	p = p.Rebind(a)
	a.Refused, err = cameBack(ctx, tx, p.Seller, p.RIB)
	if err != nil {
		return p, err
	}
	ready, waits, until := p.Ready(a, settled, tx.Now())
	if !ready {
		p.Why = waits
		save(tx, p)
		p.Version++
		if until.IsZero() { // nobody says when: look again in a while
			until = tx.Now().Add(time.Hour)
		}
		job.Set(tx, timerReady, p.ID, until)
		return p, nil
	}
	job.Clear(tx, timerReady, p.ID)
	if p, err = p.To(Approved, "", tx.Now()); err != nil {
		return p, err
	}
	save(tx, p)
	p.Version++
	s.ops.Intend(tx, operations.Intention{Subject: p.ID, Kind: kindPayout, Connector: p.Bank, Ref: p.Ref, Amount: p.Money()})
	job.SetOnce(tx, timerDispatch, p.Bank, tx.Now().Add(gather))
	return p, tx.Publish(ctx, Moved{p.ID, p.Seller, p.State, p.Money()})
}

// retry looks again whether a draft is ready.
func (s *Service) retry(ctx context.Context, tx *pg.Tx, payout string) error {
	p, err := lock(ctx, tx, payout)
	if err != nil || p.State != Draft {
		return err
	}
	a, err := s.accounts.PayoutAccount(ctx, tx, p.Seller)
	if err != nil {
		return err
	}
	_, err = s.advance(ctx, tx, p, a)
	return err
}

// Subscribe has drafts looked at again when money is settled.
func (s *Service) Subscribe(b *event.Bus) {
	event.Subscribe(b, "payouts", func(ctx context.Context, tx *pg.Tx, e charges.Settled) error {
		releases, err := s.escrows.ReleasesOf(ctx, tx, e.Charge)
		if err != nil {
			return err
		}
		waiting, err := draftsOver(ctx, tx, releases)
		if err != nil {
			return err
		}
		for _, p := range waiting {
			if err := s.retry(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// ApproveInput names a payout.
type ApproveInput struct {
	Payout string `path:"payout"`
}

// Approve is the second person's word on a payout above the limit. The
// operator calls it; the one who asked for the payout cannot.
func (s *Service) Approve(ctx context.Context, tx *pg.Tx, in ApproveInput) (View, error) {
	p, err := lock(ctx, tx, in.Payout)
	if err != nil {
		return View{}, err
	}
	who := person(auth.From(ctx))
	if who == p.CreatedBy {
		return View{}, ErrSelf
	}
	covers, err := covered(ctx, tx, p.ID)
	if err != nil {
		return View{}, err
	}
	if p.State != Draft || !p.NeedsTwo || p.ApprovedBy != "" {
		if p.ApprovedBy == who {
			return p.view(covers), nil
		}
		return View{}, ErrState.Say("This payout is %s and does not wait for approval.", p.State)
	}
	p.ApprovedBy = who
	save(tx, p)
	p.Version++
	audit.Record(tx, "payouts.approve", p.ID, "payouts.four-eyes", map[string]string{"amount": p.Money().String(), "rib": p.RIB[20:], "created_by": p.CreatedBy})
	a, err := s.accounts.PayoutAccount(ctx, tx, p.Seller)
	if err != nil {
		return View{}, err
	}
	p, err = s.advance(ctx, tx, p, a)
	return p.view(covers), err
}

// moved follows a payout's operation.
func (s *Service) moved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	next, ok := map[operations.State]State{
		operations.Sending: Approved, operations.Accepted: Sent, operations.Unknown: Unknown, operations.Review: Unknown,
		operations.Intent: Approved, operations.Confirmed: Paid, operations.Rejected: Rejected, operations.Returned: Returned,
	}[o.State]
	if !ok {
		return fmt.Errorf("a payout's operation is %s", o.State)
	}
	p, err := lock(ctx, tx, o.Subject)
	if err != nil || p.State == next {
		return err
	}
	if next == Unknown && (p.State == Rejected || p.State == Paid || p.State == Returned) {
		return nil // a contradiction is for people; what was booked stays booked
	}
	if p, err = p.To(next, o.Why, tx.Now()); err != nil {
		return err
	}
	save(tx, p)
	switch next {
	case Paid:
		err = s.books.Post(ctx, tx, s.paid(p))
	case Rejected, Returned:
		err = s.giveBack(ctx, tx, p)
	case Approved: // it never left, or is surely absent: the next file takes it
		job.SetOnce(tx, timerDispatch, p.Bank, tx.Now().Add(gather))
	}
	if err != nil {
		return err
	}
	return tx.Publish(ctx, Moved{p.ID, p.Seller, p.State, p.Money()})
}

func (s *Service) paid(p Payout) ledger.Transfer {
	return ledger.Transfer{
		Key: "paid:" + p.ID, Kind: "payout.paid", Currency: p.Currency,
		Legs: []ledger.Leg{ledger.Debit(ledger.Payout(p.ID), p.Amount), ledger.Credit(ledger.Safeguard(p.Bank), p.Amount)},
	}
}

// giveBack returns the money of a payout that was refused, or that the bank
// sent back, to the seller.
func (s *Service) giveBack(ctx context.Context, tx *pg.Tx, p Payout) error {
	covers, err := covered(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	s.escrows.Uncover(tx, covers)
	t := ledger.Transfer{Key: "rejected:" + p.ID, Kind: "payout.rejected", Currency: p.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Payout(p.ID), p.Amount), ledger.Credit(ledger.Available(p.Seller), p.Amount),
	}}
	if p.State == Returned {
		t.Key, t.Kind = "returned:"+p.ID, "payout.returned"
		t.Legs[0] = ledger.Debit(ledger.Safeguard(p.Bank), p.Amount)
	}
	return s.books.Post(ctx, tx, t)
}

func ids(covers []escrow.Cover) []string {
	out := make([]string, len(covers))
	for i, c := range covers {
		out[i] = c.Release
	}
	return out
}
