// Package orders is buying: a basket becomes a quote, the quote becomes one
// order for each seller, and each order goes its way until the buyer has the
// goods. It knows the trade; payments know the money, and the two tell each
// other in one transaction or by events.
package orders

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"slices"
	"time"

	"tiwiza/marketplace/delivery"
	"tiwiza/payments/charges"
	"tiwiza/payments/escrow"
	"tiwiza/pkg/fault"
)

// Errors of buying.
var (
	ErrNotFound     = fault.New(fault.NotFound, "orders.not_found", "There is no such order.")
	ErrNoBasket     = fault.New(fault.NotFound, "orders.no_basket", "There is no such basket.")
	ErrNoGroup      = fault.New(fault.NotFound, "orders.no_group", "There is no such group of orders.")
	ErrNoVariant    = fault.New(fault.NotFound, "orders.no_variant", "There is no such article on offer.")
	ErrOrdered      = fault.New(fault.Conflict, "orders.basket_ordered", "This basket was ordered already; start a new one to buy more.")
	ErrMerged       = fault.New(fault.Conflict, "orders.basket_merged", "This basket was poured into another; go on with that one.")
	ErrSame         = fault.New(fault.Invalid, "orders.same_basket", "A basket is poured into another one.")
	ErrEmpty        = fault.New(fault.Invalid, "orders.basket_empty", "The basket is empty; put something in first.")
	ErrFull         = fault.New(fault.Invalid, "orders.basket_full", "A basket holds at most 100 different articles; order these first.")
	ErrNoQuote      = fault.New(fault.Invalid, "quotes.unknown", "This quote is not one of this basket; ask for a new one.")
	ErrExpired      = fault.New(fault.Conflict, "quotes.expired", "This quote has expired; ask for a new one.")
	ErrQuoteChanged = fault.New(fault.Conflict, "orders.quote_changed", "Something changed since this quote; ask for a new one and look at it.")
	ErrClosed       = fault.New(fault.Conflict, "orders.seller_closed", "The seller is away; see errors for the day on which it sells again.")
	ErrSuspended    = fault.New(fault.Conflict, "orders.seller_unavailable", "The seller does not sell at the moment; take its goods out of the basket.")
	ErrDelivery     = fault.New(fault.Invalid, "orders.delivery_differs", "The quote was made for another delivery; ask for one for this delivery.")
	ErrInvalid      = fault.New(fault.Invalid, "orders.invalid", "Some of this is not right; see errors.")
	ErrPayment      = fault.New(fault.Invalid, "orders.payment_method", "This order cannot be paid in this way; the quote says how it can.")
	ErrGathers      = fault.New(fault.Conflict, "orders.gathers", "This order waits for its group buy to be ordered; then you can accept it.")
	ErrUncollected  = fault.New(fault.Conflict, "orders.uncollected", "This order is paid in cash: whoever brings it says how much was collected.")
	ErrAtTheDoor    = fault.New(fault.Conflict, "orders.on_its_way", "The goods are on their way; refuse them when they are brought.")
	ErrCarrier      = fault.New(fault.Denied, "orders.carriers_fault", "Only the market's operator says that the carrier is to blame; write to it, and it decides.")
	ErrState        = fault.New(fault.Conflict, "orders.state", "The order's state does not allow this now.")
	ErrReleased     = fault.New(fault.Conflict, "orders.released", "Some of this order's money was released to its seller already, so that it cannot be cancelled; ask the market's operator for a refund.")
	ErrShipped      = fault.New(fault.Conflict, "orders.shipped", "The order was shipped already, with another carrier or tracking number.")
	ErrCode         = fault.New(fault.Invalid, "orders.wrong_code", "This is not the buyer's delivery code.")
	ErrCodeLocked   = fault.New(fault.Conflict, "orders.code_locked", "Too many wrong codes: this parcel can no longer be proved by code. Ask the buyer to confirm receipt, or the operator for help.")
)

// State is where an order stands (API.md).
type State string

// The states of an order that is paid before it is sent.
const (
	PendingPayment State = "pending_payment"
	Paid           State = "paid"
	Accepted       State = "accepted"
	Shipped        State = "shipped"
	Delivered      State = "delivered"
	Completed      State = "completed"
	Expired        State = "expired"
	Refunded       State = "refunded"
	Cancelled      State = "cancelled"
)

// The states that only an order paid in cash has.
const (
	ToConfirm State = "placed" // the buyer has not confirmed that he or she wants it
	Confirmed State = "confirmed"
	Refused   State = "refused" // it was not taken, or given up before it left
)

// A Move is what can happen to an order; those of people are named as their
// routes.
type Move string

// The moves.
const (
	Pay     Move = "pay"     // payments: the charge is confirmed
	Lapse   Move = "lapse"   // payments: it will not be paid any more
	Accept  Move = "accept"  // the seller
	Ship    Move = "ship"    // the seller
	Deliver Move = "deliver" // proof of delivery
	Receive Move = "receive" // the buyer: lets the money go
	Settle  Move = "settle"  // payments: nothing is held any more
	Confirm Move = "confirm" // the buyer, of a cash order
	Collect Move = "collect" // whoever brings it: has the cash
	Refuse  Move = "refuse"  // whoever brings it: it was not taken; before, anybody concerned
	Cancel  Move = "cancel"  // the buyer, or the seller who refuses; or nobody moved it on in time
	Return  Move = "return"  // payments: all of it went back to the buyer

	// TakeBack changes no state: the goods of a refused order have come back.
	TakeBack Move = "take_back"
)

