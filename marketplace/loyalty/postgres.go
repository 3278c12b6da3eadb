package loyalty

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// lockAccount locks what a person has, and its lots, those that expire first in
// front. Somebody who never had any has an empty account from now on.
func lockAccount(ctx context.Context, tx *pg.Tx, person string) (a Account, lots []Lot, err error) {
	tx.Queue(`insert into loyalty.account (person) values ($1) on conflict do nothing`, person)
	if a, err = pg.One[Account](ctx, tx, ErrNotFound, `select person, points, owed, version from loyalty.account where person = $1 for update`, person); err != nil {
		return a, nil, err
	}
	lots, err = openLots(ctx, tx, person)
	return a, lots, err
}

func openLots(ctx context.Context, db pg.DB, person string) ([]Lot, error) {
	return pg.All[Lot](ctx, db, `select move, ref, remains, expires_at from loyalty.lot where person = $1 and remains > 0 order by expires_at, move`, person)
}

// insert writes a move with its entries, its draws and its lot, of an account
// that has the version before.
func insert(tx *pg.Tx, who string, before int64, m Move) {
	tx.QueueOne(ErrChanged, `update loyalty.account set version = version + 1 where person = $1 and version = $2`, m.Person, before)
	tx.Queue(`insert into loyalty.move (id, person, kind, ref, actor, note, points, owed, after, at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		m.ID, m.Person, m.Kind, m.Ref, who, m.Note, m.Points, m.Owed, m.After, m.At)
	tx.Queue(`insert into loyalty.entry (move, account, amount)
		select $1, a, n from unnest($2::text[], $3::bigint[]) as e(a, n) where n <> 0`,
		m.ID, []string{"points", "owed", m.Kind.side()}, []int64{m.Points, -m.Owed, m.Owed - m.Points})
	if m.Points > 0 {
		tx.Queue(`insert into loyalty.lot (move, person, ref, points, expires_at) values ($1, $2, $3, $4, $5)`, m.ID, m.Person, m.Ref, m.Points, m.Expires)
	}
	if len(m.Draws) > 0 {
		lots, points := make([]string, len(m.Draws)), make([]int64, len(m.Draws))
		for i, d := range m.Draws {
			lots[i], points[i] = d.Lot, d.Points
		}
		tx.Queue(`insert into loyalty.draw (move, lot, points) select $1, l, p from unnest($2::text[], $3::bigint[]) as d(l, p)`, m.ID, lots, points)
	}
}

// listMoves lists a person's moves, the newest first, from below an id on.
func listMoves(ctx context.Context, db pg.DB, person, below string, limit int) ([]Move, error) {
	type row struct {
		ID, Person, Ref, Note string
		Kind                  Kind
		Points, Owed, After   int64
		At                    time.Time
	}
	rows, err := pg.All[row](ctx, db, `select id, person, ref, note, kind, points, owed, after, at from loyalty.move
		where person = $1 and ($2 = '' or id < $2) order by id desc limit $3`, person, below, limit)
	all := make([]Move, len(rows))
	for i, r := range rows {
		all[i] = Move{ID: r.ID, Person: r.Person, Kind: r.Kind, Ref: r.Ref, Note: r.Note, Points: r.Points, Owed: r.Owed, After: r.After, At: r.At}
	}
	return all, err
}

// A sale is what an order was worth.
type sale struct {
	OrderID     string
	Person      string
	Seller      string
	Total       int64
	Kept        int64
	Earned      int64
	Net         int64
	CompletedAt time.Time
	Version     int64
}

// lockOrder has those who look at one order do so one after the other.
func lockOrder(tx *pg.Tx, order string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('loyalty ' || $1, 0))`, order)
}

// salesOf reads the sale of an order, if there is one yet.
func salesOf(ctx context.Context, tx *pg.Tx, order string) ([]sale, error) {
	return pg.All[sale](ctx, tx, `select order_id, person, seller, total, kept, earned, net, completed_at, version from loyalty.sale where order_id = $1 for update`, order)
}

func insertSale(tx *pg.Tx, s sale) {
	tx.Queue(`insert into loyalty.sale (order_id, person, seller, total, earned, completed_at) values ($1, $2, $3, $4, $5, $6)`,
		s.OrderID, s.Person, s.Seller, s.Total, s.Earned, s.CompletedAt)
}

func saveSale(tx *pg.Tx, s sale) {
	tx.QueueOne(ErrChanged, `update loyalty.sale set kept = $3, net = $4, version = version + 1 where order_id = $1 and version = $2`,
		s.OrderID, s.Version, s.Kept, s.Net)
}

// spent is what a person bought for since a moment, less what went back.
func spent(ctx context.Context, db pg.DB, person string, since time.Time) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(kept), 0)::bigint from loyalty.sale where person = $1 and completed_at > $2`, person, since)
}

// balances are what some persons have, and bought for since a moment.
func balances(ctx context.Context, db pg.DB, persons []string, since time.Time) ([]balance, error) {
	return pg.All[balance](ctx, db, `select a.person, a.points, a.owed, a.version, coalesce(s.spent, 0)::bigint as spent from loyalty.account a
		left join lateral (select sum(kept) as spent from loyalty.sale where person = a.person and completed_at > $2) s on true
		where a.person = any($1)`, persons, since)
}

// adjusted is how many points somebody moved by hand since a moment, up or down
// and without a second person. Who counts them does so alone.
func adjusted(ctx context.Context, tx *pg.Tx, actor string, since time.Time) (int64, error) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('loyalty adjusts ' || $1, 0))`, actor)
	return pg.Value[int64](ctx, tx, nil, `select coalesce(sum(abs(points) + abs(owed)), 0)::bigint from loyalty.move
		where kind = 'adjusted' and actor = $1 and at > $2 and ref like 'pts%'`, actor, since)
}

