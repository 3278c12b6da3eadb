package sim_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Money that comes in and goes back.

func (o *oracle) refundOf(c *charge, x *order, amount int64) *refund {
	r := &refund{n: len(o.refunds), charge: c, order: x, amount: amount, card: c.method == "card", purse: c.method == "wallet", state: "created"}
	r.known = c.method == "transfer" && c.payer
	o.refunds = append(o.refunds, r)
	return r
}

// send has a refund's money leave by the rail it came in, when it can.
func (o *oracle) send(r *refund) {
	r.charge.refunded += r.amount
	switch {
	case r.card:
		o.ask(r, false)
	case r.known, r.purse: // a wallet undoes each by itself, however many there are
		r.attempt++
	default:
		o.await(r, "awaiting_rib")
	}
}

// ask asks the acquirer for a refund: one of a charge at a time, and part of a
// charge only once it is settled.
func (o *oracle) ask(r *refund, settled bool) {
	busy := slices.ContainsFunc(o.refunds, func(p *refund) bool {
		return p != r && p.charge == r.charge && p.card && p.attempt > 0 && !p.done() && !p.waits()
	})
	if busy || !settled && !r.charge.settled && r.amount != r.charge.captured {
		o.set("ready", r.account(), o.now.Add(10*time.Minute))
		return
	}
	o.clear("ready", r.account())
	r.attempt++
}

func (o *oracle) await(r *refund, state string) {
	r.state = state
	o.clear("ready", r.account())
	o.set("claim", r.account(), o.now.Add(30*day))
}

// next asks for the oldest refund of a charge that waits for its turn.
func (o *oracle) next(c *charge, settled bool) {
	for _, r := range o.refunds {
		if r.charge == c && r.card && r.attempt == 0 && r.state == "created" {
			o.ask(r, settled)
			return
		}
	}
}

// paid is a refund that reached the buyer.
func (o *oracle) paid(r *refund) {
	r.state = "confirmed"
	o.clear("ready", r.account())
	o.clear("claim", r.account())
	from := safeguard
	switch {
	case r.card:
		from = clearing
	case r.purse:
		from = purseClearing
	}
	o.book(dr(r.account(), r.amount), cr(from, r.amount))
	if r.order != nil && !r.landed {
		r.landed = true
		r.order.flying--
		o.ended(r.order)
	}
	o.next(r.charge, false)
	o.verdicts(r.charge)
}

// declined is a refund that its rail refused for good: another account is asked
// for, unless a chargeback has taken its place.
func (o *oracle) declined(r *refund) {
	if r.purse && r.attempt == 1 { // what is not undone is paid to the phone
		r.state, r.attempt = "created", 2
		return
	}
	if b := o.contested(r.charge); b != nil {
		o.cancel(r, b)
	} else {
		o.await(r, "awaiting_rib")
	}
	o.next(r.charge, false)
	o.verdicts(r.charge)
}

// contested is the first open chargeback of a charge, or nil.
func (o *oracle) contested(c *charge) *chargeback {
	return find(o.cases, func(b *chargeback) bool { return b.charge == c && b.state == "open" })
}

// cancel ends a refund that was never sent, or that came back, for a chargeback.
func (o *oracle) cancel(r *refund, by *chargeback) {
	r.state, r.by = "rejected", by
	r.charge.refunded -= r.amount
	o.clear("ready", r.account())
	o.clear("claim", r.account())
	if r.order != nil {
		o.putBack(r)
		return
	}
	o.book(dr(r.account(), r.amount), cr("suspense:"+r.charge.id, r.amount))
}

// unsent says whether a refund has surely not left.
func (r *refund) unsent() bool { return r.waits() || r.state == "created" }

// returned is a transfer that the bank sent back: it is on its way again, and
// another account is asked for, unless the buyer has the money from a chargeback
// or may get it.
func (o *oracle) returned(r *refund) {
	o.book(dr(safeguard, r.amount), cr(r.account(), r.amount))
	if r.order != nil {
		r.landed = false
		r.order.flying++
	}
	by := o.contested(r.charge)
	if by == nil {
		by = o.costUs(r.charge)
	}
	if by == nil {
		o.await(r, "returned")
		return
	}
	o.cancel(r, by)
	switch {
	case r.order == nil:
		o.regainLoose(r)
	case len(r.order.cases) == 0:
		o.anew(r, 0)
	}
	o.verdicts(r.charge)
}

func (o *oracle) giveAccount(r *refund) string {
	if !r.waits() || o.contested(r.charge) != nil {
		return "refunds.state"
	}
	r.state, r.card, r.purse, r.known = "created", false, false, true
	r.attempt++
	o.clear("claim", r.account())
	return ""
}

