package promotions

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Changed says that a promotion was made, or has ended.
type Changed struct {
	Promotion string `json:"promotion"`
	Seller    string `json:"seller"`
	Ended     bool   `json:"ended"`
}

// EventType names the event.
func (Changed) EventType() string { return "promotions.changed" }

// Subject is the promotion.
func (e Changed) Subject() string { return e.Promotion }

// Tell publishes what sellers hear of their promotions.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A promotion was made, or has ended.", func(_ context.Context, _ *pg.Tx, e Changed) (map[string]Changed, error) {
		return map[string]Changed{e.Seller: e}, nil
	})
}
