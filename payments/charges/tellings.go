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

// RefundNews is what a buyer is told of a refund.
type RefundNews struct {
	Refund string      `json:"refund"`
	Order  string      `json:"order,omitempty"`
	State  RefundState `json:"state"`
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

// Tell publishes what buyers hear of their charges and refunds.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "The charge is confirmed: the money is held.", func(ctx context.Context, tx *pg.Tx, e Paid) (map[string]News, error) {
		return news(ctx, tx, e.Charge, Confirmed)
	})
	event.Tell(bus, 1, "The charge was not paid in time.", func(ctx context.Context, tx *pg.Tx, e Lapsed) (map[string]News, error) {
		return news(ctx, tx, e.Charge, Expired)
	})
	event.Tell(bus, 1, "The wallet has not paid the charge; it can be asked again, or the order paid in another way.", func(ctx context.Context, tx *pg.Tx, e WalletRefused) (map[string]News, error) {
		return news(ctx, tx, e.Charge, Declined)
	})
	event.Tell(bus, 1, "Money goes back to the buyer.", func(_ context.Context, _ *pg.Tx, e RefundMade) (map[string]RefundNews, error) {
		return map[string]RefundNews{e.Buyer: {e.Refund, e.Order, RefundCreated, e.Amount}}, nil
	})
	event.Tell(bus, 1, "The refund waits for an account to be paid to.", func(_ context.Context, _ *pg.Tx, e RefundWaits) (map[string]RefundNews, error) {
		return map[string]RefundNews{e.Buyer: {e.Refund, e.Order, e.State, e.Amount}}, nil
	})
	event.Tell(bus, 1, "The refund has reached the buyer.", func(_ context.Context, _ *pg.Tx, e Refunded) (map[string]RefundNews, error) {
		return map[string]RefundNews{e.Buyer: {e.Refund, e.Order, RefundConfirmed, e.Amount}}, nil
	})
}
