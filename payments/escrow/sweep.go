package escrow

import (
	"context"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// A letting is one release among many.
type letting struct {
	hold  Hold // as it is afterwards
	part  Legs
	bonus int64        // what the market adds
	top   []ledger.Leg // the money of ours that is
	id    string
	debt  int64 // of the seller's share, what pays its debt
}

// sweep is releaseDue of many orders at once, in a handful of statements. What
// somebody else has locked, or what is refused, is left to be looked at alone.
func (s *Service) sweep(ctx context.Context, tx *pg.Tx, orders []string) (left []string, err error) {
	holds, err := lockFreeOrders(ctx, tx, orders)
	if err != nil {
		return nil, err
	}
	left = missing(orders, holds, func(h Hold) string { return h.Order })
	bare, err := bareSellers(ctx, tx, holds)
	if err != nil {
		return nil, err
	}
	debts, err := s.debts(ctx, tx, holds)
	if err != nil {
		return nil, err
	}
	var all []letting
	var later job.Times
	for _, h := range holds {
		switch {
		case !h.ripe():
		case bare[h.Seller]: // its money covers a chargeback first
			left = append(left, h.Order)
		case h.ReleaseDue != nil && h.ReleaseDue.After(tx.Now()):
			later.Add(h.Order, *h.ReleaseDue)
		default:
			after, part, err := h.Release(h.Held())
			if err != nil {
				left = append(left, h.Order)
				continue
			}
			l := letting{hold: after, part: part, bonus: after.BonusGiven - h.BonusGiven, id: id.New(id.Release)}
			if l.top, err = s.topUp(l.bonus); err != nil {
				left = append(left, h.Order)
				continue
			}
			l.debt = Recovery(h.Share(part)+l.bonus, debts[h.purse()])
			debts[h.purse()] -= l.debt
			all = append(all, l)
		}
	}
	job.SetAll(tx, timerRelease, later)
	refused, err := s.letAll(ctx, tx, all)
	return append(left, refused...), err
}

// purse names what a seller has in one currency.
func (h Hold) purse() string { return h.Seller + " " + h.Currency }

// missing are the names that nothing in a list has.
func missing[T any](names []string, all []T, name func(T) string) (left []string) {
	there := make(map[string]bool, len(all))
	for _, t := range all {
		there[name(t)] = true
	}
	for _, n := range names {
		if !there[n] {
			left = append(left, n)
		}
	}
	return left
}

// debts are what the sellers of holds owe, by purse, locked.
func (s *Service) debts(ctx context.Context, tx *pg.Tx, holds []Hold) (map[string]int64, error) {
	sellers := map[string]map[string]bool{} // by currency
	for _, h := range holds {
		if sellers[h.Currency] == nil {
			sellers[h.Currency] = map[string]bool{}
		}
		sellers[h.Currency][h.Seller] = true
	}
	out := map[string]int64{}
	for currency, of := range sellers {
		var codes []string
		for seller := range of {
			codes = append(codes, ledger.Receivable(seller))
		}
		free, err := s.books.Free(ctx, tx, currency, codes...)
		if err != nil {
			return nil, err
		}
		for seller := range of {
			out[seller+" "+currency] = free[ledger.Receivable(seller)]
		}
	}
	return out, nil
}

// letAll books releases, and keeps and tells what follows; it returns the orders
// of those that the books refused.
func (s *Service) letAll(ctx context.Context, tx *pg.Tx, all []letting) (refused []string, err error) {
	done, not, err := postEach(ctx, tx, s, MoveRelease, all, func(l letting) ledger.Transfer {
		return ledger.Transfer{
			Key: "release:" + l.id, Order: l.hold.Order, Currency: l.hold.Currency,
			Legs: append(append(l.hold.credits(l.part, l.bonus, l.debt), l.top...), ledger.Debit(ledger.Escrow(l.hold.Order), l.part.Total())),
		}
	})
	if err != nil {
		return nil, err
	}
	for _, l := range not {
		refused = append(refused, l.hold.Order)
	}
	return refused, keepAll(ctx, tx, done)
}

// keepAll saves releases, and does what follows each, as release does.
func keepAll(ctx context.Context, tx *pg.Tx, all []letting) error {
	if len(all) == 0 {
		return nil
	}
	saveLettings(tx, all)
	due := tx.Now().Add(reserveFor)
	insertLettings(tx, all, due)
	var ended []string
	var lots job.Times
	var events []pg.Event
	for _, l := range all {
		h := l.hold
		if h.State != Funded { // else a refund is on its way
			ended = append(ended, h.Order)
			events = append(events, Ended{h.ID, h.Order, h.State, h.money(h.Released), h.money(h.Returned())})
		}
		if l.part.Reserve > 0 {
			lots.Add(l.id, due)
		}
		events = append(events, h.told(l.part, l.bonus))
	}
	job.SetAll(tx, timerReserve, lots)
	if len(ended) > 0 {
		job.ClearAll(tx, []string{timerRelease, TimerUndelivered, TimerCap}, ended)
		job.SetAllOnce(tx, timerClose, ended, tx.Now().Add(closeAfter))
	}
	return tx.PublishAll(ctx, events, nil)
}
