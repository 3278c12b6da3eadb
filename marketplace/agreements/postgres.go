package agreements

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

const columns = `id, kind, source, seller, buyer, state, order_id, delivery, until, made_at, version,
	(select coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'least', l.least, 'most', l.most, 'price', l.price) order by l.variant), '[]')
		from agreements.line l where l.agreement = a.id) as lines`

func insert(tx *pg.Tx, a Agreement) {
	var variants []string
	var least, most []int
	var prices []int64
	for _, l := range a.Lines {
		variants, least, most, prices = append(variants, l.Variant), append(least, l.Least), append(most, l.Most), append(prices, l.Price)
	}
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "agreement_source") {
			return ErrUsed.With(err)
		}
		return err
	}, `insert into agreements.agreement (id, kind, source, seller, buyer, delivery, until, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		a.ID, a.Kind, a.Source, a.Seller, a.Buyer, a.Delivery, a.Until, a.MadeAt)
	tx.Queue(`insert into agreements.line (agreement, variant, least, most, price) select $1, * from unnest($2::text[], $3::int[], $4::int[], $5::bigint[])`,
		a.ID, variants, least, most, prices)
}

func of(ids []string, out *[]Agreement) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select `+columns+` from agreements.agreement a where id `+pg.OfThese+` order by id`, ids).Query(func(rows pgx.Rows) (err error) {
			*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[Agreement])
			return err
		})
	}
}

func ofOrder(ctx context.Context, db pg.DB, order, kind string) ([]Agreement, error) {
	return pg.All[Agreement](ctx, db, `select `+columns+` from agreements.agreement a where order_id = $1 and order_id <> '' and kind = $2 order by id`, order, kind)
}

func lock(ctx context.Context, tx *pg.Tx, agreement string) (Agreement, error) {
	return pg.One[Agreement](ctx, tx, ErrNotFound, `select `+columns+` from agreements.agreement a where id = $1 for update of a`, agreement)
}

func byID(ctx context.Context, db pg.DB, agreement string) (Agreement, error) {
	return pg.One[Agreement](ctx, db, ErrNotFound, `select `+columns+` from agreements.agreement a where id = $1`, agreement)
}

// list lists agreements of a seller, of a buyer or, of neither, all, the newest
// first.
func list(ctx context.Context, db pg.DB, seller string, buyers []string, below string, limit int) ([]Agreement, error) {
	column, whose := "seller", []string{seller}
	switch {
	case buyers != nil:
		column, whose = "buyer", buyers
	case seller == "":
		column = "''"
	}
	return pg.All[Agreement](ctx, db, `select `+columns+` from agreements.agreement a
		where `+column+` = any($1) and ($2 = '' or id < $2) order by id desc limit $3`, whose, below, limit)
}

func use(tx *pg.Tx, agreement, order string) {
	tx.QueueOne(ErrUsed, `update agreements.agreement set state = 'used', order_id = $2, version = version + 1
		where id = $1 and state = 'open' and until > platform.now()`, agreement, order)
}

func giveBack(ctx context.Context, tx *pg.Tx, order string) ([]Agreement, error) {
	return pg.All[Agreement](ctx, tx, `update agreements.agreement a set state = 'open', order_id = '', version = version + 1
		where order_id = $1 returning `+columns, order)
}

func end(tx *pg.Tx, a Agreement) {
	tx.QueueOne(ErrUsed, `update agreements.agreement set state = 'ended', version = version + 1 where id = $1 and version = $2`, a.ID, a.Version)
}
