package sim_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"tiwiza/adapters/bank/paperbank"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/payments/ledger"
	"tiwiza/payments/operations"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
	"tiwiza/pkg/pg"
	"tiwiza/pkg/rest"
)

// deliveryFee is what a carrier gets for an order.
const deliveryFee = 1000

// dice are n numbers of which none comes more often than another, as rapid's own
// small ones do.
func dice(n int) *rapid.Generator[int] {
	return rapid.Custom(func(t *rapid.T) (roll int) {
		for sides := 1; sides < 16*n; sides *= 2 {
			roll *= 2
			if rapid.Bool().Draw(t, "") {
				roll++
			}
		}
		return roll % n
	})
}

func (m *machine) roll(name string, n int) int { return dice(n).Draw(m.rt, name) }

func (m *machine) int64(name string, from, to int64) int64 {
	return rapid.Int64Range(from, max(from, to)).Draw(m.rt, name)
}
func (m *machine) bool(name string) bool { return rapid.Bool().Draw(m.rt, name) }
func (m *machine) rare(name string) bool { return m.roll(name, 8) == 7 }

// one of some.
func one[T any](m *machine, name string, of []T) T { return of[m.roll(name, len(of))] }

// times is how often something is said: once, and now and then twice.
func (m *machine) times() int {
	if m.roll("times", 4) == 3 {
		return 2
	}
	return 1
}

// pick is one of those that fit, or nil; now and then one that does not.
func pick[T any](m *machine, name string, all []*T, fits func(*T) bool) *T {
	var some []*T
	for _, x := range all {
		if fits(x) {
			some = append(some, x)
		}
	}
	if m.roll("any "+name, 16) == 15 {
		some = all
	}
	if len(some) == 0 {
		return nil
	}
	return rapid.SampledFrom(some).Draw(m.rt, name)
}

// amount is some of what there is, all of it, or a little more.
func (m *machine) amount(have int64) int64 {
	switch m.roll("how much", 6) {
	case 0, 1:
		return have
	case 2:
		if m.rare("odd") {
			return one(m, "odd", []int64{0, -5, have + 1})
		}
	}
	return m.int64("amount", 1, have)
}

