package orders

import (
	"fmt"
	"slices"
	"time"

	"tiwiza/payments/escrow"
	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
)

// Errors of returns.
var (
	ErrNoReturn      = fault.New(fault.NotFound, "returns.not_found", "There is no such return.")
	ErrReturnState   = fault.New(fault.Conflict, "returns.state", "The return's state does not allow this now.")
	ErrReturnLate    = fault.New(fault.Conflict, "returns.late", "The time for sending these goods back is over; write to the market's operator.")
	ErrExempt        = fault.New(fault.Invalid, "returns.exempt", "Some of these goods cannot be sent back only because one has thought better of it; see errors.")
	ErrReturnLines   = fault.New(fault.Invalid, "returns.lines", "Not all of this can be sent back; see errors.")
	ErrNotDelivered  = fault.New(fault.Conflict, "returns.not_delivered", "These goods have not been delivered; an order that has not left can be cancelled, and one that does not arrive disputed.")
	ErrReturnWaits   = fault.New(fault.Conflict, "returns.waits", "The money of this return cannot move yet; try again once what it waits for is over.")
	ErrReturnRelease = fault.New(fault.Conflict, "returns.released", "Some of this order's money was released already; the market's operator gives it back.")
)

// ReturnState is where a return stands.
type ReturnState string

// The states. Those after Received end a return; Rejected and Replaced leave its
// order's money where it is until the buyer has had time to disagree.
const (
	Requested   ReturnState = "requested"  // the seller is to answer
	Approved    ReturnState = "approved"   // the buyer is to send the goods
	Rejected    ReturnState = "rejected"   // the seller does not take them back
	InTransit   ReturnState = "in_transit" // the seller is to say that they came
	ArrivedBack ReturnState = "received"   // they are with the seller
	PaidBack    ReturnState = "refunded"   // their price went back to the buyer
	Replaced    ReturnState = "replaced"   // the seller has sent others
	ClosedOff   ReturnState = "closed"     // nothing came of it
)

// The reasons for which goods are sent back. A withdrawal needs none: the buyer
// has thought better of it (law 31-08, articles 36 to 38).
const (
	Withdrawal = "withdrawal"
	Other      = "other"
)

// The times of a return. Who lets one pass loses by it: a seller who does not
// answer has agreed, a buyer who sends nothing keeps the goods, and goods that a
// seller never missed have arrived.
const (
	WithdrawWithin = 7 * 24 * time.Hour  // after delivery (law 31-08, article 36)
	FaultWithin    = 14 * 24 * time.Hour // after delivery, for what is wrong with the goods
	AnswerWithin   = 72 * time.Hour
	SendWithin     = 14 * 24 * time.Hour
	ArriveWithin   = 10 * 24 * time.Hour
	RefundWithin   = 15 * 24 * time.Hour // after a withdrawal (law 31-08, article 37)
	ReplaceWithin  = 7 * 24 * time.Hour
	ObjectWithin   = 72 * time.Hour      // against a rejection
	InspectWithin  = 10 * 24 * time.Hour // the goods that were sent instead
)

// A ReturnLine is some of an article of an order.
type ReturnLine struct {
	Variant  string
	Quantity int
	Total    int64 // centimes, as it was bought
	Whole    int   // came back as they left
}

// A GoodsReturn is goods of one order on their way back.
type GoodsReturn struct {
	ID          string
	Order       string `db:"order_id"`
	Seller      string
	Buyer       string
	Currency    string
	Reason      string
	Wish        string
	Text        string
	State       ReturnState
	Goods       int64 // centimes
	Extra       int64 // centimes: delivery and the market's fees, which go back with a whole order
	RequestedAt time.Time
	Deadline    *time.Time // of whoever is to act next
	ApprovedAt  *time.Time
	Carrier     string
	Tracking    string
	SentAt      *time.Time
	ReceivedAt  *time.Time
	Waits       string // what its money waits for: operator, case or cash
	Why         string
	Note        string
	Refund      string
	Back        int64 // centimes that went back
	EndedAt     *time.Time
	Version     int64
}

// Amount is what goes back for the goods, in centimes.
func (r GoodsReturn) Amount() int64 { return r.Goods + r.Extra }

