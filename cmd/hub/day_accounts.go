package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// An entryNow is one entry of an account's statement.
type entryNow struct {
	Kind, Side string
	Amount     moneyView
}

// kindNames are the kinds of transfers as people say them: one, and several.
var kindNames = map[string][2]string{
	"capital":             {"payment of ours", "payments of ours"},
	"escrow.fund":         {"payment", "payments"},
	"escrow.release":      {"release", "releases"},
	"dispute.ruling":      {"ruling", "rulings"},
	"refund.intent":       {"refund", "refunds"},
	"refund.paid":         {"refund paid", "refunds paid"},
	"refund.undone":       {"refund undone", "refunds undone"},
	"refund.returned":     {"refund returned", "refunds returned"},
	"chargeback.opened":   {"chargeback", "chargebacks"},
	"chargeback.won":      {"chargeback won", "chargebacks won"},
	"chargeback.lost":     {"chargeback lost", "chargebacks lost"},
	"cash.collected":      {"parcel’s cash", "parcels’ cash"},
	"cash.refused":        {"parcel brought in vain", "parcels brought in vain"},
	"cash.remitted":       {"parcel’s cash remitted", "parcels’ cash remitted"},
	"cash.lost":           {"parcel’s cash given up", "parcels’ cash given up"},
	"settlement":          {"settlement", "settlements"},
	"settlement.negative": {"settlement the other way", "settlements the other way"},
	"suspense":            {"credit", "credits"},
	"suspense.matched":    {"credit explained", "credits explained"},
	"suspense.refund":     {"credit sent back", "credits sent back"},
	"payout.intent":       {"payout", "payouts"},
	"payout.paid":         {"payout paid", "payouts paid"},
	"payout.returned":     {"payout returned", "payouts returned"},
	"payout.rejected":     {"payout rejected", "payouts rejected"},
	"top_up":              {"top-up", "top-ups"},
	"sweep":               {"sweep", "sweeps"},
}

// classes are the accounts in the order in which they are told: what there is,
// whose it is, what it cost.
var classOrder = []string{
	"bank:*:safeguard", "bank:*:transit", "psp:*:clearing", "psp:*:disputed", "carrier:*:cod", "bank:*:operating", "seller:*:receivable",
	"escrow:*", "seller:*:available", "seller:*:reserve", "payout:*", "refund:*", "payable:carrier:*", "payable:insurer:*", "suspense:*",
	"payable:vat", "fees", "psp_cost", "dispute_cost", "promotions", "loss", "capital",
}

// classOf is an account's class, its name left out, and that name.
func classOf(code string) (class, name string) {
	for _, c := range classOrder {
		before, after, star := strings.Cut(c, "*")
		if !star && code == c {
			return c, ""
		}
		if star && len(code) > len(before)+len(after) && strings.HasPrefix(code, before) && strings.HasSuffix(code, after) {
			if name = code[len(before) : len(code)-len(after)]; !strings.Contains(name, ":") {
				return c, name
			}
		}
	}
	return code, ""
}

// tellAccounts names each account with a balance and what it stands for. The
// balance must be that of its entries, and where somebody else knows the sum (a
// partner, an order, a break) it must be theirs too.
func (d *day) tellAccounts(ctx context.Context, r *report, e ends) error {
	trial := slices.SortedFunc(slices.Values(e.trial), func(a, b trialLine) int {
		ca, na := classOf(a.code)
		cb, nb := classOf(b.code)
		return cmp.Or(slices.Index(classOrder, ca)-slices.Index(classOrder, cb), cmp.Compare(d.called(ca, na), d.called(cb, nb)))
	})
	for _, a := range trial {
		class, name := classOf(a.code)
		if slices.Index(classOrder, class) < 0 {
			r.bad("nobody knows what the account %s is", a.code)
			continue
		}
		made, n, sum, err := d.madeOf(ctx, a.code)
		if err != nil {
			return err
		}
		if sum != a.sum {
			r.bad("the entries of %s make %s, its balance is %s", a.code, grouped(sum), grouped(a.sum))
		}
		known, of, sure := d.knownBy(e, class, name)
		switch {
		case sure && known != a.sum:
			r.bad("%s has %s; %s says %s", a.code, grouped(a.sum), of, grouped(known))
		case of == "":
			r.bad("%s has %s, and nobody says why", a.code, grouped(a.sum))
		}
		r.accounts = append(r.accounts, line{what: d.called(class, name), n: n, sum: a.sum, note: of + " (" + made + ")"})
	}
	return nil
}

// called is an account as people know it.
func (d *day) called(class, name string) string {
	for _, s := range d.shops {
		if s.org == name {
			name = strings.TrimSuffix(strings.TrimPrefix(s.name, "Coopérative "), " (exemple)")
		}
	}
	if len(name) > 24 {
		name = name[:4] + "…" + name[len(name)-6:]
	}
	return strings.Replace(class, "*", name, 1)
}

