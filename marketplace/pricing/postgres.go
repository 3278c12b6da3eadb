package pricing

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"

	"tiwiza/pkg/pg"
)

const (
	groupColumns = `id, seller, name, size, made_at, ended_at`
	listColumns  = `id, seller, grp, name, since, until, made_at, ended_at`
)

// alone has those who add something for one seller go one after the other.
func alone(tx *pg.Tx, seller string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('pricing ' || $1, 0))`, seller)
}

// full says that there is no free slot, or no room.
func full(constraint string, err error) func(error) error {
	return func(cause error) error {
		if pg.Violates(cause, constraint) {
			return err
		}
		return cause
	}
}

// insertGroup keeps a group in its seller's first free slot.
func insertGroup(tx *pg.Tx, g Group) {
	alone(tx, g.Seller)
	tx.QueueMapped(full("customer_group_slot_check", ErrManyGroups), `insert into pricing.customer_group (slot, id, seller, name, made_at)
		select coalesce((select min(n) from generate_series(1, 50) n
				where not exists (select from pricing.customer_group g where g.seller = $2 and g.slot = n and g.ended_at is null)), 51), $1, $2, $3, $4`,
		g.ID, g.Seller, g.Name, g.MadeAt)
}

func lockGroup(ctx context.Context, tx *pg.Tx, group string) (Group, error) {
	return pg.One[Group](ctx, tx, ErrNoGroup, `select `+groupColumns+` from pricing.customer_group where id = $1 for update`, group)
}

func byID(ctx context.Context, db pg.DB, group string) (Group, error) {
	return pg.One[Group](ctx, db, ErrNoGroup, `select `+groupColumns+` from pricing.customer_group where id = $1`, group)
}

// addMembers and removeMembers are of a group that is locked, or new.
func addMembers(tx *pg.Tx, group string, members []string) {
	tx.QueueMapped(full("customer_group_size", ErrFull), `with added as (insert into pricing.member (grp, member, added_at)
			select $1, m, platform.now() from unnest($2::text[]) m on conflict do nothing returning 1)
		update pricing.customer_group set size = size + (select count(*) from added) where id = $1`, group, members)
}

func removeMembers(tx *pg.Tx, group string, members []string) {
	tx.Queue(`with gone as (delete from pricing.member where grp = $1 and member = any($2) returning 1)
		update pricing.customer_group set size = size - (select count(*) from gone) where id = $1`, group, members)
}

func endGroup(tx *pg.Tx, group string, at time.Time) {
	tx.QueueOne(ErrEnded, `update pricing.customer_group set ended_at = $2 where id = $1 and ended_at is null`, group, at)
}

func listsOf(ctx context.Context, tx *pg.Tx, group string) (int, error) {
	return pg.Value[int](ctx, tx, nil, `select count(*) from pricing.price_list where grp = $1 and ended_at is null`, group)
}

// listGroups lists a seller's groups, the newest first.
func listGroups(ctx context.Context, db pg.DB, seller string, ended bool, below string, limit int) ([]Group, error) {
	return pg.All[Group](ctx, db, `select `+groupColumns+` from pricing.customer_group
		where seller = $1 and ($2 or ended_at is null) and ($3 = '' or id < $3) order by id desc limit $4`, seller, ended, below, limit)
}

func listMembers(ctx context.Context, db pg.DB, group, behind string, limit int) ([]MemberView, error) {
	return pg.All[MemberView](ctx, db, `select member, added_at from pricing.member where grp = $1 and member > $2 order by member limit $3`, group, behind, limit)
}

// insertList keeps a price list in its seller's first free slot.
func insertList(tx *pg.Tx, l List) {
	alone(tx, l.Seller)
	tx.QueueMapped(full("price_list_slot_check", ErrManyLists), `insert into pricing.price_list (slot, id, seller, grp, name, since, until, made_at)
		select coalesce((select min(n) from generate_series(1, 50) n
				where not exists (select from pricing.price_list l where l.seller = $2 and l.slot = n and l.ended_at is null)), 51), $1, $2, $3, $4, $5, $6, $7`,
		l.ID, l.Seller, l.Group, l.Name, l.Since, l.Until, l.MadeAt)
	var variants []string
	var least []int
	var percents []decimal.Decimal
	var prices []int64
	for _, p := range l.Prices {
		variants, least, percents, prices = append(variants, p.Variant), append(least, p.Least), append(percents, p.Percent), append(prices, p.Price)
	}
	tx.Queue(`insert into pricing.price (list, variant, least, percent, price) select $1, * from unnest($2::text[], $3::int[], $4::numeric[], $5::bigint[])`,
		l.ID, variants, least, percents, prices)
}

func lockList(ctx context.Context, tx *pg.Tx, list string) (List, error) {
	return pg.One[List](ctx, tx, ErrNoList, `select `+listColumns+` from pricing.price_list where id = $1 for update`, list)
}

func listByID(ctx context.Context, db pg.DB, list string) (List, error) {
	return pg.One[List](ctx, db, ErrNoList, `select `+listColumns+` from pricing.price_list where id = $1`, list)
}

func pricesOf(ctx context.Context, db pg.DB, list string) ([]Price, error) {
	return pg.All[Price](ctx, db, `select variant, least, percent, price from pricing.price where list = $1 order by variant, least`, list)
}

func endList(tx *pg.Tx, list string, at time.Time) {
	tx.QueueOne(ErrEnded, `update pricing.price_list set ended_at = $2 where id = $1 and ended_at is null`, list, at)
}

// listLists lists a seller's price lists, the newest first.
func listLists(ctx context.Context, db pg.DB, seller string, ended bool, below string, limit int) ([]List, error) {
	return pg.All[List](ctx, db, `select `+listColumns+` from pricing.price_list
		where seller = $1 and ($2 or ended_at is null) and ($3 = '' or id < $3) order by id desc limit $4`, seller, ended, below, limit)
}

func own(buyer string, sellers, variants []string, out *[]Own) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select l.id as list, l.seller, p.variant, p.least, p.percent, p.price
			from pricing.member m join pricing.price_list l on l.grp = m.grp and l.ended_at is null
			join pricing.price p on p.list = l.id and (p.variant = '' or p.variant = any($3))
			where m.member = $1 and l.seller = any($2) and l.since <= platform.now() and platform.now() < l.until
			order by l.id, p.variant, p.least`, buyer, sellers, variants).
			Query(func(rows pgx.Rows) (err error) {
				*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[Own])
				return err
			})
	}
}
