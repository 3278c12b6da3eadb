// Package pools is many buyers buying of many producers at once: who opens a
// pool says what is sought, those who want it pledge how much at most how dear,
// those who make it how much at least how dear, and when its time is over one
// price is found for all. Each buyer then has an agreement with each producer of
// whom it gets something, and pays by it like any order.
package pools

import (
	"slices"
	"time"

	"tiwiza/marketplace/delivery"
	"tiwiza/pkg/auth"
	"tiwiza/pkg/fault"
)

// Errors of pools.
var (
	ErrNotFound = fault.New(fault.NotFound, "pools.not_found", "There is no such pool.")
	ErrNoPledge = fault.New(fault.NotFound, "pools.no_pledge", "There is no such pledge.")
	ErrInvalid  = fault.New(fault.Invalid, "pools.invalid", "This cannot be; see errors.")
	ErrMany     = fault.New(fault.Conflict, "pools.too_many", "You have 20 pools that are open; wait for one of them to end.")
	ErrState    = fault.New(fault.Conflict, "pools.state", "The pool's state does not allow this now.")
	ErrClosed   = fault.New(fault.Conflict, "pools.closed", "This pool takes no pledges any more.")
	ErrPledged  = fault.New(fault.Conflict, "pools.pledged", "You have a pledge in this pool; withdraw it before you make another.")
	ErrFull     = fault.New(fault.Conflict, "pools.full", "This pool has as many pledges as it can take.")
	ErrNoDeal   = fault.New(fault.Conflict, "pools.no_deal", "You have nothing to pay in this pool.")
)

// State is where a pool stands.
type State string

// The states.
const (
	Open      State = "open"      // pledges are taken
	Cleared   State = "cleared"   // there is a price, and deals that wait for their buyers
	Settled   State = "settled"   // each of them was paid or has lapsed
	Failed    State = "failed"    // too little could be exchanged
	Cancelled State = "cancelled" // by whoever opened it, or the operator
)

// A Move is what can happen to a pool.
type Move string

// The moves.
const (
	Fix    Move = "fix" // its price
	Miss   Move = "miss"
	Settle Move = "settle"
	Cancel Move = "cancel"
)

var moves = map[Move]struct {
	from []State
	to   State
}{
	Fix:    {[]State{Open}, Cleared},
	Miss:   {[]State{Open}, Failed},
	Settle: {[]State{Cleared}, Settled},
	Cancel: {[]State{Open}, Cancelled},
}

// A Pool is what is sought together. It never changes while pledges are taken.
type Pool struct {
	ID        string
	Organiser string
	Names     map[string]string
	Text      string // what quality is meant
	Category  string
	Unit      string // of which quantities are, as "sac de 25 kg"
	Region    string
	Commune   string
	Spot      *delivery.Spot // where producers bring it and buyers fetch it; nil: as each seller delivers
	Ceiling   int64          // centimes of each, above which nothing is bought
	Least     int            // less is not exchanged
	Deadline  time.Time
	State     State
	Buyers    int    // how many pledged to buy
	Producers int    // and to sell
	Price     *int64 // centimes of each, once cleared
	Quantity  int    // that was matched
	Open      int    // deals that are neither paid nor lapsed
	Version   int64
	MadeAt    time.Time
	ClosedAt  *time.Time
}

// do moves the pool.
func (p Pool) do(m Move) (Pool, error) {
	step := moves[m]
	if !slices.Contains(step.from, p.State) {
		return p, ErrState.Say("This pool is %s, so that it cannot %s.", p.State, m).At("/state", string(p.State))
	}
	p.State = step.to
	return p, nil
}

// takes says whether pledges can be made and withdrawn.
func (p Pool) takes(at time.Time) error {
	if p.State != Open || !at.Before(p.Deadline) {
		return ErrClosed.At("/state", string(p.State))
	}
	return nil
}

// clear finds the pool's price.
func (p Pool) clear(all []Pledge, at time.Time) (Pool, Clearing) {
	c, ok := Clear(all, p.Ceiling, p.Least)
	p.ClosedAt = &at
	if !ok {
		p, _ = p.do(Miss)
		return p, c
	}
	p, _ = p.do(Fix)
	p.Price, p.Quantity, p.Open = &c.Price, c.Quantity, len(c.Matches)
	return p, c
}

// A Pledge is how much one member buys at most so dear, or sells at least so
// dear.
type Pledge struct {
	ID       string
	Pool     string
	Member   string
	Side     Side
	Variant  string // the article that a producer sells
	Quantity int
	Price    int64 // centimes of each: a buyer's ceiling, a producer's floor
	Filled   int   // of quantity, once the pool is cleared
	State    PledgeState
	MadeAt   time.Time
}

// A Side is which side of a pool a pledge is on.
type Side string

// The sides.
const (
	Buys  Side = "buy"
	Sells Side = "sell"
)

// sideOf is the side on which a role pledges.
func sideOf(r auth.Role) Side {
	if r == auth.Seller {
		return Sells
	}
	return Buys
}

// PledgeState is where a pledge stands.
type PledgeState string

// The states of pledges.
const (
	Pledged   PledgeState = "pledged"
	Withdrawn PledgeState = "withdrawn"
	Matched   PledgeState = "matched"
	Unmatched PledgeState = "unmatched"
)

// DealState is where a deal stands.
type DealState string

// The states of deals.
const (
	Proposed DealState = "proposed" // its buyer has not ordered
	Ordered  DealState = "ordered"  // nor paid
	Paid     DealState = "paid"
	Lapsed   DealState = "lapsed"
)

// A Deal is what one buyer gets of one producer.
type Deal struct {
	ID        string
	Pool      string
	Buyer     string
	Seller    string
	Variant   string
	Quantity  int
	Price     int64 // centimes of each
	Agreement string
	OrderID   string
	State     DealState
	Until     time.Time
	MadeAt    time.Time
}

// over says whether nothing more happens to the deal here.
func (d Deal) over() bool { return d.State == Paid || d.State == Lapsed }

// PayWithin is how long a buyer has to order what was matched.
const PayWithin = 72 * time.Hour

// mostPledges is how many pledges a pool takes of one side.
const mostPledges = 200
