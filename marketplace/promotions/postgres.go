package promotions

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

const columns = `id, seller, code, names, kind, percent, amount, most, minimum, offers, categories, since, until, total, per_buyer, used, made_at, ended_at`

// insert keeps a promotion in its seller's first free slot. Those who add some
// for one seller go one after the other.
func insert(tx *pg.Tx, p Promotion) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('promotions ' || $1, 0))`, p.Seller)
	tx.QueueMapped(func(err error) error {
		switch {
		case pg.Violates(err, "promotion_code"):
			return ErrCode.With(err)
		case pg.Violates(err, "promotion_slot_check"):
			return ErrMany.With(err)
		}
		return err
	}, `insert into promotions.promotion (slot, id, seller, code, names, kind, percent, amount, most, minimum, offers, categories, since, until, total, per_buyer, made_at)
		select coalesce((select min(n) from generate_series(1, 50) n
				where not exists (select from promotions.promotion p where p.seller = $2 and p.slot = n and p.ended_at is null)), 51),
			$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16`,
		p.ID, p.Seller, p.Code, p.Names, p.Kind, p.Percent, p.Amount, p.Most, p.Minimum, p.Offers, p.Categories, p.Since, p.Until, p.Total, p.PerBuyer, p.MadeAt)
}

func lock(ctx context.Context, tx *pg.Tx, promotion string) (Promotion, error) {
	return pg.One[Promotion](ctx, tx, ErrNotFound, `select `+columns+` from promotions.promotion where id = $1 for update`, promotion)
}

func end(tx *pg.Tx, promotion string, at time.Time) {
	tx.QueueOne(ErrState, `update promotions.promotion set ended_at = $2 where id = $1 and ended_at is null`, promotion, at)
}

// list lists a seller's promotions, the newest first, from below an id on.
func list(ctx context.Context, db pg.DB, seller string, ended bool, below string, limit int) ([]Promotion, error) {
	return pg.All[Promotion](ctx, db, `select `+columns+` from promotions.promotion
		where seller = $1 and ($2 or ended_at is null) and ($3 = '' or id < $3) order by id desc limit $4`, seller, ended, below, limit)
}

func available(buyer string, sellers, codes []string, out *[]Available) pg.Read {
	return func(b *pgx.Batch) {
		b.Queue(`select `+columns+`, coalesce((select u.used from promotions.buyer u where u.promotion = p.id and u.buyer = $3), 0) as mine
			from promotions.promotion p where seller = any($1) and code = any($2) and ended_at is null order by id`, sellers, codes, buyer).
			Query(func(rows pgx.Rows) (err error) {
				*out, err = pgx.CollectRows(rows, pgx.RowToStructByName[Available])
				return err
			})
	}
}

// redeem counts one use of a promotion, as long as there is one left of all and
// of the buyer's.
func redeem(tx *pg.Tx, u Use) {
	if u.Counted {
		tx.QueueOne(ErrUsedUp, `update promotions.promotion set used = used + 1 where id = $1 and ended_at is null and used < total`, u.Promotion)
	}
	if u.Each {
		tx.QueueOne(ErrUsedUp, `insert into promotions.buyer as b (promotion, buyer, used, most) select id, $2, 1, per_buyer from promotions.promotion where id = $1
			on conflict (promotion, buyer) do update set used = b.used + 1 where b.used < b.most`, u.Promotion, u.Buyer)
	}
	tx.Queue(`insert into promotions.redemption (order_id, promotion, buyer, amount) values ($1, $2, $3, $4)`, u.Order, u.Promotion, u.Buyer, u.Amount)
}

// giveBack counts a use less where it was counted; the promotion is locked before
// its buyer, as on the way there.
func giveBack(tx *pg.Tx, order string) {
	tx.Queue(`with r as (update promotions.redemption set given_back_at = platform.now() where order_id = $1 and given_back_at is null returning promotion, buyer),
		p as (update promotions.promotion p set used = p.used - 1 from r where p.id = r.promotion and p.total is not null returning p.id)
		update promotions.buyer b set used = b.used - 1 from r left join p on p.id = r.promotion where b.promotion = r.promotion and b.buyer = r.buyer`, order)
}
