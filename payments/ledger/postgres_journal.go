package ledger

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tiwiza/pkg/pg"
)

// A reader is told what is in the books, piece by piece.
type reader struct {
	currency func(currency string)
	account  func(code string)
	transfer func(t transferRow) error
}

// readBooks reads all of the books as of one moment. Transfers come by their id,
// which needs no sorting: rows are handed on as the server finds them.
func readBooks(ctx context.Context, db *pg.Store, r reader) error {
	tx, err := db.Pool().BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("open a snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	for _, names := range []struct {
		sql  string
		tell func(string)
	}{
		{`select distinct currency from ledger.account order by 1`, r.currency},
		{`select distinct code collate "C" from ledger.account order by 1`, r.account},
	} {
		rows, _ := tx.Query(ctx, names.sql) // the collector reports the error
		var name string
		if _, err := pgx.ForEachRow(rows, []any{&name}, func() error { names.tell(name); return nil }); err != nil {
			return err
		}
	}
	rows, _ := tx.Query(ctx, `select t.id, t.key, t.kind, t.order_id, t.note, t.actor, t.effective_at, t.recorded_at, e.currency, e.accounts, e.amounts
		from ledger.transfer t cross join lateral (
			select min(e.currency) as currency, array_agg(a.code order by e.leg) as accounts, array_agg(e.amount order by e.leg) as amounts
			from ledger.entry e join ledger.account a on a.id = e.account_id where e.transfer_id = t.id) e
		where e.currency is not null order by t.id`)
	for rows.Next() {
		var t transferRow
		if err := rows.Scan(&t.ID, &t.Key, &t.Kind, &t.OrderID, &t.Note, &t.Actor, &t.EffectiveAt, &t.RecordedAt, &t.Currency, &t.Accounts, &t.Amounts); err != nil {
			rows.Close()
			return err
		}
		if err := r.transfer(t); err != nil {
			rows.Close()
			return err
		}
	}
	return rows.Err()
}
