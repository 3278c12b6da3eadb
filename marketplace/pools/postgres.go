package pools

import (
	"context"
	"time"

	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

const columns = `id, organiser, names, text, category, unit, region, commune, spot, ceiling, least, deadline, state, buyers, producers, price, quantity, open, version, made_at, closed_at`

// insert keeps a pool in its organiser's first free slot. Those who open some for
// one organiser go one after the other.
func insert(tx *pg.Tx, p Pool) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('pools ' || $1, 0))`, p.Organiser)
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "pool_slot_check") {
			return ErrMany.With(err)
		}
		return err
	}, `insert into pools.pool (slot, id, organiser, names, text, category, unit, region, commune, spot, ceiling, least, deadline, made_at)
		select coalesce((select min(n) from generate_series(1, 20) n
				where not exists (select from pools.pool p where p.organiser = $2 and p.slot = n and p.state = 'open')), 21),
			$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13`,
		p.ID, p.Organiser, p.Names, p.Text, p.Category, p.Unit, p.Region, p.Commune, p.Spot, p.Ceiling, p.Least, p.Deadline, p.MadeAt)
}

func lock(ctx context.Context, tx *pg.Tx, pool string) (Pool, error) {
	if !id.Is(id.Pool, pool) {
		return Pool{}, ErrNotFound
	}
	return pg.One[Pool](ctx, tx, ErrNotFound, `select `+columns+` from pools.pool where id = $1 for update`, pool)
}

func byID(ctx context.Context, db pg.DB, pool string) (Pool, error) {
	if !id.Is(id.Pool, pool) {
		return Pool{}, ErrNotFound
	}
	return pg.One[Pool](ctx, db, ErrNotFound, `select `+columns+` from pools.pool where id = $1`, pool)
}

func save(tx *pg.Tx, p Pool) {
	tx.QueueOne(ErrState, `update pools.pool set state = $2, buyers = $3, producers = $4, price = $5, quantity = $6, open = $7, closed_at = $8, version = version + 1
		where id = $1 and version = $9`, p.ID, p.State, p.Buyers, p.Producers, p.Price, p.Quantity, p.Open, p.ClosedAt, p.Version)
}

// openNow lists the pools that take pledges, the newest first.
func openNow(ctx context.Context, db pg.DB, in ListInput, below string, limit int) ([]Pool, error) {
	return pg.All[Pool](ctx, db, `select `+columns+` from pools.pool
		where state = 'open' and deadline > platform.now() and ($1 = '' or category = $1) and ($2 = '' or region = $2) and ($3 = '' or id < $3) order by id desc limit $4`,
		in.Category, in.Region, below, limit)
}

const pledgeColumns = `id, pool, member, side, variant, quantity, price, filled, state, made_at`

func insertPledge(tx *pg.Tx, p Pledge) {
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "pledge_once") {
			return ErrPledged.With(err)
		}
		return err
	}, `insert into pools.pledge (id, pool, member, side, variant, quantity, price, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, p.Pool, p.Member, p.Side, p.Variant, p.Quantity, p.Price, p.MadeAt)
}

func savePledges(tx *pg.Tx, all []Pledge) {
	ids, states, filled := make([]string, len(all)), make([]string, len(all)), make([]int, len(all))
	for i, p := range all {
		ids[i], states[i], filled[i] = p.ID, string(p.State), p.Filled
	}
	tx.Queue(`update pools.pledge p set state = w.state, filled = w.filled
		from unnest($1::text[], $2::text[], $3::int[]) as w(id, state, filled) where p.id = w.id`, ids, states, filled)
}

func pledgeOf(ctx context.Context, db pg.DB, pool, pledge string) (Pledge, error) {
	return pg.One[Pledge](ctx, db, ErrNoPledge, `select `+pledgeColumns+` from pools.pledge where id = $2 and pool = $1`, pool, pledge)
}

// pledges are those of a pool that were not withdrawn.
func pledges(ctx context.Context, db pg.DB, pool string) ([]Pledge, error) {
	return pg.All[Pledge](ctx, db, `select `+pledgeColumns+` from pools.pledge where pool = $1 and state <> 'withdrawn' order by id`, pool)
}

// listPledges lists the pledges of a pool, the newest first: a member's own or,
// of "", all.
func listPledges(ctx context.Context, db pg.DB, pool, member, below string, limit int) ([]Pledge, error) {
	return pg.All[Pledge](ctx, db, `select `+pledgeColumns+` from pools.pledge
		where pool = $1 and ($2 = '' or member = $2) and ($3 = '' or id < $3) order by id desc limit $4`, pool, member, below, limit)
}

const dealColumns = `id, pool, buyer, seller, variant, quantity, price, agreement, order_id, state, until, made_at`

func insertDeal(tx *pg.Tx, d Deal) {
	tx.Queue(`insert into pools.deal (id, pool, buyer, seller, variant, quantity, price, agreement, until, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		d.ID, d.Pool, d.Buyer, d.Seller, d.Variant, d.Quantity, d.Price, d.Agreement, d.Until, d.MadeAt)
}

func saveDeal(tx *pg.Tx, d Deal) {
	tx.Queue(`update pools.deal set state = $2, order_id = $3 where id = $1`, d.ID, d.State, d.OrderID)
}

// lockDeal locks the pool of an agreement's deal, and reads the deal as others
// left it.
func lockDeal(ctx context.Context, tx *pg.Tx, agreement string) (p Pool, d Deal, err error) {
	p, err = pg.One[Pool](ctx, tx, ErrNoDeal, `select `+columns+` from pools.pool where id = (select pool from pools.deal where agreement = $1) for update`, agreement)
	if err != nil {
		return p, d, err
	}
	d, err = pg.One[Deal](ctx, tx, ErrNoDeal, `select `+dealColumns+` from pools.deal where agreement = $1`, agreement)
	return p, d, err
}

// proposed are a buyer's deals of a pool that can be ordered at a time.
func proposed(ctx context.Context, db pg.DB, pool, buyer string, at time.Time) ([]Deal, error) {
	return pg.All[Deal](ctx, db, `select `+dealColumns+` from pools.deal
		where pool = $1 and buyer = $2 and state = 'proposed' and until > $3 order by id`, pool, buyer, at)
}

// listDeals lists the deals of a pool, the newest first: those of a member or, of
// "", all.
func listDeals(ctx context.Context, db pg.DB, pool, member, below string, limit int) ([]Deal, error) {
	return pg.All[Deal](ctx, db, `select `+dealColumns+` from pools.deal
		where pool = $1 and ($2 = '' or buyer = $2 or seller = $2) and ($3 = '' or id < $3) order by id desc limit $4`, pool, member, below, limit)
}
