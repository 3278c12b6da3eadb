package promotions

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

const columns = `id, payer, seller, person, made_for, code, names, kind, percent, amount, most, minimum, offers, categories, since, until, total, per_buyer,
	used, budget, spent, made_by, made_at, agreed_at, ended_at`

// maker has those who add promotions for one seller, or for the market, go one
// after the other.
func maker(tx *pg.Tx, seller string) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('promotions ' || $1, 0))`, seller)
}

// insert keeps a promotion in its maker's first free slot; what is for one person
// needs none.
func insert(tx *pg.Tx, p Promotion) {
	tx.QueueMapped(func(err error) error {
		switch {
		case pg.Violates(err, "promotion_code"):
			return ErrCode.With(err)
		case pg.Violates(err, "promotion_slot_check"):
			return ErrMany.With(err)
		}
		return err
	}, `insert into promotions.promotion (slot, id, seller, code, names, kind, percent, amount, most, minimum, offers, categories, since, until, total, per_buyer, made_at,
			payer, person, made_for, budget, made_by, agreed_at)
		select case when $18 = '' then coalesce((select min(n) from generate_series(1, 50) n
				where not exists (select from promotions.promotion p where p.seller = $2 and p.slot = n and p.ended_at is null)), 51) end,
			$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22`,
		p.ID, p.Seller, p.Code, p.Names, p.Kind, p.Percent, p.Amount, p.Most, p.Minimum, p.Offers, p.Categories, p.Since, p.Until, p.Total, p.PerBuyer, p.MadeAt,
		p.Payer, p.Person, p.MadeFor, p.Budget, p.MadeBy, p.AgreedAt)
}

func lock(ctx context.Context, tx *pg.Tx, promotion string) (Promotion, error) {
	return pg.One[Promotion](ctx, tx, ErrNotFound, `select `+columns+` from promotions.promotion where id = $1 for update`, promotion)
}

func end(tx *pg.Tx, promotion string, at time.Time) {
	tx.QueueOne(ErrState, `update promotions.promotion set ended_at = $2 where id = $1 and ended_at is null`, promotion, at)
}

func agree(tx *pg.Tx, promotion string, at time.Time) {
	tx.QueueOne(ErrChanged, `update promotions.promotion set agreed_at = $2 where id = $1 and ended_at is null and agreed_at is null`, promotion, at)
}

// alone is what somebody of the market's people has promised since a time without
// a second person; of what has ended, what was paid.
func alone(ctx context.Context, tx *pg.Tx, by string, since time.Time) (int64, error) {
	return pg.Value[int64](ctx, tx, nil, `select coalesce(sum(case when ended_at is null then budget else spent end), 0)::bigint
		from promotions.promotion where made_by = $1 and made_by <> '' and made_at > $2`, by, since)
}

// list lists a maker's promotions, or those given to a person, the newest first,
// from below an id on.
func list(ctx context.Context, db pg.DB, seller, person string, ended bool, below string, limit int) ([]Promotion, error) {
	const those = ` and ($2 or ended_at is null) and ($3 = '' or id < $3) order by id desc limit $4`
	if person != "" {
		return pg.All[Promotion](ctx, db, `select `+columns+` from promotions.promotion where person = $1 and person <> ''`+those, person, ended, below, limit)
	}
	return pg.All[Promotion](ctx, db, `select `+columns+` from promotions.promotion where seller = $1 and person = ''`+those, seller, ended, below, limit)
}

// available reads what sellers and the market (”) take off.
func available(buyer string, sellers, codes []string, out *[]Available) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select `+columns+`, coalesce((select u.used from promotions.buyer u where u.promotion = p.id and u.buyer = $3), 0) as mine
			from promotions.promotion p where seller = any($1) and code = any($2) and person in ('', $3) and ended_at is null and agreed_at is not null order by id`,
			append([]string{""}, sellers...), codes, buyer).
			Query(func(rows pgx.Rows) (err error) {
				*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[Available])
				return err
			})
	}
}

// redeem counts one use of a promotion, as long as there is one left of all and
// of the buyer's, and its budget covers it.
func redeem(tx *pg.Tx, u Use) {
	if u.Counted {
		tx.QueueOne(ErrUsedUp, `update promotions.promotion set used = used + 1, spent = spent + case when budget is null then 0 else $2 end
			where id = $1 and ended_at is null and (total is null or used < total) and (budget is null or spent + $2 <= budget)`, u.Promotion, u.Amount)
	}
	if u.Each {
		tx.QueueOne(ErrUsedUp, `insert into promotions.buyer as b (promotion, buyer, used, most) select id, $2, 1, per_buyer from promotions.promotion where id = $1
			on conflict (promotion, buyer) do update set used = b.used + 1 where b.used < b.most`, u.Promotion, u.Buyer)
	}
	tx.Queue(`insert into promotions.redemption (order_id, promotion, buyer, amount) values ($1, $2, $3, $4)`, u.Order, u.Promotion, u.Buyer, u.Amount)
}

// given is a use that was given back.
type given struct {
	ID      string
	Person  string
	OrderID string
	Amount  int64
	Until   time.Time
}

// giveBack counts the uses of orders less where they were counted: the promotions
// in the order of their ids, each before its buyer, as on the way there. It answers
// those of one person.
func giveBack(ctx context.Context, tx *pg.Tx, orders []string) ([]given, error) {
	tx.Queue(`select from promotions.promotion where id in (select promotion from promotions.redemption where order_id = any($1)) and (total is not null or budget is not null)
		order by id for update`, orders)
	return pg.All[given](ctx, tx, `with r as (update promotions.redemption set given_back_at = platform.now() where order_id = any($1) and given_back_at is null
			returning promotion, buyer, order_id, amount),
		n as (select promotion, count(*) as uses, sum(amount) as amount from r group by promotion),
		p as (update promotions.promotion p set used = p.used - n.uses, spent = p.spent - case when p.budget is null then 0 else n.amount end from n
			where p.id = n.promotion and (p.total is not null or p.budget is not null) returning p.id, p.person, p.until),
		b as (update promotions.buyer b set used = b.used - m.uses
			from (select r.promotion, r.buyer, count(*) as uses, count(p.id) from r left join p on p.id = r.promotion group by r.promotion, r.buyer) m
			where b.promotion = m.promotion and b.buyer = m.buyer)
		select p.id, p.person, r.order_id, r.amount, p.until from p join r on r.promotion = p.id where p.person <> '' order by p.id`, orders)
}
