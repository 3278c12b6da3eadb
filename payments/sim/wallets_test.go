package sim_test

import (
	"context"
	"fmt"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/charges"
	"tiwiza/payments/operations"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
)

// What is paid from wallets: their owners are asked on the phone, now and then
// again, and say what they like as late as they like.

// An ask is one time that the owner of a phone was asked to pay for a charge.
type ask struct {
	ref            string
	accepted       bool // its provider has it
	refused, ended bool // said, or withdrawn before anybody was asked; it has an end
	paid, settled  bool
}

func (o *oracle) asksText() map[string]string {
	yes := map[bool]string{true: "t", false: "f"}
	out := map[string]string{}
	for _, c := range o.charges {
		for _, a := range c.asks {
			out[a.ref] = fmt.Sprint("refused ", yes[a.refused], " paid ", yes[a.paid], " settled ", yes[a.settled])
		}
	}
	return out
}

// live is the request of a charge that has not ended, or nil.
func (c *charge) live() *ask { return find(c.asks, func(a *ask) bool { return !a.ended }) }

// walletSaid is what the provider says of a request. What has ended stays so, but
// that money which came all the same has come.
func (o *oracle) walletSaid(c *charge, a *ask, out outbound.Outcome) {
	switch {
	case a.paid:
	case a.ended && out == outbound.Succeeded:
		if b := c.live(); b != nil && !b.accepted {
			o.walletRefused(c, b) // nobody has heard of it
		}
		o.walletPaid(c, a)
	case a.ended:
	case out == outbound.Accepted:
		a.accepted = true
		if c.open() && c.ref == a.ref {
			c.state = "accepted"
		}
	case out == outbound.Declined:
		o.walletRefused(c, a)
	default:
		o.walletPaid(c, a)
	}
}

func (o *oracle) walletRefused(c *charge, a *ask) {
	a.refused, a.ended = true, true
	switch {
	case !c.open() || c.ref != a.ref:
	case !o.now.Before(c.until):
		o.expire(c)
	default:
		c.state = "declined"
	}
}

// walletPaid takes a wallet's money in: for the orders while they wait for it, and
// else it goes back by itself.
func (o *oracle) walletPaid(c *charge, a *ask) {
	a.paid, a.ended = true, true
	c.captured += c.amount
	met.add(fmt.Sprint("a wallet's money of a charge that is ", c.state, ", refused before: ", a.refused))
	if c.open() {
		c.state, c.ref = "confirmed", a.ref
		o.clear("window", c.id)
		o.fund(c, purseClearing, false)
		return
	}
	o.book(dr(purseClearing, c.amount), cr("suspense:"+c.id, c.amount))
	o.loose(c, c.amount)
}

// walletWindow is the end of a charge's time: a request that nobody heard of is
// withdrawn, one that its owner may answer is waited for.
func (o *oracle) walletWindow(c *charge) {
	switch a := c.live(); {
	case !c.open():
	case a == nil:
		o.expire(c)
	case a.accepted:
		o.set("window", c.id, o.now.Add(minute))
	default:
		o.walletRefused(c, a)
	}
}

// twice says whether another request of the charge has been paid. Who pays twice,
// once after a refusal, has the later money back; that a provider executed both is
// I13's to tell, and is not played.
func (c *charge) twice(a *ask) bool {
	return find(c.asks, func(b *ask) bool { return b != a && b.paid }) != nil
}

func byWallet(c *charge) bool { return c.method == "wallet" }

// walletSays is an answer of the provider's, or of the phone's owner, about any
// request there was.
func (m *machine) walletSays() {
	c := pick(m, "charge", m.o.charges, func(c *charge) bool {
		return find(c.asks, func(a *ask) bool { return !a.paid }) != nil
	})
	if c == nil || !byWallet(c) {
		return
	}
	a := c.live()
	if a == nil || m.rare("an older one") {
		a = one(m, "request", c.asks)
	}
	out := one(m, "outcome", []outbound.Outcome{outbound.Accepted, outbound.Succeeded, outbound.Declined})
	if out == outbound.Succeeded && c.twice(a) {
		return
	}
	m.hear(a.ref, purse, operations.Inquiry, out, func() { m.o.walletSaid(c, a, out) })
}

// asksAnew is the buyer asking a wallet again that has refused.
func (m *machine) asksAnew() {
	c := pick(m, "charge", m.o.charges, func(c *charge) bool { return c.state == "declined" })
	if c == nil {
		return
	}
	m.do(buyer, func(ctx context.Context, tx *pg.Tx) (said, error) {
		v, err := m.hub.charges.Anew(ctx, tx, charges.AnewInput{Charge: c.id})
		return said{State: string(v.State)}, err
	}, func() string {
		if c.state != "declined" || !m.o.now.Before(c.until) {
			return "charges.not_declined"
		}
		c.ref = fmt.Sprint(c.asks[0].ref, "-", len(c.asks)+1)
		c.state = "created"
		c.asks = append(c.asks, &ask{ref: c.ref})
		return ""
	})
}

// givesUp is the buyer letting the goods of a refused charge go.
func (m *machine) givesUp() {
	c := pick(m, "charge", m.o.charges, func(c *charge) bool { return c.state == "declined" })
	if c == nil {
		return
	}
	m.do(buyer, func(ctx context.Context, tx *pg.Tx) (said, error) {
		v, err := m.hub.charges.GiveUp(ctx, tx, charges.ShowInput{Charge: c.id})
		return said{State: string(v.State)}, err
	}, func() string {
		if c.state != "declined" {
			return "charges.not_declined"
		}
		m.o.expire(c)
		return ""
	})
}

// purseLine is what the provider settles, or takes off a settlement.
func purseLine(ref string, gross, fee int64) []bank.Entry {
	d := detail(ref, gross, fee)
	d.CounterpartyAccount = paperbank.RIB(6)
	return []bank.Entry{line(d)}
}

// walletSettles is the provider's payment for a request, less its fee, which may
// be the first word of it; or it takes off what it gave back.
func (m *machine) walletSettles() {
	r := find(m.o.refunds, func(r *refund) bool { return r.purse && r.state == "confirmed" && !r.told })
	if r != nil && m.bool("a refund") {
		ref := charges.RefOf(m.refund(r))
		if r.attempt > 1 {
			ref += fmt.Sprint("-", r.attempt)
		}
		m.statement(purseLine(ref, -r.amount, 0), func() {
			r.told = true
			m.o.book(dr(purseClearing, r.amount), cr(safeguard, r.amount))
		})
		return
	}
	c := pick(m, "charge", m.o.charges, func(c *charge) bool {
		return find(c.asks, func(a *ask) bool { return a.paid && !a.settled }) != nil
	})
	if c == nil || !byWallet(c) {
		return
	}
	a := find(c.asks, func(a *ask) bool { return !a.settled && (a.paid || a.ended || m.rare("unheard")) })
	if a == nil || c.twice(a) {
		return
	}
	fee := contractFee(c.amount)
	m.statement(purseLine(a.ref, c.amount, fee), func() {
		m.o.walletSaid(c, a, outbound.Succeeded)
		a.settled = true
		if c.state == "confirmed" && c.ref == a.ref {
			m.o.reached(c)
		}
		m.o.book(append(topUp(fee), dr(safeguard, c.amount-fee), dr("psp_cost", fee), cr(purseClearing, c.amount))...)
	})
}

func contractFee(gross int64) int64 {
	fee, _ := contract("", money.Dirhams(gross))
	return fee.Centimes()
}
