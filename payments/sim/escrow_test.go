package sim_test

import (
	"slices"
	"time"
)

// What an escrow allows, by its page: docs/escrow.md.

// fund puts a charge's money into its escrows.
func (o *oracle) fund(c *charge, from string, settled bool) {
	var legs []leg
	var whole int64
	for _, x := range c.orders {
		x.state, x.settled = "funded", settled
		legs = append(legs, cr("escrow:"+x.id, x.amount))
		whole += x.amount
		o.set("cap", x.id, o.now.Add(90*day))
	}
	o.book(append(legs, dr(from, whole))...)
}

// ended brings an escrow whose money is gone to its end.
func (o *oracle) ended(x *order) {
	if x.state == "funded" && x.left().sum() == 0 && x.flying == 0 {
		x.state = "refunded"
		if x.gone.sum() > 0 {
			x.state = "released"
		}
	}
	o.rest(x)
}

// rest is what follows when an escrow that has ended is kept.
func (o *oracle) rest(x *order) {
	if slices.Contains([]string{"awaiting", "authorized", "funded", "closed"}, x.state) {
		return
	}
	for _, k := range []string{"release", "undelivered", "cap"} {
		o.clear(k, x.id)
	}
	if _, set := o.alarms[alarm{"close", x.id}]; !set {
		o.set("close", x.id, o.now.Add(180*day))
	}
}

func (o *oracle) release(x *order, amount int64) string {
	switch {
	case x.state != "funded":
		return "escrow.state"
	case len(x.cases) > 0:
		return "escrow.disputed"
	case x.cash && !x.settled:
		return "escrow.unremitted"
	case x.held() == 0:
		return "escrow.state"
	case amount <= 0 || amount > x.held():
		return "escrow.amount"
	}
	legs := o.give(x, amount)
	o.book(append(legs, dr("escrow:"+x.id, amount))...)
	o.secure(o.seller(x.seller))
	o.ended(x)
	return ""
}

// give lets an amount go to those it belongs to: half of the seller's share at
// most pays what it owes.
func (o *oracle) give(x *order, amount int64) []leg {
	part := evenly(amount, x.left())
	x.gone = x.gone.add(part, 1)
	s := o.seller(x.seller)
	added := x.pay()
	share := part[0] + added
	if x.carrier == "" {
		share += part[carried]
	}
	debt := min(o.owes(s), share/2)
	if share > debt {
		o.pot(&s.releases, x, share-debt)
	}
	if part[1] > 0 {
		lot := o.pot(&s.lots, x, part[1])
		lot.due = o.now.Add(30 * day)
		o.set("reserve", lotName(lot), lot.due)
	}
	legs := append(topUp(added), []leg{
		dr("promotions", added), cr(available(s), share-debt), cr(receivable(s), debt), cr(reserve(s), part[1]), cr("fees", part[2]), cr("payable:vat", part[3]),
	}...)
	if x.carrier != "" {
		legs = append(legs, cr(payable(x.carrier), part[carried]))
	}
	return legs
}

func lotName(p *pot) string { return string(rune(0x4e00 + p.n)) }

func (o *oracle) pot(into *[]*pot, x *order, n int64) *pot {
	o.seq++
	p := &pot{order: x, n: o.seq, amount: n, settled: x.settled}
	*into = append(*into, p)
	return p
}

// cut says how an amount that goes back is shared: what is held first, delivery
// excepted that is under way, then what was released.
func (x *order) cut(amount int64, delivery bool) (held, released split) {
	share := goodsFirst
	if delivery {
		share = evenly
	}
	var have, still split
	if x.state == "funded" {
		have = x.left()
		if x.shipped && x.carrier != "" {
			still[carried], have[carried] = have[carried], 0
		}
	}
	n := min(amount, have.sum())
	held = share(n, have)
	if amount > n {
		released = share(amount-n, x.gone.add(x.took, -1).add(still, 1))
	}
	return held, released
}

