package premiums

import (
	"context"
	"errors"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Books is what premiums ask of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
	Free(ctx context.Context, tx *pg.Tx, currency string, codes ...string) (map[string]int64, error)
	Fixed(ctx context.Context, tx *pg.Tx, currency string, codes ...string) (map[string]int64, error)
}

// Escrows know what of a member's balance has reached the safeguard account.
type Escrows interface {
	Coverings(ctx context.Context, tx *pg.Tx, currency string, sellers ...string) (map[string]escrow.Covering, error)
	CoverAll(tx *pg.Tx, covers []escrow.Cover)
	Grant(tx *pg.Tx, g escrow.Grant)
}

// Needs are what premiums stand on.
type Needs struct {
	Books   Books
	Escrows Escrows
	Bank    string // whose operating account pays for commissions that go back
}

// Service moves the money of insurance.
type Service struct {
	db *pg.Store
	Needs
	next Next // who else credits may belong to; nil before Before
}

// New makes the service.
func New(db *pg.Store, n Needs) *Service { return &Service{db: db, Needs: n} }

// timerSetOff fires when a debt that waits for money payable to its insurer is
// looked at again.
const timerSetOff = "premiums.set_off"

// lookAgain is how long such a debt waits between two looks.
const lookAgain = time.Hour

// Work has timers fire. It is called at start.
func (s *Service) Work(t *job.Timers) {
	t.Handle(timerSetOff, func(ctx context.Context, tx *pg.Tx, due string) error {
		d, err := lockDue(ctx, tx, due)
		if errors.Is(err, ErrNotFound) || err == nil && (d.State != Open || !d.SetOff) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.setOff(ctx, tx, d)
	})
}

// Taking is a premium that is to be taken.
type Taking struct {
	Policy, Period, Member, Insurer string
	Amount, Commission              money.Money // the commission is within the amount, its VAT within it
}

// Take takes a premium out of its member's balance, a step of whoever makes the
// policy. Only money that has reached the safeguard account pays: ErrShort says
// how much there is. A period that is paid for already is ErrPaid.
func (s *Service) Take(ctx context.Context, tx *pg.Tx, in Taking) (Premium, error) {
	p := Premium{
		ID: id.New(id.Premium), Policy: in.Policy, Period: in.Period, Member: in.Member, Insurer: in.Insurer, Currency: in.Amount.Currency(),
		Amount: in.Amount.Centimes(), Commission: in.Commission.Centimes(), State: Taken, TakenAt: tx.Now(),
	}
	p.VAT = VATOf(p.Commission)
	if p.Amount <= 0 || p.Commission < 0 || p.Commission >= p.Amount || in.Commission.Currency() != p.Currency {
		return p, ErrSum
	}
	oneByOne(tx, p.Member)
	all, err := s.Escrows.Coverings(ctx, tx, p.Currency, p.Member)
	if err != nil {
		return p, err
	}
	free, err := s.Books.Free(ctx, tx, p.Currency, ledger.Available(p.Member))
	if err != nil {
		return p, err
	}
	have, settled := free[ledger.Available(p.Member)], all[p.Member].Payable
	say := func(c int64) money.Money { return money.FromCentimes(max(0, c), p.Currency) }
	switch {
	case have < p.Amount:
		return p, ErrShort.Say("The premium is %s and your balance is %s.", p.Money(), say(have))
	case settled < p.Amount:
		return p, ErrShort.Say("The premium is %s; of your balance of %s only %s has reached the bank yet.", p.Money(), say(have), say(settled))
	}
	covers, _ := all[p.Member].Of(p.Amount)
	var sum int64
	for _, c := range covers {
		sum += c.Amount
	}
	if sum != p.Amount {
		return p, ErrBusy
	}
	insert(tx, p, covers)
	s.Escrows.CoverAll(tx, covers)
	return p, s.Books.Post(ctx, tx, p.taking())
}

// Bind says that a premium's policy is there: the insurer may be paid.
func (s *Service) Bind(ctx context.Context, tx *pg.Tx, premium string) error {
	p, err := lock(ctx, tx, premium)
	if err != nil {
		return err
	}
	if p.State != Taken {
		return ErrState.Say("The premium is %s.", p.State)
	}
	p.State = Bound
	save(tx, p)
	return nil
}

// Undo gives a premium back whole, whose policy was refused.
func (s *Service) Undo(ctx context.Context, tx *pg.Tx, premium string) error {
	p, err := lock(ctx, tx, premium)
	if err != nil {
		return err
	}
	if p.State != Taken {
		return ErrState.Say("The premium is %s; only one whose policy is being asked for goes back whole.", p.State)
	}
	p.State = Undone
	save(tx, p)
	s.Escrows.Grant(tx, escrow.Grant{Seller: p.Member, Of: p.Policy, Currency: p.Currency, Amount: p.Amount})
	return s.Books.Post(ctx, tx, p.undoing(s.Bank))
}

// GiveBack has an insurer owe a member part of a policy's premium, which was
// cancelled. It is set off against what is payable to the insurer, at once or when
// there is enough, or comes by a transfer of that name.
func (s *Service) GiveBack(ctx context.Context, tx *pg.Tx, policy, premium string, amount money.Money, transfer string) error {
	p, err := lock(ctx, tx, premium)
	if err != nil {
		return err
	}
	if p.Policy != policy || amount.Currency() != p.Currency {
		return ErrSum
	}
	d := Due{
		ID: id.New(id.Due), Kind: Refund, Subject: policy, Policy: policy, Premium: p.ID, Member: p.Member, Insurer: p.Insurer, Currency: p.Currency,
		Amount: amount.Centimes(), Transfer: transfer, SetOff: true, State: Open, DueAt: tx.Now(),
	}
	if d.Commission, d.VAT, err = p.refundOf(d.Amount); err != nil {
		return err
	}
	p.Returned += d.Amount
	save(tx, p)
	return s.owe(ctx, tx, d)
}

