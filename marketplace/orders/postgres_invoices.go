package orders

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// number gives a paper the next number of its series and writes it down. The
// series is locked until the end of the unit of work, so that one that fails
// leaves no hole.
func number(ctx context.Context, tx *pg.Tx, i Invoice) (Invoice, error) {
	n, err := pg.Value[int](ctx, tx, nil, `insert into orders.invoice_series (seller, kind, year, last) values ($1, $2, $3, 1)
		on conflict (seller, kind, year) do update set last = orders.invoice_series.last + 1 returning last`, i.Seller, i.Kind, i.Year)
	if err != nil {
		return i, err
	}
	i.N = n
	tx.Queue(`insert into orders.invoice (id, order_id, seller, kind, year, n, of, cause, issued_at, currency, total, vat, body)
		values ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8, $9, $10, $11, $12, $13)`,
		i.ID, i.Order, i.Seller, i.Kind, i.Year, i.N, i.Of, i.Cause, i.IssuedAt, i.Currency, i.Total, i.VAT, i.Body)
	var rates []int
	var totals, vats []int64
	for _, p := range i.parts {
		rates, totals, vats = append(rates, p.BasisPoints), append(totals, p.Total), append(vats, p.VAT)
	}
	tx.Queue(`insert into orders.invoice_vat (invoice, basis_points, total, vat)
		select $1, r, t, v from unnest($2::int[], $3::bigint[], $4::bigint[]) as p(r, t, v)`, i.ID, rates, totals, vats)
	return i, nil
}

const invoiceColumns = `id, order_id, seller, kind, year, n, coalesce(of, '') as of, cause, issued_at, currency, total, vat, body, print_key`

// invoicesOf are an order's invoice and then its credit notes, in their order.
func invoicesOf(ctx context.Context, db pg.DB, order string) ([]Invoice, error) {
	var all []Invoice
	var parts []vatPart
	b := &pgx.Batch{}
	collect(b, &all, `select `+invoiceColumns+` from orders.invoice where order_id = $1 order by kind desc, year, n`, order)
	collect(b, &parts, `select v.invoice, v.basis_points, v.total, v.vat from orders.invoice_vat v join orders.invoice i on i.id = v.invoice
		where i.order_id = $1 order by v.invoice, v.basis_points`, order)
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	for i := range all {
		for _, p := range parts {
			if p.Invoice == all[i].ID {
				all[i].parts = append(all[i].parts, p)
			}
		}
	}
	return all, nil
}

// orderOfPaper is whose invoice or credit note one is.
func orderOfPaper(ctx context.Context, db pg.DB, invoice string) (string, error) {
	return pg.Value[string](ctx, db, ErrNoPaper, `select order_id from orders.invoice where id = $1
		and issued_at > platform.now() - interval '10 years'`, invoice)
}

// invoiceOf is an order's invoice.
func invoiceOf(ctx context.Context, db pg.DB, order string) (Invoice, error) {
	all, err := invoicesOf(ctx, db, order)
	if err != nil || len(all) == 0 {
		return Invoice{}, missing(err, ErrNoInvoice)
	}
	return all[0], nil
}

// creditedOf is what was credited of an invoice, by rate.
func creditedOf(ctx context.Context, db pg.DB, invoice string) ([]vatPart, error) {
	return pg.All[vatPart](ctx, db, `select $1::text as invoice, v.basis_points, sum(v.total)::bigint as total, sum(v.vat)::bigint as vat
		from orders.invoice i join orders.invoice_vat v on v.invoice = i.id where i.of = $1 group by v.basis_points order by v.basis_points`, invoice)
}

func loadOrder(ctx context.Context, db pg.DB, order string) (Order, error) {
	return pg.One[Order](ctx, db, ErrNotFound, `select `+orderColumns+` from orders.seller_order where id = $1`, order)
}

func groupOfOrder(ctx context.Context, db pg.DB, order string) (group, error) {
	return pg.One[group](ctx, db, ErrNoGroup, `select id, basket, buyer, charge, currency, total, contact, delivery, created_at from orders.order_group
		where id = (select grp from orders.seller_order where id = $1)`, order)
}

func insertVAT(tx *pg.Tx, seller string, r VATRate) {
	tx.Queue(`insert into orders.vat_rate (seller, category, since, basis_points) values ($1, $2, $3, $4)`, seller, r.Category, r.Since, r.BasisPoints)
}

func vatRates(ctx context.Context, db pg.DB, seller string) ([]VATRate, error) {
	return pg.All[VATRate](ctx, db, `select category, since, basis_points from orders.vat_rate where seller = $1 order by category, since`, seller)
}
