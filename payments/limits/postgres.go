package limits

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"tiwiza/pkg/pg"
)

// step is the grain of the windows, as SQL.
const step = `interval '5 minutes'`

// usage reads the rules of a method with what was used of each, for each key.
func usage(ctx context.Context, tx *pg.Tx, what, method string, keys []key, now time.Time) ([]Figure, error) {
	pers, names, asks := columns(keys)
	return pg.All[Figure](ctx, tx, `select r.id as rule, k.per, k.key, r.action, coalesce(r.max_amount, 0) as most, coalesce(r.max_count, 0) as times,
			u.used, u.count, k.ask as asked, false as over, r.window_s, r.about
		from limits.rule r join unnest($3::text[], $4::text[], $5::bigint[]) as k (per, key, ask) on k.per = r.per
		cross join lateral (select coalesce(sum(t.amount), 0)::bigint as used, coalesce(sum(t.count), 0)::bigint as count from limits.tally t
			where r.window_s > 0 and t.what = r.what and t.per = r.per and t.key = k.key and (r.method = '' or t.method = r.method)
			and t.at > $6::timestamptz - make_interval(secs => r.window_s) - `+step+`) u
		where r.what = $1 and (r.method = '' or r.method = $2) order by r.id, k.key`, what, method, pers, names, asks, now)
}

// lockKeys locks keys until the unit of work ends: alone, or together with
// others who do not need to be alone.
func lockKeys(tx *pg.Tx, what string, alone map[string]bool) {
	names := slices.Sorted(maps.Keys(alone))
	single := make([]bool, len(names))
	for i, k := range names {
		single[i] = alone[k]
	}
	tx.Queue(`select case when k.alone then pg_advisory_xact_lock(k.id) else pg_advisory_xact_lock_shared(k.id) end
		from (select alone, hashtextextended('limits ' || $1::text || ' ' || name, 0) as id, n
			from unnest($2::text[], $3::bool[]) with ordinality x (name, alone, n) order by n) k`, what, names, single)
}

// mark remembers which locks were had before, and giveBack drops those since.
func mark(tx *pg.Tx) { tx.Queue(`savepoint limits`) }

func giveBack(tx *pg.Tx) { tx.Queue(`rollback to savepoint limits`) }

// again has the whole unit of work run once more.
func again(ctx context.Context, tx *pg.Tx) error {
	_, err := tx.Exec(ctx, `select limits.again()`)
	return err
}

// count adds a sale or a payout to its keys, or takes it away.
func count(tx *pg.Tx, what, method string, keys []key, at time.Time, n int64) {
	times := make([]int64, len(keys))
	for i := range times {
		times[i] = n
	}
	countAll(tx, what, method, keys, times, at)
}

// countAll adds so many sales or payouts to each key.
func countAll(tx *pg.Tx, what, method string, keys []key, times []int64, at time.Time) {
	pers, names, asks := columns(keys)
	tx.Queue(`insert into limits.tally as t (what, per, key, at, method, shard, count, amount)
		select $1, k.per, k.key, date_bin(`+step+`, $6::timestamptz, 'epoch'), $2, pg_backend_pid() % 16, k.times, k.ask
		from unnest($3::text[], $4::text[], $5::bigint[], $7::bigint[]) as k (per, key, ask, times)
		where exists (select from limits.rule r where r.what = $1 and r.per = k.per and r.window_s > 0)
		on conflict (what, per, key, at, method, shard) do update set count = t.count + excluded.count, amount = t.amount + excluded.amount`,
		what, method, pers, names, asks, at, times)
}

// columns are keys as arrays.
func columns(keys []key) (pers, names []string, asks []int64) {
	for _, k := range keys {
		pers, names, asks = append(pers, k.Per), append(names, k.Key), append(asks, k.Ask)
	}
	return pers, names, asks
}