// madeOf says of what an account's balance is made.
func (d *day) madeOf(ctx context.Context, code string) (what string, n int, sum int64, err error) {
	entries, err := pages[entryNow](ctx, d, "/v1/ledger/accounts/"+url.PathEscape(code)+"/entries")
	if err != nil {
		return "", 0, 0, err
	}
	counts := map[string]int{}
	for _, en := range entries {
		counts[en.Kind]++
		if en.Side == "debit" {
			sum += en.Amount.Centimes()
		} else {
			sum -= en.Amount.Centimes()
		}
	}
	var parts []string
	for _, kind := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b)) }) {
		if len(parts) == 3 {
			parts = append(parts, "and others")
			break
		}
		names, ok := kindNames[kind]
		if !ok {
			names = [2]string{kind, kind}
		}
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], names[min(1, counts[kind]-1)]))
	}
	return strings.Join(parts, ", "), len(entries), sum, nil
}

// knownBy is what somebody but the ledger says an account must have, where
// there is such a somebody; and in words why it has it.
func (d *day) knownBy(e ends, class, name string) (sum int64, why string, sure bool) {
	if sum, why, sure = d.partnersKnow(e, class, name); why != "" {
		return sum, why, sure
	}
	return d.ordersKnow(e, class, name)
}

// partnersKnow is knownBy by the bank, the acquirer and the carrier.
func (d *day) partnersKnow(e ends, class, name string) (sum int64, why string, sure bool) {
	switch class {
	case "bank:*:safeguard":
		return e.safeguard.Closing.Sub(e.safeguard.Unbooked).Centimes(), "clients’ money, as the bank’s last statement has it", true
	case "bank:*:operating":
		return e.operating.Closing.Sub(e.operating.Unbooked).Centimes() - d.balanceOf(e, "bank:"+name+":transit"), "our own money, as the bank’s last statement has it", true
	case "bank:*:transit":
		return 0, "our own money on its way to the clients’ account", false
	case "psp:*:disputed":
		for _, c := range e.cases {
			if c.State == "opened" {
				sum += c.Amount.Centimes()
			}
		}
		return sum, "taken back by a buyer’s bank, contested", true
	case "carrier:*:cod":
		for _, c := range e.cash {
			if c.Carrier == name {
				sum += c.Owed.Centimes()
			}
		}
		return sum, "collected, to be remitted", true
	case "dispute_cost":
		for _, c := range e.cases {
			sum += c.Fee.Centimes()
		}
		return sum, "the acquirer’s fees of chargebacks", true
	}
	return 0, "", false
}

// ordersKnow is knownBy by what the money is for.
func (d *day) ordersKnow(e ends, class, name string) (sum int64, why string, sure bool) {
	switch class {
	case "escrow:*":
		for _, er := range d.script {
			for _, o := range er.rec.Orders {
				if o.ID == name {
					return -e.orders[name].Escrow.Held.Centimes(), "held for an order that is " + e.orders[name].State + ": " + er.name, true
				}
			}
		}
		return 0, "no order of the script", true
	case "suspense:*":
		for _, b := range e.breaks {
			if b.Line == name && b.Amount != nil {
				return -b.Amount.Centimes(), "came from somebody unknown; a break asks people", true
			}
		}
		return 0, "nothing that waits", true
	case "payout:*":
		for _, p := range e.payouts {
			if p.ID == name {
				return -p.Amount.Centimes(), "a payout that is " + p.State + p.why(), slices.Contains([]string{"draft", "approved", "sent", "unknown"}, p.State)
			}
		}
		return 0, "no payout", true
	case "refund:*":
		for _, o := range e.orders {
			for _, b := range o.Refunds {
				if b.ID == name {
					return -b.Amount.Centimes(), "a refund that is " + b.State, b.State != "confirmed"
				}
			}
		}
		return 0, "no refund of an order", true
	case "seller:*:available":
		return 0, d.earned(name), false
	}
	return 0, reasons[class], false
}

// reasons are what accounts stand for of which nobody but the books knows.
var reasons = map[string]string{
	"seller:*:receivable": "owed to us: its next sales pay it",
	"payable:carrier:*":   "the carrier’s: fees of cash that it has not remitted, and what it earned since it was paid",
	"payable:vat":         "VAT on our commission, for the tax office",
	"fees":                "our commission",
	"psp_cost":            "what acquirer and carrier cost us",
	"promotions":          "what the market paid for its buyers",
	"loss":                "what we bear ourselves",
	"capital":             "our own money, paid in when the market opened",
}

// earned says why a cooperative's money is still with us.
func (d *day) earned(org string) string {
	for i, s := range d.shops {
		switch {
		case s.org != org:
		case i == closingShop:
			return "earned; its bank account was closed, it must name another"
		case schedules[i%len(schedules)] == "manual":
			return "earned; paid when it asks"
		default:
			return "earned; paid " + schedules[i%len(schedules)] + ", from 50.00 on"
		}
	}
	return ""
}

// why is what a payout waits for.
func (p payoutNow) why() string {
	if len(p.Waits) == 0 {
		return ""
	}
	return ": " + p.Waits[0].Text
}

func (d *day) balanceOf(e ends, code string) int64 {
	for _, a := range e.trial {
		if a.code == code {
			return a.sum
		}
	}
	return 0
}
