package orders

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// taken says that terms of that day stand already.
func taken(constraint string) func(error) error {
	return func(err error) error {
		if pg.Violates(err, constraint) {
			return ErrStarted.With(err)
		}
		return err
	}
}

func insertTariff(tx *pg.Tx, t term[Tariff]) {
	tx.QueueMapped(taken("tariff_pkey"), `insert into orders.tariff (method, since, base, included_g, per_kg, payee, offered) values ($1, $2, $3, $4, $5, $6, $7)`,
		t.row.Method, t.since, t.row.Base, t.row.IncludedG, t.row.PerKg, t.row.Payee, t.row.Offered)
}

func insertRule(tx *pg.Tx, t term[Rule]) {
	tx.QueueMapped(taken("payment_rule_pkey"), `insert into orders.payment_rule (method, seller, since, most) values ($1, $2, $3, $4)`,
		t.row.Method, t.row.Seller, t.since, t.row.Most)
}

// listTariffs lists tariffs, the latest first, from behind a key on.
func listTariffs(ctx context.Context, db pg.DB, from termKey, limit int) ([]term[Tariff], error) {
	type row struct {
		Tariff
		Since time.Time
	}
	all, err := pg.All[row](ctx, db, `select method, base, included_g, per_kg, payee, offered, since from orders.tariff
		where $1 = '' or (since, method) < ($2, $1) order by since desc, method desc limit $3`, from.Method, from.Since, limit)
	return each(all, func(r row) term[Tariff] { return term[Tariff]{r.Tariff, r.Since} }), err
}

// listRules lists rules of payment, the latest first, from behind a key on.
func listRules(ctx context.Context, db pg.DB, from termKey, limit int) ([]term[Rule], error) {
	type row struct {
		Rule
		Since time.Time
	}
	all, err := pg.All[row](ctx, db, `select method, seller, most, since from orders.payment_rule
		where $1 = '' or (since, method, seller) < ($2, $1, $3) order by since desc, method desc, seller desc limit $4`, from.Method, from.Since, from.Seller, limit)
	return each(all, func(r row) term[Rule] { return term[Rule]{r.Rule, r.Since} }), err
}

func each[R, T any](rows []R, f func(R) T) []T {
	out := make([]T, len(rows))
	for i, r := range rows {
		out[i] = f(r)
	}
	return out
}
