package agreements

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/pg"
)

// Moved says that something was agreed on, or that an agreement went on.
type Moved struct {
	Agreement string `json:"agreement"`
	Kind      string `json:"kind"`
	Source    string `json:"source"`
	Seller    string `json:"seller"`
	Buyer     string `json:"buyer"`
	State     State  `json:"state"`
	Order     string `json:"order,omitempty"`
}

// EventType names the event.
func (Moved) EventType() string { return "agreements.moved" }

// Subject is the agreement.
func (e Moved) Subject() string { return e.Agreement }

func (a Agreement) news() Moved {
	return Moved{a.ID, a.Kind, a.Source, a.Seller, a.Buyer, a.State, a.Order}
}

// News is what a buyer and a seller are told of their agreement.
type News struct {
	Agreement string `json:"agreement"`
	Kind      string `json:"kind"`
	Source    string `json:"source"`
	Seller    string `json:"seller"`
	State     State  `json:"state"`
	Order     string `json:"order,omitempty"`
}

// Tell publishes what members hear of their agreements.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "Something was agreed on; or the agreement is used by an order, free again, or has ended.",
		func(_ context.Context, _ *pg.Tx, e Moved) (map[string]News, error) {
			n := News{e.Agreement, e.Kind, e.Source, e.Seller, e.State, e.Order}
			return map[string]News{e.Seller: n, e.Buyer: n}, nil
		})
}
