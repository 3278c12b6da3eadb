package delivery

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

const columns = `id, seller, kind, names, payee, lead_days, spot, radius_km, free_from, zones, made_at, ended_at`

// insert keeps a way in the first free slot of those it serves.
func insert(tx *pg.Tx, w Way) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "way_slot_check") {
			return ErrMany.With(err)
		}
		return err
	}, `insert into delivery.way (id, seller, served, slot, kind, names, payee, lead_days, spot, radius_km, free_from, zones, made_at)
		select $1, $2, $3, coalesce((select min(n) from generate_series(1, 50) n
				where not exists (select from delivery.way w where w.served = $3 and w.slot = n and w.ended_at is null)), 51),
			$4, $5, $6, $7, $8, $9, $10, $11, $12`,
		w.ID, w.Seller, w.served(), w.Kind, w.Names, w.Payee, w.LeadDays, w.Spot, w.RadiusKm, w.FreeFrom, w.Zones, w.MadeAt)
}

// alone has those who add ways for one served go one after the other.
func alone(tx *pg.Tx, served string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('delivery ' || $1, 0))`, served)
}

func lock(ctx context.Context, tx *pg.Tx, way string) (Way, error) {
	return pg.One[Way](ctx, tx, ErrNotFound, `select `+columns+` from delivery.way where id = $1 for update`, way)
}

func end(tx *pg.Tx, way string, at time.Time) {
	tx.QueueOne(ErrState, `update delivery.way set ended_at = $2 where id = $1 and ended_at is null`, way, at)
}

// list lists a seller's ways, or with "" the relay points, the newest first,
// from below an id on.
func list(ctx context.Context, db pg.DB, seller string, ended bool, below string, limit int) ([]Way, error) {
	return pg.All[Way](ctx, db, `select `+columns+` from delivery.way
		where seller = $1 and ($2 or ended_at is null) and ($3 = '' or id < $3) order by id desc limit $4`, seller, ended, below, limit)
}

// serving reads the ways that hold now of those who are served.
func serving(served []string, out *[]Way) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select `+columns+` from delivery.way where served = any($1) and ended_at is null order by id`, served).
			Query(func(rows pgx.Rows) (err error) {
				*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[Way])
				return err
			})
	}
}