// checkout makes orders of one or two sellers, and a charge for them.
func (m *machine) checkout() {
	c := &charge{method: one(m, "method", []string{"card", "card", "card", "wallet", "transfer", "cash_on_delivery"}), state: "accepted"}
	if c.method == "wallet" {
		c.state = "created"
	}
	sale := charges.Sale{Group: fmt.Sprint("grp_", len(m.o.charges)), Buyer: buyer.subject, Method: c.method, Name: "Exemple", Email: "e@example.org", Lang: "fr", Wallet: "+212600000001"}
	var terms []escrow.Terms
	for i := range 1 + m.roll("orders", 3) {
		goods := m.int64("goods", 1000, 30000)
		x := &order{id: fmt.Sprintf("ord_%03d", len(m.o.orders)+i), charge: c, state: "awaiting", amount: goods + deliveryFee}
		x.seller = one(m, "seller", m.o.sellers).id
		if m.bool("carried") {
			x.carrier = "demo"
		}
		if c.method == "cash_on_delivery" {
			x.parcel = "awaited"
		}
		// Five in a hundred are ours, and the VAT of twenty on that; of what the
		// seller is left a tenth is kept back. Half a centime is one.
		fee := (goods*5 + 50) / 100
		tax := (fee*20 + 50) / 100
		rest := goods - fee - tax
		x.legs = split{rest - (rest+5)/10, (rest + 5) / 10, fee, tax, deliveryFee}
		if m.bool("the market helps") { // what the buyer does not pay of the seller's share
			x.market.whole = m.int64("help", 1, x.legs[0]-1)
			x.legs[0] -= x.market.whole
			x.amount -= x.market.whole
		}
		c.orders = append(c.orders, x)
		c.amount += x.amount
	}
	r := m.do(buyer, func(ctx context.Context, tx *pg.Tx) (out said, err error) {
		var sheet escrow.Sheet
		if err := pg.Together(ctx, tx, m.hub.escrows.Fees(&sheet)); err != nil {
			return out, err
		}
		sale.Amount, sale.Parts, terms = money.Dirhams(c.amount), nil, nil
		for _, x := range c.orders {
			legs, _ := sheet.Share(escrow.Sale{Goods: map[string]int64{"oils": x.amount + x.market.whole - deliveryFee}, Delivery: deliveryFee, At: tx.Now()})
			legs.Seller -= x.market.whole
			terms = append(terms, escrow.Terms{
				Order: x.id, Seller: x.seller, Buyer: buyer.subject, Carrier: x.carrier, Amount: money.Dirhams(x.amount), Legs: legs, Bonus: x.market.whole,
				Release: escrow.Windows{Inspection: 72 * time.Hour, Withdrawal: 7 * day},
			})
			sale.Parts = append(sale.Parts, charges.Part{Order: x.id, Amount: money.Dirhams(x.amount), Seller: x.seller, Carrier: x.carrier, Fee: money.Dirhams(deliveryFee)})
		}
		receipt, err := m.hub.charges.Create(ctx, tx, sale)
		if err != nil {
			return out, err
		}
		for _, t := range terms {
			t.Charge = receipt.ID
			if _, err := m.hub.escrows.Open(ctx, tx, t); err != nil {
				return out, err
			}
		}
		_, made, err := m.hub.charges.OfGroup(ctx, tx, sale.Group)
		return said{ID: receipt.ID, Ref: made.Ref}, err
	}, func() string {
		m.o.orders, m.o.charges = append(m.o.orders, c.orders...), append(m.o.charges, c)
		return ""
	})
	c.id, c.ref = r.ID, r.Ref
	switch c.method {
	case "card":
		m.o.set("window", c.id, m.o.now.Add(30*time.Minute))
	case "wallet":
		c.asks = []*ask{{ref: c.ref}}
		c.until = m.o.now.Add(30 * time.Minute)
		m.o.set("window", c.id, c.until)
	case "transfer":
		m.o.set("window", c.id, m.o.now.Add(72*time.Hour))
	}
}

func byCard(c *charge) bool { return c.method == "card" }

// sells is a checkout that is paid at once, and perhaps settled and sent.
func (m *machine) sells() {
	m.checkout()
	c := m.o.charges[len(m.o.charges)-1]
	switch c.method {
	case "card":
		m.approve(c)
		m.hear(c.ref+"-C", acquirer, operations.Inquiry, outbound.Succeeded, func() { m.o.confirm(c) })
		if m.bool("settled") {
			m.settle([]*charge{c})
		}
	case "transfer":
		m.wire(c, c.amount)
	case "wallet":
		out := one(m, "outcome", []outbound.Outcome{outbound.Succeeded, outbound.Succeeded, outbound.Declined, outbound.Accepted})
		m.hear(c.ref, purse, operations.Inquiry, out, func() { m.o.walletSaid(c, c.asks[0], out) })
	default:
		x := c.orders[0]
		m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
			p, err := m.hub.charges.Collect(ctx, tx, x.id, x.amount)
			return said{State: string(p.State)}, err
		}, func() string { return m.o.collect(x, x.amount) })
	}
}

// approve is the acquirer's callback that orders the capture.
func (m *machine) approve(c *charge) {
	m.nonce++
	w := word{Ref: c.ref, State: "approved", Amount: c.amount, Nonce: m.nonce, Signed: true}
	got, err := m.hub.charges.Callback(ctx(m), charges.CallbackInput{Partner: acquirer, Body: rest.Raw{Bytes: asJSON(w)}})
	if err != nil || string(got) != "capture" {
		m.rt.Fatalf("%s of %s is answered %q %v, want capture", m.doing, c.id, got, err)
	}
	c.state = "unknown"
}

