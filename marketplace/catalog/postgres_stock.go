package catalog

import (
	"context"
	"fmt"
	"time"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// lockStock locks variants in the order of their ids and says what is free.
// Those that do not exist are missing: nothing of them is free.
func lockStock(ctx context.Context, tx *pg.Tx, variants []string) (map[string]stock, error) {
	rows, err := pg.All[stock](ctx, tx, `select v.id, v.offer, case when o.state = 'published' then v.on_hand - v.reserved else 0 end as free
		from catalog.variant v join catalog.offer o on o.id = v.offer
		where v.id = any($1) order by v.id for update of v`, variants)
	if err != nil {
		return nil, fmt.Errorf("lock stock: %w", err)
	}
	out := make(map[string]stock, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, nil
}

// keep writes down what orders hold; want is the same, added up by variant,
// whose locks the unit of work has.
func keep(tx *pg.Tx, hold []holding, want map[string]int, due time.Time) {
	orders, variants, quantities := make([]string, len(hold)), make([]string, len(hold)), make([]int, len(hold))
	for i, h := range hold {
		orders[i], variants[i], quantities[i] = h.Order, h.Variant, h.Quantity
	}
	ids, sums := make([]string, 0, len(want)), make([]int, 0, len(want))
	for v, n := range want {
		ids, sums = append(ids, v), append(sums, n)
	}
	tx.Queue(`update catalog.variant v set reserved = v.reserved + w.n
		from unnest($1::text[], $2::int[]) as w(id, n) where v.id = w.id`, ids, sums)
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "reservation_once") {
			return ErrReserved.With(err)
		}
		return err
	}, `insert into catalog.reservation (order_id, variant, quantity, state, due)
		select o, v, n, 'held', $4 from unnest($1::text[], $2::text[], $3::int[]) as r(o, v, n)`, orders, variants, quantities, due)
}

// lockHeld locks the variants an order holds, in the order of their ids.
func lockHeld(tx *pg.Tx, order string) {
	tx.Queue(`select v.id from catalog.variant v join catalog.reservation r on r.variant = v.id
		where r.order_id = $1 order by v.id for update of v`, order)
}

// take turns what an order holds into stock that is gone, once.
func take(tx *pg.Tx, order string) {
	lockHeld(tx, order)
	tx.Queue(`with taken as (
			update catalog.reservation set state = 'taken' where order_id = $1 and state = 'held' returning variant, quantity),
		gone as (
			update catalog.variant v set on_hand = v.on_hand - t.quantity, reserved = v.reserved - t.quantity
			from taken t where v.id = t.variant)
		insert into catalog.stock_move (variant, delta, reason, ref)
		select variant, -quantity, 'sold', $1 from taken`, order)
}

// release gives back what an order holds, once, and says of which offers there
// is something again.
func release(ctx context.Context, tx *pg.Tx, order string) ([]string, error) {
	lockHeld(tx, order)
	return pg.Column[string](ctx, tx, `with freed as (
			update catalog.reservation set state = 'released' where order_id = $1 and state = 'held' returning variant, quantity),
		back as (
			update catalog.variant v set reserved = v.reserved - f.quantity
			from freed f where v.id = f.variant
			returning v.offer, v.on_hand - v.reserved = f.quantity as was_empty)
		select distinct offer from back where was_empty`, order)
}

// giveBack puts what was taken for an order back into stock, once, and says of
// which offers there is something again.
func giveBack(ctx context.Context, tx *pg.Tx, order string) ([]string, error) {
	lockHeld(tx, order)
	return pg.Column[string](ctx, tx, `with returned as (
			update catalog.reservation set state = 'returned' where order_id = $1 and state = 'taken' returning variant, quantity),
		back as (
			update catalog.variant v set on_hand = v.on_hand + r.quantity
			from returned r where v.id = r.variant
			returning v.offer, v.on_hand - v.reserved = r.quantity as was_empty),
		moved as (
			insert into catalog.stock_move (variant, delta, reason, ref)
			select variant, quantity, 'returned', $1 from returned)
		select distinct offer from back where was_empty`, order)
}

func saveStock(tx *pg.Tx, variant string, onHand int, m move) {
	tx.Queue(`update catalog.variant set on_hand = $2 where id = $1`, variant, onHand)
	saveMoves(tx, []move{m})
}

type itemRow struct {
	Variant          string
	Offer            string
	Seller           string
	SKU              string
	Names            map[string]string
	OfferNames       map[string]string
	Price            int64
	Currency         string
	WeightG          int
	Available        int
	Category         string
	WithdrawalExempt string
	Published        bool
}

func items(ctx context.Context, db pg.DB, variants []string) (map[string]Item, error) {
	rows, err := pg.All[itemRow](ctx, db, `select v.id as variant, v.offer, v.seller, v.sku, v.names, o.names as offer_names, v.price, v.currency,
			v.weight_g, v.on_hand - v.reserved as available, o.category, o.withdrawal_exempt, o.state = 'published' as published
		from catalog.variant v join catalog.offer o on o.id = v.offer where v.id = any($1)`, variants)
	if err != nil {
		return nil, fmt.Errorf("read items: %w", err)
	}
	out := make(map[string]Item, len(rows))
	for _, r := range rows {
		out[r.Variant] = Item{
			r.Variant, r.Offer, r.Seller, r.SKU, r.Names, r.OfferNames, money.FromCentimes(r.Price, r.Currency),
			r.WeightG, r.Available, r.Category, r.WithdrawalExempt, r.Published,
		}
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
	Labels    []Label
	Photo     *photoJSON
}

// cards reads published offers by id, in no order.
func cards(ctx context.Context, db pg.DB, ids []string) (map[string]card, error) {
	rows, err := pg.All[card](ctx, db, `select o.id, o.seller, o.names, o.category, o.region, o.image, v.price, v.currency, v.available, l.labels,
			(select jsonb_build_object('file', p.file, 'alt', p.alt, 'width', p.width, 'height', p.height)
				from catalog.picture p where p.offer = o.id and p.place = 1) as photo
		from catalog.offer o
		cross join (select catalog.today() as today) d
		cross join lateral (
			select min(v.price) as price, min(v.currency) as currency, bool_or(v.on_hand > v.reserved) as available
			from catalog.variant v where v.offer = o.id having count(*) > 0) v
		cross join lateral (
			select coalesce(jsonb_agg(jsonb_build_object('code', l.code, 'issuer', l.issuer, 'number', l.number,
				'valid_from', l.valid_from, 'valid_to', coalesce(l.valid_to::text, ''), 'current', true) order by l.code), '[]') as labels
			from catalog.label l where l.offer = o.id and l.valid_from <= d.today and (l.valid_to is null or l.valid_to >= d.today)) l
		where o.id = any($1) and o.state = 'published'`, ids)
	if err != nil {
		return nil, fmt.Errorf("read offers: %w", err)
	}
	out := make(map[string]card, len(rows))
	for _, r := range rows {
		out[r.ID] = r
	}
	return out, nil
}

func saveImport(tx *pg.Tx, seller, name string, sum []byte, r Report) {
	rejected := r.Rejected
	if len(rejected) > keptVerdicts {
		rejected = rejected[:keptVerdicts]
	}
	tx.Queue(`insert into catalog.import (id, seller, name, sha256, rows, created, updated, rejected)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`, r.ID, seller, name, sum, r.Rows, r.Created, r.Updated, text(rejected))
}
