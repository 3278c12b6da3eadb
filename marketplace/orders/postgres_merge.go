package orders

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// lockBaskets locks baskets in the order of their ids, and reads their lines.
func lockBaskets(ctx context.Context, tx *pg.Tx, ids ...string) (map[string]Basket, error) {
	type row struct {
		ID, Buyer       string
		Ordered, Merged bool
		Version         int64
	}
	type line struct {
		Basket string
		Line
	}
	var rows []row
	var lines []line
	b := &pgx.Batch{}
	collect(b, &rows, `select id, buyer, state = 'ordered' as ordered, state = 'merged' as merged, version from orders.basket where id = any($1) order by id for update`, ids)
	collect(b, &lines, `select basket, variant, quantity, price, agreement from orders.basket_line where basket = any($1) order by variant`, ids)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	out := map[string]Basket{}
	for _, r := range rows {
		out[r.ID] = Basket{ID: r.ID, Buyer: r.Buyer, Ordered: r.Ordered, Merged: r.Merged, Version: r.Version}
	}
	for _, l := range lines {
		k := out[l.Basket]
		k.Lines = append(k.Lines, l.Line)
		out[l.Basket] = k
	}
	return out, nil
}

// mergeLines puts lines into a basket, and only then takes them out of another,
// which is merged when nothing is left in it.
func mergeLines(tx *pg.Tx, to, from string, put []Line, all bool) {
	var variants []string
	var quantities []int
	var prices []int64
	for _, l := range put {
		variants, quantities, prices = append(variants, l.Variant), append(quantities, l.Quantity), append(prices, l.Price)
	}
	tx.Queue(`insert into orders.basket_line (basket, variant, quantity, price) select $1, * from unnest($2::text[], $3::int[], $4::bigint[])
		on conflict (basket, variant) do update set quantity = excluded.quantity, price = excluded.price`, to, variants, quantities, prices)
	tx.Queue(`delete from orders.basket_line where basket = $1 and variant = any($2)`, from, variants)
	tx.Queue(`update orders.basket set version = version + 1, state = case when id = $2 and $3 then 'merged' else state end where id in ($1, $2)`, to, from, all)
}
