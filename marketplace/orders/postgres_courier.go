package orders

import (
	"context"
	"time"

	"tiwiza/pkg/auth"
	"tiwiza/pkg/pg"
)

// A link is what a secret opens.
type link struct {
	Shipment    string
	ExpiresAt   time.Time
	Seller      string
	State       State
	DeliveredAt *time.Time
	Now         time.Time
}

func linkOf(ctx context.Context, db pg.DB, hash []byte) (link, error) {
	return pg.One[link](ctx, db, auth.ErrUnknown, `select l.shipment, l.expires_at, o.seller, o.state, s.delivered_at, platform.now() as now
		from orders.courier_link l join orders.shipment s on s.id = l.shipment join orders.seller_order o on o.id = s.order_id where l.hash = $1`, hash)
}

func countLinks(ctx context.Context, tx *pg.Tx, shipment string) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select count(*) from orders.courier_link where shipment = $1`, shipment)
}

func insertLink(tx *pg.Tx, hash []byte, shipment string, until time.Time) {
	tx.Queue(`insert into orders.courier_link (hash, shipment, made_at, expires_at) values ($1, $2, $3, $4)`, hash, shipment, tx.Now(), until)
}

// articlesOf are what orders have, by order.
func articlesOf(ctx context.Context, db pg.DB, orders []string) (map[string][]Article, error) {
	type row struct {
		OrderID string
		Article
	}
	rows, err := pg.All[row](ctx, db, `select order_id, offer, variant, names, quantity from orders.line where order_id `+pg.OfThese+` order by order_id, variant`, orders)
	out := map[string][]Article{}
	for _, r := range rows {
		out[r.OrderID] = append(out[r.OrderID], r.Article)
	}
	return out, err
}
