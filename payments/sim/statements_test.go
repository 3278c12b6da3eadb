package sim_test

import (
	"context"
	"fmt"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/charges"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// The bank's statements: the strongest evidence there is.

// statement has the bank say what happened, once or twice.
func (m *machine) statement(entries []bank.Entry, then func()) {
	m.said++
	at := m.o.now
	st := bank.Statement{
		Kind: bank.OfAccount, ID: fmt.Sprint("S", m.said), Account: paperbank.RIB(1), Currency: money.MAD, Sequence: int64(m.said),
		Page: 1, LastPage: true, Created: at, HasBalances: true, Opening: money.Dirhams(m.closing), Entries: entries,
	}
	for i, e := range entries {
		entries[i].Booked, entries[i].BookedOn = true, at
		entries[i].BankRef = fmt.Sprint("B", m.said, "-", i)
		m.closing += e.Amount.Centimes()
	}
	st.Closing = money.Dirhams(m.closing)
	f := paperbank.Received(st.ID, bank.Message{Statements: []bank.Statement{st}})
	for i := range m.times() {
		m.do(theBank, func(ctx context.Context, tx *pg.Tx) (said, error) {
			v, err := m.hub.takes(ctx, tx, rest.File{Name: f.Name + f.SHA256[:4], Bytes: f.Bytes})
			return said{ID: v}, err
		}, func() string {
			if i == 0 {
				then()
			}
			return ""
		})
	}
}

func line(d bank.Detail) bank.Entry {
	return bank.Entry{Amount: d.Amount, Details: []bank.Detail{d}}
}

func detail(ref string, gross, fee int64) bank.Detail {
	return bank.Detail{Ref: ref, Amount: money.Dirhams(gross - fee), Gross: money.Dirhams(gross), Fee: money.Dirhams(fee), CounterpartyAccount: paperbank.RIB(8)}
}

// settles is the acquirer's payment for some charges, less its fee; it may be
// the first word of them, or come for an order that has ended.
func (m *machine) settles() {
	var of []*charge
	for _, c := range m.o.charges {
		if byCard(c) && !c.settled && (c.state != "accepted" || m.rare("unheard")) {
			of = append(of, c)
		}
	}
	if len(of) == 0 {
		return
	}
	m.settle(of[:1+m.roll("charges", len(of))])
}

func (m *machine) settle(of []*charge) {
	e := bank.Entry{Amount: money.Dirhams(0)}
	var gross, fees int64
	for _, c := range of {
		d := detail(c.ref, c.amount, c.amount/50)
		e.Amount = e.Amount.Add(d.Amount)
		e.Details = append(e.Details, d)
		gross, fees = gross+c.amount, fees+c.amount/50
	}
	m.statement([]bank.Entry{e}, func() {
		for _, c := range of {
			m.o.settle(c)
		}
		m.o.settled(gross, fees)
	})
}

// deducts is the acquirer taking off what it gave back, or what a buyer's bank
// took, or giving a won case again.
func (m *machine) deducts() {
	r := find(m.o.refunds, func(r *refund) bool { return r.card && r.state == "confirmed" && !r.told })
	b := find(m.o.cases, func(b *chargeback) bool { return !b.shown || b.state == "won" && !b.again })
	switch {
	case r != nil && (b == nil || m.bool("a refund")):
		// Of refunds of one charge and sum, the first is the one that is meant.
		m.statement([]bank.Entry{line(detail(r.charge.ref, -r.amount, 0))}, func() {
			r.told = true
			m.o.book(dr(clearing, r.amount), cr(safeguard, r.amount))
		})
	case b == nil:
	case !b.shown:
		d := detail(b.charge.ref, -b.amount, caseFee)
		d.InstructionID = b.id
		m.statement([]bank.Entry{line(d)}, func() {
			b.shown = true
			m.o.book(dr(clearing, b.amount+caseFee), cr(safeguard, b.amount+caseFee))
		})
	default:
		d := detail(b.charge.ref, b.amount, 0)
		d.InstructionID = b.id
		m.statement([]bank.Entry{line(d)}, func() {
			b.again = true
			m.o.book(dr(safeguard, b.amount), cr(clearing, b.amount))
		})
	}
}

// wires is a buyer's transfer: in parts, too much, too late.
func (m *machine) wires() {
	c := pick(m, "charge", m.o.charges, func(c *charge) bool { return c.method == "transfer" && c.open() })
	if c == nil || c.method != "transfer" {
		return
	}
	n := c.amount - c.captured + c.back
	if m.roll("whole", 3) == 0 || n <= 0 {
		n = m.int64("amount", 1, c.amount+500)
	}
	m.wire(c, n)
}

func (m *machine) wire(c *charge, n int64) {
	d := bank.Detail{Amount: money.Dirhams(n), Gross: money.Dirhams(n), Fee: money.Dirhams(0), Info: "virement " + c.ref, Counterparty: "ACHETEUR", CounterpartyAccount: paperbank.RIB(9)}
	m.statement([]bank.Entry{line(d)}, func() { m.o.wired(c, n) })
}

// leaves is money of ours that the bank's statement shows as gone.
func (m *machine) leaves() {
	var refs []string
	var sums []int64
	var then []func()
	payoutIDs, moveIDs := m.rows(payoutRows), m.rows(moveRows)
	for _, p := range m.o.payouts {
		if p.state == "sent" || p.state == "rejected" && m.rare("paid all the same") {
			p := p
			refs, sums = append(refs, charges.RefOf(payoutIDs[p.n])), append(sums, -p.amount)
			then = append(then, func() {
				if p.state == "rejected" {
					m.o.contradicted(p)
					return
				}
				p.state = "paid"
				m.o.book(dr(p.ledgerName(), p.amount), cr(safeguard, p.amount))
			})
		}
	}
	for _, r := range m.o.refunds {
		if r.state == "sent" && !r.card && !r.purse {
			ref := charges.RefOf(m.refund(r))
			if r.attempt > 1 {
				ref += fmt.Sprint("-", r.attempt)
			}
			refs, sums = append(refs, ref), append(sums, -r.amount)
			then = append(then, func() { m.o.paid(r) })
		}
	}
	for _, v := range m.o.moves {
		if v.state == "under way" {
			sign := int64(1)
			if v.sweep {
				sign = -1
			}
			refs, sums = append(refs, charges.RefOf(moveIDs[v.n])), append(sums, sign*v.amount)
			then = append(then, func() { m.o.moved(v, 1) })
		}
	}
	if len(refs) == 0 {
		return
	}
	i := m.roll("which", len(refs))
	m.statement([]bank.Entry{line(detail(refs[i], sums[i], 0))}, then[i])
}

// returns is a payment of ours that came back, days later. One that the bank had
// refused before it paid it is for people then, and is not played.
func (m *machine) returns() {
	back := func(ref string, sum int64, then func()) {
		d := detail(ref, sum, 0)
		d.ReturnReason = "AC04"
		m.statement([]bank.Entry{line(d)}, then)
	}
	if p := find(m.o.payouts, func(p *payout) bool { return p.state == "paid" && !p.against }); p != nil && m.bool("a payout") {
		back(charges.RefOf(m.rows(payoutRows)[p.n]), p.amount, func() { m.o.back(p, "returned") })
		return
	}
	r := find(m.o.refunds, func(r *refund) bool { return r.state == "confirmed" && !r.card && !r.purse })
	if r == nil {
		return
	}
	ref := charges.RefOf(m.refund(r))
	if r.attempt > 1 {
		ref += fmt.Sprint("-", r.attempt)
	}
	back(ref, r.amount, func() { m.o.returned(r) })
}

// remits is what a carrier brings of its cash: announced, whole or less; or given
// up by two people.
func (m *machine) remits() {
	x := m.anyOrder(func(x *order) bool { return x.parcel == "collected" })
	if x == nil || x.parcel != "collected" {
		return
	}
	carrier, fee := x.seller, int64(0)
	if x.carrier != "" {
		carrier, fee = x.carrier, min(deliveryFee, x.collected)
	}
	fee -= x.kept
	owed := x.collected - x.covered
	if m.rare("give up") {
		m.writesOff(x, carrier, owed)
		return
	}
	fee = min(fee, owed)
	handling := min(m.int64("handling", 0, 50), x.collected*5/100)
	if owed-fee-handling <= 0 {
		return
	}
	net := owed - fee - handling
	list := m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		h := money.Dirhams(handling)
		v, err := m.hub.charges.Remit(ctx, tx, charges.RemitInput{Carrier: carrier, Orders: []string{x.id}, Handling: &h})
		return said{ID: v.ID, Ref: v.Reference, Sum: v.Net.Centimes()}, err
	}, func() string { return "" })
	if list.Sum != net {
		m.rt.Fatalf("%s: the list is of %d, want %d", m.doing, list.Sum, net)
	}
	m.compare()
	came := net
	if m.rare("short") {
		came = m.int64("came", 1, net)
	}
	d := bank.Detail{Amount: money.Dirhams(came), Gross: money.Dirhams(came), Fee: money.Dirhams(0), Info: "remise " + list.Ref}
	m.statement([]bank.Entry{line(d)}, func() {
		if came < net { // it accounts for itself only
			fee, handling = 0, 0
		}
		legs := append(topUp(handling), dr(safeguard, came), dr("psp_cost", handling), cr("carrier:"+carrier+":cod", came+fee+handling))
		if fee > 0 {
			legs = append(legs, dr(payable(carrier), fee))
		}
		m.o.book(legs...)
		x.covered, x.kept = x.covered+came+fee+handling, x.kept+fee
		m.o.accounted(x, "remitted")
	})
}

func (m *machine) writesOff(x *order, carrier string, owed int64) {
	r := m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		v, err := m.hub.charges.WriteOff(ctx, tx, charges.WriteOffInput{Order: x.id, Reason: "exemple"})
		return said{Then: v.Approval}, err
	}, func() string { return "" })
	m.decided(r.Then, func() string {
		bears := "loss"
		if carrier == x.seller { // who brought its goods itself owes the cash
			bears = "seller:" + x.seller + ":receivable"
		}
		m.o.book(append(topUp(owed), dr(bears, owed), cr("carrier:"+carrier+":cod", owed))...)
		x.covered = x.collected
		m.o.accounted(x, "lost")
		return ""
	}, func() {})
}

// accounted ends the cash of an order that is all there, or given up.
func (o *oracle) accounted(x *order, state string) {
	if x.covered < x.collected {
		return
	}
	x.parcel = state
	o.remitted(x)
	o.parcels(x.charge)
}

// takes reads a statement as the bank hands it in.
func (h *hub) takes(ctx context.Context, tx *pg.Tx, f rest.File) (string, error) {
	v, err := h.recon.Upload(ctx, tx, reconUpload(f))
	return v.ID, err
}