// takeBack moves money of an order to a refund: a seller's word only what is
// held.
func (o *oracle) takeBack(x *order, amount int64, delivery, goodwill, heldOnly bool) string {
	if code := x.keeps(amount, len(x.cases), heldOnly); code != "" {
		return code
	}
	r := o.refundOf(x.charge, x, amount)
	legs := o.intend(r, delivery, goodwill)
	o.book(append(legs, dr("escrow:"+x.id, r.held.sum()))...)
	o.rest(x)
	o.send(r)
	return ""
}

// keeps says why an order gives nothing back while so many cases are open, or "".
func (x *order) keeps(amount int64, cases int, heldOnly bool) string {
	from := []string{"funded", "released"}
	if heldOnly {
		from = from[:1]
	}
	switch {
	case !slices.Contains(from, x.state):
		return "escrow.state"
	case cases > 0:
		return "escrow.disputed"
	case heldOnly && x.held() == 0:
		return "escrow.state"
	case heldOnly && (amount <= 0 || amount > x.held()):
		return "escrow.amount"
	case heldOnly && x.shipped && x.carrier != "" && amount > x.held()-x.left()[carried]:
		return "escrow.amount"
	case x.cash && !x.settled:
		return "escrow.unremitted"
	case x.claim() == 0:
		return "escrow.state"
	case amount <= 0 || amount > x.claim():
		return "escrow.amount"
	}
	return ""
}

// intend takes a refund out of what its order has, but for what leaves the
// escrow itself.
func (o *oracle) intend(r *refund, delivery, goodwill bool) []leg {
	x := r.order
	r.goodwill = goodwill
	r.held, r.released = x.cut(r.amount, delivery)
	r.from.market = x.unpay(r.released)
	legs := o.bear(x, r.released, goodwill, &r.from)
	x.refunded += r.held.sum()
	x.recovered += r.released.sum()
	x.cancelled, x.took = x.cancelled.add(r.held, 1), x.took.add(r.released, 1)
	x.flying++
	return append(append(legs, topUp(max(0, r.from.ours()))...), cr(r.account(), r.amount))
}

// ours is what is not clients' money of what goes back; what the market has back
// makes up for it.
func (s source) ours() int64 { return s.owed + s.fees + s.tax + s.loss - s.market }

// bear takes what was released back, and what the market had paid for it, which
// into says: of the seller its reserve, of this order
// first, then what is available, then it owes the rest; commission and its VAT
// from us; delivery from the seller, or from us when nobody was at fault, or from
// a carrier who has not got the goods.
func (o *oracle) bear(x *order, cut split, goodwill bool, into *source) []leg {
	s := o.seller(x.seller)
	src := source{fees: cut[2], tax: cut[3], market: into.market}
	x.market.back += src.market
	want := cut[0] + cut[1] + cut[carried] + src.market
	switch {
	case x.carrier == "":
	case !x.shipped && !x.cash:
		src.carrier, want = cut[carried], want-cut[carried]
	case goodwill:
		src.loss, want = cut[carried], want-cut[carried]
	}
	var kept int64
	for _, p := range own(x, s.lots) {
		if n := min(want, p.free()); n > 0 && !p.done {
			p.taken += n
			src.lots, kept, want = append(src.lots, bit{p, n}), kept+n, want-n
		}
	}
	var released int64 // and not paid out; what this posting takes is off already
	for _, p := range s.releases {
		released += p.free()
	}
	src.available = max(0, min(want, released-s.holds()))
	src.owed = want - src.available
	n := src.available
	for _, p := range own(x, s.releases) {
		if k := min(n, p.free()); k > 0 {
			p.taken += k
			src.releases, n = append(src.releases, bit{p, k}), n-k
		}
	}
	*into = src
	return []leg{
		dr(reserve(s), kept), dr(available(s), src.available), dr(receivable(s), src.owed), dr("fees", src.fees), dr("payable:vat", src.tax), dr("loss", src.loss),
		dr(payable(x.carrier), src.carrier), cr("promotions", src.market),
	}
}

