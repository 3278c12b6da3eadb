package groupbuys

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Moved says that a group buy was made, that somebody joined or left, or what
// became of it.
type Moved struct {
	Group     string `json:"group_buy"`
	Seller    string `json:"seller"`
	Organiser string `json:"organiser"`
	State     State  `json:"state"`
	Paid      int    `json:"paid"`
	Final     *int64 `json:"final,omitempty"` // centimes of each
}

// EventType names the event.
func (Moved) EventType() string { return "group_buys.moved" }

// Subject is the group buy.
func (e Moved) Subject() string { return e.Group }

// News is what a seller and an organiser are told of their group buy. Those who
// joined hear of their orders.
type News struct {
	Group string       `json:"group_buy"`
	State State        `json:"state"`
	Paid  int          `json:"paid"`
	Price *money.Money `json:"price,omitempty"`
}

// Tell publishes what members hear of their group buys.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A group buy was made, somebody joined it or left, or it was decided what becomes of it.",
		func(_ context.Context, _ *pg.Tx, e Moved) (map[string]News, error) {
			n := News{Group: e.Group, State: e.State, Paid: e.Paid}
			if e.Final != nil {
				price := dirhams(*e.Final)
				n.Price = &price
			}
			return map[string]News{e.Seller: n, e.Organiser: n}, nil
		})
}
