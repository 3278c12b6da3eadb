package delivery

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Changed says that a way of delivery was added, or has ended.
type Changed struct {
	Way    string `json:"way"`
	Seller string `json:"seller,omitempty"`
	Kind   Kind   `json:"kind"`
	Ended  bool   `json:"ended"`
}

// EventType names the event.
func (Changed) EventType() string { return "delivery.changed" }

// Subject is the way.
func (e Changed) Subject() string { return e.Way }

// Tell publishes what sellers hear of their ways of delivery.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A way of delivery was added, or has ended.", func(_ context.Context, _ *pg.Tx, e Changed) (map[string]Changed, error) {
		if e.Seller == "" {
			return nil, nil
		}
		return map[string]Changed{e.Seller: e}, nil
	})
}
