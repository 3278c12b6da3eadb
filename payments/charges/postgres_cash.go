package charges

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

const parcelColumns = `order_id, charge, seller, carrier, reference, currency, due, fee, cash, covered, kept, lost, state, reason, listed,
	version, created_at, collected_at, ended_at`

func insertParcel(tx *pg.Tx, p Parcel) {
	tx.Queue(`insert into charges.parcel (order_id, charge, seller, carrier, reference, currency, due, fee, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, p.Order, p.Charge, p.Seller, p.Carrier, p.Reference, p.Currency, p.Due, p.Fee, p.CreatedAt)
}

func parcelOf(ctx context.Context, db pg.DB, order string) (Parcel, error) {
	return pg.One[Parcel](ctx, db, ErrNoParcel, `select `+parcelColumns+` from charges.parcel where order_id = $1`, order)
}

func lockParcel(ctx context.Context, tx *pg.Tx, order string) (Parcel, error) {
	return pg.One[Parcel](ctx, tx, ErrNoParcel, `select `+parcelColumns+` from charges.parcel where order_id = $1 for update`, order)
}

func parcelsOf(ctx context.Context, db pg.DB, orders []string) ([]Parcel, error) {
	return pg.All[Parcel](ctx, db, `select `+parcelColumns+` from charges.parcel where order_id = any($1)`, orders)
}

func parcelsOfCharge(ctx context.Context, db pg.DB, charge string) ([]Parcel, error) {
	return pg.All[Parcel](ctx, db, `select `+parcelColumns+` from charges.parcel where charge = $1`, charge)
}

func lockParcelsOf(ctx context.Context, tx *pg.Tx, orders []string) ([]Parcel, error) {
	return pg.All[Parcel](ctx, tx, `select `+parcelColumns+` from charges.parcel where order_id = any($1) order by order_id for update`, orders)
}

// lockAll locks charges in the order of their ids.
func lockAll(ctx context.Context, tx *pg.Tx, ids []string) error {
	_, err := tx.Exec(ctx, `select from charges.charge where id = any($1) order by id for update`, ids)
	return err
}

// saveParcel keeps a parcel, and returns it as it is kept.
func saveParcel(tx *pg.Tx, p Parcel) Parcel {
	tx.QueueOne(pg.ErrBusy, `update charges.parcel set cash = $3, covered = $4, kept = $5, lost = $6, state = $7, reason = $8, listed = $9,
			collected_at = $10, ended_at = $11, version = version + 1 where order_id = $1 and version = $2`,
		p.Order, p.Version, p.Cash, p.Covered, p.Kept, p.Lost, p.State, p.Reason, p.Listed, p.CollectedAt, p.EndedAt)
	p.Version++
	return p
}

// unlist frees the parcels of a list whose money has come, or will not.
func unlist(tx *pg.Tx, remittance string) {
	tx.Queue(`update charges.parcel set listed = '', version = version + 1 where listed = $1`, remittance)
}

func endCharge(tx *pg.Tx, id string, state State) {
	tx.Queue(`update charges.charge set state = $2, version = version + 1 where id = $1`, id, state)
}

// listParcels lists parcels by order, the newest first, from below one on. ""
// means any; side is whoever sells or brings it.
func listParcels(ctx context.Context, db pg.DB, side, carrier, state, below string, limit int) ([]Parcel, error) {
	return pg.All[Parcel](ctx, db, `select `+parcelColumns+` from charges.parcel
		where ($1 = '' or seller = $1 or carrier = $1) and ($2 = '' or carrier = $2) and ($3 = '' or state = $3) and ($4 = '' or order_id < $4)
		order by order_id desc limit $5`, side, carrier, state, below, limit)
}

const remittanceColumns = `id, carrier, reference, theirs, currency, net, handling, arrived, state, made_by, version, created_at, ended_at`

func insertRemittance(tx *pg.Tx, r Remittance, items []Item) {
	tx.Queue(`insert into charges.remittance (id, carrier, reference, theirs, currency, net, handling, made_by, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, r.ID, r.Carrier, r.Reference, r.Theirs, r.Currency, r.Net, r.Handling, r.MadeBy, r.CreatedAt)
	orders, cash, kept := make([]string, len(items)), make([]int64, len(items)), make([]int64, len(items))
	for i, it := range items {
		orders[i], cash[i], kept[i] = it.Order, it.Cash, it.Kept
	}
	tx.Queue(`insert into charges.remitted (remittance, no, order_id, cash, kept)
		select $1, n, o, c, k from unnest($2::text[], $3::bigint[], $4::bigint[]) with ordinality as t (o, c, k, n)`, r.ID, orders, cash, kept)
	tx.Queue(`update charges.parcel set listed = $1, version = version + 1 where order_id = any($2)`, r.ID, orders)
}

func loadRemittance(ctx context.Context, db pg.DB, id string) (Remittance, error) {
	return pg.One[Remittance](ctx, db, ErrNoRemittance, `select `+remittanceColumns+` from charges.remittance where id = $1`, id)
}

func lockRemittance(ctx context.Context, tx *pg.Tx, id string) (Remittance, error) {
	return pg.One[Remittance](ctx, tx, ErrNoRemittance, `select `+remittanceColumns+` from charges.remittance where id = $1 for update`, id)
}

// openRemittances are the lists whose money of this amount has not come.
func openRemittances(ctx context.Context, db pg.DB, net int64, currency string) ([]Remittance, error) {
	return pg.All[Remittance](ctx, db, `select `+remittanceColumns+` from charges.remittance
		where state = 'announced' and net = $1 and currency = $2 order by id limit 20`, net, currency)
}

func saveRemittance(tx *pg.Tx, r Remittance) {
	tx.QueueOne(pg.ErrBusy, `update charges.remittance set state = $3, arrived = $4, ended_at = $5, version = version + 1 where id = $1 and version = $2`,
		r.ID, r.Version, r.State, r.Arrived, r.EndedAt)
}

func itemsOf(ctx context.Context, db pg.DB, remittance string) ([]Item, error) {
	return pg.All[Item](ctx, db, `select order_id, cash, kept from charges.remitted where remittance = $1 order by no`, remittance)
}

// listRemittances lists lists, the newest first, from below an id on.
func listRemittances(ctx context.Context, db pg.DB, carrier, state, below string, limit int) ([]Remittance, error) {
	return pg.All[Remittance](ctx, db, `select `+remittanceColumns+` from charges.remittance
		where ($1 = '' or carrier = $1) and ($2 = '' or state = $2) and ($3 = '' or id < $3) order by id desc limit $4`, carrier, state, below, limit)
}

func withheld(ctx context.Context, db pg.DB, currency string, carriers []string, before time.Time) (map[string]int64, error) {
	type row struct {
		Carrier string
		Amount  int64
	}
	rows, err := pg.All[row](ctx, db, `select carrier, sum(cash - covered)::bigint as amount from charges.parcel
		where carrier = any($1) and currency = $2 and state = 'collected' and collected_at < $3 group by carrier`, carriers, currency, before)
	out := make(map[string]int64, len(rows))
	for _, r := range rows {
		out[r.Carrier] = r.Amount
	}
	return out, err
}
