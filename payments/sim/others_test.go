package sim_test

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Disputes, payouts, our own money, and time.

func (o *oracle) open(x *order, byBuyer bool) (*dispute, string) {
	switch {
	case len(x.cases) > 0:
		return nil, "escrow.disputed"
	case x.held() == 0:
		return nil, "disputes.not_held"
	case byBuyer && x.arrived && !o.now.Before(x.due):
		return nil, "disputes.late"
	}
	d := &dispute{n: len(o.disputes), order: x, state: "open", opened: o.now, deadline: o.now.Add(72 * time.Hour)}
	o.disputes = append(o.disputes, d)
	o.set("due", d.name(), d.deadline)
	o.freeze(x, d.name())
	return d, ""
}

func (o *oracle) reply(d *dispute, accept bool) string {
	switch {
	case accept && d.state != "resolved": // also after another answer
		return o.wholly(d)
	case d.state != "open":
		return "disputes.state"
	}
	d.state, d.deadline = "answered", o.now.Add(7*day)
	if two := d.opened.Add(30 * day); two.Before(d.deadline) {
		d.deadline = two
	}
	o.set("due", d.name(), d.deadline)
	return ""
}

// propose is an agent's ruling: from thirty days on, or in mediation, it waits
// for a second person.
func (o *oracle) propose(d *dispute, back, rest int64) string {
	switch {
	case d.state == "resolved":
		return "disputes.state"
	case back < 0 || rest < 0 || back+rest != d.order.held():
		return "escrow.shares"
	case d.order.held() == 0, d.state != "mediation" && o.now.Before(d.opened.Add(30*day)):
		return o.rule(d, back, rest)
	}
	d.state, d.back, d.letGo, d.proposed = "mediation", back, rest, true
	o.clear("due", d.name())
	return ""
}

// wholly gives the buyer all that is held and can still go back.
func (o *oracle) wholly(d *dispute) string {
	back := min(d.order.held(), d.order.claim())
	return o.rule(d, back, d.order.held()-back)
}

// rule shares what is held in one posting, and ends the dispute; when nothing is
// held any more it just ends.
func (o *oracle) rule(d *dispute, back, rest int64) string {
	x := d.order
	switch {
	case x.held() == 0 && back == 0 && rest == 0:
		o.moot(d)
		return ""
	case x.state != "funded":
		return "escrow.state"
	case len(x.cases) > 1:
		return "escrow.disputed"
	case x.cash && !x.settled:
		return "escrow.unremitted"
	case back+rest != x.held() || x.held() == 0:
		return "escrow.shares"
	case back > 0 && x.claim() == 0:
		return "escrow.state"
	case back > x.claim():
		return "escrow.amount"
	}
	legs := []leg{dr("escrow:"+x.id, x.held())}
	var r *refund
	if back > 0 {
		r = o.refundOf(x.charge, x, back)
		legs = append(legs, o.intend(r, true, false)...)
	}
	if held := x.held(); held > 0 {
		// What the refund took is booked before what is released pays a debt.
		legs = append(legs, o.give(x, held)...)
	}
	o.book(legs...)
	o.secure(o.seller(x.seller))
	if x.left().sum() == 0 && x.flying == 0 {
		o.ended(x)
	}
	o.thaw(x, d.name())
	o.rest(x)
	if r != nil {
		o.send(r)
	}
	o.solved(d)
	return ""
}

// moot ends a dispute whose money is gone.
func (o *oracle) moot(d *dispute) {
	o.thaw(d.order, d.name())
	o.solved(d)
}

// news has disputes hear of orders that have ended: a chargeback took all.
func (o *oracle) news() {
	for _, d := range o.disputes {
		if d.state != "resolved" && d.order.state != "funded" {
			o.moot(d)
		}
	}
}

func (o *oracle) solved(d *dispute) {
	d.state, d.proposed = "resolved", false
	o.clear("due", d.name())
}

// payOut takes what is due to a seller; all of it when no amount is named.
func (o *oracle) payOut(s *seller, amount int64, all bool) string {
	have := o.free(s)
	want := amount
	if all {
		want = have
	}
	switch {
	case !all && want <= 0:
		return "payouts.too_much"
	case have <= 0 && want <= 0:
		return "payouts.nothing_due"
	case want > have:
		return "payouts.too_much"
	}
	p := &payout{n: len(o.payouts), seller: s, amount: want, state: "draft", account: s.account}
	o.payouts = append(o.payouts, p)
	o.cover(p, want)
	o.book(dr(available(s), want), cr(p.ledgerName(), want))
	o.advance(p)
	return ""
}