// Indemnity is what an insurer accepted to pay of a claim.
type Indemnity struct {
	Claim, Policy, Member, Insurer string
	Amount                         money.Money
	Transfer                       string // how the insurer names its transfer; "" when it has not yet
	SetOff                         bool   // it says that it is taken out of what is payable to it
}

// Indemnify has an insurer owe a member what it accepted of a claim. It is paid
// when the bank shows the transfer, or, where the insurer says so, out of what is
// payable to it. Said again, only how it comes may have changed: another amount is
// ErrSum.
func (s *Service) Indemnify(ctx context.Context, tx *pg.Tx, in Indemnity) error {
	before, err := lockDueOf(ctx, tx, Claim, in.Claim)
	switch {
	case errors.Is(err, ErrNotFound):
		return s.owe(ctx, tx, Due{
			ID: id.New(id.Due), Kind: Claim, Subject: in.Claim, Policy: in.Policy, Member: in.Member, Insurer: in.Insurer, Currency: in.Amount.Currency(),
			Amount: in.Amount.Centimes(), Transfer: in.Transfer, SetOff: in.SetOff && in.Transfer == "", State: Open, DueAt: tx.Now(),
		})
	case err != nil:
		return err
	case !before.Money().Equal(in.Amount):
		return ErrSum.Say("The indemnity was %s, and is %s now.", before.Money(), in.Amount)
	case before.State == Paid:
		return nil
	}
	d := before
	if in.Transfer != "" {
		d.Transfer, d.SetOff = in.Transfer, false
	} else if in.SetOff {
		d.SetOff = d.Transfer == ""
	}
	if d == before {
		return nil
	}
	saveDue(tx, d)
	d.Version++
	return s.look(ctx, tx, d)
}

func (s *Service) owe(ctx context.Context, tx *pg.Tx, d Due) error {
	if d.Amount <= 0 || d.Transfer != "" && !IsTransfer(d.Transfer) {
		return ErrSum
	}
	insertDue(tx, d)
	return s.look(ctx, tx, d)
}

// look pays a debt whose money is there already: it came before its name was
// known, or is payable to the insurer.
func (s *Service) look(ctx context.Context, tx *pg.Tx, d Due) error {
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	paid, err := s.cameBefore(ctx, tx, d)
	if err != nil || paid || !d.SetOff {
		return err
	}
	return s.setOff(ctx, tx, d)
}

// setOff pays a debt out of what is payable to its insurer, if there is enough
// beside what is not the insurer's yet and what older debts wait for; else it is
// looked at again.
func (s *Service) setOff(ctx context.Context, tx *pg.Tx, d Due) error {
	code := ledger.InsurerPayable(d.Insurer)
	if _, err := s.Books.Free(ctx, tx, d.Currency, ledger.Available(d.Member)); err != nil { // before what is busy
		return err
	}
	all, err := s.Books.Fixed(ctx, tx, d.Currency, code)
	if err != nil {
		return err
	}
	air, err := inAir(ctx, tx, d.Insurer, d.Currency, d.ID)
	if err != nil {
		return err
	}
	if all[code]-air < d.net() {
		job.Set(tx, timerSetOff, d.ID, tx.Now().Add(lookAgain))
		return nil
	}
	return s.pay(ctx, tx, d, []ledger.Leg{ledger.Debit(code, d.net())}, "set_off", "")
}

// pay puts a debt's money into its member's balance.
func (s *Service) pay(ctx context.Context, tx *pg.Tx, d Due, from []ledger.Leg, way, line string) error {
	at := tx.Now()
	d.State, d.Way, d.Line, d.PaidAt = Paid, way, line, &at
	saveDue(tx, d)
	job.Clear(tx, timerSetOff, d.ID)
	s.Escrows.Grant(tx, escrow.Grant{Seller: d.Member, Of: d.Subject, Currency: d.Currency, Amount: d.Amount})
	if err := s.Books.Post(ctx, tx, d.paying(from, s.Bank)); err != nil {
		return err
	}
	return tx.Publish(ctx, Settled{d.ID, d.Kind, d.Subject, d.Policy, d.Member, d.Insurer, d.Money(), way})
}

// Named is the claim, or the cancelled policy, whose money comes by a transfer of
// this name, or "".
func (s *Service) Named(ctx context.Context, db pg.DB, transfer string) (string, error) {
	all, err := namedOf(ctx, db, transfer)
	if err != nil || len(all) == 0 {
		return "", err
	}
	return all[0], nil
}

// InAir is what of the money payable to an insurer is not its own yet, in
// centimes: premiums of policies that are being asked for, and what will be set
// off. It is not paid out.
func (s *Service) InAir(ctx context.Context, db pg.DB, insurer, currency string) (int64, error) {
	return inAir(ctx, db, insurer, currency, "")
}

// OfPolicy are the premiums of a policy, the oldest first.
func (s *Service) OfPolicy(ctx context.Context, db pg.DB, policy string) ([]Premium, error) {
	return ofPolicy(ctx, db, policy)
}

// Between are an insurer's premiums that were taken, and its debts that fell due,
// within a time.
func (s *Service) Between(ctx context.Context, db pg.DB, insurer string, from, until time.Time) ([]Premium, []Due, error) {
	all, err := taken(ctx, db, insurer, from, until)
	if err != nil {
		return nil, nil, err
	}
	owed, err := owedIn(ctx, db, insurer, from, until)
	return all, owed, err
}
