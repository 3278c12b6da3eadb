package main

import (
	"slices"
	"strings"
)

// lastStates are the states in which an order may end, the best first.
var lastStates = []string{"completed", "delivered", "shipped", "refunded", "cancelled", "refused", "expired"}

// tellOrders counts the orders by way and last state, and by what was meant to
// happen.
func (d *day) tellOrders(r *report, e ends) {
	r.counts, r.worth, r.fates = map[string]map[string]int{}, map[string]int64{}, map[string][]line{}
	refunds, disputes, orders := line{what: "refunds that reached their buyers"}, line{what: "disputes ruled, or ended by time"}, 0
	for _, er := range d.script {
		for _, o := range er.rec.Orders {
			v := e.orders[o.ID]
			orders++
			if r.counts[v.State] == nil {
				r.counts[v.State] = map[string]int{}
				r.states = append(r.states, v.State)
			}
			r.counts[v.State][er.way]++
			r.worth[v.State] += v.Totals.Total.Centimes()
			if v.State != er.ends {
				r.bad("order %s (%s, %s) is %s, not %s", o.ID, er.way, er.name, v.State, er.ends)
			}
			for _, b := range v.Refunds {
				if b.State == "confirmed" {
					refunds.n++
					refunds.sum += b.Amount.Centimes()
				}
			}
			if strings.HasPrefix(er.name, "disputed") && v.Case == nil {
				disputes.n++
			}
		}
	}
	slices.SortFunc(r.states, func(a, b string) int { return slices.Index(lastStates, a) - slices.Index(lastStates, b) })
	if orders != d.Orders {
		r.bad("%d orders were made, not %d", orders, d.Orders)
	}
	for i := range fates {
		n := 0
		for _, er := range d.script {
			if er.fate == &fates[i] {
				n += len(er.rec.Orders)
			}
		}
		if n > 0 {
			r.fates[fates[i].way] = append(r.fates[fates[i].way], line{what: fates[i].name, n: n})
		}
	}
	cases := line{what: "chargebacks: payments taken back by a buyer’s bank"}
	for _, c := range e.chargebacks {
		cases.n++
		cases.sum += c.Amount.Centimes()
	}
	paid := line{what: "payouts that the bank’s statement shows"}
	for _, p := range e.payouts {
		if p.State == "paid" {
			paid.n++
			paid.sum += p.Amount.Centimes()
		}
	}
	r.events = []line{
		refunds, disputes, cases, paid,
		{what: "payout that came back three days later", n: 1, sum: d.returned.Amount.Centimes()},
		{what: "payout whose answer the bank lost, paid once", n: 1, sum: d.unheard.Amount.Centimes()},
		d.told("parcels refused at the door", "refused at the door"),
		{what: "days closed", n: len(e.closings)},
	}
}

// told counts the orders of the fates whose name begins so.
func (d *day) told(what, name string) line {
	l := line{what: what}
	for _, e := range d.script {
		if strings.HasPrefix(e.name, name) {
			l.n += len(e.rec.Orders)
		}
	}
	return l
}

// flows are sums of what the partners themselves say they did.
type flows struct {
	n   map[string]int
	sum map[string]int64
}

func (f *flows) add(what string, c int64) { f.n[what]++; f.sum[what] += c }

func (f *flows) line(what string, keys ...string) (l line) {
	l.what = what
	for _, k := range keys {
		l.n += f.n[k]
		l.sum += f.sum[k]
	}
	return l
}