func (r GoodsReturn) money(centimes int64) money.Money {
	return money.FromCentimes(centimes, r.Currency)
}

// in says why a return is in none of these states, or nil.
func (r GoodsReturn) in(states ...ReturnState) error {
	if r.EndedAt != nil && r.State != PaidBack && r.State != ClosedOff {
		return ErrReturnState.Say("This return was %s and is over.", r.State).At("/state", string(r.State))
	}
	if !slices.Contains(states, r.State) {
		return ErrReturnState.Say("This return is %s.", r.State).At("/state", string(r.State))
	}
	return nil
}

func (r GoodsReturn) due(at time.Time) GoodsReturn { r.Deadline = &at; return r }

// Approve says that the goods may come.
func (r GoodsReturn) Approve(at time.Time) (GoodsReturn, error) {
	if err := r.in(Requested); err != nil {
		return r, err
	}
	r.State, r.ApprovedAt = Approved, &at
	return r.due(at.Add(SendWithin)), nil
}

// Reject says that the seller does not take the goods back, or that what came is
// not what was sold. A withdrawal needs nobody's leave: only what came, or did
// not, can be rejected. Once the seller has said that they came, only an agent
// can who is asked for the money.
func (r GoodsReturn) Reject(why, note string, agent bool, at time.Time) (GoodsReturn, error) {
	if err := r.in(Requested, InTransit, ArrivedBack); err != nil {
		return r, err
	}
	if r.State == ArrivedBack && !(agent && r.Waits == "operator") && (r.Waits != "" || r.Wish == "refund") {
		return r, ErrReturnState.Say("You have said that these goods came back; they are paid for now.").At("/state", string(r.State))
	}
	r.State, r.Why, r.Note, r.Waits = Rejected, why, note, ""
	return r.due(at.Add(ObjectWithin)), nil
}

// Send says that the goods are on their way back, and how.
func (r GoodsReturn) Send(carrier, tracking string, at time.Time) (GoodsReturn, error) {
	if err := r.in(Approved); err != nil {
		return r, err
	}
	r.State, r.Carrier, r.Tracking, r.SentAt = InTransit, carrier, tracking, &at
	due := at.Add(ArriveWithin)
	if latest := r.RequestedAt.Add(RefundWithin); r.Reason == Withdrawal && latest.Before(due) {
		due = latest
	}
	if soonest := at.Add(5 * 24 * time.Hour); due.Before(soonest) { // time enough to travel, and to look
		due = soonest
	}
	return r.due(due), nil
}

// Arrive says that the goods are with the seller again, also when they were
// handed over.
func (r GoodsReturn) Arrive(at time.Time) (GoodsReturn, error) {
	if err := r.in(Approved, InTransit); err != nil {
		return r, err
	}
	r.State, r.ReceivedAt, r.Deadline = ArrivedBack, &at, nil
	if r.Wish == "replacement" {
		return r.due(at.Add(ReplaceWithin)), nil
	}
	return r, nil
}

// Pay says that so much went back to the buyer, by which refund.
func (r GoodsReturn) Pay(refund string, centimes int64, at time.Time) (GoodsReturn, error) {
	if err := r.in(ArrivedBack); err != nil {
		return r, err
	}
	r.State, r.Refund, r.Back, r.Waits, r.Deadline, r.EndedAt = PaidBack, refund, centimes, "", nil, &at
	return r, nil
}

// Wait says what the money of goods that came back waits for, and until when.
func (r GoodsReturn) Wait(what string, until *time.Time) (GoodsReturn, error) {
	if err := r.in(ArrivedBack); err != nil {
		return r, err
	}
	r.Waits, r.Deadline = what, until
	return r, nil
}

// Replace says that other goods are on their way to the buyer.
func (r GoodsReturn) Replace(carrier, tracking string, at time.Time) (GoodsReturn, error) {
	if err := r.in(ArrivedBack); err != nil {
		return r, err
	}
	if r.Wish != "replacement" {
		return r, ErrReturnState.Say("The buyer wants the money back, not other goods.").At("/wish", r.Wish)
	}
	if r.Waits != "" {
		return r, ErrReturnState.Say("The money of this return is on its way already.").At("/waits", r.Waits)
	}
	r.State, r.Carrier, r.Tracking = Replaced, carrier, tracking
	return r.due(at.Add(InspectWithin)), nil
}

