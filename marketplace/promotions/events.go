package promotions

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Changed says that a promotion was made, or has ended.
type Changed struct {
	Promotion string `json:"promotion"`
	Seller    string `json:"seller"` // "": of the market's
	Ended     bool   `json:"ended"`
}

// EventType names the event.
func (Changed) EventType() string { return "promotions.changed" }

// Subject is the promotion.
func (e Changed) Subject() string { return e.Promotion }

// Granted says that the market gave a person something to take off one order.
type Granted struct {
	Promotion string      `json:"promotion"`
	Person    string      `json:"person"`
	MadeFor   string      `json:"made_for"`
	Code      string      `json:"code"`
	Amount    money.Money `json:"amount"`
}

// EventType names the event.
func (Granted) EventType() string { return "promotions.granted" }

// Subject is the promotion.
func (e Granted) Subject() string { return e.Promotion }

// Used says that a person's own was used for an order, which took so much of it;
// what is left is not kept for another.
type Used struct {
	Promotion string      `json:"promotion"`
	Person    string      `json:"person"`
	Order     string      `json:"order"`
	Amount    money.Money `json:"amount"`
}

// EventType names the event.
func (Used) EventType() string { return "promotions.used" }

// Subject is the promotion.
func (e Used) Subject() string { return e.Promotion }

// GivenBack says that the order ended unpaid that a person's own was used for: it
// can be used again, while it lasts.
type GivenBack Used

// EventType names the event.
func (GivenBack) EventType() string { return "promotions.given_back" }

// Subject is the promotion.
func (e GivenBack) Subject() string { return e.Promotion }

// Lapsed says that a person's own ended unused: its time was over, or it was
// taken back.
type Lapsed struct {
	Promotion string `json:"promotion"`
	Person    string `json:"person"`
	MadeFor   string `json:"made_for"`
	Revoked   bool   `json:"revoked"`
}

// EventType names the event.
func (Lapsed) EventType() string { return "promotions.lapsed" }

// Subject is the promotion.
func (e Lapsed) Subject() string { return e.Promotion }

// Tell publishes what sellers hear of their promotions, and people of their own.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A promotion was made, or has ended.", func(_ context.Context, _ *pg.Tx, e Changed) (map[string]Changed, error) {
		if e.Seller == "" {
			return nil, nil // the market's own is the operator's to know
		}
		return map[string]Changed{e.Seller: e}, nil
	})
	event.Tell(bus, 1, "The market gave its buyer something to take off one order.", func(_ context.Context, _ *pg.Tx, e Granted) (map[string]Granted, error) {
		return map[string]Granted{e.Person: e}, nil
	})
	event.Tell(bus, 1, "What the market gave its buyer was used for an order.", func(_ context.Context, _ *pg.Tx, e Used) (map[string]Used, error) {
		return map[string]Used{e.Person: e}, nil
	})
	event.Tell(bus, 1, "What the market gave its buyer can be used again: the order ended unpaid.", func(_ context.Context, _ *pg.Tx, e GivenBack) (map[string]GivenBack, error) {
		return map[string]GivenBack{e.Person: e}, nil
	})
	event.Tell(bus, 1, "What the market gave its buyer has ended unused.", func(_ context.Context, _ *pg.Tx, e Lapsed) (map[string]Lapsed, error) {
		return map[string]Lapsed{e.Person: e}, nil
	})
}
