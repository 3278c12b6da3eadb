// Package catalog is what the cooperatives offer: offers and their variants,
// prices, labels, stock and its reservations, and the import and export of all
// that as files. Whatever buyers may see is put into the search index in the
// same transaction.
package catalog

import (
	"slices"
	"time"

	"tiwiza/pkg/fault"
	"tiwiza/pkg/money"
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
	Category         string
	Names            map[string]string
	Descriptions     map[string]string
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
}

// A Variant is what is bought: one size, colour or weight of an offer.
type Variant struct {
	ID       string
	SKU      string
	Names    map[string]string
	Unit     string
	WeightG  int
	Price    money.Money
	OnHand   int
	Reserved int
}

// Available is how many a buyer can have.
func (v Variant) Available() int { return v.OnHand - v.Reserved }

// A Label is a sign of origin or quality. Days are written as 2026-01-31; a
// label without a last day stays.
type Label struct {
	Code    string `json:"code"`
	Issuer  string `json:"issuer"`
	Number  string `json:"number"`
	From    string `json:"valid_from"`
	To      string `json:"valid_to"`
	Current bool   `json:"current"` // in date as it was read; only such labels are shown
}

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