// notice is the acquirer's callback: it approves, lies, or is forged. Alone it
// never brings money.
func (m *machine) notice() {
	c := pick(m, "charge", m.o.charges, func(c *charge) bool { return byCard(c) && c.open() })
	if c == nil || !byCard(c) {
		return
	}
	m.nonce++
	m.acted = true
	w := word{Ref: c.ref, State: one(m, "state", []string{"approved", "approved", "declined"}), Amount: c.amount, Nonce: m.nonce, Signed: true}
	want := "acknowledge"
	switch {
	case m.rare("forged"):
		w.Signed, want = false, "trouble"
	case m.rare("another amount"):
		w.Amount += 100
	case w.State == "approved" && (c.open() || c.state == "confirmed"):
		want = "capture"
	}
	for range m.times() {
		got, err := m.hub.charges.Callback(ctx(m), charges.CallbackInput{Partner: acquirer, Body: rest.Raw{Bytes: asJSON(w)}})
		if err != nil || string(got) != want {
			m.rt.Fatalf("%s of %s is answered %q %v, want %q", m.doing, c.id, got, err, want)
		}
		if want == "capture" && c.open() {
			c.state = "unknown"
		}
	}
}

// taken is the acquirer's own word that a charge was captured.
func (m *machine) taken() {
	c := pick(m, "charge", m.o.charges, func(c *charge) bool { return c.state == "unknown" })
	if c == nil || c.state != "unknown" {
		return
	}
	m.hear(c.ref+"-C", acquirer, operations.Inquiry, outbound.Succeeded, func() { m.o.confirm(c) })
}

// lapses is the acquirer's last word on a charge that nobody paid.
func (m *machine) lapses() {
	c := pick(m, "charge", m.o.charges, func(c *charge) bool { return byCard(c) && c.state == "accepted" })
	if c == nil || !byCard(c) || c.state != "accepted" {
		return
	}
	m.hear(c.ref, acquirer, operations.Inquiry, outbound.Declined, func() { m.o.expire(c) })
}

// hear tells the engine what a partner says of an operation: once, or twice.
func (m *machine) hear(ref, connector string, from operations.Source, out outbound.Outcome, then func()) {
	for i := range m.times() {
		m.do(agent, func(ctx context.Context, tx *pg.Tx) (s said, err error) {
			o, err := m.hub.ops.Find(ctx, tx, connector, ref)
			if err != nil {
				return s, err
			}
			o, err = m.hub.ops.Heard(ctx, tx, o.ID, from, outbound.Result{Outcome: out}, fmt.Sprint(ref, " ", from, " ", out))
			return said{State: string(o.State)}, err
		}, func() string {
			if i == 0 {
				then()
			}
			return ""
		})
	}
}

func (m *machine) anyOrder(fits func(*order) bool) *order { return pick(m, "order", m.o.orders, fits) }

func held(x *order) bool { return x.held() > 0 }

func (m *machine) ships() {
	x := m.anyOrder(func(x *order) bool {
		return !x.shipped && (x.state == "funded" || x.state == "released" || x.parcel == "awaited")
	})
	if x == nil {
		return
	}
	m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		return said{}, m.hub.escrows.Shipped(ctx, tx, x.id, tx.Now())
	}, func() string { m.o.ship(x); return "" })
}

func (m *machine) delivers() {
	x := m.anyOrder(func(x *order) bool { return x.shipped && !x.arrived && x.state == "funded" })
	if x == nil || x.arrived {
		return
	}
	m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		return said{}, m.hub.escrows.Delivered(ctx, tx, x.id, tx.Now())
	}, func() string { m.o.deliver(x); return "" })
}

// releases lets some of an escrow go, or all of it, by its buyer.
func (m *machine) releases() {
	x := m.anyOrder(held)
	if x == nil {
		return
	}
	if m.bool("all") {
		m.do(buyer, func(ctx context.Context, tx *pg.Tx) (said, error) {
			h, err := m.hub.escrows.ReleaseOrder(ctx, tx, x.id)
			return said{State: string(h.State)}, err
		}, func() string { return m.o.release(x, x.held()) })
		return
	}
	n := m.amount(x.held())
	m.do(buyer, func(ctx context.Context, tx *pg.Tx) (said, error) {
		by, err := m.hub.escrows.OfOrders(ctx, tx, []string{x.id})
		if err != nil {
			return said{}, err
		}
		v, err := m.hub.escrows.Release(ctx, tx, escrow.ReleaseInput{Escrow: by[x.id].ID, Amount: money.Dirhams(n)})
		return said{State: string(v.State)}, err
	}, func() string { return m.o.release(x, n) })
}