// confirm takes a card's money in, by the acquirer's own word.
func (o *oracle) confirm(c *charge) {
	switch {
	case c.state == "confirmed":
	case c.open():
		c.state, c.captured = "confirmed", c.amount
		o.clear("window", c.id)
		o.fund(c, clearing, false)
	case c.captured == 0: // too late for the orders: it goes back by itself
		c.captured = c.amount
		o.book(dr(clearing, c.amount), cr("suspense:"+c.id, c.amount))
		o.loose(c, c.amount)
	}
}

// loose sends back what waits in a charge's suspense.
func (o *oracle) loose(c *charge, amount int64) {
	r := o.refundOf(c, nil, amount)
	o.book(dr("suspense:"+c.id, amount), cr(r.account(), amount))
	o.send(r)
}

// settle is a charge that the acquirer's settlement names: the strongest proof.
func (o *oracle) settle(c *charge) {
	o.confirm(c)
	o.reached(c)
	o.next(c, true)
}

// reached is a charge whose money is on the safeguard account.
func (o *oracle) reached(c *charge) {
	c.settled = true
	for _, x := range c.orders {
		x.settled = true
		for _, p := range o.seller(x.seller).releases {
			if p.order == x {
				p.settled = true
			}
		}
	}
}

// settled books what the acquirer pays: less its fee, which is ours to bear.
func (o *oracle) settled(gross, fee int64) {
	o.book(append(topUp(fee), dr(safeguard, gross-fee), dr("psp_cost", fee), cr(clearing, gross))...)
}

// expire ends a charge that was not paid in time.
func (o *oracle) expire(c *charge) {
	if !c.open() {
		return
	}
	c.state = "expired"
	o.clear("window", c.id)
	for _, x := range c.orders {
		if x.state == "authorized" {
			x.state = "voided"
		} else {
			x.state = "expired"
		}
		o.rest(x)
	}
	if kept := c.captured - c.back; c.method == "transfer" && kept > 0 {
		o.giveBack(c, kept)
	}
}

// wired is money by bank transfer: the whole funds the orders, a part waits for
// the rest, and what is more, or too late, goes back.
func (o *oracle) wired(c *charge, amount int64) { o.wiredFrom(c, amount, safeguard) }

// wiredFrom is wired of money that is at the bank, or waits for somebody to say
// whose it is.
func (o *oracle) wiredFrom(c *charge, amount int64, from string) {
	before := c.captured - c.back
	c.captured += amount
	c.payer = true
	suspense := "suspense:" + c.id
	switch {
	case !c.open():
		o.book(dr(from, amount), cr(suspense, amount))
		o.giveBack(c, amount)
		return
	case before+amount < c.amount:
		o.book(dr(from, amount), cr(suspense, amount))
		return
	}
	if before == 0 {
		o.bank(c, from)
		o.book(dr(from, amount-c.amount), cr(suspense, amount-c.amount))
	} else {
		o.book(dr(from, amount), cr(suspense, amount))
		o.bank(c, suspense)
	}
	if more := before + amount - c.amount; more > 0 {
		o.giveBack(c, more)
	}
}

// bank funds orders with money that lies at the bank already.
func (o *oracle) bank(c *charge, from string) {
	c.state, c.settled = "confirmed", true
	o.clear("window", c.id)
	o.fund(c, from, true)
}

func (o *oracle) giveBack(c *charge, amount int64) {
	c.back += amount
	o.loose(c, amount)
}

// opened is a chargeback: it takes the place of refunds that were not sent, is
// shared over the orders by what can still go back of each, and what is not held
// any more is kept inside what their sellers have.
func (o *oracle) opened(c *charge, id string, amount, fee int64) *chargeback {
	b := &chargeback{n: len(o.cases), id: id, charge: c, amount: amount, state: "open", loose: c.orders[0].amount > 0 && !funded(c)}
	for _, r := range o.refunds {
		if r.charge == c && !r.done() && r.unsent() {
			o.cancel(r, b)
		}
	}
	o.cases = append(o.cases, b)
	if !b.loose {
		claims := make([]int64, len(c.orders))
		var all int64
		for i, x := range c.orders {
			claims[i] = x.claim()
			all += claims[i]
		}
		for i, n := range over(min(amount, all), claims...) {
			if n > 0 {
				o.stake(b, c.orders[i], n)
			}
		}
	}
	o.book(append(topUp(amount+fee), dr(disputed, amount), dr("dispute_cost", fee), cr(clearing, amount+fee))...)
	return b
}

