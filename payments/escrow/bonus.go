package escrow

import "math/bits"

// A bonus is what the market adds for the seller when the buyer pays less than
// the price: the escrow's amount and legs stay what the buyer paid, and the bonus
// stands beside them. It is given with the goods' legs, all but delivery, as they
// are released, and what was given is taken back with them.

// goods are the legs of the goods.
func (l Legs) goods() int64 { return l.Total() - l.Carrier }

// due is what of the bonus belongs to so much of the goods' legs, rounded down to
// the centime: all of it to all of them.
func (h Hold) due(goods int64) int64 { return proportion(h.Bonus, goods, h.Legs.goods()) }

// Bonuses says what the seller has of the bonus, and what is still to come as the
// rest is released.
func (h Hold) Bonuses() (has, comes int64) {
	has = h.BonusGiven - h.BonusBack
	if h.State == Funded || h.State == Awaiting || h.State == Authorized {
		comes = h.due(h.Legs.goods()-h.Cancelled.goods()) - h.BonusGiven
	}
	return has, comes
}

// takes is what of the bonus goes back with what is taken back of the goods'
// legs: what the seller keeps is in proportion to what it keeps of them.
func (h Hold) takes(cut Legs) int64 {
	if cut.goods() == 0 {
		return 0
	}
	return max(0, h.BonusGiven-h.BonusBack-h.due(h.Gone.Minus(h.Taken).Minus(cut).goods()))
}

// BonusUndone is what of the bonus the seller does not get, or has given back,
// by refunds; where a chargeback took some of the order too, in proportion.
func (h Hold) BonusUndone() int64 {
	undone := h.Bonus - h.due(h.Legs.goods()-h.Cancelled.goods()) + h.BonusBack
	return proportion(undone, h.Returned(), h.Returned()+h.Charged+h.Clawed)
}

// proportion is whole × part ÷ of, rounded down; part is at most of.
func proportion(whole, part, of int64) int64 {
	if whole == 0 || of <= 0 {
		return 0
	}
	hi, lo := bits.Mul64(uint64(whole), uint64(part))
	n, _ := bits.Div64(hi, lo, uint64(of))
	return int64(n)
}
