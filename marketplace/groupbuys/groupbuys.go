// Package groupbuys is buying together: an article becomes cheaper the more of
// it are bought until a day. Who joins places an ordinary order and pays it; the
// order waits beside its state until it is known what became of the group. Then
// it goes to its seller and the difference to the price that was reached goes
// back, or all of its money does.
package groupbuys

import (
	"slices"
	"time"

	"tiwiza/marketplace/delivery"
	"tiwiza/marketplace/orders"
	"tiwiza/payments/charges"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
)

// Errors of group buys.
var (
	ErrNotFound = fault.New(fault.NotFound, "group_buys.not_found", "There is no such group buy.")
	ErrInvalid  = fault.New(fault.Invalid, "group_buys.invalid", "This group buy cannot be; see errors.")
	ErrMany     = fault.New(fault.Conflict, "group_buys.too_many", "You have 50 group buys that are not over; wait for one of them to end.")
	ErrState    = fault.New(fault.Conflict, "group_buys.state", "The group buy's state does not allow this now.")
	ErrClosed   = fault.New(fault.Conflict, "group_buys.closed", "Nobody can join this group buy any more; buy the article alone, or look for another group.")
	ErrFull     = fault.New(fault.Conflict, "group_buys.full", "There is not so much room in this group buy; ask for less, or wait until somebody who has not paid makes room.")
	ErrNeeded   = fault.New(fault.Conflict, "group_buys.needed", "This group has reached its minimum, and would fall below it without you: stay, or find somebody who joins in your place first.")
	ErrOrdered  = fault.New(fault.Conflict, "group_buys.ordered", "The group was ordered at the price that all of it reached; you can cancel if it has not left after four days, or send it back once it is there.")
	ErrLarge    = fault.New(fault.Conflict, "group_buys.large", "This group buy has more orders than one file holds; page through the list of its orders instead.")
	ErrWaits    = fault.New(fault.Conflict, "group_buys.waits", "This order waits for its group; only its buyer can leave. Cancel the whole group buy instead.")
)

// State is where a group buy stands.
type State string

// The states.
const (
	Asked       State = "asked"       // by somebody else than the seller, who has not agreed
	Declined    State = "declined"    // the seller did not want it
	Open        State = "open"        // anybody may join
	Reached     State = "reached"     // so does this, and it will be ordered
	Ordered     State = "ordered"     // its orders are with the seller
	Distributed State = "distributed" // and with their buyers
	Failed      State = "failed"      // its orders are being cancelled
	Refunded    State = "refunded"    // and their money is back
)

// A Move is what can happen to a group buy.
type Move string

// The moves.
const (
	Admit      Move = "admit"   // the seller agrees
	Decline    Move = "decline" // or not, or says nothing until the deadline
	Reach      Move = "reach"   // the minimum is paid
	Fall       Move = "fall"    // somebody who had paid is out again, against the rule: by the operator or a bank
	Order      Move = "order"   // the deadline, or all of it is sold
	Distribute Move = "distribute"
	Fail       Move = "fail" // the deadline, or it was called off
	Refund     Move = "refund"
)

var moves = map[Move]struct {
	from []State
	to   State
}{
	Admit:      {[]State{Asked}, Open},
	Decline:    {[]State{Asked}, Declined},
	Reach:      {[]State{Open}, Reached},
	Fall:       {[]State{Reached}, Open},
	Order:      {[]State{Reached}, Ordered},
	Distribute: {[]State{Ordered}, Distributed},
	Fail:       {[]State{Open, Reached}, Failed},
	Refund:     {[]State{Failed, Ordered}, Refunded},
}

