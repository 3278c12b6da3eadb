package payouts

import (
	"context"
	"fmt"

	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/job"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// follows is what a payout becomes when its operation is in a state.
var follows = map[operations.State]State{
	operations.Sending: Approved, operations.Accepted: Sent, operations.Unknown: Unknown, operations.Review: Unknown,
	operations.Intent: Approved, operations.Confirmed: Paid, operations.Rejected: Rejected, operations.Returned: Returned,
}

// moved follows a payout's operation.
func (s *Service) moved(ctx context.Context, tx *pg.Tx, o operations.Operation, _ operations.State) error {
	next, ok := follows[o.State]
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
	return s.end(ctx, tx, p, next, o.Why)
}

// end moves a payout on and books what follows.
func (s *Service) end(ctx context.Context, tx *pg.Tx, p Payout, next State, why string) (err error) {
	if p, err = p.Move(next, why, tx.Now()); err != nil {
		return err
	}
	save(tx, p)
	switch next {
	case Paid:
		err = s.Books.Post(ctx, tx, ledger.Transfer{
			Key: "paid:" + p.ID, Kind: "payout.paid", Currency: p.Currency,
			Legs: []ledger.Leg{ledger.Debit(ledger.Payout(p.ID), p.Amount), ledger.Credit(ledger.Safeguard(p.Bank), p.Amount)},
		})
	case Rejected, Returned:
		job.Clear(tx, timerReady, p.ID)
		if err = s.giveBack(ctx, tx, p); err == nil {
			err = s.Risk.Undo(ctx, tx, p.ID)
		}
	}
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, p)
}

// giveBack returns the money of a payout that was refused, or that the bank
// sent back, to the account it came from.
func (s *Service) giveBack(ctx context.Context, tx *pg.Tx, p Payout) error {
	covers, err := covered(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	s.Escrows.Uncover(tx, covers)
	t := ledger.Transfer{Key: "rejected:" + p.ID, Kind: "payout.rejected", Currency: p.Currency, Legs: []ledger.Leg{
		ledger.Debit(ledger.Payout(p.ID), p.Amount), ledger.Credit(p.To().Source(), p.Amount),
	}}
	if p.State != Returned {
		return s.Books.Post(ctx, tx, t)
	}
	// What the beneficiary owed since a contradiction is paid by it first.
	var owed int64
	if p.Owed > 0 && p.Payee == Seller {
		if owed, err = s.Books.Balance(ctx, tx, ledger.Receivable(p.Seller), p.Currency); err != nil {
			return err
		}
		owed = max(0, min(owed, p.Owed))
	}
	t.Key, t.Kind = "returned:"+p.ID, "payout.returned"
	t.Legs = []ledger.Leg{
		ledger.Debit(ledger.Safeguard(p.Bank), p.Amount), ledger.Credit(p.To().Source(), p.Amount-owed), ledger.Credit(ledger.Receivable(p.Seller), owed),
	}
	return s.Books.Post(ctx, tx, t)
}

// contradicted books a payout that the bank refused and, as a statement shows,
// paid all the same. Its money was given back: what of it is still there is
// taken, the rest is owed, and our own money makes the clients' whole. Anything
// else that is contradicted is for people; what was booked stays booked.
func (s *Service) contradicted(ctx context.Context, tx *pg.Tx, o operations.Operation, was operations.State) error {
	p, err := load(ctx, tx, o.Subject)
	if err != nil || was != operations.Rejected || p.State != Rejected {
		return err
	}
	if err := lockParty(ctx, tx, p.To()); err != nil {
		return err
	}
	if p, err = lock(ctx, tx, p.ID); err != nil {
		return err
	}
	left, err := s.there(ctx, tx, p.To(), p.Currency)
	if err != nil {
		return err
	}
	if p.Payee == Seller {
		dropCovers(tx, p.ID)
		covers, err := s.Escrows.Cover(ctx, tx, p.Seller, p.Currency, max(0, min(left, p.Amount)))
		if err != nil {
			return err
		}
		left = total(covers)
		insertCovers(tx, p.ID, covers)
	}
	if p, err = p.Contradict(left, tx.Now()); err != nil {
		return err
	}
	save(tx, p)
	a, n := p.Amount-p.Owed, p.Owed
	legs := []ledger.Leg{
		ledger.Debit(ledger.Available(p.Seller), a), ledger.Debit(ledger.Receivable(p.Seller), n), ledger.Debit(ledger.Transit(p.Bank), n),
		ledger.Credit(ledger.Safeguard(p.Bank), a+n), ledger.Credit(ledger.Operating(p.Bank), n),
	}
	if p.Payee != Seller { // its account goes below zero: it owes that
		legs = append(legs[2:], ledger.Debit(p.To().Source(), a+n))
	}
	err = s.Books.Post(ctx, tx, ledger.Transfer{Key: "contradicted:" + p.ID, Kind: "payout.contradicted", Currency: p.Currency, Legs: legs})
	if err != nil {
		return err
	}
	if err := tx.Publish(ctx, Contradicted{p.ID, p.member(), p.Money(), money.FromCentimes(n, p.Currency)}); err != nil {
		return err
	}
	return s.tell(ctx, tx, p)
}

func (s *Service) tell(ctx context.Context, tx *pg.Tx, p Payout) error {
	return tx.Publish(ctx, p.moved())
}

func (p Payout) moved() Moved {
	return Moved{p.ID, p.member(), p.To().String(), p.State, p.Money()}
}