// shown are a decision's figures as they are kept.
func (d decision) shown() (rules []string, figures []byte) {
	rules = []string{}
	for _, f := range d.over {
		rules = append(rules, f.Rule)
	}
	if d.figures == nil {
		d.figures = []Figure{}
	}
	figures, _ = json.Marshal(d.figures) // plain fields
	return rules, figures
}

func insertDecision(tx *pg.Tx, d decision) {
	rules, figures := d.shown()
	tx.Queue(`insert into limits.decision (id, what, ref, outcome, rules, figures, seller, amount, at, open)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`, d.ID, d.What, d.Ref, d.Outcome, rules, figures, d.Seller, d.Amount, d.At, d.Open)
}

// insertPasses writes down what was let through at once.
func insertPasses(tx *pg.Tx, all []decision) {
	var ids, whats, refs, figures, sellers []string
	var amounts []int64
	for _, d := range all {
		_, shown := d.shown()
		ids, whats, refs, figures = append(ids, d.ID), append(whats, d.What), append(refs, d.Ref), append(figures, string(shown))
		sellers, amounts = append(sellers, d.Seller), append(amounts, d.Amount)
	}
	tx.Queue(`insert into limits.decision (id, what, ref, outcome, rules, figures, seller, amount, at)
		select id, what, ref, 'pass', '{}', figures::jsonb, seller, amount, $7
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[]) x (id, what, ref, figures, seller, amount)
		on conflict do nothing`, ids, whats, refs, figures, sellers, amounts, all[0].At)
}

// reopen writes down that something waits, or with which figures it still does.
func reopen(tx *pg.Tx, d decision) {
	rules, figures := d.shown()
	tx.Queue(`insert into limits.decision (id, what, ref, outcome, rules, figures, seller, amount, at, open)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, true)
		on conflict (what, ref) where open do update set outcome = excluded.outcome, rules = excluded.rules, figures = excluded.figures, at = excluded.at`,
		d.ID, d.What, d.Ref, d.Outcome, rules, figures, d.Seller, d.Amount, d.At)
}

// closeOpen ends a wait that ended by itself.
func closeOpen(tx *pg.Tx, what, ref string) {
	tx.Queue(`update limits.decision set open = false where what = $1 and ref = $2 and open`, what, ref)
}

func insertHeld(tx *pg.Tx, order, decision string) {
	tx.Queue(`insert into limits.held (order_id, decision) values ($1, $2)`, order, decision)
}

// heldOf are those of some orders whose money waits for a person.
func heldOf(ctx context.Context, tx *pg.Tx, orders []string) ([]string, error) {
	return pg.Column[string](ctx, tx, `select order_id from limits.held where order_id = any($1) order by order_id`, orders)
}

// A past is what was decided of a payout before.
type past struct {
	Passed  bool
	Open    bool     // it waits already
	Cleared []string // rules that a person let it break
}

func before(ctx context.Context, tx *pg.Tx, what, ref string) (past, error) {
	return pg.One[past](ctx, tx, ErrNotFound, `select coalesce(bool_or(outcome = 'pass'), false) as passed, coalesce(bool_or(open), false) as open,
		coalesce((select array_agg(distinct r) from limits.decision c, unnest(c.rules) r where c.what = $1 and c.ref = $2 and c.cleared_by <> ''), '{}') as cleared
		from limits.decision where what = $1 and ref = $2`, what, ref)
}

// undo finds how something passed, and marks it as taken back.
func undo(ctx context.Context, tx *pg.Tx, what, ref string) (decision, error) {
	type row struct {
		ID, Seller string
		Amount     int64
		At         time.Time
	}
	rows, err := pg.All[row](ctx, tx, `update limits.decision set cleared_by = 'hub', cleared_at = platform.now(), note = 'taken back'
		where what = $1 and ref = $2 and outcome = 'pass' and cleared_by = '' returning id, seller, amount, at`, what, ref)
	if err != nil || len(rows) == 0 {
		return decision{}, err
	}
	return decision{ID: rows[0].ID, Seller: rows[0].Seller, Amount: rows[0].Amount, At: rows[0].At}, nil
}