// moves is the whole of an order's life.
var moves = map[Move]struct {
	from []State
	to   State
}{
	Pay:     {[]State{PendingPayment}, Paid},
	Lapse:   {[]State{PendingPayment, ToConfirm}, Expired},
	Confirm: {[]State{ToConfirm}, Confirmed},
	Accept:  {[]State{Paid, Confirmed}, Accepted},
	Collect: {[]State{Shipped}, Delivered},
	Refuse:  {[]State{ToConfirm, Confirmed, Accepted, Shipped}, Refused},
	Ship:    {[]State{Accepted}, Shipped},
	Deliver: {[]State{Shipped}, Delivered},
	Receive: {[]State{Shipped, Delivered}, Completed},
	Settle:  {[]State{Shipped, Delivered}, Completed},
	Cancel:  {[]State{Paid, ToConfirm, Confirmed, Accepted}, Cancelled},
	Return:  {[]State{Paid, Accepted, Shipped, Delivered}, Refunded},
}

// An Order is what one buyer buys of one seller. Its lines, fees and shares
// never change.
type Order struct {
	ID           string
	Group        string `db:"grp"`
	Seller       string
	SellerNames  map[string]string
	Buyer        string
	State        State
	Currency     string
	Goods        int64 // centimes
	Discount     int64 // centimes; what is taken off its goods
	Bonus        int64 // of that, what the market pays to the seller
	Delivery     int64 // centimes; the buyer pays it
	Fees         int64 // centimes; what the market takes of the buyer
	Total        int64 // centimes
	Legs         escrow.Legs
	Method       string         // carrier, own, pickup or relay
	Way          string         // the seller's way of delivery, or the relay point; "" is the market's own
	LeadDays     int            // how long the goods travel
	MakeDays     int            // how long they are made before they leave
	ShipsBy      *time.Time     // by when they leave, once the order was accepted
	Fetch        *delivery.Spot `db:"spot"` // where the buyer fetches them
	Digital      Share          // how much of it is files and codes
	DeliveryCode string         // the buyer shows it to whoever brings the goods
	CodeTries    int
	Carrier      string
	Tracking     string
	Settled      bool // nothing is held for it any more
	Payment      string
	Received     bool   // the buyer of a cash order has accepted the goods; the money waits for its carrier
	Agreed       bool   // some of it was agreed on before
	Seat         string // its place in a group buy, if it has one
	Waits        bool   // for that group
	Rebate       int64  // centimes that went back of its goods, for the group reached a lower price
	PreparingAt  *time.Time
	ComesBack    Homeward
	DeliveredAt  *time.Time
	Version      int64
	CreatedAt    time.Time
}

// Homeward is where the goods of a refused order are.
type Homeward string

// The goods of an order that nobody refused at the door are at neither.
const (
	Awaited Homeward = "awaited" // on their way back
	Back    Homeward = "back"    // the seller has them
)

// Cash says whether the order is paid at the door.
func (o Order) Cash() bool { return o.Payment == charges.Cash }

// Do moves the order. An order whose money is gone already is complete once it
// is delivered. Of a cash order delivery is that the cash was collected.
func (o Order) Do(m Move) (Order, error) {
	step := moves[m]
	switch {
	case o.Cash() && o.State == Shipped && (m == Deliver || m == Receive):
		return o, ErrUncollected
	case !o.Cash() && (m == Confirm || m == Collect || m == Refuse):
		return o, ErrState.Say("This order is not paid in cash.")
	case o.Waits && m == Accept && o.State == Paid:
		return o, ErrGathers
	}
	from := step.from
	if m == Cancel && o.Digital == All { // until it is opened it can be
		from = append(slices.Clone(from), Shipped)
	}
	if !slices.Contains(from, o.State) {
		return o, ErrState.Say("This order is %s; to %s it, it must be %s.", words(o.State), m, either(from))
	}
	o.State = step.to
	if m == Deliver && o.Settled {
		o.State = Completed
	}
	o.Version++
	return o, nil
}

// Did says whether the order stands where m brings it, so that whoever asks
// again is told so instead of refused.
func (o Order) Did(m Move) bool { return o.State == moves[m].to }

// codeTries is how many wrong codes an order takes.
const codeTries = 5

// Prove checks the code that the buyer gave with the goods. A wrong one counts:
// the order that comes back must be kept with the error.
func (o Order) Prove(code string) (Order, error) {
	if o.CodeTries >= codeTries {
		return o, ErrCodeLocked
	}
	if subtle.ConstantTimeCompare([]byte(digits(code)), []byte(o.DeliveryCode)) == 1 {
		return o, nil
	}
	o.CodeTries++
	left := codeTries - o.CodeTries
	if left == 0 {
		return o, ErrCode.Say("This is not the buyer's delivery code, and no try is left. Ask the buyer to confirm receipt, or the operator for help.").
			At("/code", "No try is left.")
	}
	return o, ErrCode.At("/code", fmt.Sprintf("Ask the buyer again for the four digits; tries left: %d.", left))
}

// newCode makes a delivery code of four digits.
func newCode() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(10000)) // never fails (crypto/rand)
	return fmt.Sprintf("%04d", n)
}

// windows says how long money waits after delivery: goods that perish are
// looked at within a day; who buys only goods that cannot be sent back has no
// time to do so.
func windows(lines []QuoteLine) escrow.Windows {
	w := escrow.Windows{Inspection: 24 * time.Hour}
	for _, l := range lines {
		if l.exempt != "perishable" {
			w.Inspection = 72 * time.Hour
		}
		if l.exempt == "" {
			w.Withdrawal = 7 * 24 * time.Hour
		}
	}
	return w
}
