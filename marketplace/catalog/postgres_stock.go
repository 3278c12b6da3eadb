package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// lockStock locks variants in the order of their ids and then, in a statement that
// sees what others did before, says what is free and where it lies. Those that do
// not exist are missing: nothing of them is free.
func lockStock(ctx context.Context, tx *pg.Tx, variants, agreed []string) (map[string]stock, error) {
	tx.Queue(`select id from catalog.variant where id = any($1) order by id for update`, variants)
	rows, err := pg.All[stock](ctx, tx, `select v.id, v.offer, case when o.state = 'published' and (o.way <> 'quote' or v.id = any($2)) then catalog.free(v) else 0 end as free,
			v.on_hand - v.reserved as there,
			case when v.placed = 0 then '[]' else coalesce((select jsonb_agg(to_jsonb(s) order by s.place)
				from catalog.stock_place s where s.variant = v.id), '[]') end as spots
		from catalog.variant v join catalog.offer o on o.id = v.offer
		where v.id = any($1)`, variants, agreed)
	if err != nil {
		return nil, fmt.Errorf("lock stock: %w", err)
	}
	out := make(map[string]stock, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, nil
}

// keep writes down what orders hold of variants whose locks the unit of work has,
// and from which places it comes. What is to be made is in stock from now on, and
// counts in this week.
func keep(tx *pg.Tx, hold []holding, shares []share, due time.Time) {
	variants, reserved, made, atPlaces := sums(hold, shares)
	tx.Queue(`update catalog.variant v set reserved = v.reserved + w.quantity, on_hand = v.on_hand + w.made,
			placed_reserved = v.placed_reserved + w.placed,
			booked = case when v.policy <> 'made_to_order' then 0 when v.booked_week = catalog.this_week() then v.booked + w.made else w.made end,
			booked_week = catalog.this_week()
		from unnest($1::text[], $2::int[], $3::int[], $4::int[]) as w(variant, quantity, made, placed) where v.id = w.variant`,
		variants, reserved, made, atPlaces)
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "reservation_once") {
			return ErrReserved.With(err)
		}
		return err
	}, `insert into catalog.reservation (order_id, variant, quantity, state, due, made, week)
		select h."order", h.variant, h.quantity, 'held', $2, h.made, catalog.this_week()
		from jsonb_to_recordset($1) as h("order" text, variant text, quantity int, made int)`, text(hold), due)
	var moves []move
	for _, h := range hold {
		moves = append(moves, move{h.Variant, h.Made, "ordered", h.Order})
	}
	saveMoves(tx, slices.DeleteFunc(moves, func(m move) bool { return m.Delta == 0 }))
	keepShares(tx, shares)
}

// lockHeld locks the variants an order holds, in the order of their ids.
func lockHeld(tx *pg.Tx, order string) {
	tx.Queue(`select v.id from catalog.variant v join catalog.reservation r on r.variant = v.id
		where r.order_id = $1 order by v.id for update of v`, order)
}

// placed are what an order holds of variants that lie at named places: a part of
// the statements below. at is how its places change by each.
const placed = `at as (
			update catalog.stock_place s set on_hand = s.on_hand + %[1]s * p.quantity, reserved = s.reserved + %[2]s * p.quantity
			from catalog.reservation_place p, moved r
			where p.order_id = $1 and p.variant = r.variant and s.variant = p.variant and s.place = p.place
			returning s.variant, p.quantity),
		put as (select variant, sum(quantity)::int as n from at group by variant)`

// take turns what an order holds into stock that is gone, once.
func take(tx *pg.Tx, order string) {
	lockHeld(tx, order)
	tx.Queue(fmt.Sprintf(`with moved as (
			update catalog.reservation set state = 'taken' where order_id = $1 and state = 'held' returning variant, quantity),
		`+placed+`,
		gone as (
			update catalog.variant v set on_hand = v.on_hand - r.quantity, reserved = v.reserved - r.quantity,
				placed = v.placed - coalesce(put.n, 0), placed_reserved = v.placed_reserved - coalesce(put.n, 0)
			from moved r left join put on put.variant = r.variant where v.id = r.variant)
		insert into catalog.stock_move (variant, delta, reason, ref)
		select variant, -quantity, 'sold', $1 from moved`, "-1", "-1"), order)
}

// release gives back what an order holds, once, and says of which variants there
// is something again. What was to be made is not made.
func release(ctx context.Context, tx *pg.Tx, order string) ([]flip, error) {
	lockHeld(tx, order)
	return pg.All[flip](ctx, tx, fmt.Sprintf(`with moved as (
			update catalog.reservation set state = 'released' where order_id = $1 and state = 'held' returning variant, quantity, made, week),
		`+placed+`,
		back as (
			update catalog.variant v set reserved = v.reserved - r.quantity, on_hand = v.on_hand - r.made,
				placed_reserved = v.placed_reserved - coalesce(put.n, 0),
				booked = case when v.booked_week = r.week then greatest(0, v.booked - r.made) else v.booked end
			from moved r left join put on put.variant = r.variant where v.id = r.variant
			returning v.id as variant, v.offer, catalog.free(v) between 1 and r.quantity as was_empty),
		unmade as (
			insert into catalog.stock_move (variant, delta, reason, ref)
			select variant, -made, 'unmade', $1 from moved where made > 0)
		select variant, offer from back where was_empty`, "0", "-1"), order)
}

