// Package quotations is asking for prices: a buyer says what is wanted, to some
// sellers or to all of a category; sellers make offers and revise them; the buyer
// accepts one, which becomes an agreement and a basket that is ready to order.
// No seller learns what another offers, or who else was asked; and the buyer
// stays unnamed until an offer is accepted.
package quotations

import (
	"slices"
	"time"

	"tiwiza/marketplace/agreements"
	"tiwiza/pkg/fault"
)

// Errors of quotations.
var (
	ErrNotFound  = fault.New(fault.NotFound, "quotations.not_found", "There is no such request.")
	ErrNoOffer   = fault.New(fault.NotFound, "quotations.no_offer", "There is no such offer.")
	ErrInvalid   = fault.New(fault.Invalid, "quotations.invalid", "This cannot be; see errors.")
	ErrMany      = fault.New(fault.Conflict, "quotations.too_many", "You have 10 open requests already; close one of them first.")
	ErrEnough    = fault.New(fault.Conflict, "quotations.enough", "This request takes no more offers.")
	ErrRevisions = fault.New(fault.Conflict, "quotations.too_many_revisions", "You have made 20 offers for this request; write to the buyer instead.")
	ErrState     = fault.New(fault.Conflict, "quotations.state", "The request's state does not allow this now.")
	ErrOffer     = fault.New(fault.Conflict, "quotations.offer_state", "This offer does not stand any more; look at what stands now.")
	ErrSeller    = fault.New(fault.Conflict, "quotations.seller_unavailable", "This seller does not sell at the moment.")
	ErrDeclined  = fault.New(fault.Conflict, "quotations.answered", "An offer of yours stands; withdraw it first.")
	ErrTalkative = fault.New(fault.Limited, "quotations.too_many_messages", "These are many messages for one day; please go on tomorrow.")
)

// State is where a request stands.
type State string

// The states of a request.
const (
	Open      State = "open"    // sellers make offers
	Closed    State = "closed"  // no more offers; the buyer may still accept one
	Awarded   State = "awarded" // an offer is accepted, and not paid yet
	Done      State = "done"    // it is paid, or will be at the door
	Cancelled State = "cancelled"
)

// A Move is what can happen to a request.
type Move string

// The moves of a request.
const (
	Close  Move = "close"  // the buyer, or its deadline
	Cancel Move = "cancel" // the buyer
	Award  Move = "award"  // the buyer accepts an offer
	Lapse  Move = "lapse"  // the accepted offer was not paid in time
	Pay    Move = "pay"    // orders: it was paid, or confirmed
)

// moves is the whole of a request's life.
var moves = map[Move]struct {
	from []State
	to   State
}{
	Close:  {[]State{Open}, Closed},
	Cancel: {[]State{Open, Closed, Awarded}, Cancelled},
	Award:  {[]State{Open, Closed}, Awarded},
	Lapse:  {[]State{Awarded}, Closed},
	Pay:    {[]State{Awarded}, Done},
}

// OfferState is where an offer stands.
type OfferState string

// The states of an offer. It stands; all others but accepted are its end.
const (
	Standing  OfferState = "standing"
	Accepted  OfferState = "accepted"
	Replaced  OfferState = "replaced"  // by the seller's next
	Withdrawn OfferState = "withdrawn" // by the seller
	Declined  OfferState = "declined"  // by the buyer
	Expired   OfferState = "expired"   // nobody accepted it in time
	Lapsed    OfferState = "lapsed"    // it was accepted, and not paid in time
	Passed    OfferState = "passed"    // the request is over without it
)

// next are the states that each state of an offer may come to.
var next = map[OfferState][]OfferState{
	Standing: {Accepted, Replaced, Withdrawn, Declined, Expired, Passed},
	Accepted: {Lapsed},
}

// A Request says what a buyer wants offers for.
type Request struct {
	ID       string
	Buyer    string
	State    State
	ToAll    bool // of a category and area; else to the sellers named
	Category string
	Area     string
	Text     string
	Commune  string
	Region   string
	WantedOn *time.Time
	Budget   *int64 // centimes
	Files    []string
	Deadline time.Time
	MadeAt   time.Time
	Version  int
	Lines    []Line
}

// A Line is one thing that is wanted.
type Line struct {
	Variant  string `json:"variant,omitempty" maxLength:"40" description:"An article; or words and a category."`
	Text     string `json:"text,omitempty" maxLength:"500"`
	Category string `json:"category,omitempty" maxLength:"60"`
	Quantity int    `json:"quantity" required:"true" minimum:"1" maximum:"999"`
	Unit     string `json:"unit,omitempty" maxLength:"30"`
}

// Do moves a request.
func (r Request) Do(m Move) (Request, error) {
	step := moves[m]
	if !slices.Contains(step.from, r.State) {
		return r, ErrState.Say("This request is %s.", r.State).At("/state", string(r.State))
	}
	r.State = step.to
	return r, nil
}

// An Offer is what one seller would sell for what. Apart from its state it never
// changes.
type Offer struct {
	ID         string
	Request    string
	Seller     string
	Revision   int
	State      OfferState
	Method     string
	Delivery   int64 // centimes
	LeadDays   int
	Total      int64 // goods and delivery
	Text       string
	Reason     string
	Agreement  string
	ValidUntil time.Time
	MadeAt     time.Time
	Version    int
	Lines      []OfferLine
}

// An OfferLine is one article of an offer, at so much each.
type OfferLine struct {
	Variant  string `json:"variant"`
	Answers  *int   `json:"answers"`
	Quantity int    `json:"quantity"`
	Price    int64  `json:"price"`
}

// To brings an offer to a state.
func (o Offer) To(s OfferState) (Offer, error) {
	if !slices.Contains(next[o.State], s) {
		return o, ErrOffer.Say("This offer is %s; look at what stands now.", o.State).At("/state", string(o.State))
	}
	o.State = s
	return o, nil
}

// agreement is what an offer for a request comes to when it is accepted.
func (o Offer) agreement(r Request) agreements.Agreement {
	a := agreements.Agreement{
		Kind: kind, Source: o.ID, Seller: o.Seller, Buyer: r.Buyer, Until: o.ValidUntil,
		Delivery: &agreements.Delivery{Method: o.Method, Amount: o.Delivery, LeadDays: o.LeadDays, Commune: r.Commune, Region: r.Region},
	}
	for _, l := range o.Lines {
		a.Lines = append(a.Lines, agreements.Line{Variant: l.Variant, Least: l.Quantity, Most: l.Quantity, Price: l.Price})
	}
	return a
}

// kind is that of agreements that come of offers.
const kind = "quotation"
