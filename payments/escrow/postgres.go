package escrow

import (
	"context"

	"tiwiza/pkg/pg"
)

const columns = `id, order_id, seller, buyer, charge, carrier, currency, amount, released, refunded, charged, recovered, clawed, bonus, bonus_given, bonus_back,
	state, wait_s, settled, cash, flying, cases, frozen_at, funded_at, shipped_at, sign_due, release_due, version,
	legs as wide_legs, gone as wide_gone, cancelled as wide_cancelled, taken as wide_taken`

// row is a Hold as the database keeps it.
type holdRow struct {
	Hold
	WideLegs      []int64
	WideGone      []int64
	WideCancelled []int64
	WideTaken     []int64
}

func (r holdRow) hold() Hold {
	h := r.Hold
	h.Legs, h.Gone, h.Cancelled, h.Taken = legsOf(r.WideLegs), legsOf(r.WideGone), legsOf(r.WideCancelled), legsOf(r.WideTaken)
	return h
}

func one(ctx context.Context, db pg.DB, missing error, sql string, args ...any) (Hold, error) {
	r, err := pg.One[holdRow](ctx, db, missing, `select `+columns+` from escrow.hold where `+sql, args...)
	if err != nil {
		return Hold{}, err
	}
	return r.hold(), nil
}

func all(ctx context.Context, db pg.DB, sql string, args ...any) ([]Hold, error) {
	rows, err := pg.All[holdRow](ctx, db, `select `+columns+` from escrow.hold where `+sql, args...)
	holds := make([]Hold, len(rows))
	for i, r := range rows {
		holds[i] = r.hold()
	}
	return holds, err
}

func load(ctx context.Context, db pg.DB, id string) (Hold, error) {
	return one(ctx, db, ErrNotFound, `id = $1`, id)
}

func lock(ctx context.Context, tx *pg.Tx, id string) (Hold, error) {
	return one(ctx, tx, ErrNotFound, `id = $1 for update`, id)
}

func lockOrder(ctx context.Context, tx *pg.Tx, order string) (Hold, error) {
	return one(ctx, tx, ErrNotFound, `order_id = $1 for update`, order)
}

func lockCharge(ctx context.Context, tx *pg.Tx, charge string) ([]Hold, error) {
	return all(ctx, tx, `charge = $1 order by id for update`, charge)
}

func ofOrders(ctx context.Context, db pg.DB, orders []string) ([]Hold, error) {
	return all(ctx, db, `order_id = any($1)`, orders)
}

func ofCharge(ctx context.Context, db pg.DB, charge string) ([]Hold, error) {
	return all(ctx, db, `charge = $1 order by id`, charge)
}