// cover takes settled releases first, the oldest first.
func (o *oracle) cover(p *payout, n int64) {
	open := slices.Clone(p.seller.releases)
	slices.SortStableFunc(open, func(a, b *pot) int { return cmp.Compare(unsettled(a), unsettled(b)) })
	for _, r := range open {
		if k := min(n, r.free()); k > 0 {
			r.taken += k
			p.covers, n = append(p.covers, bit{r, k}), n-k
		}
	}
}

func unsettled(p *pot) int {
	if p.settled {
		return 0
	}
	return 1
}

// advance lets a draft go that waits for nothing any more.
func (o *oracle) advance(p *payout) {
	s := p.seller
	p.account = s.account
	waits := s.bad[p.account] || o.owes(s) > 50_000 || slices.ContainsFunc(p.covers, func(b bit) bool { return !b.of.settled })
	for _, b := range o.cases {
		for _, k := range b.stakes {
			waits = waits || b.state == "open" && k.order.seller == s.id && k.uncovered > 0
		}
	}
	if waits {
		o.set("payout", p.ledgerName(), o.now.Add(time.Hour))
		return
	}
	o.clear("payout", p.ledgerName())
	p.state = "approved"
}

// back returns a payout's money to where it came from.
func (o *oracle) back(p *payout, state string) {
	for _, b := range p.covers {
		b.of.taken -= b.n
	}
	from, owed := p.ledgerName(), int64(0)
	if state == "returned" {
		from = safeguard
		p.seller.bad[p.account] = true
		owed = max(0, min(o.owes(p.seller), p.owed))
	}
	p.state = state
	o.book(dr(from, p.amount), cr(available(p.seller), p.amount-owed), cr(receivable(p.seller), owed))
}

// contradicted is a payout that the bank had refused and paid all the same: what
// of its money can still be taken is, the rest is owed.
func (o *oracle) contradicted(p *payout) {
	s := p.seller
	left := max(0, min(o.free(s), p.amount))
	p.covers = nil
	o.cover(p, left)
	p.owed, p.state, p.against = p.amount-left, "paid", true
	o.book(append(topUp(p.owed), dr(available(s), left), dr(receivable(s), p.owed), cr(safeguard, p.amount))...)
}

// dispatch hands the bank what is ready, unless all is halted.
func (o *oracle) dispatch() {
	if o.halted {
		return
	}
	for _, p := range o.payouts {
		if p.state == "approved" {
			p.state = "sent"
		}
	}
	for _, r := range o.refunds {
		if r.state == "created" && !r.card && !r.purse && r.attempt > 0 {
			r.state = "sent"
		}
	}
	for _, m := range o.moves {
		if m.state == "open" {
			m.state = "under way"
		}
	}
}

func (o *oracle) under(sweep bool) (n int64) {
	for _, m := range o.moves {
		if m.sweep == sweep && (m.state == "open" || m.state == "under way") {
			n += m.amount
		}
	}
	return n
}

// clients says what side of the clients' money an account is on: 1 what there
// is, -1 what is owed of it, 0 neither.
func clients(account string) int64 {
	switch {
	case strings.HasSuffix(account, ":safeguard"), strings.HasSuffix(account, ":transit"), strings.HasSuffix(account, ":clearing"), strings.HasSuffix(account, ":cod"):
		return 1
	case strings.HasPrefix(account, "escrow:"), strings.HasSuffix(account, ":available"), strings.HasSuffix(account, ":reserve"),
		strings.HasPrefix(account, "payout:"), strings.HasPrefix(account, "refund:"), strings.HasPrefix(account, "payable:carrier:"), strings.HasPrefix(account, "suspense:"):
		return -1
	}
	return 0
}

// topsUp brings what our costs took, once a day.
func (o *oracle) topsUp() string {
	today := o.today()
	if o.paidDay[today] {
		return "treasury.open"
	}
	n := max(0, o.bal[transit]-o.under(false))
	if n == 0 {
		return "treasury.nothing_due"
	}
	o.paidDay[today] = true
	o.moves = append(o.moves, &move{n: len(o.moves), amount: n, state: "open", day: today})
	return ""
}

// sweeps takes what is ours out of the clients' account: never what payments
// under way need.
func (o *oracle) sweeps() string {
	if o.under(true) > 0 {
		return "treasury.open"
	}
	var surplus, leaving int64
	for account, n := range o.bal {
		if clients(account) != 0 {
			surplus += n
		}
		if strings.HasPrefix(account, "payout:") || strings.HasPrefix(account, "refund:") {
			leaving -= n
		}
	}
	n := max(0, min(surplus, o.bal[safeguard]-leaving))
	if n == 0 {
		return "treasury.nothing_due"
	}
	o.moves = append(o.moves, &move{n: len(o.moves), sweep: true, amount: n, state: "open"})
	return ""
}

