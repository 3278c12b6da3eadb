package catalog

import (
	"context"

	"tiwiza/marketplace/members"
	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Subscribe has what a seller offers found again, or no longer, when it may
// sell or may not.
func Subscribe(bus *event.Bus, s *Service) {
	event.Subscribe(bus, "catalog", func(ctx context.Context, tx *pg.Tx, e members.Moved) error {
		return s.Reindex(ctx, tx, e.Organisation)
	})
	event.Subscribe(bus, "catalog", func(ctx context.Context, tx *pg.Tx, e members.Restricted) error {
		return s.Reindex(ctx, tx, e.Organisation)
	})
}

// LabelMoved says that a label came to a new state: claimed ones are verified or
// refused, verified ones expire or are revoked.
type LabelMoved struct {
	Label  string     `json:"label"`
	Seller string     `json:"seller"`
	Code   string     `json:"code"`
	State  LabelState `json:"state"`
	Reason string     `json:"reason,omitempty"`
}

// EventType names the event.
func (LabelMoved) EventType() string { return "catalog.label_moved" }

// Subject is the label.
func (e LabelMoved) Subject() string { return e.Label }

// LabelExpiring reminds a seller that a label ends in so many days.
type LabelExpiring struct {
	Label  string `json:"label"`
	Seller string `json:"seller"`
	Code   string `json:"code"`
	Days   int    `json:"days"`
	Last   string `json:"last_day"`
}

// EventType names the event.
func (LabelExpiring) EventType() string { return "catalog.label_expiring" }

// Subject is the label.
func (e LabelExpiring) Subject() string { return e.Label }

// ChangeDecided says what became of a seller's request.
type ChangeDecided struct {
	Change string      `json:"change"`
	Offer  string      `json:"offer"`
	Seller string      `json:"seller"`
	State  ChangeState `json:"state"`
	Reason string      `json:"reason,omitempty"`
}

// EventType names the event.
func (ChangeDecided) EventType() string { return "catalog.change_decided" }

// Subject is the request.
func (e ChangeDecided) Subject() string { return e.Change }

// Closed says that a seller is away from a day to another; with the last day
// before the first, that it is not after all.
type Closed struct {
	Closure string `json:"closure"`
	Seller  string `json:"seller"`
	From    string `json:"from"`
	To      string `json:"to"`
}

// EventType names the event.
func (Closed) EventType() string { return "catalog.closed" }

// Subject is the seller.
func (e Closed) Subject() string { return e.Seller }

// Imported says that a file was taken in, and what became of its rows.
type Imported struct {
	Import    string `json:"import"`
	Seller    string `json:"seller"`
	Rows      int    `json:"rows"`
	Created   int    `json:"created"`
	Updated   int    `json:"updated"`
	Unchanged int    `json:"unchanged"`
	Rejected  int    `json:"rejected"`
}

// EventType names the event.
func (Imported) EventType() string { return "catalog.imported" }

// Subject is the import.
func (e Imported) Subject() string { return e.Import }

// OfferChanged says that an offer was written or came to a state. What says how:
// created, updated, published, paused or archived. The offers of a file are told
// of by the import that brought them.
type OfferChanged struct {
	Offer   string `json:"offer"`
	Seller  string `json:"seller"`
	What    string `json:"what"`
	State   State  `json:"state"`
	Version int    `json:"version"`
}

// EventType names the event.
func (OfferChanged) EventType() string { return "catalog.offer_changed" }

// Subject is the offer.
func (e OfferChanged) Subject() string { return e.Offer }

// news is what is told of an offer.
func (o Offer) news(what string) OfferChanged {
	return OfferChanged{o.ID, o.Seller, what, o.State, o.Version}
}

// StockChanged says that the stock of a variant was counted, or that some came or
// went by hand. What orders take and give back, their own events tell.
type StockChanged struct {
	Variant string `json:"variant"`
	Offer   string `json:"offer"`
	Seller  string `json:"seller"`
	Place   string `json:"place,omitempty"`
	By      int    `json:"by"`
	OnHand  int    `json:"on_hand"`
	Left    int    `json:"available"`
	Reason  string `json:"reason"`
}

// EventType names the event.
func (StockChanged) EventType() string { return "catalog.stock_changed" }

// Subject is the variant.
func (e StockChanged) Subject() string { return e.Variant }

// StockMoved says that goods were brought from one place of their seller to
// another; no name is where the seller is.
type StockMoved struct {
	Variant  string `json:"variant"`
	Offer    string `json:"offer"`
	Seller   string `json:"seller"`
	From     string `json:"from"`
	To       string `json:"to"`
	Quantity int    `json:"quantity"`
}

// EventType names the event.
func (StockMoved) EventType() string { return "catalog.stock_moved" }

// Subject is the variant.
func (e StockMoved) Subject() string { return e.Variant }

// AvailabilityChanged says that a variant sold out, or that there is something of
// it again: by an order, by its end, or by hand.
type AvailabilityChanged struct {
	Variant   string `json:"variant"`
	Offer     string `json:"offer"`
	Seller    string `json:"seller"`
	Available bool   `json:"available"`

	Names map[string]string `json:"names"` // of the offer
}

// EventType names the event.
func (AvailabilityChanged) EventType() string { return "catalog.availability_changed" }

// Subject is the variant.
func (e AvailabilityChanged) Subject() string { return e.Variant }

// PlaceAdded says that a seller keeps goods at one place more.
type PlaceAdded struct {
	Place   string `json:"place"`
	Seller  string `json:"seller"`
	Name    string `json:"name"`
	Commune string `json:"commune"`
}

// EventType names the event.
func (PlaceAdded) EventType() string { return "catalog.place_added" }

// Subject is the place.
func (e PlaceAdded) Subject() string { return e.Place }

// Tell publishes what sellers hear of what they offer.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "An offer was written, or came to a state.", func(_ context.Context, _ *pg.Tx, e OfferChanged) (map[string]OfferChanged, error) {
		return map[string]OfferChanged{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "The photographs of an offer changed.", func(_ context.Context, _ *pg.Tx, e PicturesChanged) (map[string]PicturesChanged, error) {
		return map[string]PicturesChanged{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "Stock was counted, or some came or went by hand.", func(_ context.Context, _ *pg.Tx, e StockChanged) (map[string]StockChanged, error) {
		return map[string]StockChanged{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "Goods were brought from one place to another.", func(_ context.Context, _ *pg.Tx, e StockMoved) (map[string]StockMoved, error) {
		return map[string]StockMoved{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "An article sold out, or is on sale again.", func(_ context.Context, _ *pg.Tx, e AvailabilityChanged) (map[string]AvailabilityChanged, error) {
		return map[string]AvailabilityChanged{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "Goods may lie at one place more.", func(_ context.Context, _ *pg.Tx, e PlaceAdded) (map[string]PlaceAdded, error) {
		return map[string]PlaceAdded{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "A label was verified or refused, has expired, or was revoked.", func(_ context.Context, _ *pg.Tx, e LabelMoved) (map[string]LabelMoved, error) {
		return map[string]LabelMoved{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "A label ends soon.", func(_ context.Context, _ *pg.Tx, e LabelExpiring) (map[string]LabelExpiring, error) {
		return map[string]LabelExpiring{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "What a seller asked to say of an offer was decided.", func(_ context.Context, _ *pg.Tx, e ChangeDecided) (map[string]ChangeDecided, error) {
		return map[string]ChangeDecided{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "A seller is away, or is back early.", func(_ context.Context, _ *pg.Tx, e Closed) (map[string]Closed, error) {
		return map[string]Closed{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "A file was taken in.", func(_ context.Context, _ *pg.Tx, e Imported) (map[string]Imported, error) {
		return map[string]Imported{e.Seller: e}, nil
	})
}