// remind marks the lots of a person that expire until a moment and gives those
// that nobody was reminded of.
func remind(ctx context.Context, tx *pg.Tx, person string, until time.Time) ([]Lot, error) {
	return pg.All[Lot](ctx, tx, `update loyalty.lot set reminded_at = $3
		where person = $1 and remains > 0 and reminded_at is null and expires_at <= $2 returning move, ref, remains, expires_at`, person, until, tx.Now())
}

// turns are when the next lot of a person expires, and when the next one does that
// nobody was reminded of.
func turns(ctx context.Context, db pg.DB, person string) (expires, unsaid *time.Time, err error) {
	type row struct{ Expires, Unsaid *time.Time }
	r, err := pg.One[row](ctx, db, nil, `select min(expires_at) as expires, min(expires_at) filter (where reminded_at is null) as unsaid
		from loyalty.lot where person = $1 and remains > 0`, person)
	return r.Expires, r.Unsaid, err
}

// sums are all open points, and all that is owed.
func sums(ctx context.Context, db pg.DB) (points, owed int64, err error) {
	type row struct{ Points, Owed int64 }
	r, err := pg.One[row](ctx, db, nil, `select coalesce(sum(points), 0)::bigint as points, coalesce(sum(owed), 0)::bigint as owed from loyalty.account`)
	return r.Points, r.Owed, err
}

const ruleColumns = `id, seller, category, per_dirham, since, until, made_at`

func insertRule(tx *pg.Tx, r Rule) {
	tx.QueueMapped(dated("rule_once"), `insert into loyalty.rule (`+ruleColumns+`) values ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, r.Seller, r.Category, r.PerDirham, r.Since, r.Until, r.MadeAt)
}

// rulesFor are the rules that may speak to a seller's goods ordered at a moment:
// of each seller and category the last that has begun.
func rulesFor(ctx context.Context, db pg.DB, seller string, at time.Time) ([]Rule, error) {
	return pg.All[Rule](ctx, db, `select `+ruleColumns+` from loyalty.rule where seller in ('', $1) and since <= $2 and (until is null or until > $2)`, seller, at)
}

func listRules(ctx context.Context, db pg.DB, below string, limit int) ([]Rule, error) {
	return pg.All[Rule](ctx, db, `select `+ruleColumns+` from loyalty.rule where ($1 = '' or id < $1) order by id desc limit $2`, below, limit)
}

func insertTerms(tx *pg.Tx, t Terms) {
	tx.QueueMapped(dated("terms_pkey"), `insert into loyalty.terms (since, worth, months, least, voucher_days, made_at) values ($1, $2, $3, $4, $5, $6)`,
		t.Since, t.Worth, t.Months, t.Least, t.VoucherDays, t.MadeAt)
}

func termsAt(ctx context.Context, db pg.DB, at time.Time) (Terms, error) {
	return pg.One[Terms](ctx, db, ErrNotFound, `select since, worth, months, least, voucher_days, made_at from loyalty.terms where since <= $1 order by since desc limit 1`, at)
}

func insertTier(tx *pg.Tx, t Tier) {
	tx.QueueMapped(dated("tier_pkey"), `insert into loyalty.tier (code, since, names, spend, bonus, made_at) values ($1, $2, $3, $4, $5, $6)`,
		t.Code, t.Since, t.Names, t.Spend, t.Bonus, t.MadeAt)
}

// tiersAt are the tiers as they stood at a moment.
func tiersAt(ctx context.Context, db pg.DB, at time.Time) ([]Tier, error) {
	return pg.All[Tier](ctx, db, `select distinct on (code) code, since, names, spend, bonus, made_at from loyalty.tier where since <= $1 order by code, since desc`, at)
}

// dated says that a dated row is there already.
func dated(constraint string) func(error) error {
	return func(err error) error {
		if pg.Violates(err, constraint) {
			return ErrDated.With(err)
		}
		return err
	}
}

// book is what is read for a person's own view, in one round trip.
type book struct {
	account []Account
	lots    []Lot
	tiers   []Tier
	terms   []Terms
	spent   int64
}

func (b *book) read(ctx context.Context, db pg.DB, person string, at time.Time) error {
	q := &pgx.Batch{}
	into(q, &b.account, `select person, points, owed, version from loyalty.account where person = $1`, person)
	into(q, &b.lots, `select move, ref, remains, expires_at from loyalty.lot where person = $1 and remains > 0 order by expires_at, move limit 100`, person)
	into(q, &b.tiers, `select distinct on (code) code, since, names, spend, bonus, made_at from loyalty.tier where since <= $1 order by code, since desc`, at)
	into(q, &b.terms, `select since, worth, months, least, voucher_days, made_at from loyalty.terms where since <= $1 order by since desc limit 1`, at)
	q.Queue(`select coalesce(sum(kept), 0)::bigint from loyalty.sale where person = $1 and completed_at > $2`, person, year(at)).
		QueryRow(func(row pgx.Row) error { return row.Scan(&b.spent) })
	return db.SendBatch(ctx, q).Close()
}

func into[T any](b *pgx.Batch, out *[]T, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[T])
		return err
	})
}
