package catalog

import (
	"context"

	"tiwiza/pkg/pg"
)

func insertPlace(tx *pg.Tx, p Place) {
	tx.QueueMapped(func(err error) error {
		switch {
		case pg.Violates(err, "place_name"):
			return ErrPlaceTaken.With(err)
		case pg.Violates(err, "place_most"):
			return ErrManyPlaces.With(err)
		}
		return err
	}, `insert into catalog.place (id, seller, name, region, commune, lat, lng) values ($1, $2, $3, $4, $5, $6, $7)`,
		p.ID, p.Seller, p.Name, p.Region, p.Commune, p.Lat, p.Lng)
}

func placesOf(ctx context.Context, db pg.DB, seller string) ([]Place, error) {
	return pg.All[Place](ctx, db, `select id, seller, name, region, commune, lat, lng from catalog.place where seller = $1 order by id`, seller)
}

// spotsOf are what lies at named places of variants, whose locks the unit of work
// has.
func spotsOf(ctx context.Context, db pg.DB, variants []string) ([]spot, error) {
	return pg.All[spot](ctx, db, `select variant, place, on_hand, reserved from catalog.stock_place where variant = any($1) order by variant, place`, variants)
}

// saveSpots writes what lies at the places of a variant, and its sums.
func saveSpots(tx *pg.Tx, variant string, spots []spot) {
	tx.Queue(`insert into catalog.stock_place (variant, place, on_hand, reserved)
		select $1, r.place, r.on_hand, r.reserved from jsonb_to_recordset($2) as r(place text, on_hand int, reserved int)
		on conflict (variant, place) do update set on_hand = excluded.on_hand, reserved = excluded.reserved`, variant, text(spots))
	placed := 0
	for _, s := range spots {
		placed += s.OnHand
	}
	tx.Queue(`update catalog.variant set placed = $2 where id = $1`, variant, placed)
}

// keepShares writes down from which places what orders hold comes.
func keepShares(tx *pg.Tx, shares []share) {
	if len(shares) == 0 {
		return
	}
	tx.Queue(`insert into catalog.reservation_place (order_id, variant, place, quantity)
		select r."order", r.variant, r.place, r.quantity
		from jsonb_to_recordset($1) as r("order" text, variant text, place text, quantity int)`, text(shares))
	tx.Queue(`update catalog.stock_place s set reserved = s.reserved + r.quantity
		from (select variant, place, sum(quantity)::int as quantity
			from jsonb_to_recordset($1) as r(variant text, place text, quantity int) group by variant, place) r
		where s.variant = r.variant and s.place = r.place`, text(shares))
}

const closureColumns = `id, seller, first_day::text as from, last_day::text as to, (last_day + 1)::text as reopens, reason`

func insertClosure(tx *pg.Tx, c Closure) {
	tx.QueueMapped(func(err error) error {
		switch {
		case pg.Violates(err, "closure_apart"):
			return ErrClosureMeets.With(err)
		case pg.Violates(err, "closure_most"):
			return ErrManyClosures.With(err)
		}
		return err
	}, `insert into catalog.closure (id, seller, first_day, last_day, reason) values ($1, $2, $3, $4, $5)`, c.ID, c.Seller, c.From, c.To, c.Reason)
}

func closuresOf(ctx context.Context, db pg.DB, seller string) ([]Closure, error) {
	return pg.All[Closure](ctx, db, `select `+closureColumns+` from catalog.closure
		where seller = $1 and last_day >= catalog.today() order by first_day`, seller)
}

func lockClosure(ctx context.Context, tx *pg.Tx, closure string) (Closure, error) {
	return pg.One[Closure](ctx, tx, ErrNoClosure, `select `+closureColumns+` from catalog.closure where id = $1 for update`, closure)
}

func deleteClosure(tx *pg.Tx, closure string) {
	tx.Queue(`delete from catalog.closure where id = $1`, closure)
}

// endClosure has a seller sell again from a day on.
func endClosure(tx *pg.Tx, closure, reopens string) {
	tx.Queue(`update catalog.closure set last_day = $2::date - 1 where id = $1`, closure, reopens)
}
