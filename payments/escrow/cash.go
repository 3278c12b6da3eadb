package escrow

import (
	"context"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// Collected is cash that a carrier took for an order.
type Collected struct {
	Order, Carrier string
	Cash, Fee      int64 // centimes: what the buyer gave, and the carrier's fee in it
}

// Collect funds an order's escrow with cash that its carrier owes us until it
// remits it. The carrier's fee is the delivery leg, and counts as released.
func (s *Service) Collect(ctx context.Context, tx *pg.Tx, c Collected) (Hold, error) {
	h, err := lockOrder(ctx, tx, c.Order)
	if err != nil {
		return h, err
	}
	if h, err = h.Collect(c.Cash, c.Fee, tx.Now()); err != nil {
		return h, err
	}
	if err := s.post(ctx, tx, MoveCollect, ledger.Transfer{
		Key: "collected:" + h.Order, Order: h.Order, Currency: h.Currency,
		Legs: []ledger.Leg{
			ledger.Debit(ledger.COD(c.Carrier), c.Cash),
			ledger.Credit(ledger.Escrow(h.Order), c.Cash-c.Fee),
			ledger.Credit(ledger.CarrierPayable(c.Carrier), c.Fee),
		},
	}); err != nil {
		return h, err
	}
	if h, err = s.funded(ctx, tx, h); err != nil || h.State == Funded {
		return h, err
	}
	return s.keep(ctx, tx, h)
}

// Remitted says that an order's cash has reached the safeguard account: from
// here on it can be released, and is at once if its wait is over.
func (s *Service) Remitted(ctx context.Context, tx *pg.Tx, order string) (Hold, error) {
	h, err := lockOrder(ctx, tx, order)
	if err != nil || h.Settled {
		return h, err
	}
	if err := h.may(MoveRemit); err != nil {
		return h, err
	}
	h.Settled = true
	settleOrder(tx, order)
	if h.State == Funded && h.ReleaseDue != nil && !h.frozen() {
		job.Set(tx, timerRelease, order, maxTime(*h.ReleaseDue, tx.Now()))
	}
	return save(tx, h), nil
}

// Refuse voids the escrow of a cash order that its buyer did not take. The
// carrier's fee, if there is one, is the seller's to pay.
func (s *Service) Refuse(ctx context.Context, tx *pg.Tx, order string, carrierFee int64) (Hold, error) {
	h, err := lockOrder(ctx, tx, order)
	if err != nil {
		return h, err
	}
	if h, err = h.Void(MoveRefuse); err != nil {
		return h, err
	}
	if carrierFee > 0 {
		legs, err := s.topUp(carrierFee)
		if err != nil {
			return h, err
		}
		if err := s.post(ctx, tx, MoveRefuse, ledger.Transfer{
			Key: "refused:" + h.Order, Order: h.Order, Currency: h.Currency,
			Legs: append(legs, ledger.Debit(ledger.Receivable(h.Seller), carrierFee), ledger.Credit(ledger.CarrierPayable(h.Carrier), carrierFee)),
		}); err != nil {
			return h, err
		}
	}
	return s.keep(ctx, tx, h)
}
