package escrow

import (
	"context"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

// A Ruling shares what is held between buyer and seller.
type Ruling struct {
	Order, Case, Refund string
	Back, Release       int64 // centimes; together what is held
}

// Rule posts a ruling in one transfer, and ends its case. What goes back and
// what is released must together be what is held (ErrShares). A carrier who
// brought the goods is paid even then: what goes back of its fee is the
// seller's. Who may rule has been decided by then.
func (s *Service) Rule(ctx context.Context, tx *pg.Tx, r Ruling) (Hold, error) {
	h, err := lockOrder(ctx, tx, r.Order)
	if err != nil {
		return h, err
	}
	if err := h.ruled(r); err != nil {
		return h, err
	}
	bare, err := bareStakes(ctx, tx, h.Seller)
	if err != nil {
		return h, err
	}
	t := ledger.Transfer{Key: "ruling:" + r.Case, Order: h.Order, Currency: h.Currency}
	t.Legs = append(t.Legs, ledger.Debit(ledger.Escrow(h.Order), h.Held()))
	if r.Back > 0 {
		cut, err := h.Cut(r.Back, true)
		if err != nil {
			return h, err
		}
		var legs []ledger.Leg
		if h, legs, err = s.takeBack(ctx, tx, h, Back{Refund: r.Refund, Order: h.Order, Amount: r.Back}, cut); err != nil {
			return h, err
		}
		t.Legs = append(t.Legs, legs...)
	}
	var part Legs
	var bonus int64
	if held := h.Held(); held > 0 {
		before := h.BonusGiven
		h, part = h.let(held)
		bonus = h.BonusGiven - before
		legs, err := s.give(ctx, tx, h, id.New(id.Release), part, bonus)
		if err != nil {
			return h, err
		}
		t.Legs = append(t.Legs, legs...)
	}
	if err := s.post(ctx, tx, MoveRule, t); err != nil {
		return h, err
	}
	if err := s.coverAgain(ctx, tx, bare, h.Currency); err != nil {
		return h, err
	}
	if h, err = s.thaw(ctx, tx, h.end(), r.Case); err != nil {
		return h, err
	}
	if h, err = s.keep(ctx, tx, h); err != nil || part.Total() == 0 {
		return h, err
	}
	return h, s.tell(ctx, tx, h, part, bonus)
}
