package escrow

import (
	"context"
	"time"

	"tiwiza/pkg/pg"
)

type caseRow struct {
	OrderID string
	Case
}

func putCase(tx *pg.Tx, order string, c Case, at time.Time) {
	tx.Queue(`insert into escrow.case_of (id, order_id, kind, state, deadline, opened_at) values ($1, $2, $3, $4, $5, $6)
		on conflict (id, order_id) do update set state = excluded.state, deadline = excluded.deadline`, c.ID, order, c.Kind, c.State, c.Deadline, at)
}

func endCase(tx *pg.Tx, order, id string, at time.Time) {
	tx.QueueOne(ErrCase, `update escrow.case_of set ended_at = $3 where id = $1 and order_id = $2 and ended_at is null`, id, order, at)
}

func openCases(ctx context.Context, db pg.DB, orders []string) ([]caseRow, error) {
	return pg.All[caseRow](ctx, db, `select order_id, id, kind, state, deadline from escrow.case_of
		where order_id = any($1) and ended_at is null order by opened_at, id`, orders)
}

const contestColumns = `id, charge, acquirer, currency, amount, fee, state, taken, version`

func insertContest(tx *pg.Tx, c Contest, currency string) {
	tx.Queue(`insert into escrow.contest (id, charge, acquirer, currency, amount, fee) values ($1, $2, $3, $4, $5, $6)`,
		c.Case, c.Charge, c.Acquirer, currency, c.Amount, c.Fee)
}

func loadContest(ctx context.Context, db pg.DB, id string) (contest, error) {
	return pg.One[contest](ctx, db, ErrCase, `select `+contestColumns+` from escrow.contest where id = $1`, id)
}

func lockContest(ctx context.Context, tx *pg.Tx, id string) (contest, error) {
	return pg.One[contest](ctx, tx, ErrCase, `select `+contestColumns+` from escrow.contest where id = $1 for update`, id)
}

// contestsOf locks the chargebacks of a charge that are open or lost.
func contestsOf(ctx context.Context, tx *pg.Tx, charge string) ([]contest, error) {
	return pg.All[contest](ctx, tx, `select `+contestColumns+` from escrow.contest where charge = $1 and state in ('open', 'lost') order by id for update`, charge)
}

// endContest ends a chargeback, or corrects what a lost one has taken.
func endContest(tx *pg.Tx, c contest, state string, taken int64) {
	tx.QueueOne(ErrState, `update escrow.contest set state = $3, taken = $4, version = version + 1 where id = $1 and version = $2`, c.ID, c.Version, state, taken)
}

func insertContested(tx *pg.Tx, k contested) {
	tx.Queue(`insert into escrow.contested (contest, order_id, seller, amount, kept, keeps, uncovered) values ($1, $2, $3, $4, $5, $6, $7)`,
		k.Contest, k.OrderID, k.Seller, k.Amount, k.Kept, k.Keeps, k.Uncovered)
}

const stakeColumns = `contest, order_id, seller, amount, kept, keeps, uncovered, open, taken`

// bareStakes locks the stakes of a seller that are not all covered.
func bareStakes(ctx context.Context, tx *pg.Tx, seller string) ([]contested, error) {
	return pg.All[contested](ctx, tx, `select `+stakeColumns+` from escrow.contested where seller = $1 and open and uncovered > 0
		order by contest, order_id for update`, seller)
}

// bareSellers are those of holds who have a stake that is not all covered.
func bareSellers(ctx context.Context, db pg.DB, holds []Hold) (map[string]bool, error) {
	of := make([]string, len(holds))
	for i, h := range holds {
		of[i] = h.Seller
	}
	rows, err := pg.Column[string](ctx, db, `select distinct seller from escrow.contested where seller = any($1) and open and uncovered > 0`, of)
	out := make(map[string]bool, len(rows))
	for _, s := range rows {
		out[s] = true
	}
	return out, err
}

func keepMore(tx *pg.Tx, k contested, more int64) {
	tx.QueueOne(ErrState, `update escrow.contested set kept = kept + $3, keeps = keeps + 1, uncovered = uncovered - $3
		where contest = $1 and order_id = $2 and open`, k.Contest, k.OrderID, more)
}

// staked is what open chargebacks have in an order already.
func staked(ctx context.Context, db pg.DB, order string) (int64, error) {
	return pg.Value[int64](ctx, db, nil, `select coalesce(sum(amount), 0)::bigint from escrow.contested where order_id = $1 and open`, order)
}

func stakesOf(ctx context.Context, db pg.DB, contest string) ([]contested, error) {
	return pg.All[contested](ctx, db, `select `+stakeColumns+` from escrow.contested
		where contest = $1 order by order_id`, contest)
}

// endContested ends a stake, of which so much was taken.
func endContested(tx *pg.Tx, k contested, taken int64) {
	tx.QueueOne(ErrState, `update escrow.contested set open = false, taken = $3 where contest = $1 and order_id = $2 and open`, k.Contest, k.OrderID, taken)
}

// uncovered is a chargeback of each of some sellers that nothing covers.
func uncovered(ctx context.Context, db pg.DB, sellers []string) (map[string]string, error) {
	type row struct{ Seller, Contest string }
	rows, err := pg.All[row](ctx, db, `select seller, min(contest) as contest from escrow.contested where seller = any($1) and open and uncovered > 0 group by seller`, sellers)
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.Seller] = r.Contest
	}
	return out, err
}