// A GroupBuy is an article that costs less when many buy it until a day. What
// is sold at which price never changes once anybody can join.
type GroupBuy struct {
	ID            string
	Seller        string
	Offer         string
	Variant       string
	Names         map[string]string
	VariantNames  map[string]string
	Category      string
	Region        string // where it is fetched, or comes from
	Commune       string
	Organiser     string
	OrganiserRole auth.Role
	MinQty        int
	MaxQty        int
	Price         int64 // centimes of each, with the minimum; who joins pays this
	Tiers         []Tier
	Way           string         // by which all of it goes; "" as each buyer chooses
	Spot          *delivery.Spot // where it is fetched then
	Deadline      time.Time
	State         State
	Pending       int // pieces in orders that are not paid
	Paid          int // pieces in orders that are
	Buyers        int // how many orders these are
	Undone        int // orders that are not at their end, once it is decided
	Served        int // orders that were delivered
	Final         *int64
	Why           string // it failed, or was declined
	Version       int64
	MadeAt        time.Time
	ClosedAt      *time.Time
}

// A Tier is the price of each in centimes when so many are bought.
type Tier struct {
	From  int   `json:"from"`
	Price int64 `json:"centimes"`
}

// do moves the group buy.
func (g GroupBuy) do(m Move) (GroupBuy, error) {
	step := moves[m]
	if !slices.Contains(step.from, g.State) {
		return g, ErrState.Say("This group buy is %s, so that it cannot %s.", g.State, m).At("/state", string(g.State))
	}
	g.State = step.to
	return g, nil
}

// Gathers says whether it is not decided what becomes of it.
func (g GroupBuy) Gathers() bool { return g.State == Open || g.State == Reached }

// PriceOf is what each costs when so many are bought.
func (g GroupBuy) PriceOf(n int) int64 {
	price := g.Price
	for _, t := range g.Tiers {
		if n >= t.From {
			price = t.Price
		}
	}
	return price
}

// Next is the tier that comes next, if one does.
func (g GroupBuy) Next() (Tier, bool) {
	for _, t := range g.Tiers {
		if t.From > g.Paid {
			return t, true
		}
	}
	return Tier{}, false
}

// Left is how many can still be joined for.
func (g GroupBuy) Left() int { return g.MaxQty - g.Paid - g.Pending }

// joinable says why so many cannot be joined for now.
func (g GroupBuy) joinable(quantity int, at time.Time) error {
	switch {
	case !g.Gathers() || !at.Before(g.Deadline):
		return ErrClosed.At("/state", string(g.State))
	case quantity > g.Left():
		return ErrFull.At("/quantity", "at most "+number(g.Left()))
	}
	return nil
}

// Grace is how long a group waits, after its deadline, for payments that are on
// their way: longer than a buyer has to pay by card or wallet. A transfer is not
// taken any more when its own window would end after the deadline. What is paid
// later goes back.
const Grace = charges.Window + 30*time.Minute

// Decide says what becomes of the group: nothing yet, while its deadline has not
// come or payments are on their way. A seller who does not sell any more serves
// nobody.
func (g GroupBuy) Decide(at time.Time, active bool) (GroupBuy, bool) {
	full := g.Paid == g.MaxQty
	switch {
	case !g.Gathers(), at.Before(g.Deadline) && !full, g.Pending > 0 && at.Before(g.Deadline.Add(Grace)):
		return g, false
	}
	g.ClosedAt = &at
	if g.State == Reached && active {
		final := g.PriceOf(g.Paid)
		g, _ = g.do(Order)
		g.Final, g.Undone = &final, g.Buyers
		return g, true
	}
	why := missed
	if !active {
		why = "seller_unavailable"
	}
	return g.fail(why), true
}

// missed is why a group fails that does not reach its minimum.
const missed = "missed"

// fail calls the group off: what was paid goes back.
func (g GroupBuy) fail(why string) GroupBuy {
	g, _ = g.do(Fail)
	g.Undone, g.Why = g.Buyers, why
	return g.end()
}

// end brings a group to its end once none of its orders is open.
func (g GroupBuy) end() GroupBuy {
	if g.Undone > 0 {
		return g
	}
	switch {
	case g.State == Ordered && g.Served > 0:
		g, _ = g.do(Distribute)
	case g.State == Ordered || g.State == Failed:
		g, _ = g.do(Refund)
	}
	return g
}

// SeatState is where a buyer's place in a group stands.
type SeatState string

