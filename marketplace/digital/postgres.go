package digital

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

const wares = `select w.id, w.variant, w.seller, w.title, w.version, w.made_at, w.retired_at, e.file, e.type, e.size, e.added_at
	from digital.ware w join digital.edition e on e.ware = w.id and e.version = w.version `

// waresOf are the files of a variant that are sold, by when they were made.
func waresOf(ctx context.Context, db pg.DB, variant string) ([]Ware, error) {
	return pg.All[Ware](ctx, db, wares+`where w.variant = $1 and w.retired_at is null order by w.id`, variant)
}

// waresSince are the files of variants that were sold at a moment, or since.
func waresSince(ctx context.Context, db pg.DB, variants []string, since time.Time) ([]Ware, error) {
	return pg.All[Ware](ctx, db, wares+`where w.variant = any($1) and (w.retired_at is null or w.retired_at > $2) order by w.id`, variants, since)
}

func lockWare(ctx context.Context, tx *pg.Tx, variant, ware string) (Ware, error) {
	tx.Queue(`select id from digital.ware where id = $1 for update`, ware)
	return pg.One[Ware](ctx, tx, ErrNotFound, wares+`where w.id = $1 and w.variant = $2`, ware, variant)
}

func insertWare(tx *pg.Tx, w Ware) {
	tx.Queue(`insert into digital.ware (id, variant, seller, title, version, made_at) values ($1, $2, $3, $4, $5, $6)`, w.ID, w.Variant, w.Seller, w.Title, w.Version, w.MadeAt)
	insertEdition(tx, w)
}

func insertEdition(tx *pg.Tx, w Ware) {
	tx.Queue(`insert into digital.edition (ware, version, file, type, size, added_at) values ($1, $2, $3, $4, $5, $6)`, w.ID, w.Version, w.File, w.Type, w.Size, w.AddedAt)
}

func saveWare(tx *pg.Tx, w Ware, was int) {
	tx.QueueOne(ErrRetired, `update digital.ware set title = $3, version = $4, retired_at = $5 where id = $1 and version = $2 and retired_at is null`, w.ID, was, w.Title, w.Version, w.RetiredAt)
}

// lockShelf locks who gives codes of a variant, and makes the shelf if there is none.
func lockShelf(tx *pg.Tx, variant, seller string) {
	tx.Queue(`insert into digital.shelf (variant, seller) values ($1, $2) on conflict (variant) do update set seller = digital.shelf.seller`, variant, seller)
}

func freeCodes(ctx context.Context, db pg.DB, variant string) (int, error) {
	return pg.Value[int](ctx, db, nil, `select count(*)::int from digital.code where variant = $1 and state = 'free'`, variant)
}

// insertCodes keeps codes that are new, and says how many were.
func insertCodes(ctx context.Context, tx *pg.Tx, variant string, sealed, marks [][]byte) (int, error) {
	ids, err := pg.Column[int64](ctx, tx, `insert into digital.code (variant, sealed, mark)
		select $1, s, m from unnest($2::bytea[], $3::bytea[]) as c(s, m)
		on conflict (variant, mark) do nothing returning id`, variant, sealed, marks)
	return len(ids), err
}

// voidCodes takes away the codes of a variant that nobody has.
func voidCodes(ctx context.Context, tx *pg.Tx, variant string) (int, error) {
	ids, err := pg.Column[int64](ctx, tx, `update digital.code set state = 'void' where variant = $1 and state = 'free' returning id`, variant)
	return len(ids), err
}

// giveCodes gives so many codes to an order, under the shelf's lock.
func giveCodes(ctx context.Context, tx *pg.Tx, g Grant) error {
	ids, err := pg.Column[int64](ctx, tx, `update digital.code set state = 'given', order_id = $1, given_at = $4
		where id in (select id from digital.code where variant = $2 and state = 'free' order by id limit $3) returning id`, g.Order, g.Variant, g.Codes, g.GrantedAt)
	if err == nil && len(ids) != g.Codes {
		err = fmt.Errorf("%d codes of %s for %s, and %d were there", g.Codes, g.Variant, g.Order, len(ids))
	}
	return err
}

// freeAgain gives back the codes of an order that nobody has seen.
func freeAgain(tx *pg.Tx, order, variant string) {
	tx.Queue(`update digital.code set state = 'free', order_id = '', given_at = null where order_id = $1 and variant = $2`, order, variant)
}

type sealedCode struct {
	Variant string
	Sealed  []byte
}

func codesOf(ctx context.Context, db pg.DB, order string) ([]sealedCode, error) {
	return pg.All[sealedCode](ctx, db, `select variant, sealed from digital.code where order_id = $1 and order_id <> '' order by variant, id`, order)
}

// stocks reads what there is to give of variants.
func stocks(variants []string, out *map[string]Stock) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select v.v as variant, (select count(*)::int from digital.ware w where w.variant = v.v and w.retired_at is null) as files,
				(select count(*)::int from digital.code c where c.variant = v.v and c.state = 'free') as codes
			from unnest($1::text[]) as v(v)`, variants).Query(func(rows pgx.Rows) error {
			all, err := pgx.CollectRows(rows, pgx.RowToStructByName[Stock])
			*out = make(map[string]Stock, len(all))
			for _, s := range all {
				(*out)[s.Variant] = s
			}
			return err
		})
	}
}

const grantColumns = `order_id, variant, buyer, seller, quantity, codes, granted_at, until, opened_at, closed_at`

func insertGrant(tx *pg.Tx, g Grant) {
	tx.Queue(`insert into digital.grant (order_id, variant, buyer, seller, quantity, codes, granted_at, until) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		g.Order, g.Variant, g.Buyer, g.Seller, g.Quantity, g.Codes, g.GrantedAt, g.Until)
}

func saveGrant(tx *pg.Tx, g Grant) {
	tx.Queue(`update digital.grant set opened_at = $3, closed_at = $4 where order_id = $1 and variant = $2`, g.Order, g.Variant, g.OpenedAt, g.ClosedAt)
}

// lockGrants locks what an order was granted, by variant.
func lockGrants(ctx context.Context, tx *pg.Tx, order string) ([]Grant, error) {
	return pg.All[Grant](ctx, tx, `select `+grantColumns+` from digital.grant where order_id = $1 order by variant for update`, order)
}

func grantsOf(ctx context.Context, db pg.DB, order string) ([]Grant, error) {
	return pg.All[Grant](ctx, db, `select `+grantColumns+` from digital.grant where order_id = $1 order by variant`, order)
}

// A fetched row says how often a file was fetched.
type fetched struct {
	Variant string
	Ware    string
	Version int
	Times   int
	LastAt  time.Time
}

func fetchesOf(ctx context.Context, db pg.DB, order string) ([]fetched, error) {
	return pg.All[fetched](ctx, db, `select variant, ware, version, times, last_at from digital.fetch where order_id = $1`, order)
}

// countFetch counts that a file is fetched, unless it was too often.
func countFetch(tx *pg.Tx, g Grant, w Ware, at time.Time) {
	tx.QueueOne(ErrOften, `insert into digital.fetch (order_id, variant, ware, version, times, first_at, last_at) values ($1, $2, $3, $4, 1, $5, $5)
		on conflict (order_id, variant, ware) do update set version = excluded.version, times = digital.fetch.times + 1, last_at = excluded.last_at
		where digital.fetch.times < $6`, g.Order, g.Variant, w.ID, w.Version, at, MostTimes)
}
