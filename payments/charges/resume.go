package charges

import (
	"context"
	"fmt"

	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// instead names the chargeback for which a refund that came back is not paid
// again, or "": one that is open, or one that was lost and had cost us what the
// buyer had twice.
func (s *Service) instead(ctx context.Context, tx *pg.Tx, c Charge, r Refund) (string, error) {
	open, err := openChargebacks(ctx, tx, c.ID)
	if err != nil {
		return "", err
	}
	if len(open) > 0 {
		return open[0].ID, nil
	}
	if r.Order == "" {
		lost, err := lostChargebacks(ctx, tx, c.ID)
		if err != nil || len(lost) == 0 {
			return "", err
		}
		return lost[0].ID, nil
	}
	return s.escrows.CostUs(ctx, tx, c.ID)
}

// displace ends a refund that came back for a chargeback that stands against it.
// What a lost one does not take of it goes on to the buyer.
func (s *Service) displace(ctx context.Context, tx *pg.Tx, c Charge, r Refund, by string) error {
	r, err := s.cancel(ctx, tx, r, by)
	if err != nil {
		return err
	}
	saveRefund(tx, r)
	r.Version++
	if r.Order == "" {
		if err := s.regainLoose(ctx, tx, c, r); err != nil {
			return err
		}
		return s.decideOpen(ctx, tx, c)
	}
	h, err := s.escrows.PutBack(ctx, tx, r.ID)
	if err != nil {
		return err
	}
	if len(h.Cases) == 0 {
		if err := s.again(ctx, tx, r, 0); err != nil {
			return err
		}
	}
	return s.decideOpen(ctx, tx, c)
}

// regainLoose makes good, of loose money that came back, what lost chargebacks
// had cost us, and sends the rest to the buyer.
func (s *Service) regainLoose(ctx context.Context, tx *pg.Tx, c Charge, r Refund) error {
	open, err := openChargebacks(ctx, tx, c.ID)
	if err != nil || len(open) > 0 {
		return err // its verdict shares it out
	}
	rest, err := s.makeGood(ctx, tx, c, r.Amount, r.ID)
	if err != nil || rest == 0 {
		return err
	}
	if c, err = lock(ctx, tx, c.ID); err != nil {
		return err
	}
	_, err = s.loose(ctx, tx, c, money.FromCentimes(rest, c.Currency), r.Reason)
	return err
}

// makeGood gives loose money of a charge to the chargebacks that had cost us
// more than there was, and says how much it leaves. by names what freed it.
func (s *Service) makeGood(ctx context.Context, tx *pg.Tx, c Charge, rest int64, by string) (int64, error) {
	lost, err := lostChargebacks(ctx, tx, c.ID)
	if err != nil {
		return rest, err
	}
	for _, b := range lost {
		n := min(rest, b.Amount-b.Taken)
		if n == 0 {
			break
		}
		rest -= n
		b.Taken += n
		saveChargeback(tx, b)
		if err := s.books.Post(ctx, tx, ledger.Transfer{
			Key: "chargeback.regained:" + b.ID + ":" + by, Kind: "chargeback.regained", Currency: c.Currency,
			Legs: []ledger.Leg{ledger.Debit(ledger.Suspense(c.ID), n), ledger.Credit(ledger.Loss, n)},
		}); err != nil {
			return rest, err
		}
	}
	return rest, nil
}

// resume makes refunds anew that a chargeback had displaced which is over: who
// decided them has not changed their mind. What lost ones have taken meanwhile,
// the buyer has had. While another chargeback of the charge is open they wait for its
// end; where another case is open, whoever decides that decides on all that is
// held.
func (s *Service) resume(ctx context.Context, tx *pg.Tx, charge string) error {
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	open, err := openChargebacks(ctx, tx, charge)
	if err != nil || len(open) > 0 {
		return err
	}
	all, err := displaced(ctx, tx, charge)
	if err != nil || len(all) == 0 {
		return err
	}
	lost, err := s.losses(ctx, tx, charge)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Order == "" {
			continue // what is loose goes back as a whole
		}
		if err := s.again(ctx, tx, r, had(r, lost)); err != nil {
			return err
		}
	}
	return nil
}

// A loss is what a lost chargeback took of each order, as far as no refund has
// been made smaller for it.
type loss struct {
	Chargeback
	taken map[string]int64
}

func (s *Service) losses(ctx context.Context, tx *pg.Tx, charge string) ([]loss, error) {
	all, err := lostOf(ctx, tx, charge)
	if err != nil {
		return nil, err
	}
	out := make([]loss, len(all))
	for i, b := range all {
		out[i].Chargeback = b
		if out[i].taken, err = s.escrows.TakenBy(ctx, tx, b.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// had is what the buyer has had of a displaced refund by chargebacks that were
// lost: by the one that displaced it, and by all that have ended since, whichever
// came first. It is taken out of them: the next refund has had the rest.
func had(r Refund, lost []loss) (sum int64) {
	for _, l := range lost {
		if l.ID != r.Displaced && l.EndedAt.Before(r.ChangedAt) {
			continue
		}
		n := min(r.Amount-sum, l.taken[r.Order])
		l.taken[r.Order] -= n
		sum += n
	}
	return sum
}

// again makes a displaced refund anew, less what the buyer has had of it, as far
// as the order still has its money.
func (s *Service) again(ctx context.Context, tx *pg.Tx, r Refund, less int64) error {
	next := id.New(id.Refund)
	h, amount, err := s.escrows.Again(ctx, tx, escrow.Anew{Refund: r.ID, As: next, Less: less})
	if err != nil {
		return fmt.Errorf("make refund %s anew: %w", r.ID, err)
	}
	r.Resumed = next
	if amount == 0 { // nothing is left of it, or another case decides
		r.Resumed = "nothing"
		if len(h.Cases) > 0 {
			r.Resumed = h.Cases[0]
		}
	}
	saveRefund(tx, r)
	if amount == 0 {
		return nil
	}
	_, err = s.Refund(ctx, tx, RefundOrder{
		ID: next, Order: r.Order, Charge: r.Charge, Amount: money.FromCentimes(amount, r.Currency), Reason: r.Reason, By: r.AskedBy,
	})
	return err
}
