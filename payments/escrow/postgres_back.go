package escrow

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

// back is the escrow's side of a refund as it is kept.
type back struct {
	Refund    string
	OrderID   string
	Amount    int64
	State     string
	Cancelled []int64
	Taken     []int64
	Source    Source
	Goodwill  bool
}

func (b back) cut() Cut { return Cut{legsOf(b.Cancelled), legsOf(b.Taken), b.Source.Bonus} }

func insertBack(tx *pg.Tx, h Hold, b Back, c Cut, src Source) {
	tx.Queue(`insert into escrow.back (refund, hold, order_id, seller, currency, amount, cancelled, taken, source, goodwill)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		b.Refund, h.ID, h.Order, h.Seller, h.Currency, b.Amount, c.Held.wide(), c.Gone.wide(), src, b.Goodwill)
}

// lockBack locks the escrow of a refund, and reads the refund once nobody else
// can move it.
func lockBack(ctx context.Context, tx *pg.Tx, refund string) (Hold, back, error) {
	h, err := one(ctx, tx, ErrRefund, `order_id = (select order_id from escrow.back where refund = $1) for update`, refund)
	if err != nil {
		return h, back{}, err
	}
	b, err := pg.One[back](ctx, tx, ErrRefund, `select refund, order_id, amount, state, cancelled, taken, source, goodwill from escrow.back where refund = $1`, refund)
	return h, b, err
}

func moveBack(tx *pg.Tx, refund, state string) {
	tx.QueueOne(ErrRefund, `update escrow.back set state = $2 where refund = $1`, refund, state)
}

func insertLot(tx *pg.Tx, lot string, h Hold, amount int64, due time.Time) {
	tx.Queue(`insert into escrow.lot (id, hold, order_id, seller, currency, amount, due) values ($1, $2, $3, $4, $5, $6, $7)`,
		lot, h.ID, h.Order, h.Seller, h.Currency, amount, due)
}

// lockLots locks as many of a seller's open lots as an amount needs: those of the
// order itself first, then the oldest. They are locked in the order of their
// ids. What others take meanwhile may leave less than there is.
func lockLots(ctx context.Context, tx *pg.Tx, h Hold, amount int64) ([]Lot, error) {
	return pg.All[Lot](ctx, tx, `select id, order_id, amount - used as left from escrow.lot
		where not done and used < amount and id in (select id from (
			select id, sum(amount - used) over (order by order_id <> $3, id) - (amount - used) as before
			from escrow.lot where seller = $1 and currency = $2 and not done and used < amount) l where before < $4)
		order by id for update`, h.Seller, h.Currency, h.Order, amount)
}

func useLot(tx *pg.Tx, lot string, amount int64) {
	tx.QueueOne(ErrState, `update escrow.lot set used = used + $2 where id = $1 and not done`, lot, amount)
}

// openLots says which lots are still kept, and locks them.
func openLots(ctx context.Context, tx *pg.Tx, parts []Part) (map[string]bool, error) {
	ids := make([]string, len(parts))
	for i, p := range parts {
		ids[i] = p.ID
	}
	open, err := pg.Column[string](ctx, tx, `select id from escrow.lot where id = any($1) and not done order by id for update`, ids)
	out := make(map[string]bool, len(open))
	for _, l := range open {
		out[l] = true
	}
	return out, err
}

func orderOfLot(ctx context.Context, db pg.DB, lot string) (string, error) {
	return pg.Value[string](ctx, db, ErrNotFound, `select order_id from escrow.lot where id = $1`, lot)
}

// dueLot is a lot with the time at which it goes.
type dueLot struct {
	ID      string
	OrderID string
	Left    int64
	Due     time.Time
	Done    bool
}

const lotColumns = `id, order_id, amount - used as left, due, done`

func lockLot(ctx context.Context, tx *pg.Tx, lot string) (dueLot, error) {
	return pg.One[dueLot](ctx, tx, ErrNotFound, `select `+lotColumns+` from escrow.lot where id = $1 for update`, lot)
}

func endLot(tx *pg.Tx, l dueLot) {
	tx.QueueOne(ErrState, `update escrow.lot set done = true where id = $1 and not done`, l.ID)
}

// delayLots moves the open lots of an order by the time that a case took: since a
// moment, or since the lot was made.
func delayLots(ctx context.Context, tx *pg.Tx, order string, since, now time.Time) ([]dueLot, error) {
	return pg.All[dueLot](ctx, tx, `update escrow.lot set due = due + ($3 - least($3, greatest($2, created_at))) where order_id = $1 and not done
		returning `+lotColumns, order, since, now)
}

func keptOf(ctx context.Context, db pg.DB, order string) (bool, error) {
	return pg.Value[bool](ctx, db, nil, `select exists (select from escrow.lot where order_id = $1 and not done)`, order)
}

// A loose part is what payouts could cover of a release.
type loose struct {
	ID      string
	OrderID string
	Amount  int64
}

// lockReleases locks as much of what payouts could cover as an amount needs:
// the order's own first, then the oldest. What others take meanwhile may leave
// less than there is; what they are taking at this moment is passed over if so
// wished.
func lockReleases(ctx context.Context, tx *pg.Tx, h Hold, amount int64, skip string) ([]loose, error) {
	return pg.All[loose](ctx, tx, `select id, order_id, amount - covered - taken as amount from escrow.release
		where covered + taken < amount and id in (select id from (
			select id, sum(amount - covered - taken) over (order by order_id <> $3, id) - (amount - covered - taken) as before
			from escrow.release where seller = $1 and currency = $2 and covered + taken < amount) r where before < $4)
		order by id for update `+skip, h.Seller, h.Currency, h.Order, amount)
}

func takeRelease(tx *pg.Tx, release string, amount int64) {
	tx.QueueOne(ErrState, `update escrow.release set taken = taken + $2 where id = $1`, release, amount)
}
