package dues

import (
	"context"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Books is what dues ask of the ledger.
type Books interface {
	Post(ctx context.Context, tx *pg.Tx, t ledger.Transfer) error
	Free(ctx context.Context, tx *pg.Tx, currency string, codes ...string) (map[string]int64, error)
}

// Escrows know what of a member's balance has reached the safeguard account.
type Escrows interface {
	Coverings(ctx context.Context, tx *pg.Tx, currency string, sellers ...string) (map[string]escrow.Covering, error)
	CoverAll(tx *pg.Tx, covers []escrow.Cover)
	Grant(tx *pg.Tx, g escrow.Grant)
}

// Service moves the money of fees.
type Service struct {
	books   Books
	escrows Escrows
}

// New makes the service.
func New(books Books, escrows Escrows) *Service { return &Service{books, escrows} }

// Take takes the fee of a case out of a member's balance, a step of whoever pays
// for it. Only money that has reached the safeguard account pays: ErrShort says how
// much there is. A case that is paid for already is ErrPaid.
func (s *Service) Take(ctx context.Context, tx *pg.Tx, subject, member, payee string, amount money.Money) (Fee, error) {
	f := Fee{ID: id.New(id.Fee), Subject: subject, Member: member, Payee: payee, Currency: amount.Currency(), Amount: amount.Centimes(), State: Taken, TakenAt: tx.Now()}
	if f.Amount <= 0 || member == payee {
		return f, ErrSum
	}
	oneByOne(tx, member)
	all, err := s.escrows.Coverings(ctx, tx, f.Currency, member)
	if err != nil {
		return f, err
	}
	free, err := s.books.Free(ctx, tx, f.Currency, ledger.Available(member))
	if err != nil {
		return f, err
	}
	have, settled := free[ledger.Available(member)], all[member].Payable
	say := func(c int64) money.Money { return money.FromCentimes(max(0, c), f.Currency) }
	switch {
	case have < f.Amount:
		return f, ErrShort.Say("The fee is %s and your balance is %s.", amount, say(have))
	case settled < f.Amount:
		return f, ErrShort.Say("The fee is %s; of your balance of %s only %s has reached the bank yet.", amount, say(have), say(settled))
	}
	covers, _ := all[member].Of(f.Amount)
	var sum int64
	for _, c := range covers {
		sum += c.Amount
	}
	if sum != f.Amount {
		return f, ErrBusy
	}
	insert(tx, f, covers)
	s.escrows.CoverAll(tx, covers)
	return f, s.books.Post(ctx, tx, f.taking())
}

// Keep says that the institution looks at the case: its fee may be paid out. It is
// harmless for a case without a fee, and again.
func (s *Service) Keep(ctx context.Context, tx *pg.Tx, subject string) error {
	f, found, err := lockTaken(ctx, tx, subject)
	if err != nil || !found {
		return err
	}
	if f, err = f.End(Kept, tx.Now()); err != nil {
		return err
	}
	save(tx, f)
	s.escrows.Grant(tx, escrow.Grant{Seller: f.Payee, Of: f.Subject, Currency: f.Currency, Amount: f.Amount})
	return nil
}

// Undo gives a case's fee back whole that was not kept, and says whether there was
// one.
func (s *Service) Undo(ctx context.Context, tx *pg.Tx, subject string) (bool, error) {
	f, found, err := lockTaken(ctx, tx, subject)
	if err != nil || !found {
		return false, err
	}
	if f, err = f.End(Undone, tx.Now()); err != nil {
		return false, err
	}
	save(tx, f)
	s.escrows.Grant(tx, escrow.Grant{Seller: f.Member, Of: f.Subject, Currency: f.Currency, Amount: f.Amount})
	return true, s.books.Post(ctx, tx, f.undoing())
}

// Of is the last fee of a case, if one was ever taken.
func (s *Service) Of(ctx context.Context, db pg.DB, subject string) (f Fee, found bool, err error) {
	return last(ctx, db, subject)
}
