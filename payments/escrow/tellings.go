package escrow

import (
	"context"
	"errors"

	"tiwiza/pkg/event"
	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// News is what a buyer and a seller are told of what is held for an order. The
// seller's share is for the seller.
type News struct {
	Escrow string       `json:"escrow"`
	Order  string       `json:"order"`
	Amount money.Money  `json:"amount"`
	Share  *money.Money `json:"share,omitempty"`
	Whole  bool         `json:"whole"`
}

// CaseNews is what a buyer and a seller are told of a case about an order.
type CaseNews struct {
	Escrow string `json:"escrow"`
	Order  string `json:"order"`
	Case   string `json:"case"`
}

// Tell publishes what buyers and sellers hear of the money that is held.
func Tell(bus *event.Bus) {
	event.Tell(bus, 1, "Money is held for an order.", func(ctx context.Context, tx *pg.Tx, e Opened) (map[string]News, error) {
		return parties(ctx, tx, News{Escrow: e.Escrow, Order: e.Order, Amount: e.Amount, Whole: true}, nil)
	})
	event.Tell(bus, 1, "Held money went to those it belongs to; share is what came to the seller.", func(ctx context.Context, tx *pg.Tx, e Let) (map[string]News, error) {
		return parties(ctx, tx, News{Escrow: e.Escrow, Order: e.Order, Amount: e.Amount, Whole: e.Whole}, &e.Share)
	})
	event.Tell(bus, 1, "Money of an order is on its way back to the buyer.", func(ctx context.Context, tx *pg.Tx, e Returning) (map[string]News, error) {
		return parties(ctx, tx, News{Escrow: e.Escrow, Order: e.Order, Amount: e.Amount}, nil)
	})
	event.Tell(bus, 1, "A case keeps the money of an order where it is.", func(ctx context.Context, tx *pg.Tx, e Frozen) (map[string]CaseNews, error) {
		return concerned(ctx, tx, CaseNews{e.Escrow, e.Order, e.Case})
	})
	event.Tell(bus, 1, "A case that kept the money of an order has ended.", func(ctx context.Context, tx *pg.Tx, e Thawed) (map[string]CaseNews, error) {
		return concerned(ctx, tx, CaseNews(e))
	})
}

// concerned tells both sides of an escrow of a case.
func concerned(ctx context.Context, tx *pg.Tx, n CaseNews) (map[string]CaseNews, error) {
	h, err := load(ctx, tx, n.Escrow)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return map[string]CaseNews{h.Buyer: n, h.Seller: n}, err
}

// parties tells both sides of an escrow.
func parties(ctx context.Context, tx *pg.Tx, n News, share *money.Money) (map[string]News, error) {
	h, err := load(ctx, tx, n.Escrow)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	out := map[string]News{h.Buyer: n}
	n.Share = share
	out[h.Seller] = n
	return out, err
}
