package escrow

import (
	"context"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/pg"
)

// reclaim gives the chargebacks of a charge their part in money that a refund has
// put back into an order, and keeps the hold: a buyer who has it from the bank
// that took it back is not paid again. Of a lost one, what was our loss is made
// good; an open one has a stake in the order from here on.
func (s *Service) reclaim(ctx context.Context, tx *pg.Tx, h Hold, refund string) (Hold, error) {
	all, err := contestsOf(ctx, tx, h.Charge)
	if err != nil {
		return h, err
	}
	taken, err := staked(ctx, tx, h.Order)
	if err != nil {
		return h, err
	}
	room := h.Claim() - taken
	type bet struct {
		contest string
		amount  int64
	}
	var bets []bet
	for _, c := range all {
		stakes, err := stakesOf(ctx, tx, c.ID)
		if err != nil {
			return h, err
		}
		n := min(room, c.Amount-c.Taken)
		if c.State == "open" {
			n = min(room, c.loose(h.Order, stakes))
		}
		if n <= 0 {
			continue
		}
		room -= n
		if c.State == "open" {
			bets = append(bets, bet{c.ID, n})
			continue
		}
		if h, err = s.regain(ctx, tx, h, c, n, refund); err != nil {
			return h, err
		}
	}
	if h, err = s.keep(ctx, tx, h); err != nil {
		return h, err
	}
	for _, b := range bets {
		if h, err = s.stake(ctx, tx, b.contest, Stake{h, b.amount}); err != nil {
			return h, err
		}
	}
	return h, nil
}

// loose is what an open chargeback has no stake for, where an order has none in
// it; a stake that there is grows by itself when the chargeback is lost.
func (c contest) loose(order string, stakes []contested) int64 {
	n := c.Amount
	for _, k := range stakes {
		if k.OrderID == order {
			return 0
		}
		n -= k.Amount
	}
	return n
}

// regain takes out of an order what a lost chargeback had cost us.
func (s *Service) regain(ctx context.Context, tx *pg.Tx, h Hold, c contest, amount int64, refund string) (Hold, error) {
	cut, err := h.Cut(amount, true)
	if err != nil {
		return h, err
	}
	src, legs, err := s.bear(ctx, tx, h, cut, Bearing{})
	if err != nil {
		return h, err
	}
	endContest(tx, c, "lost", c.Taken+amount)
	legs = append(legs, ledger.Debit(ledger.Escrow(h.Order), cut.Held.Total()), ledger.Credit(ledger.Loss, amount-src.Loss))
	return h.Lose(cut), s.post(ctx, tx, MoveUndo, ledger.Transfer{
		Key: "chargeback.regained:" + c.ID + ":" + refund, Kind: kindRegained, Order: h.Order, Currency: h.Currency, Legs: legs,
	})
}

// CostUs names a lost chargeback of a charge that took more than its orders still
// had for the buyer, or is "".
func (s *Service) CostUs(ctx context.Context, tx *pg.Tx, charge string) (string, error) {
	all, err := contestsOf(ctx, tx, charge)
	for _, c := range all {
		if c.State == "lost" && c.Taken < c.Amount {
			return c.ID, err
		}
	}
	return "", err
}

// TakenBy says what a lost chargeback took of each order.
func (s *Service) TakenBy(ctx context.Context, db pg.DB, contest string) (map[string]int64, error) {
	stakes, err := stakesOf(ctx, db, contest)
	out := make(map[string]int64, len(stakes))
	for _, k := range stakes {
		out[k.OrderID] = k.Taken
	}
	return out, err
}

// Anew names a refund that was put back, and the one that takes its place.
type Anew struct {
	Refund, As string
	Less       int64 // what the buyer has had of it otherwise, in centimes
}

// Again posts the intent of a refund that was put back once more, as far as the
// order still has money for the buyer, and says how much that is: 0 if there is
// none, or while a case is open.
func (s *Service) Again(ctx context.Context, tx *pg.Tx, a Anew) (Hold, int64, error) {
	h, b, err := lockBack(ctx, tx, a.Refund)
	if err != nil {
		return h, 0, err
	}
	amount := min(b.Amount-a.Less, h.Claim())
	if amount <= 0 || h.frozen() || !row(MoveTakeBack).starts(h.State) {
		return h, 0, nil
	}
	delivery := b.cut().Held.Carrier+b.cut().Gone.Carrier > 0
	h, err = s.TakeBack(ctx, tx, Back{Refund: a.As, Order: h.Order, Amount: amount, Delivery: delivery, Goodwill: b.Goodwill})
	return h, amount, err
}
