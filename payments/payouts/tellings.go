package payouts

import (
	"context"

	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// News is what a seller is told of a payout.
type News struct {
	Payout string      `json:"payout"`
	State  State       `json:"state"`
	Amount money.Money `json:"amount"`
}

// Tell publishes what sellers hear of their payouts.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "The payout came to a new state.", func(_ context.Context, _ *pg.Tx, e Moved) (map[string]News, error) {
		return map[string]News{e.Seller: {e.Payout, e.State, e.Amount}}, nil
	})
}
