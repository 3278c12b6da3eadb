package disputes

import (
	"context"
	"errors"

	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// News is what a buyer and a seller are told of a dispute.
type News struct {
	Dispute string       `json:"dispute"`
	Order   string       `json:"order"`
	State   State        `json:"state"`
	Refund  *money.Money `json:"refund,omitempty"`
	Release *money.Money `json:"release,omitempty"`
}

// Tell publishes what buyers and sellers hear of disputes.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "The buyer opened a dispute.", func(_ context.Context, _ *pg.Tx, e Opened) (map[string]News, error) {
		n := News{Dispute: e.Dispute, Order: e.Order, State: Open}
		return map[string]News{e.Buyer: n, e.Seller: n}, nil
	})
	event.Tell(bus, 1, "The dispute went on.", func(ctx context.Context, tx *pg.Tx, e Moved) (map[string]News, error) {
		d, err := load(ctx, tx, e.Dispute)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		n := News{Dispute: e.Dispute, Order: e.Order, State: e.State}
		return map[string]News{d.Buyer: n, d.Seller: n}, err
	})
	event.Tell(bus, 1, "The dispute is settled: so much goes back, so much to the seller.", func(_ context.Context, _ *pg.Tx, e Settled) (map[string]News, error) {
		n := News{Dispute: e.Dispute, Order: e.Order, State: Resolved, Refund: &e.Refund, Release: &e.Release}
		return map[string]News{e.Buyer: n, e.Seller: n}, nil
	})
}