// partners sorts what the partners did.
func (d *day) partnersDid(e ends) *flows {
	f := &flows{map[string]int{}, map[string]int64{}}
	left := map[string]bool{}
	for _, x := range e.truth {
		if x.Partner == "bank" && (x.Kind == "payout" || x.Kind == "refund") {
			left[x.Ref] = true
		}
	}
	for _, x := range e.truth {
		partner := x.Partner
		if partner == "acquirer2" { // where charges go while the first does not answer
			partner = "acquirer"
		}
		kind := partner + " " + x.Kind
		switch {
		case kind != "bank credit":
		case strings.HasPrefix(x.Ref, "STL-"), strings.HasPrefix(x.Ref, "ST2-"):
			kind = "settled"
		case left[x.Ref]:
			kind = "returned"
		}
		f.add(kind, x.Amount.Centimes())
	}
	for _, c := range e.cases {
		f.add("case "+c.State, c.Amount.Centimes())
		f.add("case fee", c.Fee.Centimes())
	}
	for _, c := range e.cash {
		if !c.Collected.IsZero() {
			f.add("collected", c.Collected.Centimes())
		}
		if !c.Owed.IsZero() {
			f.add("owed", c.Owed.Centimes())
		}
		if !c.Lost.IsZero() {
			f.add("lost", c.Lost.Centimes())
		}
	}
	for _, p := range e.payouts {
		who, _, _ := strings.Cut(p.Beneficiary, ":")
		f.add("payout "+who+" "+p.State, p.Amount.Centimes())
	}
	return f
}

// tellMoney follows the money from where it came to where it is, by the word of
// the partners and not by the books; the two are compared.
func (d *day) tellMoney(r *report, e ends) {
	f := d.partnersDid(e)
	same := func(what string, a, b int64) {
		if a != b {
			r.bad("%s: %s, and yet %s", what, grouped(a), grouped(b))
		}
	}
	books := map[string]int64{}
	for _, a := range e.trial {
		books[a.code] += a.sum
	}
	wired := line{what: "transferred by buyers, as the bank says", n: d.pieces[byWire], sum: f.sum["bank credit"] - d.remits.Centimes() - d.stray.Centimes()}
	same("transferred by buyers", wired.sum, d.in[byWire].Centimes())
	same("collected in cash", f.sum["collected"], d.in[onDelivery].Centimes())
	r.in = []line{
		f.line("paid by card, as the acquirer says", "acquirer capture"),
		wired,
		f.line("paid in cash at the door, as couriers say", "collected"),
		{what: "transferred by somebody unknown", n: 1, sum: d.stray.Centimes()},
		{what: "our own money, when the market opened", n: 1, sum: -books["capital"]},
	}
	back := f.line("back to buyers’ accounts, as the bank says", "bank refund")
	sellers, carriers := f.line("paid to the cooperatives, as the bank says", "payout seller paid"), f.line("paid to the carrier, as the bank says", "payout carrier paid")
	same("paid out, and not come back", f.sum["bank payout"]+f.sum["bank refund"]-f.sum["returned"], sellers.sum+carriers.sum+back.sum)
	kept := line{what: "kept by the carrier of its cash: fees, handling", n: len(d.remit)}
	kept.sum = f.sum["collected"] - d.remits.Centimes() - f.sum["owed"] - f.sum["lost"]
	fees := line{what: "kept by the acquirer: 1.8 % and fees of chargebacks", n: f.n["acquirer capture"] + f.n["case fee"]}
	fees.sum = f.sum["acquirer capture"] - f.sum["acquirer void"] - f.sum["acquirer refund"] - f.sum["case lost"] - f.sum["case opened"] - f.sum["settled"]
	same("what acquirer and carrier cost", fees.sum+int64(len(d.remit))*100, books["psp_cost"]+books["dispute_cost"])
	r.out = []line{
		f.line("back to cards, as the acquirer says", "acquirer void", "acquirer refund"), back,
		f.line("taken back by buyers’ banks, for good", "case lost"),
		sellers, carriers, kept, fees,
		f.line("never remitted by the carrier, and given up", "lost"),
	}
	r.now = []line{
		{what: "clients’ account, as the bank’s statement says", n: 1, sum: e.safeguard.Closing.Centimes()},
		{what: "our own account, as the bank’s statement says", n: 1, sum: e.operating.Closing.Centimes()},
		f.line("taken back by a buyer’s bank, and contested", "case opened"),
		f.line("with the carrier, not remitted yet", "owed"),
	}
	total := func(all []line) (sum int64) {
		for _, l := range all {
			sum += l.sum
		}
		return sum
	}
	same("what came in, and where it is", total(r.in), total(r.out)+total(r.now))
}