// giveBack puts what was taken for an order back into stock, once, and says of
// which variants there is something again.
func giveBack(ctx context.Context, tx *pg.Tx, order string) ([]flip, error) {
	lockHeld(tx, order)
	return pg.All[flip](ctx, tx, fmt.Sprintf(`with moved as (
			update catalog.reservation set state = 'returned' where order_id = $1 and state = 'taken' returning variant, quantity),
		`+placed+`,
		back as (
			update catalog.variant v set on_hand = v.on_hand + r.quantity, placed = v.placed + coalesce(put.n, 0)
			from moved r left join put on put.variant = r.variant where v.id = r.variant
			returning v.id as variant, v.offer, catalog.free(v) between 1 and r.quantity as was_empty),
		came as (
			insert into catalog.stock_move (variant, delta, reason, ref)
			select variant, quantity, 'returned', $1 from moved)
		select variant, offer from back where was_empty`, "1", "0"), order)
}

// restock puts so many of each variant into stock, and says of which there is
// something again.
func restock(ctx context.Context, tx *pg.Tx, ref string, want map[string]int) ([]flip, error) {
	variants := slices.Sorted(maps.Keys(want))
	counts := make([]int, len(variants))
	for i, v := range variants {
		counts[i] = want[v]
	}
	tx.Queue(`select id from catalog.variant where id = any($1) order by id for update`, variants)
	return pg.All[flip](ctx, tx, `with back as (
			update catalog.variant v set on_hand = v.on_hand + w.n
			from unnest($2::text[], $3::int[]) as w(variant, n) where v.id = w.variant
			returning v.id as variant, w.n, v.offer, catalog.free(v) between 1 and w.n as was_empty),
		came as (insert into catalog.stock_move (variant, delta, reason, ref) select variant, n, 'returned', $1 from back)
		select variant, offer from back where was_empty`, ref, variants, counts)
}

func rate(tx *pg.Tx, offer string, stars, reviews int) {
	tx.Queue(`insert into catalog.rating (offer, reviews, stars) values ($1, 0, 0) on conflict (offer) do nothing`, offer)
	tx.Queue(`update catalog.rating set reviews = reviews + $2, stars = stars + $3 where offer = $1`, offer, reviews, stars)
}

func saveStock(tx *pg.Tx, variant string, onHand int, m move) {
	tx.Queue(`update catalog.variant set on_hand = $2 where id = $1`, variant, onHand)
	saveMoves(tx, []move{m})
}

type itemRow struct {
	Item
	Cents    int64
	Currency string
	Tiers    []Tier
}

func variantsOf(ctx context.Context, db pg.DB, offer string) ([]string, error) {
	return pg.Column[string](ctx, db, `select id from catalog.variant where offer = $1`, offer)
}

func shelvesOf(ctx context.Context, db pg.DB, seller string, all []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select c from unnest($2::text[]) c
		where exists (select from catalog.offer o where o.seller = $1 and o.category = c and o.state = 'published')`, seller, all)
}

func sellersIn(ctx context.Context, db pg.DB, category string, most int) ([]string, error) {
	return pg.Column[string](ctx, db, `select distinct seller from catalog.offer where category = $1 and state = 'published' order by seller limit $2`, category, most)
}

func items(ctx context.Context, db pg.DB, variants []string) (map[string]Item, error) {
	rows, err := pg.All[itemRow](ctx, db, `select v.id as variant, v.offer, v.seller, v.sku, v.names, o.names as offer_names, v.price as cents, v.currency,
			v.tiers, v.weight_g, catalog.free(v) as available, o.category, o.withdrawal_exempt, o.state = 'published' as published, o.kind, o.way, v.policy,
			v.lead_days, v.starts_at, v.minutes, coalesce(catalog.reopens(v.seller, d.today)::text, '') as reopens
		from catalog.variant v join catalog.offer o on o.id = v.offer cross join (select catalog.today() as today) d where v.id `+pg.OfThese, variants)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	out := make(map[string]Item, len(rows))
	for _, r := range rows {
		r.Item.Price, r.Item.tiers = money.FromCentimes(r.Cents, r.Currency), r.Tiers
		out[r.Variant] = r.Item
	}
	return out, nil
}

// A card is an offer as a list shows it.
type card struct {
	ID        string
	Seller    string
	Names     map[string]string
	Category  string
	Region    string
	Image     string
	Price     int64
	Currency  string
	Available bool
	Reopens   string
	Kind      Kind
	Way       Way
	Labels    []Label
	Photo     *photoJSON
}

// cards reads published offers by id, in no order.
func cards(ctx context.Context, db pg.DB, ids []string) (map[string]card, error) {
	rows, err := pg.All[card](ctx, db, `select o.id, o.seller, o.names, o.category, o.region, o.image, v.price, v.currency, v.available,
			coalesce(catalog.reopens(o.seller, d.today)::text, '') as reopens, o.kind, o.way, l.labels,
			(select `+photoRead+` from catalog.picture p where p.offer = o.id and p.place = 1) as photo
		from catalog.offer o
		cross join (select catalog.today() as today) d
		cross join lateral (
			select min(v.price) as price, min(v.currency) as currency, bool_or(catalog.free(v) > 0) as available
			from catalog.variant v where v.offer = o.id having count(*) > 0) v
		cross join lateral (
			select `+labelsJSON+` as labels from catalog.labels_of(o.id, o.seller) l where catalog.shows(l, d.today)) l
		where o.id `+pg.OfThese+` and o.state = 'published'`, ids)
	if err != nil {
		return nil, fmt.Errorf("read offers: %w", err)
	}
	out := make(map[string]card, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, nil
}