func insert(tx *pg.Tx, h Hold) {
	tx.Queue(`insert into escrow.hold (id, order_id, seller, buyer, charge, carrier, currency, amount, legs, state, wait_s, bonus)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		h.ID, h.Order, h.Seller, h.Buyer, h.Charge, h.Carrier, h.Currency, h.Amount, h.Legs.wide(), h.State, h.WaitS, h.Bonus)
}

// save keeps a hold, and returns it as it is kept.
func save(tx *pg.Tx, h Hold) Hold {
	if h.Cases == nil {
		h.Cases = []string{}
	}
	tx.QueueOne(ErrState, `update escrow.hold set amount = $3, released = $4, refunded = $5, charged = $6, recovered = $7, clawed = $8,
			legs = $9, gone = $10, cancelled = $11, taken = $12, state = $13, settled = $14, cash = $15, flying = $16, cases = $17,
			frozen_at = $18, funded_at = $19, shipped_at = $20, release_due = $21, sign_due = $22, bonus = $23, bonus_given = $24, bonus_back = $25, version = version + 1
		where id = $1 and version = $2`, h.ID, h.Version, h.Amount, h.Released, h.Refunded, h.Charged, h.Recovered, h.Clawed,
		h.Legs.wide(), h.Gone.wide(), h.Cancelled.wide(), h.Taken.wide(), h.State, h.Settled, h.Cash, h.Flying, h.Cases,
		h.FrozenAt, h.FundedAt, h.ShippedAt, h.ReleaseDue, h.SignDue, h.Bonus, h.BonusGiven, h.BonusBack)
	h.Version++
	return h
}

func settle(ctx context.Context, tx *pg.Tx, charge string) error {
	if _, err := tx.Exec(ctx, `update escrow.hold set settled = true, version = version + 1 where charge = $1 and not settled`, charge); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `update escrow.release set settled = true where charge = $1 and not settled`, charge)
	return err
}

func insertRelease(tx *pg.Tx, rid string, h Hold, share int64) {
	tx.Queue(`insert into escrow.release (id, hold, order_id, seller, charge, currency, amount, settled)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`, rid, h.ID, h.Order, h.Seller, h.Charge, h.Currency, share, h.Settled)
}

func settleOrder(tx *pg.Tx, order string) {
	tx.Queue(`update escrow.release set settled = true where order_id = $1 and not settled`, order)
}

type release struct {
	ID      string
	Seller  string
	OrderID string
	Amount  int64
	Settled bool
}

const releaseColumns = `id, seller, order_id, amount - covered - taken as amount, settled`

func openReleases(ctx context.Context, tx *pg.Tx, seller, currency string) ([]release, error) {
	return pg.All[release](ctx, tx, `select `+releaseColumns+` from escrow.release
		where seller = $1 and currency = $2 and covered + taken < amount order by not settled, id for update skip locked`, seller, currency)
}

func releasesOf(ctx context.Context, db pg.DB, charge string) ([]string, error) {
	return pg.Column[string](ctx, db, `select id from escrow.release where charge = $1`, charge)
}

func releasesOfOrders(ctx context.Context, db pg.DB, orders []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select r.id from escrow.hold h join escrow.release r on r.charge = h.charge and r.order_id = h.order_id where h.order_id = any($1)`, orders)
}

func ordersOf(ctx context.Context, db pg.DB, releases []string) ([]string, error) {
	return pg.Column[string](ctx, db, `select distinct order_id from escrow.release where id = any($1)`, releases)
}

// coverings reads what is payable before it locks what can be covered.
func coverings(ctx context.Context, tx *pg.Tx, currency string, sellers []string) (map[string]Covering, error) {
	type row struct {
		Seller  string
		Payable int64
	}
	sums, err := pg.All[row](ctx, tx, `select seller, sum(amount - covered - taken)::bigint as payable from escrow.release
		where seller = any($1) and currency = $2 and covered + taken < amount and settled group by seller`, sellers, currency)
	if err != nil {
		return nil, err
	}
	open, err := pg.All[release](ctx, tx, `select `+releaseColumns+` from escrow.release
		where seller = any($1) and currency = $2 and covered + taken < amount and settled order by id for update skip locked`, sellers, currency)
	out := make(map[string]Covering, len(sums))
	for _, r := range sums {
		out[r.Seller] = Covering{Payable: r.Payable}
	}
	for _, r := range open {
		c := out[r.Seller]
		c.open = append(c.open, r)
		out[r.Seller] = c
	}
	return out, err
}

// cover adds to what payouts cover of releases; each is named once.
func cover(tx *pg.Tx, covers []Cover) {
	if len(covers) == 0 {
		return
	}
	ids, amounts := make([]string, len(covers)), make([]int64, len(covers))
	for i, c := range covers {
		ids[i], amounts[i] = c.Release, c.Amount
	}
	tx.QueueThen(allOf(len(covers)), `update escrow.release r set covered = r.covered + x.amount
		from unnest($1::text[], $2::bigint[]) x (id, amount) where r.id = x.id`, ids, amounts)
}

func allSettled(ctx context.Context, db pg.DB, releases []string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select not exists (select from escrow.release where id = any($1) and not settled)`, releases)
}

func pending(ctx context.Context, db pg.DB, seller, currency string) (Pending, error) {
	return pg.One[Pending](ctx, db, nil, `select coalesce(sum(legs[1] - gone[1] - cancelled[1]
			+ case when carrier = '' then legs[5] - gone[5] - cancelled[5] else 0 end), 0)::bigint as share,
			coalesce(sum(case when bonus = 0 then 0 else div(bonus::numeric * (amount - legs[5] - cancelled[1] - cancelled[2] - cancelled[3] - cancelled[4]),
				amount - legs[5]) - bonus_given end), 0)::bigint as bonus from escrow.hold
		where seller = $1 and currency = $2 and state = 'funded'`, seller, currency)
}
