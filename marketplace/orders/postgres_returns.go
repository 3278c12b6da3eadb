package orders

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

const returnColumns = `id, order_id, seller, buyer, currency, reason, wish, text, state, goods, extra, requested_at, deadline, approved_at,
	carrier, tracking, sent_at, received_at, waits, why, note, refund, back, ended_at, version`

// insertReturn writes a return down with its lines and photographs, and counts
// what is on its way back.
func insertReturn(tx *pg.Tx, r GoodsReturn, lines []ReturnLine, photos []string) {
	tx.Queue(`insert into orders.return (id, order_id, seller, buyer, currency, reason, wish, text, state, goods, extra, requested_at, deadline, approved_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		r.ID, r.Order, r.Seller, r.Buyer, r.Currency, r.Reason, r.Wish, r.Text, r.State, r.Goods, r.Extra, r.RequestedAt, r.Deadline, r.ApprovedAt)
	variants, counts, totals := columnsOf(lines)
	tx.Queue(`insert into orders.return_line (ret, order_id, variant, quantity, total)
		select $1, $2, v, n, t from unnest($3::text[], $4::int[], $5::bigint[]) as l(v, n, t)`, r.ID, r.Order, variants, counts, totals)
	tx.Queue(`insert into orders.returned (order_id, variant, bought, quantity)
		select l.order_id, l.variant, l.quantity, w.n from unnest($2::text[], $3::int[]) as w(v, n)
		join orders.line l on l.order_id = $1 and l.variant = w.v
		on conflict (order_id, variant) do update set quantity = orders.returned.quantity + excluded.quantity`, r.Order, variants, counts)
	tx.Queue(`insert into orders.return_photo (ret, place, file) select $1, p.n, p.file from unnest($2::text[]) with ordinality as p(file, n)`, r.ID, photos)
}

func columnsOf(lines []ReturnLine) (variants []string, counts []int, totals []int64) {
	for _, l := range lines {
		variants, counts, totals = append(variants, l.Variant), append(counts, l.Quantity), append(totals, l.Total)
	}
	return variants, counts, totals
}

// uncount forgets what a return of which nothing came had counted.
func uncount(tx *pg.Tx, r GoodsReturn) {
	tx.Queue(`update orders.returned t set quantity = t.quantity - l.quantity from orders.return_line l
		where l.ret = $1 and t.order_id = l.order_id and t.variant = l.variant`, r.ID)
}

// restockable writes down how many came back whole.
func restockable(tx *pg.Tx, ret string, lines []Wanted) {
	variants, counts := make([]string, len(lines)), make([]int, len(lines))
	for i, l := range lines {
		variants[i], counts[i] = l.Variant, l.Quantity
	}
	tx.Queue(`update orders.return_line l set whole = w.n from unnest($2::text[], $3::int[]) as w(v, n) where l.ret = $1 and l.variant = w.v`, ret, variants, counts)
}

// saveReturn keeps a return, and gives it as it is kept.
func saveReturn(tx *pg.Tx, r GoodsReturn) GoodsReturn {
	tx.QueueOne(ErrReturnState, `update orders.return set state = $3, deadline = $4, approved_at = $5, carrier = $6, tracking = $7, sent_at = $8,
			received_at = $9, waits = $10, why = $11, note = $12, refund = $13, back = $14, ended_at = $15, version = version + 1
		where id = $1 and version = $2`, r.ID, r.Version, r.State, r.Deadline, r.ApprovedAt, r.Carrier, r.Tracking, r.SentAt,
		r.ReceivedAt, r.Waits, r.Why, r.Note, r.Refund, r.Back, r.EndedAt)
	r.Version++
	return r
}

func loadReturn(ctx context.Context, db pg.DB, ret string) (GoodsReturn, error) {
	if !id.Is(id.Return, ret) {
		return GoodsReturn{}, ErrNoReturn
	}
	return pg.One[GoodsReturn](ctx, db, ErrNoReturn, `select `+returnColumns+` from orders.return where id = $1`, ret)
}

func lockReturn(ctx context.Context, tx *pg.Tx, ret string) (GoodsReturn, error) {
	return pg.One[GoodsReturn](ctx, tx, ErrNoReturn, `select `+returnColumns+` from orders.return where id = $1 for update`, ret)
}

// openReturn locks the return of an order that is not over.
func openReturn(ctx context.Context, tx *pg.Tx, order string) (GoodsReturn, error) {
	return pg.One[GoodsReturn](ctx, tx, ErrNoReturn, `select `+returnColumns+` from orders.return where order_id = $1 and ended_at is null for update`, order)
}

// listReturns lists returns, the newest first, from below an id on. "" for a
// party, an order or a state means any.
func listReturns(ctx context.Context, db pg.DB, seller string, buyers []string, order, state, below string, limit int) ([]GoodsReturn, error) {
	return pg.All[GoodsReturn](ctx, db, `select `+returnColumns+` from orders.return
		where ($1 = '' or seller = $1) and ($2::text[] is null or buyer = any($2)) and ($3 = '' or order_id = $3) and ($4 = '' or state = $4) and ($5 = '' or id < $5)
		order by id desc limit $6`, seller, buyers, order, state, below, limit)
}

func orderLines(ctx context.Context, db pg.DB, order string) ([]boughtLine, error) {
	return pg.All[boughtLine](ctx, db, `select `+lineColumns+` from orders.line where order_id = $1 order by variant`, order)
}

// sentBack is how many of an order's articles are on their way back, or were
// paid back.
func sentBack(ctx context.Context, db pg.DB, order string) (map[string]int, error) {
	type row struct {
		Variant  string
		Quantity int
	}
	rows, err := pg.All[row](ctx, db, `select variant, quantity from orders.returned where order_id = $1`, order)
	out := make(map[string]int, len(rows))
	for _, r := range rows {
		out[r.Variant] = r.Quantity
	}
	return out, err
}

func returnLines(ctx context.Context, db pg.DB, ret string) ([]ReturnLine, error) {
	return pg.All[ReturnLine](ctx, db, `select variant, quantity, total, whole from orders.return_line where ret = $1 order by variant`, ret)
}

// A parcelBack is what a return is made of.
type parcelBack struct {
	lines  []ReturnLine
	photos []string
}

// contents reads what returns are made of, in one round trip.
func contents(ctx context.Context, db pg.DB, rets []string) (map[string]parcelBack, error) {
	type line struct {
		Ret string
		ReturnLine
	}
	type photo struct{ Ret, File string }
	var lines []line
	var photos []photo
	b := &pgx.Batch{}
	collect(b, &lines, `select ret, variant, quantity, total, whole from orders.return_line where ret = any($1) order by ret, variant`, rets)
	collect(b, &photos, `select ret, file from orders.return_photo where ret = any($1) order by ret, place`, rets)
	if err := db.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	out := make(map[string]parcelBack, len(rets))
	for _, l := range lines {
		c := out[l.Ret]
		c.lines = append(c.lines, l.ReturnLine)
		out[l.Ret] = c
	}
	for _, p := range photos {
		c := out[p.Ret]
		c.photos = append(c.photos, p.File)
		out[p.Ret] = c
	}
	return out, nil
}
