package invariants

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/money"
	"tiwiza/pkg/pg"
)

// Check looks whether the named invariants hold, or all of them, and says what
// it found, in the order of All. Everything is read in one snapshot, so that
// the answer is right under load too; nothing is written or locked.
func Check(ctx context.Context, db *pg.Store, ids ...string) ([]Finding, error) {
	chosen, err := pick(ids)
	if err != nil {
		return nil, err
	}
	var found []Finding
	err = snapshot(ctx, db, func(tx pgx.Tx) (err error) {
		found, err = check(ctx, tx, chosen, nil)
		return err
	})
	return found, err
}

// snapshot runs read in a transaction that sees one moment and writes nothing.
func snapshot(ctx context.Context, db *pg.Store, read func(tx pgx.Tx) error) error {
	tx, err := db.Pool().BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("open a snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	// Each query runs once: planning it with care pays, compiling it does not.
	// The hub itself looks, so that nothing is hidden from the proof.
	for _, s := range []string{`set local jit = off`, `set local work_mem = '64MB'`, `set local hub.principal = 'system hub'`} {
		if _, err := tx.Exec(ctx, s); err != nil {
			return fmt.Errorf("open a snapshot: %w", err)
		}
	}
	return read(tx)
}

// check asks each promise's query, or what is given to be asked instead.
func check(ctx context.Context, tx pgx.Tx, chosen []Invariant, instead map[string]string) ([]Finding, error) {
	found := make([]Finding, len(chosen))
	for i, inv := range chosen {
		f := Finding{ID: inv.ID, Promise: inv.Promise, Rows: []string{}}
		began := time.Now()
		sql := cmp.Or(instead[inv.ID], inv.SQL)
		rows, _ := tx.Query(ctx, `select said, count(*) over () from (`+sql+`) v (said) order by said limit $1`, most)
		var said string
		_, err := pgx.ForEachRow(rows, []any{&said, &f.Count}, func() error {
			f.Rows = append(f.Rows, said)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("check %s: %w", inv.ID, err)
		}
		f.Took = time.Since(began)
		found[i] = f
	}
	return found, nil
}

// look is a report of this moment: promises, figures and counts in one snapshot.
// A full one reads the seals from their beginning.
func look(ctx context.Context, db *pg.Store, full bool) (Report, error) {
	began, instead := time.Now(), live
	if full {
		instead = nil
	}
	r := Report{Full: full}
	err := snapshot(ctx, db, func(tx pgx.Tx) (err error) {
		if r.Findings, err = check(ctx, tx, All, instead); err != nil {
			return err
		}
		if r.Counts, err = counts(ctx, tx); err != nil {
			return err
		}
		r.At, r.Figures, err = figures(ctx, tx)
		return err
	})
	r.took = time.Since(began)
	return r, err
}

// figures are counts and sums in the hub's own currency.
func figures(ctx context.Context, tx pgx.Tx) (at time.Time, f Figures, err error) {
	var charged, held, released, payable, flying, paid, fees int64
	err = tx.QueryRow(ctx, `with `+account+`, sums as (
			select a.class, sum(b.cr - b.dr)::bigint as has from account a join ledger.balance b on b.account_id = a.id
			where a.currency = $1 group by a.class)
		select platform.now(),
			(select count(*) from orders.seller_order),
			(select coalesce(sum(case method when 'cash_on_delivery' then captured else amount end), 0)::bigint from charges.charge where state = 'confirmed' and currency = $1),
			coalesce((select has from sums where class = 'escrow:*'), 0),
			(select coalesce(sum(released), 0)::bigint from escrow.hold where currency = $1),
			coalesce((select has from sums where class = 'seller:*:available'), 0),
			coalesce((select has from sums where class = 'payout:*'), 0),
			(select coalesce(sum(amount), 0)::bigint from payouts.payout where state = 'paid' and currency = $1),
			coalesce((select has from sums where class = 'fees'), 0),
			(select count(*) from recon.line where state = 'matched'),
			(select count(*) from recon.line where state in ('partly', 'suspense', 'unmatched')),
			(select count(*) from operations.operation where state in ('unknown', 'review'))`, money.MAD).
		Scan(&at, &f.Orders, &charged, &held, &released, &payable, &flying, &paid, &fees, &f.Matched, &f.Unmatched, &f.Unknown)
	if err != nil {
		return at, f, fmt.Errorf("read the figures: %w", err)
	}
	f.Charged, f.Held, f.Released, f.Payable = money.Dirhams(charged), money.Dirhams(held), money.Dirhams(released), money.Dirhams(payable)
	f.InFlight, f.PaidOut, f.Fees = money.Dirhams(flying), money.Dirhams(paid), money.Dirhams(fees)
	return at.UTC(), f, nil
}