// The states of seats.
const (
	Offered SeatState = "offered" // to a buyer who has not ordered
	Held    SeatState = "held"    // ordered, not paid
	Seated  SeatState = "paid"    // and counted
	Gone    SeatState = "left"    // out again before it was decided, or before it was delivered
	Late    SeatState = "late"    // paid when it was decided: it goes back
	Going   SeatState = "going"   // with the seller
	Served  SeatState = "served"
	Back    SeatState = "back"    // cancelled, for the group failed
	Repaid  SeatState = "settled" // and the money has arrived
)

// A Seat is the place of a buyer in a group.
type Seat struct {
	ID        string
	Grp       string
	Buyer     string
	Quantity  int
	Agreement string // by which it is bought
	OrderID   string // that does so
	State     SeatState
	GoneOn    *time.Time // since when the seller has the order
	PaidBack  int64      // centimes: the difference to the price that was reached
	Squared   bool       // nothing is left to pay back
	MadeAt    time.Time
}

// take has an order take the seat.
func (g GroupBuy) take(s Seat, order string, at time.Time) (GroupBuy, Seat, error) {
	if err := g.joinable(s.Quantity, at); err != nil {
		return g, s, err
	}
	if s.State != Offered {
		return g, s, ErrState.Say("This place in the group is %s; join anew.", s.State)
	}
	s.State, s.OrderID = Held, order
	g.Pending += s.Quantity
	return g, s, nil
}

// patience is how long a seller has to send what was ordered, before its buyer
// may cancel.
const patience = 96 * time.Hour

// Follow has the group and a seat follow the seat's order. Who moved it decides
// whether that is allowed: once the minimum is reached no buyer brings the group
// below it again, and no seller puts a buyer out to save a tier.
func (g GroupBuy) Follow(s Seat, o orders.Order, by auth.Role, at time.Time) (GroupBuy, Seat, error) {
	switch o.State {
	case orders.Paid:
		return g.paid(s)
	case orders.Expired:
		if s.State == Held {
			s.State, g.Pending = Offered, g.Pending-s.Quantity
		}
	case orders.Delivered, orders.Completed:
		if s.State == Going {
			s.State, g.Undone, g.Served = Served, g.Undone-1, g.Served+1
		}
	case orders.Cancelled, orders.Refunded:
		return g.left(s, o, by, at)
	}
	return g.end(), s, nil
}

func (g GroupBuy) paid(s Seat) (GroupBuy, Seat, error) {
	if s.State != Held {
		return g, s, nil
	}
	g.Pending -= s.Quantity
	if !g.Gathers() {
		s.State = Late
		return g, s, nil
	}
	s.State = Seated
	g.Paid, g.Buyers = g.Paid+s.Quantity, g.Buyers+1
	if g.State == Open && g.Paid >= g.MinQty {
		g, _ = g.do(Reach)
	}
	return g, s, nil
}

// left takes out a seat whose order's money goes back.
func (g GroupBuy) left(s Seat, o orders.Order, by auth.Role, at time.Time) (GroupBuy, Seat, error) {
	switch {
	case s.State == Seated && g.Gathers():
		switch {
		case by == auth.Seller:
			return g, s, ErrWaits
		case by == auth.Buyer && g.State == Reached && g.Paid-s.Quantity < g.MinQty:
			return g, s, ErrNeeded
		case by == auth.Buyer && !at.Before(g.Deadline):
			return g, s, ErrClosed.Say("The time to join or leave is over: it is being decided what becomes of the group.")
		}
		s.State = Gone
		g.Paid, g.Buyers = g.Paid-s.Quantity, g.Buyers-1
		if g.State == Reached && g.Paid < g.MinQty {
			g, _ = g.do(Fall)
		}
		return g, s, nil
	case s.State == Seated && g.State == Failed:
		s.State = Back
	case s.State == Seated || s.State == Going:
		if by == auth.Buyer && (s.GoneOn == nil || at.Before(s.GoneOn.Add(patience))) {
			return g, s, ErrOrdered
		}
		s.State, g.Undone = Gone, g.Undone-1
	case s.State == Late:
		s.State = Gone
	}
	if s.State == Back && o.Settled {
		s.State, g.Undone = Repaid, g.Undone-1
	}
	return g.end(), s, nil
}
