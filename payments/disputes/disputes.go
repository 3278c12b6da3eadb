// Package disputes is what happens when a buyer says that something is wrong
// with an order that is not settled yet: the money stays where it is, the seller
// answers, an agent rules. A ruling shares what is held in one transfer; after
// thirty days it takes two people.
package disputes

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of disputes.
var (
	ErrNotFound = fault.New(fault.NotFound, "disputes.not_found", "There is no such dispute.")
	ErrState    = fault.New(fault.Conflict, "disputes.state", "The dispute's state does not allow this now.")
	ErrLate     = fault.New(fault.Conflict, "disputes.late", "The time to open a dispute is over; write to the market's operator.")
	ErrHeld     = fault.New(fault.Conflict, "disputes.not_held", "Nothing is held for this order, so that there is nothing to share; write to the market's operator.")
	ErrInvalid  = fault.New(fault.Invalid, "disputes.invalid", "Some of this is not right; see errors.")
)

// State is where a dispute stands.
type State string

// The states.
const (
	Open      State = "open"      // the seller is to answer
	Answered  State = "answered"  // an agent is to rule
	Mediation State = "mediation" // two people are to rule
	Resolved  State = "resolved"
)

// The terms. Who lets one pass loses it: the seller the dispute, the agent the
// right to rule alone.
const (
	ReplyWithin = 72 * time.Hour
	RuleWithin  = 7 * 24 * time.Hour
	TwoAfter    = 30 * 24 * time.Hour
)

// The reasons that the hub itself gives.
const (
	Lost    = "lost"          // nothing says that the goods arrived
	TooLong = "held_too_long" // the money was held for as long as it may be
)

// A Proposal is a ruling that waits for a second person.
type Proposal struct {
	Back    int64  `json:"back"`
	Release int64  `json:"release"`
	Reason  string `json:"reason"`
	By      string `json:"by"`
}

// A Dispute is one case about one order.
type Dispute struct {
	ID         string
	Order      string `db:"order_id"`
	Seller     string
	Buyer      string
	Charge     string
	Currency   string
	Reason     string
	Wish       string
	Text       string
	State      State
	OpenedBy   string
	OpenedAt   time.Time
	Deadline   *time.Time // of whoever is to speak next
	Reply      string
	RepliedAt  *time.Time
	Proposal   *Proposal
	Back       int64 // centimes gone back to the buyer
	Release    int64 // centimes released
	Refund     string
	Ruling     string
	RuledBy    string
	ResolvedAt *time.Time
	Version    int64
}

func (d Dispute) in(states ...State) error {
	if !slices.Contains(states, d.State) {
		return ErrState.Say("This dispute is %s.", d.State).At("/state", string(d.State))
	}
	return nil
}

// Accept is the seller's word that the buyer is right; it may still come after
// another answer, as long as nobody has ruled.
func (d Dispute) Accept(text string, at time.Time) (Dispute, error) {
	if err := d.in(Open, Answered, Mediation); err != nil {
		return d, err
	}
	if d.RepliedAt == nil {
		d.Reply, d.RepliedAt = text, &at
	}
	return d, nil
}

// Answer is the seller's word. The agent has a week from here on.
func (d Dispute) Answer(text string, at time.Time) (Dispute, error) {
	if err := d.in(Open); err != nil {
		return d, err
	}
	due := at.Add(RuleWithin)
	if two := d.OpenedAt.Add(TwoAfter); two.Before(due) {
		due = two
	}
	d.State, d.Reply, d.RepliedAt, d.Deadline = Answered, text, &at, &due
	return d, nil
}

// Escalate says that it takes two people from here on.
func (d Dispute) Escalate() (Dispute, error) {
	if err := d.in(Open, Answered); err != nil {
		return d, err
	}
	d.State, d.Deadline = Mediation, nil
	return d, nil
}

// NeedsTwo says whether one person may not rule alone any more.
func (d Dispute) NeedsTwo(at time.Time) bool {
	return d.State == Mediation || !at.Before(d.OpenedAt.Add(TwoAfter))
}

// Resolve ends the dispute: how what was held is shared, why, and by whom.
func (d Dispute) Resolve(p Proposal, refund string, at time.Time) (Dispute, error) {
	if err := d.in(Open, Answered, Mediation); err != nil {
		return d, err
	}
	d.State, d.Back, d.Release, d.Refund, d.Ruling, d.RuledBy = Resolved, p.Back, p.Release, refund, p.Reason, p.By
	d.ResolvedAt, d.Deadline, d.Proposal = &at, nil, nil
	return d, nil
}

// Hash stands for exactly what a second person approves.
func (d Dispute) Hash(p Proposal) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "ruling 1\n%q %q %q %d %d %q %q\n", d.ID, d.Order, d.Currency, p.Back, p.Release, p.Reason, p.By))
	return sum[:]
}

// toBuyer gives the buyer all that is held and still to be claimed; what is not,
// such as the fee of a carrier who brought the goods, goes to whom it belongs.
func toBuyer(h escrow.Hold, reason, by string) Proposal {
	back := min(h.Held(), h.Claim())
	return Proposal{Back: back, Release: h.Held() - back, Reason: reason, By: by}
}

// kase is the dispute as the escrow shows it.
func (d Dispute) kase() escrow.Case {
	return escrow.Case{ID: d.ID, Kind: "dispute", State: string(d.State), Deadline: d.Deadline}
}

func (d Dispute) money(centimes int64) money.Money { return money.FromCentimes(centimes, d.Currency) }
