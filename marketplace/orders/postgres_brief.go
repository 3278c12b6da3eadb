package orders

import (
	"context"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// briefRow is a Brief as it is kept.
type briefRow struct {
	ID, Buyer, Seller string
	SellerNames       map[string]string
	State             State
	Waits             bool
	Total             int64
	Currency          string
	DeliveryCode      string
	Contact           Contact
	CreatedAt         time.Time
}

const (
	briefColumns = `select o.id, o.buyer, o.seller, o.seller_names, o.state, o.waits, o.total, o.currency, o.delivery_code, g.contact, o.created_at
	from orders.seller_order o join orders.order_group g on g.id = o.grp `
	briefOf = briefColumns + `where o.id = `
)

func (r briefRow) brief() Brief {
	return Brief{
		ID: r.ID, Buyer: r.Buyer, Seller: r.Seller, SellerNames: r.SellerNames, State: r.State, Waits: r.Waits, Total: money.FromCentimes(r.Total, r.Currency),
		Code: r.DeliveryCode, Phone: r.Contact.Phone, Email: r.Contact.Email, CreatedAt: r.CreatedAt.UTC(),
	}
}

func brief(ctx context.Context, db pg.DB, order string) (b Brief, err error) {
	r, err := pg.One[briefRow](ctx, db, ErrNotFound, briefOf+`$1`, order)
	if err != nil {
		return b, err
	}
	return r.brief(), nil
}

func briefOfCharge(ctx context.Context, db pg.DB, charge string) (b Brief, err error) {
	r, err := pg.One[briefRow](ctx, db, ErrNotFound, briefColumns+`where g.charge = $1 order by o.id limit 1`, charge)
	if err != nil {
		return b, err
	}
	return r.brief(), nil
}

func briefs(ctx context.Context, db pg.DB, ids []string) ([]Brief, error) {
	rows, err := pg.All[briefRow](ctx, db, briefOf+`any($1)`, ids)
	all := make([]Brief, len(rows))
	for i, r := range rows {
		all[i] = r.brief()
	}
	return all, err
}