// refunds gives some of an order back: as its seller what is held, as an agent
// also what was released, for goodwill, delivery in it or not.
func (m *machine) refunds() {
	x := m.anyOrder(func(x *order) bool { return x.claim() > 0 })
	if x == nil {
		return
	}
	b := escrow.Back{Order: x.id, HeldOnly: m.bool("seller"), Delivery: m.bool("delivery"), Goodwill: m.bool("goodwill")}
	have := x.claim()
	if b.HeldOnly {
		have = x.held()
	}
	b.Amount = m.amount(have)
	m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		b.Refund = newRefund()
		if err := m.hub.charges.Lock(ctx, tx, x.charge.id); err != nil {
			return said{}, err
		}
		if _, err := m.hub.escrows.TakeBack(ctx, tx, b); err != nil {
			return said{}, err
		}
		r, err := m.hub.charges.Refund(ctx, tx, charges.RefundOrder{ID: b.Refund, Order: x.id, Charge: x.charge.id, Amount: money.Dirhams(b.Amount), Reason: "x", By: "agent"})
		return said{ID: r.ID, State: string(r.State)}, err
	}, func() string { return m.o.takeBack(x, b.Amount, b.Delivery, b.Goodwill, b.HeldOnly) })
}

// refundAnswered is what the acquirer says of a refund over the card, or the
// wallets' provider of one to a phone.
func (m *machine) refundAnswered() {
	r := pick(m, "refund", m.o.refunds, func(r *refund) bool { return (r.card || r.purse) && r.attempt > 0 && !r.done() && !r.waits() })
	if r == nil || !r.card && !r.purse || r.attempt == 0 || r.done() || r.waits() {
		return
	}
	ref, from := charges.RefOf(m.refund(r)), acquirer
	if r.purse {
		from = purse
	}
	if r.attempt > 1 {
		ref += fmt.Sprint("-", r.attempt)
	}
	out := one(m, "outcome", []outbound.Outcome{outbound.Succeeded, outbound.Succeeded, outbound.Declined, outbound.Accepted})
	m.hear(ref, from, operations.Answer, out, func() {
		switch out {
		case outbound.Succeeded:
			m.o.paid(r)
		case outbound.Declined:
			m.o.declined(r)
		default:
			r.state = "sent"
		}
	})
}

// accountGiven is the buyer's account for a refund.
func (m *machine) accountGiven() {
	r := pick(m, "refund", m.o.refunds, (*refund).waits)
	if r == nil {
		return
	}
	m.do(buyer, func(ctx context.Context, tx *pg.Tx) (said, error) {
		v, err := m.hub.charges.Account(ctx, tx, charges.AccountInput{Refund: m.refund(r), RIB: paperbank.RIB(7)})
		return said{State: string(v.State)}, err
	}, func() string { return m.o.giveAccount(r) })
}

// chargebacks are opened, won and lost by the acquirer's message; some are
// forged, said twice, or speak of more than was paid.
func (m *machine) chargebacks() {
	c := pick(m, "charge", m.o.charges, func(c *charge) bool { return byCard(c) && c.captured > 0 })
	if c == nil || !byCard(c) || c.captured == 0 {
		return
	}
	b := find(m.o.cases, func(b *chargeback) bool { return b.charge == c && b.state == "open" })
	w := word{Ref: c.ref, State: "opened", Case: fmt.Sprint("CBK-", len(m.o.cases)), Signed: true}
	if b != nil && !m.rare("another") {
		w.Case, w.Amount, w.State = b.id, b.amount, one(m, "verdict", []string{"won", "lost", "lost", "opened"})
	} else {
		b, w.Amount = nil, m.int64("amount", 1, c.captured)
		if m.rare("too much") {
			w.Amount = c.captured + 1
		}
	}
	want := "acknowledge"
	m.acted = true
	if m.rare("forged") {
		w.Signed, want = false, "trouble"
	}
	for range m.times() {
		got, err := m.hub.charges.CaseCallback(ctx(m), charges.CallbackInput{Partner: acquirer, Body: rest.Raw{Bytes: asJSON(w)}})
		if err != nil || string(got) != want {
			m.rt.Fatalf("%s: %+v is answered %q %v, want %q", m.doing, w, got, err, want)
		}
		if !w.Signed || w.Amount > c.captured {
			continue
		}
		if b == nil {
			b = m.o.opened(c, w.Case, w.Amount, caseFee)
		}
		if w.State != "opened" {
			m.o.decided(b, w.State)
		}
	}
}

