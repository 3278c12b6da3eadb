package groupbuys

import (
	"context"

	"tiwiza/pkg/id"
	"tiwiza/pkg/pg"
)

const columns = `id, seller, offer, variant, names, variant_names, category, region, commune, organiser, organiser_role, min_qty, max_qty, price, tiers, way, spot,
	deadline, state, pending, paid, buyers, undone, served, final, why, version, made_at, closed_at`

// insert keeps a group buy in its organiser's first free slot. Those who add some
// for one organiser go one after the other.
func insert(tx *pg.Tx, g GroupBuy) {
	tx.Queue(`select pg_advisory_xact_lock(hashtextextended('groupbuys ' || $1, 0))`, g.Organiser)
	tx.QueueMapped(func(err error) error {
		if pg.Violates(err, "group_buy_slot_check") {
			return ErrMany.With(err)
		}
		return err
	}, `insert into groupbuys.group_buy (slot, id, seller, offer, variant, names, variant_names, category, region, commune, organiser, organiser_role, min_qty, max_qty,
			price, tiers, way, spot, deadline, state, made_at)
		select coalesce((select min(n) from generate_series(1, 50) n
				where not exists (select from groupbuys.group_buy g where g.organiser = $10 and g.slot = n and g.state in ('asked', 'open', 'reached'))), 51),
			$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20`,
		g.ID, g.Seller, g.Offer, g.Variant, g.Names, g.VariantNames, g.Category, g.Region, g.Commune, g.Organiser, g.OrganiserRole, g.MinQty, g.MaxQty,
		g.Price, g.Tiers, g.Way, g.Spot, g.Deadline, g.State, g.MadeAt)
}

func lock(ctx context.Context, tx *pg.Tx, group string) (GroupBuy, error) {
	if !id.Is(id.GroupBuy, group) {
		return GroupBuy{}, ErrNotFound
	}
	return pg.One[GroupBuy](ctx, tx, ErrNotFound, `select `+columns+` from groupbuys.group_buy where id = $1 for update`, group)
}

func byID(ctx context.Context, db pg.DB, group string) (GroupBuy, error) {
	if !id.Is(id.GroupBuy, group) {
		return GroupBuy{}, ErrNotFound
	}
	return pg.One[GroupBuy](ctx, db, ErrNotFound, `select `+columns+` from groupbuys.group_buy where id = $1`, group)
}

func save(tx *pg.Tx, g GroupBuy) {
	tx.QueueOne(ErrState, `update groupbuys.group_buy set state = $2, pending = $3, paid = $4, buyers = $5, undone = $6, served = $7, final = $8, why = $9, closed_at = $10,
		version = version + 1 where id = $1 and version = $11`,
		g.ID, g.State, g.Pending, g.Paid, g.Buyers, g.Undone, g.Served, g.Final, g.Why, g.ClosedAt, g.Version)
}

const seatColumns = `id, grp, buyer, quantity, agreement, order_id, state, gone_on, paid_back, squared, made_at`

func insertSeat(tx *pg.Tx, s Seat) {
	tx.Queue(`insert into groupbuys.seat (id, grp, buyer, quantity, agreement, made_at) values ($1, $2, $3, $4, $5, $6)`,
		s.ID, s.Grp, s.Buyer, s.Quantity, s.Agreement, s.MadeAt)
}

func saveSeat(tx *pg.Tx, s Seat) {
	tx.Queue(`update groupbuys.seat set order_id = $2, state = $3, gone_on = $4, paid_back = $5, squared = $6 where id = $1`,
		s.ID, s.OrderID, s.State, s.GoneOn, s.PaidBack, s.Squared)
}

// lockSeat locks the group of a seat, named by its id or its order_id, and then
// reads the seat as others left it.
func lockSeat(ctx context.Context, tx *pg.Tx, by, name string) (g GroupBuy, s Seat, err error) {
	g, err = pg.One[GroupBuy](ctx, tx, ErrNotFound, `select `+columns+` from groupbuys.group_buy where id = (select grp from groupbuys.seat where `+by+` = $1) for update`, name)
	if err != nil {
		return g, s, err
	}
	s, err = pg.One[Seat](ctx, tx, ErrNotFound, `select `+seatColumns+` from groupbuys.seat where `+by+` = $1`, name)
	return g, s, err
}

// seatOf reads the seat of an order and its group, as they are.
func seatOf(ctx context.Context, db pg.DB, order string) (g GroupBuy, s Seat, err error) {
	if s, err = pg.One[Seat](ctx, db, ErrNotFound, `select `+seatColumns+` from groupbuys.seat where order_id = $1`, order); err != nil {
		return g, s, err
	}
	g, err = byID(ctx, db, s.Grp)
	return g, s, err
}

// seated are the orders that count when a group is decided.
func seated(ctx context.Context, db pg.DB, group string) ([]string, error) {
	return pg.Column[string](ctx, db, `select order_id from groupbuys.seat where grp = $1 and state = 'paid' order by order_id`, group)
}

// taken lists the seats of a group that an order takes, by their orders, from
// below one on.
func taken(ctx context.Context, db pg.DB, group, below string, limit int) ([]Seat, error) {
	return pg.All[Seat](ctx, db, `select `+seatColumns+` from groupbuys.seat
		where grp = $1 and order_id <> '' and ($2 = '' or order_id < $2) order by order_id desc limit $3`, group, below, limit)
}

// joinableNow lists what can be joined, the newest first.
func joinableNow(ctx context.Context, db pg.DB, in ListInput, below string, limit int) ([]GroupBuy, error) {
	return pg.All[GroupBuy](ctx, db, `select `+columns+` from groupbuys.group_buy
		where state in ('open', 'reached') and deadline > platform.now() and ($1 = '' or category = $1) and ($2 = '' or region = $2) and ($3 = '' or seller = $3)
			and ($4 = '' or id < $4) order by id desc limit $5`, in.Category, in.Region, in.Seller, below, limit)
}

// concerning lists the group buys that somebody sells or organises, the newest
// first; for the operator all.
func concerning(ctx context.Context, db pg.DB, whose, below string, limit int) ([]GroupBuy, error) {
	if whose == "" {
		return pg.All[GroupBuy](ctx, db, `select `+columns+` from groupbuys.group_buy where ($1 = '' or id < $1) order by id desc limit $2`, below, limit)
	}
	return pg.All[GroupBuy](ctx, db, `select * from (
			(select `+columns+` from groupbuys.group_buy where seller = $1 and ($2 = '' or id < $2) order by id desc limit $3)
			union
			(select `+columns+` from groupbuys.group_buy where organiser = $1 and ($2 = '' or id < $2) order by id desc limit $3)) g
		order by id desc limit $3`, whose, below, limit)
}
