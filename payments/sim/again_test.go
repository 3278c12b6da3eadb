package sim_test

import "slices"

// A buyer has money from a refund or from a chargeback, never from both.

// costUs is the first lost chargeback of a charge that took more than was there,
// or nil.
func (o *oracle) costUs(c *charge) *chargeback {
	return find(o.cases, func(b *chargeback) bool { return b.charge == c && b.state == "lost" && b.taken < b.amount })
}

// anew makes a refund again that a chargeback had displaced, less what the buyer
// has had of it, as far as its order still has money for the buyer. Where another
// case is open that one decides.
func (o *oracle) anew(r *refund, had int64) {
	r.again = true
	if n := min(r.amount-had, r.order.claim()); n > 0 {
		_ = o.takeBack(r.order, n, r.held[carried]+r.released[carried] > 0, r.goodwill, false)
	}
}

// displaced makes the refunds of a charge anew whose chargebacks are over, once
// none is open any more: as far as those did not take them when they were lost.
func (o *oracle) displaced(c *charge) {
	if o.contested(c) != nil {
		return
	}
	for _, r := range slices.Clone(o.refunds) {
		if r.charge == c && r.order != nil && r.by != nil && r.by.state != "open" && !r.again {
			had := int64(0)
			for _, k := range r.by.stakes {
				if k.order == r.order {
					had = min(r.amount, k.took)
					k.took -= had
				}
			}
			o.anew(r, had)
		}
	}
}

// reclaim shares what a refund put back into an order among the chargebacks of
// its charge: our loss by those that were lost is made good; those that are open,
// and have nothing in this order, have a stake in it from here on.
func (o *oracle) reclaim(x *order) {
	room := x.claim()
	for _, b := range o.cases {
		for _, k := range b.stakes {
			if b.state == "open" && k.order == x {
				room -= k.amount
			}
		}
	}
	bets := map[*chargeback]int64{}
	for _, b := range o.cases {
		n := min(room, b.unplaced(x))
		if b.charge != x.charge || b.loose || n <= 0 {
			continue
		}
		room -= n
		if b.state == "lost" {
			o.regain(b, x, n)
			continue
		}
		bets[b] = n
	}
	if x.state == "funded" && x.left().sum() == 0 {
		o.ended(x)
	}
	o.rest(x)
	for _, b := range o.cases {
		if n := bets[b]; n > 0 {
			o.stake(b, x, n)
		}
	}
}

// unplaced is what of a chargeback no order has answered for.
func (b *chargeback) unplaced(x *order) int64 {
	n := b.amount
	switch b.state {
	case "lost":
		return n - b.taken
	case "won":
		return 0
	}
	for _, k := range b.stakes {
		if k.order == x {
			return 0
		}
		n -= k.amount
	}
	return n
}

// regain takes from an order what a lost chargeback had cost us.
func (o *oracle) regain(b *chargeback, x *order, n int64) {
	held, gone := x.cut(n, true)
	src := source{market: x.unpay(gone)}
	legs := o.bear(x, gone, false, &src)
	x.charged += held.sum()
	x.clawed += gone.sum()
	x.cancelled, x.took = x.cancelled.add(held, 1), x.took.add(gone, 1)
	b.taken += n
	o.book(append(legs, dr("escrow:"+x.id, held.sum()), cr("loss", n))...)
}

// regainLoose is regain for money that never reached an escrow; the rest goes
// back. While a chargeback is open its verdict shares it out.
func (o *oracle) regainLoose(r *refund) {
	c, rest := r.charge, r.amount
	if o.contested(c) != nil {
		return
	}
	for _, b := range o.cases {
		if b.charge == c && b.state == "lost" {
			n := min(rest, b.amount-b.taken)
			b.taken, rest = b.taken+n, rest-n
			o.book(dr("suspense:"+c.id, n), cr("loss", n))
		}
	}
	if rest > 0 {
		o.loose(c, rest)
	}
}
