// Package catalog is what the cooperatives offer: offers and their variants,
// prices, labels, stock and its reservations, and the import and export of all
// that as files. Whatever buyers may see is put into the search index in the
// same transaction.
package catalog

import (
	"slices"
	"time"

	"tiwiza/pkg/fault"
)

// Errors of the catalogue.
var (
	ErrNotFound   = fault.New(fault.NotFound, "catalog.not_found", "There is no such offer.")
	ErrSoldOut    = fault.New(fault.Conflict, "catalog.sold_out", "Not enough is left; see errors for what there is.")
	ErrReserved   = fault.New(fault.Conflict, "catalog.reserved", "Stock is already held for this order.")
	ErrStockHeld  = fault.New(fault.Conflict, "catalog.stock_held", "Buyers hold more of this than that; wait for their orders, or set a higher number.")
	ErrState      = fault.New(fault.Conflict, "catalog.wrong_state", "The offer's state does not allow this.")
	ErrKey        = fault.New(fault.Conflict, "catalog.key_taken", "Another of your offers has this key; each offer needs its own.")
	ErrSKU        = fault.New(fault.Conflict, "catalog.sku_taken", "Another of your variants has this SKU; each variant needs its own.")
	ErrInvalid    = fault.New(fault.Invalid, "catalog.invalid", "Some of the offer's fields are wrong; see errors.")
	ErrByQuote    = fault.New(fault.Conflict, "catalog.by_quote", "This has no fixed price; ask its seller for a quotation.")
	ErrCodes      = fault.New(fault.Conflict, "catalog.stock_of_codes", "This is sold by codes, and they are its stock; add codes, or take them away.")
	ErrNoCodes    = fault.New(fault.Conflict, "catalog.no_codes", "Only a digital article whose policy is stocked is sold by codes.")
	ErrStockSince = fault.New(fault.Conflict, "catalog.stock_since", "The stock changed since you looked; look again and repeat your change.")
	ErrPlaced     = fault.New(fault.Conflict, "catalog.stock_placed", "That many lie at named places; say at which place the stock changes.")
	ErrNoPlace    = fault.New(fault.NotFound, "catalog.no_place", "There is no such place.")
	ErrPlaceTaken = fault.New(fault.Conflict, "catalog.place_taken", "Another of your places has this name.")
	ErrManyPlaces = fault.New(fault.Conflict, "catalog.many_places", "You keep goods at 50 places, which is the most there can be.")
	ErrSuspended  = fault.New(fault.Denied, "catalog.seller_inactive", "Only approved members in good standing publish offers.")
	ErrStale      = fault.New(fault.Conflict, "catalog.changed", "The offer was changed in the meantime; read it again and repeat your change.")
	ErrUnreadable = fault.New(fault.Invalid, "catalog.unreadable_file", "The file cannot be read as a catalogue; see errors.")
)

// A State is where an offer stands: draft → published ⇄ paused → archived.
type State string

// The states.
const (
	Draft     State = "draft"
	Published State = "published"
	Paused    State = "paused"
	Archived  State = "archived"
)

// moves says from which states each move is allowed. Repeating a move is
// harmless.
var moves = map[State][]State{
	Published: {Draft, Paused, Published},
	Paused:    {Published, Paused},
	Archived:  {Draft, Published, Paused, Archived},
}

// An Offer is one thing a seller offers, in one or more variants.
type Offer struct {
	ID               string
	Seller           string
	Ref              string // the seller's own key
	Kind             Kind
	Way              Way // how a service is had; "" for all else
	Category         string
	Attributes       map[string]string // by code, as the category's attributes write them
	Claims           []string          // what the seller says of it, as far as that was approved
	Names            map[string]string
	Descriptions     map[string]string
	Voice            string // a sound that tells what it is, by its id
	Region           string
	Commune          string
	Lat, Lng         *float64
	WithdrawalExempt string
	Image            string
	State            State
	Version          int
	CreatedAt        time.Time
	PublishedAt      *time.Time
	Variants         []Variant
	Labels           []Label
	Photos           []Photo // in order
	Reviews          int     // how many buyers' reviews are shown
	Stars            int64   // of all of them together
	Reopens          string  // when its seller is away, the day on which it sells again
	Asked            *Change // the last request to change what it claims

	dropped []string // labels that it no longer has, to be withdrawn
}

// A Kind says what an offer is.
type Kind string

// The kinds.
const (
	Product Kind = "product"
	Labour  Kind = "service" // what somebody does
	Digital Kind = "digital"
)

// A Way is how a service is had.
type Way string

// The ways.
const (
	ByQuote   Way = "quote"   // the seller names a price when asked; the one shown is where prices begin
	ByBooking Way = "booking" // each variant is a date with its seats, or is made to order
)

// Move brings the offer to a state, or says why not. An archived offer stays
// archived.
func (o Offer) Move(to State, at time.Time) (Offer, error) {
	if !slices.Contains(moves[to], o.State) {
		return o, ErrState.Say("The offer is %s, so it cannot become %s.", o.State, to)
	}
	if to == Published && o.State != Published {
		if len(o.Variants) == 0 {
			return o, ErrInvalid.At("/variants", "Give at least one variant with a price before publishing.")
		}
		if o.PublishedAt == nil {
			o.PublishedAt = &at
		}
	}
	if o.State != to {
		o.State = to
		o.Version++
	}
	return o, nil
}
