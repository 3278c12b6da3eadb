package escrow

import (
	"slices"

	"tiwiza/payments/ledger"
	"tiwiza/pkg/money"
)

// A Lot is what is kept back of one release, until it is due.
type Lot struct {
	ID    string
	Order string `db:"order_id"`
	Left  int64  // centimes
}

// A Purse is what a seller has that money can be taken back of, as it stands
// under lock.
type Purse struct {
	Lots      []Lot // the order's own first, then the oldest
	Available int64 // centimes
}

// Bearing says who bears what cannot be asked of the seller.
type Bearing struct {
	Delivery bool // a carrier's fee that goes back is our loss
	All      bool // with proof of delivery the platform may bear it all
}

// A Part is some of a lot or of a release, in centimes.
type Part struct {
	ID     string `json:"id"`
	Amount int64  `json:"amount"`
}

// A Source is where money comes from that goes back after its release, in
// centimes.
type Source struct {
	Lots       []Part `json:"lots,omitempty"`
	Releases   []Part `json:"releases,omitempty"` // what of Available payouts could have covered
	Available  int64  `json:"available,omitempty"`
	Receivable int64  `json:"receivable,omitempty"` // what the seller owes from now on
	Fees       int64  `json:"fees,omitempty"`       // commission given back
	VAT        int64  `json:"vat,omitempty"`        // on it
	Loss       int64  `json:"loss,omitempty"`
	Carrier    int64  `json:"carrier,omitempty"` // the fee of a carrier who has not got the goods
	Bonus      int64  `json:"bonus,omitempty"`   // of all this, what the market has back that it had added
}

// Reserve is what the lots give.
func (s Source) Reserve() int64 {
	var n int64
	for _, l := range s.Lots {
		n += l.Amount
	}
	return n
}

// Total is all of it that goes back to the buyer.
func (s Source) Total() int64 { return s.Reserve() + s.Available + s.Carrier + s.TopUp() }

// TopUp is what our own money must bring in, so that clients' money is not
// short when this is paid to a buyer: all that is not clients' money, less what
// the market has back. Below zero so much of it is the market's: it leaves with
// the sweep.
func (s Source) TopUp() int64 { return s.Receivable + s.Fees + s.VAT + s.Loss - s.Bonus }

// Waterfall says where money that a seller gives back comes from: the lots in
// their order, then what is available, then it is owed.
func Waterfall(amount int64, p Purse) Source {
	var s Source
	for _, l := range p.Lots {
		n := min(amount, l.Left)
		if n <= 0 {
			continue
		}
		s.Lots = append(s.Lots, Part{l.ID, n})
		amount -= n
	}
	s.Available = min(amount, max(p.Available, 0))
	s.Receivable = amount - s.Available
	return s
}

// Bear says where the money comes from that is taken back of what was released:
// the seller's share and reserve, with what the market had added, by the waterfall, commission and VAT of what we
// took, delivery from the seller or as our loss. A carrier who has not got the
// goods gives its fee back: it is not paid before they leave.
func (h Hold) Bear(c Cut, p Purse, b Bearing) Source {
	cut := c.Gone
	if b.All {
		return Source{Loss: cut.Total() + c.Bonus, Bonus: c.Bonus}
	}
	seller, loss, carrier := cut.Seller+cut.Reserve+c.Bonus, int64(0), int64(0)
	switch {
	case h.unsent():
		carrier = cut.Carrier
	case b.Delivery && !h.own():
		loss = cut.Carrier
	default:
		seller += cut.Carrier
	}
	s := Waterfall(seller, p)
	s.Fees, s.VAT, s.Loss, s.Carrier, s.Bonus = cut.Commission, cut.VAT, loss, carrier, c.Bonus
	return s
}

// Recovery is what of a share that comes to a seller pays its debt first: at
// most half of it.
func Recovery(share, owed int64) int64 { return min(max(owed, 0), share/2) }

// pick takes an amount out of parts, in their order, as far as they go.
func pick(amount int64, of []Part) []Part {
	var out []Part
	for _, p := range of {
		n := min(amount, p.Amount)
		if n <= 0 {
			continue
		}
		out = append(out, Part{p.ID, n})
		amount -= n
	}
	return slices.Clip(out)
}

// A Stake is the part of a chargeback that one escrow of the charge has in it.
type Stake struct {
	Hold   Hold
	Amount int64
}

// Shares splits a chargeback over the escrows of its charge by largest
// remainder of what can still go back of each. What is more than all of that is
// the excess: it is contested like the rest, and our loss if it is not won.
func Shares(amount int64, holds []Hold) (parts []Stake, excess int64) {
	claims := make([]int64, len(holds))
	var all int64
	for i, h := range holds {
		claims[i] = h.Claim()
		all += claims[i]
	}
	excess = max(0, amount-all)
	for i, n := range money.Allocate(amount-excess, claims...) {
		if n > 0 {
			parts = append(parts, Stake{holds[i], n})
		}
	}
	return parts, excess
}

// merge adds up legs of one account on one side, of a transfer that spans
// several orders.
func merge(t ledger.Transfer) ledger.Transfer {
	type side struct {
		account string
		debit   bool
	}
	at := map[side]int{}
	var legs []ledger.Leg
	for _, l := range t.Legs {
		k := side{l.Account, l.Amount > 0}
		if i, ok := at[k]; ok {
			legs[i].Amount += l.Amount
			continue
		}
		at[k] = len(legs)
		legs = append(legs, l)
	}
	t.Legs = legs
	return t
}
