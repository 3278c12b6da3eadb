package charges

import (
	"context"
	"errors"

	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// News is what a buyer is told of a charge.
type News struct {
	Charge string      `json:"charge"`
	Group  string      `json:"order_group"`
	State  State       `json:"state"`
	Amount money.Money `json:"amount"`
}

// news is told to the buyer of a charge.
func news(ctx context.Context, tx *pg.Tx, charge string, s State) (map[string]News, error) {
	c, err := load(ctx, tx, charge)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return map[string]News{c.Buyer: {c.ID, c.Group, s, c.Money()}}, err
}

// Tell publishes what buyers hear of their charges.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "The charge is confirmed: the money is held.", func(ctx context.Context, tx *pg.Tx, e Paid) (map[string]News, error) {
		return news(ctx, tx, e.Charge, Confirmed)
	})
	event.Tell(bus, 1, "The charge was not paid in time.", func(ctx context.Context, tx *pg.Tx, e Lapsed) (map[string]News, error) {
		return news(ctx, tx, e.Charge, Expired)
	})
}
