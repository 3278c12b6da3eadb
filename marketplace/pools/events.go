package pools

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Moved says that a pool was opened, that somebody pledged or withdrew, or what
// it came to.
type Moved struct {
	Pool      string `json:"pool"`
	Organiser string `json:"organiser"`
	State     State  `json:"state"`
	Price     *int64 `json:"price,omitempty"` // centimes of each
	Quantity  int    `json:"quantity"`
}

// EventType names the event.
func (Moved) EventType() string { return "pools.moved" }

// Subject is the pool.
func (e Moved) Subject() string { return e.Pool }

// DealMoved says that one buyer gets something of one producer, or what became of
// that.
type DealMoved struct {
	Deal     string    `json:"deal"`
	Pool     string    `json:"pool"`
	Buyer    string    `json:"buyer"`
	Seller   string    `json:"seller"`
	State    DealState `json:"state"`
	Quantity int       `json:"quantity"`
	Price    int64     `json:"price"` // centimes of each
}

// EventType names the event.
func (DealMoved) EventType() string { return "pools.deal_moved" }

// Subject is the deal.
func (e DealMoved) Subject() string { return e.Deal }

func (d Deal) news() DealMoved {
	return DealMoved{d.ID, d.Pool, d.Buyer, d.Seller, d.State, d.Quantity, d.Price}
}

// News is what an organiser is told of a pool.
type News struct {
	Pool     string       `json:"pool"`
	State    State        `json:"state"`
	Price    *money.Money `json:"price,omitempty"`
	Quantity int          `json:"quantity"`
}

// DealNews is what a buyer and a producer are told of their deal.
type DealNews struct {
	Deal     string      `json:"deal"`
	Pool     string      `json:"pool"`
	State    DealState   `json:"state"`
	Quantity int         `json:"quantity"`
	Price    money.Money `json:"price"`
}

// Tell publishes what members hear of pools.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "A pool was opened, somebody pledged or withdrew, or it came to a price or to nothing.",
		func(_ context.Context, _ *pg.Tx, e Moved) (map[string]News, error) {
			return map[string]News{e.Organiser: {e.Pool, e.State, dirhams(e.Price), e.Quantity}}, nil
		})
	event.Tell(bus, 1, "A pool gives a buyer something of a producer; or it was ordered, paid, free again, or lapsed.",
		func(_ context.Context, _ *pg.Tx, e DealMoved) (map[string]DealNews, error) {
			n := DealNews{e.Deal, e.Pool, e.State, e.Quantity, money.Dirhams(e.Price)}
			return map[string]DealNews{e.Buyer: n, e.Seller: n}, nil
		})
}

func dirhams(c *int64) *money.Money {
	if c == nil {
		return nil
	}
	m := money.Dirhams(*c)
	return &m
}