// moved is what the bank says of a move of ours: sign 1 done, -1 come back.
func (o *oracle) moved(m *move, sign int64) {
	if m.sweep {
		o.book(dr(operating, sign*m.amount), cr(safeguard, sign*m.amount))
	} else {
		o.book(dr(safeguard, sign*m.amount), cr(transit, sign*m.amount))
	}
	m.state = map[int64]string{1: "done", -1: "returned"}[sign]
}

// pass lets time go by: what is due fires, the earliest first.
func (o *oracle) pass(d time.Duration) {
	o.now = o.now.Add(d)
	for {
		var next alarm
		var at moment
		for a, c := range o.alarms {
			if !c.at.After(o.now) && (at.seq == 0 || c.at.Before(at.at) || c.at.Equal(at.at) && c.seq < at.seq) {
				next, at = a, c
			}
		}
		if at.seq == 0 {
			return
		}
		delete(o.alarms, next)
		o.fire(next)
	}
}

func (o *oracle) fire(a alarm) {
	x := find(o.orders, func(x *order) bool { return x.id == a.of })
	r := find(o.refunds, func(r *refund) bool { return r.account() == a.of })
	switch a.kind {
	case "release":
		if x.state == "funded" && x.held() > 0 && len(x.cases) == 0 && (!x.cash || x.settled) {
			o.release(x, x.held())
		}
	case "undelivered":
		if x.held() > 0 && !x.arrived && len(x.cases) == 0 {
			_, _ = o.open(x, false)
		}
	case "cap":
		o.tooLong(x)
	case "close":
		o.close(x)
	case "reserve":
		for _, s := range o.sellers {
			for _, p := range s.lots {
				if lotName(p) == a.of {
					o.letLot(p)
				}
			}
		}
	case "due":
		o.overdue(find(o.disputes, func(d *dispute) bool { return d.name() == a.of }))
	case "window":
		c := find(o.charges, func(c *charge) bool { return c.id == a.of })
		if c.open() && c.method == "transfer" {
			o.expire(c)
		} else if c.method == "wallet" {
			o.walletWindow(c)
		} else if c.open() {
			o.set("window", c.id, o.now.Add(time.Minute)) // until the acquirer has answered
		}
	case "ready":
		if r.state == "created" && r.attempt == 0 {
			o.set("ready", r.account(), o.now.Add(10*time.Minute))
		}
	case "claim":
		if r.waits() {
			o.set("claim", r.account(), o.now.Add(30*day))
		}
	case "verdict":
		b := find(o.cases, func(b *chargeback) bool { return b.name() == a.of })
		o.verdicts(b.charge)
	case "wake":
		if b := find(o.strays, func(b *stray) bool { return b.about == a.of }); b.state == "snoozed" {
			b.state = "open"
		}
	case "payout":
		if p := find(o.payouts, func(p *payout) bool { return p.ledgerName() == a.of }); p.state == "draft" {
			o.advance(p)
		}
	}
}

// overdue is a deadline that passed: a seller who said nothing has lost.
func (o *oracle) overdue(d *dispute) {
	x, two := d.order, d.opened.Add(30*day)
	switch {
	case x.held() == 0:
		o.moot(d)
	case d.state == "open" && (len(x.cases) > 1 || x.cash && !x.settled):
		o.set("due", d.name(), o.now.Add(day))
	case d.state == "open":
		o.wholly(d)
	case d.state == "answered" && o.now.Before(two):
		d.deadline = two
		o.set("due", d.name(), two)
	case d.state == "answered":
		d.state = "mediation"
		o.clear("due", d.name())
	}
}

// tooLong brings what is held for ninety days before two people.
func (o *oracle) tooLong(x *order) {
	if x.held() == 0 {
		return
	}
	d := find(o.disputes, func(d *dispute) bool { return d.order == x && d.state != "resolved" })
	if d == nil {
		if len(x.cases) > 0 {
			o.set("cap", x.id, o.now.Add(day))
			return
		}
		d, _ = o.open(x, false)
	}
	if d.state != "mediation" {
		d.state = "mediation"
		o.clear("due", d.name())
	}
}

// find is the first that fits, or nil.
func find[T any](all []*T, fits func(*T) bool) *T {
	if i := slices.IndexFunc(all, fits); i >= 0 {
		return all[i]
	}
	return nil
}
