package orders

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// A Purchase is an order as those see it who reckon by what was bought.
type Purchase struct {
	Order, Group, Seller, Buyer string
	State                       State
	Total                       int64 // centimes
	At                          time.Time
	Lines                       []PurchaseLine
}

// A PurchaseLine is what the buyer paid for one article, in centimes.
type PurchaseLine struct {
	Category string
	Paid     int64
}

// Bought is what was bought with an order, or ErrNotFound.
func (s *Service) Bought(ctx context.Context, db pg.DB, order string) (p Purchase, err error) {
	o, err := loadOrder(ctx, db, order)
	if err != nil {
		return p, err
	}
	lines, err := orderLines(ctx, db, order)
	p = Purchase{o.ID, o.Group, o.Seller, o.Buyer, o.State, o.Total, o.CreatedAt, nil}
	for _, l := range lines {
		p.Lines = append(p.Lines, PurchaseLine{l.Category, l.paid()})
	}
	return p, err
}