// funded says whether a charge's money reached its escrows.
func funded(c *charge) bool {
	return slices.Contains(paidFor, c.orders[0].state) && c.state == "confirmed"
}

func (o *oracle) stake(b *chargeback, x *order, amount int64) {
	_, gone := x.cut(amount, true)
	s := o.seller(x.seller)
	open := gone.sum() + x.unpay(gone)
	kept := max(0, min(open, o.free(s)))
	if kept > 0 {
		s.kept[b.name()+x.id] = kept
	}
	b.stakes = append(b.stakes, &stake{order: x, amount: amount, uncovered: open - kept})
	slices.SortFunc(b.stakes, func(p, q *stake) int { return cmp.Compare(p.order.id, q.order.id) })
	o.freeze(x, b.name())
}

// secure keeps back, of money that has come to a seller, what its open
// chargebacks are not covered by: the oldest first.
func (o *oracle) secure(s *seller) {
	for _, b := range o.cases {
		for _, k := range b.stakes {
			if b.state != "open" || k.order.seller != s.id {
				continue
			}
			if n := min(k.uncovered, o.free(s)); n > 0 {
				s.kept[b.name()+k.order.id] += n
				k.uncovered -= n
			}
		}
	}
}

// decided is the acquirer's verdict; a loss waits for refunds on their way.
func (o *oracle) decided(b *chargeback, verdict string) {
	if b.verdict != "" && b.verdict != verdict || b.state != "open" {
		return
	}
	b.verdict = verdict
	if o.hindered(b) {
		o.set("verdict", b.name(), o.now.Add(time.Hour))
		return
	}
	o.clear("verdict", b.name())
	b.state = verdict
	switch {
	case b.loose:
		o.endLoose(b)
	case verdict == "won":
		for _, k := range b.stakes {
			delete(o.seller(k.order.seller).kept, b.name()+k.order.id)
			o.thaw(k.order, b.name())
		}
		o.book(dr(clearing, b.amount), cr(disputed, b.amount))
	default:
		o.lost(b)
	}
	o.displaced(b.charge)
}

func (o *oracle) hindered(b *chargeback) bool {
	if b.loose {
		return slices.ContainsFunc(o.refunds, func(r *refund) bool { return r.charge == b.charge && !r.done() })
	}
	return b.verdict == "lost" && slices.ContainsFunc(b.charge.orders, func(x *order) bool { return x.flying > 0 })
}

// endLoose is a verdict on money that was too late for its orders.
func (o *oracle) endLoose(b *chargeback) {
	c := b.charge
	left := c.captured - c.refunded
	if b.verdict == "won" {
		o.book(dr(clearing, b.amount), cr(disputed, b.amount))
	} else {
		n := min(b.amount, left)
		left -= n
		b.taken = n
		o.book(dr("suspense:"+c.id, n), dr("loss", b.amount-n), cr(disputed, b.amount))
	}
	if left > 0 {
		o.loose(c, left)
	}
}

// lost takes a chargeback out of what is held, then as a refund after release
// would; what is more than the buyer could claim is our loss.
func (o *oracle) lost(b *chargeback) {
	spare, loss := b.amount, b.amount
	for _, k := range b.stakes {
		spare -= min(k.amount, k.order.claim())
	}
	legs := []leg{cr(disputed, b.amount)}
	for _, k := range b.stakes {
		x := k.order
		delete(o.seller(x.seller).kept, b.name()+x.id)
		n := min(k.amount, x.claim())
		more := min(spare, x.claim()-n)
		spare -= more
		n += more
		if n > 0 {
			held, gone := x.cut(n, true)
			legs = append(legs, dr("escrow:"+x.id, held.sum()))
			src := source{market: x.unpay(gone)}
			legs = append(legs, o.bear(x, gone, false, &src)...)
			x.charged += held.sum()
			x.clawed += gone.sum()
			x.cancelled, x.took = x.cancelled.add(held, 1), x.took.add(gone, 1)
			loss -= n
			k.took = n
		}
		if x.state == "funded" && x.left().sum() == 0 {
			o.ended(x)
		}
		o.thaw(x, b.name())
		o.rest(x)
	}
	b.taken = b.amount - loss
	o.book(append(legs, dr("loss", loss))...)
}

// verdicts books what had to wait for a refund's end.
func (o *oracle) verdicts(c *charge) {
	for _, b := range o.cases {
		if b.charge == c && b.state == "open" && b.verdict != "" {
			o.decided(b, b.verdict)
		}
	}
}

func (b *chargeback) String() string { return fmt.Sprintf("%s of %d, %s", b.id, b.amount, b.state) }
