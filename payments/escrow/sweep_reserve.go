package escrow

import (
	"context"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// A freeing is the rest of one lot that goes, among many.
type freeing struct {
	hold Hold
	lot  dueLot
	debt int64 // what of it pays the seller's debt
}

// sweepReserve is freeReserve of many lots at once, from the one that is due
// longest on. What somebody else has locked, or what is refused, is left to be
// looked at alone.
func (s *Service) sweepReserve(ctx context.Context, tx *pg.Tx, lots []string) (left []string, err error) {
	of, err := ordersOfLots(ctx, tx, lots)
	if err != nil {
		return nil, err
	}
	holds, err := lockFreeOrders(ctx, tx, of)
	if err != nil {
		return nil, err
	}
	free, err := lockFreeLots(ctx, tx, lots)
	if err != nil {
		return nil, err
	}
	left = missing(lots, free, func(l dueLot) string { return l.ID })
	bare, err := bareSellers(ctx, tx, holds)
	if err != nil {
		return nil, err
	}
	debts, err := s.debts(ctx, tx, holds)
	if err != nil {
		return nil, err
	}
	by := make(map[string]Hold, len(holds))
	for _, h := range holds {
		by[h.Order] = h
	}
	var all []freeing
	var later job.Times
	for _, l := range free {
		h, ok := by[l.OrderID]
		switch {
		case !ok || bare[h.Seller]: // its money covers a chargeback first
			left = append(left, l.ID)
		case l.Done || h.frozen(): // the end of the case sets the timer anew
		case l.Due.After(tx.Now()):
			later.Add(l.ID, l.Due)
		case h.may(MoveReserve) != nil:
			left = append(left, l.ID)
		default:
			f := freeing{h, l, min(debts[h.purse()], l.Left)}
			debts[h.purse()] -= f.debt
			all = append(all, f)
		}
	}
	job.SetAll(tx, timerReserve, later)
	refused, err := s.freeAll(ctx, tx, all)
	return append(left, refused...), err
}

// freeAll books what goes of lots, and ends them; it returns those that the
// books refused.
func (s *Service) freeAll(ctx context.Context, tx *pg.Tx, all []freeing) (refused []string, err error) {
	var ended []string
	some := all[:0]
	for _, f := range all {
		if f.lot.Left > 0 {
			some = append(some, f)
		} else {
			ended = append(ended, f.lot.ID) // a waterfall has used it up
		}
	}
	done, not, err := postEach(ctx, tx, s, MoveReserve, some, func(f freeing) ledger.Transfer { return f.hold.freed(f.lot, f.debt) })
	if err != nil {
		return nil, err
	}
	for _, f := range not {
		refused = append(refused, f.lot.ID)
	}
	var given givings
	for _, f := range done {
		ended = append(ended, f.lot.ID)
		given.add(id.New(id.Release), f.hold, f.lot.Left-f.debt)
	}
	endLots(tx, ended)
	insertReleases(tx, given)
	return refused, nil
}

// freed is what the rest of a lot does in the books: the seller's debt is paid
// first.
func (h Hold) freed(l dueLot, debt int64) ledger.Transfer {
	return ledger.Transfer{
		Key: "reserve:" + l.ID, Order: h.Order, Currency: h.Currency,
		Legs: []ledger.Leg{
			ledger.Debit(ledger.Reserve(h.Seller), l.Left),
			ledger.Credit(ledger.Receivable(h.Seller), debt),
			ledger.Credit(ledger.Available(h.Seller), l.Left-debt),
		},
	}
}
