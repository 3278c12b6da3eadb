// Package escrow keeps what is held for one order of one seller, and decides
// when it may go. The order (marketplace/orders) knows the trade; the escrow
// knows the money. The money itself stands in the ledger's account
// escrow:{order}; the row here says whose it is and how it will be shared.
package escrow

import (
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of escrow.
var (
	ErrNotFound = fault.New(fault.NotFound, "escrow.not_found", "There is no such escrow.")
	ErrState    = fault.New(fault.Conflict, "escrow.state", "The escrow does not allow this now.")
	ErrAmount   = fault.New(fault.Invalid, "escrow.amount", "Give an amount above zero, at most what is held.")
	ErrFrozen   = fault.New(fault.Conflict, "escrow.disputed", "A case is open about this order; nothing of its money moves until that has ended.")
	ErrFlying   = fault.New(fault.Conflict, "escrow.flying", "A refund of this order is on its way; wait until its end is known.")
	ErrCash     = fault.New(fault.Conflict, "escrow.unremitted", "The carrier has not remitted this order's cash yet; nothing of it can be released or go back before.")
	ErrCase     = fault.New(fault.NotFound, "escrow.no_case", "There is no such case.")
	ErrRefund   = fault.New(fault.NotFound, "escrow.no_refund", "There is no such refund of an escrow.")
	ErrShares   = fault.New(fault.Invalid, "escrow.shares", "What goes back and what is released must together be what is held.")
	ErrBank     = fault.New(fault.Internal, "escrow.no_bank", "No bank is configured to top up the clients' account from.")
	ErrBonus    = fault.New(fault.Internal, "escrow.bonus", "The market adds at most what leaves the buyer to pay delivery, fees and their VAT.")
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
	Seller     int64 `json:"seller"`     // the seller's share of the goods, less the reserve
	Reserve    int64 `json:"reserve"`    // kept back of the seller's share
	Commission int64 `json:"commission"` // ours, before VAT
	VAT        int64 `json:"vat"`        // on the commission
	Carrier    int64 `json:"carrier"`    // delivery: the carrier's, or the seller's who delivers
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

// Terms are what an escrow is opened with, at checkout.
type Terms struct {
	Order, Seller, Buyer, Charge string
	Carrier                      string // whose the delivery leg is: payable:carrier:{Carrier}; "" is the seller
	Amount                       money.Money
	Legs                         Legs
	Bonus                        int64 // centimes that the market adds for the seller, beside the amount
	Release                      Windows
}

// wide are legs as the database keeps them: seller, reserve, commission, VAT,
// carrier.
func (l Legs) wide() []int64 { return []int64{l.Seller, l.Reserve, l.Commission, l.VAT, l.Carrier} }

func legsOf(w []int64) Legs { return Legs{w[0], w[1], w[2], w[3], w[4]} }

// Windows say how long after delivery the money waits when the buyer says
// nothing: the longer of the two.
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
	Amount   int64 // centimes; the charge's part for this order, or the cash that was collected

	// What moved, in centimes. Refunds count from their intent on.
	Released  int64 // gone to those it belongs to
	Refunded  int64 // gone back to the buyer out of what was held
	Charged   int64 // lost by chargeback out of what was held
	Recovered int64 // gone back to the buyer after its release
	Clawed    int64 // lost by chargeback after its release

	// What the market adds for the seller, beside the amount: promised, given with
	// what was released, and taken back of that.
	Bonus, BonusGiven, BonusBack int64

	Legs      Legs `db:"-"` // how the whole is shared
	Gone      Legs `db:"-"` // how what was released was shared
	Cancelled Legs `db:"-"` // what refunds and chargebacks took of what was held
	Taken     Legs `db:"-"` // what they took back of what had been released

	State      State
	WaitS      int64    `db:"wait_s"` // seconds to wait after delivery
	Settled    bool     // the money has reached the safeguard account
	Cash       bool     // a carrier collected it
	Flying     int      // refunds whose end is not known
	Cases      []string // open cases
	FrozenAt   *time.Time
	FundedAt   *time.Time
	ShippedAt  *time.Time
	SignDue    *time.Time // when a sign of delivery is missing, once the goods left
	ReleaseDue *time.Time // when it goes by itself, once the goods are there
	Version    int64
}

// Held is what still stands in the escrow, in centimes.
func (h Hold) Held() int64 {
	if h.State != Funded {
		return 0
	}
	return h.Amount - h.Released - h.Refunded - h.Charged
}

// Returned is what has gone back to the buyer by refunds, or is on its way.
func (h Hold) Returned() int64 { return h.Refunded + h.Recovered }

// Claim is the most that can still go back to the buyer: what was captured less
// what went back.
func (h Hold) Claim() int64 {
	switch h.State {
	case Funded, Released, Refunded, Closed:
		return h.Amount - h.Refunded - h.Charged - h.Recovered - h.Clawed
	}
	return 0
}

func (h Hold) money(centimes int64) money.Money { return money.FromCentimes(centimes, h.Currency) }
