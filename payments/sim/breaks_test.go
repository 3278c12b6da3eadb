package sim_test

import (
	"context"
	"fmt"
	"time"

	"tiwiza/adapters/bank"
	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/recon"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Lines of the bank's that nobody knows, and what people make of them.

const minute = time.Minute

// A stray is a break about one line: money that came and waits in suspense, or
// that left and is not booked.
type stray struct {
	about  string // the statement
	amount int64  // + came
	state  string // open, snoozed, resolved
}

func (b *stray) size() int64 { return max(b.amount, -b.amount) }

func (b *stray) suspense() string { return "suspense:" + b.about }

func (o *oracle) breaksText() map[string]string {
	out := map[string]string{}
	for _, b := range o.strays {
		kind := map[bool]string{true: "suspense", false: "unmatched"}[b.amount > 0]
		out[b.about] = fmt.Sprint(kind, " ", b.amount, " ", b.state)
	}
	return out
}

// stray is a line without a reference: of nobody, or of a payout of ours whose
// reference the bank has lost.
func (m *machine) stray() {
	b := &stray{amount: m.int64("amount", 1, 15_000), state: "open"}
	if m.bool("left") {
		b.amount = -b.amount
		if p := find(m.o.payouts, func(p *payout) bool { return p.state == "sent" }); p != nil && m.bool("a payout") {
			b.amount = -p.amount
		}
	}
	sum := money.Dirhams(b.amount)
	d := bank.Detail{Amount: sum, Gross: sum, Fee: money.Dirhams(0), Info: "divers", Counterparty: "INCONNU", CounterpartyAccount: paperbank.RIB(9)}
	m.statement([]bank.Entry{line(d)}, func() {
		b.about = fmt.Sprint("S", m.said)
		m.o.strays = append(m.o.strays, b)
		if b.amount > 0 {
			m.o.book(dr(safeguard, b.amount), cr(b.suspense(), b.amount))
		}
	})
}

// resolves is what people say a break is: a payout or a buyer's transfer, the
// bank's fee, nothing that can be found, some of each; or they look again later.
func (m *machine) resolves() {
	b := pick(m, "break", m.o.strays, func(b *stray) bool { return b.state != "resolved" })
	if b == nil {
		return
	}
	in := recon.ResolveInput{By: one(m, "by", []string{"match", "split", "fee", "write_off", "snooze"}), Note: "an example"}
	var want func() string
	switch in.By {
	case "snooze":
		until := m.o.now.Add(time.Duration(m.int64("days", 1, 31)) * day)
		in.Until = &until
		want = func() string { return m.o.snooze(b, until) }
	case "match":
		in.To, want = m.matches(b)
	case "split":
		fee := m.amount(b.size())
		rest := b.size() - fee
		in.Parts = []recon.Piece{{By: "fee", Amount: money.Dirhams(fee)}, {By: "write_off", Amount: money.Dirhams(rest)}}
		want = func() string { return m.o.gone(b, fee, rest, fee > 0 && rest > 0) }
	case "fee":
		want = func() string { return m.o.gone(b, b.size(), 0, true) }
	default:
		want = func() string { return m.o.gone(b, 0, b.size(), true) }
	}
	two := b.size() > 100_00 && in.By != "match" && in.By != "snooze"
	sound := func() string {
		switch {
		case b.state == "resolved":
			return "breaks.resolved"
		case in.By == "split" && (in.Parts[0].Amount.Sign() <= 0 || in.Parts[1].Amount.Sign() <= 0):
			return "breaks.pieces"
		}
		return ""
	}
	r := m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		in.Break = m.rows(`select id from recon.break where about = '` + b.about + `'`)[0]
		v, err := m.hub.recon.Resolve(ctx, tx, in)
		return said{State: string(v.State), Then: v.Approval}, err
	}, func() string {
		if code := sound(); code != "" || two {
			return code
		}
		return want()
	})
	if r.code != "" || (r.Then != "") != two {
		if r.code == "" {
			m.rt.Fatalf("%s of %d waits for approval %q", m.doing, b.amount, r.Then)
		}
		return
	}
	if two {
		m.decided(r.Then, want, func() {})
	}
}

// matches is what a break is said to be, and what comes of that.
func (m *machine) matches(b *stray) (string, func() string) {
	if b.amount < 0 {
		p := pick(m, "payout", m.o.payouts, func(p *payout) bool { return p.state == "sent" })
		if p == nil || p.state != "sent" {
			return "pay_nothing", func() string { return b.fits("breaks.target") }
		}
		return m.rows(payoutRows)[p.n], func() string {
			if code := b.fits(""); code != "" || p.amount != b.size() {
				return b.fits("breaks.unfit")
			}
			b.state = "resolved"
			m.o.clear("wake", b.about)
			p.state = "paid"
			met.add("a break resolved → a payout")
			m.o.book(dr(p.ledgerName(), p.amount), cr(safeguard, p.amount))
			return ""
		}
	}
	c := pick(m, "charge", m.o.charges, func(c *charge) bool { return c.method == "transfer" })
	if c == nil || c.method != "transfer" {
		return "nothing", func() string { return b.fits("breaks.target") }
	}
	return c.id, func() string {
		if code := b.fits(""); code != "" {
			return code
		}
		b.state = "resolved"
		m.o.clear("wake", b.about)
		met.add("a break resolved → a transfer that is " + c.state)
		m.o.wiredFrom(c, b.amount, b.suspense())
		return ""
	}
}

// fits is otherwise, unless the break is resolved already.
func (b *stray) fits(otherwise string) string {
	if b.state == "resolved" {
		return "breaks.resolved"
	}
	return otherwise
}

func (o *oracle) snooze(b *stray, until time.Time) string {
	switch {
	case b.state == "resolved":
		return "breaks.resolved"
	case until.After(o.now.Add(30 * day)):
		return "breaks.until"
	}
	b.state = "snoozed"
	o.set("wake", b.about, until)
	return ""
}

// gone gives a break up: some of it as the bank's fee, the rest as our loss. What
// came is ours then.
func (o *oracle) gone(b *stray, fee, loss int64, sound bool) string {
	switch {
	case b.state == "resolved":
		return "breaks.resolved"
	case !sound:
		return "breaks.pieces"
	}
	b.state = "resolved"
	o.clear("wake", b.about)
	if b.amount > 0 {
		o.book(dr(b.suspense(), b.amount), cr(safeguard, b.amount))
		o.book(dr(safeguard, fee), dr(operating, fee), cr("psp_cost", fee), cr(transit, fee))
		o.book(dr(safeguard, loss), cr("loss", loss))
		return ""
	}
	for account, n := range map[string]int64{"psp_cost": fee, "loss": loss} {
		o.book(dr(account, n), dr(transit, n), cr(safeguard, n), cr(operating, n))
	}
	return ""
}
