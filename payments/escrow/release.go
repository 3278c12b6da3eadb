package escrow

import (
	"context"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// ReleaseOrder lets everything go that is held for an order, to those it
// belongs to. Only the buyer's acceptance and the timer lead here; who may call
// has been decided by then. What is not funded is ErrState.
func (s *Service) ReleaseOrder(ctx context.Context, tx *pg.Tx, order string) (Hold, error) {
	h, err := lockOrder(ctx, tx, order)
	if err != nil {
		return h, err
	}
	return s.release(ctx, tx, h, h.Held())
}

// release books one release: the shares leave the escrow, and the seller's is
// written down for payouts to cover.
func (s *Service) release(ctx context.Context, tx *pg.Tx, h Hold, amount int64) (Hold, error) {
	before := h.BonusGiven
	h, part, err := h.Release(amount)
	if err != nil {
		return h, err
	}
	bonus := h.BonusGiven - before
	bare, err := bareStakes(ctx, tx, h.Seller)
	if err != nil {
		return h, err
	}
	rid := id.New(id.Release)
	legs, err := s.give(ctx, tx, h, rid, part, bonus)
	if err != nil {
		return h, err
	}
	err = s.post(ctx, tx, MoveRelease, ledger.Transfer{
		Key: "release:" + rid, Order: h.Order, Currency: h.Currency,
		Legs: append(legs, ledger.Debit(ledger.Escrow(h.Order), amount)),
	})
	if err != nil {
		return h, err
	}
	if err := s.coverAgain(ctx, tx, bare, h.Currency); err != nil {
		return h, err
	}
	if h, err = s.keep(ctx, tx, h); err != nil {
		return h, err
	}
	return h, s.tell(ctx, tx, h, part, bonus)
}

// tell says that a part of a hold was let go.
func (s *Service) tell(ctx context.Context, tx *pg.Tx, h Hold, part Legs, bonus int64) error {
	return tx.Publish(ctx, h.told(part, bonus))
}

// told is a part of a hold that was let go, as others hear of it.
func (h Hold) told(part Legs, bonus int64) Let {
	return Let{h.ID, h.Order, h.Seller, h.money(part.Total()), h.money(h.Share(part) + bonus), h.money(bonus), h.Held() == 0}
}

// give says what a part that is let go credits, and what the market adds to it out
// of our own money: half of the seller's share at most pays its debt first. What
// payouts may cover and what is kept in reserve is written down.
func (s *Service) give(ctx context.Context, tx *pg.Tx, h Hold, rid string, part Legs, bonus int64) ([]ledger.Leg, error) {
	top, err := s.topUp(bonus)
	if err != nil {
		return nil, err
	}
	share := h.Share(part) + bonus
	debt, err := s.debt(ctx, tx, h.Seller, h.Currency, share/2)
	if err != nil {
		return nil, err
	}
	debt = Recovery(share, debt)
	if share > debt {
		insertRelease(tx, rid, h, share-debt)
	}
	if part.Reserve > 0 {
		due := tx.Now().Add(reserveFor)
		insertLot(tx, rid, h, part.Reserve, due)
		job.Set(tx, timerReserve, rid, due)
	}
	return append(h.credits(part, bonus, debt), top...), nil
}

// credits are where a part goes that is let go, and what the market adds to it,
// when some of the seller's share pays its debt. The seller reads what was added
// as a line of its own.
func (h Hold) credits(part Legs, bonus, debt int64) []ledger.Leg {
	share := max(0, h.Share(part)-debt)
	legs := []ledger.Leg{
		ledger.Debit(ledger.Promotions, bonus),
		ledger.Credit(ledger.Available(h.Seller), share),
		ledger.Credit(ledger.Available(h.Seller), h.Share(part)+bonus-debt-share),
		ledger.Credit(ledger.Receivable(h.Seller), debt),
		ledger.Credit(ledger.Reserve(h.Seller), part.Reserve),
		ledger.Credit(ledger.Fees, part.Commission),
		ledger.Credit(ledger.VAT, part.VAT),
	}
	if !h.own() {
		legs = append(legs, ledger.Credit(ledger.CarrierPayable(h.Carrier), part.Carrier))
	}
	return legs
}

// debt is what a seller owes, locked if it owes anything and some of it could be
// paid now.
func (s *Service) debt(ctx context.Context, tx *pg.Tx, seller, currency string, most int64) (int64, error) {
	if most <= 0 {
		return 0, nil
	}
	owed, err := s.books.Balance(ctx, tx, ledger.Receivable(seller), currency)
	if err != nil || owed == 0 {
		return 0, err
	}
	free, err := s.books.Free(ctx, tx, currency, ledger.Receivable(seller))
	return free[ledger.Receivable(seller)], err
}

// freeReserve lets the rest of a lot go that is due: the seller's debt is paid
// first.
func (s *Service) freeReserve(ctx context.Context, tx *pg.Tx, lot string) error {
	order, err := orderOfLot(ctx, tx, lot)
	if err != nil {
		return err
	}
	h, err := lockOrder(ctx, tx, order)
	if err != nil {
		return err
	}
	l, err := lockLot(ctx, tx, lot)
	if err != nil || l.Done || h.frozen() { // the end of the case sets the timer anew
		return err
	}
	if l.Due.After(tx.Now()) {
		job.Set(tx, timerReserve, lot, l.Due)
		return nil
	}
	if err := h.may(MoveReserve); err != nil {
		return err
	}
	endLot(tx, l)
	if l.Left == 0 {
		return nil
	}
	bare, err := bareStakes(ctx, tx, h.Seller)
	if err != nil {
		return err
	}
	owed, err := s.debt(ctx, tx, h.Seller, h.Currency, l.Left)
	if err != nil {
		return err
	}
	owed = min(owed, l.Left)
	if l.Left > owed {
		insertRelease(tx, id.New(id.Release), h, l.Left-owed)
	}
	if err := s.post(ctx, tx, MoveReserve, h.freed(l, owed)); err != nil {
		return err
	}
	return s.coverAgain(ctx, tx, bare, h.Currency)
}
