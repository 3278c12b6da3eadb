package escrow

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"tiwiza/pkg/pg"
)

// lockFreeOrders locks the escrows of orders, but for those that others have.
func lockFreeOrders(ctx context.Context, tx *pg.Tx, orders []string) ([]Hold, error) {
	return all(ctx, tx, `order_id = any($1) order by id for update skip locked`, orders)
}

// saveLettings keeps what releases change of their holds, each as it was locked.
func saveLettings(tx *pg.Tx, all []letting) {
	ids, states := make([]string, len(all)), make([]string, len(all))
	versions, released, bonus := make([]int64, len(all)), make([]int64, len(all)), make([]int64, len(all))
	var gone [5][]int64
	for i, l := range all {
		ids[i], states[i], versions[i], released[i] = l.hold.ID, string(l.hold.State), l.hold.Version, l.hold.Released
		bonus[i] = l.hold.BonusGiven
		for k, n := range l.hold.Gone.wide() {
			gone[k] = append(gone[k], n)
		}
	}
	tx.QueueThen(allOf(len(all)), `update escrow.hold h set state = x.state, released = x.released, gone = array[x.a, x.b, x.c, x.d, x.e], bonus_given = x.bonus, version = h.version + 1
		from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[])
			x (id, version, state, released, a, b, c, d, e, bonus)
		where h.id = x.id and h.version = x.version`, ids, versions, states, released, gone[0], gone[1], gone[2], gone[3], gone[4], bonus)
}

// insertLettings writes down what payouts may cover of releases, and what is kept
// in reserve of them until it is due.
func insertLettings(tx *pg.Tx, all []letting, due time.Time) {
	var shares, lots givings
	for _, l := range all {
		shares.add(l.id, l.hold, l.hold.Share(l.part)+l.bonus-l.debt)
		lots.add(l.id, l.hold, l.part.Reserve)
	}
	insertReleases(tx, shares)
	if r := lots; len(r.ids) > 0 {
		tx.Queue(`insert into escrow.lot (id, hold, order_id, seller, currency, amount, due)
			select x.*, $7::timestamptz from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) x`,
			r.ids, r.holds, r.orders, r.sellers, r.currencies, r.amounts, due)
	}
}

// givings are amounts that sellers are given of holds, row by row.
type givings struct {
	ids, holds, orders, sellers, charges, currencies []string
	amounts                                          []int64
	settled                                          []bool
}

// add adds a row, if there is something in it.
func (r *givings) add(id string, h Hold, amount int64) {
	if amount > 0 {
		r.ids, r.holds, r.orders, r.sellers = append(r.ids, id), append(r.holds, h.ID), append(r.orders, h.Order), append(r.sellers, h.Seller)
		r.charges, r.currencies, r.amounts, r.settled = append(r.charges, h.Charge), append(r.currencies, h.Currency), append(r.amounts, amount), append(r.settled, h.Settled)
	}
}

func insertReleases(tx *pg.Tx, r givings) {
	if len(r.ids) > 0 {
		tx.Queue(`insert into escrow.release (id, hold, order_id, seller, charge, currency, amount, settled)
			select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bool[])`,
			r.ids, r.holds, r.orders, r.sellers, r.charges, r.currencies, r.amounts, r.settled)
	}
}

func ordersOfLots(ctx context.Context, db pg.DB, lots []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select distinct order_id from escrow.lot where id = any($1)`, lots)
}

// lockFreeLots locks lots, but for those that others have, from the one that is
// due longest on.
func lockFreeLots(ctx context.Context, tx *pg.Tx, lots []string) ([]dueLot, error) {
	return pg.All[dueLot](ctx, tx, `select `+lotColumns+` from escrow.lot where id = any($1) order by due, id for update skip locked`, lots)
}

// endLots is endLot of many.
func endLots(tx *pg.Tx, lots []string) {
	if len(lots) > 0 {
		tx.QueueThen(allOf(len(lots)), `update escrow.lot set done = true where id = any($1) and not done`, lots)
	}
}

// allOf has a statement fail that did not touch as many rows as were locked for
// it.
func allOf(n int) func(pgconn.CommandTag, error) error {
	return func(tag pgconn.CommandTag, err error) error {
		if err == nil && tag.RowsAffected() != int64(n) {
			return ErrState
		}
		return err
	}
}