func open(d *dispute) bool { return d.state != "resolved" }

func (m *machine) disputed() {
	x := m.anyOrder(func(x *order) bool { return held(x) && len(x.cases) == 0 })
	if x == nil {
		return
	}
	m.do(buyer, func(ctx context.Context, tx *pg.Tx) (said, error) { return m.hub.opens(ctx, tx, x.id) },
		func() string { _, code := m.o.open(x, true); return code })
}

func (m *machine) replied() {
	d := pick(m, "dispute", m.o.disputes, open)
	if d == nil {
		return
	}
	accept := m.rare("accept") || d.state != "open" && m.bool("after all")
	m.do(sellers[0], func(ctx context.Context, tx *pg.Tx) (said, error) {
		return m.hub.replies(ctx, tx, m.dispute(d), accept)
	}, func() string { return m.o.reply(d, accept) })
}

// ruled is an agent's ruling; where it takes two people, the other approves or
// refuses.
func (m *machine) ruled() {
	d := pick(m, "dispute", m.o.disputes, open)
	if d == nil {
		return
	}
	back := min(max(0, m.amount(d.order.held())), d.order.held())
	rest := d.order.held() - back
	if m.rare("not all of it") {
		rest++
	}
	r := m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		return m.hub.rules(ctx, tx, m.dispute(d), back, rest)
	}, func() string { return m.o.propose(d, back, rest) })
	if r.code != "" || r.Then == "" {
		return
	}
	m.decided(r.Then, func() string { return m.o.rule(d, back, rest) }, func() { d.proposed = false })
}

// decided is the second person's word, and before it the first one's, who may
// not.
func (m *machine) decided(approval string, yes func() string, no func()) {
	m.compare()
	m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) { return m.hub.decides(ctx, tx, approval, true) },
		func() string { return "approvals.self" })
	agree := !m.rare("refuse")
	m.do(second, func(ctx context.Context, tx *pg.Tx) (said, error) { return m.hub.decides(ctx, tx, approval, agree) }, func() string {
		if agree {
			return yes()
		}
		no()
		return ""
	})
}

// collects is cash at the door, all of it or part.
func (m *machine) collects() {
	x := m.anyOrder(func(x *order) bool { return x.parcel == "awaited" })
	if x == nil || x.parcel == "" {
		return
	}
	cash := m.amount(x.amount)
	m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		p, err := m.hub.charges.Collect(ctx, tx, x.id, cash)
		return said{State: string(p.State)}, err
	}, func() string { return m.o.collect(x, cash) })
}

func (m *machine) refused() {
	x := m.anyOrder(func(x *order) bool { return x.parcel == "awaited" && x.shipped })
	if x == nil || x.parcel == "" {
		return
	}
	brought := x.shipped && m.bool("brought")
	m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		p, err := m.hub.charges.Refuse(ctx, tx, x.id, "absent", brought)
		return said{State: string(p.State)}, err
	}, func() string {
		code := m.o.refuse(x, brought)
		if code == "" {
			m.o.parcels(x.charge)
		}
		return code
	})
}

// parcels ends a cash charge with its last parcel.
func (o *oracle) parcels(c *charge) {
	var cash int64
	for _, x := range c.orders {
		if x.parcel == "awaited" || x.parcel == "collected" {
			return
		}
		cash += x.collected
	}
	if cash == 0 {
		c.state = "expired"
		return
	}
	c.settled = true
}