// Close says that nothing comes of a return.
func (r GoodsReturn) Close(why string, at time.Time) (GoodsReturn, error) {
	if err := r.in(Requested, Approved, ArrivedBack); err != nil {
		return r, err
	}
	r.State, r.Why, r.Waits, r.Deadline, r.EndedAt = ClosedOff, why, "", nil, &at
	return r, nil
}

// End says that the buyer has nothing against how a return ended, or no time
// left for it.
func (r GoodsReturn) End(at time.Time) (GoodsReturn, error) {
	if err := r.in(Rejected, Replaced); err != nil {
		return r, err
	}
	r.Deadline, r.EndedAt = nil, &at
	return r, nil
}

// kase is the return as the order's escrow shows it.
func (r GoodsReturn) kase() escrow.Case {
	return escrow.Case{ID: r.ID, Kind: "return", State: string(r.State), Deadline: r.Deadline}
}

// A Wanted line is what a buyer wants to send back of an article.
type Wanted struct {
	Variant  string `json:"variant" required:"true"`
	Quantity int    `json:"quantity" required:"true" minimum:"1" maximum:"999"`
}

// window is why an order's goods cannot be sent back for a reason now, or nil.
func (o Order) window(reason string, at time.Time) error {
	within := FaultWithin
	if reason == Withdrawal {
		within = WithdrawWithin
	}
	switch {
	case o.DeliveredAt == nil || o.State != Delivered && o.State != Completed:
		return ErrNotDelivered.At("/state", string(o.State))
	case !at.Before(o.DeliveredAt.Add(within)):
		return ErrReturnLate.At("/reason", fmt.Sprintf("for this reason until %s", o.DeliveredAt.Add(within).UTC().Format(time.RFC3339)))
	}
	return nil
}

// back says what is sent back of an order's lines, of which so many were before:
// what it had cost, and whether that leaves nothing of the order with the buyer.
func sendBack(bought []boughtLine, before map[string]int, reason string, want []Wanted) (lines []ReturnLine, goods int64, whole bool, err error) {
	wrong, exempt := ErrReturnLines, ErrExempt
	asked := map[string]int{}
	for i, w := range want {
		at := fmt.Sprintf("/lines/%d", i)
		j := slices.IndexFunc(bought, func(l boughtLine) bool { return l.Variant == w.Variant })
		switch {
		case j < 0:
			wrong = wrong.At(at+"/variant", "This article is not in the order.")
		case asked[w.Variant] > 0:
			wrong = wrong.At(at+"/variant", "Name each article once.")
		case w.Quantity > bought[j].Quantity-before[w.Variant]:
			wrong = wrong.At(at+"/quantity", fmt.Sprintf("At most %d of it can be sent back.", bought[j].Quantity-before[w.Variant]))
		case bought[j].Exempt == exemptDigital, reason == Withdrawal && bought[j].Exempt != "":
			exempt = exempt.At(at+"/variant", exemptWords[bought[j].Exempt])
		default:
			total := bought[j].cost(before[w.Variant], w.Quantity)
			lines, goods = append(lines, ReturnLine{Variant: w.Variant, Quantity: w.Quantity, Total: total}), goods+total
		}
		asked[w.Variant] += w.Quantity
	}
	switch {
	case len(wrong.Details) > 0:
		return nil, 0, false, wrong
	case len(exempt.Details) > 0:
		return nil, 0, false, exempt
	}
	whole = !slices.ContainsFunc(bought, func(l boughtLine) bool { return asked[l.Variant]+before[l.Variant] < l.Quantity })
	return lines, goods, whole, nil
}

// exemptWords say why an article has no right of withdrawal (law 31-08, article
// 38). It can still be sent back when something is wrong with it.
var exemptWords = map[string]string{
	"perishable":      "It perishes quickly; it can be sent back when something is wrong with it.",
	"made_to_measure": "It was made for you; it can be sent back when something is wrong with it.",
	exemptDigital:     "It is a file or a code, which cannot be sent back. One that was not opened goes back when its order is cancelled; when something is wrong with one, dispute the order.",
	"unsealed":        "It was sealed; it can be sent back when something is wrong with it.",
}
