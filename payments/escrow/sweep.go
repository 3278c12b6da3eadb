package escrow

import (
	"context"
	"time"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/job"
	"tiwiza/pkg/pg"
)

// A letting is one release among many.
type letting struct {
	hold Hold // as it is afterwards
	part Legs
	id   string
	debt int64 // of the seller's share, what pays its debt
}

// sweep is releaseDue of many orders at once, in a handful of statements. What
// somebody else has locked, or what is refused, is left to be looked at alone.
func (s *Service) sweep(ctx context.Context, tx *pg.Tx, orders []string) (left []string, err error) {
	holds, err := lockFreeOrders(ctx, tx, orders)
	if err != nil {
		return nil, err
	}
	left = missing(orders, holds)
	bare, err := bareSellers(ctx, tx, holds)
	if err != nil {
		return nil, err
	}
	debts, err := s.debts(ctx, tx, holds)
	if err != nil {
		return nil, err
	}
	var all []letting
	var later []string
	var due []time.Time
	for _, h := range holds {
		switch {
		case !h.ripe():
		case bare[h.Seller]: // its money covers a chargeback first
			left = append(left, h.Order)
		case h.ReleaseDue != nil && h.ReleaseDue.After(tx.Now()):
			later, due = append(later, h.Order), append(due, *h.ReleaseDue)
		default:
			after, part, err := h.Release(h.Held())
			if err != nil {
				left = append(left, h.Order)
				continue
			}
			l := letting{hold: after, part: part, id: id.New(id.Release)}
			l.debt = Recovery(h.Share(part), debts[h.Seller+" "+h.Currency])
			debts[h.Seller+" "+h.Currency] -= l.debt
			all = append(all, l)
		}
	}
	if len(later) > 0 {
		job.SetAll(tx, timerRelease, later, due)
	}
	refused, err := s.letAll(ctx, tx, all)
	return append(left, refused...), err
}

// missing are the orders without a hold in a list.
func missing(orders []string, holds []Hold) (left []string) {
	there := make(map[string]bool, len(holds))
	for _, h := range holds {
		there[h.Order] = true
	}
	for _, o := range orders {
		if !there[o] {
			left = append(left, o)
		}
	}
	return left
}

// debts are what the sellers of holds owe, by seller and currency, locked.
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
	if len(all) == 0 {
		return nil, nil
	}
	transfers := make([]ledger.Transfer, len(all))
	for i, l := range all {
		transfers[i] = ledger.Transfer{
			Key: "release:" + l.id, Kind: "escrow.release", Order: l.hold.Order, Currency: l.hold.Currency,
			Legs: append(l.hold.credits(l.part, l.debt), ledger.Debit(ledger.Escrow(l.hold.Order), l.part.Total())),
		}
	}
	errs, err := s.books.PostAll(ctx, tx, transfers)
	if err != nil {
		return nil, err
	}
	done := all[:0]
	for i, l := range all {
		if errs[i] != nil {
			refused = append(refused, l.hold.Order)
			continue
		}
		done = append(done, l)
	}
	return refused, keepAll(ctx, tx, done)
}

// keepAll saves releases, and does what follows each, as release does.
func keepAll(ctx context.Context, tx *pg.Tx, all []letting) error {
	saveLettings(tx, all)
	due := tx.Now().Add(reserveFor)
	insertLettings(tx, all, due)
	var ended, lots []string
	var events []pg.Event
	for _, l := range all {
		h := l.hold
		if h.State != Funded { // else a refund is on its way
			ended = append(ended, h.Order)
			events = append(events, Ended{h.ID, h.Order, h.State, h.money(h.Released), h.money(h.Returned())})
		}
		if l.part.Reserve > 0 {
			lots = append(lots, l.id)
		}
		events = append(events, Let{h.ID, h.Order, h.Seller, h.money(l.part.Total()), h.money(h.Share(l.part)), h.Held() == 0})
	}
	if len(lots) > 0 {
		at := make([]time.Time, len(lots))
		for i := range at {
			at[i] = due
		}
		job.SetAll(tx, timerReserve, lots, at)
	}
	if len(ended) > 0 {
		job.ClearAll(tx, []string{timerRelease, TimerUndelivered, TimerCap}, ended)
		job.SetAllOnce(tx, timerClose, ended, tx.Now().Add(closeAfter))
	}
	return tx.PublishAll(ctx, events, nil)
}