func (m *machine) payouts() {
	s := one(m, "seller", m.o.sellers)
	if m.o.free(s) <= 0 && !m.rare("nothing") {
		return
	}
	all := m.rare("all")
	n := m.amount(max(0, m.o.free(s)))
	i := slices.Index(m.o.sellers, s)
	m.do(sellers[i], func(ctx context.Context, tx *pg.Tx) (said, error) { return m.hub.pays(ctx, tx, n, all) },
		func() string { return m.o.payOut(s, n, all) })
}

func (m *machine) dispatches() {
	m.acted = true
	if err := m.hub.files.Dispatch(ctx(m), house); err != nil {
		m.rt.Fatal(err)
	}
	m.o.dispatch()
}

// payoutRefused is the bank's report on a payout.
func (m *machine) payoutRefused() {
	p := pick(m, "payout", m.o.payouts, func(p *payout) bool { return p.state == "sent" })
	if p == nil || p.state != "sent" {
		return
	}
	m.hear(charges.RefOf(m.rows(payoutRows)[p.n]), house, operations.Callback, outbound.Declined, func() { m.o.back(p, "rejected") })
}

// newAccount is another bank account of a seller's.
func (m *machine) newAccount() {
	s := one(m, "seller", m.o.sellers)
	s.account++
	m.hub.ribs[s.id] = s.account
}

func (m *machine) tops() {
	m.do(agent, m.hubMove((*hub).tops), m.o.topsUp)
}

func (m *machine) sweeps() {
	m.do(agent, m.hubMove((*hub).sweeps), m.o.sweeps)
}

// hubMove runs on whichever hub there is by then.
func (m *machine) hubMove(f func(*hub, context.Context, *pg.Tx) (said, error)) step {
	return func(ctx context.Context, tx *pg.Tx) (said, error) { return f(m.hub, ctx, tx) }
}

// halts stops all money out, or lets it go on by two people's word.
func (m *machine) halts() {
	if !m.o.halted && !m.rare("halting") {
		return
	}
	on := !m.o.halted
	m.acted = true
	approval, err := m.hub.switches(ctx(m), on)
	if err != nil {
		m.rt.Fatal(err)
	}
	if on {
		m.o.halted = true
		return
	}
	m.decided(approval, func() string { m.o.halted = false; return "" }, func() {})
}

// keeps holds some of what a seller has back, or lets it go.
func (m *machine) keeps() {
	s := one(m, "seller", m.o.sellers)
	const name = "by hand"
	hold := ledger.Hold{ID: fmt.Sprint(name, " ", s.id, " ", m.o.holdings), Account: available(s), Currency: money.MAD, Why: "an example"}
	if _, on := s.kept[name]; on {
		hold.ID = s.hold
		m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) { return said{}, m.hub.books.Drop(ctx, tx, hold.ID) },
			func() string { delete(s.kept, name); return "" })
		return
	}
	if m.o.free(s) <= 0 && !m.rare("nothing") {
		return
	}
	hold.Amount = m.int64("amount", 1, m.o.free(s)+1)
	m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) { return said{}, m.hub.books.Hold(ctx, tx, hold) }, func() string {
		if hold.Amount > m.o.free(s) {
			return "ledger.overdraft"
		}
		m.o.holdings++
		s.kept[name], s.hold = hold.Amount, hold.ID
		return ""
	})
}

// reverses takes a transfer made by hand back, once however often it is asked.
func (m *machine) reverses() {
	key := fmt.Sprint("more capital ", m.n)
	n := m.int64("amount", 1, 1000)
	m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
		return said{}, m.hub.books.Post(ctx, tx, ledger.Transfer{Key: key, Kind: "capital", Currency: money.MAD, Legs: []ledger.Leg{
			ledger.Debit(ledger.Operating(house), n), ledger.Credit(ledger.Capital, n),
		}})
	}, func() string { m.o.book(dr(operating, n), cr("capital", n)); return "" })
	for i := range 2 {
		m.do(agent, func(ctx context.Context, tx *pg.Tx) (said, error) {
			by, err := m.hub.books.Reverse(ctx, tx, fmt.Sprint(key, " back ", i), key, "a mistake")
			return said{ID: by}, err
		}, func() string {
			if i == 0 {
				m.o.book(dr("capital", n), cr(operating, n))
			}
			return ""
		})
	}
}