// own puts the pots of an order first, the others by age.
func own(x *order, pots []*pot) []*pot {
	var mine, others []*pot
	for _, p := range pots {
		if p.order == x {
			mine = append(mine, p)
		} else {
			others = append(others, p)
		}
	}
	return append(mine, others...)
}

// putBack undoes a refund that was never sent, or that came back. An order that
// held nothing any more may hold money again: for ninety days, and its clocks go
// on. The charge's chargebacks have their part in it.
func (o *oracle) putBack(r *refund) {
	x := r.order
	s := o.seller(x.seller)
	var kept, loose int64
	for _, b := range r.from.lots {
		if b.of.done {
			loose += b.n
			continue
		}
		b.of.taken -= b.n
		kept += b.n
	}
	for _, b := range r.from.releases {
		b.of.taken -= b.n
	}
	owed := min(r.from.owed, o.owes(s))
	loose += r.from.owed - owed
	if loose > 0 {
		o.pot(&s.releases, x, loose)
	}
	x.flying--
	x.refunded -= r.held.sum()
	x.recovered -= r.released.sum()
	x.cancelled, x.took = x.cancelled.add(r.held, -1), x.took.add(r.released, -1)
	x.market.back -= r.from.market
	now := r.from
	now.owed = owed
	ours := now.ours()
	o.book(append(topUp(-ours), dr(r.account(), r.amount), cr("escrow:"+x.id, r.held.sum()), cr(reserve(s), kept),
		cr(available(s), r.from.available+loose), cr(receivable(s), owed), cr("fees", r.from.fees), cr("payable:vat", r.from.tax), cr("loss", r.from.loss),
		cr(payable(x.carrier), r.from.carrier), dr("promotions", r.from.market))...)
	o.secure(s)
	if r.held.sum() > 0 && x.state != "funded" {
		x.state = "funded"
		o.set("cap", x.id, o.now.Add(90*day))
		if len(x.cases) == 0 {
			o.goOn(x, o.now)
		}
	}
	o.reclaim(x)
}

func (o *oracle) ship(x *order) {
	if x.shipped || !slices.Contains([]string{"awaiting", "funded", "released"}, x.state) {
		return
	}
	x.shipped, x.signDue = true, o.now.Add(15*day)
	if len(x.cases) == 0 && x.state != "released" {
		o.set("undelivered", x.id, x.signDue)
	}
}

func (o *oracle) deliver(x *order) {
	if x.state != "funded" {
		return
	}
	x.arrived, x.due = true, o.now.Add(7*day)
	o.clear("undelivered", x.id)
	if len(x.cases) == 0 {
		o.set("release", x.id, x.due)
	}
}

func (o *oracle) freeze(x *order, name string) {
	if len(x.cases) == 0 {
		x.frozen = o.now
		o.clear("release", x.id)
		o.clear("undelivered", x.id)
	}
	x.cases = append(x.cases, name)
}

// thaw ends a case; with the last one the clocks go on where they stood.
func (o *oracle) thaw(x *order, name string) {
	x.cases = slices.DeleteFunc(slices.Clone(x.cases), func(c string) bool { return c == name })
	if len(x.cases) > 0 {
		return
	}
	for _, p := range o.seller(x.seller).lots {
		if p.order == x && !p.done {
			p.due = o.resume(p.due, 30*day, x.frozen)
			o.set("reserve", lotName(p), p.due)
		}
	}
	o.goOn(x, x.frozen)
}

// resume says when a clock ends that stood still since a moment: what was left of
// its wait then is still to come, and no more than the wait itself when it began
// meanwhile.
func (o *oracle) resume(due time.Time, wait time.Duration, since time.Time) time.Time {
	return o.now.Add(min(wait, due.Sub(since)))
}

