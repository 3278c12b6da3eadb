package charges

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// find looks for charges, newest first.
func find(ctx context.Context, db pg.DB, by sought, below string, limit int) ([]Charge, error) {
	var w pg.Where
	w.And(by.charge != "", "id =", by.charge)
	w.And(by.group != "", "group_id =", by.group)
	w.And(by.ref != "", "ref =", by.ref)
	w.And(by.phone != "", "contact->>'phone' =", by.phone)
	w.And(by.amount > 0, "amount =", by.amount)
	w.And(by.state != "", "state =", by.state)
	w.And(by.from != nil, "created_at >=", by.from)
	w.And(by.until != nil, "created_at <", by.until)
	w.And(below != "", "id <", below)
	most := w.Arg(limit)
	return pg.All[Charge](ctx, db, `select `+columns+` from charges.charge where `+w.String()+` order by id desc limit `+most, w.Args()...)
}

func hours(ctx context.Context, db pg.DB, since time.Time) ([]Hour, error) {
	return pg.All[Hour](ctx, db, `select date_trunc('hour', created_at) as begins, count(*) filter (where state = 'confirmed') as paid,
			count(*) filter (where state in ('declined', 'expired', 'unknown')) as failed, coalesce(sum(amount) filter (where state = 'confirmed'), 0)::bigint as taken
		from charges.charge where created_at >= $1 group by 1 order by 1`, since)
}
