package orders

import (
	"cmp"
	"context"
	"slices"

	"tiwiza/payments/charges"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// PaymentView is how an order is paid; what its buyer still does shows beside
// the group's charge.
type PaymentView struct {
	Method string         `json:"method" required:"true" enum:"card,wallet,transfer,cash_on_delivery"`
	Cash   *CashOrderView `json:"cash,omitempty"`
}

// CashOrderView is where the cash of an order stands.
type CashOrderView struct {
	State     charges.ParcelState `json:"state" required:"true" enum:"awaited,collected,remitted,lost,refused"`
	Due       money.Money         `json:"due" required:"true"`
	Collected money.Money         `json:"collected" required:"true"`
	Reason    string              `json:"reason,omitempty" description:"Why the goods were not taken."`
	Carrier   string              `json:"carrier,omitempty" description:"Who owes the cash until it is remitted; not told to the buyer."`
	Reference string              `json:"reference,omitempty" description:"For the transfer that remits it; not told to the buyer."`
}

// showCash adds to an order that is paid in cash where that stands.
func (s *Service) showCash(ctx context.Context, db pg.DB, v *View) error {
	if v.Payment.Method != charges.Cash {
		return nil
	}
	by, err := s.Charges.Parcels(ctx, db, []string{v.ID})
	if err != nil {
		return err
	}
	p, ok := by[v.ID]
	if !ok {
		return nil
	}
	c := p.View()
	v.Payment.Cash = &CashOrderView{State: c.State, Due: c.Due, Collected: c.Collected, Reason: c.Reason}
	if auth.From(ctx).Role != auth.Buyer {
		v.Payment.Cash.Carrier, v.Payment.Cash.Reference = c.Carrier, c.Reference
	}
	return nil
}

// A Way says whether a quote can be paid in some way, and if not, why.
type Way struct {
	Method  string `json:"method" required:"true" enum:"card,wallet,transfer,cash_on_delivery"`
	Offered bool   `json:"offered" required:"true"`
	Why     string `json:"why,omitempty"`
}

// A Rule says up to what an order of a seller may be paid in a way, in
// centimes; nothing: not at all. That of all sellers is "".
type Rule struct {
	Method string
	Seller string
	Most   int64
}

// noPartner is why nobody can pay in a way.
const noPartner = "There is no partner for this yet."

// ways says how a quote can be paid: in a way that there is a partner for, and
// that each of its orders allows.
func (m Market) ways(q Quote) []Way {
	out := make([]Way, 0, 4)
	for _, method := range []string{charges.Card, charges.Wallet, charges.Transfer, charges.Cash} {
		w := Way{Method: method}
		if !slices.Contains(m.Methods, method) {
			w.Why = noPartner
		} else {
			w.Why = cmp.Or(m.unpayable(q, method), m.together(q, method), q.prepaid(method))
		}
		w.Offered = w.Why == ""
		out = append(out, w)
	}
	return out
}

// unpayable says why one of the orders of a quote cannot be paid in a way.
func (m Market) unpayable(q Quote, method string) string {
	for seller, total := range q.orders() {
		most, name := m.most(method, seller), named(m.Sellers[seller].Names, "A seller")
		switch {
		case most == 0:
			return name + " does not take this."
		case total > most:
			return "An order of " + name + " may be paid so up to " + money.Dirhams(most).String() + "; this one is " + money.Dirhams(total).String() + "."
		}
	}
	return ""
}

// most is up to what an order may be paid in a way: by the seller's own rule, or
// by that of all.
func (m Market) most(method, seller string) (most int64) {
	for _, r := range m.Rules {
		switch {
		case r.Method != method:
		case r.Seller == seller:
			return r.Most
		case r.Seller == "":
			most = r.Most
		}
	}
	return most
}

// orders are the totals of the orders that a quote would make, in centimes, by
// seller.
func (q Quote) orders() map[string]int64 {
	by := map[string]int64{}
	for _, l := range q.Lines {
		if l.Seller.ID != "" {
			by[l.Seller.ID] += l.Total.Sub(l.Discount).Centimes()
		}
	}
	for _, f := range q.Fees {
		by[f.Seller.ID] += f.Amount.Centimes()
	}
	return by
}

// payable refuses a way in which the quote cannot be paid. A way without any
// partner is for payments to refuse.
func (q Quote) payable(method string) error {
	for _, w := range q.Payments {
		if w.Method == method && !w.Offered && w.Why != noPartner {
			return ErrPayment.At("/payment/method", w.Why)
		}
	}
	return nil
}
