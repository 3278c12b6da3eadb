// Package escrow keeps what is held for one order of one seller, and decides
// when it may go. The order (marketplace/orders) knows the trade; the escrow
// knows the money. The money itself stands in the ledger's account
// escrow:{order}; the row here says whose it is and how it will be shared.
package escrow

import (
	"time"

	"github.com/shopspring/decimal"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of escrow.
var (
	ErrNotFound = fault.New(fault.NotFound, "escrow.not_found", "There is no such escrow.")
	ErrState    = fault.New(fault.Conflict, "escrow.state", "The escrow does not allow this now.")
	ErrAmount   = fault.New(fault.Invalid, "escrow.amount", "Give an amount above zero, at most what is held.")
	ErrTerms    = fault.New(fault.Internal, "escrow.terms", "The shares of an escrow do not add up to it.")
)

// State is where an escrow stands (API.md).
type State string

// The states. Partial releases are amounts, not states: an escrow is released
// once nothing is held and something was released.
const (
	Awaiting   State = "awaiting"   // the buyer has not paid
	Authorized State = "authorized" // the card is reserved, not captured
	Funded     State = "funded"     // the money is held
	Released   State = "released"   // all of it went to those it belongs to
	Closed     State = "closed"     // nothing will move any more
	Expired    State = "expired"    // the payment window passed
	Voided     State = "voided"     // the reservation was let go
	Refunded   State = "refunded"   // all of it went back to the buyer
)

// Legs is how an escrow is shared when it is released, in centimes. They add
// up to its amount.
type Legs struct {
	Seller     int64 `json:"seller"`     // the seller's share, less the reserve; own delivery is inside
	Reserve    int64 `json:"reserve"`    // kept back of the seller's share
	Commission int64 `json:"commission"` // ours, before VAT
	VAT        int64 `json:"vat"`        // on the commission
	Carrier    int64 `json:"carrier"`    // the carrier's, when it is not the seller's own delivery
}

// Total is the sum of the legs.
func (l Legs) Total() int64 { return l.Seller + l.Reserve + l.Commission + l.VAT + l.Carrier }

// Plus adds two sets of legs.
func (l Legs) Plus(o Legs) Legs {
	return Legs{l.Seller + o.Seller, l.Reserve + o.Reserve, l.Commission + o.Commission, l.VAT + o.VAT, l.Carrier + o.Carrier}
}

// Minus takes one set of legs from another.
func (l Legs) Minus(o Legs) Legs {
	return Legs{l.Seller - o.Seller, l.Reserve - o.Reserve, l.Commission - o.Commission, l.VAT - o.VAT, l.Carrier - o.Carrier}
}

// Rates are the shares of a sale in percent, fixed when the order is made.
type Rates struct {
	Commission decimal.Decimal // of the goods, before VAT
	VAT        decimal.Decimal // on the commission
	Reserve    decimal.Decimal // of the seller's share of the goods
}

// Share splits an order: the commission is taken of the goods, VAT on the
// commission on top, the reserve of what is left; delivery goes to the carrier,
// or to the seller who delivers.
func Share(goods, delivery money.Money, own bool, r Rates) Legs {
	var l Legs
	commission := goods.Rate(r.Commission)
	l.Commission, l.VAT = commission.Centimes(), commission.Rate(r.VAT).Centimes()
	share := money.FromCentimes(goods.Centimes()-l.Commission-l.VAT, goods.Currency())
	l.Reserve = share.Rate(r.Reserve).Centimes()
	l.Seller = share.Centimes() - l.Reserve
	if own {
		l.Seller += delivery.Centimes()
	} else {
		l.Carrier = delivery.Centimes()
	}
	return l
}

// Terms are what an escrow is opened with, at checkout.
type Terms struct {
	Order, Seller, Buyer, Charge string
	Carrier                      string // whose the carrier's leg is: payable:carrier:{Carrier}
	Amount                       money.Money
	Legs                         Legs
	Release                      Windows
}

// wide are legs as the database keeps them: seller, reserve, commission, VAT,
// carrier.
func (l Legs) wide() []int64 { return []int64{l.Seller, l.Reserve, l.Commission, l.VAT, l.Carrier} }

func legsOf(w []int64) Legs { return Legs{w[0], w[1], w[2], w[3], w[4]} }

// Windows say how long after delivery the money waits when the buyer says
// nothing (PAYMENTS.md §2): the longer of the two.
type Windows struct {
	Inspection time.Duration // 72 h; fresh food 24 h; at most 14 d
	Withdrawal time.Duration // 7 d (law 31-08); 0 for exempt goods
}

// Wait is how long the money waits after delivery.
func (w Windows) Wait() time.Duration { return max(min(w.Inspection, 14*24*time.Hour), w.Withdrawal) }

// A Hold is one escrow.
type Hold struct {
	ID       string
	Order    string `db:"order_id"`
	Seller   string
	Buyer    string
	Charge   string
	Carrier  string
	Currency string
	Amount   int64 // centimes; the charge's part for this order
	Released int64 // centimes gone to those they belong to
	Refunded int64 // centimes gone back to the buyer, or on their way
	Legs     Legs  `db:"-"` // how the whole is shared
	Gone     Legs  `db:"-"` // how what was released was shared
	State    State
	WaitS    int64 `db:"wait_s"` // seconds to wait after delivery
	Settled  bool  // the acquirer's money has reached the safeguard account
	Version  int64
	FundedAt *time.Time
}

// Held is what still stands in the escrow, in centimes.
func (h Hold) Held() int64 {
	if h.State != Funded {
		return 0
	}
	return h.Amount - h.Released - h.Refunded
}

// Fund says that the charge is confirmed and the money stands in the escrow.
func (h Hold) Fund(at time.Time) (Hold, error) {
	if h.State != Awaiting && h.State != Authorized {
		return h, ErrState.Say("This escrow is %s; only an awaited or authorized one can be funded.", h.State)
	}
	h.State, h.FundedAt = Funded, &at
	return h, nil
}

// Expire says that the payment window passed without money.
func (h Hold) Expire() (Hold, error) {
	if h.State != Awaiting {
		return h, ErrState.Say("This escrow is %s; only an awaited one expires.", h.State)
	}
	h.State = Expired
	return h, nil
}

// Release lets amount go (centimes) and says how it is shared: each leg in
// proportion to what is left of it, to the centime, by largest remainder. The
// last release takes exactly what is left.
func (h Hold) Release(amount int64) (Hold, Legs, error) {
	if h.State != Funded {
		return h, Legs{}, ErrState.Say("This escrow is %s; only what is funded can be released.", h.State)
	}
	if amount <= 0 || amount > h.Held() {
		return h, Legs{}, ErrAmount.At("/amount", "above zero, at most "+money.FromCentimes(h.Held(), h.Currency).Amount())
	}
	left := h.Legs.Minus(h.Gone)
	p := money.Allocate(amount, left.Seller, left.Reserve, left.Commission, left.VAT, left.Carrier)
	part := Legs{p[0], p[1], p[2], p[3], p[4]}
	h.Released += amount
	h.Gone = h.Gone.Plus(part)
	if h.Amount == h.Released+h.Refunded {
		h.State = Released
	}
	return h, part, nil
}