// goOn sets an order's clocks that stood still since a moment.
func (o *oracle) goOn(x *order, since time.Time) {
	switch {
	case x.state != "funded":
	case x.arrived:
		x.due = o.resume(x.due, 7*day, since)
		o.set("release", x.id, x.due)
	case x.shipped:
		x.signDue = o.resume(x.signDue, 15*day, since)
		o.set("undelivered", x.id, o.soon(x.signDue))
	}
}

// soon is a moment, or now when it has passed.
func (o *oracle) soon(at time.Time) time.Time {
	if at.Before(o.now) {
		return o.now
	}
	return at
}

// letLot gives a seller the rest of a reserve: its debt first.
func (o *oracle) letLot(p *pot) {
	x := p.order
	switch {
	case p.done || len(x.cases) > 0:
		return
	case p.due.After(o.now):
		o.set("reserve", lotName(p), p.due)
		return
	}
	p.done = true
	n := p.free()
	if n == 0 {
		return
	}
	s := o.seller(x.seller)
	owed := min(o.owes(s), n)
	if n > owed {
		o.pot(&s.releases, x, n-owed)
	}
	o.book(dr(reserve(s), n), cr(receivable(s), owed), cr(available(s), n-owed))
	o.secure(s)
}

func (o *oracle) close(x *order) {
	kept := false
	for _, p := range o.seller(x.seller).lots {
		kept = kept || p.order == x && !p.done
	}
	switch {
	case x.state == "closed":
	case x.state == "funded" || len(x.cases) > 0 || x.flying > 0 || kept:
		o.set("close", x.id, o.now.Add(day))
	default:
		x.state = "closed"
	}
}

// collect funds an escrow with cash; the carrier's fee is let go at once.
func (o *oracle) collect(x *order, cash int64) string {
	switch {
	case x.collected > 0 && x.collected == cash:
		return ""
	case x.parcel != "awaited":
		return "cash.state"
	case cash <= 0 || cash > x.amount:
		return "cash.amount"
	}
	fee, cod := int64(0), "carrier:"+x.seller+":cod"
	if x.carrier != "" {
		fee, cod = min(deliveryFee, cash), "carrier:"+x.carrier+":cod"
	}
	x.market.whole = x.market.whole * cash / x.amount
	if fee > 0 {
		goods := x.legs
		goods[carried] = 0
		x.legs = evenly(cash-fee, goods)
		x.legs[carried] = fee
		x.gone = split{carried: fee}
	} else {
		x.legs = evenly(cash, x.legs)
	}
	if x.legs.sum() == x.legs[carried] { // all of it was delivery
		x.market.whole = 0
	}
	x.amount, x.collected, x.parcel, x.state, x.cash = cash, cash, "collected", "funded", true
	legs := []leg{dr(cod, cash), cr("escrow:"+x.id, cash-fee)}
	if fee > 0 {
		legs = append(legs, cr(payable(x.carrier), fee))
	}
	o.book(legs...)
	o.set("cap", x.id, o.now.Add(90*day))
	o.ended(x)
	x.charge.state = "confirmed"
	x.charge.captured += cash
	return ""
}

// remitted lets an order's cash be released, at once if its wait is over.
func (o *oracle) remitted(x *order) {
	if x.settled {
		return
	}
	x.settled = true
	for _, p := range o.seller(x.seller).releases {
		if p.order == x {
			p.settled = true
		}
	}
	if x.state == "funded" && x.arrived && len(x.cases) == 0 {
		o.set("release", x.id, o.soon(x.due))
	}
}

// refuse voids the escrow of a cash order; a carrier who brought it in vain has
// earned its fee.
func (o *oracle) refuse(x *order, brought bool) string {
	if x.parcel != "awaited" {
		return "cash.state"
	}
	x.parcel, x.state = "refused", "voided"
	if brought && x.carrier != "" {
		o.book(append(topUp(deliveryFee), dr(receivable(o.seller(x.seller)), deliveryFee), cr(payable(x.carrier), deliveryFee))...)
	}
	o.rest(x)
	return ""
}
