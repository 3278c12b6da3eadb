package charges

import (
	"fmt"
	"strconv"
	"time"

	"tiwiza/adapters/card"
	"tiwiza/payments/operations"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
	"tiwiza/pkg/outbound"
)

// Errors of refunds.
var (
	ErrNoRefund    = fault.New(fault.NotFound, "refunds.not_found", "There is no such refund.")
	ErrTooMuch     = fault.New(fault.Invalid, "refunds.too_much", "This is more than was paid and has not gone back.")
	ErrRefundState = fault.New(fault.Conflict, "refunds.state", "This refund does not allow that now.")
	ErrPatience    = fault.New(fault.Conflict, "refunds.buyer_first", "The buyer has 30 days to give an account; after that two people may.")
	ErrNoTransfers = fault.New(fault.Unavailable, "refunds.no_bank", "Transfers are not available at the moment; try again later.")
)

// RefundState is where a refund stands (API.md).
type RefundState string

// The states. Confirmed and rejected end it.
const (
	RefundCreated   RefundState = "created"      // waits for its turn, or to be sent
	RefundSent      RefundState = "sent"         // a partner has it, or is being asked
	RefundUnknown   RefundState = "unknown"      // it may or may not have happened
	RefundAwaiting  RefundState = "awaiting_rib" // the card or wallet takes nothing back: the buyer gives an account
	RefundConfirmed RefundState = "confirmed"
	RefundReturned  RefundState = "returned" // the bank sent it back: another account is needed
	RefundRejected  RefundState = "rejected" // surely never sent: a chargeback took its place
)

// The rails of a refund.
const (
	railCard     = "card"
	railTransfer = "transfer"
	railWallet   = "wallet"
)

// Patience is how long a buyer has to give an account before two people may.
const Patience = 30 * 24 * time.Hour

// A Refund is money on its way back to a buyer. It stands in refund:{id} from
// its first moment until it has arrived.
type Refund struct {
	ID         string
	Charge     string
	Order      string `db:"order_id"` // "" when its money waited in suspense
	Buyer      string
	Seller     string
	Currency   string
	Amount     int64 // centimes
	Rail       string
	Source     string // the wallet's request that brought the money, or ""
	Connector  string // who carries it; "" before it is asked for
	Attempt    int    // how often it was asked for
	Ref        string // what the connector knows the last attempt by
	Before     int64  // what the acquirer had given back of the charge when it was asked
	State      RefundState
	RIB        string `db:"rib"`
	Holder     string
	Reason     string
	AskedBy    string
	Why        string // the partner's last word
	WaitsSince *time.Time
	Deducted   bool   // the acquirer's settlement has shown it
	Displaced  string `db:"displaced_by"` // by which chargeback, when that took its place
	Resumed    string `db:"resumed_as"`   // what it goes on as, once that was won
	Version    int64
	CreatedAt  time.Time
	ChangedAt  time.Time
}

// Money is the refund's amount.
func (r Refund) Money() money.Money { return money.FromCentimes(r.Amount, r.Currency) }

// Done says whether nothing more comes of it.
func (r Refund) Done() bool { return r.State == RefundConfirmed || r.State == RefundRejected }

// Waits says whether the buyer must give an account.
func (r Refund) Waits() bool { return r.State == RefundAwaiting || r.State == RefundReturned }

// refundMoves are the states a refund may go on to.
var refundMoves = map[RefundState][]RefundState{
	RefundCreated:   {RefundSent, RefundUnknown, RefundConfirmed, RefundAwaiting, RefundRejected},
	RefundSent:      {RefundCreated, RefundUnknown, RefundConfirmed, RefundAwaiting},
	RefundUnknown:   {RefundCreated, RefundSent, RefundConfirmed, RefundAwaiting},
	RefundAwaiting:  {RefundCreated, RefundConfirmed, RefundRejected},
	RefundReturned:  {RefundCreated, RefundConfirmed, RefundRejected},
	RefundConfirmed: {RefundReturned},
}

// To moves a refund on. One that waits for an account says since when.
func (r Refund) To(next RefundState, why string, at time.Time) (Refund, error) {
	for _, s := range refundMoves[r.State] {
		if s == next {
			r.State, r.Why, r.ChangedAt, r.WaitsSince = next, why, at, nil
			if r.Waits() {
				r.WaitsSince = &at
			}
			return r, nil
		}
	}
	return r, ErrRefundState.Say("This refund is %s; it cannot become %s.", r.State, next).At("/state", string(r.State))
}

// Ask begins the next attempt at a connector, which knows it by a name of its
// own: one that failed keeps its name for ever.
func (r Refund) Ask(connector string) Refund {
	r.Connector, r.Attempt = connector, r.Attempt+1
	r.Ref = RefOf(r.ID)
	if r.Attempt > 1 {
		r.Ref += "-" + strconv.Itoa(r.Attempt)
	}
	return r
}

// follows is what a refund becomes when its operation has become o.
func follows(o operations.State) (RefundState, error) {
	switch o {
	case operations.Intent:
		return RefundCreated, nil
	case operations.Sending, operations.Accepted:
		return RefundSent, nil
	case operations.Unknown, operations.Review:
		return RefundUnknown, nil
	case operations.Confirmed:
		return RefundConfirmed, nil
	case operations.Rejected:
		return RefundAwaiting, nil
	case operations.Returned:
		return RefundReturned, nil
	}
	return "", fmt.Errorf("a refund's operation is %q", o)
}

// whole says whether a refund gives all of a charge back at once: then the
// acquirer may let the charge go instead, as long as it has not settled it.
func (r Refund) whole(c Charge) bool { return r.Amount == c.Captured }

// A sight is what an acquirer's status says of a refund.
type sight string

const (
	sightDone   sight = "done"
	sightAbsent sight = "absent" // surely not done yet
	sightHidden sight = "hidden" // the acquirer does not tell what went back
	sightOdd    sight = "odd"    // another sum than any we know: for people
	sightNone   sight = "none"   // no answer, or none about a captured charge
)

// see is what a status says of a refund that was asked for when before had been
// given back. Absence is proved only by the very sum that stood there before.
func (r Refund) see(c Charge, st card.Status) (sight, string) {
	switch {
	case st.State == card.Voided && r.whole(c):
		return sightDone, "the charge was let go before it was settled"
	case st.State == card.Voided:
		return sightOdd, "the charge was let go as a whole"
	case st.State != card.Captured && st.State != card.Settled && st.State != card.Refunded:
		return sightNone, "the charge is " + string(st.State) + " to the acquirer"
	case st.Refunded == nil:
		return sightHidden, "the acquirer does not tell what went back"
	case st.Refunded.Centimes() == r.Before+r.Amount:
		return sightDone, ""
	case st.Refunded.Centimes() == r.Before:
		return sightAbsent, ""
	}
	return sightOdd, fmt.Sprintf("the acquirer has given back %s of the charge; we asked for %s after %s",
		st.Refunded, r.Money(), money.FromCentimes(r.Before, r.Currency))
}

// inquired is a status as the answer to an inquiry about a refund.
func (r Refund) inquired(c Charge, st card.Status) outbound.Result {
	res := st.Result
	if st.Outcome == outbound.NotFound || st.Outcome == outbound.NotSent {
		return res
	}
	seen, text := r.see(c, st)
	res.Outcome, res.Text = outbound.Unknown, text
	switch seen {
	case sightDone:
		res.Outcome = outbound.Succeeded
	case sightAbsent:
		res.Outcome = outbound.NotFound
	}
	return res
}
